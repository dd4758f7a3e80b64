"""How many pods each version is to have: asked of the router that counts pods, whose answer is not taken on trust."""

from typing import Any, TypeGuard

from sluicegate.engine.weights import PodCounts, SplitRequest
from sluicegate.errors import PluginError
from sluicegate.plugins.guard import Guard
from sluicegate.plugins.registry import Registry
from sluicegate.plugins.routers import PodCountRouter

_OPERATION = "split"


def split_pods(registry: Registry, guard: Guard, asked: SplitRequest, scope: str) -> PodCounts:
    """The split of the pods; raises PluginError if there is no router, if it fails, or answers what cannot be.

    Nothing and all of the weight need no router, so that the way back and the way out of an update are always open.
    """
    if asked.weight == 0:
        return PodCounts(canary=0, stable=asked.replicas)
    if asked.weight == asked.max_weight:
        return PodCounts(canary=asked.replicas, stable=0)
    router = registry.pod_count_router()
    return guard.call_pure(router.name, _OPERATION, _answer, router, asked, scope=scope)


def _answer(router: PodCountRouter, asked: SplitRequest) -> PodCounts:
    answer: Any = router.split(asked.weight, asked.max_weight, asked.replicas, asked.max_surge)
    canary, stable = getattr(answer, "canary", None), getattr(answer, "stable", None)
    most = asked.replicas + max(asked.max_surge, 1)
    if _is_count(canary) and _is_count(stable) and asked.replicas <= canary + stable <= most:
        return PodCounts(canary, stable)
    text = f"answered {answer!r:.200}, must be PodCounts of {asked.replicas} to {most} pods in all, neither below 0"
    raise PluginError(text, plugin=router.name, operation=_OPERATION)


def _is_count(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
