"""The two strategies of a Rollout, canary and blue-green, with the defaults that stand for absent members.

Nothing is ever defaulted into the object: a property gives the effective value, the member itself stays absent.
"""

from typing import Annotated, Final

from sluicegate.api.analysis_refs import BackgroundAnalysis, RolloutAnalysis
from sluicegate.api.metadata import MetadataPatch
from sluicegate.api.model import REQUIRED, ApiModel, Int32, IntOrString, RequiredStr
from sluicegate.api.steps import CanaryStep
from sluicegate.api.traffic_routing import TrafficRouting

MAX_INT32: Final = 2**31 - 1
DEFAULT_FENCE: Final = "25%"
DEFAULT_SCALE_DOWN_DELAY_SECONDS: Final = 30


class PreferredAntiAffinity(ApiModel):
    """Prefer nodes without pods of the stable version; `weight` from 1 to 100."""

    weight: Annotated[Int32, REQUIRED] = 0


class RequiredAntiAffinity(ApiModel):
    """Never use nodes with pods of the stable version; it has no settings."""


class AntiAffinity(ApiModel):
    """Keep new pods off the nodes of the stable ones; exactly one of the two is to be given."""

    preferred_during_scheduling_ignored_during_execution: PreferredAntiAffinity | None = None
    required_during_scheduling_ignored_during_execution: RequiredAntiAffinity | None = None


class PingPong(ApiModel):
    """Two Services that swap the roles of stable and canary at each promotion."""

    ping_service: RequiredStr = ""
    pong_service: RequiredStr = ""


class ReplicaProgressThreshold(ApiModel):
    """How much of the canary must be there before a step counts as done: `Percent`, any other type counts pods."""

    type: RequiredStr = ""
    value: Annotated[Int32, REQUIRED] = 0


class CanaryStrategy(ApiModel):
    """Shift to the new version in steps (rollout 1.4)."""

    canary_service: str = ""
    stable_service: str = ""
    steps: list[CanaryStep] | None = None
    traffic_routing: TrafficRouting | None = None
    max_surge: IntOrString | None = None
    max_unavailable: IntOrString | None = None
    analysis: BackgroundAnalysis | None = None
    anti_affinity: AntiAffinity | None = None
    canary_metadata: MetadataPatch | None = None
    stable_metadata: MetadataPatch | None = None
    scale_down_delay_seconds: Int32 | None = None
    scale_down_delay_revision_limit: Int32 | None = None
    abort_scale_down_delay_seconds: Int32 | None = None
    dynamic_stable_scale: bool = False
    ping_pong: PingPong | None = None
    min_pods_per_replica_set: Int32 | None = None
    replica_progress_threshold: ReplicaProgressThreshold | None = None

    @property
    def surge(self) -> int | str:
        """`max_surge`, 25 % unless given."""
        return DEFAULT_FENCE if self.max_surge is None else self.max_surge

    @property
    def unavailable(self) -> int | str:
        """`max_unavailable`, 25 % unless given."""
        return DEFAULT_FENCE if self.max_unavailable is None else self.max_unavailable

    @property
    def max_weight(self) -> int:
        """The weight that stands for all traffic (M of the reference): 100 unless the routing says otherwise."""
        return 100 if self.traffic_routing is None else self.traffic_routing.max_weight

    @property
    def scale_down_delay(self) -> int:
        """Seconds that old pods outlive promotion: 30 with traffic routing, 0 without, unless given."""
        if self.scale_down_delay_seconds is not None:
            return self.scale_down_delay_seconds
        return DEFAULT_SCALE_DOWN_DELAY_SECONDS if self.traffic_routing else 0

    @property
    def scale_down_revision_limit(self) -> int:
        """How many old revisions may wait out their delay: no limit unless given."""
        limit = self.scale_down_delay_revision_limit
        return MAX_INT32 if limit is None else limit


class BlueGreenStrategy(ApiModel):
    """Run the new version beside the old one and switch the Service at once (rollout 1.8)."""

    active_service: RequiredStr = ""
    preview_service: str = ""
    preview_replica_count: Int32 | None = None
    auto_promotion_enabled: bool | None = None
    auto_promotion_seconds: Int32 = 0
    max_unavailable: IntOrString | None = None
    scale_down_delay_seconds: Int32 | None = None
    scale_down_delay_revision_limit: Int32 | None = None
    abort_scale_down_delay_seconds: Int32 | None = None
    pre_promotion_analysis: RolloutAnalysis | None = None
    post_promotion_analysis: RolloutAnalysis | None = None
    preview_metadata: MetadataPatch | None = None
    active_metadata: MetadataPatch | None = None
    anti_affinity: AntiAffinity | None = None

    @property
    def promotes_itself(self) -> bool:
        """Whether no human is asked before the switch: true unless `auto_promotion_enabled` is false."""
        return self.auto_promotion_enabled is not False

    @property
    def unavailable(self) -> int | str:
        """`max_unavailable`, 25 % unless given."""
        return DEFAULT_FENCE if self.max_unavailable is None else self.max_unavailable

    @property
    def scale_down_delay(self) -> int:
        """Seconds that old pods outlive the switch: 30 unless given."""
        delay = self.scale_down_delay_seconds
        return DEFAULT_SCALE_DOWN_DELAY_SECONDS if delay is None else delay

    @property
    def scale_down_revision_limit(self) -> int:
        """How many old revisions may wait out their delay: no limit unless given."""
        limit = self.scale_down_delay_revision_limit
        return MAX_INT32 if limit is None else limit


class RolloutStrategy(ApiModel):
    """How a new version comes in; exactly one of the two is to be given."""

    canary: CanaryStrategy | None = None
    blue_green: BlueGreenStrategy | None = None
