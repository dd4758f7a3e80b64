"""Which routers serve a Rollout, in which order, what they are handed, and what becomes of their answers."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from sluicegate.api.resources import INGRESSES
from sluicegate.controller.routing import Routers, RoutingFailed, misconfigured, unsupported
from sluicegate.engine.traffic import Routing, Verified
from sluicegate.errors import BadRequest
from sluicegate.kube.recorder import ObjectReference
from sluicegate.plugins import (
    Capability,
    Config,
    Event,
    Guard,
    PodCountRouter,
    PodCounts,
    RouterContext,
    Routes,
    TrafficRouter,
    Verification,
)
from sluicegate.plugins.registry import LoadedPlugin, PluginRecord, Registry
from sluicegate.testing import RecordingRouter
from sluicegate.testing.builders import make_rollout, make_routes
from sluicegate.testing.recording import PREFIX, VERIFY

from .conftest import Api, manifest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sluicegate.api.rollout import Rollout
    from sluicegate.controller.watches import Watches
    from sluicegate.kube.client import Client

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
REFERENCE = ObjectReference(api_version="argoproj.io/v1alpha1", kind="Rollout", namespace="default", name="shop")
INGRESS_PATH = "/apis/networking.k8s.io/v1/namespaces/default/ingresses/shop"
ASKED = Routing((make_routes(20),), verify=True)


class Events(list[tuple[str, str, str, str]]):
    def record(self, reference: ObjectReference, type: str, reason: str, message: str) -> None:
        self.append((reference.name, type, reason, message))


class PoolConfig(Config):
    pool: int = 1


class Noting(TrafficRouter[PoolConfig]):
    """Notes its calls in a list that all of a test share; `on_apply` and `on_verify` give or raise the answer."""

    capabilities = frozenset({Capability.WEIGHTS, Capability.VERIFY})

    def __init__(
        self,
        name: str,
        calls: list[str],
        *,
        on_apply: Callable[[RouterContext[PoolConfig]], None] = lambda context: None,
        on_verify: Callable[[], Any] = Verification.confirmed,
        capabilities: Iterable[Capability] = capabilities,
    ) -> None:
        self.name = name  # type: ignore[misc]
        self.capabilities = frozenset(capabilities)  # type: ignore[misc]
        self._calls = calls
        self._on_apply = on_apply
        self._on_verify = on_verify

    async def apply(self, context: RouterContext[PoolConfig], routes: Routes) -> None:
        self._calls.append(f"{self.name} {routes.canary.weight}")
        self._on_apply(context)

    async def verify(self, context: RouterContext[PoolConfig], routes: Routes) -> Verification:
        self._calls.append(f"{self.name} {routes.canary.weight}?")
        answer: Verification = self._on_verify()
        return answer


def raising(error: BaseException) -> Callable[..., Any]:
    def fail(*_: Any) -> Any:
        raise error

    return fail


def registry_of(*routers: TrafficRouter[Any]) -> Registry:
    record = PluginRecord(name="test", distribution="test", version="1")
    return Registry([LoadedPlugin(record, tuple(routers))])


def rollout(trafficRouting: dict[str, Any], generation: int = 1, **canary: Any) -> Rollout:
    canary = {"canaryService": "shop-canary", "stableService": "shop-stable", **canary}
    made = make_rollout(spec={"strategy": {"canary": {**canary, "trafficRouting": trafficRouting}}})
    return made.model_copy(update={"metadata": made.metadata.model_copy(update={"generation": generation})})


@pytest.fixture
def calls() -> list[str]:
    return []


@pytest.fixture
def events() -> Events:
    return Events()


@pytest.fixture
def serve(client: Client, watches: Watches, events: Events) -> Callable[..., Routers]:
    """A process with these routers."""

    def made(*routers: TrafficRouter[Any]) -> Routers:
        return Routers(client, watches, registry_of(*routers), Guard(), events, lambda: NOON)

    return made


async def route(routers: Routers, asked: Rollout, routing: Routing = ASKED) -> Verified:
    return await routers.route(asked, REFERENCE, routing)


async def test_routers_run_in_the_incumbents_order_each_done_before_the_next(
    serve: Callable[..., Routers], calls: list[str]
) -> None:
    names = ["alb", "ambassador", "apisix", "appMesh", "istio", "nginx", "smi", "traefik", "b/x", "a/y", "argo/gw"]
    routers = serve(*(Noting(name, calls, on_verify=Verification.not_applicable) for name in names))
    settings: dict[str, Any] = {name: {} for name in names[:8]}
    plugins: dict[str, Any] = {"b/x": {}, "argo/gw": None, "a/y": {}}
    await route(routers, rollout({**settings, "plugins": plugins}))
    order = ["istio", "nginx", "alb", "smi", "ambassador", "appMesh", "traefik", "apisix", "a/y", "argo/gw", "b/x"]
    assert calls == [call for name in order for call in (f"{name} 20", f"{name} 20?")]


async def test_all_stages_are_applied_before_the_last_is_verified(
    serve: Callable[..., Routers], calls: list[str]
) -> None:
    stages = (make_routes(0), make_routes(50), make_routes(20))
    asked = rollout({"plugins": {"a/x": {}, "b/x": {}}})
    await route(serve(Noting("a/x", calls), Noting("b/x", calls)), asked, Routing(stages, verify=True))
    assert calls == ["a/x 0", "a/x 50", "a/x 20", "a/x 20?", "b/x 0", "b/x 50", "b/x 20", "b/x 20?"]


async def test_who_is_not_asked_or_cannot_tell_is_not_verified(serve: Callable[..., Routers], calls: list[str]) -> None:
    asked = rollout({"plugins": {"a/x": {}}})
    unasked = await route(serve(Noting("a/x", calls)), asked, Routing((make_routes(20),), verify=False))
    unable = await route(serve(Noting("a/x", calls, capabilities={Capability.WEIGHTS})), asked)
    assert unasked == unable == Verified(None)
    assert calls == ["a/x 20", "a/x 20"]


PENDING = Verification.pending("2 of 3 proxies")


@pytest.mark.parametrize(
    ("first", "second", "verified"),
    [
        (Verification.confirmed(), Verification.confirmed(), True),
        (Verification.confirmed(), Verification.not_applicable(), True),
        (Verification.not_applicable(), Verification.not_applicable(), None),
        (PENDING, Verification.confirmed(), False),
        (Verification.not_applicable(), PENDING, False),
    ],
)
async def test_one_router_that_is_not_there_yet_keeps_all_waiting(
    serve: Callable[..., Routers],
    calls: list[str],
    first: Verification,
    second: Verification,
    verified: bool | None,
) -> None:
    routers = serve(Noting("a/x", calls, on_verify=lambda: first), Noting("b/x", calls, on_verify=lambda: second))
    assert await route(routers, rollout({"plugins": {"a/x": {}, "b/x": {}}})) == Verified(verified)


@pytest.mark.parametrize("answer", [None, True, "yes", Verification("true"), Verification(1)])  # type: ignore[arg-type]
async def test_an_answer_that_is_none_is_an_error_and_never_counts_as_verified(
    serve: Callable[..., Routers], calls: list[str], answer: Any
) -> None:
    found = await route(serve(Noting("a/x", calls, on_verify=lambda: answer)), rollout({"plugins": {"a/x": {}}}))
    assert found.verified is False
    assert "plugin `a/x`, verify: answered" in found.errors[0] and "must be a Verification" in found.errors[0]


async def test_a_router_that_cannot_be_asked_does_not_keep_the_next_from_its_turn(
    serve: Callable[..., Routers], calls: list[str]
) -> None:
    routers = serve(Noting("a/x", calls, on_verify=raising(ValueError("no mesh"))), Noting("b/x", calls))
    found = await route(routers, rollout({"plugins": {"a/x": {}, "b/x": {}}}))
    assert found == Verified(False, ("plugin `a/x`, verify: ValueError: no mesh",))
    assert calls == ["a/x 20", "a/x 20?", "b/x 20", "b/x 20?"]


async def test_a_router_that_cannot_apply_ends_the_pass(serve: Callable[..., Routers], calls: list[str]) -> None:
    routers = serve(Noting("a/x", calls, on_apply=raising(ValueError("no pool"))), Noting("b/x", calls))
    stages = (make_routes(0), make_routes(20))
    with pytest.raises(RoutingFailed, match=r"^plugin `a/x`, apply: ValueError: no pool$"):
        await route(routers, rollout({"plugins": {"a/x": {}, "b/x": {}}}), Routing(stages, verify=True))
    assert calls == ["a/x 0"]


async def test_a_router_that_is_not_installed_is_named_with_what_is_and_nothing_is_applied(
    serve: Callable[..., Routers], calls: list[str]
) -> None:
    routers = serve(Noting("istio", calls), Noting("a/x", calls))
    text = r"^traffic router `nginx` is not installed; installed: `a/x`, `istio`$"
    with pytest.raises(RoutingFailed, match=text):
        await route(routers, rollout({"istio": {}, "nginx": {}}))
    with pytest.raises(RoutingFailed, match="`argoproj-labs/gatewayAPI` is not installed"):
        await route(routers, rollout({"plugins": {"a/x": {}, "argoproj-labs/gatewayAPI": {}}}, 2))
    assert calls == []


async def test_a_router_of_pods_writes_no_routes(serve: Callable[..., Routers]) -> None:
    class Pods(PodCountRouter):
        name = "pods"

        def split(self, weight: int, max_weight: int, replicas: int, max_surge: int) -> PodCounts:
            return PodCounts(0, replicas)

    with pytest.raises(RoutingFailed, match="`pods` serves Rollouts without trafficRouting only"):
        await route(serve(Pods()), rollout({"plugins": {"pods": {}}}))


async def test_faulty_settings_are_reported_with_their_field_and_nothing_is_applied(
    serve: Callable[..., Routers], calls: list[str]
) -> None:
    routers = [Noting("a/x", calls), Noting("smi", calls)]
    path = "spec.strategy.canary.trafficRouting"
    for settings, text in (
        ({"plugins": {"a/x": {"pool": "2"}}}, f"{path}.plugins.a/x.pool: Invalid value"),
        ({"plugins": {"a/x": 5}}, f"{path}.plugins.a/x: Invalid value: 5"),
        ({"smi": {"rootService": "x"}}, f"{path}.smi.rootService: unknown field"),
    ):
        asked = rollout({"plugins": {}, **settings}, generation=len(text))
        with pytest.raises(RoutingFailed, match=text):
            await route(serve(*routers), asked)
        assert text in (misconfigured(asked, registry_of(*routers)) or "")
        assert text in (serve(*routers).refusal(asked) or "")
    assert calls == []


async def test_sound_settings_and_missing_routers_are_no_faults_of_the_manifest(calls: list[str]) -> None:
    registry = registry_of(Noting("a/x", calls))
    for settings in ({"plugins": {"a/x": {"pool": 2}}}, {"plugins": {"b/x": 5}}, {}):
        assert misconfigured(rollout(settings), registry) is None
    assert misconfigured(make_rollout(), registry) is None


async def test_settings_are_parsed_once_a_generation(serve: Callable[..., Routers], calls: list[str]) -> None:
    parsed: list[object] = []
    pools: list[int] = []

    class Counting(Noting):
        def parse_config(self, raw: object, *, path: str) -> PoolConfig:
            parsed.append(raw)
            return super().parse_config(raw, path=path)

    routers = serve(Counting("a/x", calls, on_apply=lambda context: pools.append(context.config.pool)))
    for generation, pool in ((1, 1), (1, 1), (2, 2), (2, 2)):
        asked = rollout({"plugins": {"a/x": {"pool": pool}}}, generation)
        assert routers.refusal(asked) is None
        await route(routers, asked)
    assert parsed == [{"pool": 1}, {"pool": 2}] and pools == [1, 1, 2, 2]
    routers.forget(("default", "shop"))
    await route(routers, asked)
    assert len(parsed) == 3


async def test_a_router_whose_parser_breaks_fails_only_who_uses_it(
    serve: Callable[..., Routers], calls: list[str]
) -> None:
    class Broken(Noting):
        def parse_config(self, raw: object, *, path: str) -> PoolConfig:
            raise KeyError("pool")

    routers = serve(Broken("a/x", calls), Noting("b/x", calls))
    with pytest.raises(RoutingFailed, match="plugin `a/x`, parse_config: KeyError: 'pool'"):
        await route(routers, rollout({"plugins": {"a/x": {}}}))
    assert (await route(routers, rollout({"plugins": {"b/x": {}}}, 2))).verified is True


async def test_a_router_gets_the_rollout_a_clock_its_events_and_a_logger_that_names_the_rollout(
    serve: Callable[..., Routers], calls: list[str], events: Events, caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[RouterContext[PoolConfig]] = []

    def work(context: RouterContext[PoolConfig]) -> None:
        seen.append(context)
        context.record(Event("Warning", "PoolFull", "the pool is full"))
        context.logger.warning("%s of %d", "one", 2)

    asked = rollout({"plugins": {"a/x": {}}})
    await route(serve(Noting("a/x", calls, on_apply=work)), asked)
    assert seen[0].rollout is asked and seen[0].now() == NOON
    assert events == [("shop", "Warning", "PoolFull", "the pool is full")]
    assert [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING] == [
        "default/shop: one of 2"
    ]


async def test_no_routers_need_nothing(serve: Callable[..., Routers]) -> None:
    assert await route(serve(), rollout({})) == Verified(None)


# The recording router, on a real API over HTTP.


async def make_ingress(client: Client, **annotations: str) -> None:
    await client.create(
        INGRESSES, "default", manifest("networking.k8s.io/v1", "Ingress", "shop", annotations=annotations, spec={})
    )


def recorded_by(verify: bool = False) -> Rollout:
    return rollout({"plugins": {"sluicegate/recording": {"ingress": "shop", "verify": verify}}})


async def test_a_change_of_weight_is_one_patch_and_a_pass_without_change_sends_nothing(
    serve: Callable[..., Routers], client: Client, api: Api
) -> None:
    await make_ingress(client)
    routers, asked = serve(RecordingRouter()), recorded_by()
    await route(routers, asked)
    api.writes.clear()
    api.lists.clear()
    for weight in (20, 20, 40, 40, 40):
        await route(routers, asked, Routing((make_routes(weight),), verify=True))
    assert api.writes == [f"PATCH {INGRESS_PATH}"] and api.lists == []


async def test_each_stage_that_differs_is_a_patch_of_its_own_in_order(
    serve: Callable[..., Routers], client: Client, api: Api
) -> None:
    await make_ingress(client)
    api.writes.clear()
    stages = (make_routes(0), make_routes(20))
    await route(serve(RecordingRouter()), recorded_by(), Routing(stages, verify=False))
    assert api.writes == [f"PATCH {INGRESS_PATH}"] * 2
    stored = await client.get(INGRESSES, "default", "shop")
    assert stored["metadata"]["annotations"][f"{PREFIX}weight"] == "20"


async def test_a_watch_that_lags_makes_nothing_be_written_twice(
    serve: Callable[..., Routers], client: Client, api: Api
) -> None:
    await make_ingress(client)
    routers, asked = serve(RecordingRouter()), recorded_by()
    await route(routers, asked, Routing((make_routes(0),), verify=False))
    api.blind(BadRequest("out of order", status=400, reason="BadRequest"))
    api.writes.clear()
    for weight in (20, 20, 40, 40):
        await route(routers, asked, Routing((make_routes(weight),), verify=False))
    assert api.writes == [f"PATCH {INGRESS_PATH}"] * 2


async def test_what_others_write_meanwhile_is_kept(serve: Callable[..., Routers], client: Client, api: Api) -> None:
    await make_ingress(client)
    routers, asked = serve(RecordingRouter()), recorded_by()
    await route(routers, asked)
    api.blind(BadRequest("out of order", status=400, reason="BadRequest"))
    await client.patch(INGRESSES, "default", "shop", {"metadata": {"annotations": {"team": "web"}}})
    await route(routers, asked, Routing((make_routes(40),), verify=False))
    annotations = (await client.get(INGRESSES, "default", "shop"))["metadata"]["annotations"]
    assert annotations["team"] == "web" and annotations[f"{PREFIX}weight"] == "40"


async def test_drift_is_healed(serve: Callable[..., Routers], client: Client, watches: Watches) -> None:
    await make_ingress(client)
    routers, asked = serve(RecordingRouter()), recorded_by()
    await route(routers, asked)
    drifted = await client.patch(
        INGRESSES, "default", "shop", {"metadata": {"annotations": {f"{PREFIX}weight": "100"}}}
    )
    watches.written(("default", "shop"), INGRESSES, drifted)
    await route(routers, asked)
    stored = await client.get(INGRESSES, "default", "shop")
    assert stored["metadata"]["annotations"][f"{PREFIX}weight"] == "20"


async def test_a_test_scripts_what_the_recording_router_answers(
    serve: Callable[..., Routers], client: Client, watches: Watches
) -> None:
    await make_ingress(client, **{VERIFY: "false"})
    routers, asked = serve(RecordingRouter()), recorded_by(verify=True)
    assert await route(routers, asked) == Verified(False)
    for answer, verified in (
        ("true", Verified(True)),
        ("error: no mesh", Verified(False, ("plugin `sluicegate/recording`, verify: RuntimeError: no mesh",))),
    ):
        patch = {"metadata": {"annotations": {VERIFY: answer}}}
        watches.written(("default", "shop"), INGRESSES, await client.patch(INGRESSES, "default", "shop", patch))
        assert await route(routers, asked) == verified


async def test_a_missing_object_is_named(serve: Callable[..., Routers]) -> None:
    with pytest.raises(RoutingFailed, match="`sluicegate/recording`, apply: Ingress default/shop does not exist"):
        await route(serve(RecordingRouter()), recorded_by())


# What a Rollout asks for and its routers cannot do.

WEIGHTS, HEADERS, MIRROR, EXPERIMENTS, PING_PONG, FRACTIONS = (
    Capability.WEIGHTS,
    Capability.HEADERS,
    Capability.MIRROR,
    Capability.EXPERIMENTS,
    Capability.PING_PONG,
    Capability.FRACTIONAL_WEIGHTS,
)
HEADER = {"setHeaderRoute": {"name": "vip", "match": [{"headerName": "a", "headerValue": {"exact": "b"}}]}}
MIRRORED = {"setMirrorRoute": {"name": "shadow", "match": [{"method": {"exact": "GET"}}]}}
EXPERIMENT = {"experiment": {"templates": [{"name": "a", "specRef": "canary"}, {"name": "b", "weight": 5}]}}
PAIR = {"pingService": "ping", "pongService": "pong"}

REFUSED = [
    ({"steps": [{"setWeight": 20}]}, {}, WEIGHTS, "steps[0].setWeight: Invalid value: 20"),
    ({"steps": [{"pause": {}}, HEADER]}, {}, HEADERS, 'steps[1].setHeaderRoute: Invalid value: "vip"'),
    ({"steps": [MIRRORED]}, {}, MIRROR, 'steps[0].setMirrorRoute: Invalid value: "shadow"'),
    ({"steps": [EXPERIMENT]}, {}, EXPERIMENTS, "steps[0].experiment.templates[1].weight: Invalid value: 5"),
    (
        {"pingPong": PAIR, "canaryService": "", "stableService": ""},
        {},
        PING_PONG,
        'pingPong: Invalid value: {"pingService":"ping","pongService":"pong"}',
    ),
    ({}, {"maxTrafficWeight": 1000}, FRACTIONS, "trafficRouting.maxTrafficWeight: Invalid value: 1000"),
]


@pytest.mark.parametrize(("canary", "routing", "capability", "text"), REFUSED)
async def test_what_the_router_cannot_do_is_refused_with_the_field_that_asks_for_it(
    serve: Callable[..., Routers], canary: dict[str, Any], routing: dict[str, Any], capability: Capability, text: str
) -> None:
    asked = rollout({**routing, "plugins": {"a/x": {}}}, **canary)
    others = frozenset(Capability) - {capability, Capability.POD_COUNT}
    fault = unsupported(asked, registry_of(Noting("a/x", [], capabilities=others)))
    detail = f"needs a traffic router with the capability `{capability}`, which is missing from `a/x`"
    assert str(fault) == f"spec.strategy.canary.{text}: {detail}"
    assert serve(Noting("a/x", [], capabilities=others)).refusal(asked) == str(fault)
    assert unsupported(asked, registry_of(Noting("a/x", [], capabilities={*others, capability}))) is None


@pytest.mark.parametrize(("canary", "routing", "capability", "text"), REFUSED)
def test_of_several_routers_one_must_set_routes_but_each_must_understand_the_weights(
    canary: dict[str, Any], routing: dict[str, Any], capability: Capability, text: str
) -> None:
    asked = rollout({**routing, "plugins": {"a/x": {}, "b/x": {}}}, **canary)
    able = Noting("a/x", [], capabilities=frozenset(Capability) - {Capability.POD_COUNT})
    fault = unsupported(asked, registry_of(able, Noting("b/x", [], capabilities=set())))
    assert (fault is not None) == (capability in (PING_PONG, FRACTIONS))
    assert fault is None or str(fault).endswith("which is missing from `b/x`")


@pytest.mark.parametrize(
    "canary",
    [
        {"steps": [{"setWeight": 0}, {"pause": {}}, {"setCanaryScale": {"replicas": 1}}]},
        {"steps": [{"setHeaderRoute": {"name": "vip"}}, {"setMirrorRoute": {"name": "shadow", "match": []}}]},
        {"steps": [{"experiment": {"templates": [{"name": "a", "specRef": "canary"}]}}]},
        {"pingPong": PAIR},
    ],
)
def test_what_sets_nothing_needs_no_capability(canary: dict[str, Any]) -> None:
    registry = registry_of(Noting("a/x", [], capabilities=set()))
    assert unsupported(rollout({"plugins": {"a/x": {}}}, **canary), registry) is None


def test_without_routers_or_with_one_that_is_not_installed_nothing_is_judged() -> None:
    registry = registry_of(Noting("a/x", [], capabilities=set()))
    for asked in (make_rollout(), rollout({}, steps=[HEADER]), rollout({"plugins": {"b/x": {}}}, steps=[HEADER])):
        assert unsupported(asked, registry) is None
