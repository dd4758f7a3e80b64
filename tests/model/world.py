"""The model: one Rollout on the cluster in memory, its pods, its controller, and everything that can happen to them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from tests.model.cluster import KINDS, Cluster, Fault, Killed, Write
from tests.model.judge import Judge, Unsafe
from tests.model.pods import Pods
from tests.model.process import ROLLOUT, Process

from sluicegate.api import names
from sluicegate.api.model import format_time
from sluicegate.api.resources import INGRESSES, REPLICA_SETS, ROLLOUTS, SERVICES, Resource
from sluicegate.local.objects import Document, Object
from sluicegate.testing.recording import VERIFY

START: Final = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
TICK: Final = timedelta(milliseconds=20)
"""What a pass takes."""
INGRESS: Final = "edge"
MOST_PASSES: Final = 400
"""After so many passes that write, or see pods change, everything must have come to rest."""
REST: Final = timedelta(seconds=1000)
"""So long without a write is rest, though the controller may go on to look."""

Action = tuple[Any, ...]


@dataclass(frozen=True)
class Setting:
    """What a story begins with: a Rollout that serves version `v1`."""

    strategy: Mapping[str, Any]
    replicas: int = 3
    spec: Mapping[str, Any] = field(default_factory=dict)

    def manifest(self) -> Object:
        template = {
            "metadata": {"labels": {"app": ROLLOUT}},
            "spec": {"containers": [{"name": ROLLOUT, "image": "demo/shop:v1"}]},
        }
        return {
            "metadata": {"name": ROLLOUT, "namespace": "default"},
            "spec": {
                "replicas": self.replicas,
                "selector": {"matchLabels": {"app": ROLLOUT}},
                "template": template,
                "strategy": dict(self.strategy),
                **self.spec,
            },
        }


class World:
    """A Rollout and its surroundings in virtual time; `writes` are those of the controller that changed something."""

    def __init__(self, setting: Setting) -> None:
        self.now = START
        self.cluster = Cluster(lambda: self.now)
        self.pods = Pods(self.cluster)
        self.judge = Judge()
        self.writes: list[Write] = []
        self.on_write: Callable[[Write], None] = lambda write: None
        self.verdict: Unsafe | None = None
        self._between: list[tuple[int, Action]] = []
        self.cluster.before_write = self._intrude
        self.cluster.on_write = self._written
        self.cluster.on_evict = self.pods.evict_by_name
        for name in ("stable", "canary", "active", "preview"):
            self.cluster.create(SERVICES, {"metadata": {"name": name}, "spec": {"selector": {"app": ROLLOUT}}})
        self.cluster.create(INGRESSES, {"metadata": {"name": INGRESS, "annotations": {VERIFY: "true"}}, "spec": {}})
        self.cluster.create(ROLLOUTS, setting.manifest())
        self.process = self._started()

    # What there is.

    @property
    def rollout(self) -> Document:
        return self.cluster.get(ROLLOUTS, ROLLOUT)

    @property
    def spec(self) -> Object:
        spec: Object = self.rollout["spec"]
        return spec

    @property
    def status(self) -> Object:
        return self.rollout.get("status") or {}

    @property
    def ingress(self) -> Document:
        return self.cluster.get(INGRESSES, INGRESS)

    @property
    def image(self) -> str:
        image: str = self.spec["template"]["spec"]["containers"][0]["image"]
        return image.rpartition(":")[2]

    def hash_of(self, tag: str) -> str | None:
        """The pod template hash of the version with this image."""
        return next((hash_of(rs) for rs in self.cluster.list(REPLICA_SETS) if tag_of(rs) == tag), None)

    def selected(self, service: str) -> str:
        selector = self.cluster.get(SERVICES, service)["spec"].get("selector") or {}
        return str(selector.get(names.HASH_LABEL, ""))

    # Time, and the controller.

    def _started(self) -> Process:
        self.judge.new_process()
        process = Process(self.cluster, self.pods)
        process.before_pass = lambda: self.judge.begin_pass(process)
        return process

    def restart_controller(self) -> None:
        lost = self.process.lost
        self.process = self._started()
        self.process.lost = lost

    async def step(self, *, sync: bool = True) -> None:
        """Let the watches bring what they have, the controller make a pass if it is due, and the pods follow."""
        self.process.deliver()
        if self.process.is_due:
            await self.reconcile()
        if sync:
            self.pods.sync()
        self.now += TICK

    async def reconcile(self) -> None:
        try:
            await self.process.reconcile()
        except Killed:
            self.restart_controller()
        if self.verdict is not None:
            raise self.verdict

    async def settle(self) -> None:
        """Let time pass until nothing is written any more."""
        version, written, passes = -1, self.now, 0
        while passes < MOST_PASSES:
            await self.step()
            if self.cluster.store.resource_version != version:
                version, written, passes = self.cluster.store.resource_version, self.now, passes + 1
                continue
            self.process.deliver()
            due = [moment for moment in (self.process.due, self.pods.next_change()) if moment is not None]
            if not due or self.now > written + REST:
                return
            self.now = max(self.now, min(due))
        raise AssertionError(f"no rest after {MOST_PASSES} passes, the last writes: {self.last_writes()}")

    def last_writes(self) -> list[str]:
        return [str(write) for write in self.writes[-12:]]

    def _written(self, write: Write) -> None:
        self.writes.append(write)
        self.on_write(write)
        try:
            self.judge.judge(write, self.cluster.find(INGRESSES, INGRESS))
        except Unsafe as verdict:
            # Raised after the pass: within a plugin's call it would be taken for the plugin's failure.
            self.verdict = self.verdict or verdict

    def _intrude(self) -> None:
        """Do what was to happen between two writes."""
        due = [action for left, action in self._between if left == 0]
        self._between = [(left - 1, action) for left, action in self._between if left > 0]
        for action in due:
            self.act(action)

    # What can happen.

    async def play(self, action: Action) -> None:
        """Let something happen."""
        verb, *arguments = action
        if verb == "passes":
            for _ in range(arguments[0]):
                await self.step()
        elif verb == "passes_alone":
            for _ in range(arguments[0]):
                await self.step(sync=False)
        elif verb == "settle":
            await self.settle()
        else:
            self.act(action)

    def act(self, action: Action) -> None:
        """Let something happen at once."""
        verb, *arguments = action
        getattr(self, f"do_{verb}")(*arguments)

    def do_image(self, tag: str) -> None:
        containers = [{"name": ROLLOUT, "image": f"demo/shop:{tag}"}]
        self._patch({"template": {"spec": {"containers": containers}}})

    def do_scale(self, replicas: int) -> None:
        self._patch({"replicas": replicas})

    def do_pause(self) -> None:
        self._patch({"paused": True})

    def do_unpause(self) -> None:
        self._patch({"paused": None})

    def do_spec(self, patch: Object) -> None:
        self._patch(patch)

    def do_canary(self, patch: Object) -> None:
        """Edit the strategy, of whatever kind it is."""
        self._patch({"strategy": dict.fromkeys(self.spec["strategy"], patch)})

    def do_restart(self) -> None:
        self._patch({"restartAt": format_time(self.now)})

    def do_promote(self) -> None:
        """As the CLI does it: resume, or skip the running step."""
        steps = (self.spec["strategy"].get("canary") or {}).get("steps")
        self._patch({"paused": None})
        patch: Object = {"pauseConditions": None}
        if not self.status.get("pauseConditions") and steps:
            patch["currentStepIndex"] = min((self.status.get("currentStepIndex") or 0) + 1, len(steps))
        self._patch_status(patch)

    def do_full(self) -> None:
        if self.status.get("currentPodHash") != self.status.get("stableRS"):
            self._patch_status({"promoteFull": True})
        self._patch({"paused": None})

    def do_abort(self) -> None:
        self._patch_status({"abort": True})

    def do_retry(self) -> None:
        self._patch_status({"abort": None})

    def do_service(self, name: str, tag: str | None) -> None:
        """Point a Service elsewhere by hand: at the version with an image, or at all of them."""
        hash_ = None if tag is None else self.hash_of(tag) or "nobody"
        self.cluster.patch(SERVICES, name, {"spec": {"selector": {names.HASH_LABEL: hash_}}})

    def do_slow(self, seconds: float) -> None:
        self.pods.ready_after = timedelta(seconds=seconds)

    def do_crash(self, index: int, count: int, back_after: float | None) -> None:
        self.pods.crash(index, count, back_after)
        self.pods.sync()

    def do_evict(self, index: int, count: int) -> None:
        self.pods.evict(index, count)
        self.pods.sync()

    def do_time(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        self.pods.sync()

    def do_faults(self, faults: Sequence[str | None]) -> None:
        self.cluster.faults = [None if fault is None else Fault(fault) for fault in faults]

    def do_lose(self, plural: str) -> None:
        self.process.lost.add(_resource(plural))

    def do_find(self, plural: str) -> None:
        self.process.lost.discard(_resource(plural))

    def do_kill(self) -> None:
        self.restart_controller()

    def do_between(self, writes: int, action: Sequence[Any]) -> None:
        """Let something happen after so many further writes of the controller, right before the next."""
        self._between.append((writes, tuple(action)))

    def do_verify(self, answer: str) -> None:
        self.cluster.patch(INGRESSES, INGRESS, {"metadata": {"annotations": {VERIFY: answer}}})

    def do_calm(self) -> None:
        """End all faults, and let pods come up that can."""
        self._between.clear()
        self.cluster.faults = []
        self.process.lost.clear()
        self.do_verify("true")
        self.do_slow(1)
        self.pods.heal()

    def _patch(self, spec: Object) -> None:
        self.cluster.patch(ROLLOUTS, ROLLOUT, {"spec": spec})

    def _patch_status(self, status: Object) -> None:
        self.cluster.patch(ROLLOUTS, ROLLOUT, {"status": status}, "status")


def hash_of(replica_set: Document) -> str:
    return str(replica_set["metadata"]["labels"].get(names.HASH_LABEL, ""))


def tag_of(replica_set: Document) -> str:
    image: str = replica_set["spec"]["template"]["spec"]["containers"][0]["image"]
    return image.rpartition(":")[2]


def _resource(plural: str) -> Resource:
    return next(resource for resource in KINDS if resource.plural == plural)
