"""The reconciler of Rollouts: gather, decide, carry out."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sluicegate.api.foreign import ReplicaSet, decode_replica_set
from sluicegate.api.resources import REPLICA_SETS, ROLLOUTS, Resource
from sluicegate.api.rollout import API_VERSION, KIND
from sluicegate.api.validation import InvalidManifest
from sluicegate.controller.caches import Caches, Key, StoredRollout, is_handled, key_of
from sluicegate.controller.execute import CreateFailed, Execution, Recorder
from sluicegate.controller.expectations import Expectations
from sluicegate.controller.pod_counts import split_pods
from sluicegate.controller.specs import Specs
from sluicegate.engine.canary import decide
from sluicegate.engine.decision import Decision
from sluicegate.engine.prepare import creation_failed, name_collided, owned_view, prepare, refuse
from sluicegate.engine.revisions import name_taken, relabel, replica_set_name
from sluicegate.engine.view import View
from sluicegate.engine.weights import split_request
from sluicegate.errors import AlreadyExists, Conflict, PluginError
from sluicegate.kube.client import Client
from sluicegate.kube.recorder import ObjectReference
from sluicegate.plugins.guard import Guard
from sluicegate.plugins.registry import Registry

logger = logging.getLogger(__name__)

STALE_SECONDS = 0.1
"""How soon a Rollout is looked at again whose last writes the caches do not show yet."""


@dataclass(frozen=True, slots=True)
class Result:
    """A pass that went well: when to look again, in seconds; None leaves it to changes and the resync.

    One that `waits` decided nothing, as the caches do not show the last writes yet.
    """

    requeue_after: float | None = None
    waits: bool = False


class ReconcileFailed(Exception):
    """A pass that is to be tried again with the backoff of failures; the text says why."""


@dataclass
class RolloutReconciler:
    """Brings one Rollout a pass nearer to what its manifest asks for.

    `clock` gives the time as an aware datetime, `monotonic` seconds that never go back.
    """

    client: Client
    caches: Caches
    registry: Registry
    recorder: Recorder
    clock: Callable[[], datetime]
    monotonic: Callable[[], float]
    guard: Guard = field(default_factory=Guard)
    _expectations: dict[Key, Expectations] = field(default_factory=dict)
    _told: dict[Key, tuple[str, int, str]] = field(default_factory=dict)
    _specs: Specs = field(default_factory=Specs)

    async def reconcile(self, key: Key) -> Result:
        """One pass over a Rollout. Raises ReconcileFailed, and any SluicegateError of a write that failed."""
        stored = self.caches.rollouts.get(*key)
        if stored is None or not is_handled(stored):
            self._forget(key)
            return Result()
        if not self._expected(key).met(self._shown(key), self.monotonic()):
            return Result(STALE_SECONDS, waits=True)
        view, decision = self._decide(stored)
        await self._carry_out(stored, view, self._once(key, stored, decision))
        if decision.error is not None:
            raise ReconcileFailed(decision.error)
        return Result(decision.requeue_after)

    def _decide(self, stored: StoredRollout) -> tuple[View, Decision]:
        now = self.clock()
        try:
            rollout, errors = self._specs.read(stored)
        except InvalidManifest as error:
            raise ReconcileFailed(f"the Rollout cannot be read: {error}") from None
        candidates = self.caches.candidates(stored.metadata.namespace, stored.metadata.uid)
        prepared = prepare(rollout, candidates, errors, now)
        if isinstance(prepared, Decision):
            return owned_view(rollout, candidates), prepared
        try:
            split = split_pods(self.registry, self.guard, split_request(prepared), scope_of(key_of(stored)))
        except PluginError as error:
            return prepared, refuse(rollout, str(error), now)
        return prepared, decide(prepared, split, now)

    async def _carry_out(self, stored: StoredRollout, view: View, decision: Decision) -> None:
        try:
            await self._execution(stored).carry_out(decision)
        except AlreadyExists as error:
            await self._name_exists(stored, view, error)
        except CreateFailed as error:
            failed = creation_failed(view, str(error), self.clock())
            await self._execution(stored).carry_out(failed)
            raise ReconcileFailed(failed.error) from error

    async def _name_exists(self, stored: StoredRollout, view: View, error: AlreadyExists) -> None:
        """A ReplicaSet of the new one's name is there: our own that the cache lacks, or another one in the way."""
        live = await self.client.get_bytes(REPLICA_SETS, stored.metadata.namespace, replica_set_name(view))
        existing = decode_replica_set(live)
        if name_taken(view, existing):
            await self._execution(stored).carry_out(name_collided(view))
            raise ReconcileFailed(str(error)) from error
        if labelled := relabel(view, existing):
            await self._execution(stored).carry_out(Decision((labelled,)))
        else:
            self._written(stored)(REPLICA_SETS, existing.metadata.name, existing.metadata.resource_version)
        raise Conflict(str(error), status=409, reason="AlreadyExists") from error

    def _execution(self, stored: StoredRollout) -> Execution:
        metadata = stored.metadata
        version = metadata.resource_version
        return Execution(self.client, self.recorder, reference_of(stored), version, self._written(stored))

    def _written(self, stored: StoredRollout) -> Callable[[Resource, str, str], None]:
        expected = self._expected(key_of(stored))
        return lambda resource, name, version: expected.expect(resource.plural, name, version, self.monotonic())

    def _expected(self, key: Key) -> Expectations:
        return self._expectations.setdefault(key, Expectations())

    def _shown(self, key: Key) -> Callable[[str, str], str | None]:
        stores: Mapping[str, Callable[[str, str], StoredRollout | ReplicaSet | None]] = {
            ROLLOUTS.plural: self.caches.rollouts.get,
            REPLICA_SETS.plural: self.caches.replica_sets.get,
        }

        def shown(plural: str, name: str) -> str | None:
            obj = stores[plural](key[0], name)
            return obj.metadata.resource_version if obj else None

        return shown

    def _once(self, key: Key, stored: StoredRollout, decision: Decision) -> Decision:
        """Tell of a field that cannot be reconciled once a generation, not on every pass."""
        if decision.actions or decision.status or not decision.events:
            return decision
        told = (stored.metadata.uid, stored.metadata.generation, decision.events[0].message)
        if self._told.get(key) == told:
            return Decision()
        self._told[key] = told
        return decision

    def _forget(self, key: Key) -> None:
        self._expectations.pop(key, None)
        self._told.pop(key, None)
        self._specs.forget(key)
        self.guard.forget(scope_of(key))


def scope_of(key: Key) -> str:
    """Under what the failures of plugins are kept apart."""
    return "/".join(key)


def reference_of(stored: StoredRollout) -> ObjectReference:
    """What events about a Rollout name."""
    metadata = stored.metadata
    return ObjectReference(
        api_version=API_VERSION,
        kind=KIND,
        namespace=metadata.namespace,
        name=metadata.name,
        uid=metadata.uid,
        resource_version=metadata.resource_version,
    )
