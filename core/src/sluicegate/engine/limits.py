"""What this version cannot reconcile yet: such a Rollout is left wholly untouched, and told so."""

from collections.abc import Iterator

from sluicegate.api.rollout import CanaryStrategy, Rollout


def unsupported_field(rollout: Rollout) -> str | None:
    """The path of the first field that asks for something not built yet; None when all of it can be reconciled."""
    return next(_unsupported(rollout.spec.strategy.canary or CanaryStrategy()), None)


def _unsupported(canary: CanaryStrategy) -> Iterator[str]:
    if canary.analysis is not None:
        yield "spec.strategy.canary.analysis"
    for index, step in enumerate(canary.steps or ()):
        if step.plugin is not None:
            yield f"spec.strategy.canary.steps[{index}].plugin"
