"""The types of what is read here: an object that does not fit them is refused, as a typed server refuses it.

Custom resources have schemas of their own and only their metadata is looked at. Of built-in kinds those members are
typed that the controllers of this cluster, its printers or its garbage collector rely on; others may be anything.
What must not be missing is for admission to say.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from sluicegate.local import failures
from sluicegate.local.apiserver.schema import without_nulls

if TYPE_CHECKING:
    from sluicegate.local.apiserver.resources import Served
    from sluicegate.local.objects import Kind, Object

Port = Annotated[int, Meta(ge=1, le=65535)]
Count = Annotated[int, Meta(ge=0, le=2**31 - 1)]


class Shape(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """Typed members of an object; members that a shape does not name are ignored."""


class OwnerReference(Shape, frozen=True):
    """One owner."""

    api_version: str = ""
    kind: str = ""
    name: str = ""
    uid: str = ""
    controller: bool = False
    block_owner_deletion: bool = False


class Metadata(Shape, frozen=True):
    """What every object has; the values of labels and annotations are looked at where names are."""

    name: str = ""
    generate_name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    labels: dict[str, Any] = {}
    annotations: dict[str, Any] = {}
    finalizers: list[str] = []
    owner_references: list[OwnerReference] = []


class Plain(Shape, frozen=True):
    """An object nobody here looks into."""

    metadata: Metadata = Metadata()
    spec: dict[str, Any] = {}
    status: dict[str, Any] = {}


class ContainerPort(Shape, frozen=True):
    """A port that a container listens on."""

    container_port: Port
    name: str = ""
    protocol: str = "TCP"


class Header(Shape, frozen=True):
    """A header that a probe sends."""

    name: str
    value: str = ""


class HttpGet(Shape, frozen=True):
    """The request of a probe."""

    port: Port | str
    path: str = "/"
    http_headers: list[Header] = []


class Probe(Shape, frozen=True):
    """A readiness probe; times are in seconds."""

    http_get: HttpGet | None = None
    initial_delay_seconds: Count = 0
    period_seconds: Count = 10
    timeout_seconds: Count = 1
    success_threshold: Count = 1
    failure_threshold: Count = 3


class Container(Shape, frozen=True):
    """What a pod runs."""

    name: str
    image: str = ""
    ports: list[ContainerPort] = []
    readiness_probe: Probe | None = None


class PodSpec(Shape, frozen=True):
    """How a pod runs."""

    containers: list[Container] = []
    init_containers: list[Container] = []
    node_name: str = ""
    termination_grace_period_seconds: Count = 30


class Pod(Shape, frozen=True):
    """A Pod, or the template of one."""

    metadata: Metadata = Metadata()
    spec: PodSpec = PodSpec()


class Requirement(Shape, frozen=True):
    """One expression of a label selector."""

    key: str
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist"]
    values: list[str] = []


class LabelSelector(Shape, frozen=True):
    """Which labels match."""

    match_labels: dict[str, str] = {}
    match_expressions: list[Requirement] = []


class ReplicaSetSpec(Shape, frozen=True):
    """How many pods of which template."""

    selector: LabelSelector = LabelSelector()
    template: Pod = Pod()
    replicas: Count = 1
    min_ready_seconds: Count = 0


class ReplicaSet(Shape, frozen=True):
    """A ReplicaSet."""

    metadata: Metadata = Metadata()
    spec: ReplicaSetSpec = ReplicaSetSpec()


class RollingUpdate(Shape, frozen=True):
    """How far a rolling update may go above and below the replicas."""

    max_surge: int | str | None = None
    max_unavailable: int | str | None = None


class Strategy(Shape, frozen=True):
    """How a Deployment comes from one template to the next."""

    type: Literal["", "RollingUpdate", "Recreate"] = ""
    rolling_update: RollingUpdate | None = None


class DeploymentSpec(ReplicaSetSpec, frozen=True):
    """How many pods of which template, and how it may change."""

    strategy: Strategy = Strategy()
    paused: bool = False
    revision_history_limit: Count = 10
    progress_deadline_seconds: Count = 600


class Deployment(Shape, frozen=True):
    """A Deployment."""

    metadata: Metadata = Metadata()
    spec: DeploymentSpec = DeploymentSpec()


class PodTemplate(Shape, frozen=True):
    """A PodTemplate."""

    metadata: Metadata = Metadata()
    template: Pod = Pod()


class BudgetSpec(Shape, frozen=True):
    """How many of which pods may be missing."""

    selector: LabelSelector | None = None
    min_available: Count | str | None = None
    max_unavailable: Count | str | None = None


class Budget(Shape, frozen=True):
    """A PodDisruptionBudget."""

    metadata: Metadata = Metadata()
    spec: BudgetSpec = BudgetSpec()


class ServicePort(Shape, frozen=True):
    """A port of a Service; whether its node port can be had is found out when it is allocated."""

    port: Port
    name: str = ""
    protocol: str = "TCP"
    target_port: Port | str = ""
    node_port: int = 0


class ServiceSpec(Shape, frozen=True):
    """Where a Service listens, and for which pods."""

    type: Literal["", "ClusterIP", "NodePort", "LoadBalancer", "ExternalName"] = ""
    selector: dict[str, str] = {}
    ports: list[ServicePort] = []
    cluster_ip: str = msgspec.field(default="", name="clusterIP")


class Service(Shape, frozen=True):
    """A Service."""

    metadata: Metadata = Metadata()
    spec: ServiceSpec = ServiceSpec()


class Endpoint(Shape, frozen=True):
    """Where one pod of a Service is, and in which state."""

    addresses: Annotated[list[str], Meta(min_length=1)]
    conditions: dict[str, bool] = {}


class SlicePort(Shape, frozen=True):
    """A port of all endpoints of a slice."""

    port: Port
    name: str = ""


class EndpointSlice(Shape, frozen=True):
    """An EndpointSlice."""

    metadata: Metadata = Metadata()
    endpoints: list[Endpoint] = []
    ports: list[SlicePort] = []


class ConfigMap(Shape, frozen=True):
    """A ConfigMap, or a Secret."""

    metadata: Metadata = Metadata()
    data: dict[str, str] = {}
    binary_data: dict[str, str] = {}
    string_data: dict[str, str] = {}


class JsonSchema(Shape, frozen=True, rename=None):
    """A schema in a definition: what is looked up in it while an object is checked."""

    type: str = ""
    properties: dict[str, JsonSchema] = {}
    items: JsonSchema | None = None
    additionalProperties: bool | JsonSchema = True
    required: list[str] = []
    enum: list[Any] = []
    pattern: str = ""


class VersionSchema(Shape, frozen=True):
    """The schema of a version."""

    open_api_v3_schema: JsonSchema = msgspec.field(default_factory=JsonSchema, name="openAPIV3Schema")


class ScalePaths(Shape, frozen=True):
    """Where the scale subresource finds its numbers."""

    spec_replicas_path: str
    status_replicas_path: str
    label_selector_path: str = ""


class Subresources(Shape, frozen=True):
    """The subresources of a version."""

    status: dict[str, Any] | None = None
    scale: ScalePaths | None = None


class Column(Shape, frozen=True):
    """A column that `kubectl get` shows."""

    name: str
    type: str
    json_path: str


class Version(Shape, frozen=True):
    """A version of a definition."""

    name: str
    storage: bool = False
    schema: VersionSchema | None = None
    subresources: Subresources = Subresources()
    additional_printer_columns: list[Column] = []


class DefinitionNames(Shape, frozen=True):
    """What a defined kind is called."""

    plural: str = ""
    kind: str = ""
    singular: str = ""
    list_kind: str = ""
    short_names: list[str] = []
    categories: list[str] = []


class DefinitionSpec(Shape, frozen=True):
    """What a definition defines; what must not be missing is looked at where it is admitted."""

    group: str = ""
    scope: Literal["", "Namespaced", "Cluster"] = ""
    names: DefinitionNames = DefinitionNames()
    versions: list[Version] = []


class Definition(Shape, frozen=True):
    """A CustomResourceDefinition."""

    metadata: Metadata = Metadata()
    spec: DefinitionSpec = DefinitionSpec()


_SHAPES: Final[dict[Kind, type[Shape]]] = {
    ("", "pods"): Pod,
    ("", "podtemplates"): PodTemplate,
    ("", "services"): Service,
    ("", "configmaps"): ConfigMap,
    ("", "secrets"): ConfigMap,
    ("apps", "deployments"): Deployment,
    ("apps", "replicasets"): ReplicaSet,
    ("policy", "poddisruptionbudgets"): Budget,
    ("discovery.k8s.io", "endpointslices"): EndpointSlice,
    ("apiextensions.k8s.io", "customresourcedefinitions"): Definition,
}
_MISFIT: Final = re.compile(r"(?P<what>.*?)( - at `\$\.?(?P<path>.*)`)?", re.DOTALL)
_MISSING: Final = re.compile("Object missing required field `(?P<name>.*)`")


def check(obj: Object, served: Served) -> None:
    """Raise BadRequest for a member of another type than its kind has, Invalid for one that is missing or too large."""
    try:
        if served.is_custom:
            msgspec.convert(without_nulls({"metadata": obj["metadata"]}), Plain)
        else:
            msgspec.convert(obj, _SHAPES.get(served.kind, Plain))
    except msgspec.ValidationError as error:
        raise _refusal(str(error), obj, served) from error


def _refusal(message: str, obj: Object, served: Served) -> Exception:
    misfit = _MISFIT.fullmatch(message)
    assert misfit
    what, path = misfit["what"], misfit["path"] or ""
    if ", got `" in what:
        kind, version = served.resource.kind, served.resource.version
        return failures.bad_request(f'{kind} in version "{version}" cannot be handled as a {kind}: {path}: {what}')
    fault = failures.FieldFault("FieldValueInvalid", path, f"Invalid value: {what}")
    if missing := _MISSING.fullmatch(what):
        fault = failures.required(f"{path}.{missing['name']}".strip("."))
    return failures.invalid(served.qualified_kind, str(obj["metadata"].get("name") or ""), [fault])
