"""The reconciler of Rollouts: gather, decide, route, carry out."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, NoReturn

from sluicegate.api.foreign import ReplicaSet, Service, decode_replica_set
from sluicegate.api.resources import REPLICA_SETS, ROLLOUTS, SERVICES, Resource
from sluicegate.api.rollout import API_VERSION, KIND, Rollout
from sluicegate.api.validation import InvalidManifest
from sluicegate.controller.caches import Caches, Key, StoredRollout, is_handled, key_of
from sluicegate.controller.execute import CreateFailed, Execution, Recorder
from sluicegate.controller.expectations import Expectations
from sluicegate.controller.gather import Gathering
from sluicegate.controller.pod_counts import split_pods
from sluicegate.controller.routing import Routers, RoutingFailed
from sluicegate.controller.specs import Specs
from sluicegate.controller.step_plugins import StepPlugins
from sluicegate.controller.unsent import UnsentStatus
from sluicegate.controller.watches import Watches
from sluicegate.controller.workloads import Resolved, Workloads
from sluicegate.engine.begun import Begun
from sluicegate.engine.decision import Decision
from sluicegate.engine.passes import begin, decide, step_calls
from sluicegate.engine.prepare import creation_failed, name_collided, owned_view, prepare, refuse
from sluicegate.engine.revisions import name_taken, relabel, replica_set_name
from sluicegate.engine.step_entries import StepAnswer
from sluicegate.engine.surroundings import Surroundings
from sluicegate.engine.traffic import Routing, Verified, routing_failed, shifts
from sluicegate.engine.view import View
from sluicegate.engine.weights import PodCounts, split_request
from sluicegate.engine.workload import UNRESOLVED_SECONDS, WorkloadRefError
from sluicegate.errors import AlreadyExists, Conflict, PluginError
from sluicegate.kube.client import Client
from sluicegate.kube.recorder import ObjectReference
from sluicegate.plugins.guard import Guard
from sluicegate.plugins.registry import Registry

logger = logging.getLogger(__name__)

MOST_PASSES = 10
"""How many passes are made in one turn; what is left is the next turn's."""
STALE_SECONDS = 0.1
"""How soon a Rollout is looked at again whose last writes the caches do not show yet."""


@dataclass(frozen=True, slots=True)
class Result:
    """A pass that went well: when to look again, in seconds; None leaves it to changes and the resync.

    One that `waits` decided nothing, as the caches do not show the last writes yet.
    """

    requeue_after: float | None = None
    waits: bool = False


@dataclass(slots=True)
class _Scene:
    """What the passes of one turn have in common; `routed` is what routers were handed last, and their answer."""

    stored: StoredRollout
    candidates: Sequence[ReplicaSet]
    errors: Sequence[str]
    surroundings: Surroundings
    execution: Execution
    now: datetime
    routed: tuple[Routing, Verified] | None = None


class _Passed(NamedTuple):
    """A pass that was made: whether it ends the turn, and whether that is because there is nothing left to do."""

    decision: Decision
    ends: bool
    rests: bool = False


class ReconcileFailed(Exception):
    """A pass that is to be tried again with the backoff of failures; the text says why."""


