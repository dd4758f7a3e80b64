"""The stanzas of a Rollout that refer to analysis templates: background, steps, promotion and experiments."""

from typing import Annotated

from pydantic import Field

from sluicegate.api.metadata import MetadataPatch
from sluicegate.api.model import REQUIRED, ApiModel, Int32, RequiredStr


class AnalysisTemplateRef(ApiModel):
    """A template by name; `cluster_scope` looks among the ClusterAnalysisTemplates."""

    template_name: str = ""
    cluster_scope: bool = False


class FieldRef(ApiModel):
    """A path into the Rollout, `metadata.labels['x']` or any other."""

    field_path: RequiredStr = ""


class ArgumentValueFrom(ApiModel):
    """Where a Rollout's argument takes its value from; `pod_template_hash_value` is `Stable` or `Latest`."""

    pod_template_hash_value: str | None = None
    field_ref: FieldRef | None = None


class AnalysisRunArgument(ApiModel):
    """One argument that a Rollout hands to an analysis."""

    name: RequiredStr = ""
    value: str = ""
    value_from: ArgumentValueFrom | None = None


class DryRun(ApiModel):
    """Metrics, by a regular expression of their names, whose results do not count."""

    metric_name: RequiredStr = ""


class MeasurementRetention(ApiModel):
    """How many measurements of the metrics of that name are kept."""

    metric_name: RequiredStr = ""
    limit: Annotated[Int32, REQUIRED] = 0


class RolloutAnalysis(ApiModel):
    """An analysis as a step, in the background, or before or after promotion. No templates means no run."""

    templates: list[AnalysisTemplateRef] = Field(default_factory=list)
    args: list[AnalysisRunArgument] = Field(default_factory=list)
    dry_run: list[DryRun] = Field(default_factory=list)
    measurement_retention: list[MeasurementRetention] = Field(default_factory=list)
    analysis_run_metadata: MetadataPatch | None = None


class BackgroundAnalysis(RolloutAnalysis):
    """The analysis that runs beside the canary, from `starting_step` on (absent: from the beginning)."""

    starting_step: Int32 | None = None
