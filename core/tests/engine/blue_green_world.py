"""A world in memory with a blue-green Rollout, its two Services, and AnalysisRuns that say what a test wants."""

from dataclasses import dataclass
from typing import Any

from sluicegate.api import names
from sluicegate.api.foreign import ObjectMeta
from sluicegate.engine.surroundings import Run

from .manifests import Manifest, canary_manifest
from .world import World

ANALYSIS: dict[str, Any] = {"templates": [{"templateName": "check"}]}
SECONDS_UNTIL_ALL_IS_DONE = 60


def blue_green_manifest(*, replicas: int = 3, preview: bool = True, **blue_green: Any) -> Manifest:
    """A blue-green Rollout `shop`; `blue_green` are further members of its strategy."""
    manifest = canary_manifest(replicas=replicas)
    services = {"activeService": "active", **({"previewService": "preview"} if preview else {})}
    manifest["spec"]["strategy"] = {"blueGreen": {**services, **blue_green}}
    return manifest


@dataclass
class BlueGreenWorld(World):
    """What a `World` is, with the words of blue-green."""

    @classmethod
    def serving(cls, *, replicas: int = 3, preview: bool = True, **blue_green: Any) -> "BlueGreenWorld":
        """A world whose v1 serves, with nothing recorded so far."""
        world = cls(blue_green_manifest(replicas=replicas, preview=preview, **blue_green))
        for service in ("active", "preview"):
            world.add_service(service)
        world.settle()
        assert world.active == "v1", world.status
        world.forget()
        return world

    @classmethod
    def updating(cls, tag: str = "v2", **blue_green: Any) -> "BlueGreenWorld":
        """A world at rest in the update from v1 to another version."""
        world = cls.serving(**blue_green)
        world.update(tag)
        world.forget()
        return world

    def update(self, tag: str) -> None:
        """Set another image and let the world come to rest."""
        self.set_image(tag)
        self.settle()

    def resume(self) -> None:
        """Promote in a pause, and let the world come to rest."""
        self.patch_status({"pauseConditions": None})
        self.settle()

    def run_out(self) -> None:
        """Let all delays run out."""
        self.pass_time(SECONDS_UNTIL_ALL_IS_DONE)
        self.settle()

    @property
    def active(self) -> str:
        """The tag that the active Service selects; the bare hash where no ReplicaSet has it."""
        return self._tag_of(self.selected("active"))

    @property
    def preview(self) -> str:
        return self._tag_of(self.selected("preview"))

    @property
    def stable(self) -> str:
        return self._tag_of(self.status.get("stableRS", ""))

    @property
    def blue_green(self) -> Manifest:
        return dict(self.status.get("blueGreen", {}))

    def phase(self) -> tuple[str, str]:
        return self.status["phase"], self.status.get("message", "")

    def edit_service(self, name: str, hash_: str | None) -> None:
        """Point a Service elsewhere by hand; None removes the hash from its selector."""
        self.patch_service(name, {"spec": {"selector": {names.HASH_LABEL: hash_}}})

    def hash_of(self, tag: str) -> str:
        return str(self.replica_set(tag)["metadata"]["labels"][names.HASH_LABEL])

    def deadline(self, tag: str) -> str | None:
        deadline: str | None = self.replica_set(tag)["metadata"]["annotations"].get(names.SCALE_DOWN_DEADLINE)
        return deadline

    def run(self, suffix: str, phase: str, message: str = "") -> str:
        """Let the AnalysisRun of the current version with this suffix, such as `pre.1`, reach a phase; its name."""
        revision = self.rollout["metadata"]["annotations"][names.REVISION]
        name = f"shop-{self.status['currentPodHash']}-{revision}-{suffix}"
        self.runs[name] = Run(ObjectMeta(name=name), phase, message)
        self._version += 1
        self.settle()
        return name

    def lose(self, tag: str) -> None:
        """Let the pods of a version stay but never serve again."""
        self.pods.break_down(self.named(tag), 100)
        self.sync()

    def delete(self, tag: str) -> None:
        """Delete a ReplicaSet by hand."""
        self._delete(self.named(tag))

    def _tag_of(self, hash_: str) -> str:
        owned = self.replica_sets.items()
        found = [name for name, manifest in owned if manifest["metadata"]["labels"][names.HASH_LABEL] == hash_]
        return self.tag(found[0]) if found else hash_
