"""What is served: the table of built-in resources, and the custom ones that CustomResourceDefinitions add to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sluicegate.api import resources as known
from sluicegate.api.resources import Resource

if TYPE_CHECKING:
    from sluicegate.local.apiserver.schema import Schema
    from sluicegate.local.objects import Kind, Object

ALL_VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")
ACCESS_REVIEWS = Resource(
    "authorization.k8s.io", "v1", "selfsubjectaccessreviews", "SelfSubjectAccessReview", namespaced=False
)
POD_DISRUPTION_BUDGETS = Resource("policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget")


@dataclass(frozen=True, slots=True)
class ScalePaths:
    """Where a kind keeps what its scale subresource shows, as dotted paths."""

    replicas: str
    status_replicas: str
    selector: str = ""


@dataclass(frozen=True, slots=True)
class Served:
    """One resource as it is served; `schema` and `columns` only custom resources have.

    An object of a kind that is not `unconditional` can be replaced only by one that bears a resource version.
    """

    resource: Resource
    singular: str
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    verbs: tuple[str, ...] = ALL_VERBS
    status: bool = False
    scale: ScalePaths | None = None
    eviction: bool = False
    unconditional: bool = True
    list_kind: str = ""
    schema: Schema | None = None
    columns: tuple[Object, ...] = ()

    @property
    def kind(self) -> Kind:
        """Where its objects are in the store."""
        return self.resource.group, self.resource.plural

    @property
    def is_custom(self) -> bool:
        """Whether a CustomResourceDefinition made it."""
        return self.schema is not None

    @property
    def qualified_kind(self) -> str:
        """The kind as messages name it, e.g. `Pod` or `Rollout.argoproj.io`."""
        return f"{self.resource.kind}.{self.resource.group}" if self.resource.group else self.resource.kind


_WORKLOAD_SCALE = ScalePaths("spec.replicas", "status.replicas", "spec.selector")


def _builtin(resource: Resource, *short_names: str, **more: Any) -> Served:
    return Served(resource, resource.kind.lower(), short_names, list_kind=f"{resource.kind}List", **more)


BUILTIN = (
    _builtin(known.CONFIG_MAPS, "cm"),
    Served(known.ENDPOINTS, "endpoints", ("ep",), list_kind="EndpointsList"),
    _builtin(known.EVENTS, "ev"),
    _builtin(known.NAMESPACES, "ns", status=True),
    _builtin(known.NODES, "no", status=True),
    _builtin(known.PODS, "po", categories=("all",), status=True, eviction=True),
    _builtin(known.POD_TEMPLATES),
    _builtin(known.SECRETS),
    _builtin(known.SERVICE_ACCOUNTS, "sa"),
    _builtin(known.SERVICES, "svc", categories=("all",), status=True),
    _builtin(known.DEPLOYMENTS, "deploy", categories=("all",), status=True, scale=_WORKLOAD_SCALE),
    _builtin(known.REPLICA_SETS, "rs", categories=("all",), status=True, scale=_WORKLOAD_SCALE),
    _builtin(known.JOBS, categories=("all",), status=True),
    _builtin(known.ENDPOINT_SLICES),
    _builtin(known.INGRESSES, "ing", status=True),
    _builtin(POD_DISRUPTION_BUDGETS, "pdb", status=True),
    _builtin(known.LEASES, unconditional=False),
    _builtin(known.CRDS, "crd", "crds", categories=("api-extensions",), status=True, unconditional=False),
    _builtin(ACCESS_REVIEWS, verbs=("create",)),
)


class Registry:
    """All resources served at the moment, built-in and custom."""

    def __init__(self) -> None:
        self._served = {(s.resource.group, s.resource.version, s.resource.plural): s for s in BUILTIN}
        self.revision = 0

    def find(self, group: str, version: str, plural: str) -> Served | None:
        """Return a served resource, None if there is no such."""
        return self._served.get((group, version, plural))

    def versions(self) -> dict[tuple[str, str], list[Served]]:
        """Return what is served by group and version, the core group first, resources by name."""
        grouped: dict[tuple[str, str], list[Served]] = {}
        for group, version, plural in sorted(self._served):
            grouped.setdefault((group, version), []).append(self._served[group, version, plural])
        return grouped

    def serve(self, served: Served) -> None:
        """Add a resource, or replace it by a newer definition."""
        resource = served.resource
        self.withdraw(served.kind)
        self._served[resource.group, resource.version, resource.plural] = served

    def withdraw(self, kind: Kind) -> None:
        """Serve a resource no longer."""
        self._served = {at: served for at, served in self._served.items() if served.kind != kind}
        self.revision += 1
