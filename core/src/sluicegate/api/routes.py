"""The traffic state a Rollout wants, whole: what the engine declares and what every traffic router is handed.

Plain values only. Routes are declared, not commanded: a route that is not listed is not wanted, so nothing here says
"add" or "remove", and a new capability becomes a new field.
"""

from dataclasses import dataclass

from sluicegate.api.steps import HeaderRoutingMatch, RouteMatch


@dataclass(frozen=True, slots=True)
class Destination:
    """One version that receives traffic: its Service, the hash of its pods, its weight out of `Routes.max_weight`.

    `service` is empty where the Rollout names none (subset routing); `pod_template_hash` is empty before the first
    ReplicaSet exists.
    """

    service: str
    pod_template_hash: str
    weight: int


@dataclass(frozen=True, slots=True)
class HeaderRoute:
    """Sends the requests that match to the canary, whatever the weights; `matches` is never empty.

    Whether the matches are alternatives or must all hold is the router's to say in its docs (traffic 1.13).
    """

    name: str
    matches: tuple[HeaderRoutingMatch, ...]


@dataclass(frozen=True, slots=True)
class MirrorRoute:
    """Copies `percentage` (0 to 100) of the requests that match to the canary, whose answers no user sees.

    `matches` is never empty.
    """

    name: str
    matches: tuple[RouteMatch, ...]
    percentage: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Stickiness:
    """The cookie that keeps a user on the version that answered first; its value is that version's pod template hash.

    `max_age` is in seconds. Without `stable_cookie_name` only users of the canary stick.
    """

    cookie_name: str
    max_age: int = 86400
    domain: str = ""
    path: str = ""
    http_only: bool = False
    secure: bool = False
    partitioned: bool = False
    same_site: str = ""
    stable_cookie_name: str = ""


@dataclass(frozen=True, slots=True)
class PingPong:
    """Which of the two ping-pong Services is stable now and which is the canary."""

    stable_service: str
    canary_service: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Routes:
    """The whole traffic state wanted now.

    Weights are whole numbers out of `max_weight`; the stable one is what canary and experiments leave, at least 0.
    `header_routes` and `mirror_routes` are in order of precedence, highest first. `managed_routes` names every route
    that may ever be set, in that order too: one of them that is not wanted now is to be absent.
    Raises ValueError if a weight is out of range or the stable one is not the rest.
    """

    stable: Destination
    canary: Destination
    experiments: tuple[Destination, ...] = ()
    max_weight: int = 100
    header_routes: tuple[HeaderRoute, ...] = ()
    mirror_routes: tuple[MirrorRoute, ...] = ()
    managed_routes: tuple[str, ...] = ()
    stickiness: Stickiness | None = None
    ping_pong: PingPong | None = None

    def __post_init__(self) -> None:
        for destination in (self.canary, *self.experiments):
            if not 0 <= destination.weight <= self.max_weight:
                raise ValueError(
                    f"weight of service {destination.service!r} is {destination.weight}, must be 0 to {self.max_weight}"
                )
        rest = max(0, self.max_weight - self.canary.weight - sum(item.weight for item in self.experiments))
        if self.stable.weight != rest:
            raise ValueError(f"weight of the stable service is {self.stable.weight}, the others leave {rest}")

    def services(self, *, prefer_ping_pong: bool) -> tuple[str, str]:
        """The stable and the canary Service for a router that knows ping-pong.

        Preferred, the ping-pong pair is used whenever there is one; else only where the Rollout names no other Service.
        """
        named = (self.stable.service, self.canary.service)
        if self.ping_pong is None or (any(named) and not prefer_ping_pong):
            return named
        return self.ping_pong.stable_service, self.ping_pong.canary_service
