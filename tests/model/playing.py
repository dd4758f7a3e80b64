"""How a story is played: a first version serves, things happen, then calm, then what must be so."""

import asyncio
import os
import pprint
from collections.abc import Sequence
from typing import Final

from tests.model.cluster import Write, annotations_of
from tests.model.rest import check_aborted, check_moves_on, check_silence, check_status, is_invalid, sizes
from tests.model.world import Action, Setting, World

from sluicegate.api.merge import merge_patch
from sluicegate.testing.recording import PREFIX

ENDS: Final = ("rest", "abort", "finish")
"""How a story ends: left alone, aborted, or mended, resumed and promoted to the end."""
MOST_PROMOTIONS: Final = 12
TRACE: Final = "SLUICEGATE_MODEL_TRACE"
"""The environment variable that has every action and every write printed."""


def play(setting: Setting, story: Sequence[Action], end: str = "rest") -> World:
    """Play a story on a Rollout whose first version serves, and check all that is promised on the way and at its end.

    A failure says how to pin the story as a test of its own.
    """
    try:
        return asyncio.run(_play(setting, story, end))
    except Exception as error:
        error.add_note(as_test(setting, story, end))
        raise


def as_test(setting: Setting, story: Sequence[Action], end: str) -> str:
    """The story as the text of a test."""
    shown = pprint.pformat(setting, width=100), pprint.pformat(list(story), width=100)
    return "def test_NAME() -> None:\n    play(\n{},\n{},\n{!r},\n    )\n".format(*shown, end)


async def _play(setting: Setting, story: Sequence[Action], end: str) -> World:
    world = World(setting)
    if os.environ.get(TRACE):
        world.on_write = lambda write: print(f"    {world.now:%T} {write} {_change(write)}")
    await world.settle()
    assert world.status["phase"] == "Healthy", world.status
    for action in story:
        _trace(world, action)
        await world.play(action)
    if end == "abort":
        world.do_abort()
        await world.settle()
    _trace(world, "calm")
    world.do_calm()
    await {"rest": _rest, "abort": _abort, "finish": _finish}[end](world)
    return world


def _trace(world: World, happening: object) -> None:
    if os.environ.get(TRACE):
        routes = {key.removeprefix(PREFIX): value for key, value in annotations_of(world.ingress).items()}
        services = {name: world.selected(name) for name in ("stable", "canary", "active", "preview")}
        print(f"{happening}\n  sizes {sizes(world)} routes {routes} services {services}")


def _change(write: Write) -> object:
    return merge_patch(write.before, write.after) if write.before and write.after else ""


async def _rest(world: World) -> None:
    await world.settle()
    await check_silence(world)
    check_status(world)
    if not world.spec.get("paused"):
        check_moves_on(world)


async def _abort(world: World) -> None:
    world.do_unpause()
    await world.settle()
    if not world.status.get("abort"):
        world.do_abort()
    await _rest(world)
    if world.status.get("abort") and not is_invalid(world):
        check_aborted(world)


async def _finish(world: World) -> None:
    world.do_image("v9")
    world.do_unpause()
    world.do_retry()
    for _ in range(MOST_PROMOTIONS):
        await _rest(world)
        if world.status["phase"] != "Paused":
            break
        world.do_promote()
    assert world.status["phase"] == "Healthy" or is_invalid(world), world.status
