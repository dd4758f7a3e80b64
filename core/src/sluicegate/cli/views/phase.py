"""The phase and message of a Rollout as every client shows them (rollout.md 3.2).

A Rollout whose phase nobody has stored yet gets the controller's own rules, from the engine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sluicegate.api.status import Condition
from sluicegate.cli.views.durations import parse_time
from sluicegate.cli.views.fields import decimal, flag, items, member, number, text
from sluicegate.engine.conditions import Conditions
from sluicegate.engine.phase import Phase, PhaseFacts, completes_run, phase_of

if TYPE_CHECKING:
    from sluicegate.cli.views.fields import Object


def client_phase(rollout: Object) -> Phase:
    """What `get`, `list` and `status` show: the stored phase unless it is known to be behind."""
    status = member(rollout, "status")
    if not _observed(rollout):
        return Phase("Progressing", "waiting for rollout spec update to be observed")
    if flag(status, "controllerPause") and not items(status, "pauseConditions"):
        return Phase("Progressing", "waiting for rollout to unpause")
    if stored := text(status, "phase"):
        return Phase(stored, text(status, "message"))
    return phase_of(_facts(rollout))


def _observed(rollout: Object) -> bool:
    # Anything that is not a decimal is a hash of long ago and counts as observed.
    observed = decimal(text(rollout, "status", "observedGeneration"))
    return observed is None or observed >= number(rollout, "metadata", "generation")


def _facts(rollout: Object) -> PhaseFacts:
    spec, status = member(rollout, "spec"), member(rollout, "status")
    blue_green, canary = member(spec, "strategy", "blueGreen"), member(spec, "strategy", "canary")
    return PhaseFacts(
        conditions=Conditions(tuple(_condition(one) for one in items(status, "conditions"))),
        pause_reason=next((text(one, "reason") for one in items(status, "pauseConditions")), ""),
        paused_by_hand=flag(spec, "paused"),
        restart_at=parse_time(text(spec, "restartAt")),
        restarted_at=parse_time(text(status, "restartedAt")),
        wanted=number(spec, "replicas", default=1),
        replicas=number(status, "replicas"),
        updated=number(status, "updatedReplicas"),
        available=number(status, "availableReplicas"),
        current_hash=text(status, "currentPodHash"),
        stable_hash=text(status, "stableRS"),
        blue_green=blue_green is not None,
        canary=canary is not None,
        routed=member(canary, "trafficRouting") is not None,
        active_selector=text(status, "blueGreen", "activeSelector"),
        awaits_post_promotion=_awaits_post_promotion(blue_green, status),
    )


def _condition(stored: Object) -> Condition:
    return Condition(
        type=text(stored, "type"),
        status=text(stored, "status"),
        reason=text(stored, "reason"),
        message=text(stored, "message"),
    )


def _awaits_post_promotion(blue_green: Object | None, status: Object) -> bool:
    run = text(status, "blueGreen", "postPromotionAnalysisRunStatus", "status")
    return member(blue_green, "postPromotionAnalysis") is not None and not completes_run(run)
