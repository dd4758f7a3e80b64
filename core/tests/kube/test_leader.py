"""Leader election: never two lead, an API that fails or hangs ends the lead in time, and an orderly end frees it."""

from __future__ import annotations

import asyncio
import json
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web

from sluicegate.kube.leader import LeaderElector

if TYPE_CHECKING:
    from core.tests.kube.conftest import ScriptedApi

    from sluicegate.kube.client import Client

pytestmark = pytest.mark.asyncio(loop_factories=["virtual"])

PATH = "/apis/coordination.k8s.io/v1/namespaces/argo-rollouts/leases"


def now() -> float:
    return asyncio.get_running_loop().time()


class LeaseServer:
    """One Lease with optimistic locking, on an API that can be taken down."""

    def __init__(self, api: ScriptedApi) -> None:
        self.lease: dict[str, Any] | None = None
        self.mode = "up"
        self._version = 0
        self._api = api
        api.will(*[self._answer] * 10_000)

    @property
    def spec(self) -> dict[str, Any]:
        assert self.lease is not None
        spec: dict[str, Any] = self.lease["spec"]
        return spec

    def put(self, **spec: Any) -> None:
        self._store({"metadata": {"name": "lock"}, "spec": spec})

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        if self.mode == "hangs":
            return await self._api.hangs(request)
        if self.mode == "fails":
            return await self._api.fails(500, "InternalError", "down")(request)
        if request.method == "GET":
            return await self._read(request)
        return await self._write(request)

    async def _read(self, request: web.Request) -> web.StreamResponse:
        if self.lease is None:
            return await self._api.fails(404, "NotFound", "no lease")(request)
        return web.json_response(self.lease)

    async def _write(self, request: web.Request) -> web.StreamResponse:
        body = json.loads(await request.text())
        if request.method == "POST" and self.lease is not None:
            return await self._api.fails(409, "AlreadyExists")(request)
        expected = (self.lease or {}).get("metadata", {}).get("resourceVersion")
        if body["metadata"].get("resourceVersion") != expected:
            return await self._api.fails(409, "Conflict")(request)
        self._store(body)
        return web.json_response(self.lease)

    def _store(self, lease: dict[str, Any]) -> None:
        self._version += 1
        self.lease = {**lease, "metadata": {**lease["metadata"], "resourceVersion": str(self._version)}}


class Candidate:
    """An elector whose work is to wait until it is stopped, and the times at which it led."""

    def __init__(self, client: Client, identity: str) -> None:
        self.elector = LeaderElector(client, namespace="argo-rollouts", name="lock", identity=identity)
        self.began = asyncio.Event()
        self.enough = asyncio.Event()
        self.led: list[tuple[float, float]] = []
        self.task = asyncio.create_task(self.elector.run(self._lead))

    async def _lead(self) -> None:
        started = now()
        assert self.elector.is_leader
        self.began.set()
        try:
            await self.enough.wait()
        finally:
            self.led.append((started, now()))

    async def stop(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)
        assert not self.elector.is_leader


@pytest.fixture
def server(api: ScriptedApi) -> LeaseServer:
    return LeaseServer(api)


async def test_the_first_candidate_creates_the_lease_and_leads(
    api: ScriptedApi, server: LeaseServer, client: Client
) -> None:
    candidate = Candidate(client, "one")
    await candidate.began.wait()
    assert now() < 1
    assert api.requests[-1].path == PATH
    spec = server.spec
    assert spec["acquireTime"] == spec["renewTime"]
    assert spec["renewTime"].endswith("Z")
    assert (spec["holderIdentity"], spec["leaseDurationSeconds"], spec["leaseTransitions"]) == ("one", 15, 0)
    await candidate.stop()


async def test_the_lease_is_renewed_every_two_seconds_and_keeps_its_acquire_time(
    api: ScriptedApi, server: LeaseServer, client: Client
) -> None:
    candidate = Candidate(client, "one")
    await candidate.began.wait()
    acquired = server.spec["acquireTime"]
    await asyncio.sleep(100)
    writes = [request for request in api.requests if request.method == "PUT"]
    assert 45 <= len(writes) <= 51
    assert (server.spec["acquireTime"], server.spec["leaseTransitions"]) == (acquired, 0)
    await candidate.stop()


async def test_a_second_candidate_waits_and_takes_over_at_once_after_an_orderly_end(
    server: LeaseServer, client: Client
) -> None:
    first = Candidate(client, "one")
    await first.began.wait()
    second = Candidate(client, "two")
    await asyncio.sleep(60)
    assert not second.elector.is_leader
    stopped = now()
    await first.stop()
    assert server.spec["holderIdentity"] == ""
    await second.began.wait()
    assert now() - stopped < 5
    assert (server.spec["holderIdentity"], server.spec["leaseTransitions"]) == ("two", 1)
    await second.stop()


