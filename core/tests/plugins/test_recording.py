"""The recording router keeps the contract of every router, writes down all it is handed, and answers as a test says."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from sluicegate.api.steps import HeaderRoutingMatch, RouteMatch, StringMatch
from sluicegate.plugins import (
    Destination,
    HeaderRoute,
    Manifest,
    MirrorRoute,
    PingPong,
    Routes,
    Verification,
    load_plugins,
)
from sluicegate.testing import RecordingConfig, RecordingRouter
from sluicegate.testing.builders import make_context, make_routes
from sluicegate.testing.conformance import ManifestRouterContract
from sluicegate.testing.objects import MemoryObjects
from sluicegate.testing.recording import PREFIX, VERIFY

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

CONFIG = RecordingConfig(ingress="shop")
VIP = HeaderRoute("vip", (HeaderRoutingMatch(header_name="tier", header_value=StringMatch(exact="gold")),))
SHADOW = MirrorRoute("shadow", (RouteMatch(method=StringMatch(exact="GET")),), 35)


def ingress(**annotations: str) -> Manifest:
    metadata = {"name": "shop", "annotations": annotations}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": metadata, "spec": {}}


def written(objects: Iterable[Manifest]) -> dict[str, str]:
    [found] = objects
    return {key.removeprefix(PREFIX): value for key, value in found["metadata"]["annotations"].items()}


class TestRecordingRouter(ManifestRouterContract):
    router = RecordingRouter()
    config = CONFIG
    objects = (ingress(team="web"),)

    def weights(self, objects: Iterable[Manifest]) -> Mapping[str, int]:
        found = written(objects)
        stable, canary = found["services"].split(",")
        experiments = {item["service"]: item["weight"] for item in json.loads(found.get("experiments", "[]"))}
        return {stable: int(found["stable-weight"]), canary: int(found["weight"]), **experiments}


def applied(*states: Routes) -> dict[str, str]:
    objects = MemoryObjects([ingress(team="web")])
    context = make_context(CONFIG, objects)
    for routes in states:
        asyncio.run(RecordingRouter().apply(context, routes))
    assert len(objects.writes) == len(states)
    return written(objects.documents())


def test_all_of_the_routes_stands_in_the_annotations_written_at_once() -> None:
    routes = make_routes(
        20, experiments=[Destination("shop-exp", "exphash", 10)], header_routes=(VIP,), mirror_routes=(SHADOW,)
    )
    assert applied(routes) == {
        "team": "web",
        "weight": "20",
        "stable-weight": "70",
        "max-weight": "100",
        "hashes": "stablehash,canaryhash",
        "services": "shop-stable,shop-canary",
        "experiments": '[{"service":"shop-exp","hash":"exphash","weight":10}]',
        "header-routes": '[{"name":"vip","match":[{"headerName":"tier","headerValue":{"exact":"gold"}}]}]',
        "mirror-routes": '[{"name":"shadow","match":[{"method":{"exact":"GET"}}],"percentage":35}]',
    }


def test_routes_that_are_no_longer_wanted_leave_no_annotation() -> None:
    found = applied(make_routes(20, header_routes=(VIP,), mirror_routes=(SHADOW,)), make_routes(20))
    assert "header-routes" not in found and "mirror-routes" not in found


def test_a_ping_pong_pair_goes_before_other_services() -> None:
    found = applied(make_routes(20, ping_pong=PingPong(stable_service="ping", canary_service="pong")))
    assert found["services"] == "ping,pong"


def verified(config: RecordingConfig, **answers: str) -> Verification:
    context = make_context(config, MemoryObjects([ingress(**answers)]))
    return asyncio.run(RecordingRouter().verify(context, make_routes(20)))


def test_it_can_be_asked_only_when_told_so() -> None:
    assert verified(CONFIG, **{VERIFY: "true"}) == Verification.not_applicable()


def test_it_answers_what_the_annotation_says() -> None:
    config = RecordingConfig(ingress="shop", verify=True)
    assert verified(config, **{VERIFY: "true"}) == Verification.confirmed()
    assert verified(config, **{VERIFY: "false"}).verified is False
    assert verified(config).verified is False
    with pytest.raises(RuntimeError, match=r"^the mesh is away$"):
        verified(config, **{VERIFY: "error: the mesh is away"})


def test_the_answer_that_a_test_wrote_stays() -> None:
    objects = MemoryObjects([ingress(**{VERIFY: "false"})])
    asyncio.run(RecordingRouter().apply(make_context(CONFIG, objects), make_routes(20)))
    assert written(objects.documents())["verify"] == "false"


def test_only_a_plugin_folder_brings_it(tmp_path: Path) -> None:
    assert RecordingRouter.name not in load_plugins().traffic_routers
    (tmp_path / "recording.py").write_text("from sluicegate.testing.recording import register_traffic_routers\n")
    loaded: Any = load_plugins(tmp_path).traffic_router("sluicegate/recording")
    assert isinstance(loaded, RecordingRouter)
