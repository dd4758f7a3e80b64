"""The kubelet of the one node: takes pods that have no node, runs them in the data plane, and writes their status.

A pod is ready once its servers accept connections, or when its HTTP readiness probe says so; other probes are not run.
A deleted pod keeps serving for a moment while everybody who sends it requests learns of its end (the endpoints lose it
at once), then closes its listeners and finishes its open requests. How long that may take is capped at
`GRACE_SECONDS`, however long its grace period: enough for a `slow-` answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from sluicegate.errors import Conflict, NotFound
from sluicegate.local.addresses import PORTS_ANNOTATION
from sluicegate.local.images.catalogue import NotRunnable, find_image
from sluicegate.local.objects import Key, timestamp
from sluicegate.local.workloads.events import EventSink
from sluicegate.local.workloads.messages import Container, Failed, Listening, Probe, Readiness, RunPod, Stopped, StopPod
from sluicegate.local.workloads.node import NODE
from sluicegate.local.workloads.podstatus import CREATING, ContainerState, Placement, pod_status
from sluicegate.local.workloads.podview import is_active, is_terminating

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from sluicegate.local.addresses import AddressPool
    from sluicegate.local.objects import Change, Object
    from sluicegate.local.store import ObjectStore
    from sluicegate.local.workloads.messages import Command, Report

PODS: Final = ("", "pods")
LINGER_SECONDS: Final = 0.5
GRACE_SECONDS: Final = 3.0


@dataclass(slots=True)
class Sandbox:
    """A pod in the data plane: its address, and the state of its containers."""

    key: Key
    uid: str
    address: str
    states: dict[str, ContainerState]
    probed: frozenset[str]
    stopping: bool = False
    ports: dict[int, int] = field(default_factory=dict)


class Kubelet:
    """Runs the pods of the node `local`."""

    kinds = (PODS,)

    def __init__(
        self,
        store: ObjectStore,
        events: EventSink,
        clock: Callable[[], datetime],
        addresses: AddressPool,
        send: Callable[[Command], None],
    ) -> None:
        self._store = store
        self._events = events
        self._scheduled = EventSink(store, "default-scheduler", clock)
        self._clock = clock
        self._addresses = addresses
        self._send = send
        self._sandboxes: dict[str, Sandbox] = {}
        self._settled = asyncio.Event()

    def everything(self) -> Iterable[Key]:
        """All pods."""
        return [_key(pod) for pod in self._store.list(*PODS)]

    def concerned(self, change: Change) -> Iterable[Key]:
        """The pod itself."""
        if change.type == "DELETED":
            self._end(change.object, linger=0.0)
        return [change.key]

    def reconcile(self, key: Key) -> None:
        """Bind, start, or stop one pod."""
        pod = self._store.find(key)
        if pod is None or pod["spec"].get("nodeName") not in (None, "", NODE):
            return
        if not pod["spec"].get("nodeName"):
            self._bind(pod)
        elif is_terminating(pod):
            self._terminate(pod)
        elif pod["metadata"]["uid"] not in self._sandboxes and is_active(pod):
            self._start(pod)
        elif sandbox := self._sandboxes.get(pod["metadata"]["uid"]):
            self._write_status(sandbox)

    def forget_sandboxes(self) -> None:
        """The data plane has been started anew and runs nothing: every pod is to be started again."""
        for sandbox in self._sandboxes.values():
            self._addresses.release(sandbox.address)
        self._sandboxes.clear()

    def take_report(self, report: Report) -> None:
        """Take over what the data plane says about a pod."""
        match report:
            case Listening():
                self._listening(report)
            case Readiness():
                self._ready(report)
            case Failed():
                self._failed(report)
            case Stopped():
                self._stopped(report)

    async def settled(self) -> None:
        """Wait until no pod is on its way to accepting connections."""
        while any(CREATING in sandbox.states.values() for sandbox in self._sandboxes.values()):
            self._settled.clear()
            await self._settled.wait()

    def _bind(self, pod: Object) -> None:
        if is_terminating(pod):
            return
        name = f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"
        bound = self._store.update(_key(pod), lambda new: {**new, "spec": {**new["spec"], "nodeName": NODE}})
        self._scheduled.record(bound, "Normal", "Scheduled", f"Successfully assigned {name} to {NODE}")

    def _start(self, pod: Object) -> None:
        if lacking := _not_runnable(pod):
            self._refuse(pod, lacking)
            return
        command = self._command(pod)
        states = dict.fromkeys((container.name for container in command.containers), CREATING)
        probed = frozenset(container.name for container in command.containers if container.probe)
        sandbox = Sandbox(_key(pod), command.uid, command.address, states, probed)
        self._sandboxes[command.uid] = sandbox
        self._write_status(sandbox)
        self._send(command)

    def _command(self, pod: Object) -> RunPod:
        address = self._addresses.allocate((pod.get("status") or {}).get("podIP", ""))
        containers = tuple(_container(spec) for spec in pod["spec"]["containers"])
        drain = min(float(pod["spec"].get("terminationGracePeriodSeconds", GRACE_SECONDS)), GRACE_SECONDS)
        shared = self._addresses.shared
        return RunPod(pod["metadata"]["uid"], address, shared, max(drain - LINGER_SECONDS, 0.0), containers)

    def _refuse(self, pod: Object, lacking: dict[str, NotRunnable]) -> None:
        """Leave a pod waiting whose images cannot run, and say which can."""
        states = {}
        for spec in pod["spec"]["containers"]:
            reason = lacking.get(spec["name"], NotRunnable(CREATING.waiting, ""))
            states[spec["name"]] = ContainerState(waiting=reason.reason, message=reason.message)
        told = self._store.update(_key(pod), lambda new: self._with_status(new, states, ""), subresource="status")
        if told is pod:
            return
        for reason in lacking.values():
            self._events.record(pod, "Warning", "Failed", f"Error: {reason.reason}: {reason.message}")

    def _listening(self, report: Listening) -> None:
        sandbox = self._sandboxes.get(report.uid)
        if sandbox is None:
            return
        now = timestamp(self._clock())
        sandbox.ports = report.ports
        for name in sandbox.states:
            sandbox.states[name] = ContainerState(started_at=now, ready=name not in sandbox.probed)
        self._annotate_ports(sandbox)
        self._write_status(sandbox)
        self._record_start(sandbox)
        self._settled.set()

    def _ready(self, report: Readiness) -> None:
        sandbox = self._sandboxes.get(report.uid)
        if sandbox is None:
            return
        sandbox.states[report.container] = replace(sandbox.states[report.container], ready=report.ready)
        self._write_status(sandbox)
        pod = self._store.find(sandbox.key)
        if pod and not report.ready:
            self._events.record(pod, "Warning", "Unhealthy", "Readiness probe failed")

    def _failed(self, report: Failed) -> None:
        sandbox = self._sandboxes.get(report.uid)
        if sandbox is None:
            return
        broken = ContainerState(waiting="RunContainerError", message=report.message)
        sandbox.states = dict.fromkeys(sandbox.states, broken)
        self._write_status(sandbox)
        if pod := self._store.find(sandbox.key):
            self._events.record(pod, "Warning", "Failed", f"Error: {report.message}")
        self._settled.set()

    def _terminate(self, pod: Object) -> None:
        """Stop the pod's servers, or remove it when nothing of it runs."""
        if pod["metadata"]["uid"] not in self._sandboxes:
            self._remove(_key(pod), pod["metadata"]["uid"])
            return
        immediate = not pod["metadata"].get("deletionGracePeriodSeconds")
        self._end(pod, linger=0.0 if immediate else LINGER_SECONDS)

    def _end(self, pod: Object, *, linger: float) -> None:
        sandbox = self._sandboxes.get(pod["metadata"]["uid"])
        if sandbox is None or sandbox.stopping:
            return
        sandbox.stopping = True
        self._send(StopPod(sandbox.uid, linger))
        if self._store.find(sandbox.key):
            for name in sandbox.states:
                self._events.record(pod, "Normal", "Killing", f"Stopping container {name}")

    def _stopped(self, report: Stopped) -> None:
        if sandbox := self._sandboxes.pop(report.uid, None):
            self._addresses.release(sandbox.address)
            self._remove(sandbox.key, sandbox.uid)
            self._settled.set()

    def _remove(self, key: Key, uid: str) -> None:
        with contextlib.suppress(NotFound, Conflict):
            self._store.delete(key, grace_seconds=0, uid=uid)

    def _annotate_ports(self, sandbox: Sandbox) -> None:
        moved = {str(port): real for port, real in sandbox.ports.items() if port != real}

        def annotated(pod: Object) -> Object:
            annotations = pod["metadata"].get("annotations") or {}
            if moved:
                annotations[PORTS_ANNOTATION] = json.dumps(moved)
            else:
                annotations.pop(PORTS_ANNOTATION, None)
            pod["metadata"]["annotations"] = annotations
            return pod

        with contextlib.suppress(NotFound):
            self._store.update(sandbox.key, annotated)

    def _record_start(self, sandbox: Sandbox) -> None:
        if pod := self._store.find(sandbox.key):
            for container in pod["spec"]["containers"]:
                pulled = f'Container image "{container["image"]}" already present on machine'
                self._events.record(pod, "Normal", "Pulled", pulled)
                self._events.record(pod, "Normal", "Started", f"Started container {container['name']}")

    def _write_status(self, sandbox: Sandbox) -> None:
        def written(pod: Object) -> Object | None:
            same = pod["metadata"]["uid"] == sandbox.uid
            return self._with_status(pod, sandbox.states, sandbox.address) if same else None

        if not sandbox.stopping:
            with contextlib.suppress(NotFound):
                self._store.update(sandbox.key, written, subresource="status")

    def _with_status(self, pod: Object, states: dict[str, ContainerState], address: str) -> Object:
        placement = Placement(self._addresses.node, address)
        return {**pod, "status": pod_status(pod, states, placement, timestamp(self._clock()))}


