"""Label selectors: what they match, and how they are written as text (for list requests and `status.selector`)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


_INTEGER: Final = re.compile(r"-?[0-9]{1,19}")


class Requirement(Protocol):
    """One expression of a selector, of a manifest's model or of a slim struct."""

    @property
    def key(self) -> str: ...
    @property
    def operator(self) -> str: ...
    @property
    def values(self) -> Sequence[str]: ...


class Selector(Protocol):
    """A label selector, of a manifest's model or of a slim struct."""

    @property
    def match_labels(self) -> Mapping[str, str]: ...
    @property
    def match_expressions(self) -> Sequence[Requirement]: ...


def matches(selector: Selector | None, labels: Mapping[str, str]) -> bool:
    """Whether the selector selects these labels: an empty selector selects everything, none at all nothing."""
    if selector is None:
        return False
    exact = all(labels.get(key) == value for key, value in selector.match_labels.items())
    return exact and all(_meets(requirement, labels) for requirement in selector.match_expressions)


def matches_labels(wanted: Mapping[str, str], labels: Mapping[str, str]) -> bool:
    """Whether all the wanted labels are there, as a Service selects pods; wanting none selects nothing."""
    return bool(wanted) and all(labels.get(key) == value for key, value in wanted.items())


def anchor(selector: Selector) -> tuple[str, str] | None:
    """A label that whatever the expressions select must have; None where they ask for no particular one."""
    exact = (term for term in selector.match_expressions if term.operator == "In" and len(term.values) == 1)
    return next(((term.key, term.values[0]) for term in exact), None)


def _meets(requirement: Requirement, labels: Mapping[str, str]) -> bool:
    if requirement.operator in ("Gt", "Lt"):
        return _is_beyond(requirement, labels.get(requirement.key, ""))
    present = requirement.key in labels
    listed = present and labels[requirement.key] in requirement.values
    return {"In": listed, "NotIn": not listed, "Exists": present, "DoesNotExist": not present}[requirement.operator]


def _is_beyond(requirement: Requirement, label: str) -> bool:
    """Whether a label is a number above (Gt) or below (Lt) the wanted one; only selectors in URLs ask that."""
    if not _INTEGER.fullmatch(label):
        return False
    number, bound = int(label), int(requirement.values[0])
    return number > bound if requirement.operator == "Gt" else number < bound


def format_selector(selector: Selector | None) -> str:
    """The selector as text, requirements sorted by key: `app=web,tier in (a,b),!old`; `<none>` for an empty one."""
    if selector is None:
        return "<none>"
    parts = [(key, f"{key}={value}") for key, value in selector.match_labels.items()]
    parts += [(requirement.key, _format_requirement(requirement)) for requirement in selector.match_expressions]
    return ",".join(text for _, text in sorted(parts, key=lambda part: part[0])) or "<none>"


def _format_requirement(requirement: Requirement) -> str:
    listed = ",".join(sorted(requirement.values))
    return {
        "In": f"{requirement.key} in ({listed})",
        "NotIn": f"{requirement.key} notin ({listed})",
        "Exists": requirement.key,
        "DoesNotExist": f"!{requirement.key}",
    }[requirement.operator]
