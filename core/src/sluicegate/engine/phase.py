"""The phase and message of a Rollout, as the controller stores them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Self

from sluicegate.api.rollout import RolloutSpec
from sluicegate.api.status import RolloutStatus
from sluicegate.engine.conditions import ABORTED, INVALID_SPEC, TIMED_OUT, Conditions

DEGRADED: Final = "Degraded"
HEALTHY: Final = "Healthy"
PAUSED: Final = "Paused"
PROGRESSING: Final = "Progressing"

_COMPLETED_RUNS: Final = frozenset({"Successful", "Failed", "Error", "Inconclusive"})


@dataclass(frozen=True, slots=True)
class PhaseFacts:
    """What the phase follows from, of spec and status together."""

    conditions: Conditions
    pause_reason: str
    paused_by_hand: bool
    restart_at: datetime | None
    restarted_at: datetime | None
    wanted: int
    replicas: int
    updated: int
    available: int
    current_hash: str
    stable_hash: str
    blue_green: bool
    canary: bool
    routed: bool
    active_selector: str = ""
    awaits_post_promotion: bool = False

    @classmethod
    def of(cls, spec: RolloutSpec, status: RolloutStatus) -> Self:
        """The facts of a spec and a status as models."""
        blue_green, canary = spec.strategy.blue_green, spec.strategy.canary
        run = status.blue_green.post_promotion_analysis_run_status
        analysed = blue_green is not None and blue_green.post_promotion_analysis is not None
        return cls(
            conditions=Conditions.stored(status.conditions),
            pause_reason=status.pause_conditions[0].reason if status.pause_conditions else "",
            paused_by_hand=spec.paused,
            restart_at=spec.restart_at,
            restarted_at=status.restarted_at,
            wanted=spec.desired_replicas,
            replicas=status.replicas,
            updated=status.updated_replicas,
            available=status.available_replicas,
            current_hash=status.current_pod_hash,
            stable_hash=status.stable_rs,
            blue_green=blue_green is not None,
            canary=canary is not None,
            routed=canary is not None and canary.traffic_routing is not None,
            active_selector=status.blue_green.active_selector,
            awaits_post_promotion=analysed and not completes_run(run.status if run else ""),
        )


@dataclass(frozen=True, slots=True)
class Phase:
    """A phase and why; the message is empty when healthy."""

    phase: str
    message: str = ""


def phase_of(facts: PhaseFacts) -> Phase:
    """The first match of Argo Rollouts' list: trouble, pauses, restart, replicas, then what the strategy waits for."""
    return (
        _trouble(facts.conditions)
        or _pause(facts)
        or _replicas(facts)
        or (_blue_green(facts) if facts.blue_green else _canary(facts) if facts.canary else None)
        or Phase(HEALTHY)
    )


def completes_run(phase: str) -> bool:
    """Whether an analysis run of this phase is over."""
    return phase in _COMPLETED_RUNS


def _trouble(conditions: Conditions) -> Phase | None:
    for condition in conditions.items:
        if condition.type == INVALID_SPEC:
            return Phase(DEGRADED, f"{INVALID_SPEC}: {condition.message}")
        if condition.reason in (ABORTED, TIMED_OUT):
            return Phase(DEGRADED, f"{condition.reason}: {condition.message}")
    return None


def _pause(facts: PhaseFacts) -> Phase | None:
    if facts.paused_by_hand:
        return Phase(PAUSED, "manually paused")
    return Phase(PAUSED, facts.pause_reason) if facts.pause_reason else None


def _replicas(facts: PhaseFacts) -> Phase | None:
    if facts.restart_at is not None and facts.restart_at != facts.restarted_at:
        return Phase(PROGRESSING, "rollout is restarting")
    if facts.updated < facts.wanted:
        return Phase(PROGRESSING, "more replicas need to be updated")
    if facts.available < facts.updated:
        return Phase(PROGRESSING, "updated replicas are still becoming available")
    return None


def _promoted(facts: PhaseFacts) -> bool:
    return bool(facts.stable_hash) and facts.stable_hash == facts.current_hash


def _blue_green(facts: PhaseFacts) -> Phase | None:
    if not facts.active_selector or facts.active_selector != facts.current_hash:
        return Phase(PROGRESSING, "active service cutover pending")
    if _promoted(facts):
        return None
    if facts.awaits_post_promotion:
        return Phase(PROGRESSING, "waiting for analysis to complete")
    return Phase(PROGRESSING, "waiting for post-promotion verification to complete")


def _canary(facts: PhaseFacts) -> Phase | None:
    if not facts.routed and facts.replicas > facts.updated:
        return Phase(PROGRESSING, "old replicas are pending termination")
    if not _promoted(facts):
        return Phase(PROGRESSING, "waiting for all steps to complete")
    return None
