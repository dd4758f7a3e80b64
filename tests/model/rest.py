"""What must hold of a Rollout at rest: nothing more is written, and the status is what Argo Rollouts' rules say.

The rules are stated here anew, from the objects as they are stored (rollout 2.1 to 2.3, 3.1), not asked of the engine;
only phase and message are `phase_of`'s, which has its own tests row by row.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final

from tests.model.cluster import annotations_of
from tests.model.judge import shares_by_service
from tests.model.pods import NEVER_READY
from tests.model.world import World, hash_of, tag_of

from sluicegate.api.resources import REPLICA_SETS, SERVICES
from sluicegate.api.rollout import Rollout
from sluicegate.engine.phase import PhaseFacts, phase_of
from sluicegate.local.objects import Document
from sluicegate.testing.recording import PREFIX

RESYNC: Final = timedelta(seconds=1000)


async def check_silence(world: World) -> None:
    """Two more looks, the second after the controller's resync, must write nothing."""
    version = world.cluster.store.resource_version
    for wait in (timedelta(0), RESYNC):
        world.now += wait
        world.process.deliver()
        await world.reconcile()
        if world.cluster.store.resource_version != version:
            raise AssertionError(f"at rest, but a look writes: {world.last_writes()[-3:]}, status {world.status}")


def check_status(world: World) -> None:
    """Raise AssertionError with all that is wrong with the status of a Rollout at rest."""
    facts = Facts(world)
    wrong = [*facts.counters(), *facts.position(), *facts.conditions(), *facts.pauses(), *facts.traffic()]
    if wrong:
        raise AssertionError("; ".join(wrong) + f"; status {world.status}")


def check_moves_on(world: World) -> None:
    """With pods that come up a Rollout at rest is done, paused or aborted: never in between."""
    if any(tag_of(rs) == NEVER_READY and rs["spec"]["replicas"] for rs in world.cluster.list(REPLICA_SETS)):
        return
    phase, message = world.status.get("phase"), world.status.get("message", "")
    if phase == "Progressing" or (phase == "Degraded" and not message.startswith(("RolloutAborted", "InvalidSpec"))):
        raise AssertionError(f"stuck in {phase}: {message}; {sizes(world)}; status {world.status}")


def check_aborted(world: World) -> None:
    """All traffic is on stable."""
    status, stable = world.status, world.status["stableRS"]
    assert status.get("phase") == "Degraded", status
    if world.spec["replicas"] == 0 or stable == world.hash_of(NEVER_READY):
        # No Service is moved to what has no pods. Such a version is stable once it was promoted at `replicas: 0`.
        return
    strategy = world.spec["strategy"]
    if "blueGreen" in strategy:
        assert world.selected("active") == stable, f"active is {world.selected('active')}, stable {stable}: {status}"
    elif "trafficRouting" in strategy["canary"]:
        services = {name: world.cluster.get(SERVICES, name) for name in ("stable", "canary")}
        shares = shares_by_service(world.ingress, services)
        assert {version for version, share in shares.items() if share} == {stable}, f"{shares}, stable is {stable}"
        assert annotations_of(world.ingress)[f"{PREFIX}weight"] == "0", annotations_of(world.ingress)
    else:
        serving = {hash_of(rs) for rs in world.cluster.list(REPLICA_SETS) if world.pods.available(name_of(rs))}
        assert serving <= {stable}, f"{serving} serve, stable is {stable}"


def is_invalid(world: World) -> bool:
    """Whether the Rollout is refused for its spec, so that nothing is done for it."""
    return str(world.status.get("message", "")).startswith("InvalidSpec")


def sizes(world: World) -> dict[str, int]:
    return {tag_of(rs): rs["spec"]["replicas"] for rs in world.cluster.list(REPLICA_SETS)}


def name_of(document: Document) -> str:
    return str(document["metadata"]["name"])


