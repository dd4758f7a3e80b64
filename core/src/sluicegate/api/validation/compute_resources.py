"""The checks of a container's compute resources (rollout 1.10, row 6)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sluicegate.api.quantity import Quantity, parse_quantity
from sluicegate.api.validation.field_error import FieldError, invalid, required
from sluicegate.api.validation.label_syntax import qualified_name

if TYPE_CHECKING:
    from collections.abc import Iterator

_FOR_CONTAINERS: Final = frozenset({"cpu", "memory", "ephemeral-storage"})
_FOR_OTHERS: Final = frozenset(
    {f"{side}.{name}" for side in ("requests", "limits") for name in _FOR_CONTAINERS}
    | {"storage", "requests.storage", "pods", "services", "services.nodeports", "services.loadbalancers"}
    | {"resourcequotas", "replicationcontrollers", "secrets", "configmaps", "persistentvolumeclaims"}
)
_HUGE_PAGES: Final = "hugepages-"


def resource_errors(resources: dict[str, Any], path: str) -> Iterator[FieldError]:
    """What is wrong with limits and requests, each by sorted name."""
    limits = {name: parse_quantity(text) for name, text in resources.get("limits", {}).items()}
    requests = {name: parse_quantity(text) for name, text in resources.get("requests", {}).items()}
    for name, limit in limits.items():
        yield from _amount_errors(name, limit, f"{path}.limits[{name}]")
    for name, request in requests.items():
        yield from _amount_errors(name, request, f"{path}.requests[{name}]")
        yield from _balance_errors(name, request, limits.get(name), path)


def _amount_errors(name: str, amount: Quantity, path: str) -> Iterator[FieldError]:
    yield from (invalid(path, name, message) for message in _name_messages(name))
    if amount.nanos < 0:
        yield invalid(path, amount.text, "must be greater than or equal to 0")
    if _is_extended(name) and not amount.is_whole:
        yield invalid(path, amount.text, "must be an integer")


def _name_messages(name: str) -> Iterator[str]:
    messages = list(qualified_name(name))
    yield from messages
    if messages or "/" in name or name in _FOR_CONTAINERS or name.startswith(_HUGE_PAGES):
        return
    if name not in _FOR_OTHERS:
        yield "must be a standard resource type or fully qualified"
    yield "must be a standard resource for containers"


def _balance_errors(name: str, request: Quantity, limit: Quantity | None, path: str) -> Iterator[FieldError]:
    fixed = _is_extended(name) or name.startswith(_HUGE_PAGES)
    if limit is None:
        if fixed:
            yield required(f"{path}.limits", "Limit must be set for non overcommitable resources")
    elif fixed and request.nanos != limit.nanos:
        yield invalid(f"{path}.requests", request.text, f"must be equal to {name} limit of {limit.text}")
    elif request.nanos > limit.nanos:
        yield invalid(f"{path}.requests", request.text, f"must be less than or equal to {name} limit of {limit.text}")


def _is_extended(name: str) -> bool:
    return "/" in name and "kubernetes.io/" not in name
