"""What both strategies have in common: the version is rolled out, or an update is under way and waits."""

from sluicegate.engine import conditions as c
from sluicegate.engine.promotion import within_window
from sluicegate.engine.view import available, created, size
from sluicegate.engine.why.explanation import Finding
from sluicegate.engine.why.obstacles import deadline_words, missing_pods, refused_pods
from sluicegate.engine.why.pods import looks, trouble_texts, troubles_of
from sluicegate.engine.why.situation import Situation, version
from sluicegate.engine.why.wording import capital, count, enumerate_all


def settled(situation: Situation, obstacles: tuple[str, ...] = ()) -> Finding:
    """The wanted version is the stable one: all is well, or pods are missing."""
    view = situation.view
    waits = (*refused_pods(situation), *missing_pods(situation, view.replicas), *obstacles)
    if not waits:
        return _healthy(situation)
    troubles = troubles_of(situation, view.new_rs)
    has, wanted = min(available(view.new_rs), view.replicas), count(view.replicas, "pod")
    if available(view.new_rs) >= view.replicas:
        what = f"{capital(situation.new)} is rolled out, and something is left to do."
    elif texts := enumerate_all(trouble_texts(troubles)):
        what = f"{capital(situation.new)} is rolled out, but only {has} of {wanted} serve: {texts}."
    elif view.status.condition(c.HEALTHY) is None:
        what = f"Rollout {view.name} starts for the first time; {has} of {wanted} serve so far."
    else:
        what = f"{capital(situation.new)} is rolled out; {has} of {wanted} serve, the others are to follow."
    return Finding(
        what,
        " ".join(waits),
        situation.last_progress,
        deadline_words(situation),
        looks(situation, troubles),
    )


def _healthy(situation: Situation) -> Finding:
    view = situation.view
    if view.replicas == 0:
        return Finding(f"Rollout {view.name} is scaled to 0: no pod is wanted.")
    pods = "its pod runs" if view.replicas == 1 else f"all {view.replicas} pods run"
    verb = "is" if view.replicas == 1 else "are"
    return Finding(
        f"Rollout {view.name} is healthy: {pods} {situation.new} and {verb} available. Nothing is to be done."
    )


def waiting(
    situation: Situation,
    where: str,
    obstacles: tuple[str, ...],
    then: str,
    more: tuple[str, ...] = (),
    *,
    fine: str = "",
) -> Finding:
    """An update that goes on by itself; `where` it is, what comes `then`, and `more` that a person can do.

    `fine` is what there is to say first while the pods have no trouble.
    """
    troubles = troubles_of(situation, situation.view.new_rs)
    texts = enumerate_all(trouble_texts(troubles))
    subject = f"The {_kind(situation)} to {situation.new}"
    what = f"{subject} is stuck {where}: {texts}." if texts else fine or f"{subject} is under way, {where}."
    return Finding(
        what,
        " ".join(obstacles) or "Nothing: it is about to go on.",
        situation.last_progress,
        " ".join(filter(None, (then, deadline_words(situation)))),
        (*looks(situation, troubles), *more, *_ways_out(situation)),
    )


def full(situation: Situation, obstacles: tuple[str, ...]) -> Finding:
    """A full promotion under way."""
    found = waiting(situation, "at its end", obstacles, "")
    if " is stuck " in found.what:
        what = found.what
    else:
        what = f"Somebody asked for a full promotion of {situation.new}: steps, pauses and analyses are skipped."
    then = f"Then {situation.new} is the stable version."
    commands = (
        *looks(situation, troubles_of(situation, situation.view.new_rs)),
        situation.commands.abort(situation.stable),
    )
    return Finding(what, found.waiting_for, found.since, f"{then} {found.next}".strip(), commands)


def _kind(situation: Situation) -> str:
    return "rollback" if within_window(situation.view) else "update"


def _ways_out(situation: Situation) -> tuple[str, ...]:
    commands, view = situation.commands, situation.view
    if view.stable_rs is None or not view.status.stable_rs:
        return ()
    skip = (
        (f"To skip this step: {commands.run('promote')}",)
        if view.current_step is not None and view.blue_green is None
        else ()
    )
    return (*skip, commands.abort(situation.stable))


def leftovers(situation: Situation) -> tuple[str, ...]:
    """The versions that still have pods beside new and stable, for a canary without routing."""
    return tuple(
        f"{capital(count(created(other), 'pod'))} of {version(other)} still {'runs' if created(other) == 1 else 'run'}."
        for other in situation.view.older
        if size(other) or created(other)
    )
