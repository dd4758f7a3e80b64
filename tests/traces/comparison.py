"""Whether a Rollout behaved as Argo Rollouts did in a recorded trace.

Pure: reads what was recorded, and brings the events, resizes and courses of it and of what was observed into one form.
What counts is laid down in the README of the recordings: exact at each rest point, exact as a set and in order, or
incidental.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from sluicegate.api.merge import apply_merge_patch

from .states import differences as differences
from .states import observed_state as observed_state
from .states import recorded_state

DATA = Path(__file__).parent / "data"

OUTSIDE_THE_ENGINE = frozenset({"RolloutAddedToInformer", "RolloutDeleted"})
"""Reasons of events that a controller emits without the engine."""

HASH = "rollouts-pod-template-hash"
"""The label that a Service selects a version by."""

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
    services: Mapping[str, Any] = field(default_factory=dict)
    deployments: Mapping[str, Any] = field(default_factory=dict)

    @property
    def rest(self) -> str:
        return str(self.document["rest"])

    @property
    def requests(self) -> list[tuple[str, str, Any]]:
        """The user's requests: verb, path such as `rollouts/shop/status`, body."""
        return [(*request.split(" ", 1), body) for request, body in self.document.get("request", ())]

    @cached_property
    def state(self) -> dict[str, Any]:
        """The recorded state in the form of `observed_state`, with our choices where they are other ones."""
        recorded = recorded_state(self.document["state"], self.services, self.deployments)
        patched: dict[str, Any] = apply_merge_patch(recorded, self.document.get("ours", {}))
        return patched

    @property
    def events(self) -> list[Event] | None:
        """The recorded events; None where they were not written down."""
        events = self.document.get("events")
        return None if events is None else [Event(*event) for event in events if _is_row(event, 3)]

    @property
    def writes(self) -> list[tuple[str, Any]] | None:
        """The recorded writes, each with its body; None where they were not written down."""
        writes = self.document.get("writes")
        return None if writes is None else [(write[0], write[1]) for write in writes if _is_row(write, 2)]

    @property
    def resizes(self) -> list[Resize] | None:
        """The recorded resizes; None where no writes were written down."""
        writes = self.writes
        return None if writes is None else [resize for write in writes for resize in _resizes(*write)]

    @property
    def switches(self) -> list[tuple[str, str | None]] | None:
        """Each change of the hash in a Service's selector: its name and the hash; None where no writes are known."""
        if self.writes is None:
            return None
        patches = [(write.partition("/")[2], body) for write, body in self.writes if "patch services/" in write]
        return [(name, body["spec"]["selector"][HASH]) for name, body in patches]

    def course(self, key: str, before: Any) -> list[Any] | None:
        """The values that a member of the status took one after another, beginning with the one before the step.

        Some of the user's requests write the status too.
        """
        if self.writes is None:
            return None
        requests = [body["status"] for _, path, body in self.requests if path.endswith("/status")]
        patches = [*requests, *(body["status"] for write, body in self.writes if "/status" in write)]
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
    services: dict[str, Any] = {}
    deployments: dict[str, Any] = {}
    steps = []
    for step in document["steps"]:
        services |= step["state"].get("services", {})
        deployments |= step["state"].get("deployments", {})
        steps.append(Step(step, dict(services), dict(deployments)))
    return Trace(document["name"], document["namespace"], document["objects"], steps)


def traces(*numbers: str, folder: Path = DATA) -> list[Trace]:
    """The traces with these numbers, such as `01`; all of the folder without any."""
    files = [path for path in sorted(folder.glob("*.json")) if not numbers or path.name.split("-")[0] in numbers]
    return [read_trace(path) for path in files]


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


def _is_row(entry: Any, length: int) -> bool:
    """Whether an entry is whole: one that stands for repeats, or is on another object, is not."""
    return isinstance(entry, list) and len(entry) == length


def _join(first: Event, second: Event) -> Event | None:
    one, two = _SCALED.fullmatch(first.message), _SCALED.fullmatch(second.message)
    if one is None or two is None or one.group(1, 2) != two.group(1, 2):
        return None
    direction, name, before, _ = one.groups()
    return first._replace(message=f"Scaled {direction} {name} from {before} to {two.group(4)}")


def _resizes(write: str, body: Any) -> list[Resize]:
    change = body.get("spec.replicas") if write.startswith("update replicasets/") else None
    return [Resize(write.removeprefix("update replicasets/"), *change)] if change else []
