"""The objects of a router that a Rollout names: a canary can be weighed on them or not."""

from collections.abc import Callable
from typing import Any

import pytest

from sluicegate.api.rollout import Rollout
from sluicegate.api.validation import NoVirtualRouter

from .references import PING_PONG, VIRTUAL_SERVICE, Document, Objects, app_mesh, errors_in, routed


def ingress(*backends: Document, name: str = "edge", **spec: Any) -> Document:
    rules = [{"http": {"paths": [{"backend": backend}]}} for backend in backends]
    return {"kind": "Ingress", "metadata": {"name": name}, "spec": {"rules": rules, **spec}}


STABLE = {"service": {"name": "stable"}}
NGINX = {"stableIngress": "edge"}
ALB = {"ingress": "edge", "servicePort": 80}
NO_RULE = "has no rules using service"


@pytest.mark.parametrize(
    ("routing", "found", "error"),
    [
        pytest.param({"nginx": NGINX}, ingress(STABLE), "", id="v1"),
        pytest.param({"nginx": NGINX}, ingress({"serviceName": "stable"}), "", id="v1beta1"),
        pytest.param({"nginx": NGINX}, ingress({"resource": {"name": "stable"}}, STABLE), "", id="second rule"),
        pytest.param(
            {"nginx": NGINX},
            ingress(defaultBackend=STABLE),
            f"nginx.stableIngress {NO_RULE} stable",
            id="default backend",
        ),
        pytest.param({"alb": ALB | {"rootService": "root"}}, ingress({"service": {"name": "root"}}), "", id="root"),
        pytest.param(
            {"alb": ALB | {"rootService": "root"}}, ingress(STABLE), f"alb.ingress {NO_RULE} root", id="root missing"
        ),
        pytest.param(
            {"alb": ALB | {"rootService": "root"}, "nginx": NGINX},
            ingress(STABLE),
            "",
            id="nginx judges what alb names",
        ),
    ],
)
def test_rules_of_an_ingress(
    routing: Document, found: Document, error: str, rollout_with: Callable[..., Rollout]
) -> None:
    errors = errors_in(rollout_with(routed(**routing)), ["Service stable", "Service canary", found])
    member, _, detail = error.partition(" ")
    start = f'spec.strategy.canary.trafficRouting.{member}: Invalid value: "edge": ingress `edge` '
    assert errors == ([f"{start}{detail} backend"] if error else [])


def to(*hosts: str) -> list[Document]:
    return [{"destination": {"host": host}} for host in hosts]


