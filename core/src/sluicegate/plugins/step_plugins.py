"""What a step plugin implements: a canary step of one's own, under `steps[].plugin` (rollout 6.9)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Generic

from sluicegate.plugins.configured import Configured
from sluicegate.plugins.context import ConfigT

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable
    from datetime import datetime

    from sluicegate.api.rollout import Rollout
    from sluicegate.plugins.objects import Objects


class StepPhase(StrEnum):
    """How far a call of a step plugin has brought its step."""

    RUNNING = "Running"
    """Not done; `run` is called again. Only `run` may answer so."""
    SUCCESSFUL = "Successful"
    """Done; the next step begins."""
    FAILED = "Failed"
    """The update must not go on: it is aborted."""
    ERROR = "Error"
    """It could not be found out; `run` is called again in 30 seconds. Raising an exception says the same."""


@dataclass(frozen=True, slots=True)
class StepResult:
    """What a call came to.

    Attributes: `phase`, `message` (for users), `requeue_after` (seconds until `run` is to be called again; 10 and less
    stand for 30), `status` (any JSON value: stored in the Rollout, and handed to the next call for this step).
    """

    phase: StepPhase
    message: str = ""
    requeue_after: float = 0.0
    status: Any = None

    @classmethod
    def running(cls, message: str = "", *, requeue_after: float = 0.0, status: Any = None) -> StepResult:
        """Not done yet."""
        return cls(StepPhase.RUNNING, message, requeue_after, status)

    @classmethod
    def successful(cls, message: str = "", *, status: Any = None) -> StepResult:
        """Done."""
        return cls(StepPhase.SUCCESSFUL, message, status=status)

    @classmethod
    def failed(cls, message: str, *, status: Any = None) -> StepResult:
        """The update is to be aborted, and `message` says why."""
        return cls(StepPhase.FAILED, message, status=status)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepContext(Generic[ConfigT]):
    """One Rollout's view for one call of a step plugin.

    Attributes: `config` (the parsed settings of the step), `rollout` (as this pass sees it), `objects` (the cluster,
    bound to the Rollout's namespace), `logger` (its messages name the Rollout), `now` (aware UTC time of the core's
    clock).
    """

    config: ConfigT
    rollout: Rollout
    objects: Objects
    logger: logging.Logger
    now: Callable[[], datetime]


class StepPlugin(Configured[ConfigT], ABC):
    """Carries out the canary steps that name it.

    One instance serves all Rollouts and all their steps: it keeps no state but what it answers as `StepResult.status`.
    `name` is what `steps[].plugin.name` says. `config` is taken from the type argument. A call whose answer was lost
    (the process ended, the status could not be written) is made again with the same status, so all must be idempotent.
    """

    @abstractmethod
    async def run(self, context: StepContext[ConfigT], status: Any) -> StepResult:
        """Begin the step, or go on with it; `status` is what the last call answered, None at first."""

    async def terminate(self, context: StepContext[ConfigT], status: Any) -> StepResult:
        """Stop a step that is running, as the update is over without it; `status` is what `run` answered last."""
        return StepResult.successful()

    async def abort(self, context: StepContext[ConfigT], status: Any) -> StepResult:
        """Undo a step that is running or done, as the update is aborted; `status` is what `run` answered last."""
        return StepResult.successful()
