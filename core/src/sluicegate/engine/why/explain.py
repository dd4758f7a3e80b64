"""The explanation of one Rollout: the findings in the order in which they matter to a person."""

from collections.abc import Iterator

from sluicegate.engine.why.background import beside
from sluicegate.engine.why.blue_green import blue_green
from sluicegate.engine.why.canary import canary
from sluicegate.engine.why.explanation import Explanation, Finding
from sluicegate.engine.why.facts import facts
from sluicegate.engine.why.holds import stops
from sluicegate.engine.why.lag import is_behind, lag
from sluicegate.engine.why.refusals import refusal
from sluicegate.engine.why.situation import Situation


def explain(situation: Situation) -> Explanation:
    """Why the Rollout is where it is.

    First comes a controller that is not there, then what stops all work, then what a person or a deadline has stopped,
    then what the strategy waits for. What goes on besides follows.
    """
    return Explanation(tuple(_findings(situation)), tuple(facts(situation)))


def _findings(situation: Situation) -> Iterator[Finding]:
    if (found := lag(situation)) is not None:
        yield found
    if (refused := refusal(situation)) is not None:
        yield refused
        return
    if is_behind(situation) and situation.view.template_changed:
        return
    stopped = tuple(stops(situation))
    yield from stopped or (_at(situation),)
    yield from beside(situation)


def _at(situation: Situation) -> Finding:
    return blue_green(situation) if situation.view.blue_green is not None else canary(situation)
