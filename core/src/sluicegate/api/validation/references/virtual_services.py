"""What an Istio VirtualService must be like so that a canary can be weighed on it (rollout 1.7, row B4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from sluicegate.api.validation.field_error import FieldError, invalid
from sluicegate.api.validation.references.istio_routes import (
    HttpRoute,
    Route,
    TcpRoute,
    TlsRoute,
    ports_of,
    sni_hosts_of,
)
from sluicegate.api.validation.references.reference import member, name_of
from sluicegate.api.validation.references.uses import ROUTING, VirtualServiceUse, routing_of, virtual_service_uses

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sluicegate.api.rollout import CanaryStrategy, Rollout
    from sluicegate.api.traffic_routing import IstioRouting, IstioVirtualService

_LISTS: Final[dict[str, Any]] = {"http": list[HttpRoute], "tls": list[TlsRoute], "tcp": list[TcpRoute]}
_MEMBERS: Final = {"http": "routes", "tls": "tlsRoutes", "tcp": "tcpRoutes"}


class _Sides(NamedTuple):
    """What a route must lead to: two subsets, or two Services."""

    noun: str
    canary: str
    stable: str

    def fault_of(self, route: Route) -> str | None:
        ends = [destination.destination for destination in route.route or () if destination.destination]
        found = {end.subset or "" for end in ends} if self.noun == _SUBSET else {end.service for end in ends}
        for side, name in (("Canary", self.canary), ("Stable", self.stable)):
            if not name or name not in found:
                return f"{side} {self.noun} '{name}' not found in route"
        return None


_SUBSET: Final = "DestinationRule subset"
_SERVICE: Final = "Service"


class _Fault(Exception):
    """A VirtualService has no routes that a canary could be weighed on."""


def named_virtual_service_errors(rollout: Rollout, service: Mapping[str, Any]) -> Iterator[FieldError]:
    """What is wrong with a VirtualService said to be a Rollout's; nothing if it has Istio and names another."""
    routing = routing_of(rollout)
    if not routing or not routing.istio:
        detail = "Rollout object is not configured with Istio traffic routing"
        yield invalid(f"{ROUTING}.istio", rollout.name, detail)
        return
    use = next((use for use in virtual_service_uses(rollout) if use.name == name_of(service)), None)
    if use:
        yield from virtual_service_errors(rollout, use, service)


def virtual_service_errors(
    rollout: Rollout, use: VirtualServiceUse, service: Mapping[str, Any]
) -> Iterator[FieldError]:
    """What is wrong with a VirtualService at the field that names it: at most one finding for each kind of route."""
    canary, routing = rollout.spec.strategy.canary, routing_of(rollout)
    if not canary or not routing or not routing.istio:
        return
    present = [kind for kind in _LISTS if isinstance(member(service, "spec", kind), list)]
    if not present:
        detail = "Unable to get any of the HTTP, TCP or TLS routes for the Istio VirtualService"
        yield invalid(use.path, use.name, detail)
    sides = _sides(canary, routing.istio, rollout.status.canary.stable_ping_pong)
    managed = frozenset(route.name for route in routing.managed_routes or ())
    for kind in present:
        try:
            _check(kind, member(service, "spec", kind), use.wanted, sides, managed)
        except msgspec.ValidationError:
            yield invalid(use.path, use.name, f"Unable to get {kind.upper()} routes for Istio VirtualService")
        except _Fault as fault:
            detail = f"Istio VirtualService has invalid {kind.upper()} routes. Error: {fault}"
            yield invalid(use.path, use.name, detail)


def _sides(canary: CanaryStrategy, istio: IstioRouting, stable_ping_pong: str) -> _Sides:
    rule, swapped = istio.destination_rule, canary.ping_pong
    if rule:
        return _Sides(_SUBSET, rule.canary_subset_name, rule.stable_subset_name)
    if canary.canary_service or canary.stable_service or not swapped:
        return _Sides(_SERVICE, canary.canary_service, canary.stable_service)
    if stable_ping_pong == "ping":
        return _Sides(_SERVICE, swapped.pong_service, swapped.ping_service)
    return _Sides(_SERVICE, swapped.ping_service, swapped.pong_service)


def _check(kind: str, raw: list[Any], wanted: IstioVirtualService, sides: _Sides, managed: frozenset[str]) -> None:
    """Raises _Fault for the first rule that the routes of one kind break, msgspec.ValidationError for a wrong type."""
    routes: Sequence[Any] = msgspec.convert(raw, _LISTS[kind])
    listed = {"http": wanted.routes, "tls": wanted.tls_routes, "tcp": wanted.tcp_routes}[kind]
    for route in _CHOOSERS[kind](wanted, routes):
        fault = sides.fault_of(route)
        if fault:
            raise _Fault(fault)
    counted = [route for route in routes if not (kind == "http" and (route.name or "") in managed)]
    if not listed and len(counted) > 1:
        raise _Fault(
            f"spec.{kind}[] should be set in VirtualService and it must have exactly one route when omitting "
            f"{ROUTING}.istio.virtualService.{_MEMBERS[kind]}"
        )


def _choose_http(wanted: IstioVirtualService, routes: Sequence[HttpRoute]) -> list[HttpRoute]:
    if not wanted.routes:
        return list(routes) if len(routes) == 1 else [route for route in routes if not route.name][:1]
    by_name = {route.name or "": route for route in reversed(routes)}
    for name in wanted.routes:
        if name not in by_name:
            raise _Fault(f"HTTP Route '{name}' is not found in the defined Virtual Service.")
    return [by_name[name] for name in wanted.routes]


def _choose_tls(wanted: IstioVirtualService, routes: Sequence[TlsRoute]) -> list[TlsRoute]:
    chosen = list(routes[:1]) if not wanted.tls_routes else []
    for rule in wanted.tls_routes:
        hosts = set(rule.sni_hosts)
        matching = [route for route in routes if ports_of(route) == {rule.port} and sni_hosts_of(route) == hosts]
        if not matching:
            raise _Fault("No matching TLS routes found in the defined Virtual Service.")
        chosen += matching
    return chosen


def _choose_tcp(wanted: IstioVirtualService, routes: Sequence[TcpRoute]) -> list[TcpRoute]:
    chosen = list(routes[:1]) if not wanted.tcp_routes else []
    for rule in wanted.tcp_routes:
        matching = [route for route in routes if ports_of(route) == {rule.port}]
        if not matching:
            raise _Fault("No matching TCP routes found in the defined Virtual Service.")
        chosen += matching
    return chosen


_CHOOSERS: Final[dict[str, Any]] = {"http": _choose_http, "tls": _choose_tls, "tcp": _choose_tcp}
