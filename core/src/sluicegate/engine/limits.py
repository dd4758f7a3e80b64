"""What this version cannot reconcile yet: such a Rollout is left wholly untouched, and told so."""

from collections.abc import Iterator

from sluicegate.api.rollout import CanaryStep, CanaryStrategy, Rollout

_STEP_KINDS = {
    "experiment": "experiment",
    "analysis": "analysis",
    "plugin": "plugin",
}
_CANARY_FIELDS = {
    "traffic_routing": "trafficRouting",
    "analysis": "analysis",
    "canary_service": "canaryService",
    "stable_service": "stableService",
    "anti_affinity": "antiAffinity",
    "canary_metadata": "canaryMetadata",
    "stable_metadata": "stableMetadata",
    "ping_pong": "pingPong",
}


def unsupported_field(rollout: Rollout) -> str | None:
    """The path of the first field that asks for something not built yet; None when all of it can be reconciled."""
    return next(_unsupported(rollout), None)


def _unsupported(rollout: Rollout) -> Iterator[str]:
    spec = rollout.spec
    if spec.workload_ref is not None:
        yield "spec.workloadRef"
    if spec.strategy.blue_green is not None:
        yield "spec.strategy.blueGreen"
    if spec.restart_at is not None and spec.restart_at != rollout.status.restarted_at:
        yield "spec.restartAt"
    if spec.strategy.canary is not None:
        yield from _unsupported_canary(spec.strategy.canary)


def _unsupported_canary(canary: CanaryStrategy) -> Iterator[str]:
    for attribute, field in _CANARY_FIELDS.items():
        if getattr(canary, attribute):
            yield f"spec.strategy.canary.{field}"
    for index, step in enumerate(canary.steps or ()):
        yield from (f"spec.strategy.canary.steps[{index}].{field}" for field in _unsupported_kinds(step))


def _unsupported_kinds(step: CanaryStep) -> Iterator[str]:
    return (field for attribute, field in _STEP_KINDS.items() if getattr(step, attribute) is not None)
