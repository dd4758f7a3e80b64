"""The world that a Rollout refers to in these tests: its objects, made short, and a caller who looks them up."""

from collections.abc import Sequence
from typing import Any

from sluicegate.api import resources
from sluicegate.api.resources import Resource
from sluicegate.api.rollout import Rollout
from sluicegate.api.validation import Known, Reference, missing, validate_references

Document = dict[str, Any]
Objects = Sequence[str | Document]

STEP = "spec.strategy.canary.steps[0].analysis.templates: Invalid value:"
CANARY = {"canary": {"stableService": "stable", "canaryService": "canary"}}
PING_PONG = {
    "canary": {
        "pingPong": {"pingService": "ping", "pongService": "pong"},
        "trafficRouting": {"istio": {"virtualService": {"name": "vs"}, "destinationRule": {"name": "rule"}}},
    }
}
VIRTUAL_SERVICE = {"kind": "VirtualService", "metadata": {"name": "vs"}, "spec": {"http": []}}

KINDS = {
    (resource.group.partition(".")[0], resource.kind): resource
    for resource in vars(resources).values()
    if isinstance(resource, Resource)
}
USUAL = {
    "Service": resources.SERVICES,
    "Ingress": resources.INGRESSES,
    "AnalysisTemplate": resources.ANALYSIS_TEMPLATES,
    "ClusterAnalysisTemplate": resources.CLUSTER_ANALYSIS_TEMPLATES,
    "VirtualService": resources.VIRTUAL_SERVICES,
    "Mapping": resources.AMBASSADOR_MAPPINGS,
}


def resource_of(document: Document) -> Resource:
    group = document.get("apiVersion", "").partition("/")[0].partition(".")[0]
    return KINDS[group, document["kind"]] if group else USUAL[document["kind"]]


def service(name: str, managed_by: str | None = None, **selector: str) -> Document:
    annotations = {} if managed_by is None else {"argo-rollouts.argoproj.io/managed-by-rollouts": managed_by}
    return {
        "kind": "Service",
        "metadata": {"name": name, "annotations": annotations},
        "spec": {"selector": selector},
    }


def world_of(objects: Objects) -> dict[Reference, Document]:
    """The objects of a case by what refers to them; `"Service x"` is short for one without selector."""
    world = {}
    for item in objects:
        document = service(item.split()[1]) if isinstance(item, str) else item
        resource, metadata = resource_of(document), document["metadata"]
        namespace = metadata.get("namespace", "ns") if resource.namespaced else ""
        world[Reference(resource, namespace, metadata["name"])] = document
    return world


def looked_up(rollout: Rollout, world: dict[Reference, Document]) -> Known:
    """What a caller knows who looks up what is missing until nothing is."""
    known: dict[Reference, Document | None] = {}
    while references := missing(rollout, known):
        known |= {reference: world.get(reference) for reference in references}
    return known


def errors_in(rollout: Rollout, objects: Objects) -> list[str]:
    return [str(error) for error in validate_references(rollout, looked_up(rollout, world_of(objects)))]


def analysis(*templates: str, **members: Any) -> Document:
    return {"templates": [reference(name) for name in templates], **members}


def reference(name: str) -> Document:
    plain = name.removeprefix("cluster:")
    return {"templateName": plain, "clusterScope": plain != name}


def template(name: str, *nested: str, **spec: Any) -> Document:
    plain = name.removeprefix("cluster:")
    kind = "AnalysisTemplate" if plain == name else "ClusterAnalysisTemplate"
    spec |= {"templates": [reference(other) for other in nested]}
    return {"kind": kind, "metadata": {"name": plain}, "spec": spec}


def step(**members: Any) -> Document:
    return {"canary": {"steps": [{"analysis": members}]}}


def routed(**routing: Any) -> Document:
    return {"canary": CANARY["canary"] | {"trafficRouting": routing}}


def app_mesh(router: Document | None) -> Document:
    return {
        "apiVersion": "appmesh.k8s.aws/v1beta2",
        "kind": "VirtualService",
        "metadata": {"name": "mesh"},
        "spec": {"provider": {"virtualRouter": {"virtualRouterRef": router}}},
    }
