"""What a person is told of a world in memory, as lines of text."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sluicegate.api.rollout import Rollout
from sluicegate.engine.view import View
from sluicegate.engine.weights import PodCounts, split_request
from sluicegate.engine.why import Commands, Explanation, Finding, Situation, Trouble, explain
from sluicegate_replicaset import ReplicaSetRouter

from .world import World

PROMOTE = "can: To go on at once: sluicegate promote shop -n demo"
SKIP = "can: To skip this step: sluicegate promote shop -n demo"
ABORT = "can: To stop the update and go back to revision 1: sluicegate abort shop -n demo"
UNDO = "can: To make revision 1 the wanted version again: sluicegate undo shop --to-revision=1 -n demo"
RETRY = "can: To try the same version again from the start: sluicegate retry rollout shop -n demo"
EDIT = "can: To mend the manifest: kubectl edit rollout shop -n demo"


def explained(world: World, **known: Any) -> Explanation:
    """The explanation of a world as it is; `known` is what else a person would see."""
    view = View.of(Rollout.model_validate(world.rollout), world.owned(), world.surroundings())
    return explained_view(view, world.now, decision=world.decide()[1], **known)


def explained_view(view: View, now: datetime, **known: Any) -> Explanation:
    """The explanation of a view."""
    return explain(Situation(view, now, Commands("demo", "shop"), split=_split(view), **known))


def told(world: World, **known: Any) -> list[str]:
    """All that is told of a world but the facts: a line for each part of each finding."""
    return [line for finding in explained(world, **known).findings for line in lines_of(finding)]


def facts_of(world: World, **known: Any) -> list[str]:
    """The facts, each a line."""
    return [f"{fact.label}: {fact.text}" for fact in explained(world, **known).facts]


def lines_of(finding: Finding) -> Iterator[str]:
    """A finding, a line for each of its parts."""
    yield finding.what
    if finding.waiting_for:
        yield f"waits: {finding.waiting_for}"
    if finding.since is not None:
        yield f"since: {finding.since:%H:%M:%S}"
    if finding.next:
        yield f"next: {finding.next}"
    yield from (f"can: {action}" for action in finding.actions)


def no_image(world: World, pods: int) -> tuple[Trouble, ...]:
    """So many pods of the current version that find no image."""
    pod_hash = world.status["currentPodHash"]
    cannot = "pull the image demo/shop:v2 (ImagePullBackOff)"
    return tuple(Trouble(f"shop-{n}", pod_hash, cannot, f"describe pod shop-{n}") for n in range(1, pods + 1))


def _split(view: View) -> PodCounts | None:
    if not view.basic:
        return None
    request = split_request(view)
    counts = ReplicaSetRouter().split(request.weight, request.max_weight, request.replicas, request.max_surge)
    return PodCounts(counts.canary, counts.stable)
