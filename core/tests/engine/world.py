"""A cluster in memory with one Rollout in it: what the tests of the engine play their stories on.

It stores objects as an API server does (generation, resource version, writes that change nothing), carries out what the
engine decides, runs pods as a ReplicaSet controller does, and has a clock that moves only when told to.
"""

import copy
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sluicegate.api.foreign import ReplicaSet, decode_replica_set, decode_service
from sluicegate.api.merge import apply_merge_patch
from sluicegate.api.model import format_time
from sluicegate.api.pod_defaults import defaulted_template
from sluicegate.api.rollout import Rollout
from sluicegate.api.routes import Routes
from sluicegate.engine.decision import (
    Action,
    ClaimReplicaSet,
    CreateReplicaSet,
    Decision,
    DeleteReplicaSet,
    Event,
    PatchReplicaSet,
    PatchRollout,
    PatchService,
    TerminateRun,
)
from sluicegate.engine.passes import begin, decide
from sluicegate.engine.prepare import name_collided, prepare
from sluicegate.engine.revisions import name_taken
from sluicegate.engine.surroundings import Run, Surroundings
from sluicegate.engine.traffic import Routing, Verified, routing_failed
from sluicegate.engine.view import View
from sluicegate.engine.weights import PodCounts, split_request
from sluicegate_replicaset import ReplicaSetRouter

from .manifests import Manifest
from .pods import PodRunner

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
REST = timedelta(seconds=3.5)
"""Nothing due for so long means that the world has come to rest."""

_ROUTER = ReplicaSetRouter()
_MOST_PASSES = 400


@dataclass(frozen=True, slots=True)
class Resize:
    """A ReplicaSet whose wanted size was changed."""

    name: str
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Route:
    """The turn of the router in a pass: it is handed these routes, one after the other."""

    stages: tuple[Routes, ...]


@dataclass(frozen=True, slots=True)
class Tell:
    """What is told of the routing, before anything else is done."""

    events: tuple[Event, ...]


