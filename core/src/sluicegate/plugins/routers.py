"""What a traffic router implements, and the small values it answers with."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar

from sluicegate.plugins.config import Config
from sluicegate.plugins.configured import Configured
from sluicegate.plugins.context import ConfigT, RouterContext

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from sluicegate.api.routes import Routes


class Capability(StrEnum):
    """What a router can do. A step that needs another capability is refused before anything moves."""

    WEIGHTS = "weights"
    """Shares requests between stable and canary by weight."""
    HEADERS = "headers"
    """Sets header routes."""
    MIRROR = "mirror"
    """Sets mirror routes."""
    STICKY = "sticky"
    """Keeps users on the version that answered first."""
    EXPERIMENTS = "experiments"
    """Gives weights to the versions of an experiment."""
    VERIFY = "verify"
    """Asks the data plane whether the routes are in force."""
    PING_PONG = "ping_pong"
    """Follows a pair of Services that swap roles."""
    FRACTIONAL_WEIGHTS = "fractional_weights"
    """Takes a `Routes.max_weight` other than 100, and so shares below one percent."""
    POD_COUNT = "pod_count"
    """Turns a weight into numbers of pods instead of writing routes."""


@dataclass(frozen=True, slots=True)
class Verification:
    """Whether the data plane has the routes in force: True, False, or None where the router cannot be asked.

    What could not be found out is False, never None and never True. `message` says what is missing.
    """

    verified: bool | None
    message: str = ""

    @classmethod
    def confirmed(cls) -> Verification:
        """The data plane was asked and has them."""
        return cls(True)

    @classmethod
    def pending(cls, message: str) -> Verification:
        """Not yet, or unknown; the core asks again."""
        return cls(False, message)

    @classmethod
    def not_applicable(cls) -> Verification:
        """There is nothing to ask; nothing waits for it."""
        return cls(None)


class TrafficRouter(Configured[ConfigT], ABC):
    """Makes the traffic of a Rollout match its `Routes`.

    One instance serves all Rollouts: it keeps no state, and every call is idempotent. `name` is the key under
    `trafficRouting` or `trafficRouting.plugins` that selects it. `config` is taken from the type argument. A call that
    raises anything fails the pass and is tried again with a growing delay; the error's text reaches the user.
    """

    capabilities: ClassVar[AbstractSet[Capability]]

    @abstractmethod
    async def apply(self, context: RouterContext[ConfigT], routes: Routes) -> None:
        """Make the data plane match `routes`, writing only what differs; called on every pass, so drift is healed."""

    async def verify(self, context: RouterContext[ConfigT], routes: Routes) -> Verification:
        """Say whether `routes` are in force; called after `apply`, and only to be overridden with Capability.VERIFY."""
        return Verification.not_applicable()


@dataclass(frozen=True, slots=True)
class PodCounts:
    """How many pods of each version stand for a weight."""

    canary: int
    stable: int


class PodCountRouter(TrafficRouter[Config]):
    """Serves Rollouts without `trafficRouting`: their Services balance over pods, so pods are the weight.

    It writes nothing; the core sizes the ReplicaSets, within maxSurge and maxUnavailable, towards the counts it gives.
    """

    capabilities = frozenset({Capability.POD_COUNT})

    @abstractmethod
    def split(self, weight: int, max_weight: int, replicas: int, max_surge: int) -> PodCounts:
        """Split `replicas` pods so that the canary's share comes near `weight` out of `max_weight`.

        Pure. 0 <= `weight` <= `max_weight`, `replicas` and `max_surge` at least 0, `max_surge` in pods. Both counts
        together are at least `replicas` and at most `replicas + max_surge`; at weight 0 the canary has no pod, at
        `max_weight` stable has none, and the core does not ask for these two. An answer whose sum is below `replicas`
        or above `replicas + max(max_surge, 1)` counts as a failure of the plugin.
        """

    async def apply(self, context: RouterContext[Config], routes: Routes) -> None:
        """Write nothing: the pods are the routes."""
