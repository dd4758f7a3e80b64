"""AnalysisTemplate, ClusterAnalysisTemplate, AnalysisRun and Experiment, as far as their CRDs need them.

The members of a metric's `provider` belong to the providers and are stored as they come.
"""

from typing import Annotated

from pydantic import Field

from sluicegate.api.analysis_refs import AnalysisTemplateRef, DryRun, FieldRef, MeasurementRetention
from sluicegate.api.metadata import LabelSelector, MetadataPatch, ObjectMeta
from sluicegate.api.model import (
    REQUIRED,
    ApiModel,
    FreeObject,
    Int32,
    IntOrString,
    PodTemplate,
    RequiredStr,
    StringMap,
    Time,
)
from sluicegate.api.status import Condition
from sluicegate.api.steps import TemplateService


class Metric(ApiModel):
    """One thing to measure: how, how often, and what counts as good or bad (analysis 1.3)."""

    name: RequiredStr = ""
    interval: str = ""
    initial_delay: str = ""
    count: IntOrString | None = None
    success_condition: str = ""
    failure_condition: str = ""
    failure_limit: IntOrString | None = None
    inconclusive_limit: IntOrString | None = None
    consecutive_error_limit: IntOrString | None = None
    provider: Annotated[FreeObject, REQUIRED] = Field(default_factory=dict)
    consecutive_success_limit: IntOrString | None = None


class SecretKeyRef(ApiModel):
    """A key of a Secret in the run's namespace."""

    name: RequiredStr = ""
    key: RequiredStr = ""


class ArgumentSource(ApiModel):
    """Where an argument of an analysis takes its value from."""

    secret_key_ref: SecretKeyRef | None = None
    field_ref: FieldRef | None = None


class Argument(ApiModel):
    """An argument of an analysis; an explicit empty `value` is one (analysis 1.4)."""

    name: RequiredStr = ""
    value: str | None = None
    value_from: ArgumentSource | None = None


class AnalysisTemplateSpec(ApiModel):
    """What both kinds of templates hold (analysis 1.1)."""

    metrics: list[Metric] = Field(default_factory=list)
    args: list[Argument] = Field(default_factory=list)
    dry_run: list[DryRun] = Field(default_factory=list)
    measurement_retention: list[MeasurementRetention] = Field(default_factory=list)
    templates: list[AnalysisTemplateRef] = Field(default_factory=list)


class AnalysisTemplate(ApiModel):
    """Metrics to measure, for the AnalysisRuns that are made of it; of a namespace, or of the whole cluster."""

    metadata: ObjectMeta = Field(default_factory=ObjectMeta)
    spec: Annotated[AnalysisTemplateSpec, REQUIRED] = Field(default_factory=AnalysisTemplateSpec)


class TtlStrategy(ApiModel):
    """How long a finished run stays, in seconds."""

    seconds_after_completion: Int32 | None = None
    seconds_after_failure: Int32 | None = None
    seconds_after_success: Int32 | None = None


class AnalysisRunSpec(ApiModel):
    """What a run is to measure (analysis 1.2)."""

    metrics: Annotated[list[Metric], REQUIRED] = Field(default_factory=list)
    args: list[Argument] = Field(default_factory=list)
    terminate: bool = False
    dry_run: list[DryRun] = Field(default_factory=list)
    measurement_retention: list[MeasurementRetention] = Field(default_factory=list)
    ttl_strategy: TtlStrategy | None = None


class Measurement(ApiModel):
    """One measurement of a metric."""

    phase: str = ""
    message: str = ""
    started_at: Time | None = None
    finished_at: Time | None = None
    value: str = ""
    metadata: StringMap = Field(default_factory=dict)
    resume_at: Time | None = None


