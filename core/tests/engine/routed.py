"""Canaries with traffic routing for the tests: views of one pass, and worlds with the Services that routers need."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sluicegate.api import names
from sluicegate.api.foreign import ReplicaSet, Service
from sluicegate.engine import passes
from sluicegate.engine.begun import Begun
from sluicegate.engine.decision import Decision
from sluicegate.engine.traffic import Routing, Verified
from sluicegate.engine.view import View

from .builders import DAWN, make_view
from .manifests import canary_manifest
from .world import World

CANARY, STABLE = "shop-canary", "shop-stable"
ROUTED = {"canaryService": CANARY, "stableService": STABLE, "trafficRouting": {"nginx": {}}}


def routed_view(
    replicas: int,
    replica_sets: Iterable[ReplicaSet],
    *,
    steps: Sequence[object] | None = (),
    status: Mapping[str, Any] | None = None,
    recorded: tuple[str, int] | None = None,
    services: Iterable[Service] = (),
    metadata: Mapping[str, Any] | None = None,
    **canary: Any,
) -> View:
    """The view of a routed canary `c` over a stable `s`, at step 0, whose template and steps are recorded already.

    `recorded` is the canary hash and the weight that routers were last given.
    """
    found: dict[str, Any] = {"stableRS": "s", "currentPodHash": "c", "currentStepIndex": 0, **(status or {})}
    if recorded is not None:
        found["canary"] = {"weights": weights_of(*recorded, found["stableRS"])}
    strategy = {**ROUTED, **canary} if steps is None else {**ROUTED, **canary, "steps": list(steps)}
    spec = {"replicas": replicas, "strategy": {"canary": strategy}}
    replica_sets, services = list(replica_sets), list(services)
    for replica_set in replica_sets:
        replica_set.metadata.annotations[names.DESIRED_REPLICAS] = str(replicas)
    rollout = {"metadata": {"name": "a", **(metadata or {})}, "spec": spec, "status": found}
    found["currentStepHash"] = make_view(rollout, replica_sets).step_hash
    return make_view(rollout, replica_sets, services=services)


def weights_of(canary_hash: str, weight: int, stable_hash: str = "s", total: int = 100) -> dict[str, Any]:
    """`status.canary.weights` of a router that took this."""
    return {
        "canary": {"weight": weight, "serviceName": CANARY, "podTemplateHash": canary_hash},
        "stable": {"weight": total - weight, "serviceName": STABLE, "podTemplateHash": stable_hash},
    }


@dataclass(frozen=True)
class Passed:
    """One pass over a view: where it stood before the traffic, and what it decided."""

    begun: Begun
    decision: Decision

    @property
    def routing(self) -> Routing | None:
        return self.begun.routing

    @property
    def handed_over(self) -> list[tuple[str, int]]:
        """Canary hash and weight of each state that routers are handed."""
        stages = self.routing.stages if self.routing else ()
        return [(stage.canary.pod_template_hash, stage.canary.weight) for stage in stages]

    @property
    def warnings(self) -> list[tuple[str, str]]:
        """Reason and message of each Warning that the pass tells of."""
        told = (*self.decision.opening, *self.decision.events)
        return [(event.reason, event.message) for event in told if event.type == "Warning"]

    @property
    def keeps_routes(self) -> bool:
        """Whether a header or mirror route stays."""
        return any(
            stage.header_routes or stage.mirror_routes for stage in (self.routing.stages if self.routing else ())
        )

    def switched(self, service: str) -> str:
        """The hash that a Service selects after the pass."""
        return self.begun.view.surroundings.service_hash(service)

    @property
    def weights(self) -> Any:
        """The weights that the pass records; None if they stay as they were."""
        return ((self.decision.status or {}).get("canary") or {}).get("weights")


def one_pass(view: View, verified: Verified | None = None) -> Passed:
    """Make one pass; the routers take everything, and answer `verified` when asked."""
    begun = passes.begin(view, None, DAWN)
    assert isinstance(begun, Begun), begun
    asked = begun.routing is not None and begun.routing.verify
    return Passed(begun, passes.decide(begun, None, (verified if asked else None) or Verified(), DAWN))


def routed_manifest(*, replicas: int = 10, steps: Sequence[object] = (), **canary: Any) -> dict[str, Any]:
    """A routed canary Rollout `shop`."""
    return canary_manifest(replicas=replicas, steps=steps, **{**ROUTED, **canary})


def routed_world(**manifest: Any) -> World:
    """A world with the Services of a routed canary, whose first version serves."""
    return World.healthy(routed_manifest(**manifest), services=(CANARY, STABLE))


def updating(tag: str = "v2", **manifest: Any) -> World:
    """The same at rest in an update."""
    world = routed_world(**manifest)
    world.set_image(tag)
    world.settle()
    world.forget()
    return world
