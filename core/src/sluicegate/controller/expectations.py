"""Waiting for the caches to show what this process has written, so that no pass decides on what it knows to be old."""

from collections.abc import Callable
from dataclasses import dataclass, field

PATIENCE_SECONDS = 5.0
"""After this long the cache counts as right: the object may have been deleted meanwhile."""

Shown = Callable[[str, str], str | None]
"""Resource version that a cache shows of an object, by plural and name; None when it shows none."""


@dataclass(slots=True)
class Expectations:
    """The versions written for one Rollout, by plural and name; `now` is a monotonic time in seconds."""

    _written: dict[tuple[str, str], tuple[int, float]] = field(default_factory=dict)

    def expect(self, plural: str, name: str, resource_version: str, now: float) -> None:
        """Remember a write's answer."""
        if resource_version.isdecimal():
            self._written[plural, name] = (int(resource_version), now + PATIENCE_SECONDS)

    def met(self, shown: Shown, now: float) -> bool:
        """Whether the caches have caught up with all that was written."""
        self._written = {
            key: (version, until)
            for key, (version, until) in self._written.items()
            if now < until and not _reached(shown(*key), version)
        }
        return not self._written


def _reached(shown: str | None, version: int) -> bool:
    return shown is not None and shown.isdecimal() and int(shown) >= version
