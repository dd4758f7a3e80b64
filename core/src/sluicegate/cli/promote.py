"""`promote`: end a pause, skip the running step, or go to the end at once (operations.md 1.7)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import click

from sluicegate.api.resources import ROLLOUTS
from sluicegate.cli.command import Command
from sluicegate.cli.failure import CommandError
from sluicegate.cli.naming import not_found_hint, rollout_name
from sluicegate.cli.patches import patch_status
from sluicegate.cli.settings import Settings
from sluicegate.cli.views.fields import flag, items, member, number, text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sluicegate.cli.settings import Scope

_UNPAUSE: Final[Mapping[str, Any]] = {"paused": False}


class Promotion(NamedTuple):
    """What is sent: members of the status and of the spec, and the status of the one patch that stands for both.

    That one is for a cluster without a status subresource; None and empty mean that there is nothing to send.
    """

    status: dict[str, Any] | None
    spec: dict[str, Any] | None = None
    unified: dict[str, Any] | None = None


def _deprecation(message: str) -> Callable[[click.Context, click.Parameter, bool], bool]:
    def announce(ctx: click.Context, param: click.Parameter, value: bool) -> bool:
        if value:
            click.echo(message, err=True)
        return value

    return announce


@click.command("promote", cls=Command, example=["promote canary-demo", "promote canary-demo --full"])
@click.argument("rollout", nargs=-1, metavar="ROLLOUT")
@click.option("--full", is_flag=True, help="Skip all that is left: steps, pauses and analysis.")
@click.option(
    "-c",
    "--skip-current-step",
    is_flag=True,
    hidden=True,
    callback=_deprecation(
        "Flag --skip-current-step has been deprecated, use without the flag instead ex: promote ROLLOUT_NAME"
    ),
)
@click.option(
    "-a",
    "--skip-all-steps",
    is_flag=True,
    hidden=True,
    callback=_deprecation("Flag --skip-all-steps has been deprecated, use --full instead"),
)
@click.pass_context
def command(
    ctx: click.Context, rollout: tuple[str, ...], full: bool, skip_current_step: bool, skip_all_steps: bool
) -> None:
    """Let a paused Rollout go on, or skip the step that it is at."""
    name = rollout_name(ctx, rollout)
    if skip_current_step and skip_all_steps:
        raise CommandError("Cannot use skip-current-step and skip-all-steps flags at the same time")
    plan = skip_current if skip_current_step else skip_all if skip_all_steps else promote_full if full else promote_once
    asyncio.run(_promote(ctx.ensure_object(Settings), name, plan))
    click.echo(f"rollout '{name}' {'fully ' if full else ''}promoted")


async def _promote(settings: Settings, name: str, plan: Callable[[Any], Promotion]) -> None:
    async with settings.connect() as scope, not_found_hint(scope):
        await promote(scope, name, plan)


async def promote(scope: Scope, name: str, plan: Callable[[Any], Promotion]) -> None:
    """Read the Rollout, and send what the plan makes of it."""
    rollout = await scope.client.get(ROLLOUTS, scope.namespace, name)
    await _send(scope, name, plan(rollout))


async def _send(scope: Scope, name: str, promotion: Promotion) -> None:
    # The spec goes first: a controller that sees only the pause conditions gone would put them back while the spec
    # still pauses, and the person would have to promote again (rollout.md 11).
    if promotion.spec is not None:
        await scope.client.patch(ROLLOUTS, scope.namespace, name, {"spec": promotion.spec})
    if promotion.status is not None:
        unified = {"spec": promotion.spec or _UNPAUSE, "status": promotion.unified} if promotion.unified else None
        await patch_status(scope, name, {"status": promotion.status}, unified=unified)


def skip_current(rollout: Any) -> Promotion:
    """Go to the next step; refused where there is none, and nothing to do without a strategy."""
    _refuse_without_steps(rollout)
    return Promotion({"currentStepIndex": _next_index(rollout)} if _canary(rollout) else None)


def skip_all(rollout: Any) -> Promotion:
    """Go past the last step; refused where there is none."""
    _refuse_without_steps(rollout)
    if not _canary(rollout):
        raise CommandError("Cannot skip steps of a rollout without a strategy")
    return Promotion({"currentStepIndex": len(_steps(rollout))})


def promote_full(rollout: Any) -> Promotion:
    """Go to the end at once, if an update is under way at all."""
    status = member(rollout, "status")
    updating = text(status, "currentPodHash") != text(status, "stableRS")
    wanted = {"promoteFull": True}
    return Promotion(wanted if updating else None, _unpause(rollout), unified=wanted)


def promote_once(rollout: Any) -> Promotion:
    """End the pause; a canary that is not paused skips its running step."""
    unpause, cleared = _unpause(rollout), {"pauseConditions": None}
    if items(rollout, "status", "pauseConditions"):
        return Promotion(_after_pause(rollout, cleared), unpause, unified=cleared)
    if _canary(rollout) and _steps(rollout):
        skipped = {**cleared, "currentStepIndex": _next_index(rollout)}
        return Promotion(skipped, unpause, unified=skipped)
    return Promotion(None, unpause)


def _after_pause(rollout: Any, cleared: dict[str, Any]) -> dict[str, Any]:
    status = member(rollout, "status")
    inconclusive = text(status, "canary", "currentStepAnalysisRunStatus", "status") == "Inconclusive"
    if _canary(rollout) and _steps(rollout) and inconclusive and flag(status, "controllerPause"):
        return {**cleared, "controllerPause": False, "currentStepIndex": _next_index(rollout)}
    return cleared


def _refuse_without_steps(rollout: Any) -> None:
    if member(rollout, "spec", "strategy", "blueGreen") is not None:
        raise CommandError("Cannot skip steps of a bluegreen rollout. Run without a flags")
    if _canary(rollout) and not _steps(rollout):
        raise CommandError("Cannot skip steps of a rollout without steps")


def _canary(rollout: Any) -> bool:
    return member(rollout, "spec", "strategy", "canary") is not None


def _steps(rollout: Any) -> list[Any]:
    return items(rollout, "spec", "strategy", "canary", "steps")


def _next_index(rollout: Any) -> int:
    index, last = number(rollout, "status", "currentStepIndex"), len(_steps(rollout))
    return index + 1 if index < last else index


def _unpause(rollout: Any) -> dict[str, Any] | None:
    return dict(_UNPAUSE) if flag(rollout, "spec", "paused") else None
