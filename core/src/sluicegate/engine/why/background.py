"""What else goes on around a Rollout: a restart, old pods that are kept, a change of size, others that interfere."""

from collections.abc import Iterator
from datetime import datetime

from sluicegate.api.foreign import ReplicaSet
from sluicegate.api.model import parse_time
from sluicegate.engine.delays import deadline_of
from sluicegate.engine.drains import is_referenced
from sluicegate.engine.restart import needs_pods, restart
from sluicegate.engine.scaling import is_scaling_event
from sluicegate.engine.view import View, created, revision_of, size
from sluicegate.engine.why.explanation import Finding
from sluicegate.engine.why.situation import Situation, version
from sluicegate.engine.why.wording import clock, count, does, enumerate_all, until


def beside(situation: Situation) -> Iterator[Finding]:
    """The findings that come after the one that matters most."""
    yield from _restart(situation)
    yield from _rivals(situation)
    yield from _scaling(situation)
    yield from _kept_pods(situation)


def _restart(situation: Situation) -> Iterator[Finding]:
    view, wanted = situation.view, situation.view.rollout.spec.restart_at
    if wanted is None or wanted == view.status.restarted_at:
        return
    if not needs_pods(view, situation.now):
        yield Finding(
            f"A restart of all pods is planned {until(wanted, situation.now)}.",
            "Time: it begins by itself.",
            next="Then the pods are replaced, a few at a time.",
            actions=(_no_restart(situation),),
        )
        return
    old = _old_pods(view, wanted)
    if not old:
        yield Finding("A restart of all pods is about to be done.", since=wanted)
        return
    still = f"{does(len(old), 'pod', 'is', 'are')} still from before {clock(wanted, situation.now)}"
    yield Finding(
        f"A restart is under way: {still}.",
        _restart_waits(situation),
        wanted,
        "They are replaced a few at a time.",
        (_no_restart(situation),),
    )


def _old_pods(view: View, wanted: datetime) -> list[str]:
    owned = {rs.metadata.uid for rs in view.replica_sets}
    return [
        pod.metadata.name
        for pod in view.surroundings.pods
        if (owner := pod.metadata.controller) is not None
        and owner.uid in owned
        and pod.metadata.creation_timestamp is not None
        and pod.metadata.creation_timestamp < wanted
    ]


def _restart_waits(situation: Situation) -> str:
    if situation.blocking_budgets:
        names = enumerate_all(situation.blocking_budgets)
        return f"PodDisruptionBudget {names} lets no pod go at the moment."
    going = restart(situation.view, situation.now)
    if going is not None and going.evictions:
        return "The next pod goes within 30 seconds."
    return "New pods have to be available before more old ones may go."


def _no_restart(situation: Situation) -> str:
    patch = f'patch rollout {situation.view.name} --type=merge -p \'{{"spec":{{"restartAt":null}}}}\''
    return f"To call the restart off: {situation.commands.kube(patch)}"


def _rivals(situation: Situation) -> Iterator[Finding]:
    if situation.rivals:
        others = enumerate_all([f"Rollout {name}" for name in situation.rivals])
        verb = "selects" if len(situation.rivals) == 1 else "select"
        yield Finding(
            f"{others} {verb} the same pods as {situation.view.name}, or the same Services.",
            "Each Rollout needs a selector and Services of its own.",
            next="Until then requests may reach pods of either.",
            actions=(situation.commands.edit(),),
        )


def _scaling(situation: Situation) -> Iterator[Finding]:
    view, scaler = situation.view, situation.autoscaler
    by = ""
    if scaler is not None:
        by = f" HorizontalPodAutoscaler {scaler.name} decides the number, between {scaler.least} and {scaler.most}."
    if is_scaling_event(view):
        yield Finding(
            f"The number of pods changes to {view.replicas}.{by}",
            "The controller: it resizes before it does anything else.",
        )


def _kept_pods(situation: Situation) -> Iterator[Finding]:
    """Old versions that wait out their delay; an aborted one is told of with the abort."""
    view = situation.view
    for other in view.others:
        due = parse_time(deadline_of(other) or "")
        if size(other) == 0 or due is None:
            continue
        yield _kept(situation, other, due)
    for other in view.others:
        if view.routed and deadline_of(other) is None and created(other) and size(other) and is_referenced(view, other):
            yield Finding(f"{_pods_of(other)} may still get requests, so nothing is taken away.")


def _kept(situation: Situation, former: ReplicaSet, due: datetime) -> Finding:
    are, they_go = ("is", "It goes") if size(former) == 1 else ("are", "They go")
    if due <= situation.now:
        return Finding(f"{_pods_of(former)} {are} about to go: the time for which old pods are kept is over.")
    return Finding(
        f"{_pods_of(former)} {are} kept for a while, so that going back is quick.",
        next=f"{they_go} {until(due, situation.now)}.",
        actions=_way_back(situation, former),
    )


def _way_back(situation: Situation, former: ReplicaSet) -> tuple[str, ...]:
    """How to go back to a version that is kept; an update under way is aborted instead."""
    revision = revision_of(former)
    if not situation.view.promoted or not revision:
        return ()
    return (f"To go back to revision {revision}: {situation.commands.run('undo', f'--to-revision={revision}')}",)


def _pods_of(replica_set: ReplicaSet) -> str:
    return f"{count(size(replica_set), 'pod')} of {version(replica_set)}"
