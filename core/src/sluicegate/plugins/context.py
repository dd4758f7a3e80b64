"""What a router is given with each call. It holds what plugins need and nothing more: no client, no credentials."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Literal, TypeVar

from sluicegate.plugins.config import Config

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable
    from datetime import datetime

    from sluicegate.api.rollout import Rollout
    from sluicegate.plugins.objects import Objects

ConfigT = TypeVar("ConfigT", bound=Config)


@dataclass(frozen=True, slots=True)
class Event:
    """A Kubernetes event that a router wants recorded on the Rollout."""

    type: Literal["Normal", "Warning"]
    reason: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RouterContext(Generic[ConfigT]):
    """One Rollout's view for one call of a router.

    Attributes: `config` (the parsed settings), `rollout` (as last read), `objects` (the cluster, bound to the Rollout's
    namespace), `record` (takes an Event; never blocks or fails), `logger` (its messages name the Rollout), `now` (aware
    UTC time of the core's clock).
    """

    config: ConfigT
    rollout: Rollout
    objects: Objects
    record: Callable[[Event], None]
    logger: logging.Logger
    now: Callable[[], datetime]
