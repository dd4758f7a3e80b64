"""What this version cannot reconcile yet: such a Rollout is left wholly untouched, and told so."""

from typing import Final

from sluicegate.api.rollout import Rollout

UNSUPPORTED: Final = "UnsupportedField"
"""The reason of the event that tells of it."""


def unsupported_field(rollout: Rollout) -> str | None:
    """The path of the first field that asks for something not built yet; None when all of it can be reconciled."""
    canary = rollout.spec.strategy.canary
    return "spec.strategy.canary.analysis" if canary is not None and canary.analysis is not None else None
