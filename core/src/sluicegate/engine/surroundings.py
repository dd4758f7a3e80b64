"""What a pass sees of the cluster beside the Rollout and its ReplicaSets: just what the Rollout's features ask for."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Self

from sluicegate.api import names
from sluicegate.api.foreign import ObjectMeta, Pod, Service

if TYPE_CHECKING:
    from sluicegate.engine.workload import Workload


@dataclass(frozen=True, slots=True)
class Run:
    """An AnalysisRun or an Experiment: who it is, what it is for (by its labels), and how far it has come."""

    metadata: ObjectMeta
    phase: str = ""
    message: str = ""
    terminating: bool = False


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The objects around one Rollout, all of its namespace; what does not exist is not in it.

    `services` are by name. `pods` are those of the owned ReplicaSets, given only where `needs_pods` asks for them.
    `analysis_runs` and `experiments` are those that the Rollout owns. `workload` lends the Rollout its template.
    """

    services: Mapping[str, Service] = field(default_factory=dict)
    pods: tuple[Pod, ...] = ()
    analysis_runs: tuple[Run, ...] = ()
    experiments: tuple[Run, ...] = ()
    workload: "Workload | None" = None

    def service_hash(self, name: str) -> str:
        """The pod template hash that a Service selects; empty without one, or without such a Service."""
        service = self.services.get(name)
        return service.spec.selector.get(names.HASH_LABEL, "") if service else ""

    def with_service(self, service: Service) -> Self:
        """The same with one Service as it will be."""
        return replace(self, services={**self.services, service.metadata.name: service})