@dataclass
class RolloutReconciler:
    """Brings one Rollout a pass nearer to what its manifest asks for.

    `clock` gives the time as an aware datetime, `monotonic` seconds that never go back.
    """

    client: Client
    caches: Caches
    watches: Watches
    registry: Registry
    recorder: Recorder
    clock: Callable[[], datetime]
    monotonic: Callable[[], float]
    instance_id: str = ""
    guard: Guard = field(default_factory=Guard)
    _expectations: dict[Key, Expectations] = field(default_factory=dict)
    _rested: dict[Key, str] = field(default_factory=dict)
    _specs: Specs = field(default_factory=Specs)

    def __post_init__(self) -> None:
        self._gathering = Gathering(self.caches, self.watches, self.instance_id)
        self._workloads = Workloads(self.client, self.watches, self.recorder)
        self._step_plugins = StepPlugins(self.client, self.watches, self.registry, self.guard, self.clock)
        self._routers = Routers(self.client, self.watches, self.registry, self.guard, self.recorder, self.clock)

    async def reconcile(self, key: Key) -> Result:
        """One pass over a Rollout. Raises ReconcileFailed, and any SluicegateError of a read or write that failed."""
        stored = self.caches.rollouts.get(*key)
        if stored is None or not is_handled(stored.metadata, self.instance_id):
            self._forget(key)
            return Result()
        if not self._expected(key).met(self._shown(key), self.monotonic()):
            return Result(STALE_SECONDS, waits=True)
        self.watches.begin(key)
        decision = await self._turn(stored)
        if decision.error is not None:
            raise ReconcileFailed(decision.error)
        return Result(decision.requeue_after)

    async def _turn(self, stored: StoredRollout) -> Decision:
        """Decide and carry out, pass after pass as long as none needs news from the cluster; the last decision."""
        now = self.clock()
        rollout, errors = self._read(stored)
        execution = self._execution(stored)
        if rollout.metadata.deletion_timestamp is not None:
            return await self._part_from(stored, rollout, errors, execution)
        try:
            resolved = await self._workloads.resolved(stored, rollout, errors)
        except WorkloadRefError as error:
            refused = refuse(rollout, str(error), now, retry_after=UNRESOLVED_SECONDS)
            await execution.carry_out(refused)
            return refused
        await execution.act(resolved.writes)
        scene = await self._scene(stored, resolved, execution, now)
        unsent = UnsentStatus(resolved.rollout, stored.document.get("status"), execution)
        for _ in range(MOST_PASSES):
            passed = await self._pass(scene, unsent)
            if passed.ends:
                break
        await unsent.send()
        if passed.rests:
            self._rested[key_of(stored)] = execution.version
        return passed.decision if passed.ends else Decision(requeue_after=0)

    def rests_at(self, key: Key, version: str) -> bool:
        """Whether this is the version of a Rollout that a turn itself has written, having nothing left to do."""
        return self._rested.get(key) == version

    async def _scene(self, stored: StoredRollout, resolved: Resolved, execution: Execution, now: datetime) -> _Scene:
        key, rollout = key_of(stored), resolved.rollout
        errors = resolved.errors or await self._further_errors(key, rollout)
        candidates = self._candidates(stored)
        surroundings = await self._gathering.surroundings(key, rollout, candidates, resolved.workload, now)
        return _Scene(stored, candidates, errors, surroundings, execution, now)

    async def _further_errors(self, key: Key, rollout: Rollout) -> Sequence[str]:
        """What is wrong beyond the object itself: a router that cannot do what it is asked for, what is referred to."""
        if refused := self._routers.refusal(rollout) or self._step_plugins.refusal(rollout):
            return [refused]
        return await self._gathering.reference_errors(key, rollout)

    async def _pass(self, scene: _Scene, unsent: UnsentStatus) -> _Passed:
        """One pass; it ends the turn if it wrote more than the status, failed, or changed nothing."""
        view = prepare(unsent.rollout, scene.candidates, scene.errors, scene.now, scene.surroundings)
        if isinstance(view, Decision):
            return await self._finish(scene, unsent, view)
        try:
            split = self._split(view)
        except PluginError as error:
            return await self._finish(scene, unsent, refuse(view.rollout, str(error), scene.now))
        begun = begin(view, split, scene.now)
        if isinstance(begun, Decision):
            return await self._finish(scene, unsent, begun)
        if begun.actions or (begun.routing is not None and shifts(begun.view, begun.routing)):
            await unsent.send()
        await scene.execution.act(begun.actions)
        try:
            verified = await self._route(scene, begun)
        except RoutingFailed as error:
            return await self._finish(scene, unsent, routing_failed(str(error)))
        answers = await self._step_answers(begun, split, verified, unsent, scene.now)
        decision = decide(begun, split, verified, scene.now, answers)
        passed = await self._finish(scene, unsent, decision)
        return _Passed(decision, ends=True) if begun.actions else passed

    async def _step_answers(
        self, begun: Begun, split: PodCounts | None, verified: Verified, unsent: UnsentStatus, now: datetime
    ) -> Sequence[StepAnswer]:
        wanted = step_calls(begun, split, verified, now)
        if not wanted:
            return ()
        # A status that is lost takes with it which calls were made.
        await unsent.send()
        return await self._step_plugins.answers(begun.view.rollout, wanted)

    async def _finish(self, scene: _Scene, unsent: UnsentStatus, decision: Decision) -> _Passed:
        if not decision.actions:
            changes = await unsent.take(decision)
            failed = decision.error is not None
            return _Passed(decision, ends=failed or not changes, rests=not failed and not changes)
        await unsent.send()
        await self._carry_out(scene, unsent, decision)
        return _Passed(decision, ends=True)

    async def _carry_out(self, scene: _Scene, unsent: UnsentStatus, decision: Decision) -> None:
        """Make the writes of a decision, of which the new ReplicaSet may be one."""
        try:
            await scene.execution.carry_out(decision)
        except AlreadyExists as error:
            await self._name_exists(scene.stored, owned_view(unsent.rollout, scene.candidates), error)
        except CreateFailed as error:
            view = owned_view(unsent.rollout, scene.candidates)
            failed = creation_failed(view, str(error), self.clock())
            await scene.execution.carry_out(failed)
            raise ReconcileFailed(failed.error) from error

    async def _route(self, scene: _Scene, begun: Begun) -> Verified:
        """Have the routers apply what is wanted; in one turn the same is not asked of them twice."""
        if begun.routing is None:
            return Verified()
        if scene.routed is None or scene.routed[0] != begun.routing:
            verified = await self._routers.route(begun.view.rollout, reference_of(scene.stored), begun.routing)
            scene.routed = (begun.routing, verified)
        return scene.routed[1]

    async def _part_from(
        self, stored: StoredRollout, rollout: Rollout, errors: Sequence[str], execution: Execution
    ) -> Decision:
        """A Rollout that is being deleted is left alone, but for a Deployment that is to serve in its place."""
        services = self._gathering.services(rollout)
        decision = await self._workloads.hand_back(stored, rollout, errors, self._candidates(stored), services)
        await execution.carry_out(decision or Decision())
        return decision or Decision()

    def _read(self, stored: StoredRollout) -> tuple[Rollout, Sequence[str]]:
        try:
            return self._specs.read(stored)
        except InvalidManifest as error:
            raise ReconcileFailed(f"the Rollout cannot be read: {error}") from None

    def _candidates(self, stored: StoredRollout) -> list[ReplicaSet]:
        return self.caches.candidates(stored.metadata.namespace, stored.metadata.uid)

    def _split(self, view: View) -> PodCounts | None:
        if not view.basic:
            return None
        scope = scope_of((view.rollout.namespace, view.rollout.name))
        return split_pods(self.registry, self.guard, split_request(view), scope)

    async def _name_exists(self, stored: StoredRollout, view: View, error: AlreadyExists) -> NoReturn:
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
        written, scale = self._written(stored), self._workloads.scale
        return Execution(self.client, self.recorder, reference_of(stored), version, written, scale)

    def _written(self, stored: StoredRollout) -> Callable[[Resource, str, str], None]:
        expected = self._expected(key_of(stored))
        return lambda resource, name, version: expected.expect(resource.plural, name, version, self.monotonic())

    def _expected(self, key: Key) -> Expectations:
        return self._expectations.setdefault(key, Expectations())

    def _shown(self, key: Key) -> Callable[[str, str], str | None]:
        stores: Mapping[str, Callable[[str, str], StoredRollout | ReplicaSet | Service | None]] = {
            ROLLOUTS.plural: self.caches.rollouts.get,
            REPLICA_SETS.plural: self.caches.replica_sets.get,
            SERVICES.plural: self.caches.services.get,
        }

        def shown(plural: str, name: str) -> str | None:
            obj = stores[plural](key[0], name)
            return obj.metadata.resource_version if obj else None

        return shown

    def _forget(self, key: Key) -> None:
        self._expectations.pop(key, None)
        self._rested.pop(key, None)
        self._specs.forget(key)
        self._workloads.forget(key)
        self._routers.forget(key)
        self._step_plugins.forget(key)
        self.watches.forget(key)
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
