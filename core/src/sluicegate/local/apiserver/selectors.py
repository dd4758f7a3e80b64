"""Label and field selectors as they stand in a URL: `app in (a,b),!canary`, `status.phase=Running`."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from sluicegate.api.foreign import LabelSelector
from sluicegate.api.selector_text import parse_selector
from sluicegate.api.selectors import format_selector
from sluicegate.api.selectors import matches as selects
from sluicegate.local import failures
from sluicegate.local.apiserver import paths

if TYPE_CHECKING:
    from sluicegate.local.objects import Object

Predicate = Callable[["Object"], bool]

_FIELD = re.compile(r"(?P<path>[^=!]+)(?P<operator>==|=|!=)(?P<value>.*)$", re.DOTALL)
_UNESCAPED_COMMA = re.compile(r"(?<!\\),")
_FIELDS_OF_CUSTOM_RESOURCES = ("metadata.name", "metadata.namespace")


def predicate(labels: str, fields: str, *, custom: bool) -> Predicate | None:
    """Return what both selectors ask of an object, None if they ask nothing.

    Custom resources can be selected by name and namespace only. Raises BadRequest for a selector that cannot be read.
    """
    wanted_labels = parse_selector(labels)
    wanted_fields = [_field(part, custom) for part in _UNESCAPED_COMMA.split(fields) if part.strip()]
    if not wanted_labels.match_expressions and not wanted_fields:
        return None

    def matches(obj: Object) -> bool:
        found = obj["metadata"].get("labels") or {}
        return selects(wanted_labels, found) and all(wanted(obj) for wanted in wanted_fields)

    return matches


def shown(selector: Any) -> str:
    """Return the selector of an object as text, whether it is kept as such or as a LabelSelector."""
    if isinstance(selector, str):
        return selector
    return format_selector(msgspec.convert(selector, LabelSelector))


def _field(text: str, custom: bool) -> Predicate:
    match = _FIELD.match(text.strip())
    if not match:
        raise failures.bad_request(f"invalid selector: '{text}'; can't understand '{text}'")
    path, wanted = match["path"], re.sub(r"\\(.)", r"\1", match["value"])
    if custom and path not in _FIELDS_OF_CUSTOM_RESOURCES:
        raise failures.bad_request(f"field label not supported: {path}")
    equal = match["operator"] != "!="
    return lambda obj: (_text(paths.lookup(obj, path)) == wanted) is equal


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)
