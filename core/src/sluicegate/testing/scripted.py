"""A step plugin for tests: a ConfigMap says what it answers, and has a record of its calls.

It is a plugin like any other, but no installation brings it: it is loaded from a `--plugin-dir` with a file that says
`from sluicegate.testing.scripted import register_step_plugins`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sluicegate.api.resources import CONFIG_MAPS
from sluicegate.plugins import Config, ObjectReference, StepPhase, StepPlugin, StepResult, hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sluicegate.plugins import StepContext

CALLS: Final = "calls"
"""The key of the ConfigMap that has the calls so far, as in `run run abort`."""


class ScriptedStepConfig(Config):
    """The ConfigMap with the script, which must exist; `requeue_after` (seconds) goes with each answer of `run`."""

    config_map: str
    requeue_after: float = 0.0


class ScriptedStep(StepPlugin[ScriptedStepConfig]):
    """Answers what the keys `run`, `terminate` and `abort` of a ConfigMap say, `Successful` without them.

    An answer is `PHASE` or `PHASE: MESSAGE`; `raise: TEXT` makes the call fail. The status counts the runs:
    `{"runs": 2}`.
    """

    name = "sluicegate/scripted"

    async def run(self, context: StepContext[ScriptedStepConfig], status: Any) -> StepResult:
        phase, message = await _answer(context, "run")
        runs = (status or {}).get("runs", 0) + 1
        return StepResult(phase, message, context.config.requeue_after, {"runs": runs})

    async def terminate(self, context: StepContext[ScriptedStepConfig], status: Any) -> StepResult:
        return StepResult(*await _answer(context, "terminate"))

    async def abort(self, context: StepContext[ScriptedStepConfig], status: Any) -> StepResult:
        return StepResult(*await _answer(context, "abort"))


@hookimpl
def register_step_plugins() -> Iterable[type[StepPlugin[Any]]]:
    """Bring the scripted step plugin, wherever this function is imported as a plugin."""
    return [ScriptedStep]


async def _answer(context: StepContext[ScriptedStepConfig], operation: str) -> tuple[StepPhase, str]:
    """Note the call, then say what the script says."""
    script = ObjectReference(CONFIG_MAPS, context.config.config_map)
    observed = await context.objects.get(script)
    data = observed.get("data") or {}
    calls = f"{data.get(CALLS, '')} {operation}".strip()
    await context.objects.update(script, observed, {**observed, "data": {**data, CALLS: calls}})
    phase, _, message = data.get(operation, StepPhase.SUCCESSFUL).partition(": ")
    if phase == "raise":
        raise RuntimeError(message)
    return StepPhase(phase), message