async def test_a_lease_whose_holder_died_is_taken_only_when_it_did_not_move_for_its_duration(
    server: LeaseServer, client: Client
) -> None:
    # The times in it are another clock's, and years off: they must not matter.
    server.put(holderIdentity="dead", leaseDurationSeconds=40, renewTime="2001-01-01T00:00:00.000000Z")
    candidate = Candidate(client, "one")
    await candidate.began.wait()
    assert 40 <= now() < 46
    await candidate.stop()


async def test_a_holder_that_renews_is_not_robbed(server: LeaseServer, client: Client) -> None:
    candidate = Candidate(client, "one")
    for number in range(20):
        server.put(holderIdentity="other", leaseDurationSeconds=15, renewTime=f"{number}")
        await asyncio.sleep(10)
    assert not candidate.elector.is_leader
    await candidate.stop()
    assert server.spec["holderIdentity"] == "other"


@pytest.mark.parametrize("mode", ["hangs", "fails"])
async def test_a_leader_that_cannot_renew_stops_before_its_lease_runs_out(
    server: LeaseServer, client: Client, mode: str
) -> None:
    candidate = Candidate(client, "one")
    await candidate.began.wait()
    await asyncio.sleep(20)
    server.mode = mode
    lost = now()
    assert await candidate.task is False
    assert candidate.led[0][1] - lost <= 10
    assert not candidate.elector.is_leader


async def test_a_short_outage_does_not_end_the_lead(server: LeaseServer, client: Client) -> None:
    candidate = Candidate(client, "one")
    await candidate.began.wait()
    for _ in range(5):
        server.mode = "fails"
        await asyncio.sleep(5)
        server.mode = "up"
        await asyncio.sleep(15)
    assert candidate.elector.is_leader
    await candidate.stop()


async def test_a_leader_that_sees_another_holder_stops_at_once_and_leaves_the_lease_alone(
    server: LeaseServer, client: Client
) -> None:
    candidate = Candidate(client, "one")
    await candidate.began.wait()
    server.put(holderIdentity="usurper", leaseDurationSeconds=15, renewTime="now")
    seen = now()
    assert await candidate.task is False
    assert now() - seen < 3
    assert server.spec["holderIdentity"] == "usurper"


async def test_two_candidates_never_lead_at_the_same_time_through_outages(server: LeaseServer, client: Client) -> None:
    candidates = [Candidate(client, "one"), Candidate(client, "two")]
    led: list[tuple[float, float]] = []
    for mode in ("fails", "hangs", "fails"):
        await asyncio.sleep(30)
        server.mode = mode
        await asyncio.sleep(14)
        server.mode = "up"
        await asyncio.sleep(40)
        for candidate in candidates:
            if candidate.task.done():
                led += candidate.led
        candidates = [Candidate(client, f"{now()}") if found.task.done() else found for found in candidates]
    for candidate in candidates:
        await candidate.stop()
        led += candidate.led
    led.sort()
    assert len(led) >= 3
    assert all(earlier[1] <= later[0] for earlier, later in pairwise(led))


async def test_work_that_ends_by_itself_ends_the_run_and_frees_the_lease(server: LeaseServer, client: Client) -> None:
    candidate = Candidate(client, "one")
    await candidate.began.wait()
    candidate.enough.set()
    assert await candidate.task is True
    assert server.spec["holderIdentity"] == ""


async def test_work_that_fails_ends_the_run_with_its_error_and_frees_the_lease(
    server: LeaseServer, client: Client
) -> None:
    async def fail() -> None:
        raise RuntimeError("a bug of ours")

    elector = LeaderElector(client, namespace="argo-rollouts", name="lock", identity="one")
    with pytest.raises(RuntimeError, match="a bug of ours"):
        await elector.run(fail)
    assert server.spec["holderIdentity"] == ""


async def test_the_lease_is_held_until_slow_work_has_ended(server: LeaseServer, client: Client) -> None:
    holders: list[str] = []

    async def slow_to_stop() -> None:
        try:
            await asyncio.sleep(1000)
        finally:
            await asyncio.sleep(30)
            holders.append(server.spec["holderIdentity"])

    elector = LeaderElector(client, namespace="argo-rollouts", name="lock", identity="one")
    rival = LeaderElector(client, namespace="argo-rollouts", name="lock", identity="two")
    task = asyncio.create_task(elector.run(slow_to_stop))
    await asyncio.sleep(5)
    waiting = asyncio.create_task(rival.run(slow_to_stop))
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert holders == ["one"]
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)


async def test_an_end_while_the_api_hangs_takes_a_second_at_most(server: LeaseServer, client: Client) -> None:
    candidate = Candidate(client, "one")
    await candidate.began.wait()
    server.mode = "hangs"
    before = now()
    await candidate.stop()
    assert now() - before <= 1.5
