"""The checks of probes and lifecycle hooks (rollout 1.10, row 6 and HANDLER)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sluicegate.api.validation.field_error import FieldError, forbidden, invalid, not_supported, required
from sluicegate.api.validation.label_syntax import port_name
from sluicegate.api.validation.ports import port_number_errors

if TYPE_CHECKING:
    from collections.abc import Iterator

PROBES: Final = ("livenessProbe", "readinessProbe", "startupProbe")
_HANDLERS: Final = ("exec", "httpGet", "tcpSocket", "grpc", "sleep")
_NUMBERS: Final = ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold")
_SCHEMES: Final = ("HTTP", "HTTPS")


def lifecycle_errors(lifecycle: dict[str, Any], path: str, grace_seconds: int) -> Iterator[FieldError]:
    """What is wrong with the hooks of a container; a hook may sleep as long as the pod may take to end."""
    for hook in ("postStart", "preStop"):
        if hook in lifecycle:
            yield from _handler_errors(lifecycle[hook], f"{path}.{hook}", grace_seconds)


def probe_errors(probe: dict[str, Any], member: str, path: str) -> Iterator[FieldError]:
    """What is wrong with a probe; `member` says which of the three it is."""
    yield from _handler_errors(probe, path, 0)
    for number in _NUMBERS:
        if probe.get(number, 0) < 0:
            yield invalid(f"{path}.{number}", probe[number], "must be greater than or equal to 0")
    grace = probe.get("terminationGracePeriodSeconds")
    if grace is not None and grace <= 0:
        yield invalid(f"{path}.terminationGracePeriodSeconds", grace, "must be greater than 0")
    if member != "readinessProbe" and probe.get("successThreshold", 1) != 1:
        yield invalid(f"{path}.successThreshold", probe["successThreshold"], "must be 1")
    if member == "readinessProbe" and grace is not None:
        detail = "must not be set for readinessProbes"
        yield invalid(f"{path}.terminationGracePeriodSeconds", grace, detail)


def _handler_errors(owner: dict[str, Any], path: str, grace_seconds: int) -> Iterator[FieldError]:
    given = [handler for handler in _HANDLERS if handler in owner]
    if not given:
        yield required(path, "must specify a handler type")
        return
    yield from _action_errors(given[0], owner[given[0]], f"{path}.{given[0]}", grace_seconds)
    for handler in given[1:]:
        yield forbidden(f"{path}.{handler}", "may not specify more than 1 handler type")


def _action_errors(handler: str, action: dict[str, Any], path: str, grace_seconds: int) -> Iterator[FieldError]:
    match handler:
        case "exec":
            if not action.get("command"):
                yield required(f"{path}.command")
        case "httpGet":
            yield from _port_errors(action["port"], f"{path}.port")
            scheme = action.get("scheme", "HTTP")
            if scheme not in _SCHEMES:
                yield not_supported(f"{path}.scheme", scheme, _SCHEMES)
        case "tcpSocket" | "grpc":
            yield from _port_errors(action["port"], f"{path}.port")
        case "sleep":
            yield from _sleep_errors(action["seconds"], path, grace_seconds)


def _sleep_errors(seconds: int, path: str, grace_seconds: int) -> Iterator[FieldError]:
    if not 1 <= seconds <= grace_seconds:
        detail = (
            f"must be greater than 0 and less than terminationGracePeriodSeconds ({grace_seconds}). "
            "Enable AllowPodLifecycleSleepActionZeroValue feature gate for zero sleep."
        )
        yield invalid(path, seconds, detail)


def _port_errors(port: int | str, path: str) -> Iterator[FieldError]:
    if isinstance(port, int):
        yield from port_number_errors(port, path)
    else:
        yield from (invalid(path, port, message) for message in port_name(port))
