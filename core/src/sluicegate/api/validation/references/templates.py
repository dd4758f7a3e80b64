"""The analysis templates that a stanza uses: those it names, each followed by those that it names in turn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pydantic import ValidationError

from sluicegate.api.analysis import AnalysisTemplateSpec
from sluicegate.api.resources import ANALYSIS_TEMPLATES, CLUSTER_ANALYSIS_TEMPLATES
from sluicegate.api.validation.field_error import FieldError, invalid
from sluicegate.api.validation.references.reference import Known, Reference, items, member

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sluicegate.api.validation.references.uses import AnalysisUse

NESTED_PATH: Final = "spec.templates"


class Template(NamedTuple):
    """An analysis template that was found."""

    reference: Reference
    spec: AnalysisTemplateSpec


class _Visit(NamedTuple):
    """A reference met on the way through the templates; `closes_circle`: it leads back to one that leads here."""

    reference: Reference
    path: str
    closes_circle: bool


def template_references(use: AnalysisUse, namespace: str, known: Known) -> Iterator[Reference]:
    """The templates of a stanza as far as `known` leads, in the order of their lookup, each as often as it is named."""
    return (visit.reference for visit in _visits(use, namespace, known))


def template_failures(use: AnalysisUse, namespace: str, known: Known) -> Iterator[FieldError]:
    """The templates of a stanza that do not exist, cannot be read, or use themselves."""
    for visit in _visits(use, namespace, known):
        document = known.get(visit.reference)
        kind, name = visit.reference.resource.kind, visit.reference.name
        if document is None:
            yield invalid(visit.path, name, f"{kind} '{name}' not found")
        elif visit.closes_circle:
            yield invalid(visit.path, name, f"{kind} '{name}' must not use itself through its own templates")
        else:
            yield from _misfits(visit, document)


def templates_of(use: AnalysisUse, namespace: str, known: Known) -> list[Template]:
    """The templates of a stanza, each once: the namespaced ones, then the cluster's, in the order of their lookup."""
    references = dict.fromkeys(template_references(use, namespace, known))
    found = [Template(reference, _spec(known[reference] or {})) for reference in references]
    return sorted(found, key=lambda template: not template.reference.resource.namespaced)


def _visits(use: AnalysisUse, namespace: str, known: Known) -> Iterator[_Visit]:
    named = [(ref.template_name, ref.cluster_scope) for ref in use.analysis.templates]
    return _descend(named, use.path, namespace, known, (), set())


def _descend(
    named: Sequence[tuple[str, bool]],
    path: str,
    namespace: str,
    known: Known,
    above: tuple[Reference, ...],
    seen: set[Reference],
) -> Iterator[_Visit]:
    for name, is_cluster_wide in named:
        reference = _reference(name, is_cluster_wide, namespace)
        yield _Visit(reference, path, reference in above)
        if reference not in seen:
            seen.add(reference)
            nested = _nested(known.get(reference))
            yield from _descend(nested, NESTED_PATH, namespace, known, (*above, reference), seen)


def _reference(name: str, is_cluster_wide: bool, namespace: str) -> Reference:
    if is_cluster_wide:
        return Reference(CLUSTER_ANALYSIS_TEMPLATES, "", name)
    return Reference(ANALYSIS_TEMPLATES, namespace, name)


def _nested(document: Mapping[str, Any] | None) -> list[tuple[str, bool]]:
    named = items(document, "spec", "templates")
    return [(str(member(ref, "templateName") or ""), member(ref, "clusterScope") is True) for ref in named]


def _misfits(visit: _Visit, document: Mapping[str, Any]) -> Iterator[FieldError]:
    """What the schema lets through and our types cannot hold: whole numbers beyond 32 bits."""
    try:
        _spec(document)
    except ValidationError as error:
        name, kind = visit.reference.name, visit.reference.resource.kind
        for item in error.errors(include_url=False, include_context=False):
            where = ".".join(map(str, ("spec", *item["loc"])))
            yield invalid(visit.path, name, f"{kind} '{name}' cannot be read: {where}: {item['msg']}")


def _spec(document: Mapping[str, Any]) -> AnalysisTemplateSpec:
    return AnalysisTemplateSpec.model_validate(document.get("spec") or {})
