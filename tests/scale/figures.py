"""The figures of a running controller: each function does the work of one row of `docs/performance.md` and measures it.

Nothing here judges: how long something takes depends on the machine and on what else runs there.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import quantiles

from .controllers import Controller
from .figure import Figure
from .fleet import WEIGHTS, Fleet, healthy, paused_at, weighs, without_pauses
from .ledger import Ledger, Requests, counted, listed

LOOK_SECONDS = 0.25


@dataclass(frozen=True)
class Bench:
    """What there is to measure, and by what.

    `quiet_seconds`: nothing sent for so long means that the controller is done.
    """

    fleet: Fleet
    controller: Controller
    ledger: Ledger
    quiet_seconds: float

    async def quiet(self) -> None:
        """Wait until the controller is done: it sends nothing but for its lease."""
        mark, since = self.ledger.mark(), time.perf_counter()
        while time.perf_counter() - since < self.quiet_seconds:
            await asyncio.sleep(LOOK_SECONDS)
            if any(not request.endswith(" leases") for request in self.ledger.since(mark)):
                mark, since = self.ledger.mark(), time.perf_counter()


class Span:
    """What the controller does from here on."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._mark = bench.ledger.mark()
        self._cpu = bench.controller.cpu_seconds()

    @property
    def requests(self) -> Requests:
        """What it has sent."""
        return self._bench.ledger.since(self._mark)

    @property
    def cpu_seconds(self) -> float:
        """What it has used of the processors."""
        return self._bench.controller.cpu_seconds() - self._cpu


async def begin_update(bench: Bench, names: Sequence[str], tag: str) -> None:
    """Give all Rollouts a new image and wait until they pause at the first weight."""
    await bench.fleet.set_image(names, tag)
    await bench.fleet.until(names, paused_at(WEIGHTS[0]))
    await bench.quiet()


async def end_update(bench: Bench, names: Sequence[str]) -> None:
    """Promote all Rollouts to the end."""
    await bench.fleet.promote_fully(names)
    await bench.fleet.until(names, healthy)
    await bench.quiet()


async def one_at_a_time(bench: Bench, names: Sequence[str], weight: int) -> list[Figure]:
    """Promote one Rollout after the other to its next weight, each when the one before pauses again."""
    span, seconds = Span(bench), [await _promoted(bench.fleet, name, weight) for name in names]
    await bench.quiet()
    requests, cpu = span.requests, span.cpu_seconds
    return [
        Figure(
            "requests for one step of a paused canary that is promoted",
            f"{counted(requests) / len(names):.2f}",
            "3",
            listed(requests, len(names)),
        ),
        Figure("controller CPU for it", f"{1000 * cpu / len(names):.1f} ms", "8 ms"),
        Figure(
            "promote → weight seen on a watch, one at a time, p50 / p99",
            f"{_milliseconds(seconds, 50):.1f} / {_milliseconds(seconds, 99):.1f} ms",
            "10 / 30 ms",
        ),
    ]


async def _promoted(fleet: Fleet, name: str, weight: int) -> float:
    """Seconds from when the request is sent until the watch shows the weight."""
    start = time.perf_counter()
    await fleet.promote([name])
    await fleet.until([name], weighs(weight))
    seconds = fleet.standings[name].weighed_at - start
    await fleet.until([name], paused_at(weight))
    return seconds


async def all_at_once(bench: Bench, names: Sequence[str], weight: int) -> list[Figure]:
    """Promote all Rollouts to their next weight at one moment."""
    span, start = Span(bench), time.perf_counter()
    await bench.fleet.promote(names)
    await bench.fleet.until(names, weighs(weight))
    seconds = [bench.fleet.standings[name].weighed_at - start for name in names]
    await bench.fleet.until(names, paused_at(weight))
    await bench.quiet()
    requests, cpu = span.requests, span.cpu_seconds
    each = f"{counted(requests) / len(names):.2f} requests and {1000 * cpu / len(names):.1f} ms of CPU each"
    note = f"the last after {max(seconds):.2f} s; {each}"
    return [Figure(f"{len(names)} promoted at once, p50", f"{_milliseconds(seconds, 50) / 1000:.2f} s", "1.7 s", note)]


async def new_images(bench: Bench, names: Sequence[str], tag: str) -> list[Figure]:
    """Give all Rollouts, which are at rest, a new image at one moment, with weights and no pauses."""
    await bench.fleet.set_steps(names, without_pauses())
    await bench.fleet.until(names, healthy)
    await bench.quiet()
    span, start = Span(bench), time.perf_counter()
    await bench.fleet.set_image(names, tag)
    await bench.fleet.until(names, lambda standing: healthy(standing) and standing.step == len(WEIGHTS))
    seconds = time.perf_counter() - start
    await bench.quiet()
    requests, cpu = span.requests, span.cpu_seconds
    each = f"{counted(requests) / len(names):.1f} requests each"
    note = f"{listed(requests, len(names))}; {1000 * cpu / len(names):.0f} ms of CPU each"
    work = f"{len(names)} new images at once, four weights without pause, until all are Healthy"
    return [Figure(work, f"{seconds:.1f} s; {each}", "11 s; 18 requests each", note)]


async def at_rest(bench: Bench, seconds: float) -> list[Figure]:
    """Look on while nothing is to be done."""
    await bench.quiet()
    span = Span(bench)
    await asyncio.sleep(seconds)
    requests = span.requests
    work = f"requests in {seconds:g} s with {len(bench.fleet.standings)} settled Rollouts"
    note = f"{listed(requests)}; {1000 * span.cpu_seconds / seconds:.1f} ms of CPU a second"
    return [Figure(work, str(counted(requests)), "0", note)]


async def memory(bench: Bench, goal: str) -> list[Figure]:
    """What the controller holds once all is done."""
    await bench.quiet()
    work = f"memory with {len(bench.fleet.standings)} Rollouts"
    return [Figure(work, f"{bench.controller.resident_mib():.0f} MiB", goal)]


def _milliseconds(seconds: Sequence[float], percentile: int) -> float:
    return 1000 * quantiles(seconds, n=100, method="inclusive")[percentile - 1]
