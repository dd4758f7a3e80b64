"""The whole view of `get rollout` and `get experiment`: header block, empty line, tree (operations.md 1.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sluicegate.cli.views import icons, tree, weights
from sluicegate.cli.views.fields import member, name_of, number, text
from sluicegate.cli.views.images import experiment_images, rollout_images
from sluicegate.cli.views.phase import client_phase
from sluicegate.cli.views.replicasets import tags
from sluicegate.cli.views.text import Palette

if TYPE_CHECKING:
    from datetime import datetime

    from sluicegate.cli.views.fields import Object
    from sluicegate.cli.views.text import Text
    from sluicegate.cli.views.world import World

_LABEL_WIDTH: Final = 17


def rollout_view(rollout: Object, world: World, *, now: datetime, colour: bool) -> list[str]:
    """The lines that `get rollout` prints."""
    palette = Palette(colour)
    phase = client_phase(rollout)
    root = tree.TreeBuilder(world, now, palette).rollout(rollout)
    return [
        *_identity(rollout, icons.with_icon(palette, icons.rollout_icon, phase.phase), phase.message),
        *_strategy(rollout, world),
        *_images(rollout_images(rollout, world, palette)),
        *_replicas(rollout),
        "",
        *tree.render(root),
    ]


def experiment_view(experiment: Object, world: World, *, now: datetime, colour: bool) -> list[str]:
    """The lines that `get experiment` prints."""
    palette = Palette(colour)
    status = icons.with_icon(palette, icons.analysis_icon, text(experiment, "status", "phase"))
    root = tree.TreeBuilder(world, now, palette).experiment(experiment)
    return [
        *_identity(experiment, status, text(experiment, "status", "message")),
        *_images(experiment_images(experiment, world, palette)),
        "",
        *tree.render(root),
    ]


def strategy_name(rollout: Object) -> str:
    """`Canary`, `BlueGreen`, or empty without a strategy; `Canary` when both are set."""
    strategy = member(rollout, "spec", "strategy")
    if member(strategy, "canary") is not None:
        return "Canary"
    return "BlueGreen" if member(strategy, "blueGreen") is not None else ""


def _line(label: str, value: Any) -> str:
    return f"{label:<{_LABEL_WIDTH}}{value}"


def _identity(obj: Object, status: Text, message: str) -> list[str]:
    lines = [
        _line("Name:", name_of(obj)),
        _line("Namespace:", text(obj, "metadata", "namespace")),
        _line("Status:", status.written),
    ]
    return [*lines, _line("Message:", message)] if message else lines


def _strategy(rollout: Object, world: World) -> list[str]:
    name = strategy_name(rollout)
    if name != "Canary":
        return [_line("Strategy:", name)]
    sets = [one for one in tree.by_revision(world.replica_sets.by(rollout)) if "canary" in tags(one, rollout)]
    return [
        _line("Strategy:", name),
        _line("  Step:", weights.step(rollout)),
        _line("  SetWeight:", weights.set_weight(rollout)),
        _line("  ActualWeight:", weights.actual_weight(rollout, sets[-1] if sets else None)),
    ]


def _images(images: list[Text]) -> list[str]:
    return [_line("" if position else "Images:", image.written) for position, image in enumerate(images)]


def _replicas(rollout: Object) -> list[str]:
    status = member(rollout, "status")
    return [
        "Replicas:",
        _line("  Desired:", number(rollout, "spec", "replicas", default=1)),
        _line("  Current:", number(status, "replicas")),
        _line("  Updated:", number(status, "updatedReplicas")),
        _line("  Ready:", number(status, "readyReplicas")),
        _line("  Available:", number(status, "availableReplicas")),
    ]
