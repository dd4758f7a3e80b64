"""What analysis templates must be like so that a Rollout can use them (rollout 1.7, row B2; analysis 1.8)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sluicegate.api.analysis import Argument, Metric
from sluicegate.api.durations import parse_integer
from sluicegate.api.validation.field_error import FieldError, invalid
from sluicegate.api.validation.references.composition import compose
from sluicegate.api.validation.references.placeholders import fill_in
from sluicegate.api.validation.steps import is_readable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sluicegate.api.analysis_refs import AnalysisRunArgument, RolloutAnalysis
    from sluicegate.api.rollout import Rollout
    from sluicegate.api.validation.references.templates import Template
    from sluicegate.api.validation.references.uses import AnalysisUse

_DUMMY: Final = "dummy-value"


def analysis_errors(rollout: Rollout, use: AnalysisUse, templates: Sequence[Template]) -> Iterator[FieldError]:
    """What is wrong with the templates of one stanza, taken together and one by one."""
    try:
        _compose_all(rollout, use, templates)
    except ValueError as error:
        names = " ".join(template.reference.name for template in templates)
        yield invalid(use.path, f"templateNames: [{names}]", str(error))
        return
    for template in templates:
        details = _unsupplied(template, use.analysis) if use.is_background else _faults(template)
        yield from (invalid(use.path, template.reference.name, detail) for detail in details)


def _compose_all(rollout: Rollout, use: AnalysisUse, templates: Sequence[Template]) -> None:
    """Make the run without rules of the Rollout, then, as the incumbent does, with those of every step."""
    specs, supplied = [template.spec for template in templates], _supplied(use.analysis.args)
    compose(specs, supplied)
    canary = rollout.spec.strategy.canary
    for step in (canary.steps if canary else None) or []:
        if step.analysis:
            compose(specs, supplied, step.analysis.dry_run, step.analysis.measurement_retention)


def _supplied(args: Sequence[AnalysisRunArgument]) -> list[Argument]:
    """The arguments of a stanza, whose values nothing here depends on; one that cannot be read takes all with it."""
    if not all(_is_readable(argument) for argument in args):
        return []
    return [Argument(name=argument.name, value=argument.value) for argument in args]


def _is_readable(argument: AnalysisRunArgument) -> bool:
    source = argument.value_from
    if source is None or source.pod_template_hash_value is not None or source.field_ref is None:
        return True
    return is_readable(source.field_ref.field_path)


def _faults(template: Template) -> Iterator[str]:
    name = template.reference.name
    try:
        metrics = _filled_in(template)
    except ValueError as error:
        yield f"AnalysisTemplate {name}: {error}"
        return
    for metric in metrics:
        if _is_endless(metric):
            count = "<nil>" if metric.count is None else metric.count
            yield (
                f"AnalysisTemplate {name} has metric {metric.name} which runs indefinitely. "
                f"Invalid value for count: {count}"
            )


def _filled_in(template: Template) -> list[Metric]:
    """The metrics of a template with just what it says of its arguments, a dummy for what it leaves open."""
    args = []
    for argument in template.spec.args:
        if argument.value is not None and argument.value_from is not None:
            raise ValueError(f"arg '{argument.name}' has both Value and ValueFrom fields")
        args.append(Argument(name=argument.name, value=_DUMMY if argument.value is None else argument.value))
    return [fill_in(metric, args) for metric in template.spec.metrics]


def _is_endless(metric: Metric) -> bool:
    count = parse_integer(metric.count) if isinstance(metric.count, str) else metric.count
    return not count and bool(metric.interval)


def _unsupplied(template: Template, background: RolloutAnalysis) -> Iterator[str]:
    given = {argument.name for argument in background.args} if "args" in background.model_fields_set else None
    for argument in template.spec.args:
        if argument.value is None and argument.value_from is None and argument.name not in (given or ()):
            yield "missing analysis arguments in rollout spec" if given is None else argument.name
