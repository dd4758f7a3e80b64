"""One Rollout and its ReplicaSets as a pass sees them, with the facts that every rule asks for."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import Self

from sluicegate.api import names, routes
from sluicegate.api.foreign import ReplicaSet
from sluicegate.api.rollout import BlueGreenStrategy, CanaryStep, CanaryStrategy, Rollout
from sluicegate.api.status import RolloutStatus, TrafficWeights
from sluicegate.api.strategy import DEFAULT_SCALE_DOWN_DELAY_SECONDS
from sluicegate.engine.fences import Fences, blue_green_fences, canary_fences
from sluicegate.engine.surroundings import Surroundings
from sluicegate.engine.templates import runs_template

_LONGEST_REVISION = 18


def size(replica_set: ReplicaSet | None) -> int:
    """The wanted number of pods of a ReplicaSet."""
    return replica_set.spec.replicas if replica_set else 0


def created(replica_set: ReplicaSet | None) -> int:
    """The pods that exist."""
    return replica_set.status.replicas if replica_set else 0


def available(replica_set: ReplicaSet | None) -> int:
    """The pods that have been ready for `minReadySeconds`."""
    return replica_set.status.available_replicas if replica_set else 0


def hash_of(replica_set: ReplicaSet | None) -> str:
    """The value of the hash label, empty without one."""
    return replica_set.metadata.labels.get(names.HASH_LABEL, "") if replica_set else ""


def revision_of(replica_set: ReplicaSet | None) -> int:
    """The revision annotation as a number; 0 when it is missing or no number."""
    text = replica_set.metadata.annotations.get(names.REVISION, "") if replica_set else ""
    return int(text) if text.isdecimal() and len(text) <= _LONGEST_REVISION else 0


def born(replica_set: ReplicaSet) -> datetime:
    """When it was created; the beginning of time where that is not known."""
    return replica_set.metadata.creation_timestamp or datetime.min.replace(tzinfo=UTC)


def oldest_first(replica_set: ReplicaSet) -> tuple[datetime, str]:
    """Sort key: by creation time, then by name so that the order never depends on the listing."""
    return (born(replica_set), replica_set.metadata.name)


def newest_first(replica_sets: Iterable[ReplicaSet]) -> list[ReplicaSet]:
    """Highest revision first, the later created first among equals."""
    return sorted(replica_sets, key=lambda rs: (revision_of(rs), *oldest_first(rs)), reverse=True)


@dataclass(frozen=True)
class View:
    """What one pass knows: the Rollout as read, the ReplicaSets it owns, oldest first, and what is around them.

    `raised_abort` says why this very pass aborts the update; None while it does not.
    """

    rollout: Rollout
    replica_sets: tuple[ReplicaSet, ...]
    surroundings: Surroundings = field(default_factory=Surroundings)
    raised_abort: str | None = None

    @classmethod
    def of(cls, rollout: Rollout, replica_sets: Iterable[ReplicaSet], surroundings: Surroundings | None = None) -> Self:
        """Build the view of a Rollout with these owned ReplicaSets, given in any order."""
        ordered = tuple(sorted(replica_sets, key=oldest_first))
        return cls(rollout, ordered, surroundings or Surroundings())

    def seeing(self, surroundings: Surroundings) -> Self:
        """The same Rollout in other surroundings."""
        return replace(self, surroundings=surroundings)

    def raising_abort(self, why: str) -> Self:
        """The same, with an abort that this pass raises."""
        return replace(self, raised_abort=why)

    @property
    def name(self) -> str:
        return self.rollout.metadata.name

    @property
    def status(self) -> RolloutStatus:
        return self.rollout.status

    @cached_property
    def canary(self) -> CanaryStrategy:
        return self.rollout.spec.strategy.canary or CanaryStrategy()

    @property
    def blue_green(self) -> BlueGreenStrategy | None:
        """The strategy of a blue-green Rollout; None for a canary."""
        return self.rollout.spec.strategy.blue_green

    @property
    def routed(self) -> bool:
        """Whether this is a canary with `trafficRouting`, even an empty one: its sizes follow weights, not pods."""
        return self.canary.traffic_routing is not None

    @property
    def has_routers(self) -> bool:
        """Whether any router is named; an empty `trafficRouting` has none, but is routed all the same."""
        routing = self.canary.traffic_routing
        return routing is not None and bool(routing.routers)

    @property
    def basic(self) -> bool:
        """Whether this is a canary whose pods are the weight."""
        return self.blue_green is None and not self.routed

    @property
    def max_weight(self) -> int:
        """The weight that stands for all traffic."""
        return max(1, self.canary.max_weight)

    @property
    def weights(self) -> TrafficWeights | None:
        """The weights that the routers were last given."""
        return self.status.canary.weights

    @property
    def ping_pong(self) -> routes.PingPong | None:
        """Which of the ping-pong Services has which role now (rollout 8.8)."""
        pair = self.canary.ping_pong
        if pair is None or not self.routed:
            return None
        services = (pair.ping_service, pair.pong_service)
        stable, canary = services if self.status.canary.stable_ping_pong == "ping" else reversed(services)
        return routes.PingPong(stable, canary)

    def pods_for(self, weight: int) -> int:
        """The pods that carry a weight, rounded up."""
        return -(-weight * self.replicas // self.max_weight)

    @property
    def abort_delay_given(self) -> bool:
        """Whether the manifest says how long an aborted version is kept, and not for ever."""
        return (self._abort_delay or 0) > 0

    @property
    def abort_delay(self) -> int:
        """Seconds that the pods of an aborted version are kept: 30 unless given, 0 for ever."""
        return DEFAULT_SCALE_DOWN_DELAY_SECONDS if self._abort_delay is None else self._abort_delay

    @property
    def _abort_delay(self) -> int | None:
        return (self.blue_green or self.canary).abort_scale_down_delay_seconds

    @property
    def replicas(self) -> int:
        """The wanted number of pods in all."""
        return self.rollout.spec.desired_replicas

    @cached_property
    def template_hash(self) -> str:
        """The hash of the template as written, which names the next ReplicaSet."""
        return self.rollout.spec.pod_hash(self.status.collision_count)

    @cached_property
    def new_rs(self) -> ReplicaSet | None:
        """The ReplicaSet of the current template: by its hash, else by comparing templates."""
        for replica_set in self.replica_sets:
            if hash_of(replica_set) == self.template_hash:
                return replica_set
        wanted = self.rollout.spec.template or {}
        return next((rs for rs in self.replica_sets if runs_template(rs, wanted)), None)

    @cached_property
    def stable_rs(self) -> ReplicaSet | None:
        stable = self.status.stable_rs
        return next((rs for rs in self.replica_sets if stable and hash_of(rs) == stable), None)

    @property
    def separate_stable(self) -> ReplicaSet | None:
        """The stable ReplicaSet unless it is also the new one."""
        return None if self.stable_rs is self.new_rs else self.stable_rs

    @property
    def others(self) -> tuple[ReplicaSet, ...]:
        """Neither new nor stable, oldest first."""
        return tuple(rs for rs in self.replica_sets if rs is not self.new_rs and rs is not self.stable_rs)

    @property
    def older(self) -> tuple[ReplicaSet, ...]:
        """All but the new one, oldest first."""
        return tuple(rs for rs in self.replica_sets if rs is not self.new_rs)

    @property
    def pod_hash(self) -> str:
        """The identity of the version that the template asks for."""
        return hash_of(self.new_rs) or self.template_hash

    @cached_property
    def step_hash(self) -> str:
        """The hash of the canary steps; empty for blue-green, which has none."""
        if self.blue_green is not None:
            return ""
        return self.rollout.spec.hashes.steps(self.canary.steps)

    @cached_property
    def steps(self) -> tuple[CanaryStep, ...]:
        return tuple(self.canary.steps or ())

    @cached_property
    def step_index(self) -> int:
        """The stored index, never below 0 nor past the end of the steps."""
        return min(max(self.status.current_step_index or 0, 0), len(self.steps))

    @property
    def current_step(self) -> CanaryStep | None:
        return self.steps[self.step_index] if self.step_index < len(self.steps) else None

    @cached_property
    def fences(self) -> Fences:
        if self.blue_green is not None:
            return blue_green_fences(self.blue_green.unavailable, self.replicas)
        return canary_fences(self.canary.surge, self.canary.unavailable, self.replicas)

    @property
    def capacity(self) -> int:
        """The most pods that may exist."""
        return self.replicas + self.fences.max_surge

    @property
    def least_available(self) -> int:
        """The fewest pods that must serve."""
        return self.replicas - self.fences.max_unavailable

    @property
    def new_size(self) -> int:
        return size(self.new_rs)

    @property
    def stable_size(self) -> int:
        return size(self.separate_stable)

    @property
    def old_size(self) -> int:
        return sum(size(rs) for rs in self.others)

    @property
    def promoted(self) -> bool:
        """Whether the version that the template asks for is the stable one."""
        return bool(self.status.stable_rs) and self.status.stable_rs == self.pod_hash

    @property
    def paused(self) -> bool:
        return self.rollout.spec.paused or bool(self.status.pause_conditions)

    @property
    def halted(self) -> bool:
        """Paused by hand: nothing is resized and no step completes."""
        return self.rollout.spec.paused or self.has_pause(names.INCONCLUSIVE_ANALYSIS_RUN)

    def has_pause(self, reason: str) -> bool:
        """Whether a pause condition of this reason is stored."""
        return any(condition.reason == reason for condition in self.status.pause_conditions)

    @property
    def aborted(self) -> bool:
        """Whether an abort is in force; one of an update that is already over has no effect and is dropped."""
        return self.status.abort and not self.status.is_promoted

    @property
    def aborting(self) -> bool:
        """Whether an abort is in force, or is raised by this pass."""
        return self.aborted or self.raised_abort is not None

    @property
    def template_changed(self) -> bool:
        """Whether the template is another one than the recorded, or none was recorded."""
        return self.status.current_pod_hash != self.pod_hash

    @property
    def steps_changed(self) -> bool:
        """Whether the steps are others than the recorded ones."""
        return self.status.current_step_hash != self.step_hash

    @property
    def full_promotion(self) -> bool:
        """Whether a full promotion is in force: one asked for before an abort that has yet to be acted on is not.

        Argo Rollouts lets a full promotion drop such an abort; here an abort always wins over what came before it.
        """
        return self.status.promote_full and not (self.status.abort and self.status.aborted_at is None)

    def desired_annotation(self, replica_set: ReplicaSet) -> str | None:
        """The wanted count that the ReplicaSet was last sized for, as text."""
        return replica_set.metadata.annotations.get(names.DESIRED_REPLICAS)
