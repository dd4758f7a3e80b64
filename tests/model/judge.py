"""What must hold after every single write of the controller, against what the controller could know when it wrote.

Traffic is counted in two ways, as routers carry it in two ways: by the pod template hashes that a route names (a mesh's
subsets), and by the Services that it names and what those select (an Ingress). Pods may crash after a weight was given,
which no controller can undo at once. So the rule is on writes: one that raises what a version gets needs pods,
available in the caches and not taken away by the controller itself, that carry the whole of it.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from tests.model.cluster import Write, annotations_of
from tests.model.process import KEY, Process

from sluicegate.api import names
from sluicegate.api.resources import INGRESSES, REPLICA_SETS, ROLLOUTS, SERVICES
from sluicegate.engine.fences import Fences, canary_fences
from sluicegate.local.objects import Document
from sluicegate.testing.recording import PREFIX

Shares = Mapping[str, int]
"""What each version gets of the traffic, by pod template hash, out of the weight total."""

_NO_SHARES: Final[Shares] = Counter()


class Unsafe(AssertionError):
    """A write that breaks a promise; the text says which."""


@dataclass
class Known:
    """What the controller can know: its caches as a pass began, and what it has written since."""

    rollout: Mapping[str, Any] = field(default_factory=dict)
    available: dict[str, int] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    selected: dict[str, str] = field(default_factory=dict)

    @property
    def spec(self) -> Mapping[str, Any]:
        spec: Mapping[str, Any] = self.rollout.get("spec") or {}
        return spec

    @property
    def status(self) -> Mapping[str, Any]:
        status: Mapping[str, Any] = self.rollout.get("status") or {}
        return status

    @property
    def replicas(self) -> int:
        replicas = self.spec.get("replicas")
        return 1 if replicas is None else int(replicas)

    @property
    def stable(self) -> str:
        return str(self.status.get("stableRS") or "")

    @property
    def canary(self) -> Mapping[str, Any]:
        canary: Mapping[str, Any] = self.spec.get("strategy", {}).get("canary") or {}
        return canary

    @property
    def blue_green(self) -> Mapping[str, Any] | None:
        blue_green: Mapping[str, Any] | None = self.spec.get("strategy", {}).get("blueGreen")
        return blue_green

    @property
    def routed(self) -> bool:
        return "trafficRouting" in self.canary

    @property
    def fences(self) -> Fences:
        surge, unavailable = self.canary.get("maxSurge", "25%"), self.canary.get("maxUnavailable", "25%")
        return canary_fences(surge, unavailable, self.replicas)

    @property
    def abort_in_force(self) -> bool:
        status = self.status
        over = status.get("currentPodHash") == status.get("stableRS")
        return bool(status.get("abort") and status.get("abortedAt") and not status.get("promoteFull") and not over)

    def pods_asked(self, total: int) -> int | None:
        """The canary pods that a `setCanaryScale` in force asks for; None if there is none."""
        index = self.status.get("currentStepIndex") or 0
        steps = self.canary.get("steps") or []
        if index >= len(steps):
            return None
        scales = [step["setCanaryScale"] for step in steps[: index + 1] if "setCanaryScale" in step]
        if not scales or scales[-1].get("matchTrafficWeight"):
            return None
        replicas: int | None = scales[-1].get("replicas")
        return replicas if replicas is not None else -(-scales[-1].get("weight", 0) * self.replicas // total)


@dataclass
class Judge:
    """Looks at the writes of one process after the other."""

    known: Known = field(default_factory=Known)
    _own_sizes: dict[str, tuple[int, int]] = field(default_factory=dict)

    def new_process(self) -> None:
        """Forget what the process before has written: the caches of a new one are filled afresh."""
        self._own_sizes.clear()

    def begin_pass(self, process: Process) -> None:
        """Take down what the caches show."""
        caches = process.caches
        rollout = caches.rollouts.get(*KEY)
        self.known = Known(rollout.document if rollout else {})
        for replica_set in caches.replica_sets.list():
            metadata = replica_set.metadata
            size, available = replica_set.spec.replicas, replica_set.status.available_replicas
            own = self._own_sizes.get(metadata.name)
            if own is not None and own[1] > int(metadata.resource_version):
                size = own[0]
            hash_ = metadata.labels.get(names.HASH_LABEL, "")
            self.known.sizes[hash_] = size
            self.known.available[hash_] = min(size, available)
        for service in caches.services.list():
            self.known.selected[service.metadata.name] = service.spec.selector.get(names.HASH_LABEL, "")

    def judge(self, write: Write, ingress: Document | None) -> None:
        """Raise Unsafe for a write that is not safe; `ingress` is as it is after it."""
        if write.resource == ROLLOUTS and write.after is not None:
            self.known.rollout = write.after
        elif write.resource == INGRESSES:
            self._routed(write)
        elif write.resource == SERVICES and write.after is not None:
            self._switched(write, write.after, ingress)
        elif write.resource == REPLICA_SETS:
            self._resized(write, ingress)

    # Rises: routes and selectors.

    def _routed(self, write: Write) -> None:
        for before, after in zip(self._shares(write.before), self._shares(write.after), strict=True):
            self._check_rises(write, before, after, _total(write.after))

    def _switched(self, write: Write, after: Document, ingress: Document | None) -> None:
        former, selected = self.known.selected.get(write.name, ""), _selected(after)
        shares = list(self._shares(ingress))
        self.known.selected[write.name] = selected
        if former == selected:
            return
        if self.known.routed:
            for one, other in zip(shares, self._shares(ingress), strict=True):
                self._check_rises(write, one, other, _total(ingress), instead=self._serving(former))
        elif self.known.blue_green is None:
            self._check_basic_switch(write, selected)
        elif write.name == self.known.blue_green.get("activeService"):
            self._check_cutover(write, former, selected)

    def _serving(self, version: str) -> int:
        """The pods of the version that a Service selected; none where it selected none, or all of them alike."""
        return self.known.available.get(version, 0)

    def _check_rises(
        self, write: Write, before: Shares, after: Shares, total: int, *, instead: int | None = None
    ) -> None:
        """`instead` is how many pods serve what is moved: to move it to as many is no loss, however few they are."""
        for version, share in after.items():
            if not version or share <= before.get(version, 0):
                continue
            needed, available = self._needed_for_rise(version, share, total), self.known.available.get(version, 0)
            if available < needed and (instead is None or available < max(1, instead)):
                raise Unsafe(
                    f"{write}: {version} gets {share} of {total} in place of {before.get(version, 0)}, which needs "
                    f"{needed} pods of {self.known.replicas}, and {available} are known to be available"
                )
            if self.known.abort_in_force and version != self.known.stable:
                raise Unsafe(
                    f"{write}: {version} gets {share} of {total}, more than before, while an abort is in force"
                )

    def _needed_for_rise(self, version: str, share: int, total: int) -> int:
        """The pods that a share takes, rounded up for the canary and down for stable (traffic 1.6)."""
        if share <= 0 or self.known.replicas == 0:
            return 0
        if version == self.known.stable:
            return max(1, share * self.known.replicas // total)
        return max(1, min(-(-share * self.known.replicas // total), self._asked(total)))

    def _asked(self, total: int) -> int:
        asked = self.known.pods_asked(total)
        return self.known.replicas if asked is None else asked

    def _check_basic_switch(self, write: Write, selected: str) -> None:
        if self.known.available.get(selected, 0) < min(1, self.known.replicas):
            raise Unsafe(f"{write}: it selects {selected}, of which no pod is available")

    def _check_cutover(self, write: Write, former: str, selected: str) -> None:
        available, serving = self.known.available.get(selected, 0), self.known.available.get(former, 0)
        refuge = selected == self.known.stable and former and available >= max(1, serving)
        if available < self.known.replicas and not refuge:
            raise Unsafe(
                f"{write}: all traffic goes from {former!r} with {serving} pods to {selected} with {available} of "
                f"{self.known.replicas}"
            )

    # Falls: sizes.

    def _resized(self, write: Write, ingress: Document | None) -> None:
        document = write.after or write.before
        assert document is not None
        hash_ = document["metadata"]["labels"].get(names.HASH_LABEL, "")
        before = write.before["spec"]["replicas"] if write.before else 0
        after = write.after["spec"]["replicas"] if write.after else 0
        if write.after is not None:
            self._own_sizes[write.name] = (after, int(write.after["metadata"]["resourceVersion"]))
        self.known.sizes[hash_] = after
        if after < before or write.after is None:
            self._check_shrink(write, hash_, before, after, ingress)
        elif after > before and not self.known.routed and self.known.blue_green is None:
            self._check_surge(write)
        self.known.available[hash_] = min(after, self.known.available.get(hash_, 0))

    def _check_shrink(self, write: Write, version: str, before: int, after: int, ingress: Document | None) -> None:
        if self.known.blue_green is not None:
            needed = self.known.replicas if version == self._active() else 0
        elif self.known.routed:
            needed = self._needed_by_traffic(version, ingress)
        else:
            needed = self._needed_by_fence(version, after)
        if after < needed:
            raise Unsafe(f"{write}: {version} goes from {before} to {after} pods, and what it serves needs {needed}")

    def _active(self) -> str:
        return self.known.selected.get((self.known.blue_green or {}).get("activeService", ""), "")

    def _needed_by_traffic(self, version: str, ingress: Document | None) -> int:
        total = _total(ingress)
        share = max(shares.get(version, 0) for shares in self._shares(ingress))
        needed = -(-max(0, share) * self.known.replicas // total)
        if version == self.known.stable:
            return needed
        # The dead pods of a version that is neither new nor stable may go (rollout 5.8).
        other = version != self.known.status.get("currentPodHash")
        return min(needed, self._asked(total), self.known.available.get(version, 0) if other else needed)

    def _needed_by_fence(self, version: str, after: int) -> int:
        """The size below which fewer pods would serve than may, by the available pods of the other versions."""
        available = self.known.available
        others = sum(count for hash_, count in available.items() if hash_ != version)
        least = self.known.replicas - self.known.fences.max_unavailable - others
        return max(0, min(least, available.get(version, 0)))

    def _check_surge(self, write: Write) -> None:
        total, most = sum(self.known.sizes.values()), self.known.replicas + self.known.fences.max_surge
        if total > most:
            raise Unsafe(f"{write}: {total} pods are asked for, and {most} may be")

    # Traffic.

    def _shares(self, ingress: Document | None) -> Iterator[Shares]:
        """By hash, then by Service."""
        routed = _routes(ingress)
        if not routed:
            yield _NO_SHARES
            yield Counter({self.known.selected.get(self.known.canary.get("stableService", ""), ""): 100})
            return
        weights = int(routed["stable-weight"]), int(routed["weight"])
        hashes = routed["hashes"].split(",")
        services = (self.known.selected.get(service, "") for service in routed["services"].split(","))
        for versions in (hashes, services):
            shares: Counter[str] = Counter()
            for version, weight in zip(versions, weights, strict=True):
                shares[version] += weight
            yield shares


def _routes(ingress: Document | None) -> dict[str, str]:
    annotations = annotations_of(ingress) if ingress else {}
    routed = {key.removeprefix(PREFIX): value for key, value in annotations.items() if key.startswith(PREFIX)}
    return routed if "weight" in routed else {}


def _total(ingress: Document | None) -> int:
    return int(_routes(ingress).get("max-weight", "100"))


def _selected(service: Document) -> str:
    return str((service["spec"].get("selector") or {}).get(names.HASH_LABEL, ""))


def shares_by_service(ingress: Document | None, services: Mapping[str, Document]) -> Shares:
    """What each version gets as the Services are now."""
    judge = Judge(Known(selected={name: _selected(service) for name, service in services.items()}))
    return list(judge._shares(ingress))[1]
