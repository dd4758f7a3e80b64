"""Contracts that every plugin of a kind keeps. Subclass one in a test module, fill in its members, and pytest runs it.

They use nothing of pytest but its collection, so they need no plugin and no fixture.
"""

from __future__ import annotations

import asyncio
import copy
import json
from abc import ABC, abstractmethod
from itertools import pairwise, product
from typing import TYPE_CHECKING, Any

from sluicegate.errors import ConfigError
from sluicegate.plugins import (
    Capability,
    Config,
    Destination,
    ManifestRouter,
    PodCountRouter,
    StepPhase,
    StepPlugin,
    StepResult,
    Verification,
)
from sluicegate.testing.builders import make_context, make_rollout, make_routes, make_step_context
from sluicegate.testing.objects import MemoryObjects

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sluicegate.api.rollout import Rollout
    from sluicegate.plugins import Manifest, Routes

_SIZES = (0, 1, 2, 3, 4, 5, 7, 10, 19, 20, 100)
_SURGES = (0, 1, 3)
_TOTALS = (100, 1000)
_PASSES = 4
_RUNS = 10


class PodCountRouterContract(ABC):
    """What a router with Capability.POD_COUNT promises; `router` is the instance under test."""

    @property
    @abstractmethod
    def router(self) -> PodCountRouter:
        """The router under test."""

    def is_exempt(self, weight: int, max_weight: int, replicas: int, max_surge: int) -> bool:
        """Whether a shared canary may have no pod here, for a plugin that must answer as something else does."""
        return False

    def test_counts_stay_between_the_replicas_and_the_surge(self) -> None:
        for weight, total, replicas, surge in _sweep():
            counts = self.router.split(weight, total, replicas, surge)
            case = f"split({weight}, {total}, {replicas}, {surge}) = {counts}"
            assert counts.canary >= 0 and counts.stable >= 0, case
            assert replicas <= counts.canary + counts.stable <= replicas + surge, case

    def test_weight_zero_has_no_canary_and_full_weight_no_stable(self) -> None:
        for total, replicas, surge in product(_TOTALS, _SIZES, _SURGES):
            none = self.router.split(0, total, replicas, surge)
            full = self.router.split(total, total, replicas, surge)
            assert (none.canary, none.stable) == (0, replicas), f"{replicas} replicas, surge {surge}: {none}"
            assert (full.canary, full.stable) == (replicas, 0), f"{replicas} replicas, surge {surge}: {full}"

    def test_the_canarys_share_never_falls_when_the_weight_rises(self) -> None:
        for total, replicas, surge in product(_TOTALS, _SIZES[1:], _SURGES):
            cases = [(weight, total, replicas, surge) for weight in _weights(total)]
            counts = [self.router.split(*case) for case in cases if not self.is_exempt(*case)]
            for low, high in pairwise(counts):
                # canary / (canary + stable), multiplied out
                assert low.canary * high.stable <= high.canary * low.stable, f"{replicas} replicas: {low}, {high}"

    def test_two_versions_both_keep_a_pod_while_they_share_the_traffic(self) -> None:
        for case in _sweep():
            weight, total, replicas, surge = case
            is_shared = 0 < weight < total and (replicas > 1 or (replicas == 1 and surge > 0))
            if is_shared and not self.is_exempt(*case):
                counts = self.router.split(*case)
                assert min(counts.canary, counts.stable) > 0, f"{weight}/{total} of {replicas}, surge {surge}: {counts}"

    def test_equal_questions_get_equal_answers(self) -> None:
        first = [self.router.split(*case) for case in _sweep()]
        assert [self.router.split(*case) for case in _sweep()] == first

    def test_it_says_that_pods_are_its_weights(self) -> None:
        assert Capability.POD_COUNT in self.router.capabilities


