"""Analysis templates made one: what they measure together, with the arguments of their user (analysis 2.3, 2.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sluicegate.api.analysis import AnalysisRunSpec, AnalysisTemplateSpec, Argument

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sluicegate.api.analysis_refs import DryRun, MeasurementRetention


def compose(
    templates: Sequence[AnalysisTemplateSpec],
    supplied: Sequence[Argument],
    dry_run: Sequence[DryRun] = (),
    retention: Sequence[MeasurementRetention] = (),
) -> AnalysisRunSpec:
    """The run that these templates make, namespaced ones first, with what is supplied to them.

    Raises ValueError, with the incumbent's text, where they do not go together.
    """
    metrics = [metric for template in templates for metric in template.metrics]
    own_dry_run = [rule for template in templates for rule in template.dry_run]
    own_retention = [rule for template in templates for rule in template.measurement_retention]
    _require_unique("metrics", (metric.name for metric in metrics))
    _require_unique_rules(own_dry_run, own_retention)
    args = _merge(_flatten(templates), supplied)
    all_dry_run, all_retention = [*dry_run, *own_dry_run], [*retention, *own_retention]
    _require_unique_rules(all_dry_run, all_retention)
    return AnalysisRunSpec(metrics=metrics, args=args, dry_run=all_dry_run, measurement_retention=all_retention)


def _require_unique_rules(dry_run: Sequence[DryRun], retention: Sequence[MeasurementRetention]) -> None:
    _require_unique("Dry-Run metric rules", (rule.metric_name for rule in dry_run))
    _require_unique("Measurement Retention metric rules", (rule.metric_name for rule in retention))


def _require_unique(what: str, names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise ValueError(f"two {what} have the same name '{name}'")
        seen.add(name)


def _flatten(templates: Sequence[AnalysisTemplateSpec]) -> list[Argument]:
    """The arguments by name; one that has a value stays, any other gives way to the next of its name."""
    flat: dict[str, Argument] = {}
    for argument in (argument for template in templates for argument in template.args):
        earlier = flat.get(argument.name)
        if earlier is None or earlier.value is None:
            flat[argument.name] = argument
        elif argument.value is not None and argument.value != earlier.value:
            raise ValueError(
                f"Argument `{argument.name}` specified multiple times with different values: "
                f"'{earlier.value}', '{argument.value}'"
            )
    return list(flat.values())


def _merge(declared: Sequence[Argument], supplied: Sequence[Argument]) -> list[Argument]:
    """The declared arguments with what is supplied for them; what nobody declares is dropped."""
    merged = {argument.name: argument for argument in declared}
    for argument in supplied:
        if argument.name in merged:
            merged[argument.name] = merged[argument.name].model_copy(update=_change(argument))
    for argument in merged.values():
        if argument.value is None and argument.value_from is None:
            raise ValueError(f"args.{argument.name} was not resolved")
    return list(merged.values())


def _change(supplied: Argument) -> dict[str, Any]:
    """What an argument overwrites: its value, or else where it is from; the other one of the two stays as declared."""
    if supplied.value is not None:
        return {"value": supplied.value}
    return {"value_from": supplied.value_from} if supplied.value_from is not None else {}
