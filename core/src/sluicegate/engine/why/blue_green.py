"""Where a blue-green Rollout is: before the switch, after it, or done."""

from datetime import timedelta

from sluicegate.api import names
from sluicegate.engine.active import active_rs, is_active, strategy_of
from sluicegate.engine.blue_green_analysis import Analyses, find_analyses
from sluicegate.engine.blue_green_scaling import new_target
from sluicegate.engine.cutover import is_fast_rollback, is_fast_tracked, never_served
from sluicegate.engine.view import available
from sluicegate.engine.why.explanation import Finding
from sluicegate.engine.why.obstacles import missing_pods, refused_pods
from sluicegate.engine.why.pods import looks, trouble_sentence, troubles_of
from sluicegate.engine.why.runs import run_looks, run_words
from sluicegate.engine.why.situation import Situation, version
from sluicegate.engine.why.updates import full, settled, waiting
from sluicegate.engine.why.wording import capital, clock, span


def blue_green(situation: Situation) -> Finding:
    """The one thing that a blue-green Rollout is at, where nothing has stopped it."""
    view = situation.view
    if view.status.is_promoted or not view.status.stable_rs or never_served(view):
        return settled(situation, _cutover(situation))
    back = is_fast_rollback(view, situation.now)
    analyses = find_analyses(view, back=back)
    if view.full_promotion:
        return full(situation, _pods(situation, view.replicas))
    if is_active(view, view.new_rs):
        return _after_switch(situation, analyses)
    if view.has_pause(names.BLUE_GREEN_PAUSE):
        return _paused(situation)
    return _before_switch(situation, analyses, back=back)


def _cutover(situation: Situation) -> tuple[str, ...]:
    """The active Service of a version that is rolled out selects another one, or none."""
    view, service = situation.view, strategy_of(situation.view).active_service
    if is_active(view, view.new_rs) or available(view.new_rs) < view.replicas:
        return ()
    return (f"Service {service} has to select {situation.new}; the controller sees to it.",)


def _pods(situation: Situation, wanted: int) -> tuple[str, ...]:
    return (*refused_pods(situation), *missing_pods(situation, wanted))


def _before_switch(situation: Situation, analyses: Analyses, *, back: bool) -> Finding:
    view = situation.view
    obstacles = list(_pods(situation, new_target(view, back=back)))
    if not obstacles and not analyses.pre_done and not back:
        obstacles.append(run_words("AnalysisRun", analyses.pre.run, "before the switch"))
    then = _then(situation, fast=is_fast_tracked(view, back=back))
    look = run_looks(situation, "AnalysisRun", analyses.pre.run)
    return waiting(
        situation, "before the switch", tuple(obstacles), then, look, fine=_preparation(situation, back=back)
    )


def _preparation(situation: Situation, *, back: bool) -> str:
    so_far = f"all requests still go to {version(active_rs(situation.view), 'another version')}"
    if back:
        return f"The way back to {situation.new} is being prepared, without pause and analysis; {so_far}."
    return f"The update to {situation.new} is being prepared; {so_far}."


def _then(situation: Situation, *, fast: bool) -> str:
    """What follows once the new version has its pods."""
    strategy = strategy_of(situation.view)
    switch = f"Service {strategy.active_service} sends all requests to {situation.new}"
    if fast:
        return f"Then {switch}."
    if not strategy.promotes_itself:
        return f"Then the update pauses until a person lets it go on; after that {switch}."
    if strategy.auto_promotion_seconds > 0:
        return f"Then the update pauses for {span(strategy.auto_promotion_seconds)}; after that {switch}."
    return f"Then {switch}."


def _paused(situation: Situation) -> Finding:
    view, strategy, commands = situation.view, strategy_of(situation.view), situation.commands
    started = next(found.start_time for found in view.status.pause_conditions if found.reason == names.BLUE_GREEN_PAUSE)
    ends = None
    if strategy.promotes_itself and started is not None:
        ends = started + timedelta(seconds=strategy.auto_promotion_seconds)
    if ends is None:
        what = f"{capital(situation.new)} is ready, and the update is paused until a person lets it go on."
        waits = "A person: the pause has no time limit."
    else:
        what = f"{capital(situation.new)} is ready, and the update is paused until {clock(ends, situation.now)}."
        left = (ends - situation.now).total_seconds()
        waits = f"Time: the pause has {span(left)} left." if left > 0 else "The controller: the pause is over."
    preview = f" Service {strategy.preview_service} shows it already." if strategy.preview_service else ""
    missing = " ".join((*_pods(situation, 0), trouble_sentence(situation, view.new_rs)))
    return Finding(
        what,
        f"{waits} {missing}".strip(),
        started,
        f"Then Service {strategy.active_service} sends all requests to {situation.new}.{preview}",
        (commands.promote, commands.abort(situation.stable), *looks(situation, troubles_of(situation, view.new_rs))),
    )


def _after_switch(situation: Situation, analyses: Analyses) -> Finding:
    view = situation.view
    obstacles = list(_pods(situation, view.replicas))
    if not analyses.post_done:
        obstacles.append(run_words("AnalysisRun", analyses.post.run, "after the switch"))
    then, look = f"Then {situation.new} is the stable version.", run_looks(situation, "AnalysisRun", analyses.post.run)
    fine = f"All requests go to {situation.new} now; {situation.stable} is kept to go back to."
    return waiting(situation, "after the switch", tuple(obstacles), then, look, fine=fine)
