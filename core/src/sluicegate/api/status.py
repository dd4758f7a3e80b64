"""The status of a Rollout: every field of rollout.md 2.1, with absent, null and zero read alike."""

from typing import Any, Final

from pydantic import Field

from sluicegate.api.merge import merge_patch
from sluicegate.api.model import ApiModel, Int32, Int64, Time

# Members that the API shows even at zero: 0 is the first step, a weight of 0 is a fact, and so is "not verified".
_SHOWN_AT_ZERO: Final = frozenset({"currentStepIndex", "index", "status", "verified", "weight"})


class Condition(ApiModel):
    """One condition; `status` is `True`, `False` or `Unknown`."""

    type: str = ""
    status: str = ""
    reason: str = ""
    message: str = ""
    last_update_time: Time | None = None
    last_transition_time: Time | None = None


class PauseCondition(ApiModel):
    """Why the controller paused, and since when."""

    reason: str = ""
    start_time: Time | None = None


class RolloutDuration(ApiModel):
    """The time line of one update attempt; `finished_at` marks its end."""

    rollout_started_at: Time | None = None
    manual_pause_started_at: Time | None = None
    total_manual_pause_duration_seconds: Int64 = 0
    finished_at: Time | None = None
    completion_status: str = ""


class RunStatus(ApiModel):
    """A current AnalysisRun: name, phase and message."""

    name: str = ""
    status: str = ""
    message: str = ""


class WeightDestination(ApiModel):
    """A share of the traffic and who gets it."""

    weight: Int32 = 0
    service_name: str = ""
    pod_template_hash: str = ""


class TrafficWeights(ApiModel):
    """The weights last given to the routers; `verified` is absent when no router can tell."""

    canary: WeightDestination = Field(default_factory=WeightDestination)
    stable: WeightDestination = Field(default_factory=WeightDestination)
    additional: list[WeightDestination] = Field(default_factory=list)
    verified: bool | None = None


class StepPluginStatus(ApiModel):
    """What a step plugin said last; unique by index and operation (rollout 6.9)."""

    index: Int32 = 0
    name: str = ""
    operation: str = ""
    phase: str = ""
    message: str = ""
    started_at: Time | None = None
    updated_at: Time | None = None
    finished_at: Time | None = None
    backoff: str = ""
    executions: Int32 = 0
    disabled: bool = False
    status: Any = None


class BlueGreenStatus(ApiModel):
    """Blue-green's own part of the status."""

    active_selector: str = ""
    preview_selector: str = ""
    scale_up_preview_check_point: bool = False
    pre_promotion_analysis_run_status: RunStatus | None = None
    post_promotion_analysis_run_status: RunStatus | None = None


class CanaryStatus(ApiModel):
    """The canary's own part of the status."""

    current_step_analysis_run_status: RunStatus | None = None
    current_background_analysis_run_status: RunStatus | None = None
    current_experiment: str = ""
    weights: TrafficWeights | None = None
    stable_ping_pong: str = ""
    step_plugin_statuses: list[StepPluginStatus] = Field(default_factory=list)


class AwsResourceRef(ApiModel):
    """A load balancer or target group."""

    name: str = ""
    arn: str = ""
    full_name: str = ""


class AlbStatus(ApiModel):
    """What the ALB router found behind one Ingress."""

    ingress: str = ""
    load_balancer: AwsResourceRef = Field(default_factory=AwsResourceRef)
    canary_target_group: AwsResourceRef = Field(default_factory=AwsResourceRef)
    stable_target_group: AwsResourceRef = Field(default_factory=AwsResourceRef)


class RolloutStatus(ApiModel):
    """What the controller found and did. `observed_generation` is text; no `current_step_index` means no steps."""

    abort: bool = False
    aborted_at: Time | None = None
    pause_conditions: list[PauseCondition] = Field(default_factory=list)
    controller_pause: bool = False
    current_pod_hash: str = ""
    current_step_hash: str = ""
    current_step_index: Int32 | None = None
    replicas: Int32 = 0
    updated_replicas: Int32 = 0
    ready_replicas: Int32 = 0
    available_replicas: Int32 = 0
    hpa_replicas: Int32 = Field(default=0, alias="HPAReplicas")
    selector: str = ""
    stable_rs: str = Field(default="", alias="stableRS")
    collision_count: Int32 | None = None
    observed_generation: str = ""
    workload_observed_generation: str = ""
    conditions: list[Condition] = Field(default_factory=list)
    phase: str = ""
    message: str = ""
    promote_full: bool = False
    restarted_at: Time | None = None
    duration: RolloutDuration | None = None
    blue_green: BlueGreenStatus = Field(default_factory=BlueGreenStatus)
    canary: CanaryStatus = Field(default_factory=CanaryStatus)
    alb: AlbStatus | None = None
    albs: list[AlbStatus] = Field(default_factory=list)

    @property
    def is_promoted(self) -> bool:
        """Whether the current version is the stable one."""
        return bool(self.stable_rs) and self.stable_rs == self.current_pod_hash

    def condition(self, type: str) -> Condition | None:
        """The condition of that type, if there is one."""
        return next((condition for condition in self.conditions if condition.type == type), None)

    def to_wire(self, members: set[str] | None = None) -> dict[str, Any]:
        """The status as Argo writes it: without false, 0, "" and empty lists, but with a step index or weight of 0.

        With `members` only these, by the names of their attributes.
        """
        return _without_zeros(self.model_dump(mode="json", by_alias=True, exclude_none=True, include=members))

    def patch_to(self, new: "RolloutStatus") -> dict[str, Any]:
        """The merge patch to another status; absent, null and zero are the same and make no difference."""
        if self.model_extra != new.model_extra:
            return merge_patch(self.to_wire(), new.to_wire())
        # Most passes change nothing, and copies share what did not change.
        changed = {name for name in RolloutStatus.model_fields if getattr(self, name) != getattr(new, name)}
        return merge_patch(self.to_wire(changed), new.to_wire(changed)) if changed else {}


def _without_zeros(members: dict[str, Any]) -> dict[str, Any]:
    # What a step plugin keeps in its own status is its own: a zero there means something.
    of_plugin = "operation" in members
    pruned = {key: value if of_plugin and key == "status" else _prune(value) for key, value in members.items()}
    return {key: value for key, value in pruned.items() if value or (value is not None and key in _SHOWN_AT_ZERO)}


def _prune(value: Any) -> Any:
    if isinstance(value, dict):
        return _without_zeros(value)
    if isinstance(value, list):
        return [_prune(item) for item in value]
    return value
