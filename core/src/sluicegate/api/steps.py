"""The steps of a canary: one class a kind, and `CanaryStep`, which holds them."""

from typing import Annotated

from pydantic import Field

from sluicegate.api.analysis_refs import AnalysisRunArgument, DryRun, RolloutAnalysis
from sluicegate.api.durations import pause_seconds
from sluicegate.api.metadata import LabelSelector, MetadataPatch
from sluicegate.api.model import REQUIRED, ApiModel, FreeObject, Int32, IntOrString, RequiredStr


class Pause(ApiModel):
    """Wait for `duration` (seconds, or a Go duration as text), or without one until a human resumes."""

    duration: IntOrString | None = None

    @property
    def seconds(self) -> int | None:
        """Whole seconds to wait, None for no duration, negative when the text is no duration (rollout 1.5)."""
        return None if self.duration is None else pause_seconds(self.duration)


class SetCanaryScale(ApiModel):
    """Size the canary by itself: `match_traffic_weight` wins over `replicas`, then `weight` (percent, any size)."""

    weight: Int32 | None = None
    replicas: Int32 | None = None
    match_traffic_weight: bool = False


class StringMatch(ApiModel):
    """One way to compare a text; exactly one of the three is to be non-empty."""

    exact: str = ""
    prefix: str = ""
    regex: str = ""


class HeaderRoutingMatch(ApiModel):
    """A request header and what its value must be."""

    header_name: RequiredStr = ""
    header_value: Annotated[StringMatch | None, REQUIRED] = None


class SetHeaderRoute(ApiModel):
    """Send requests with these headers to the canary by the managed route of that name; an empty `match` removes it."""

    name: str = ""
    match: list[HeaderRoutingMatch] = Field(default_factory=list)


class RouteMatch(ApiModel):
    """Which requests a mirror route takes: all that is given must fit."""

    method: StringMatch | None = None
    path: StringMatch | None = None
    headers: dict[str, StringMatch] = Field(default_factory=dict)


class SetMirrorRoute(ApiModel):
    """Copy matching requests to the canary, `percentage` of them (absent: all); an empty `match` removes the route."""

    name: RequiredStr = ""
    match: list[RouteMatch] = Field(default_factory=list)
    percentage: Int32 | None = None


class TemplateService(ApiModel):
    """Asks for a Service of an experiment's template; without a name it has the ReplicaSet's."""

    name: str = ""


class ExperimentTemplate(ApiModel):
    """One version that an experiment step runs; `spec_ref` is `canary` or `stable`."""

    name: RequiredStr = ""
    spec_ref: RequiredStr = ""
    replicas: Int32 | None = None
    metadata: MetadataPatch | None = None
    selector: LabelSelector | None = None
    weight: Int32 | None = None
    service: TemplateService | None = None


class ExperimentAnalysis(ApiModel):
    """One analysis of an experiment step."""

    name: RequiredStr = ""
    template_name: RequiredStr = ""
    cluster_scope: bool = False
    args: list[AnalysisRunArgument] = Field(default_factory=list)
    required_for_completion: bool = False


class ExperimentStep(ApiModel):
    """Run versions side by side for `duration` (a Go duration) or until the analyses are done."""

    templates: Annotated[list[ExperimentTemplate], REQUIRED] = Field(default_factory=list)
    duration: str = ""
    analyses: list[ExperimentAnalysis] = Field(default_factory=list)
    dry_run: list[DryRun] = Field(default_factory=list)
    analysis_run_metadata: MetadataPatch | None = None
    scale_down_delay_seconds: Int32 | None = None


class PluginStep(ApiModel):
    """A step that a plugin carries out, with the plugin's own config."""

    name: RequiredStr = ""
    config: FreeObject | None = None


class CanaryStep(ApiModel):
    """One step; it should hold exactly one kind. A kind counts when its key is present: `pause: {}`, `setWeight: 0`."""

    set_weight: Int32 | None = None
    pause: Pause | None = None
    experiment: ExperimentStep | None = None
    analysis: RolloutAnalysis | None = None
    set_canary_scale: SetCanaryScale | None = None
    set_header_route: SetHeaderRoute | None = None
    set_mirror_route: SetMirrorRoute | None = None
    plugin: PluginStep | None = None
