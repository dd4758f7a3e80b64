"""The state of a pod in one row, much like `kubectl get pods` (operations.md 1.3, "Pod reason")."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sluicegate.cli.views.fields import flag, items, member, number, text

if TYPE_CHECKING:
    from sluicegate.cli.views.fields import Object


class PodState(NamedTuple):
    """The reason shown as its status, containers that are ready, containers there are, and restarts."""

    reason: str
    ready: int
    containers: int
    restarts: int


class _Reading(NamedTuple):
    reason: str
    ready: int
    restarts: int


def pod_state(pod: Object) -> PodState:
    """What the row of `pod` says."""
    status = member(pod, "status")
    start = text(status, "reason") or text(status, "phase")
    reading = _initialising(pod) or _running(items(status, "containerStatuses"), start)
    reason = _deleted(pod) or reading.reason
    return PodState(reason, reading.ready, len(items(pod, "spec", "containers")), reading.restarts)


def _deleted(pod: Object) -> str:
    if not text(pod, "metadata", "deletionTimestamp"):
        return ""
    return "Unknown" if text(pod, "status", "reason") == "NodeLost" else "Terminating"


def _initialising(pod: Object) -> _Reading | None:
    """The reading of a pod whose init containers are still at work, None when they are done."""
    declared = items(pod, "spec", "initContainers")
    sidecars = {text(container, "name") for container in declared if text(container, "restartPolicy") == "Always"}
    restarts = 0
    for position, status in enumerate(items(pod, "status", "initContainerStatuses")):
        restarts += number(status, "restartCount")
        if member(status, "state", "terminated") is not None:
            if reason := _failure(member(status, "state", "terminated")):
                return _Reading(f"Init:{reason}", 0, restarts)
        elif text(status, "name") in sidecars and flag(status, "started"):
            if not flag(status, "ready"):
                return None
        else:
            waiting = text(status, "state", "waiting", "reason")
            progress = f"{position}/{len(declared)}"
            return _Reading(f"Init:{progress if waiting in ('', 'PodInitializing') else waiting}", 0, restarts)
    return None


def _failure(terminated: Object) -> str:
    """Why an init container failed, empty if it did not."""
    if number(terminated, "exitCode") == 0:
        return ""
    return text(terminated, "reason") or _ending(terminated)


def _ending(terminated: Object) -> str:
    signal = number(terminated, "signal")
    return f"Signal:{signal}" if signal else f"ExitCode:{number(terminated, 'exitCode')}"


def _running(statuses: list[Object], start: str) -> _Reading:
    # From last to first, so that the first container has the last word.
    reason, ready = start, 0
    for status in reversed(statuses):
        running = flag(status, "ready") and member(status, "state", "running") is not None
        reason = _container_reason(status) or reason
        ready += running and not _container_reason(status)
    if reason == "Completed" and ready:
        reason = "Running"
    return _Reading(reason, ready, sum(number(status, "restartCount") for status in statuses))


def _container_reason(status: Object) -> str:
    if waiting := text(status, "state", "waiting", "reason"):
        return waiting
    terminated = member(status, "state", "terminated")
    if terminated is None:
        return ""
    return text(terminated, "reason") or _ending(terminated)
