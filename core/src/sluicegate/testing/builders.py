"""Builders of the values a plugin is handed, each with everything defaulted that a test does not care about."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from sluicegate.api.rollout import Rollout
from sluicegate.plugins import Config, Destination, Event, RouterContext, Routes, StepContext

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from sluicegate.plugins import Objects

ConfigT = TypeVar("ConfigT", bound=Config)

START = datetime(2026, 1, 1, tzinfo=UTC)


def make_rollout(*, name: str = "shop", namespace: str = "default", spec: Mapping[str, Any] | None = None) -> Rollout:
    """A canary Rollout with Services `<name>-stable` and `<name>-canary`; members of `spec` replace its own."""
    template = {
        "metadata": {"labels": {"app": name}},
        "spec": {"containers": [{"name": "app", "image": f"{name}:1"}]},
    }
    canary = {"canaryService": f"{name}-canary", "stableService": f"{name}-stable"}
    manifest = {
        "metadata": {"name": name, "namespace": namespace, "uid": f"uid-of-{name}", "generation": 1},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": {"app": name}},
            "template": template,
            "strategy": {"canary": canary},
            **(spec or {}),
        },
    }
    return Rollout.model_validate(manifest)


def make_routes(
    weight: int, *, max_weight: int = 100, name: str = "shop", experiments: Iterable[Destination] = (), **members: Any
) -> Routes:
    """Routes of the Rollout `name` with `weight` on the canary and what is left on stable."""
    destinations = tuple(experiments)
    rest = max(0, max_weight - weight - sum(destination.weight for destination in destinations))
    return Routes(
        stable=Destination(f"{name}-stable", "stablehash", rest),
        canary=Destination(f"{name}-canary", "canaryhash", weight),
        experiments=destinations,
        max_weight=max_weight,
        **members,
    )


def make_context(
    config: ConfigT,
    objects: Objects,
    *,
    rollout: Rollout | None = None,
    record: Callable[[Event], None] = lambda event: None,
) -> RouterContext[ConfigT]:
    """The context of one call of a router, with time standing still at the start of 2026."""
    return RouterContext(
        config=config,
        rollout=rollout or make_rollout(),
        objects=objects,
        record=record,
        logger=logging.getLogger(__name__),
        now=lambda: START,
    )


def make_step_context(config: ConfigT, objects: Objects, *, rollout: Rollout | None = None) -> StepContext[ConfigT]:
    """The context of one call of a step plugin, with time standing still at the start of 2026."""
    return StepContext(
        config=config,
        rollout=rollout or make_rollout(),
        objects=objects,
        logger=logging.getLogger(__name__),
        now=lambda: START,
    )
