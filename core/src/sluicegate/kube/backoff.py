"""Delays between attempts that grow and are jittered, so that many clients do not come back in step."""

from __future__ import annotations

import random


class Backoff:
    """Exponential delays in seconds, from `first` doubling up to `cap`, each shortened at random by up to half."""

    def __init__(self, *, first: float, cap: float) -> None:
        self._first = first
        self._cap = cap
        self._next = first

    def next(self) -> float:
        """The delay to wait now; the one after it is twice as long."""
        delay = self._next
        self._next = min(delay * 2, self._cap)
        return delay * random.uniform(0.5, 1.0)

    def reset(self) -> None:
        """Start again at the first delay."""
        self._next = self._first
