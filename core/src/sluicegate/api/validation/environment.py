"""The checks of environment variables (rollout 1.10, row 6)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sluicegate.api.validation.field_error import FieldError, invalid, not_supported, required
from sluicegate.api.validation.label_syntax import env_name, qualified_name, subdomain

if TYPE_CHECKING:
    from collections.abc import Iterator

_SOURCES: Final = ("fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef")
_FIELD_PATHS: Final = (
    *("metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName"),
    *("status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs"),
)
_RESOURCES: Final = (
    *("limits.cpu", "limits.ephemeral-storage", "limits.memory"),
    *("requests.cpu", "requests.ephemeral-storage", "requests.memory"),
)
_HUGE_PAGES: Final = ("limits.hugepages-", "requests.hugepages-")


def env_errors(variables: list[dict[str, Any]], path: str) -> Iterator[FieldError]:
    """What is wrong with the `env` of one container."""
    for index, variable in enumerate(variables):
        where = f"{path}[{index}]"
        if not variable["name"]:
            yield required(f"{where}.name")
        else:
            yield from (invalid(f"{where}.name", variable["name"], text) for text in env_name(variable["name"]))
        if "valueFrom" in variable:
            has_value = bool(variable.get("value"))
            yield from _value_from_errors(variable["valueFrom"], f"{where}.valueFrom", has_value)


def _value_from_errors(origin: dict[str, Any], path: str, has_value: bool) -> Iterator[FieldError]:
    given = [source for source in _SOURCES if source in origin]
    for source in given:
        yield from _source_errors(source, origin[source], f"{path}.{source}")
    if not given:
        detail = "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`"
        yield invalid(path, "", detail)
    elif has_value:
        yield invalid(path, "", "may not be specified when `value` is not empty")
    elif len(given) > 1:
        yield invalid(path, "", "may not have more than one field specified at a time")


def _source_errors(source: str, reference: dict[str, Any], path: str) -> Iterator[FieldError]:
    match source:
        case "fieldRef":
            yield from _field_path_errors(reference["fieldPath"], f"{path}.fieldPath")
        case "resourceFieldRef":
            yield from _resource_errors(reference["resource"], f"{path}.resource")
        case "configMapKeyRef" | "secretKeyRef":
            name = reference.get("name", "")
            yield from (invalid(f"{path}.name", name, message) for message in subdomain(name))
            if not reference["key"]:
                yield required(f"{path}.key")


def _field_path_errors(field_path: str, path: str) -> Iterator[FieldError]:
    member, bracket, rest = field_path.partition("['")
    if not field_path:
        yield required(path)
    elif bracket and rest.endswith("']") and member in ("metadata.labels", "metadata.annotations"):
        key = rest.removesuffix("']")
        yield from (invalid(path, key, message) for message in qualified_name(key.lower()))
    elif field_path not in _FIELD_PATHS:
        yield not_supported(path, field_path, _FIELD_PATHS)


def _resource_errors(resource: str, path: str) -> Iterator[FieldError]:
    if not resource:
        yield required(path)
    elif resource not in _RESOURCES and not resource.startswith(_HUGE_PAGES):
        yield not_supported(path, resource, _RESOURCES)


def env_from_errors(sources: list[dict[str, Any]], path: str) -> Iterator[FieldError]:
    """What is wrong with the `envFrom` of one container."""
    for index, source in enumerate(sources):
        where = f"{path}[{index}]"
        prefix = source.get("prefix", "")
        if prefix:
            yield from (invalid(f"{where}.prefix", prefix, message) for message in env_name(prefix))
        given = [member for member in ("configMapRef", "secretRef") if member in source]
        for member in given:
            yield from _reference_errors(source[member].get("name", ""), f"{where}.{member}.name")
        # Kubernetes leaves the index out of these two.
        if not given:
            yield invalid(path, "", "must specify one of: `configMapRef` or `secretRef`")
        elif len(given) > 1:
            yield invalid(path, "", "may not have more than one field specified at a time")


def _reference_errors(name: str, path: str) -> Iterator[FieldError]:
    if not name:
        yield required(path)
    else:
        yield from (invalid(path, name, message) for message in subdomain(name))