class Facts:
    """The objects at rest, and what follows from them."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.status = world.status
        self.spec = world.spec
        self.owned = world.cluster.list(REPLICA_SETS)
        self.new = next((rs for rs in self.owned if tag_of(rs) == world.image), None)
        self.blue_green: Any = self.spec["strategy"].get("blueGreen")
        self.canary: Any = self.spec["strategy"].get("canary") or {}
        self.steps = self.canary.get("steps") or []
        self.replicas: int = self.spec["replicas"]
        active = world.selected("active") if self.blue_green else ""
        self.active = next((rs for rs in self.owned if active and hash_of(rs) == active), None)
        self.promoted = bool(self.status.get("stableRS")) and self.stable == self.status.get("currentPodHash")
        self.invalid = self.condition("InvalidSpec") is not None

    @property
    def stable(self) -> str:
        return str(self.status.get("stableRS", ""))

    def condition(self, type_: str) -> tuple[str, str] | None:
        found = (item for item in self.status.get("conditions", ()) if item["type"] == type_)
        return next(((item["status"], item["reason"]) for item in found), None)

    def _is(self, name: str, wanted: Any, found: Any) -> Iterator[str]:
        if wanted != found:
            yield f"{name} is {found!r}, must be {wanted!r}"

    def _counted(self, counter: str, *, all_: bool = False) -> int:
        counted = self.owned if all_ or self.active is None else [self.active]
        return sum(rs["status"].get(counter, 0) for rs in counted)

    def counters(self) -> Iterator[str]:
        """Counters, generation and hash (2.1)."""
        yield from self._is(
            "observedGeneration",
            str(self.world.rollout["metadata"]["generation"]),
            self.status.get("observedGeneration"),
        )
        if self.invalid:
            return
        status = self.status
        yield from self._is("replicas", self._counted("replicas", all_=True), status.get("replicas", 0))
        updated = self.new["status"].get("replicas", 0) if self.new else 0
        yield from self._is("updatedReplicas", updated, status.get("updatedReplicas", 0))
        for counter in ("readyReplicas", "availableReplicas"):
            yield from self._is(counter, self._counted(counter), status.get(counter, 0))
        yield from self._is("HPAReplicas", self._counted("replicas"), status.get("HPAReplicas", 0))
        hash_requirement = f",rollouts-pod-template-hash={hash_of(self.active)}" if self.active else ""
        yield from self._is("selector", f"app=shop{hash_requirement}", status.get("selector"))
        yield from self._is("currentPodHash", hash_of(self.new) if self.new else None, status.get("currentPodHash"))
        if self.stable not in map(hash_of, self.owned):
            yield f"stableRS {self.stable!r} is no ReplicaSet"

    def position(self) -> Iterator[str]:
        """The step index, and what a promotion or an abort leaves (2.1, 6.2)."""
        if self.invalid:
            return
        status, index = self.status, self.status.get("currentStepIndex")
        if not self.steps:
            yield from self._is("currentStepIndex", None, index)
        elif index not in range(len(self.steps) + 1):
            yield f"currentStepIndex is {index!r}, with {len(self.steps)} steps"
        elif self.promoted:
            yield from self._is("currentStepIndex of what is promoted", len(self.steps), index)
        elif status.get("abort"):
            yield from self._is("currentStepIndex of what is aborted", 0, index)
        yield from self._is("abortedAt is set", bool(status.get("abort")), "abortedAt" in status)
        if self.promoted and (status.get("abort") or status.get("promoteFull")):
            yield "abort or promoteFull outlived the promotion"

    def conditions(self) -> Iterator[str]:
        """Conditions and phase (2.2, 3.1)."""
        if self.invalid:
            yield from self._is("phase", "Degraded", self.status.get("phase"))
            yield from self._is("message", "InvalidSpec: ", self._message[:13])
            return
        rollout = Rollout.model_validate(self.world.rollout)
        phase = phase_of(PhaseFacts.of(rollout.spec, rollout.status))
        yield from self._is("phase", (phase.phase, phase.message), (self.status.get("phase"), self._message))
        yield from self._is("Completed", self.promoted, self._true("Completed"))
        yield from self._is("Available", self._has_availability(), self._true("Available"))
        healthy = self._is_healthy()
        yield from self._is("Healthy", healthy and not self._paused, self._true("Healthy"))
        yield from self._progressing(healthy)

    def _progressing(self, healthy: bool) -> Iterator[str]:
        reason = (self.condition("Progressing") or ("", ""))[1]
        if self.status.get("abort"):
            yield from self._is("Progressing", "RolloutAborted", reason)
        elif self._paused and not self.promoted:
            yield from self._is("Progressing", "RolloutPaused", reason)
        elif healthy and not self._paused:
            yield from self._is("Progressing", "NewReplicaSetAvailable", reason)
        elif reason in ("RolloutAborted", "RolloutRetry", "RolloutPaused") and not self._paused:
            yield f"Progressing has reason {reason}, and nothing is aborted or paused"
        if not self.status.get("abort"):
            yield from self._is("Paused", self._paused, self._true("Paused"))

    def pauses(self) -> Iterator[str]:
        """Pause bookkeeping (2.3)."""
        if self.invalid:
            return
        conditions = self.status.get("pauseConditions") or []
        by_hand = bool(self.spec.get("paused"))
        if bool(conditions) != bool(self.status.get("controllerPause")) and not by_hand:
            yield f"controllerPause is {self.status.get('controllerPause')} with pauseConditions {conditions}"
        if conditions and (self.promoted or self.status.get("abort")):
            yield f"pauseConditions {conditions} outlived the update"
        reasons = {"BlueGreenPause"} if self.blue_green else {"CanaryPauseStep"}
        if not {condition["reason"] for condition in conditions} <= reasons:
            yield f"pauseConditions {conditions} are another strategy's"
        step = self._current_step()
        on_step = bool(step) and "pause" in (step or {}) and not self.status.get("abort")
        if not self.blue_green and conditions and not on_step:
            yield f"pauseConditions {conditions} at the step {step}"

    def traffic(self) -> Iterator[str]:
        """Recorded weights and selectors are those in force (2.1)."""
        if self.invalid:
            return
        recorded = self.status.get("blueGreen") or {}
        for name, service in (("activeSelector", "activeService"), ("previewSelector", "previewService")):
            named = (self.blue_green or {}).get(service)
            yield from self._is(name, self.world.selected(named) if named else "", recorded.get(name, ""))
        weights = (self.status.get("canary") or {}).get("weights")
        if "trafficRouting" not in self.canary:
            yield from self._is("canary.weights", None, weights)
        elif weights is not None:
            found = annotations_of(self.world.ingress)
            for name, key in (("canary", "weight"), ("stable", "stable-weight")):
                yield from self._is(f"weights.{name}", str(weights[name].get("weight", 0)), found.get(PREFIX + key))
            hashes = [weights[name].get("podTemplateHash", "") for name in ("stable", "canary")]
            yield from self._is("hashes of weights", ",".join(hashes), found.get(f"{PREFIX}hashes"))

    def _current_step(self) -> dict[str, Any] | None:
        index = self.status.get("currentStepIndex") or 0
        return self.steps[index] if index < len(self.steps) else None

    @property
    def _message(self) -> str:
        return str(self.status.get("message") or "")

    @property
    def _paused(self) -> bool:
        return bool(self.spec.get("paused") or self.status.get("pauseConditions"))

    def _true(self, type_: str) -> bool:
        return (self.condition(type_) or ("", ""))[0] == "True"

    def _is_healthy(self) -> bool:
        status = self.status
        whole = status.get("updatedReplicas", 0) == status.get("availableReplicas", 0) == self.replicas
        if not self.blue_green:
            return whole and self.promoted and status.get("replicas", 0) == self.replicas
        preview = self.blue_green.get("previewService")
        selected = {self.world.selected(service) for service in ("active", preview) if service}
        return whole and selected == {status.get("currentPodHash")}

    def _has_availability(self) -> bool:
        if not self.blue_green:
            return self._counted("availableReplicas", all_=True) >= self.replicas
        rs = self.active
        if rs is None:
            return False
        desired = annotations_of(rs).get("rollout.argoproj.io/desired-replicas")
        whole: bool = rs["spec"]["replicas"] == rs["status"].get("availableReplicas", 0) == self.replicas
        return whole and desired == str(self.replicas)
