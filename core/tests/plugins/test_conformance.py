"""The contracts tell a router that keeps them from one that breaks them, promise by promise."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sluicegate.api.resources import CONFIG_MAPS
from sluicegate.plugins import (
    Capability,
    Config,
    Lifecycle,
    Manifest,
    ManifestRouter,
    ObjectReference,
    Observed,
    PodCountRouter,
    PodCounts,
    Read,
    Routes,
)
from sluicegate.testing.conformance import ManifestRouterContract, PodCountRouterContract

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from sluicegate.api.rollout import Rollout

Split = tuple[int, int, int, int]


def rounded_up(weight: int, max_weight: int, replicas: int, max_surge: int) -> PodCounts:
    """A plain split that keeps every promise: round up, and stable keeps one pod where one can be spared."""
    canary = -(-weight * replicas // max_weight)
    spared = 0 < weight < max_weight and canary == replicas > 0
    if spared and max_surge:
        return PodCounts(canary, 1)
    canary -= spared and replicas > 1
    return PodCounts(canary, replicas - canary)


def pod_contract(split: Callable[[int, int, int, int], PodCounts]) -> PodCountRouterContract:
    class Router(PodCountRouter):
        name = "pods"

        def split(self, weight: int, max_weight: int, replicas: int, max_surge: int) -> PodCounts:
            return split(weight, max_weight, replicas, max_surge)

    class Contract(PodCountRouterContract):
        router = Router()

    return Contract()


def promises(contract: object) -> list[str]:
    return [name for name in dir(contract) if name.startswith("test_")]


def broken(contract: object) -> list[str]:
    """The promises that the contract finds broken."""
    found = []
    for name in promises(contract):
        try:
            getattr(contract, name)()
        except AssertionError:
            found.append(name)
    return found


def test_a_sound_split_keeps_the_contract() -> None:
    assert broken(pod_contract(rounded_up)) == []


def too_many(weight: int, max_weight: int, replicas: int, max_surge: int) -> PodCounts:
    counts = rounded_up(weight, max_weight, replicas, max_surge)
    return PodCounts(counts.canary, counts.stable + (1 if 0 < weight < max_weight else 0))


def eager(weight: int, max_weight: int, replicas: int, max_surge: int) -> PodCounts:
    return rounded_up(max(weight, 1), max_weight, replicas, max_surge)


def zigzag(weight: int, max_weight: int, replicas: int, max_surge: int) -> PodCounts:
    nearly_full = max_weight // 2 < weight < max_weight
    return rounded_up(max_weight - weight if nearly_full else weight, max_weight, replicas, max_surge)


def rounded_down(weight: int, max_weight: int, replicas: int, max_surge: int) -> PodCounts:
    canary = weight * replicas // max_weight
    return PodCounts(canary, replicas - canary)


@pytest.mark.parametrize(
    ("split", "promise"),
    [
        (too_many, "test_counts_stay_between_the_replicas_and_the_surge"),
        (eager, "test_weight_zero_has_no_canary_and_full_weight_no_stable"),
        (zigzag, "test_the_canarys_share_never_falls_when_the_weight_rises"),
        (rounded_down, "test_two_versions_both_keep_a_pod_while_they_share_the_traffic"),
    ],
)
def test_a_split_that_breaks_a_promise_is_found(split: Callable[[int, int, int, int], PodCounts], promise: str) -> None:
    assert promise in broken(pod_contract(split))


def test_a_split_that_depends_on_what_was_asked_before_is_found() -> None:
    asked: list[int] = []

    def moody(weight: int, max_weight: int, replicas: int, max_surge: int) -> PodCounts:
        asked.append(weight)
        return rounded_up(weight, max_weight, replicas, max_surge if len(asked) % 5 else 0)

    assert "test_equal_questions_get_equal_answers" in broken(pod_contract(moody))


MAP = ObjectReference(CONFIG_MAPS, "shop", lifecycle=Lifecycle.OWNED)


class MapRouter(ManifestRouter[Config]):
    """Keeps the weights in a ConfigMap of its own."""

    name = "map"
    capabilities = frozenset({Capability.WEIGHTS, Capability.EXPERIMENTS})

    def reads(self, config: Config, rollout: Rollout) -> list[Read]:
        return [MAP]

    def render(self, config: Config, routes: Routes, observed: Observed) -> list[Manifest]:
        weights = {item.service: str(item.weight) for item in (routes.stable, routes.canary, *routes.experiments)}
        return [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "shop"}, "data": weights}]


def map_contract(tested: type[MapRouter]) -> ManifestRouterContract:
    class Contract(ManifestRouterContract):
        router = tested()
        config = Config()
        objects = ()

        def weights(self, objects: Iterable[Manifest]) -> Mapping[str, int]:
            return {
                key: int(value) for manifest in objects for key, value in manifest["data"].items() if key[:4] == "shop"
            }

    return Contract()


def test_a_sound_manifest_router_keeps_the_contract() -> None:
    assert broken(map_contract(MapRouter)) == []


class LosesExperiments(MapRouter):
    def render(self, config: Config, routes: Routes, observed: Observed) -> list[Manifest]:
        rendered = super().render(config, routes, observed)
        rendered[0]["data"].pop("shop-exp", None)
        return rendered


class CapsTheCanary(MapRouter):
    def render(self, config: Config, routes: Routes, observed: Observed) -> list[Manifest]:
        rendered = super().render(config, routes, observed)
        rendered[0]["data"]["shop-canary"] = str(min(routes.canary.weight, 50))
        return rendered


class NeverRests(MapRouter):
    def render(self, config: Config, routes: Routes, observed: Observed) -> list[Manifest]:
        rendered = super().render(config, routes, observed)
        before = observed.get(MAP)
        rendered[0]["data"]["passes"] = str(int(before["data"]["passes"]) + 1 if before else 0)
        return rendered


class WritesOnce(MapRouter):
    def render(self, config: Config, routes: Routes, observed: Observed) -> list[Manifest]:
        before = observed.get(MAP)
        return [before] if before else super().render(config, routes, observed)


class LeavesATrace(MapRouter):
    def render(self, config: Config, routes: Routes, observed: Observed) -> list[Manifest]:
        rendered = super().render(config, routes, observed)
        was_used = "used" in (observed.get(MAP) or {"data": {}})["data"]
        rendered[0]["data"] |= {"used": "yes"} if was_used or routes.canary.weight else {}
        return rendered


class KeepsState(MapRouter):
    calls = 0

    def render(self, config: Config, routes: Routes, observed: Observed) -> list[Manifest]:
        type(self).calls += 1
        rendered = super().render(config, routes, observed)
        rendered[0]["data"]["calls"] = str(self.calls)
        return rendered


@pytest.mark.parametrize(
    ("router", "promise"),
    [
        (CapsTheCanary, "test_every_weight_arrives_and_the_rest_is_stable"),
        (LosesExperiments, "test_weights_of_experiments_are_taken_from_stable"),
        (NeverRests, "test_nothing_is_written_when_nothing_differs"),
        (WritesOnce, "test_drift_is_healed"),
        (LeavesATrace, "test_the_way_back_leaves_no_trace_of_the_way_there"),
        (KeepsState, "test_rendering_changes_neither_its_routes_nor_what_was_observed"),
    ],
)
def test_a_manifest_router_that_breaks_a_promise_is_found(router: type[MapRouter], promise: str) -> None:
    assert promise in broken(map_contract(router))
