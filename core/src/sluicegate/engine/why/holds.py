"""What a person, a deadline or an analysis has stopped: abort, pause by hand, no verdict, no progress."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from sluicegate.api import names
from sluicegate.api.model import parse_time
from sluicegate.engine import conditions as c
from sluicegate.engine.active import active_rs
from sluicegate.engine.delays import deadline_of, holds
from sluicegate.engine.steps import pause_condition
from sluicegate.engine.view import available, created, revision_of, size
from sluicegate.engine.why.explanation import Finding
from sluicegate.engine.why.pods import availability, lacks, looks, trouble_texts, troubles_of
from sluicegate.engine.why.runs import run_looks, undecided
from sluicegate.engine.why.situation import Situation
from sluicegate.engine.why.steps import percent, step_name
from sluicegate.engine.why.wording import capital, enumerate_all, sentence, span, until

_FAILED_CHECKS: Final = {
    "Step-based analysis phase error/failed": "the analysis of a step failed",
    "Experiment analysis phase is error/failed": "the experiment of a step failed",
    "Blue/green pre-promotion analysis phase error/failed": "the analysis before the switch failed",
    "Blue/green post-promotion analysis phase error/failed": "the analysis after the switch failed",
}


def stops(situation: Situation) -> Iterator[Finding]:
    """What keeps the update from going on by itself; nothing where it goes on."""
    by_people = tuple(found for found in (_abort(situation), _by_hand(situation)) if found is not None)
    yield from by_people
    found = None if by_people else _inconclusive(situation) or _timed_out(situation)
    if found is not None:
        yield found


def _abort(situation: Situation) -> Finding | None:
    view = situation.view
    if not view.status.abort or view.status.is_promoted:
        return None
    if view.status.aborted_at is None:
        return Finding(
            f"Somebody has just asked to abort the update to {situation.new}.",
            "The controller: that takes a second or so.",
            next=f"All traffic goes back to {situation.stable}.",
        )
    lacking = lacks(view.stable_rs)
    return Finding(
        f"The update to {situation.new} was aborted{_cause(situation)} {_who_serves(situation)}",
        f"{capital(availability(view.stable_rs))}." if lacking else "A person: it stays like this until somebody acts.",
        view.status.aborted_at,
        _fate_of_aborted(situation),
        (*_after_abort(situation), *looks(situation, troubles_of(situation, view.new_rs))),
    )


def _cause(situation: Situation) -> str:
    """Why, from what the controller has written down: nothing but the revision where a person did it."""
    found = situation.progressing
    _, _, cause = (found.message if found and found.reason == c.ABORTED else "").partition(": ")
    if cause.endswith("has timed out progressing."):
        deadline = span(situation.view.rollout.spec.progress_deadline)
        return f": it made no progress for {deadline}, the limit of the manifest."
    return f": {sentence(_plain(cause))}" if cause else " by hand."


def _plain(cause: str) -> str:
    """The controller's words for a failed check in those of a person."""
    found = next((words for words in _FAILED_CHECKS if cause.startswith(words)), "")
    return f"{_FAILED_CHECKS[found]}{cause.removeprefix(found)}" if found else cause


def _who_serves(situation: Situation) -> str:
    view = situation.view
    if view.blue_green is not None:
        serves = active_rs(view) is view.stable_rs
    elif view.routed:
        serves = view.weights is None or view.weights.canary.weight == 0
    else:
        serves = created(view.new_rs) == 0
    if serves and available(view.stable_rs) > 0:
        return f"{capital(situation.stable)} serves all requests."
    if view.routed and view.weights is not None:
        share = percent(view.weights.canary.weight, view.max_weight)
        return f"{capital(situation.stable)} takes the traffic back; {share} of it still goes to {situation.new}."
    return f"{capital(situation.stable)} takes the traffic back as its pods become available."


def _fate_of_aborted(situation: Situation) -> str:
    """What becomes of the pods of the aborted version."""
    view, new = situation.view, situation.view.new_rs
    pods = f"{size(new)} pods of {situation.new}" if size(new) > 1 else f"pod of {situation.new}"
    goes, stays = ("goes", "stays") if size(new) == 1 else ("go", "stay")
    if size(new) == 0:
        return ""
    due = parse_time(deadline_of(new) or "") if new is not None else None
    if due is not None:
        return f"The {pods} {goes} {until(due, situation.now)}."
    if holds(view):
        return f"The {pods} {stays} until {situation.stable} has all its pods, and {span(view.abort_delay)} more."
    if not view.basic and view.abort_delay == 0:
        return f"The {pods} {stays} until somebody acts, as abortScaleDownDelaySeconds is 0."
    return f"The {pods} {goes} as {situation.stable} gets its own."


