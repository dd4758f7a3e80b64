"""The two analyses of a blue-green Rollout: before the switch, and after it before the new version is stable."""

from dataclasses import dataclass

from sluicegate.api.analysis_refs import RolloutAnalysis
from sluicegate.api.status import RunStatus
from sluicegate.engine.active import strategy_of
from sluicegate.engine.cutover import aborts
from sluicegate.engine.decision import Event, TerminateRun
from sluicegate.engine.revisions import current_revision
from sluicegate.engine.slots import INCONCLUSIVE, SUCCESSFUL, Slot, find_slot, is_superseded, renewed, terminations
from sluicegate.engine.view import View


@dataclass(frozen=True, slots=True)
class Analyses:
    """Both slots as this pass finds them.

    `pre_done`, `post_done`: there is none, or its run succeeded. `skipped`: this update is not analysed (any more), so
    that its runs are to end and their phases mean nothing.
    """

    pre: Slot
    post: Slot
    pre_done: bool
    post_done: bool
    skipped: bool

    @property
    def failure(self) -> str | None:
        """Why the update is to be aborted; None while no run has failed."""
        if self.skipped:
            return None
        after = self.post.failure("Blue/green post-promotion analysis")
        return after or self.pre.failure("Blue/green pre-promotion analysis")

    @property
    def inconclusive(self) -> bool:
        """Whether a person is to decide, as a run could not."""
        return not self.skipped and INCONCLUSIVE in (self.pre.phase, self.post.phase)

    def events(self) -> tuple[Event, ...]:
        """Tell of the runs whose phases changed."""
        return (*self.post.events(), *self.pre.events())


def find_analyses(view: View, *, back: bool) -> Analyses:
    """The analyses of the current update; a fast rollback (`back`) has none."""
    stored = view.status.blue_green
    before, after = strategy_of(view).pre_promotion_analysis, strategy_of(view).post_promotion_analysis
    skipped = back or _skipped(view)
    pre = _slot(view, "PrePromotion", "pre", before, stored.pre_promotion_analysis_run_status, skipped=skipped)
    post = _slot(view, "PostPromotion", "post", after, stored.post_promotion_analysis_run_status, skipped=skipped)
    return Analyses(
        pre,
        post,
        pre_done=not _asked(before) or pre.phase == SUCCESSFUL,
        post_done=not _asked(after) or post.phase == SUCCESSFUL,
        skipped=skipped,
    )


def ended_runs(view: View, analyses: Analyses) -> tuple[TerminateRun, ...]:
    """Ask every run to end that nothing waits for: of a skipped analysis, on the wrong side of the switch, or old."""
    if analyses.skipped:
        return terminations(view.surroundings.analysis_runs, ())
    active = view.status.blue_green.active_selector
    pre = analyses.pre.run if active not in ("", view.pod_hash) else None
    post = analyses.post.run if active == view.pod_hash else None
    return terminations(view.surroundings.analysis_runs, (pre, post))


def _asked(analysis: RolloutAnalysis | None) -> bool:
    return analysis is not None and bool(analysis.templates)


def _skipped(view: View) -> bool:
    return view.promoted or not view.status.stable_rs or aborts(view) or view.full_promotion


def _slot(
    view: View, kind: str, suffix: str, analysis: RolloutAnalysis | None, before: RunStatus | None, *, skipped: bool
) -> Slot:
    if not _asked(analysis):
        return Slot(kind)
    base = f"{view.name}-{view.pod_hash}-{current_revision(view)}-{suffix}"
    slot = find_slot(kind, base, view.surroundings.analysis_runs, before)
    return renewed(slot, base) if not skipped and is_superseded(view, slot) else slot