class ManifestRouterContract(ABC):
    """What a ManifestRouter promises, on objects in memory.

    Give the `router`, a `config` of its type, the `objects` it finds at first, and `weights`, which reads back from the
    stored objects what the data plane would share traffic by. The Rollout is `shop` in `default`, its Services are
    `shop-stable` and `shop-canary`. A router may take a few passes until it has nothing left to write.
    """

    @property
    @abstractmethod
    def router(self) -> ManifestRouter[Any]:
        """The router under test."""

    @property
    @abstractmethod
    def config(self) -> Config:
        """Its settings."""

    @property
    @abstractmethod
    def objects(self) -> Iterable[Manifest]:
        """The objects that exist before the router's first call."""

    @abstractmethod
    def weights(self, objects: Iterable[Manifest]) -> Mapping[str, int]:
        """The weight of each Service that `objects` give one, as whole numbers out of the weight total."""

    @property
    def rollout(self) -> Rollout:
        """The Rollout that is routed."""
        return make_rollout()

    def test_every_weight_arrives_and_the_rest_is_stable(self) -> None:
        for total, weight in product(self._totals(), (0, 1, 20, 99, 100)):
            stored = self._stored(make_routes(weight, max_weight=total))
            assert self.weights(stored.documents()) == {"shop-canary": weight, "shop-stable": total - weight}

    def test_weights_of_experiments_are_taken_from_stable(self) -> None:
        if Capability.EXPERIMENTS not in self.router.capabilities:
            return
        routes = make_routes(20, experiments=[Destination("shop-exp", "exphash", 10)])
        weights = self.weights(self._stored(routes).documents())
        assert weights == {"shop-canary": 20, "shop-exp": 10, "shop-stable": 70}

    def test_nothing_is_written_when_nothing_differs(self) -> None:
        for weight in (0, 20, 100):
            routes = make_routes(weight)
            stored = self._stored(routes)
            assert stored.writes == [], f"pass {_PASSES} at weight {weight} still wrote {stored.writes}"

    def test_drift_is_healed(self) -> None:
        stored = self._stored(make_routes(50))
        drifted = stored.documents()
        self._apply(stored, make_routes(20))
        for manifest in drifted:
            stored.put(manifest)
        self._apply(stored, make_routes(20))
        assert self.weights(stored.documents()) == {"shop-canary": 20, "shop-stable": 80}

    def test_the_way_back_leaves_no_trace_of_the_way_there(self) -> None:
        there = self._stored(make_routes(0))
        resting = _without_versions(there)
        self._apply(there, make_routes(50))
        self._apply(there, make_routes(0))
        assert _without_versions(there) == resting

    def test_rendering_changes_neither_its_routes_nor_what_was_observed(self) -> None:
        objects, routes = self._memory(), make_routes(20)
        context = make_context(self.config, objects, rollout=self.rollout)
        observed = asyncio.run(self.router.observe(context, routes))
        first = copy.deepcopy(list(self.router.render(context.config, routes, observed)))
        assert list(self.router.render(context.config, routes, observed)) == first

    def test_unknown_settings_are_refused_with_their_path(self) -> None:
        try:
            settings = self.config.model_dump(mode="json", by_alias=True)
            self.router.parse_config({**settings, "noSuchSetting": 1}, path="plugins.x")
        except ConfigError as error:
            assert "plugins.x.noSuchSetting" in str(error)
        else:
            assert self.router.config.model_config.get("extra") == "ignore", "the unknown setting was taken"

    def test_without_the_capability_there_is_nothing_to_verify(self) -> None:
        if Capability.VERIFY not in self.router.capabilities:
            context = make_context(self.config, self._memory(), rollout=self.rollout)
            answer = asyncio.run(self.router.verify(context, make_routes(20)))
            assert answer == Verification.not_applicable()

    def _totals(self) -> tuple[int, ...]:
        return (100, 1000) if Capability.FRACTIONAL_WEIGHTS in self.router.capabilities else (100,)

    def _memory(self) -> MemoryObjects:
        return MemoryObjects(self.objects, namespace=self.rollout.metadata.namespace)

    def _stored(self, routes: Routes) -> MemoryObjects:
        objects = self._memory()
        self._apply(objects, routes)
        return objects

    def _apply(self, objects: MemoryObjects, routes: Routes) -> None:
        """Let the router have its passes until one writes nothing."""
        context = make_context(self.config, objects, rollout=self.rollout)
        for _ in range(_PASSES):
            objects.writes.clear()
            asyncio.run(self.router.apply(context, routes))
            if not objects.writes:
                return


