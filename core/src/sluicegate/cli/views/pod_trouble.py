"""Why pods do not serve, in words that go on from `The pod cannot …`."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from sluicegate.api import names
from sluicegate.cli.views.durations import parse_time
from sluicegate.cli.views.fields import flag, items, member, name_of, number, text
from sluicegate.engine.why import Trouble

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from sluicegate.cli.views.fields import Object

_STARTS_UP: Final = timedelta(seconds=30)
"""A container that runs for less is starting, and not in trouble."""

_COMES_UP: Final = frozenset({"", "ContainerCreating", "PodInitializing"})
_NO_IMAGE: Final = frozenset(
    {"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "RegistryUnavailable"}
)
_CRASHES: Final = "CrashLoopBackOff"


def troubles(pods: Iterable[Object], now: datetime) -> Iterator[Trouble]:
    """The first trouble of each pod that has one; pods that go are left out."""
    for pod in pods:
        if not text(pod, "metadata", "deletionTimestamp") and (found := next(_of(pod, now), None)) is not None:
            yield found


def _of(pod: Object, now: datetime) -> Iterator[Trouble]:
    name = name_of(pod)
    if text(pod, "status", "phase") == "Failed":
        said = text(pod, "status", "message") or text(pod, "status", "reason")
        yield _trouble(pod, f"go on: {said or 'it has failed'}")
    scheduled = _condition(pod, "PodScheduled")
    if text(scheduled, "status") == "False":
        yield _trouble(pod, f"be placed on a node: {text(scheduled, 'message') or text(scheduled, 'reason')}")
    for status in (*items(pod, "status", "initContainerStatuses"), *items(pod, "status", "containerStatuses")):
        if (found := _of_container(pod, status, now)) is not None:
            cannot, look = found
            yield _trouble(pod, cannot, look or f"describe pod {name}", number(status, "restartCount"))


def _trouble(pod: Object, cannot: str, look: str = "", restarts: int = 0) -> Trouble:
    pod_hash = text(pod, "metadata", "labels", names.HASH_LABEL)
    return Trouble(name_of(pod), pod_hash, cannot.rstrip("."), look or f"describe pod {name_of(pod)}", restarts)


def _of_container(pod: Object, status: Object, now: datetime) -> tuple[str, str] | None:
    """What a container cannot do, and what to look at if that is not the pod itself; None where all is well."""
    name = text(status, "name")
    reason = text(status, "state", "waiting", "reason")
    said = text(status, "state", "waiting", "message")
    if reason in _NO_IMAGE:
        return f"pull the image {_image(pod, name)} ({reason})", ""
    ended = member(status, "state", "terminated") or member(status, "lastState", "terminated")
    if reason == _CRASHES or (reason in _COMES_UP and not flag(status, "ready") and _failed(ended)):
        return f"stay up: container {name} {_end(ended)}{f' ({reason})' if reason else ''}", _logs(pod, status)
    if reason not in _COMES_UP:
        return f"start: {said or reason}", ""
    if _is_unready(status, now):
        return f"become ready: container {name} runs, but its readiness check fails", f"logs {name_of(pod)} -c {name}"
    return None


def _failed(ended: Object | None) -> bool:
    return ended is not None and (number(ended, "exitCode") != 0 or text(ended, "reason") == "OOMKilled")


def _end(ended: Object | None) -> str:
    if text(ended, "reason") == "OOMKilled":
        return "uses more memory than it may (OOMKilled)"
    return f"ended with exit code {number(ended, 'exitCode')}" if ended is not None else "ends again and again"


def _logs(pod: Object, status: Object) -> str:
    previous = " --previous" if number(status, "restartCount") else ""
    return f"logs {name_of(pod)} -c {text(status, 'name')}{previous}"


def _is_unready(status: Object, now: datetime) -> bool:
    started = parse_time(text(status, "state", "running", "startedAt"))
    return not flag(status, "ready") and started is not None and now - started > _STARTS_UP


def _image(pod: Object, container: str) -> str:
    declared = (*items(pod, "spec", "initContainers"), *items(pod, "spec", "containers"))
    return next((text(one, "image") for one in declared if text(one, "name") == container), container)


def _condition(pod: Object, type_: str) -> Object:
    return next((one for one in items(pod, "status", "conditions") if text(one, "type") == type_), {})
