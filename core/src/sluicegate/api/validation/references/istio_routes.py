"""The routes of an Istio VirtualService, as far as validation reads them; null and absent are the same."""

from __future__ import annotations

from msgspec import Struct, field


class _Part(Struct, frozen=True, rename="camel"):
    """A frozen struct with camelCase JSON names; unknown members are skipped."""


class TextMatch(_Part, frozen=True):
    """How a text is compared."""

    exact: str | None = None
    prefix: str | None = None
    regex: str | None = None


class HttpMatch(_Part, frozen=True):
    """Which requests a route takes."""

    method: TextMatch | None = None
    uri: TextMatch | None = None
    headers: dict[str, TextMatch | None] | None = None


class Port(_Part, frozen=True):
    """A port of a destination."""

    number: int | None = None


class Destination(_Part, frozen=True):
    """Where requests go: a host, or a subset of it."""

    host: str | None = None
    subset: str | None = None
    port: Port | None = None

    @property
    def service(self) -> str:
        """The host up to its first dot."""
        return (self.host or "").partition(".")[0]


class WeightedDestination(_Part, frozen=True):
    """A destination with its share."""

    destination: Destination | None = None
    weight: int | None = None


class Route(_Part, frozen=True):
    """What the routes of all kinds have."""

    route: list[WeightedDestination] | None = None


class HttpRoute(Route, frozen=True):
    """A route of HTTP requests."""

    name: str | None = None
    match: list[HttpMatch] | None = None
    mirror: Destination | None = None


class TlsMatch(_Part, frozen=True):
    """Which TLS connections a route takes. The incumbent reads `sniHosts`, Istio writes `snihosts`."""

    port: int | None = None
    sni_hosts: list[str] | None = None
    istio_sni_hosts: list[str] | None = field(default=None, name="snihosts")


class TlsRoute(Route, frozen=True):
    """A route of TLS connections."""

    match: list[TlsMatch] | None = None


class TcpMatch(_Part, frozen=True):
    """Which TCP connections a route takes."""

    port: int | None = None


class TcpRoute(Route, frozen=True):
    """A route of TCP connections."""

    match: list[TcpMatch] | None = None


def ports_of(route: TlsRoute | TcpRoute) -> set[int]:
    """The ports that a route's matches name; a match without one, and a route without matches, name 0."""
    return {match.port or 0 for match in route.match or ()} or {0}


def sni_hosts_of(route: TlsRoute) -> set[str]:
    """The hosts that a TLS route's matches name."""
    lists = [names for match in route.match or () for names in (match.sni_hosts, match.istio_sni_hosts)]
    return {name for names in lists for name in names or ()}
