"""The images in use, each with the roles of the sets that run it (operations.md 1.3, "Images")."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sluicegate.cli.views.fields import items, number, text
from sluicegate.cli.views.replicasets import TAG_COLOURS, tags
from sluicegate.cli.views.text import PLAIN, Text, join
from sluicegate.cli.views.tree import by_revision

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sluicegate.cli.views.fields import Object
    from sluicegate.cli.views.text import Palette
    from sluicegate.cli.views.world import World


def rollout_images(rollout: Object, world: World, palette: Palette) -> list[Text]:
    """The images of a Rollout's ReplicaSets and of its Experiments."""
    own = by_revision(world.replica_sets.by(rollout))
    sources = [(image, tags(one, rollout)) for one in own for image in _running_images(one)]
    for experiment in world.experiments.by(rollout):
        sources += _experiment_sources(experiment, world)
    return _lines(sources, palette)


def experiment_images(experiment: Object, world: World, palette: Palette) -> list[Text]:
    """The images of an Experiment's ReplicaSets."""
    return _lines(_experiment_sources(experiment, world), palette)


def _experiment_sources(experiment: Object, world: World) -> list[tuple[str, list[str]]]:
    sets = by_revision(world.replica_sets.by(experiment))
    return [(image, _template_tag(one)) for one in sets for image in _running_images(one)]


def _template_tag(replica_set: Object) -> list[str]:
    name = text(replica_set, "metadata", "annotations", "experiment.argoproj.io/template-name")
    return [f"Σ:{name}"] if name else []


def _running_images(replica_set: Object) -> Iterator[str]:
    if number(replica_set, "status", "replicas") > 0:
        for container in items(replica_set, "spec", "template", "spec", "containers"):
            yield text(container, "image")


def _lines(sources: Sequence[tuple[str, list[str]]], palette: Palette) -> list[Text]:
    merged: dict[str, list[str]] = {}
    for image, roles in sources:
        merged[image] = sorted({*merged[image], *roles}) if image in merged else roles
    return [_line(image, merged[image], palette) for image in sorted(merged)]


def _line(image: str, roles: Sequence[str], palette: Palette) -> Text:
    if not roles:
        return Text.of(image)
    painted = [palette.paint(role, TAG_COLOURS.get(role, PLAIN)) for role in roles]
    return Text.of(f"{image} (") + join(", ", painted) + ")"
