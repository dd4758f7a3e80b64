"""One run of the benchmark: which rows are measured, in which order, with how many Rollouts."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.clusters.wire import Wire

from sluicegate.kube.client import Client

from .controllers import running_controller
from .figure import Figure
from .figures import Bench, all_at_once, at_rest, begin_update, end_update, memory, new_images, one_at_a_time
from .fleet import healthy, watched_fleet
from .ledger import AuditLog, WireLog


@dataclass(frozen=True)
class Size:
    """How much is measured: Rollouts at first and in the end, decisions, and how long a rest lasts."""

    rollouts: int
    rollouts_at_last: int
    decisions: int
    rest_seconds: float
    quiet_seconds: float


FULL = Size(rollouts=200, rollouts_at_last=2200, decisions=2000, rest_seconds=60, quiet_seconds=3)
SMALL = Size(rollouts=5, rollouts_at_last=10, decisions=50, rest_seconds=2, quiet_seconds=1)


@dataclass(frozen=True)
class Place:
    """A cluster without Rollouts: one with an audit log, or one whose API is open on `http`, to put a wire before."""

    folder: Path
    kubeconfig: Path
    controller_kubeconfig: Path
    audit_log: Path | None = None
    http: str = ""


async def measured(place: Place, size: Size, show: Callable[[Figure], None]) -> None:
    """Measure every row and hand each on when it is known."""
    async with _bench(place, size.quiet_seconds) as bench:
        names = await bench.fleet.grow(size.rollouts)
        await bench.fleet.until(names, healthy)
        for figure in await at_rest(bench, size.rest_seconds):
            show(figure)
        async for figure in _updates(bench, names):
            show(figure)
        for figure in await memory(bench, "90 MiB"):
            show(figure)
        await bench.fleet.until(await bench.fleet.grow(size.rollouts_at_last - size.rollouts), healthy)
        for figure in await memory(bench, "230 MiB"):
            show(figure)


async def _updates(bench: Bench, names: list[str]) -> AsyncIterator[Figure]:
    await begin_update(bench, names, "v2")
    for figure in await one_at_a_time(bench, names, 40):
        yield figure
    for figure in await all_at_once(bench, names, 60):
        yield figure
    await end_update(bench, names)
    for figure in await new_images(bench, names, "v3"):
        yield figure


@asynccontextmanager
async def _bench(place: Place, quiet_seconds: float) -> AsyncIterator[Bench]:
    async with AsyncExitStack() as running:
        client = await running.enter_async_context(await Client.connect(kubeconfig=place.kubeconfig))
        fleet = await running.enter_async_context(watched_fleet(client))
        kubeconfig = place.controller_kubeconfig
        if place.audit_log:
            ledger: AuditLog | WireLog = AuditLog(place.audit_log)
        else:
            wire = await running.enter_async_context(Wire(place.http).open())
            ledger, kubeconfig = WireLog(wire), wire.write_kubeconfig(place.folder / "controller-kubeconfig")
        controller = await running.enter_async_context(running_controller(kubeconfig, place.folder))
        yield Bench(fleet, controller, ledger, quiet_seconds)
