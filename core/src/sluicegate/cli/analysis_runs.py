"""The AnalysisRun that `create analysisrun` makes of a template (operations.md 1.10). Pure functions of plain data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sluicegate.cli.failure import CommandError
from sluicegate.cli.views.fields import items, member, name_of, text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sluicegate.cli.views.fields import Object

_INSTANCE_ID: Final = "argo-rollouts.argoproj.io/controller-instance-id"


class RunRequest(NamedTuple):
    """What a run is to be called, which controller is to take it, and its arguments; what is empty is not asked for."""

    name: str
    generate_name: str
    instance_id: str
    arguments: Mapping[str, str]


def parse_arguments(given: Sequence[str]) -> dict[str, str]:
    """Arguments by name; raises CommandError for text without `=`."""
    pairs = [one.partition("=") for one in given]
    if not all(equals for _, equals, _ in pairs):
        raise CommandError("arguments must be in the form NAME=VALUE")
    return {name: value for name, _, value in pairs}


def run_of(template: Object, namespace: str, request: RunRequest) -> Object:
    """The run as sent; raises CommandError without a name, or for an argument that has no value."""
    metadata = {key: value for key, value in (member(template, "metadata") or {}).items() if key != "resourceVersion"}
    metadata |= {"namespace": namespace, **_names(template, request)}
    if request.instance_id:
        metadata["labels"] = {_INSTANCE_ID: request.instance_id}
    spec = dict(member(template, "spec") or {})
    if merged := _arguments(spec, request.arguments):
        spec["args"] = merged
    return {**template, "kind": "AnalysisRun", "metadata": metadata, "spec": spec}


def _names(template: Object, request: RunRequest) -> dict[str, str]:
    """Both names as sent, the one that is not used empty."""
    if request.name:
        return {"name": request.name, "generateName": ""}
    prefix = request.generate_name or (f"{name_of(template)}-" if name_of(template) else "")
    if not prefix:
        raise CommandError("name is invalid")
    return {"name": "", "generateName": prefix}


def _arguments(spec: Object, given: Mapping[str, str]) -> list[Any]:
    if member(spec, "args") is None:
        return [{"name": name, "value": value} for name, value in given.items()]
    return [_resolved(one, given) for one in items(spec, "args")]


def _resolved(declared: Object, given: Mapping[str, str]) -> Object:
    name = text(declared, "name")
    if name in given:
        return {**declared, "value": given[name]}
    if member(declared, "value") is None and member(declared, "valueFrom") is None:
        raise CommandError(f"args.{name} was not resolved")
    return declared