@dataclass
class World:
    """One Rollout, its ReplicaSets and their pods, the Services it names, its runs, and a router that takes everything.

    `writes` are the requests that changed something, `events` and `resizes` what came of them, all in order. `routes`
    is what the router was handed, each time that differs from the time before. `verified` is what it answers, and
    `router_error` what it fails with.
    """

    rollout: Manifest
    replica_sets: dict[str, Manifest] = field(default_factory=dict)
    now: datetime = START
    ready_after: timedelta = timedelta(seconds=2)
    services: dict[str, Manifest] = field(default_factory=dict)
    runs: dict[str, Run] = field(default_factory=dict)
    experiments: dict[str, Run] = field(default_factory=dict)
    routes: list[Routes] = field(default_factory=list)
    verified: Verified = field(default_factory=Verified)
    router_error: str | None = None
    events: list[Event] = field(default_factory=list)
    resizes: list[Resize] = field(default_factory=list)
    writes: list[str] = field(default_factory=list)
    _version: int = 0
    _decided: tuple[Any, tuple[View | None, Decision]] | None = None

    def __post_init__(self) -> None:
        self.pods = PodRunner(self.ready_after)
        self.rollout = copy.deepcopy(self.rollout)
        self.rollout["metadata"] = {
            "namespace": "default",
            "uid": "uid-of-the-rollout",
            "generation": 1,
            "creationTimestamp": format_time(self.now),
            **self.rollout["metadata"],
        }
        self.rollout.setdefault("status", {})

    @classmethod
    def healthy(cls, manifest: Manifest, *, ready_after: float = 2, services: Sequence[str] = ()) -> "World":
        """A world whose first roll-out is done, with nothing recorded so far."""
        world = cls(manifest, ready_after=timedelta(seconds=ready_after))
        for name in services:
            world.add_service(name)
        world.settle()
        assert world.status["phase"] == "Healthy", world.status
        world.forget()
        return world

    def forget(self) -> None:
        """Begin the records anew."""
        for record in (self.events, self.resizes, self.writes):
            record.clear()
        del self.routes[:-1]

    def add_service(self, name: str) -> None:
        """Create a Service that selects the pods of the Rollout."""
        metadata = {"name": name, "namespace": "default", "resourceVersion": "1"}
        self.services[name] = {"metadata": metadata, "spec": {"selector": {"app": "shop"}}}
        self._version += 1

    # What tests look at.

    @property
    def spec(self) -> Manifest:
        return self.rollout["spec"]  # type: ignore[no-any-return]

    @property
    def status(self) -> Manifest:
        return self.rollout["status"]  # type: ignore[no-any-return]

    @property
    def sizes(self) -> dict[str, int]:
        """The wanted size of each ReplicaSet that wants pods, by the tag of its image."""
        return {tag: size for name in self.replica_sets if (size := self.size(name)) for tag in [self.tag(name)]}

    def size(self, name: str) -> int:
        return int(self.replica_sets[name]["spec"]["replicas"])

    def tag(self, name: str) -> str:
        """The tag of the image that a ReplicaSet runs."""
        image: str = self.replica_sets[name]["spec"]["template"]["spec"]["containers"][0]["image"]
        return image.rpartition(":")[2]

    def named(self, tag: str) -> str:
        """The name of the ReplicaSet that runs the image with this tag."""
        return next(name for name in self.replica_sets if self.tag(name) == tag)

    def replica_set(self, tag: str) -> Manifest:
        return self.replica_sets[self.named(tag)]

    def condition(self, type_: str) -> tuple[str, str, str] | None:
        """Status, reason and message of a condition."""
        found = next((item for item in self.status.get("conditions", ()) if item["type"] == type_), None)
        return (found["status"], found["reason"], found["message"]) if found else None

    def reasons(self) -> list[str]:
        """The reasons of the events so far."""
        return [event.reason for event in self.events]

    def available(self) -> int:
        """The pods that really serve."""
        return sum(self.pods.serving(name, self.min_ready, self.now) for name in self.replica_sets)

    @property
    def min_ready(self) -> timedelta:
        return timedelta(seconds=self.spec.get("minReadySeconds", 0))

    # What the engine sees, and what becomes of its decisions.

    def owned(self) -> list[ReplicaSet]:
        """The ReplicaSets as the engine gets them."""
        return [decode_replica_set(json.dumps(manifest).encode()) for manifest in self.replica_sets.values()]

    def decide(self, errors: Sequence[str] = ()) -> tuple[View | None, Decision]:
        """What one pass decides on the world as it is, without doing it; asked again of the same world, the same."""
        moment = (self._version, self.now, self.verified, self.router_error, tuple(errors))
        if self._decided is None or self._decided[0] != moment:
            self._decided = (moment, self._decide(errors))
        return self._decided[1]

    def _decide(self, errors: Sequence[str]) -> tuple[View | None, Decision]:
        rollout = Rollout.model_validate(self.rollout)
        prepared = prepare(rollout, self.owned(), errors, self.now, self.surroundings())
        if isinstance(prepared, Decision):
            return None, prepared
        split = _split(prepared)
        begun = begin(prepared, split, self.now)
        if isinstance(begun, Decision):
            return prepared, begun
        routed = () if begun.routing is None else (Route(begun.routing.stages),)
        if routed and self.router_error is not None:
            rest = routing_failed(self.router_error)
        else:
            rest = decide(begun, split, self._answer(begun.routing), self.now)
        told = (Tell(rest.opening),) if rest.opening else ()
        return prepared, replace(rest, actions=(*begun.actions, *routed, *told, *rest.actions), opening=())

    def _answer(self, routing: Routing | None) -> Verified:
        return self.verified if routing is not None and routing.verify else Verified()

    def surroundings(self) -> Surroundings:
        """What the engine gets to see beside the ReplicaSets."""
        found = (decode_service(json.dumps(manifest).encode()) for manifest in self.services.values())
        return Surroundings(
            services={service.metadata.name: service for service in found},
            analysis_runs=tuple(self.runs.values()),
            experiments=tuple(self.experiments.values()),
        )

    def reconcile(self, *, writes: int | None = None) -> Decision:
        """One pass; only its first `writes` writes are made, as by a process that dies after them."""
        _, decision = self.decide()
        self.carry_out(decision, writes)
        return decision

    def carry_out(self, decision: Decision, writes: int | None = None) -> None:
        """Make the writes of a decision, all or the first few."""
        for number, write in enumerate(self._writes_of(decision)):
            if number == writes:
                return
            if not write():
                return

    def step(self) -> Decision:
        """One pass, then the ReplicaSet controller's turn on every ReplicaSet."""
        decision = self.reconcile()
        self.sync()
        return decision

    def sync(self) -> bool:
        """Let the ReplicaSet controller look at every ReplicaSet; whether anything changed."""
        changes = [self.sync_one(name) for name in list(self.replica_sets)]
        return any(changes)

    def sync_one(self, name: str) -> bool:
        """Make pods come and go, and bring the counters up to date; whether anything changed."""
        stored = self.replica_sets[name]
        self.pods.match(name, self.size(name), self.now, broken=self.tag(name).endswith("error"))
        status = {
            **self.pods.counters(name, timedelta(seconds=stored["spec"].get("minReadySeconds", 0)), self.now),
            "observedGeneration": stored["metadata"]["generation"],
        }
        if status == stored.get("status"):
            return False
        self.replica_sets[name] = self._versioned({**stored, "status": status})
        return True

    def settle(self, writes: Callable[[], int | None] = lambda: None) -> list[Manifest]:
        """Go on until nothing is due for a while; the status after each pass that changed it.

        `writes` says for each pass after how many writes the controller dies, None if it lives.
        """
        seen: list[Manifest] = []
        for _ in range(_MOST_PASSES):
            before, version = self.status, self._version
            alive = writes()
            decision = self.reconcile(writes=alive)
            if self.status != before:
                seen.append(self.status)
            self.sync()
            if alive is None and self._version == version and not self._wait(decision):
                return seen
        raise AssertionError(f"no rest after {_MOST_PASSES} passes: {self.writes[-20:]}")

    def pass_time(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def _wait(self, decision: Decision) -> bool:
        due = [self.now + timedelta(seconds=decision.requeue_after)] if decision.requeue_after is not None else []
        due.extend(self.pods.changes_after(self.now, self.min_ready))
        if not due or min(due) > self.now + REST:
            return False
        self.now = max(self.now, min(due))
        return True

    # Writes.

    def _writes_of(self, decision: Decision) -> Iterator[Callable[[], bool]]:
        for action in decision.actions:
            yield lambda action=action: self._act(action)  # type: ignore[misc]
        if decision.status or decision.events:
            yield lambda: self._write_status(decision)

    def _write_status(self, decision: Decision) -> bool:
        self.patch_status(decision.status or {})
        self.events.extend(decision.events)
        return True

    def _act(self, action: Action | Route | Tell) -> bool:
        match action:
            case Route(stages):
                return self._route(stages)
            case Tell(events):
                self.events.extend(events)
            case TerminateRun(kind, name):
                found = self.runs if kind == "AnalysisRun" else self.experiments
                found[name] = replace(found[name], terminating=True)
                self.writes.append(f"terminate {name}")
                self._version += 1
            case PatchService(service, patch, events):
                self.patch_service(service.metadata.name, patch)
                self.events.extend(events)
            case CreateReplicaSet(manifest, events):
                return self._create(manifest, events)
            case PatchRollout(patch, events):
                self.patch(patch)
                self.events.extend(events)
            case PatchReplicaSet(replica_set, patch, events):
                self._patch_replica_set(replica_set.metadata.name, patch)
                self.events.extend(events)
            case ClaimReplicaSet(replica_set, patch):
                self._patch_replica_set(replica_set.metadata.name, patch)
            case DeleteReplicaSet(replica_set):
                self._delete(replica_set.metadata.name)
        return True

    def _route(self, stages: Sequence[Routes]) -> bool:
        if self.router_error is not None:
            return True
        for routes in stages:
            if self.routes[-1:] != [routes]:
                self.routes.append(routes)
                self.writes.append("route")
                self._version += 1
        return True

    def patch_service(self, name: str, patch: Mapping[str, Any]) -> None:
        """Merge-patch a Service."""
        patched = apply_merge_patch(self.services[name], patch)
        if patched != self.services[name]:
            self.services[name] = patched
            self._version += 1
            self.writes.append(f"patch service {name}")

    def selected(self, name: str) -> str:
        """The pod template hash that a Service selects."""
        selector: dict[str, str] = self.services[name]["spec"]["selector"]
        return selector.get("rollouts-pod-template-hash", "")

    def _create(self, manifest: Mapping[str, Any], events: Sequence[Event]) -> bool:
        name = manifest["metadata"]["name"]
        if name in self.replica_sets:
            return self._refuse_name(name)
        metadata = {
            **manifest["metadata"],
            "uid": f"uid-of-{name}-{self._version}",
            "generation": 1,
            "creationTimestamp": format_time(self.now),
        }
        spec = {**manifest["spec"], "template": defaulted_template(manifest["spec"]["template"])}
        self.replica_sets[name] = self._versioned({**manifest, "metadata": metadata, "spec": spec, "status": {}})
        self.writes.append(f"create {name}")
        self.events.extend(events)
        return True

    def _refuse_name(self, name: str) -> bool:
        view = View.of(Rollout.model_validate(self.rollout), self.owned())
        existing = decode_replica_set(json.dumps(self.replica_sets[name]).encode())
        assert name_taken(view, existing), f"{name} is there, and its own, and was to be created again"
        self.carry_out(name_collided(view))
        return False

    def _delete(self, name: str) -> None:
        del self.replica_sets[name]
        self.pods.forget(name)
        self._version += 1
        self.writes.append(f"delete {name}")

    def _patch_replica_set(self, name: str, patch: Mapping[str, Any]) -> None:
        stored = self.replica_sets[name]
        patched = apply_merge_patch(stored, patch)
        if patched == stored:
            return
        if (before := self.size(name)) != (after := patched["spec"]["replicas"]):
            self.resizes.append(Resize(name, before, after))
        self.replica_sets[name] = self._versioned(patched, stored)
        self.writes.append(f"patch {name}")

    def _versioned(self, changed: Manifest, stored: Manifest | None = None) -> Manifest:
        """The object with the next resource version, and the next generation where its spec changed."""
        self._version += 1
        metadata = {**changed["metadata"], "resourceVersion": str(self._version)}
        if stored is not None and changed["spec"] != stored["spec"]:
            metadata["generation"] = stored["metadata"]["generation"] + 1
        return {**changed, "metadata": metadata}

    def patch(self, patch: Mapping[str, Any]) -> None:
        """Merge-patch the Rollout; what is said of its status is ignored."""
        patched = apply_merge_patch(self.rollout, {key: value for key, value in patch.items() if key != "status"})
        if patched != self.rollout:
            self.rollout = self._versioned(patched, self.rollout)
            self.writes.append("patch rollout")

    def patch_status(self, patch: Mapping[str, Any]) -> None:
        """Merge-patch the status of the Rollout."""
        status = apply_merge_patch(self.status, patch)
        if status != self.status:
            self.rollout = self._versioned({**self.rollout, "status": status})
            self.writes.append("patch rollout/status")

    # What users do.

    def request(self, verb: str, subresource: str, body: Any) -> None:
        """A recorded request: a merge patch, a JSON patch that replaces (a list), or an update by paths."""
        if subresource == "status":
            self.patch_status(body["status"])
        elif isinstance(body, list):
            for operation in body:
                self._replace(operation["path"].strip("/").split("/"), operation["value"])
        elif verb == "update":
            for path, value in body.items():
                self._replace(path.split("."), value)
        else:
            self.patch(body)

    def set_image(self, tag: str) -> None:
        template = copy.deepcopy(self.spec["template"])
        template["spec"]["containers"][0]["image"] = f"demo/shop:{tag}"
        self.set_template(template)

    def set_template(self, template: Manifest) -> None:
        """Replace the pod template whole."""
        self._replace(("spec", "template"), template)

    def set_steps(self, steps: Sequence[object]) -> None:
        self.patch({"spec": {"strategy": {"canary": {"steps": list(steps)}}}})

    def scale(self, replicas: int) -> None:
        self.patch({"spec": {"replicas": replicas}})

    def pause(self) -> None:
        self.patch({"spec": {"paused": True}})

    def unpause(self) -> None:
        self.patch({"spec": {"paused": False}})

    def promote(self) -> None:
        """Resume a pause, or skip the running step."""
        if self.status.get("pauseConditions"):
            self.patch_status({"pauseConditions": None})
            return
        index = self.status.get("currentStepIndex") or 0
        last = len(self.spec["strategy"]["canary"]["steps"])
        self.patch_status({"pauseConditions": None, "currentStepIndex": min(index + 1, last)})

    def promote_full(self) -> None:
        if self.status.get("currentPodHash") != self.status.get("stableRS"):
            self.patch_status({"promoteFull": True})

    def abort(self) -> None:
        self.patch_status({"abort": True})

    def retry(self) -> None:
        self.patch_status({"abort": False})

    def undo(self, tag: str) -> None:
        """Bring back the template of an earlier ReplicaSet, as stored, without the hash label."""
        template = copy.deepcopy(self.replica_set(tag)["spec"]["template"])
        del template["metadata"]["labels"]["rollouts-pod-template-hash"]
        self.set_template(template)

    def _replace(self, path: Sequence[str], value: Any) -> None:
        changed = copy.deepcopy(self.rollout)
        parent = changed
        for key in path[:-1]:
            parent = parent[key]
        parent[path[-1]] = value
        if changed != self.rollout:
            self.rollout = self._versioned(changed, self.rollout)
            self.writes.append("put rollout")


def _split(view: View) -> PodCounts | None:
    if not view.basic:
        return None
    request = split_request(view)
    counts = _ROUTER.split(request.weight, request.max_weight, request.replicas, request.max_surge)
    return PodCounts(counts.canary, counts.stable)
