"""Why a Rollout is where it is, for a person: what it waits for, since when, what comes next, what one can do.

A decision carries no reasons of its own. What a pass decides follows from the view, the split, the clock and nothing
else, so its reasons follow from the same: `explain` asks the predicates that the engine decides with. A field of
`Decision` would be made in each of thousands of passes and read by nobody, and could not tell of a Rollout at rest,
whose passes decide nothing, nor of one whose controller is not there to decide.
"""

from sluicegate.engine.why.commands import Commands
from sluicegate.engine.why.explain import explain
from sluicegate.engine.why.explanation import Explanation, Fact, Finding
from sluicegate.engine.why.situation import Autoscaler, Situation, Trouble, Warned

__all__ = [
    "Autoscaler",
    "Commands",
    "Explanation",
    "Fact",
    "Finding",
    "Situation",
    "Trouble",
    "Warned",
    "explain",
]