BOTH = {"route": to("stable.ns.svc.cluster.local", "canary")}
CANARY_ONLY = {"route": to("canary")}
ONE_ROUTE = "must have exactly one route when omitting spec.strategy.canary.trafficRouting.istio.virtualService"
VIRTUAL_SERVICES: dict[str, tuple[Document, Document, list[str]]] = {
    "the only route": ({}, {"http": [BOTH | {"name": "a"}]}, []),
    "the first of that name": (
        {"routes": ["a"]},
        {"http": [BOTH | {"name": "a"}, CANARY_ONLY | {"name": "a"}, CANARY_ONLY]},
        [],
    ),
    "the first without a name": ({}, {"http": [{"name": "h1"}, CANARY_ONLY]}, ["HTTP", "Stable Service 'stable'"]),
    "managed routes do not count": ({}, {"http": [{"name": "h1"}, BOTH]}, []),
    "other routes do": ({}, {"http": [{"name": "other"}, BOTH]}, ["HTTP", f"{ONE_ROUTE}.routes"]),
    "no route at all": ({}, {"http": []}, []),
    "a host that begins with a dot": ({}, {"http": [{"route": to(".stable", "canary")}]}, ["HTTP", "Stable Service"]),
    "tls by port and hosts": (
        {"tlsRoutes": [{"port": 443, "sniHosts": ["a", "b"]}]},
        {"tls": [BOTH | {"match": [{"port": 443, "sniHosts": ["b"]}, {"port": 443, "sniHosts": ["a"]}]}]},
        [],
    ),
    "tls as Istio spells it": (
        {"tlsRoutes": [{"port": 443, "sniHosts": ["a"]}]},
        {"tls": [BOTH | {"match": [{"port": 443, "snihosts": ["a"]}]}]},
        [],
    ),
    "tls with other hosts": (
        {"tlsRoutes": [{"port": 443, "sniHosts": ["a"]}]},
        {"tls": [BOTH | {"match": [{"port": 443, "sniHosts": ["a", "b"]}]}]},
        ["TLS", "No matching TLS routes found in the defined Virtual Service."],
    ),
    "every tls route that matches": (
        {"tlsRoutes": [{"port": 443}]},
        {"tls": [BOTH | {"match": [{"port": 443}]}, CANARY_ONLY | {"match": [{"port": 443}]}]},
        ["TLS", "Stable Service 'stable' not found in route"],
    ),
    "tcp by port": ({"tcpRoutes": [{"port": 80}]}, {"tcp": [BOTH, BOTH | {"match": [{"port": 80}]}]}, []),
    "tcp without a port": ({"tcpRoutes": [{}]}, {"tcp": [BOTH]}, []),
    "tcp with several ports": (
        {"tcpRoutes": [{"port": 80}]},
        {"tcp": [BOTH | {"match": [{"port": 80}, {"port": 81}]}]},
        ["TCP", "No matching TCP routes found in the defined Virtual Service."],
    ),
    "two tcp routes and none listed": ({}, {"tcp": [BOTH, BOTH]}, ["TCP", f"{ONE_ROUTE}.tcpRoutes"]),
    "a list that is none": ({}, {"http": "x", "tcp": [BOTH]}, []),
    "a name that is no text": ({}, {"http": [BOTH | {"name": 5}]}, ["Unable to get HTTP routes"]),
    "a mirror that is no destination": ({}, {"http": [BOTH | {"mirror": "x"}]}, ["Unable to get HTTP routes"]),
    "a match that is no list": ({}, {"http": [BOTH | {"match": {}}]}, ["Unable to get HTTP routes"]),
}


@pytest.mark.parametrize(("wanted", "spec", "words"), VIRTUAL_SERVICES.values(), ids=VIRTUAL_SERVICES)
def test_routes_of_a_virtual_service(
    wanted: Document, spec: Document, words: list[str], rollout_with: Callable[..., Rollout]
) -> None:
    strategy = routed(istio={"virtualService": {"name": "vs"} | wanted}, managedRoutes=[{"name": "h1"}])
    objects: Objects = ["Service stable", "Service canary", VIRTUAL_SERVICE | {"spec": spec}]
    errors = errors_in(rollout_with(strategy), objects)
    assert [all(word in error for word in words) for error in errors] == ([True] if words else [])


def test_each_kind_of_route_has_its_finding(rollout_with: Callable[..., Rollout]) -> None:
    spec = {"tcp": [{}], "tls": ["x"], "http": [CANARY_ONLY]}
    objects: Objects = ["Service stable", "Service canary", VIRTUAL_SERVICE | {"spec": spec}]
    errors = errors_in(rollout_with(routed(istio={"virtualService": {"name": "vs"}})), objects)
    assert [error.partition('"vs": ')[2] for error in errors] == [
        "Istio VirtualService has invalid HTTP routes. Error: Stable Service 'stable' not found in route",
        "Unable to get TLS routes for Istio VirtualService",
        "Istio VirtualService has invalid TCP routes. Error: Canary Service 'canary' not found in route",
    ]


