"""What an App Mesh virtual router must look like so that a canary can be weighed on it (rollout 1.7, row B6)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sluicegate.api.gojson import number_text
from sluicegate.api.resources import APP_MESH_VIRTUAL_ROUTERS
from sluicegate.api.validation.field_error import FieldError, invalid
from sluicegate.api.validation.references.reference import Reference, items, member, name_of
from sluicegate.errors import SluicegateError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_ROUTE_TYPES: Final = ("httpRoute", "tcpRoute", "http2Route", "grpcRoute")
_GO_TYPES: Final = ((bool, "bool"), (str, "string"), (int, "int64"), (float, "float64"), (list, "[]interface {}"))


class NoVirtualRouter(SluicegateError):
    """An App Mesh VirtualService has no virtual router, which is no fault of the Rollout that names it.

    Attributes: `namespace`, `name` (of the VirtualService).
    """

    def __init__(self, namespace: str, name: str) -> None:
        super().__init__(
            f"VirtualService {namespace}/{name} of App Mesh names no router: "
            "spec.provider.virtualRouter.virtualRouterRef.name must be that of a VirtualRouter"
        )
        self.namespace = namespace
        self.name = name


def router_of(service: Mapping[str, Any], namespace: str) -> Reference | None:
    """The virtual router behind an App Mesh VirtualService; None if it names none."""
    found = member(service, "spec", "provider", "virtualRouter", "virtualRouterRef")
    name = member(found, "name")
    if not name:
        return None
    return Reference(APP_MESH_VIRTUAL_ROUTERS, str(member(found, "namespace") or namespace), str(name))


def router_errors(router: Mapping[str, Any]) -> Iterator[FieldError]:
    """The first fault of a virtual router: every route needs two weighted targets."""
    name = name_of(router)
    routes = items(router, "spec", "routes")
    if not routes:
        yield invalid("spec.routes", name, f"No routes defined for AppMesh virtual-router {name}")
    for index, route in enumerate(routes):
        error = _route_error(route, index, name)
        if error:
            yield error
            return


def _route_error(route: Any, index: int, router: str) -> FieldError | None:
    path = f"spec.routes[{index}]"
    if not isinstance(route, dict):
        return invalid(path, router, f"Invalid route was found for AppMesh virtual-router {router} at index {index}")
    whose = f"AppMesh virtual-router {router} and route {route.get('name') or '%!s(<nil>)'}"
    kind = next((kind for kind in _ROUTE_TYPES if kind in route), None)
    if kind is None or not isinstance(route[kind], dict):
        fault = "Route has unsupported route type" if kind is None else _wrong_type(kind, route[kind])
        return invalid(path, router, f"Error getting route details for {whose}. Error: {fault}")
    return _targets_error(route[kind], f"{path}.{kind}.action.weightedTargets", router, whose)


def _targets_error(rule: dict[str, Any], path: str, router: str, whose: str) -> FieldError | None:
    targets = member(rule, "action", "weightedTargets")
    if not isinstance(targets, list):
        return invalid(path, router, f"Invalid route action found for {whose}")
    if len(targets) != 2:
        return invalid(path, router, f"Invalid number of weightedTargets ({len(targets)}) for {whose}, expected 2")
    return None


def _wrong_type(kind: str, value: Any) -> str:
    found = next((name for type, name in _GO_TYPES if isinstance(value, type)), "<nil>")
    return f".{kind} accessor error: {_shown(value)} is of the type {found}, expected map[string]interface{{}}"


def _shown(value: Any) -> str:
    """A value as Go prints it."""
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{' '.join(map(_shown, value))}]"
    if isinstance(value, dict):
        return f"map[{' '.join(f'{key}:{_shown(item)}' for key, item in sorted(value.items()))}]"
    return number_text(value) if isinstance(value, int | float) else str(value)
