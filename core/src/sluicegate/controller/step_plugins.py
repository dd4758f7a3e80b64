"""The shell around step plugins: carries out the calls that the engine asks for, and hands back what was answered."""

import copy
import json
import logging
import math
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Any, Final

from sluicegate.api.rollout import Rollout
from sluicegate.controller.caches import Key
from sluicegate.controller.objects import RolloutObjects
from sluicegate.controller.plugin_loggers import plugin_logger
from sluicegate.controller.watches import Watches
from sluicegate.engine.step_entries import Answered, CallFailed, NotCalled, PluginDisabled, StepAnswer, StepCall
from sluicegate.errors import ConfigError, PluginError
from sluicegate.kube.client import Client
from sluicegate.plugins.config import Config
from sluicegate.plugins.configured import parsed_settings
from sluicegate.plugins.guard import Guard
from sluicegate.plugins.registry import AnyStepPlugin, Registry
from sluicegate.plugins.step_plugins import StepContext, StepResult

logger = logging.getLogger(__name__)

_LONGEST_REQUEUE_SECONDS: Final = 365 * 24 * 3600


class StepPlugins:
    """The step plugins of this process, as a pass over a Rollout calls them.

    `clock` gives aware UTC time. The steps of plugins that are `disabled` count as done, whether installed or not.
    """

    def __init__(
        self,
        client: Client,
        watches: Watches,
        registry: Registry,
        guard: Guard,
        clock: Callable[[], datetime],
        *,
        disabled: Collection[str] = (),
    ) -> None:
        self._client = client
        self._watches = watches
        self._registry = registry
        self._guard = guard
        self._clock = clock
        self._disabled = frozenset(disabled)
        self._scopes: dict[Key, set[str]] = {}

    async def answers(self, rollout: Rollout, calls: Sequence[StepCall]) -> tuple[StepAnswer, ...]:
        """Make the calls one after the other; none that fails keeps the next from being made."""
        return tuple([await self._answer(rollout, call) for call in calls])

    def refusal(self, rollout: Rollout) -> str | None:
        """What is wrong with the settings of plugin steps, a line for each field with its path, if anything.

        It is to be known before anything moves. Plugins that are not installed are not judged.
        """
        canary = rollout.spec.strategy.canary
        steps = enumerate(canary.steps or ()) if canary else ()
        faults = (self._fault(index, step.plugin.name, step.plugin.config) for index, step in steps if step.plugin)
        return "\n".join(filter(None, faults)) or None

    def forget(self, key: Key) -> None:
        """Drop what is kept of a Rollout that is gone."""
        for scope in self._scopes.pop(key, ()):
            self._guard.forget(scope)

    def _fault(self, index: int, name: str, settings: object) -> str:
        if name in self._disabled:
            return ""
        try:
            _parsed(self._registry.step_plugin(name), index, settings)
        except ConfigError as error:
            return str(error)
        except PluginError:
            return ""
        return ""

    async def _answer(self, rollout: Rollout, call: StepCall) -> StepAnswer:
        if call.name in self._disabled:
            return PluginDisabled(call)
        try:
            plugin = self._registry.step_plugin(call.name)
            context = self._context(rollout, plugin, _parsed(plugin, call.index, call.config))
        except (ConfigError, PluginError) as error:
            where = f"could not create step plugin at index {call.index}"
            return NotCalled(call, f"{where} : failed to get step plugin {call.name}: {error}")
        operation, scope = call.operation.lower(), self._scope(rollout, call.index)
        try:
            return await self._guard.call(plugin.name, operation, _answered, plugin, context, call, scope=scope)
        except PluginError as error:
            return CallFailed(call, str(error))

    def _context(self, rollout: Rollout, plugin: AnyStepPlugin, config: Config) -> StepContext[Any]:
        return StepContext(
            config=config,
            rollout=rollout,
            objects=RolloutObjects(self._client, self._watches, (rollout.metadata.namespace, rollout.metadata.name)),
            logger=plugin_logger(logger, rollout, plugin.name),
            now=self._clock,
        )

    def _scope(self, rollout: Rollout, index: int) -> str:
        """One for each step: a plugin that keeps failing at one is still called, as it must be, to undo another."""
        key = (rollout.metadata.namespace, rollout.metadata.name)
        scope = "/".join((*key, str(index)))
        self._scopes.setdefault(key, set()).add(scope)
        return scope


def _parsed(plugin: AnyStepPlugin, index: int, settings: object) -> Config:
    """The settings of a step; raises ConfigError, and PluginError if the plugin cannot judge them."""
    path = f"spec.strategy.canary.steps[{index}].plugin.config"
    return parsed_settings(plugin, {} if settings is None else settings, path)


async def _answered(plugin: AnyStepPlugin, context: StepContext[Any], call: StepCall) -> Answered:
    """One call; what is stored is copied on its way in and out, so that no plugin changes it behind our back."""
    operation = call.operation.lower()
    result: Any = await getattr(plugin, operation)(context, copy.deepcopy(call.status))
    if not (isinstance(result, StepResult) and isinstance(result.message, str) and _is_requeue(result.requeue_after)):
        text = f"answered {result!r:.200}, must be a StepResult with a text and at most a year of seconds"
        raise PluginError(text, plugin=plugin.name, operation=operation)
    status = json.loads(json.dumps(result.status, allow_nan=False))
    return Answered(call, str(result.phase), result.message, float(result.requeue_after), status)


def _is_requeue(seconds: object) -> bool:
    is_number = isinstance(seconds, int | float) and not isinstance(seconds, bool) and math.isfinite(seconds)
    return is_number and 0 <= seconds <= _LONGEST_REQUEUE_SECONDS  # type: ignore[operator]
