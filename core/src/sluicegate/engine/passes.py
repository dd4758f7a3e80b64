"""The two halves of a pass, whatever the strategy: what comes before traffic is routed, and what is decided after."""

from datetime import datetime

from sluicegate.engine import blue_green, canary
from sluicegate.engine.begun import Begun
from sluicegate.engine.decision import Decision
from sluicegate.engine.traffic import Verified
from sluicegate.engine.view import View
from sluicegate.engine.weights import PodCounts


def begin(view: View, split: PodCounts | None, now: datetime) -> Begun | Decision:
    """What is to be done before routes are applied, or the decision that ends the pass there.

    `split` is the answer of the router that counts pods, None for a Rollout that does not need one.
    """
    return canary.begin(view, split, now) if view.blue_green is None else Begun(view)


def decide(begun: Begun, split: PodCounts | None, verified: Verified, now: datetime) -> Decision:
    """The rest of a pass: sizes, pauses, steps, status; `verified` is what the routers answered."""
    if begun.view.blue_green is None:
        return canary.decide(begun, split, verified, now)
    return blue_green.decide(begun.view, now)
