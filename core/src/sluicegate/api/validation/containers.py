"""The checks of containers and init containers (rollout 1.10, rows 6-8)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sluicegate.api.validation.compute_resources import resource_errors
from sluicegate.api.validation.environment import env_errors, env_from_errors
from sluicegate.api.validation.field_error import (
    FieldError,
    duplicate,
    forbidden,
    invalid,
    not_supported,
    required,
)
from sluicegate.api.validation.label_syntax import dns_label
from sluicegate.api.validation.ports import host_port_errors, port_errors
from sluicegate.api.validation.probes import PROBES, lifecycle_errors, probe_errors
from sluicegate.api.validation.volumes import mount_errors

if TYPE_CHECKING:
    from collections.abc import Iterator

_MAX_INT32: Final = 2**31 - 1
_DEFAULT_GRACE_SECONDS: Final = 30
_MESSAGE_POLICIES: Final = ("File", "FallbackToLogsOnError")
_PULL_POLICIES: Final = ("Always", "IfNotPresent", "Never")
_PROC_MOUNTS: Final = ("Default", "Unmasked")


def container_errors(spec: dict[str, Any], path: str, mountable: set[str]) -> Iterator[FieldError]:
    """What is wrong with the containers of a pod spec, and with host ports that several of them want."""
    names: set[str] = set()
    containers = spec["containers"] or []
    for index, container in enumerate(containers):
        where = f"{path}.containers[{index}]"
        yield from _shared_errors(container, where, mountable)
        if container["name"] in names:
            yield duplicate(f"{where}.name", container["name"])
        names.add(container["name"])
        yield from _running_errors(container, where, spec)
        if "restartPolicy" in container:
            yield forbidden(f"{where}.restartPolicy", "may not be set for non-init containers")
    yield from host_port_errors(containers, f"{path}.containers")


def init_container_errors(spec: dict[str, Any], path: str, mountable: set[str]) -> Iterator[FieldError]:
    """What is wrong with the init containers; those with restartPolicy Always are judged like containers."""
    names = {container["name"] for container in spec["containers"] or []}
    for index, container in enumerate(spec.get("initContainers", [])):
        where = f"{path}.initContainers[{index}]"
        yield from _shared_errors(container, where, mountable)
        if container.get("restartPolicy", "Always") != "Always":
            yield not_supported(f"{where}.restartPolicy", container["restartPolicy"], ("Always",))
        if container["name"] in names:
            yield duplicate(f"{where}.name", container["name"])
        names.add(container["name"])
        yield from host_port_errors([container], f"{path}.initContainers")
        if container.get("restartPolicy") == "Always":
            yield from _running_errors(container, where, spec)
        else:
            yield from _started_once_errors(container, where)


def _started_once_errors(container: dict[str, Any], path: str) -> Iterator[FieldError]:
    for member in ("lifecycle", *PROBES):
        if member in container:
            detail = "may not be set for init containers without restartPolicy=Always"
            yield forbidden(f"{path}.{member}", detail)


def _running_errors(container: dict[str, Any], path: str, spec: dict[str, Any]) -> Iterator[FieldError]:
    grace = spec.get("terminationGracePeriodSeconds", _DEFAULT_GRACE_SECONDS)
    yield from lifecycle_errors(container.get("lifecycle", {}), f"{path}.lifecycle", grace)
    for member in PROBES:
        if member in container:
            yield from probe_errors(container[member], member, f"{path}.{member}")


def _shared_errors(container: dict[str, Any], path: str, mountable: set[str]) -> Iterator[FieldError]:
    yield from _identity_errors(container, path)
    yield from port_errors(container.get("ports", []), f"{path}.ports")
    yield from env_errors(container.get("env", []), f"{path}.env")
    yield from env_from_errors(container.get("envFrom", []), f"{path}.envFrom")
    yield from mount_errors(container.get("volumeMounts", []), f"{path}.volumeMounts", mountable)
    pull = container.get("imagePullPolicy", "Always")
    if pull not in _PULL_POLICIES:
        yield not_supported(f"{path}.imagePullPolicy", pull, _PULL_POLICIES)
    yield from resource_errors(container["resources"], f"{path}.resources")
    yield from _security_errors(container.get("securityContext", {}), f"{path}.securityContext")


def _identity_errors(container: dict[str, Any], path: str) -> Iterator[FieldError]:
    if not container["name"]:
        yield required(f"{path}.name")
    else:
        yield from (invalid(f"{path}.name", container["name"], message) for message in dns_label(container["name"]))
    if not container.get("image"):
        yield required(f"{path}.image")
    policy = container.get("terminationMessagePolicy", "File")
    if policy not in _MESSAGE_POLICIES:
        yield not_supported(f"{path}.terminationMessagePolicy", policy, _MESSAGE_POLICIES)


def _security_errors(context: dict[str, Any], path: str) -> Iterator[FieldError]:
    for member in ("runAsUser", "runAsGroup"):
        number = context.get(member, 0)
        if not 0 <= number <= _MAX_INT32:
            yield invalid(f"{path}.{member}", number, f"must be between 0 and {_MAX_INT32}, inclusive")
    mount = context.get("procMount", "Default")
    if mount not in _PROC_MOUNTS:
        yield not_supported(f"{path}.procMount", mount, _PROC_MOUNTS)
    added = context.get("capabilities", {}).get("add", [])
    if context.get("allowPrivilegeEscalation") is False and "CAP_SYS_ADMIN" in added:
        detail = "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN"
        yield invalid(path, context, detail)
