"""Where we do something else than the recorded controller: what is expected at those rest points instead, and why.

Each reason is a line of `docs/differences.md`, or of what the README of the recordings calls incidental.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from .comparison import Step, Trace

Events = Sequence[Sequence[str]]


@dataclass(frozen=True)
class Ours:
    """What differs at one rest point.

    Attributes:
        why: for the reader.
        state: a merge patch for the recorded state, in the form of `observed_state`.
        events: all of them, in our order; resizes and courses are then not compared on their own.
        passed_over: the recorded controller came to rest here, ours goes on to the next rest point, without what the
            user did to get there.
    """

    why: str
    state: Mapping[str, Any] = field(default_factory=dict)
    events: Events | None = None
    passed_over: bool = False


def with_ours(trace: Trace) -> Trace:
    """The trace as we go through it."""
    steps: list[Step] = []
    passed_over: Step | None = None
    for step in trace.steps:
        ours = OURS.get((trace.name, step.rest), Ours(""))
        if ours.passed_over:
            passed_over = step
            continue
        steps.append(_changed(step, ours, passed_over))
        passed_over = None
    return replace(trace, steps=steps)


def _changed(step: Step, ours: Ours, passed_over: Step | None) -> Step:
    document = {**step.document, "ours": ours.state}
    if passed_over:
        came_from = {key: passed_over.document[key] for key in ("actions", "request")}
        document |= {**came_from, "writes": None}
    if ours.events is not None:
        document |= {"events": ours.events, "writes": None}
    return replace(step, document=document)


def _event(reason: str, message: str, type_: str = "Normal") -> list[str]:
    return [type_, reason, message]


def _scaled(name: str, revision: int, before: int, after: int) -> list[str]:
    how = "up" if after > before else "down"
    text = f"Scaled {how} ReplicaSet {name} (revision {revision}) from {before} to {after}"
    return _event("ScalingReplicaSet", text)


_TIMED_OUT = 'ReplicaSet "shop-dd7ddb654" has timed out progressing.'

OURS: Mapping[tuple[str, str], Ours] = {
    ("13-deadline", "good image, paused"): Ours(
        "A setWeight step completes only when no other ReplicaSet wants pods; upstream without any canary pod.",
        events=[
            _event("RolloutUpdated", "Rollout updated to revision 3"),
            _event("NewReplicaSetCreated", "Created ReplicaSet shop-6687f47597 (revision 3)"),
            _scaled("shop-575dc75854", 2, 1, 0),
            _scaled("shop-6687f47597", 3, 0, 1),
            _scaled("shop-84c88798c9", 1, 3, 2),
            _event("RolloutStepCompleted", "Rollout step 1/2 completed (setWeight: 40)"),
            _event("RolloutPaused", "Rollout is paused (CanaryPauseStep)"),
        ],
    ),
    ("13-deadline", "deadline exceeded, aborted, nothing moves (upstream defect)"): Ours(
        "After an abort the new ReplicaSet gives up its dead pods, and the stable one grows.",
        state={
            "rollout": {"status": {"HPAReplicas": 3, "replicas": 3, "updatedReplicas": None}},
            "replicaSets": {
                "shop-84c88798c9": {"pods": [3, 3, 3, 3]},
                "shop-6687f47597": {"pods": [0, 0, 0, 0]},
                "shop-dd7ddb654": {"pods": [0, 0, 0, 0]},
            },
        },
        events=[
            _event("RolloutUpdated", "Rollout updated to revision 4"),
            _event("NewReplicaSetCreated", "Created ReplicaSet shop-dd7ddb654 (revision 4)"),
            _event("RolloutResumed", "Rollout is resumed"),
            _scaled("shop-dd7ddb654", 4, 0, 1),
            _event("RolloutAborted", _TIMED_OUT, "Warning"),
            _event("RolloutAborted", f"Rollout aborted update to revision 4: {_TIMED_OUT}", "Warning"),
            _scaled("shop-dd7ddb654", 4, 1, 0),
            _scaled("shop-84c88798c9", 1, 2, 3),
            _scaled("shop-6687f47597", 3, 1, 0),
        ],
    ),
    ("13-deadline", "back to the stable image"): Ours(
        "The stable ReplicaSet has got all its pods back with the abort already, which ended that attempt.",
        state={"rollout": {"status": {"duration": {"completionStatus": "Aborted"}}}},
        events=[
            _event("RolloutUpdated", "Rollout updated to revision 5"),
            _event("SkipSteps", "Rollback to stable ReplicaSets"),
        ],
    ),
    ("14b-workload-ref-progressively", "first roll-out done"): Ours(
        "Incidental: upstream wrote the annotation of the workload's generation between two steps of its first pass.",
        events=[
            _event("RolloutUpdated", "Rollout updated to revision 1"),
            _event("NewReplicaSetCreated", "Created ReplicaSet shop-ro-59db787c7 (revision 1)"),
            _event("RolloutNotCompleted", "Rollout not completed, started update to revision 1 (59db787c7)"),
            _scaled("shop-ro-59db787c7", 1, 0, 3),
            _event("RolloutCompleted", "Rollout completed update to revision 1 (59db787c7): Initial deploy"),
        ],
    ),
    ("15-scale-pause-restart", "restarted"): Ours(
        "Incidental: `restartedAt` is written with the last eviction, upstream in the next pass that something wakes; "
        "so the message follows the counters until the last pod is there.",
        events=[],
    ),
    ("23-strategy-change", "promoted: paused once more if a pass came between the two patches (upstream race)"): Ours(
        "`promote` patches the spec first, and the mark of the pause is kept while spec.paused is set.",
        passed_over=True,
    ),
}
