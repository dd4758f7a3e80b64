"""A status that was decided and not written yet.

A pass often decides nothing but the status, and the next one needs nothing from the cluster but that: it is then
decided in memory, and both are written at once. Whatever else is written waits until the status before it is stored, so
that a process that dies in between ends in the same place.
"""

from collections.abc import Mapping
from typing import Any, Final

from sluicegate.api.merge import apply_merge_patch, merge_patch
from sluicegate.api.rollout import Rollout
from sluicegate.api.status import RolloutStatus
from sluicegate.controller.execute import Execution
from sluicegate.engine.decision import Decision, Event

_TOLD: Final = ("currentStepIndex", "stableRS", "phase", "message")
"""What people and tools follow on a watch: no value of these is skipped."""


class UnsentStatus:
    """The Rollout with the status as decided so far, and the writing of what of it is new."""

    def __init__(self, rollout: Rollout, stored: Mapping[str, Any] | None, execution: Execution) -> None:
        self.rollout = rollout
        self._execution = execution
        self._stored: Mapping[str, Any] = stored or {}
        self._decided: Mapping[str, Any] = self._stored
        self._events: list[Event] = []

    async def take(self, decision: Decision) -> bool:
        """Take the status and the events of a decision without actions; whether it changes anything.

        A step, a phase or a stable version that nobody would have seen is written before it is replaced.
        """
        if decision.status:
            if any(key in decision.status and self._is_new(key) for key in _TOLD):
                await self.send()
            self._decided = apply_merge_patch(self._decided, decision.status)
            status = RolloutStatus.model_validate(self._decided)
            self.rollout = self.rollout.model_copy(update={"status": status})
        self._events.extend((*decision.opening, *decision.events))
        return bool(decision.status)

    def _is_new(self, key: str) -> bool:
        return self._stored.get(key) != self._decided.get(key)

    async def send(self) -> None:
        """Write what is new, then record the events that belong to it; nothing if nothing is new."""
        patch = merge_patch(self._stored, self._decided)
        self._stored = self._decided
        events, self._events = tuple(self._events), []
        if patch or events:
            await self._execution.carry_out(Decision(status=patch, events=events))
