"""The status of a pod as a real kubelet writes it, from the state of each of its containers. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sluicegate.local.workloads.podview import condition

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sluicegate.local.objects import Object


@dataclass(frozen=True, slots=True)
class ContainerState:
    """One container: waiting for a reason, or else running since a time (RFC 3339), ready or not."""

    waiting: str = ""
    message: str = ""
    started_at: str = ""
    ready: bool = False


@dataclass(frozen=True, slots=True)
class Placement:
    """Where the pod runs: the node's address, and its own (empty while it has none)."""

    host_ip: str
    pod_ip: str = ""


CREATING = ContainerState(waiting="ContainerCreating")


def pod_status(pod: Object, states: Mapping[str, ContainerState], placement: Placement, now: str) -> Object:
    """The whole status; what others wrote into the present one (conditions of other types) is kept.

    A container that was running and now is not has been restarted: its count goes up and its `lastState` says so.
    """
    present = pod.get("status") or {}
    running = all(not state.waiting for state in states.values())
    status = {
        "phase": "Running" if running else "Pending",
        "conditions": _conditions(pod, states, now),
        "hostIP": placement.host_ip,
        "hostIPs": [{"ip": placement.host_ip}],
        "startTime": present.get("startTime") or now,
        "containerStatuses": [_container_status(pod, name, state, now) for name, state in sorted(states.items())],
        "qosClass": present.get("qosClass") or "BestEffort",
    }
    if placement.pod_ip:
        status |= {"podIP": placement.pod_ip, "podIPs": [{"ip": placement.pod_ip}]}
    return status


def gated(pod: Object, now: str) -> Object:
    """The status of a pod with its Ready condition brought in line with its readiness gates; the same without gates."""
    status: Object = pod["status"]
    if not _gates(pod) or (condition(pod, "ContainersReady") or {}).get("status") != "True":
        return status
    ready = _condition(pod, now, "Ready", _shut(pod))
    return {**status, "conditions": [ready if old["type"] == "Ready" else old for old in status["conditions"]]}


def _conditions(pod: Object, states: Mapping[str, ContainerState], now: str) -> list[Object]:
    unready = sorted(name for name, state in states.items() if not state.ready)
    lacking = ("ContainersNotReady", f"containers with unready status: [{' '.join(unready)}]")
    created = all(state.waiting != CREATING.waiting for state in states.values())
    ours = [
        _condition(pod, now, "PodReadyToStartContainers", None if created else ("", "")),
        _condition(pod, now, "Initialized", None),
        _condition(pod, now, "Ready", lacking if unready else _shut(pod)),
        _condition(pod, now, "ContainersReady", lacking if unready else None),
        _condition(pod, now, "PodScheduled", None),
    ]
    types = {found["type"] for found in ours}
    theirs = [found for found in (pod.get("status") or {}).get("conditions") or () if found["type"] not in types]
    return theirs + ours


def _gates(pod: Object) -> list[str]:
    return [gate["conditionType"] for gate in pod["spec"].get("readinessGates") or ()]


def _shut(pod: Object) -> tuple[str, str] | None:
    closed = [gate for gate in _gates(pod) if (condition(pod, gate) or {}).get("status") != "True"]
    return ("ReadinessGatesNotReady", f"readiness gates not True: [{' '.join(closed)}]") if closed else None


def _condition(pod: Object, now: str, kind: str, failing: tuple[str, str] | None) -> Object:
    """A condition that is True unless it fails for a reason with a message; its time is that of its last change."""
    present, value = condition(pod, kind) or {}, "False" if failing else "True"
    since = present["lastTransitionTime"] if present.get("status") == value else now
    reason = dict(zip(("reason", "message"), failing, strict=True)) if failing and failing[0] else {}
    return {"type": kind, "status": value, "lastProbeTime": None, "lastTransitionTime": since, **reason}


def _container_status(pod: Object, name: str, state: ContainerState, now: str) -> Object:
    spec = next(found for found in pod["spec"]["containers"] if found["name"] == name)
    present = _present(pod, name)
    restarts, last = _history(present, state, now)
    status = {
        "name": name,
        "image": spec.get("image", ""),
        "imageID": "" if state.waiting else f"built-in:{spec.get('image', '')}",
        "lastState": last,
        "ready": state.ready,
        "restartCount": restarts,
        "started": not state.waiting,
        "state": _state(state),
    }
    if not state.waiting:
        status["containerID"] = f"local://{pod['metadata']['uid']}-{name}-{restarts}"
    return status


def _state(state: ContainerState) -> Object:
    if state.waiting:
        return {"waiting": {"reason": state.waiting, **({"message": state.message} if state.message else {})}}
    return {"running": {"startedAt": state.started_at}}


def _present(pod: Object, name: str) -> Object:
    statuses = (pod.get("status") or {}).get("containerStatuses") or ()
    return next((found for found in statuses if found["name"] == name), {})


def _history(present: Object, state: ContainerState, now: str) -> tuple[int, Object]:
    """The restart count and `lastState`."""
    restarts, last = present.get("restartCount", 0), present.get("lastState") or {}
    before = (present.get("state") or {}).get("running")
    if before is None or before["startedAt"] == state.started_at:
        return restarts, last
    ended = {"exitCode": 137, "reason": "Error", "startedAt": before["startedAt"], "finishedAt": now}
    return restarts + 1, {"terminated": {**ended, "containerID": present.get("containerID", "")}}
