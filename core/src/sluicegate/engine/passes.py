"""The two halves of a pass, whatever the strategy: what comes before traffic is routed, and what is decided after."""

from collections.abc import Sequence
from datetime import datetime

from sluicegate.engine import blue_green, canary
from sluicegate.engine.begun import Begun
from sluicegate.engine.decision import Decision
from sluicegate.engine.step_entries import StepAnswer, StepCall
from sluicegate.engine.traffic import Verified
from sluicegate.engine.view import View
from sluicegate.engine.weights import PodCounts


def begin(view: View, split: PodCounts | None, now: datetime) -> Begun | Decision:
    """What is to be done before routes are applied, or the decision that ends the pass there.

    `split` is the answer of the router that counts pods, None for a Rollout that does not need one.
    """
    return canary.begin(view, split, now) if view.blue_green is None else Begun(view)


def step_calls(begun: Begun, split: PodCounts | None, verified: Verified, now: datetime) -> tuple[StepCall, ...]:
    """The calls of step plugins that the rest of the pass is to know the answers to."""
    status = begun.view.status.canary
    if not (status.step_plugin_statuses or any(step.plugin is not None for step in begun.view.steps)):
        return ()
    return canary.step_calls(begun, split, verified, now)


def decide(
    begun: Begun, split: PodCounts | None, verified: Verified, now: datetime, answers: Sequence[StepAnswer] = ()
) -> Decision:
    """The rest of a pass: sizes, pauses, steps, status.

    `verified` is what the routers answered, `answers` what step plugins did to `step_calls`.
    """
    if begun.view.blue_green is None:
        return canary.decide(begun, split, verified, now, answers)
    return blue_green.decide(begun.view, now)
