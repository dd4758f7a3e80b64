"""Label and field selectors as they stand in a URL: `app in (a,b),!canary`, `status.phase=Running`."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from sluicegate.api.foreign import LabelSelector
from sluicegate.api.selectors import format_selector
from sluicegate.local import failures
from sluicegate.local.apiserver import paths

if TYPE_CHECKING:
    from sluicegate.local.objects import Object

Predicate = Callable[["Object"], bool]
_Labels = dict[str, str]
_Requirement = Callable[[_Labels], bool]

_KEY = r"(?P<key>[A-Za-z0-9][-A-Za-z0-9_./]*)"
_SET = re.compile(rf"{_KEY}\s+(?P<operator>in|notin)\s*\((?P<values>[^()]*)\)$")
_COMPARISON = re.compile(rf"{_KEY}\s*(?P<operator>==|=|!=|>|<)\s*(?P<value>[-A-Za-z0-9_.]*)$")
_PRESENCE = re.compile(rf"(?P<operator>!?)\s*{_KEY}$")
_TOP_LEVEL_COMMA = re.compile(r",(?![^()]*\))")
_FIELD = re.compile(r"(?P<path>[^=!]+)(?P<operator>==|=|!=)(?P<value>.*)$", re.DOTALL)
_UNESCAPED_COMMA = re.compile(r"(?<!\\),")
_FIELDS_OF_CUSTOM_RESOURCES = ("metadata.name", "metadata.namespace")


def predicate(labels: str, fields: str, *, custom: bool) -> Predicate | None:
    """Return what both selectors ask of an object, None if they ask nothing.

    Custom resources can be selected by name and namespace only. Raises BadRequest for a selector that cannot be read.
    """
    wanted_labels = [_requirement(part.strip()) for part in _TOP_LEVEL_COMMA.split(labels) if part.strip()]
    wanted_fields = [_field(part, custom) for part in _UNESCAPED_COMMA.split(fields) if part.strip()]
    if not wanted_labels and not wanted_fields:
        return None

    def matches(obj: Object) -> bool:
        found = obj["metadata"].get("labels") or {}
        return all(wanted(found) for wanted in wanted_labels) and all(wanted(obj) for wanted in wanted_fields)

    return matches


def shown(selector: Any) -> str:
    """Return the selector of an object as text, whether it is kept as such or as a LabelSelector."""
    if isinstance(selector, str):
        return selector
    return format_selector(msgspec.convert(selector, LabelSelector))


def _requirement(text: str) -> _Requirement:
    if match := _SET.match(text):
        values = {value.strip() for value in match["values"].split(",")}
        return _membership(match["key"], values, wanted=match["operator"] == "in")
    if match := _COMPARISON.match(text):
        return _comparison(match["key"], match["operator"], match["value"])
    if match := _PRESENCE.match(text):
        key, wanted = match["key"], not match["operator"]
        return lambda labels: (key in labels) is wanted
    raise failures.bad_request(f"unable to parse requirement: found '{text}', expected: a label selector")


def _membership(key: str, values: set[str], *, wanted: bool) -> _Requirement:
    if wanted:
        return lambda labels: labels.get(key) in values
    return lambda labels: labels.get(key) not in values


def _comparison(key: str, operator: str, value: str) -> _Requirement:
    if operator in ("=", "=="):
        return _membership(key, {value}, wanted=True)
    if operator == "!=":
        return _membership(key, {value}, wanted=False)
    if not value.isdigit():
        raise failures.bad_request(
            f"values[0][{key}]: Invalid value: {value!r}: for '{operator}' it must be an integer"
        )
    sign = 1 if operator == ">" else -1
    return lambda labels: labels.get(key, "").isdigit() and sign * (int(labels[key]) - int(value)) > 0


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
