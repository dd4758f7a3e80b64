"""Whether a Rollout behaved as Argo Rollouts did in a recorded trace.

Pure: brings what was recorded and what was observed into one form, in which everything that does not count (times, the
generation itself, zeros, how counters moved in between) is gone, and says where the two differ. What counts is laid
down in the README of the recordings: exact at each rest point, exact as a set and in order, or incidental.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

DATA = Path(__file__).parent / "data"

OUTSIDE_THE_ENGINE = frozenset({"RolloutAddedToInformer", "RolloutDeleted"})
"""Reasons of events that a controller emits without the engine."""

_OURS = "rollout.argoproj.io/"
_REVISION = f"{_OURS}revision"
_DESIRED = f"{_OURS}desired-replicas"
_HISTORY = f"{_OURS}revision-history"
_DEADLINE = "scale-down-deadline"
_TIMES = frozenset({"abortedAt", "restartedAt", "rolloutStartedAt", "finishedAt", "manualPauseStartedAt", "startTime"})
_SECONDS = frozenset({"totalManualPauseDurationSeconds"})
_SHOWN_AT_ZERO = frozenset({"currentStepIndex"})
_SCALED = re.compile(r"Scaled (up|down) (ReplicaSet \S+ \(revision \d+\)) from (\d+) to (\d+)")


class Event(NamedTuple):
    """An event on the Rollout."""

    type: str
    reason: str
    message: str


class Resize(NamedTuple):
    """A change of a ReplicaSet's wanted size."""

    name: str
    before: int
    after: int


@dataclass(frozen=True)
class Step:
    """One step of a trace: what the user does, and what was recorded until the Rollout came to rest."""

    document: Mapping[str, Any]

    @property
    def rest(self) -> str:
        return str(self.document["rest"])

    @property
    def requests(self) -> list[tuple[str, str, Any]]:
        """The user's requests: verb, path such as `rollouts/shop/status`, body."""
        return [(*request.split(" ", 1), body) for request, body in self.document.get("request", ())]

    @cached_property
    def state(self) -> dict[str, Any]:
        """The recorded state in the form of `observed_state`."""
        rollout = self.document["state"]["rollout"]
        return {
            "rollout": _rollout_state(rollout["status"], rollout["annotations"], rollout["generation"]),
            "replicaSets": {
                item["name"]: _recorded_replica_set(item) for item in self.document["state"]["replicaSets"]
            },
        }

    @property
    def events(self) -> list[Event] | None:
        """The recorded events; None where they were not written down."""
        events = self.document.get("events")
        return None if events is None else [Event(*event) for event in events if len(event) == 3]

    @property
    def resizes(self) -> list[Resize] | None:
        """The recorded resizes; None where no writes were written down."""
        writes = self.document.get("writes")
        return None if writes is None else [resize for write in writes for resize in _resizes(write)]

    def course(self, key: str, before: Any) -> list[Any] | None:
        """The values that a member of the status took one after another, beginning with the one before the step."""
        writes = self.document.get("writes")
        if writes is None:
            return None
        patches = [write[1]["status"] for write in writes if isinstance(write, list) and "/status" in write[0]]
        return without_repeats([before, *(patch[key] for patch in patches if key in patch)])


@dataclass(frozen=True)
class Trace:
    """A recorded scenario: the objects to create, and its steps."""

    name: str
    namespace: str
    objects: Sequence[Mapping[str, Any]]
    steps: Sequence[Step]

    @property
    def rollout(self) -> Mapping[str, Any]:
        """The manifest of the Rollout."""
        return next(manifest for manifest in self.objects if manifest["kind"] == "Rollout")


def read_trace(path: Path) -> Trace:
    """A trace from its file; a step whose writes or events refer to another step has none."""
    document = json.loads(path.read_text())
    steps = [Step(step) for step in document["steps"]]
    return Trace(document["name"], document["namespace"], document["objects"], steps)


def traces(*numbers: str) -> list[Trace]:
    """The traces with these numbers, such as `01`; all of the folder without any."""
    return [read_trace(path) for path in sorted(DATA.glob("*.json")) if not numbers or path.name[:2] in numbers]


