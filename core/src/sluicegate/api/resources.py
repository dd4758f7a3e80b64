"""The resources Sluicegate talks about: group, version, plural and kind of each, and the URL paths that follow.

One place for these names, so that clients, caches and the embedded cluster agree on them. No I/O here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import quote


@dataclass(frozen=True, slots=True)
class Resource:
    """One kind of object as the Kubernetes API serves it; `group` is empty for the core group."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = True

    @property
    def api_version(self) -> str:
        """The `apiVersion` of its manifests: `v1`, or `group/version`."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def path(self, namespace: str | None = None, name: str = "", subresource: str = "") -> str:
        """The URL path of the collection, or of one object, or of its subresource; no namespace means all of them."""
        parts = ["apis", self.group, self.version] if self.group else ["api", self.version]
        if self.namespaced and namespace:
            parts += ["namespaces", namespace]
        parts += [self.plural, name, subresource]
        return "/" + "/".join(quote(part, safe="") for part in parts if part)


ARGO_GROUP: Final = "argoproj.io"

ROLLOUTS: Final = Resource(ARGO_GROUP, "v1alpha1", "rollouts", "Rollout")
ANALYSIS_RUNS: Final = Resource(ARGO_GROUP, "v1alpha1", "analysisruns", "AnalysisRun")
ANALYSIS_TEMPLATES: Final = Resource(ARGO_GROUP, "v1alpha1", "analysistemplates", "AnalysisTemplate")
CLUSTER_ANALYSIS_TEMPLATES: Final = Resource(
    ARGO_GROUP, "v1alpha1", "clusteranalysistemplates", "ClusterAnalysisTemplate", namespaced=False
)
EXPERIMENTS: Final = Resource(ARGO_GROUP, "v1alpha1", "experiments", "Experiment")

CONTROLLER_REVISIONS: Final = Resource("apps", "v1", "controllerrevisions", "ControllerRevision")
DEPLOYMENTS: Final = Resource("apps", "v1", "deployments", "Deployment")
REPLICA_SETS: Final = Resource("apps", "v1", "replicasets", "ReplicaSet")
JOBS: Final = Resource("batch", "v1", "jobs", "Job")

CONFIG_MAPS: Final = Resource("", "v1", "configmaps", "ConfigMap")
ENDPOINTS: Final = Resource("", "v1", "endpoints", "Endpoints")
EVENTS: Final = Resource("", "v1", "events", "Event")
NAMESPACES: Final = Resource("", "v1", "namespaces", "Namespace", namespaced=False)
NODES: Final = Resource("", "v1", "nodes", "Node", namespaced=False)
PODS: Final = Resource("", "v1", "pods", "Pod")
POD_TEMPLATES: Final = Resource("", "v1", "podtemplates", "PodTemplate")
SECRETS: Final = Resource("", "v1", "secrets", "Secret")
SERVICE_ACCOUNTS: Final = Resource("", "v1", "serviceaccounts", "ServiceAccount")
SERVICES: Final = Resource("", "v1", "services", "Service")

INGRESSES: Final = Resource("networking.k8s.io", "v1", "ingresses", "Ingress")
VIRTUAL_SERVICES: Final = Resource("networking.istio.io", "v1alpha3", "virtualservices", "VirtualService")
AMBASSADOR_MAPPINGS: Final = Resource("getambassador.io", "v2", "mappings", "Mapping")
APP_MESH_VIRTUAL_SERVICES: Final = Resource("appmesh.k8s.aws", "v1beta2", "virtualservices", "VirtualService")
APP_MESH_VIRTUAL_ROUTERS: Final = Resource("appmesh.k8s.aws", "v1beta2", "virtualrouters", "VirtualRouter")

ENDPOINT_SLICES: Final = Resource("discovery.k8s.io", "v1", "endpointslices", "EndpointSlice")
LEASES: Final = Resource("coordination.k8s.io", "v1", "leases", "Lease")
CRDS: Final = Resource(
    "apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition", namespaced=False
)
