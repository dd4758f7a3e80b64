"""Leader election on a Lease: of all who use the same lease, one leads, and none while another may think it does.

Time is measured on our own clock from when we saw the lease change, so clocks need not agree. A leader whose renewal
hangs or fails stops before its lease can run out; one that ends in order gives the lease up at once.
"""

from __future__ import annotations

import asyncio
import logging
import random
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from sluicegate.api.resources import LEASES
from sluicegate.errors import AlreadyExists, Conflict, NotFound, SluicegateError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from sluicegate.kube.client import Client

logger = logging.getLogger(__name__)

RELEASE_SECONDS: Final = 1.0
JITTER: Final = 1.2


class LeaderElector:
    """One candidate; durations are seconds.

    A lease not renewed for `lease_duration` is free; the leader stops when it could not renew for `renew_deadline`,
    which must be less; candidates and the leader try every `retry_period`.
    """

    def __init__(
        self,
        client: Client,
        *,
        namespace: str,
        name: str,
        identity: str,
        lease_duration: float = 15.0,
        renew_deadline: float = 10.0,
        retry_period: float = 2.0,
    ) -> None:
        self._client = client
        self._namespace = namespace
        self._name = name
        self._identity = identity
        self._lease_duration = lease_duration
        self._renew_deadline = renew_deadline
        self._retry_period = retry_period
        self._lease: dict[str, Any] = {}
        self._seen_at = 0.0
        self._renewed_at = 0.0
        self._leads = False

    @property
    def is_leader(self) -> bool:
        """Whether we lead now."""
        return self._leads

    async def run(self, lead: Callable[[], Coroutine[Any, Any, None]]) -> bool:
        """Wait for the lease, then run `lead` while we hold it; False when it was cancelled because the lease was lost.

        The lease is given up when `lead` has ended, also when this is cancelled.
        """
        await self._acquire()
        self._leads = True
        logger.info("leading by lease %s/%s as %s", self._namespace, self._name, self._identity)
        try:
            return await self._lead(lead)
        finally:
            self._leads = False
            await self._release()

    async def _acquire(self) -> None:
        while True:
            if await self._attempt(asyncio.get_running_loop().time() + self._renew_deadline):
                return
            await asyncio.sleep(self._retry_period * random.uniform(1.0, 1.0 + JITTER))

    async def _lead(self, lead: Callable[[], Coroutine[Any, Any, None]]) -> bool:
        leading = asyncio.create_task(lead())
        renewing = asyncio.create_task(self._renew())
        try:
            await asyncio.wait({leading, renewing}, return_when=asyncio.FIRST_COMPLETED)
            lost = not leading.done()
        finally:
            # The lease is renewed until the work has ended: nobody else may start before.
            await _cancel(leading)
            await _cancel(renewing)
        if lost:
            logger.error("lost lease %s/%s", self._namespace, self._name)
        else:
            await leading
        return not lost

    async def _renew(self) -> None:
        """Renew until that has failed for as long as it may."""
        loop = asyncio.get_running_loop()
        while loop.time() < (deadline := self._renewed_at + self._renew_deadline):
            await asyncio.sleep(min(self._retry_period, deadline - loop.time()))
            await self._attempt(deadline)
            if self._holder() != self._identity:
                return

    async def _attempt(self, deadline: float) -> bool:
        """Take or renew the lease; whether that was done, by the deadline."""
        try:
            async with asyncio.timeout_at(deadline):
                return await self._write_if_free()
        except (Conflict, AlreadyExists):
            return False
        except (SluicegateError, TimeoutError) as error:
            logger.warning("lease %s/%s: %s", self._namespace, self._name, str(error) or "no answer in time")
            return False

    async def _write_if_free(self) -> bool:
        started = asyncio.get_running_loop().time()
        await self._read()
        if self._holder() not in ("", self._identity) and started < self._expires_at():
            return False
        await self._write(self._spec())
        self._renewed_at = started
        return True

    async def _read(self) -> None:
        try:
            lease = await self._client.get(LEASES, self._namespace, self._name)
        except NotFound:
            lease = {}
        if lease != self._lease:
            self._lease = lease
            self._seen_at = asyncio.get_running_loop().time()

    async def _write(self, spec: dict[str, Any]) -> None:
        metadata = {**self._lease.get("metadata", {}), "namespace": self._namespace, "name": self._name}
        body = {"apiVersion": LEASES.api_version, "kind": LEASES.kind, "metadata": metadata, "spec": spec}
        if self._lease:
            self._lease = await self._client.replace(LEASES, self._namespace, self._name, body)
        else:
            self._lease = await self._client.create(LEASES, self._namespace, body)
        self._seen_at = asyncio.get_running_loop().time()

    async def _release(self) -> None:
        if self._holder() != self._identity:
            return
        spec = {**self._lease["spec"], "holderIdentity": "", "leaseDurationSeconds": 1, "renewTime": _now()}
        try:
            async with asyncio.timeout(RELEASE_SECONDS):
                await self._write(spec)
        except (SluicegateError, TimeoutError) as error:
            reason = str(error) or "no answer in time"
            logger.warning("lease %s/%s is not given up: %s", self._namespace, self._name, reason)

    def _spec(self) -> dict[str, Any]:
        now = _now()
        old = self._lease.get("spec", {})
        spec = {
            **old,
            "holderIdentity": self._identity,
            "leaseDurationSeconds": round(self._lease_duration),
            "renewTime": now,
        }
        if self._holder() != self._identity:
            spec["acquireTime"] = now
            spec["leaseTransitions"] = old.get("leaseTransitions", -1) + 1
        return spec

    def _holder(self) -> str:
        return self._lease.get("spec", {}).get("holderIdentity") or ""

    def _expires_at(self) -> float:
        duration: float = self._lease["spec"].get("leaseDurationSeconds") or self._lease_duration
        return self._seen_at + duration


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait({task})
    if not task.cancelled() and (error := task.exception()):
        logger.error("ended with an error: %s", error)


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
