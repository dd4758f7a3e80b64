"""The one gate that every call into a plugin passes: deadline, one kind of error, counts, rest for what keeps failing.

One bad plugin then degrades the Rollouts that use it and nothing else.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

from sluicegate.errors import PluginError, SluicegateError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

T = TypeVar("T")

DEADLINE_SECONDS: Final = 10.0
FAILURES_BEFORE_REST: Final = 3
LONGEST_REST_SECONDS: Final = 30.0  # short, as an abort must get through soon after a plugin has recovered


class Outcome(StrEnum):
    """How a call into a plugin ended."""

    OK = "ok"
    ERROR = "error"
    DEADLINE = "deadline"
    REFUSED = "refused"


class CallCount(NamedTuple):
    """What calls are counted by."""

    plugin: str
    operation: str
    outcome: Outcome


class _Call(NamedTuple):
    plugin: str
    operation: str
    scope: str

    def __str__(self) -> str:
        return f"plugin `{self.plugin}`, {self.operation}"


@dataclass(slots=True)
class _Failures:
    count: int
    rests_until: float
    last: str

    def __str__(self) -> str:
        # Of a failed and of a refused call alike, and without times: it is stored, and each change would be a write.
        return (
            self.last if self.count < FAILURES_BEFORE_REST else f"keeps failing and is called less often: {self.last}"
        )


class Guard:
    """Calls into plugins, with `deadline` in seconds for those that wait; `now` is a monotonic clock in seconds.

    Failures in a row are kept for each plugin, operation and scope (the Rollout's namespace and name), so what one
    Rollout's settings provoke leaves the plugin's other Rollouts alone. From the third on, calls are refused for 1, 2,
    4 ... at most 30 seconds, and failed and refused calls have the same text as long as the plugin's error has.
    """

    def __init__(self, *, deadline: float = DEADLINE_SECONDS, now: Callable[[], float] = time.monotonic) -> None:
        self.counts: Counter[CallCount] = Counter()
        self._deadline = deadline
        self._now = now
        self._failures: dict[_Call, _Failures] = {}

    async def call(
        self, plugin: str, operation: str, function: Callable[..., Awaitable[T]], *arguments: object, scope: str = ""
    ) -> T:
        """Await `function(*arguments)`; raises PluginError if it raises, passes the deadline or is at rest.

        A plugin that blocks the event loop, or that swallows its cancellation, is beyond a deadline's reach.
        """
        call = _Call(plugin, operation, scope)
        with self._watched(call):
            deadline = asyncio.timeout(self._deadline)
            try:
                async with deadline:
                    return await function(*arguments)
            except TimeoutError:
                if deadline.expired():
                    raise _DeadlineExpired(f"no answer within {self._deadline:g} s") from None
                raise
            except asyncio.CancelledError as error:
                if _is_own_cancellation():
                    raise
                raise RuntimeError("it was cancelled from within") from error

    def call_pure(
        self, plugin: str, operation: str, function: Callable[..., T], *arguments: object, scope: str = ""
    ) -> T:
        """Call `function(*arguments)`, which must be quick, as nothing can interrupt it; raises PluginError."""
        with self._watched(_Call(plugin, operation, scope)):
            return function(*arguments)

    def forget(self, scope: str) -> None:
        """Drop what is kept of a scope that is gone."""
        self._failures = {call: failures for call, failures in self._failures.items() if call.scope != scope}

    @contextmanager
    def _watched(self, call: _Call) -> Iterator[None]:
        self._refuse_at_rest(call)
        try:
            yield
        except _DeadlineExpired as error:
            raise self._failed(call, Outcome.DEADLINE, error) from None
        # SystemExit too: a plugin must not be able to end the process.
        except (Exception, SystemExit) as error:
            raise self._failed(call, Outcome.ERROR, error) from error
        self._failures.pop(call, None)
        self._count(call, Outcome.OK)

    def _refuse_at_rest(self, call: _Call) -> None:
        failures = self._failures.get(call)
        if failures is None or failures.rests_until <= self._now():
            return
        self._count(call, Outcome.REFUSED)
        raise _plugin_error(call, failures)

    def _failed(self, call: _Call, outcome: Outcome, error: BaseException) -> PluginError:
        self._count(call, outcome)
        count = self._failures[call].count + 1 if call in self._failures else 1
        failures = _Failures(count, self._now() + _rest_seconds(count), _text(error))
        self._failures[call] = failures
        return _plugin_error(call, failures)

    def _count(self, call: _Call, outcome: Outcome) -> None:
        self.counts[CallCount(call.plugin, call.operation, outcome)] += 1


class _DeadlineExpired(Exception):
    """The plugin did not answer in time; a TimeoutError of its own making is another thing."""


def _is_own_cancellation() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _rest_seconds(failures: int) -> float:
    if failures < FAILURES_BEFORE_REST:
        return 0.0
    doublings = min(failures - FAILURES_BEFORE_REST, 10)  # more than enough for the longest, and never an overflow
    return min(2.0**doublings, LONGEST_REST_SECONDS)


def _text(error: BaseException) -> str:
    if isinstance(error, SluicegateError | _DeadlineExpired):
        return str(error)
    return f"{type(error).__name__}: {error}"


def _plugin_error(call: _Call, failures: _Failures) -> PluginError:
    return PluginError(f"{call}: {failures}", plugin=call.plugin, operation=call.operation)