def observed_state(rollout: Mapping[str, Any], replica_sets: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """What counts of a Rollout and its ReplicaSets as the API shows them."""
    metadata = rollout["metadata"]
    status = {**rollout.get("status", {})}
    status["conditions"] = [
        [condition["type"], condition["status"], condition["reason"], condition["message"]]
        for condition in status.get("conditions", ())
    ]
    return {
        "rollout": _rollout_state(status, metadata.get("annotations", {}), metadata["generation"]),
        "replicaSets": {item["metadata"]["name"]: _observed_replica_set(item) for item in replica_sets},
    }


def differences(recorded: Any, observed: Any, path: str = "") -> list[str]:
    """One line for each member that differs, with its path; empty when all is the same."""
    if isinstance(recorded, Mapping) and isinstance(observed, Mapping):
        keys = [*recorded, *(key for key in observed if key not in recorded)]
        return [
            line
            for key in keys
            for line in differences(recorded.get(key), observed.get(key), f"{path}.{key}" if path else str(key))
        ]
    if recorded == observed:
        return []
    return [f"{path}: recorded {json.dumps(recorded)}, observed {json.dumps(observed)}"]


def joined(resizes: Iterable[Resize]) -> list[Resize]:
    """Resizes with the single steps of a rolling resize joined: a ReplicaSet that goes on in the same direction."""
    found: list[Resize] = []
    for resize in resizes:
        last = found[-1] if found else None
        if last and last.name == resize.name and (last.after > last.before) == (resize.after > resize.before):
            found[-1] = Resize(resize.name, last.before, resize.after)
        else:
            found.append(resize)
    return found


def joined_events(events: Iterable[Event], without: frozenset[str] = frozenset()) -> list[Event]:
    """Events less those with a reason of `without`, with the single steps of a rolling resize joined."""
    found: list[Event] = []
    for event in events:
        if event.reason in without:
            continue
        if found and (joint := _join(found[-1], event)):
            found[-1] = joint
        else:
            found.append(event)
    return found


def without_repeats(values: Iterable[Any]) -> list[Any]:
    """The values less each that equals the one before; null is the same as nothing."""
    found: list[Any] = []
    for value in values:
        if not found or (found[-1] or None) != (value or None) or (found[-1] is None) != (value is None):
            found.append(value)
    return found


def _join(first: Event, second: Event) -> Event | None:
    one, two = _SCALED.fullmatch(first.message), _SCALED.fullmatch(second.message)
    if one is None or two is None or one.group(1, 2) != two.group(1, 2):
        return None
    direction, name, before, _ = one.groups()
    return first._replace(message=f"Scaled {direction} {name} from {before} to {two.group(4)}")


def _resizes(write: Any) -> list[Resize]:
    if not isinstance(write, list) or not write[0].startswith("update replicasets/"):
        return []
    change = write[1].get("spec.replicas")
    return [Resize(write[0].removeprefix("update replicasets/"), *change)] if change else []


def _rollout_state(status: Mapping[str, Any], annotations: Mapping[str, str], generation: int) -> dict[str, Any]:
    members = {key: value for key, value in status.items() if key not in ("conditions", "observedGeneration")}
    return {
        "observed": str(status.get("observedGeneration")) == str(generation),
        "annotations": {key: value for key, value in annotations.items() if key.startswith(_OURS)},
        "conditions": {type_: rest[:3] for type_, *rest in status.get("conditions", ())},
        "status": _without_zeros(members),
    }


def _without_zeros(members: Mapping[str, Any]) -> dict[str, Any]:
    reduced = {key: _reduced(key, value) for key, value in members.items()}
    return {key: value for key, value in reduced.items() if value or (key in _SHOWN_AT_ZERO and value is not None)}


def _reduced(key: str, value: Any) -> Any:
    if key in _TIMES:
        return "a time" if value else None
    if key in _SECONDS:
        return "seconds" if value else None
    if isinstance(value, Mapping):
        return _without_zeros(value)
    if isinstance(value, list):
        return [_reduced("", item) for item in value]
    return value


def _recorded_replica_set(item: Mapping[str, Any]) -> dict[str, Any]:
    annotations = item.get("annotations", {})
    return {
        "revision": item.get("revision"),
        "history": annotations.get(_HISTORY),
        "desired": item.get("desired"),
        "image": item["image"],
        "pods": item["pods"],
        "delayed": _DEADLINE in annotations,
    }


def _observed_replica_set(item: Mapping[str, Any]) -> dict[str, Any]:
    annotations, status = item["metadata"].get("annotations", {}), item.get("status", {})
    counters = [status.get(key, 0) for key in ("replicas", "readyReplicas", "availableReplicas")]
    return {
        "revision": annotations.get(_REVISION),
        "history": annotations.get(_HISTORY),
        "desired": annotations.get(_DESIRED),
        "image": item["spec"]["template"]["spec"]["containers"][0]["image"],
        "pods": [item["spec"]["replicas"], *counters],
        "delayed": _DEADLINE in annotations,
    }