def _after_abort(situation: Situation) -> tuple[str, ...]:
    commands, revision = situation.commands, revision_of(situation.view.stable_rs)
    return (*((commands.undo(revision),) if revision else ()), commands.retry)


def _by_hand(situation: Situation) -> Finding | None:
    view, commands = situation.view, situation.commands
    if not view.rollout.spec.paused:
        return None
    patch = f'patch rollout {view.name} --type=merge -p \'{{"spec":{{"paused":false}}}}\''
    on_step = pause_condition(view) is not None
    blue_green = view.has_pause(names.BLUE_GREEN_PAUSE)
    also = f" The pause of {step_name(view)} is on as well." if on_step else ""
    also = " The pause before the switch is on as well." if blue_green else also
    return Finding(
        f"Somebody has paused Rollout {view.name} by hand.{also}",
        "A person: it has to be let go on.",
        None if on_step or blue_green else _paused_since(situation),
        _while_paused(situation),
        (
            f"To take only this pause away: {commands.kube(patch)}",
            *_promotions(situation, both=on_step or blue_green),
            *((commands.abort(situation.stable),) if not (view.promoted or view.aborted) else ()),
        ),
    )


def _promotions(situation: Situation, *, both: bool) -> tuple[str, ...]:
    commands, view = situation.commands, situation.view
    if both:
        return (f"To end both pauses: {commands.run('promote')}",)
    if view.current_step is not None and not (view.promoted or view.aborted):
        return (f"To go on and skip {step_name(view)}: {commands.run('promote')}",)
    return ()


def _while_paused(situation: Situation) -> str:
    sizes = "no pods are added or taken away, " if situation.view.blue_green is None else ""
    return f"Until then {sizes}no step completes and no new version takes over. Traffic stays as it is."


def _paused_since(situation: Situation) -> datetime | None:
    found = situation.view.status.condition(c.PAUSED)
    return found.last_transition_time if found and found.status == c.TRUE else None


def _inconclusive(situation: Situation) -> Finding | None:
    view, commands = situation.view, situation.commands
    reasons = (names.INCONCLUSIVE_ANALYSIS_RUN, names.INCONCLUSIVE_EXPERIMENT)
    pause = next((found for found in view.status.pause_conditions if found.reason in reasons), None)
    if pause is None:
        return None
    kind = "Experiment" if pause.reason == names.INCONCLUSIVE_EXPERIMENT else "AnalysisRun"
    run = undecided(situation)
    said = f" {kind} {run.metadata.name} says: {sentence(run.message)}" if run is not None and run.message else ""
    return Finding(
        f"The check of {situation.new} came to no verdict, so a person has to decide.{said}",
        "A person: the new version is good, or it is not.",
        pause.start_time,
        "Until then no step completes and no new version takes over. Traffic stays as it is.",
        (
            f"If it is good: {commands.run('promote')}",
            f"If it is not: {commands.run('abort')}",
            *run_looks(situation, kind, run),
        ),
    )


def _timed_out(situation: Situation) -> Finding | None:
    view, found = situation.view, situation.progressing
    if found is None or found.reason != c.TIMED_OUT:
        return None
    troubles = troubles_of(situation, view.new_rs)
    texts = enumerate_all(trouble_texts(troubles)[:2])
    subject = f"The update to {situation.new}" if not view.promoted else f"{capital(situation.new)}"
    why = f": {texts}" if texts else ""
    return Finding(
        f"{subject} has made no progress for more than {span(view.rollout.spec.progress_deadline)}{why}.",
        f"{capital(availability(view.new_rs))}." if lacks(view.new_rs) else "",
        found.last_update_time,
        "It counts as failed, but nothing is turned back; it goes on by itself as soon as there is progress.",
        (
            *looks(situation, troubles),
            *((situation.commands.abort(situation.stable),) if not view.promoted else ()),
        ),
    )
