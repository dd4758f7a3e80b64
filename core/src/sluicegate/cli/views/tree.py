"""The tree of `get`: a Rollout or Experiment with all it owns, and its rendering as a table (operations.md 1.3)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from sluicegate.cli.views import icons
from sluicegate.cli.views.durations import age, parse_time
from sluicegate.cli.views.fields import items, member, name_of, number, text
from sluicegate.cli.views.phase import client_phase
from sluicegate.cli.views.pods import pod_state
from sluicegate.cli.views.replicasets import TAG_COLOURS, delay, health, revision, tags
from sluicegate.cli.views.table import align
from sluicegate.cli.views.text import BLUE, GREEN, PLAIN, RED, YELLOW, Palette, Text, join

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sluicegate.cli.views.fields import Object
    from sluicegate.cli.views.world import World

_HEADER: Final = ("NAME", "KIND", "STATUS", "AGE", "INFO")
_START: Final = datetime.min.replace(tzinfo=UTC)
_COUNTS: Final = (
    ("successful", "✔", GREEN),
    ("failed", "✖", RED),
    ("inconclusive", "?", YELLOW),
    ("error", "⚠", RED),
)


@dataclass(frozen=True, slots=True)
class Node:
    """One row of the tree; `title` is its icon, a blank and its name."""

    title: Text
    kind: str = ""
    status: Text = field(default_factory=Text)
    age: str = ""
    info: Text = field(default_factory=Text)
    children: Sequence[Node] = ()


def render(root: Node) -> list[str]:
    """The lines of the table, header first."""
    header = [Text.of(word) for word in _HEADER]
    return align([header, *_rows(root, "", "")])


def _rows(node: Node, branch: str, below: str) -> Iterator[list[Text]]:
    yield [Text.of(branch) + node.title, Text.of(node.kind), node.status, Text.of(node.age), node.info]
    for child in node.children:
        last = child is node.children[-1]
        yield from _rows(child, below + ("└──" if last else "├──"), below + ("   " if last else "│  "))


@dataclass(frozen=True, slots=True)
class TreeBuilder:
    """Builds the nodes of one view."""

    world: World
    now: datetime
    palette: Palette

    def rollout(self, rollout: Object) -> Node:
        """A Rollout with its revisions, the newest first."""
        status = icons.with_icon(self.palette, icons.rollout_icon, client_phase(rollout).phase)
        children = self._revisions(rollout)
        return Node(Text.of(f"⟳ {name_of(rollout)}"), "Rollout", status, self._age(rollout), children=children)

    def experiment(self, experiment: Object) -> Node:
        """An Experiment with its ReplicaSets and AnalysisRuns."""
        sets = [self._replica_set(one, []) for one in by_revision(self.world.replica_sets.by(experiment))]
        runs = [self._analysis_run(one) for one in _newest_runs(self.world.analysis_runs.by(experiment))]
        return self._analysis_node("Σ", "Experiment", experiment, children=[*sets, *runs])

    def _revisions(self, rollout: Object) -> list[Node]:
        sets = by_revision(self.world.replica_sets.by(rollout))
        experiments = sorted(self.world.experiments.by(rollout), key=lambda one: (_created(one), name_of(one)))
        runs = _newest_runs(self.world.analysis_runs.by(rollout))
        children: dict[int, list[Node]] = {}
        for one in sets:
            children.setdefault(revision(one), []).append(self._replica_set(one, tags(one, rollout)))
        for one in experiments:
            children.setdefault(revision(one), []).append(self.experiment(one))
        for one in runs:
            children.setdefault(revision(one), []).append(self._analysis_run(one))
        return [Node(Text.of(f"# revision:{number}"), children=children[number]) for number in sorted(children)[::-1]]

    def _replica_set(self, replica_set: Object, roles: Sequence[str]) -> Node:
        name = Text.of(name_of(replica_set))
        for role in roles:
            name = self.palette.paint(name, TAG_COLOURS[role])
        remaining = [Text.of(text) for text in [delay(replica_set, self.now)] if text]
        info = [self.palette.paint(role, TAG_COLOURS[role]) for role in roles] + remaining
        status = icons.with_icon(self.palette, icons.replica_set_icon, health(replica_set))
        pods = sorted(self.world.pods.by(replica_set), key=lambda pod: (_created(pod), name_of(pod)))
        children = [self._pod(pod) for pod in pods]
        return Node(Text.of("⧉ ") + name, "ReplicaSet", status, self._age(replica_set), join(",", info), children)

    def _pod(self, pod: Object) -> Node:
        state = pod_state(pod)
        info = f"ready:{state.ready}/{state.containers}" + (f",restarts:{state.restarts}" if state.restarts else "")
        status = icons.with_icon(self.palette, icons.pod_icon, state.reason)
        return Node(Text.of(f"□ {name_of(pod)}"), "Pod", status, self._age(pod), Text.of(info))

    def _analysis_run(self, run: Object) -> Node:
        results = items(run, "status", "metricResults")
        totals = [(icon, code, sum(number(one, field) for one in results)) for field, icon, code in _COUNTS]
        info = [self.palette.paint(icon, code) + f" {total}" for icon, code, total in totals if total]
        jobs = [self._job(one) for result in results for one in items(result, "measurements") if _is_job(one)]
        return self._analysis_node("α", "AnalysisRun", run, info=join(",", info), children=jobs)

    def _analysis_node(
        self, icon: str, kind: str, obj: Object, *, info: Text | None = None, children: Sequence[Node]
    ) -> Node:
        phase = text(obj, "status", "phase")
        title = Text.of(f"{icon} ") + self._run_name(name_of(obj), phase)
        status = icons.with_icon(self.palette, icons.analysis_icon, phase)
        return Node(title, kind, status, self._age(obj), info or Text(), children)

    def _job(self, measurement: Object) -> Node:
        phase = text(measurement, "phase")
        title = Text.of("⊞ ") + self._run_name(text(measurement, "metadata", "job-name"), phase)
        status = icons.with_icon(self.palette, icons.analysis_icon, phase)
        return Node(title, "Job", status, age(text(measurement, "startedAt"), self.now))

    def _run_name(self, name: str, phase: str) -> Text:
        return self.palette.paint(name, BLUE if phase in ("Pending", "Running") else PLAIN)

    def _age(self, obj: Object) -> str:
        return age(text(obj, "metadata", "creationTimestamp"), self.now)


def by_revision(replica_sets: list[Object]) -> list[Object]:
    """ReplicaSets in the order in which a group shows them: the highest revision first, then by name."""
    return sorted(replica_sets, key=lambda one: (-revision(one), name_of(one)))


def _newest_runs(runs: list[Object]) -> list[Object]:
    by_name = sorted(runs, key=name_of, reverse=True)
    return sorted(by_name, key=lambda one: (-revision(one), _created(one)))


def _created(obj: Object) -> datetime:
    return parse_time(text(obj, "metadata", "creationTimestamp")) or _START


def _is_job(measurement: Object) -> bool:
    return isinstance(member(measurement, "metadata"), dict) and "job-name" in measurement["metadata"]
