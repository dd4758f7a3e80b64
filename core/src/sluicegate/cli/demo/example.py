"""What the demo plays: the manifest of `examples/01-canary`, and what follows from it.

The package has a copy of that file, since an installed one comes without the examples.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Final

import yaml

from sluicegate.api.resources import ROLLOUTS, SERVICES
from sluicegate.cli.views.fields import items, member, name_of, number, text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sluicegate.api.resources import Resource
    from sluicegate.cli.views.fields import Object

MANIFEST: Final = "rollout.yaml"
NEXT_TAG: Final = "yellow"


@dataclass(frozen=True, slots=True)
class Stop:
    """A pause of the canary: the index of its step, the weight while it lasts, and whether a person has to end it."""

    index: int
    weight: int
    endless: bool


@dataclass(frozen=True, slots=True)
class Version:
    """One version of the demo application; it answers with its colour, which is its image's tag."""

    colour: str
    image: str


@dataclass(frozen=True)
class Example:
    """The Rollout and the Service of a manifest."""

    rollout: Object
    service: Object

    @property
    def objects(self) -> Sequence[tuple[Resource, Object]]:
        """What to create, in the order of the manifest."""
        return ((ROLLOUTS, self.rollout), (SERVICES, self.service))

    @property
    def name(self) -> str:
        """The name of the Rollout."""
        return name_of(self.rollout)

    @property
    def replicas(self) -> int:
        """How many pods the Rollout has."""
        return number(self.rollout, "spec", "replicas", default=1)

    @property
    def container(self) -> str:
        """The name of the one container."""
        return text(self._container, "name")

    @property
    def old(self) -> Version:
        """The version that runs first."""
        image = text(self._container, "image")
        return Version(image.rpartition(":")[2], image)

    @property
    def new(self) -> Version:
        """The version that the demo updates to."""
        repository = self.old.image.rpartition(":")[0]
        return Version(NEXT_TAG, f"{repository}:{NEXT_TAG}")

    @property
    def steps(self) -> list[Object]:
        """The steps of the canary."""
        return items(self.rollout, "spec", "strategy", "canary", "steps")

    def stops(self) -> Iterator[Stop]:
        """The pauses, in order."""
        weight = 0
        for index, step in enumerate(self.steps):
            weight = number(step, "setWeight", default=weight)
            if "pause" in step:
                yield Stop(index, weight, endless=not step["pause"])

    @property
    def _container(self) -> Object:
        container: Object = items(member(self.rollout, "spec", "template", "spec"), "containers")[0]
        return container


def load_example() -> Example:
    """The example as it comes with the package."""
    manifest = resources.files(__package__).joinpath(MANIFEST).read_text(encoding="utf-8")
    found = {one["kind"]: one for one in yaml.safe_load_all(manifest)}
    return Example(found[ROLLOUTS.kind], found[SERVICES.kind])