def test_two_virtual_services_of_one_name_are_judged_each_by_its_own_entry(
    rollout_with: Callable[..., Rollout],
) -> None:
    wanted = [{"name": "vs", "routes": ["a"]}, {"name": "vs.other", "routes": ["b"]}]
    found = [
        VIRTUAL_SERVICE
        | {"metadata": {"name": "vs", "namespace": namespace}, "spec": {"http": [BOTH | {"name": name}]}}
        for namespace, name in (("ns", "a"), ("other", "b"))
    ]
    objects: Objects = ["Service stable", "Service canary", *found]
    assert errors_in(rollout_with(routed(istio={"virtualServices": wanted})), objects) == []


@pytest.mark.parametrize(("status", "canary"), [({}, "ping"), ({"stablePingPong": "ping"}, "pong")])
def test_the_service_that_is_stable_now_is_the_stable_one(
    status: Document, canary: str, rollout_with: Callable[..., Rollout]
) -> None:
    strategy: Document = {
        "canary": dict(PING_PONG["canary"], trafficRouting={"istio": {"virtualService": {"name": "vs"}}})
    }
    objects: Objects = ["Service ping", "Service pong", VIRTUAL_SERVICE | {"spec": {"http": [{}]}}]
    [error] = errors_in(rollout_with(strategy, status={"canary": status}), objects)
    assert error.endswith(f"Canary Service '{canary}' not found in route")


def mesh_router(*routes: Any) -> Document:
    metadata, spec = {"name": "router"}, {"routes": [*routes]}
    return {"apiVersion": "appmesh.k8s.aws/v1beta2", "kind": "VirtualRouter", "metadata": metadata, "spec": spec}


def targets(count: int) -> Document:
    return {"action": {"weightedTargets": [{}] * count}}


ROUTER = "AppMesh virtual-router router and route"
ROUTERS: dict[str, tuple[list[Any], str]] = {
    "two targets": ([{"name": "r", "httpRoute": targets(2)}, {"name": "s", "grpcRoute": targets(2)}], ""),
    "three targets": (
        [{"name": "r", "http2Route": targets(3)}, "x"],
        f"[0].http2Route.action.weightedTargets|Invalid number of weightedTargets (3) for {ROUTER} r, expected 2",
    ),
    "an unknown kind": (
        [{"name": "r", "httpRoute": targets(2)}, {"udpRoute": {}}],
        f"[1]|Error getting route details for {ROUTER} %!s(<nil>). Error: Route has unsupported route type",
    ),
    "a rule that is no object": (
        [{"name": "r", "tcpRoute": [1, "a"]}],
        (
            f"[0]|Error getting route details for {ROUTER} r. Error: .tcpRoute accessor error: [1 a] is of the type "
            "[]interface {}, expected map[string]interface{}"
        ),
    ),
}


@pytest.mark.parametrize(("routes", "error"), ROUTERS.values(), ids=ROUTERS)
def test_routes_of_an_app_mesh_router(routes: list[Any], error: str, rollout_with: Callable[..., Rollout]) -> None:
    strategy = routed(appMesh={"virtualService": {"name": "mesh"}})
    objects: Objects = ["Service stable", "Service canary", app_mesh({"name": "router"}), mesh_router(*routes)]
    path, _, detail = error.partition("|")
    expected = [f'spec.routes{path}: Invalid value: "router": {detail}'] if error else []
    assert errors_in(rollout_with(strategy), objects) == expected


def test_an_app_mesh_service_without_router_is_not_the_rollouts_fault(rollout_with: Callable[..., Rollout]) -> None:
    rollout = rollout_with(routed(appMesh={"virtualService": {"name": "mesh"}}))
    with pytest.raises(NoVirtualRouter, match=r"ns/mesh .*virtualRouterRef\.name must be"):
        errors_in(rollout, ["Service stable", "Service canary", app_mesh(None)])


def test_a_mapping_without_weight(rollout_with: Callable[..., Rollout]) -> None:
    mapping = {"kind": "Mapping", "metadata": {"name": "map"}, "spec": {"weight": 0}}
    objects: Objects = ["Service stable", "Service canary", mapping]
    assert errors_in(rollout_with(routed(ambassador={"mappings": ["map"]})), objects) == []
