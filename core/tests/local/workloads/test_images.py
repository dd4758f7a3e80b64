"""The demo images run as published; other images are refused with a reason that says what can run."""

from __future__ import annotations

import pytest

from sluicegate.local.images.catalogue import DemoImage, NotRunnable, find_image


@pytest.mark.parametrize("colour", ["red", "orange", "yellow", "green", "blue", "purple"])
def test_every_published_colour_runs_well_badly_and_slowly(colour: str) -> None:
    assert find_image(f"argoproj/rollouts-demo:{colour}") == DemoImage(colour)
    assert find_image(f"argoproj/rollouts-demo:bad-{colour}") == DemoImage(colour, error_percent=85)
    assert find_image(f"docker.io/argoproj/rollouts-demo:slow-{colour}") == DemoImage(colour, latency=2.0)


@pytest.mark.parametrize("tag", ["", ":latest", ":pink", ":bad-slow-blue"])
def test_another_tag_cannot_be_pulled(tag: str) -> None:
    found = find_image(f"argoproj/rollouts-demo{tag}")

    assert isinstance(found, NotRunnable)
    assert found.reason == "ImagePullBackOff"
    assert "red, orange, yellow, green, blue, purple" in found.message


@pytest.mark.parametrize("image", ["nginx", "evil/argoproj/rollouts-demo:blue", "localhost:5000/demo:blue", ""])
def test_another_image_cannot_run_and_says_which_can(image: str) -> None:
    found = find_image(image)

    assert isinstance(found, NotRunnable)
    assert found.reason == "ErrImageNotRunnable"
    assert f'"{image}"' in found.message
    assert "argoproj/rollouts-demo" in found.message
