"""Where a canary is: at a pause, at a step that waits, at the end of its steps, or done."""

from sluicegate.engine.canary_analysis import find_step_runs
from sluicegate.engine.promotion import skips_steps
from sluicegate.engine.steps import pause_condition, pause_ends
from sluicegate.engine.why.explanation import Finding
from sluicegate.engine.why.obstacles import canary_obstacles, missing_pods, traffic_obstacles
from sluicegate.engine.why.pods import looks, trouble_sentence, troubles_of
from sluicegate.engine.why.runs import run_looks, run_words, unwatched
from sluicegate.engine.why.situation import Situation
from sluicegate.engine.why.steps import next_words, step_name, step_words
from sluicegate.engine.why.updates import full, leftovers, settled, waiting
from sluicegate.engine.why.wording import clock, sentence, span


def canary(situation: Situation) -> Finding:
    """The one thing that a canary is at, where nothing has stopped it."""
    view = situation.view
    if view.status.is_promoted or (not view.status.stable_rs and view.new_rs is not None):
        return settled(situation, leftovers(situation) if view.basic else ())
    if skips_steps(view):
        return _skipping(situation)
    if pause_condition(view) is not None:
        return _paused(situation)
    if view.current_step is not None:
        return _step(situation)
    return waiting(situation, "at its end", _end_obstacles(situation), f"Then {situation.new} is the stable version.")


def _skipping(situation: Situation) -> Finding:
    obstacles = _end_obstacles(situation)
    if situation.view.full_promotion:
        return full(situation, obstacles)
    fine = f"The rollback to {situation.new} is under way; it is within the rollback window, so its steps are skipped."
    return waiting(situation, "at its end", obstacles, f"Then {situation.new} is the stable version.", fine=fine)


def _end_obstacles(situation: Situation) -> tuple[str, ...]:
    return canary_obstacles(situation, situation.view.replicas)


def _paused(situation: Situation) -> Finding:
    view, commands = situation.view, situation.commands
    started, ends = pause_condition(view), pause_ends(view)
    since = started.start_time if started else None
    where = f"at {step_name(view)}"
    if ends is None:
        what = f"The update to {situation.new} is paused {where} until a person lets it go on."
        waits = "A person: the pause has no time limit."
    else:
        what = f"The update to {situation.new} is paused {where} until {clock(ends, situation.now)}."
        left = (ends - situation.now).total_seconds()
        waits = f"Time: the pause has {span(left)} left." if left > 0 else "The controller: the pause is over."
    missing = (*missing_pods(situation), trouble_sentence(situation, view.new_rs), *traffic_obstacles(situation))
    return Finding(
        what,
        " ".join(filter(None, (waits, *missing))),
        since,
        next_words(view),
        (commands.promote, commands.abort(situation.stable), *looks(situation, troubles_of(situation, view.new_rs))),
    )


def _step(situation: Situation) -> Finding:
    view, step = situation.view, situation.view.current_step
    words = step_words(view, step) if step is not None else ""
    where = f"at {step_name(view)} ({words})"
    if step is not None and (step.analysis or step.experiment):
        return _at_run(situation, where, experiment=step.experiment is not None)
    if step is not None and step.plugin is not None:
        return waiting(situation, where, (_plugin(situation),), next_words(view))
    obstacles = (*unwatched(situation), *canary_obstacles(situation, _wanted_at_step(situation)))
    return waiting(situation, where, obstacles, next_words(view))


def _wanted_at_step(situation: Situation) -> int:
    """The pods that the new version is to have at this step: where they are not counted, those it is sized for."""
    counted = situation.split is not None and situation.view.separate_stable is not None
    return situation.split.canary if counted and situation.split is not None else 0


def _at_run(situation: Situation, where: str, *, experiment: bool) -> Finding:
    """At an analysis or experiment step: it waits for its object, or for the end of it."""
    kind = "Experiment" if experiment else "AnalysisRun"
    runs = find_step_runs(situation.view)
    run = runs.experiment if experiment else runs.analysis.run
    obstacles = (run_words(kind, run, "of this step"), *missing_pods(situation))
    return waiting(situation, where, obstacles, next_words(situation.view), run_looks(situation, kind, run))


def _plugin(situation: Situation) -> str:
    view = situation.view
    statuses = [found for found in view.status.canary.step_plugin_statuses if found.index == view.step_index]
    if not statuses:
        return "The plugin of this step has not answered yet."
    last = statuses[-1]
    said = f" It says: {sentence(last.message)}" if last.message else ""
    return f"Plugin {last.name} has to be done; it is {last.phase or 'not started'}.{said}"
