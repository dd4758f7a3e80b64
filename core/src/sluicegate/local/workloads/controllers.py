"""All workload controllers of a cluster together: with pods that run in a data plane, or with pods that are played."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Final, Protocol

from sluicegate.local.workloads.deployments import DeploymentReconciler
from sluicegate.local.workloads.disruption import BudgetReconciler
from sluicegate.local.workloads.endpoints import EndpointsReconciler
from sluicegate.local.workloads.events import EventSink
from sluicegate.local.workloads.kubelet import Kubelet
from sluicegate.local.workloads.messages import Served
from sluicegate.local.workloads.node import NODE
from sluicegate.local.workloads.nodeports import RETRY_SECONDS, NodePortReconciler
from sluicegate.local.workloads.played import Delays, PlayedPods
from sluicegate.local.workloads.reconcile import ControlLoop
from sluicegate.local.workloads.replicasets import ReplicaSetReconciler
from sluicegate.local.workloads.supervisor import Supervisor

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from datetime import datetime

    from sluicegate.local.addresses import AddressPool
    from sluicegate.local.store import ObjectStore
    from sluicegate.local.workloads.messages import Report

RESUME_SECONDS: Final = 5.0


class Controllers(Protocol):
    """What runs the workloads of a cluster."""

    async def start(self) -> None:
        """Start everything; pods that are in the store are running again when this returns."""

    async def stop(self) -> None:
        """End everything, with all pods, within about a second."""


class PlayedControllers:
    """ReplicaSets and endpoints over played pods; nothing listens anywhere."""

    def __init__(self, store: ObjectStore, clock: Callable[[], datetime], delays: Delays) -> None:
        self._loops = [ControlLoop(store, PlayedPods(store, clock, delays)), *_object_loops(store, clock)]

    async def start(self) -> None:
        """Start all loops."""
        for loop in self._loops:
            loop.start()

    async def stop(self) -> None:
        """End all loops."""
        for loop in self._loops:
            await loop.stop()


class RunningControllers:
    """ReplicaSets, endpoints, pods that run, and node ports."""

    def __init__(self, store: ObjectStore, clock: Callable[[], datetime], addresses: AddressPool) -> None:
        self._supervisor = Supervisor(self._take_report, self._data_plane_started)
        kubelet_events = EventSink(store, "kubelet", clock, host=NODE)
        self._kubelet = Kubelet(store, kubelet_events, clock, addresses, self._supervisor.send)
        self._node_ports = NodePortReconciler(store, EventSink(store, "service-proxy", clock), self._supervisor.send)
        self._pod_loop = ControlLoop(store, self._kubelet)
        self._port_loop = ControlLoop(store, self._node_ports)
        self._loops = [*_object_loops(store, clock), self._port_loop]

    @property
    def data_plane_pid(self) -> int | None:
        """The process in which the pods and node ports are, None when it does not run."""
        return self._supervisor.pid

    async def start(self) -> None:
        """Start the data plane and the pods first, so that no controller sees the pods of the last run as lost.

        Returns when the pods run and the node ports are open, but waits no longer than ten seconds for them.
        """
        await self._supervisor.start()
        self._pod_loop.start()
        await _at_most(RESUME_SECONDS, self._kubelet.settled())
        for loop in self._loops:
            loop.start()
        await _at_most(RESUME_SECONDS, self._node_ports.settled())

    async def stop(self) -> None:
        """End all loops, then the data plane."""
        for loop in (self._pod_loop, *self._loops):
            await loop.stop()
        await self._supervisor.stop()

    def _data_plane_started(self) -> None:
        self._kubelet.forget_sandboxes()
        self._node_ports.forget_served()
        if self._pod_loop.running:
            self._port_loop.reconcile_all()
            self._pod_loop.reconcile_all()

    def _take_report(self, report: Report) -> None:
        if not isinstance(report, Served):
            self._kubelet.take_report(report)
        elif key := self._node_ports.take_report(report):
            self._port_loop.reconcile_after(key, RETRY_SECONDS)


async def _at_most(seconds: float, work: Coroutine[None, None, None]) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await work


def _object_loops(store: ObjectStore, clock: Callable[[], datetime]) -> list[ControlLoop]:
    replica_sets = ReplicaSetReconciler(store, EventSink(store, "replicaset-controller", clock), clock)
    deployments = DeploymentReconciler(store, EventSink(store, "deployment-controller", clock), clock)
    reconcilers = (EndpointsReconciler(store), replica_sets, deployments, BudgetReconciler(store, clock))
    return [ControlLoop(store, reconciler) for reconciler in reconcilers]
