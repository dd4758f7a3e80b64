"""Which images can run here, and what a pod is told about one that cannot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

COLOURS: Final = ("red", "orange", "yellow", "green", "blue", "purple")
REPOSITORY: Final = "argoproj/rollouts-demo"
REGISTRIES: Final = ("", "docker.io/", "index.docker.io/", "registry.hub.docker.com/")
RUNNABLE: Final = f"{REPOSITORY}:TAG with TAG one of {', '.join(COLOURS)}, each also as bad-TAG and slow-TAG"


@dataclass(frozen=True, slots=True)
class DemoImage:
    """A version of the demo application: colour, share of failing answers in percent, latency in seconds."""

    colour: str
    error_percent: int = 0
    latency: float = 0.0


@dataclass(frozen=True, slots=True)
class NotRunnable:
    """Why a container waits: a `reason` and `message` as in `containerStatuses[].state.waiting`."""

    reason: str
    message: str


# The released bad images set ERROR_RATE=15 and then fail when a number below 100 is at least that: 85 of 100 answers.
VARIANTS: Final = {
    "": DemoImage(""),
    "bad-": DemoImage("", error_percent=85),
    "slow-": DemoImage("", latency=2.0),
}
DEMO_IMAGES: Final = {
    f"{prefix}{colour}": DemoImage(colour, variant.error_percent, variant.latency)
    for prefix, variant in VARIANTS.items()
    for colour in COLOURS
}


def find_image(reference: str) -> DemoImage | NotRunnable:
    """What runs for an image reference; a digest behind the tag is ignored."""
    repository, _, tag = reference.partition("@")[0].partition(":")
    if repository not in [f"{registry}{REPOSITORY}" for registry in REGISTRIES]:
        message = f'no container runtime: image "{reference}" cannot run here. Images that can: {RUNNABLE}'
        return NotRunnable("ErrImageNotRunnable", message)
    if found := DEMO_IMAGES.get(tag):
        return found
    message = f'Back-off pulling image "{reference}": there is no such tag. Images that can run here: {RUNNABLE}'
    return NotRunnable("ImagePullBackOff", message)