class StepPluginContract(ABC):
    """What a StepPlugin promises, on objects in memory.

    Give the `plugin`, which must be made without arguments, a `config` of its type, and the `objects` it finds at
    first, so that the step comes to a good end within ten runs. `meanwhile` lets the world go on between two runs. The
    Rollout is `shop` in `default`.
    """

    @property
    @abstractmethod
    def plugin(self) -> StepPlugin[Any]:
        """The step plugin under test."""

    @property
    @abstractmethod
    def config(self) -> Config:
        """Its settings."""

    @property
    @abstractmethod
    def objects(self) -> Iterable[Manifest]:
        """The objects that exist before the first run."""

    @property
    def rollout(self) -> Rollout:
        """The Rollout whose step it is."""
        return make_rollout()

    def meanwhile(self, objects: MemoryObjects) -> None:  # noqa: B027  # most plugins wait for nothing
        """What happens to the objects between two runs; nothing unless overridden."""

    def test_the_step_comes_to_a_good_end(self) -> None:
        results, _ = self._played()
        assert results[-1].phase == StepPhase.SUCCESSFUL, f"run {len(results)} answered {results[-1]}"

    def test_a_run_whose_answer_was_lost_is_made_again_without_harm(self) -> None:
        results, once = self._played()
        again, twice = self._played(times=2)
        assert [result.phase for result in again] == [result.phase for result in results]
        assert _without_identities(twice) == _without_identities(once)

    def test_an_instance_goes_on_where_another_left_off(self) -> None:
        results, stored = self._played()
        others, by_others = self._played(fresh=True)
        assert [result.phase for result in others] == [result.phase for result in results]
        assert _without_identities(by_others) == _without_identities(stored)

    def test_its_status_is_json_and_the_stored_one_stays_as_it_is(self) -> None:
        objects, status = self._memory(), None
        for _ in range(_RUNS):
            stored = json.dumps(status)
            result = self._call("run", objects, status)
            assert json.dumps(status) == stored, "run changed the status it was handed"
            status = result.status
            assert json.loads(json.dumps(status, allow_nan=False)) == status, f"{status!r} is no JSON value"

    def test_terminating_a_running_step_is_over_in_one_call(self) -> None:
        self._end("terminate", self._begun())

    def test_aborting_a_running_step_is_over_in_one_call(self) -> None:
        self._end("abort", self._begun())

    def test_aborting_a_step_that_is_done_is_over_in_one_call(self) -> None:
        results, objects = self._played()
        self._end("abort", (objects, results[-1]))

    def test_unknown_settings_are_refused_with_their_path(self) -> None:
        try:
            settings = self.config.model_dump(mode="json", by_alias=True)
            self.plugin.parse_config({**settings, "noSuchSetting": 1}, path="steps[0].plugin.config")
        except ConfigError as error:
            assert "steps[0].plugin.config.noSuchSetting" in str(error)
        else:
            assert self.plugin.config.model_config.get("extra") == "ignore", "the unknown setting was taken"

    def _memory(self) -> MemoryObjects:
        return MemoryObjects(self.objects, namespace=self.rollout.metadata.namespace)

    def _call(self, operation: str, objects: MemoryObjects, status: Any, *, fresh: bool = False) -> StepResult:
        plugin = type(self.plugin)() if fresh else self.plugin
        context = make_step_context(self.config, objects, rollout=self.rollout)
        result: StepResult = asyncio.run(getattr(plugin, operation)(context, status))
        return result

    def _played(self, *, times: int = 1, fresh: bool = False) -> tuple[list[StepResult], MemoryObjects]:
        """Run the step to its end, each run made so many times of which only the last is heard."""
        objects, results = self._memory(), list[StepResult]()
        for _ in range(_RUNS):
            stored = json.dumps(results[-1].status) if results else "null"
            answers = [self._call("run", objects, json.loads(stored), fresh=fresh) for _ in range(times)]
            results.append(answers[-1])
            if answers[-1].phase != StepPhase.RUNNING:
                break
            self.meanwhile(objects)
        return results, objects

    def _begun(self) -> tuple[MemoryObjects, StepResult]:
        objects = self._memory()
        return objects, self._call("run", objects, None)

    def _end(self, operation: str, begun: tuple[MemoryObjects, StepResult]) -> None:
        """End a step, and again as if the first answer was lost."""
        objects, result = begun
        for _ in range(2):
            ended = self._call(operation, objects, copy.deepcopy(result.status))
            assert ended.phase == StepPhase.SUCCESSFUL, f"{operation} answered {ended}"


def _weights(total: int) -> range:
    return range(0, total + 1, total // 50)


def _sweep() -> Iterable[tuple[int, int, int, int]]:
    for total, replicas, surge in product(_TOTALS, _SIZES, _SURGES):
        for weight in _weights(total):
            yield weight, total, replicas, surge


def _without_versions(objects: MemoryObjects) -> list[Manifest]:
    documents = objects.documents()
    for document in documents:
        del document["metadata"]["resourceVersion"]
    return documents


def _without_identities(objects: MemoryObjects) -> list[Manifest]:
    documents = _without_versions(objects)
    for document in documents:
        del document["metadata"]["uid"]
    return documents