def _key(pod: Object) -> Key:
    return Key(*PODS, pod["metadata"]["namespace"], pod["metadata"]["name"])


def _not_runnable(pod: Object) -> dict[str, NotRunnable]:
    """The containers that cannot run here, each with the reason."""
    found = {spec["name"]: find_image(spec.get("image", "")) for spec in pod["spec"]["containers"]}
    lacking = {name: image for name, image in found.items() if isinstance(image, NotRunnable)}
    if initial := pod["spec"].get("initContainers"):
        message = f'init container "{initial[0]["name"]}": init containers cannot run here'
        lacking |= dict.fromkeys(found, NotRunnable("ErrImageNotRunnable", message))
    return lacking


def _container(spec: Object) -> Container:
    ports = [port for port in spec.get("ports") or () if port.get("protocol", "TCP") == "TCP"]
    numbers = tuple(dict.fromkeys(port["containerPort"] for port in ports))
    return Container(spec["name"], spec["image"], numbers, _probe(spec.get("readinessProbe") or {}, ports))


def _probe(probe: Object, ports: list[Object]) -> Probe | None:
    action = probe.get("httpGet")
    if not action:
        return None
    return Probe(
        path=f"/{action['path'].removeprefix('/')}",
        port=_probed_port(action["port"], ports),
        headers={header["name"]: header["value"] for header in action.get("httpHeaders") or ()},
        initial_delay=probe.get("initialDelaySeconds", 0),
        period=probe["periodSeconds"],
        timeout=probe["timeoutSeconds"],
        success_threshold=probe["successThreshold"],
        failure_threshold=probe["failureThreshold"],
    )


def _probed_port(wanted: int | str, ports: list[Object]) -> int:
    """The number of a port; 0, where nobody answers, for a name that no port has."""
    named = {port["name"]: int(port["containerPort"]) for port in ports if port.get("name")}
    if isinstance(wanted, int):
        return wanted
    return named.get(wanted, int(wanted) if wanted.isdecimal() else 0)