class MetricResult(ApiModel):
    """What became of a metric so far."""

    name: str = ""
    phase: str = ""
    measurements: list[Measurement] = Field(default_factory=list)
    message: str = ""
    count: Int32 = 0
    successful: Int32 = 0
    failed: Int32 = 0
    inconclusive: Int32 = 0
    error: Int32 = 0
    consecutive_error: Int32 = 0
    consecutive_success: Int32 = 0
    dry_run: bool = False
    metadata: StringMap = Field(default_factory=dict)


class RunSummary(ApiModel):
    """Metrics counted by outcome."""

    count: Int32 = 0
    successful: Int32 = 0
    failed: Int32 = 0
    inconclusive: Int32 = 0
    error: Int32 = 0


class AnalysisRunStatus(ApiModel):
    """How a run stands."""

    phase: str = ""
    message: str = ""
    metric_results: list[MetricResult] = Field(default_factory=list)
    started_at: Time | None = None
    completed_at: Time | None = None
    run_summary: RunSummary | None = None
    dry_run_summary: RunSummary | None = None


class AnalysisRun(ApiModel):
    """Measurements of metrics, taken once or again and again, and what came of them."""

    metadata: ObjectMeta = Field(default_factory=ObjectMeta)
    spec: Annotated[AnalysisRunSpec, REQUIRED] = Field(default_factory=AnalysisRunSpec)
    status: AnalysisRunStatus = Field(default_factory=AnalysisRunStatus)


class ExperimentTemplateSpec(ApiModel):
    """One version that an Experiment runs."""

    name: RequiredStr = ""
    replicas: Int32 | None = None
    min_ready_seconds: Int32 = 0
    selector: Annotated[LabelSelector | None, REQUIRED] = None
    template: Annotated[PodTemplate, REQUIRED] = Field(default_factory=dict)
    service: TemplateService | None = None


class ExperimentAnalysisRef(ApiModel):
    """One analysis of an Experiment."""

    name: RequiredStr = ""
    template_name: RequiredStr = ""
    cluster_scope: bool = False
    args: list[Argument] = Field(default_factory=list)
    required_for_completion: bool = False


class ExperimentSpec(ApiModel):
    """Which versions run side by side, for how long, and what is measured (analysis 1.5)."""

    templates: Annotated[list[ExperimentTemplateSpec], REQUIRED] = Field(default_factory=list)
    duration: str = ""
    progress_deadline_seconds: Int32 | None = None
    terminate: bool = False
    analyses: list[ExperimentAnalysisRef] = Field(default_factory=list)
    scale_down_delay_seconds: Int32 | None = None
    dry_run: list[DryRun] = Field(default_factory=list)
    measurement_retention: list[MeasurementRetention] = Field(default_factory=list)
    analysis_run_metadata: MetadataPatch | None = None


class ExperimentTemplateStatus(ApiModel):
    """How one version of an Experiment stands."""

    name: str = ""
    replicas: Int32 = 0
    updated_replicas: Int32 = 0
    ready_replicas: Int32 = 0
    available_replicas: Int32 = 0
    collision_count: Int32 | None = None
    status: str = ""
    message: str = ""
    last_transition_time: Time | None = None
    service_name: str = ""
    pod_template_hash: str = ""


class ExperimentRunStatus(ApiModel):
    """A run of an Experiment."""

    name: str = ""
    analysis_run: str = ""
    phase: str = ""
    message: str = ""


class ExperimentStatus(ApiModel):
    """How an Experiment stands."""

    phase: str = ""
    message: str = ""
    available_at: Time | None = None
    template_statuses: list[ExperimentTemplateStatus] = Field(default_factory=list)
    conditions: list[Condition] = Field(default_factory=list)
    analysis_runs: list[ExperimentRunStatus] = Field(default_factory=list)


class Experiment(ApiModel):
    """Versions that run side by side for a while, and the analyses that compare them."""

    metadata: ObjectMeta = Field(default_factory=ObjectMeta)
    spec: Annotated[ExperimentSpec, REQUIRED] = Field(default_factory=ExperimentSpec)
    status: ExperimentStatus = Field(default_factory=ExperimentStatus)
