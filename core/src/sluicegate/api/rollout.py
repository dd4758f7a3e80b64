"""The Rollout kind: `parse_rollout` of `sluicegate.api.validation` makes one of a manifest.

The parts of its spec live in modules of their own and can all be imported from here.
"""

from functools import cached_property
from typing import Annotated, Any, Final

from pydantic import Field

from sluicegate.api.analysis_refs import (
    AnalysisRunArgument,
    AnalysisTemplateRef,
    ArgumentValueFrom,
    BackgroundAnalysis,
    DryRun,
    FieldRef,
    MeasurementRetention,
    RolloutAnalysis,
)
from sluicegate.api.hashing import Hashes
from sluicegate.api.metadata import LabelSelector, LabelSelectorRequirement, MetadataPatch, ObjectMeta, OwnerReference
from sluicegate.api.model import REQUIRED, ApiModel, Int32, PodTemplate, Time
from sluicegate.api.status import RolloutStatus
from sluicegate.api.steps import (
    CanaryStep,
    ExperimentAnalysis,
    ExperimentStep,
    ExperimentTemplate,
    HeaderRoutingMatch,
    Pause,
    PluginStep,
    RouteMatch,
    SetCanaryScale,
    SetHeaderRoute,
    SetMirrorRoute,
    StringMatch,
    TemplateService,
)
from sluicegate.api.strategy import (
    AntiAffinity,
    BlueGreenStrategy,
    CanaryStrategy,
    PingPong,
    PreferredAntiAffinity,
    ReplicaProgressThreshold,
    RolloutStrategy,
)
from sluicegate.api.traffic_routing import ManagedRoute, TrafficRouting

__all__ = [
    "AnalysisHistory",
    "AnalysisRunArgument",
    "AnalysisTemplateRef",
    "AntiAffinity",
    "ArgumentValueFrom",
    "BackgroundAnalysis",
    "BlueGreenStrategy",
    "CanaryStep",
    "CanaryStrategy",
    "DryRun",
    "ExperimentAnalysis",
    "ExperimentStep",
    "ExperimentTemplate",
    "FieldRef",
    "HeaderRoutingMatch",
    "LabelSelector",
    "LabelSelectorRequirement",
    "ManagedRoute",
    "MeasurementRetention",
    "MetadataPatch",
    "ObjectMeta",
    "OwnerReference",
    "Pause",
    "PingPong",
    "PluginStep",
    "PreferredAntiAffinity",
    "ReplicaProgressThreshold",
    "RollbackWindow",
    "Rollout",
    "RolloutAnalysis",
    "RolloutSpec",
    "RolloutStatus",
    "RolloutStrategy",
    "RouteMatch",
    "SetCanaryScale",
    "SetHeaderRoute",
    "SetMirrorRoute",
    "StringMatch",
    "TemplateService",
    "TrafficRouting",
    "WorkloadRef",
]

API_VERSION: Final = "argoproj.io/v1alpha1"
KIND: Final = "Rollout"
DEFAULT_HISTORY_LIMIT: Final = 10
DEFAULT_PROGRESS_DEADLINE_SECONDS: Final = 600
DEFAULT_RUN_HISTORY_LIMIT: Final = 5


class WorkloadRef(ApiModel):
    """A Deployment, ReplicaSet or PodTemplate that lends its pod template (rollout 1.3)."""

    api_version: str = ""
    kind: str = ""
    name: str = ""
    scale_down: str = ""


class RollbackWindow(ApiModel):
    """Within how many revisions a rollback skips the steps; 0 is off."""

    revisions: Int32 = 0


class AnalysisHistory(ApiModel):
    """How many finished AnalysisRuns and Experiments are kept."""

    successful_run_history_limit: Int32 | None = None
    unsuccessful_run_history_limit: Int32 | None = None

    @property
    def successful_limit(self) -> int:
        """Successful runs kept, 5 unless given."""
        limit = self.successful_run_history_limit
        return DEFAULT_RUN_HISTORY_LIMIT if limit is None else limit

    @property
    def unsuccessful_limit(self) -> int:
        """Failed, erroneous and inconclusive runs kept, 5 unless given."""
        limit = self.unsuccessful_run_history_limit
        return DEFAULT_RUN_HISTORY_LIMIT if limit is None else limit


class RolloutSpec(ApiModel):
    """What the user wants (rollout 1.2). The pod template stays the mapping it was: it is hashed and written back."""

    replicas: Int32 | None = None
    selector: LabelSelector | None = None
    template: PodTemplate | None = None
    workload_ref: WorkloadRef | None = None
    min_ready_seconds: Int32 = 0
    revision_history_limit: Int32 | None = None
    progress_deadline_seconds: Int32 | None = None
    progress_deadline_abort: bool = False
    paused: bool = False
    restart_at: Time | None = None
    rollback_window: RollbackWindow | None = None
    analysis: AnalysisHistory | None = None
    strategy: RolloutStrategy = Field(default_factory=RolloutStrategy)

    @cached_property
    def hashes(self) -> Hashes:
        """The hashes taken so far; copies of the spec share them."""
        return Hashes()

    def pod_hash(self, collision_count: int | None) -> str:
        """The hash of the template as written; `collision_count` is the status's."""
        return self.hashes.pod(self.template or {}, collision_count)

    @property
    def desired_replicas(self) -> int:
        """Pods wanted (R of the reference): 1 unless given."""
        return 1 if self.replicas is None else self.replicas

    @property
    def history_limit(self) -> int:
        """Old ReplicaSets kept: 10 unless given."""
        return DEFAULT_HISTORY_LIMIT if self.revision_history_limit is None else self.revision_history_limit

    @property
    def progress_deadline(self) -> int:
        """Seconds without progress before an update counts as stuck: 600 unless given."""
        deadline = self.progress_deadline_seconds
        return DEFAULT_PROGRESS_DEADLINE_SECONDS if deadline is None else deadline

    @property
    def template_is_empty(self) -> bool:
        """Whether the pod template has neither labels nor annotations (rollout 1.3); the pod spec is not looked at."""
        metadata: dict[str, Any] = (self.template or {}).get("metadata") or {}
        return not metadata.get("labels") and not metadata.get("annotations")


class Rollout(ApiModel):
    """A workload whose new versions come in step by step: what is wanted, and how it stands."""

    api_version: str = API_VERSION
    kind: str = KIND
    metadata: ObjectMeta = Field(default_factory=ObjectMeta)
    spec: Annotated[RolloutSpec, REQUIRED] = Field(default_factory=RolloutSpec)
    status: RolloutStatus = Field(default_factory=RolloutStatus)

    @property
    def name(self) -> str:
        """Its name."""
        return self.metadata.name

    @property
    def namespace(self) -> str:
        """Its namespace."""
        return self.metadata.namespace
