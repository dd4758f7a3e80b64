"""Validation of custom resources against their schema, with the API server's wording.

Of CEL rules only the transition rule `self == oldSelf` is evaluated; every other rule lets everything through.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sluicegate.local.apiserver.schema import EMBEDDED, INT_OR_STRING
from sluicegate.local.failures import FieldFault, required, unacceptable

if TYPE_CHECKING:
    from sluicegate.local.objects import Object

_IMMUTABLE_RULE = "self == oldSelf"
_JSON_TYPES = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object"}
_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$")
Faults = Iterator[FieldFault]


def faults(schema: Object, new: Object, old: Object | None = None) -> list[FieldFault]:
    """Return all that is wrong with an object; what was wrong before an update in the same way does not count."""
    found = [*_object_faults(schema, new, "")]
    if old is None:
        return found
    if found:
        known = set(_object_faults(schema, old, ""))
        found = [fault for fault in found if fault not in known]
    return found + list(_transition_faults(schema, new, old, ""))


def _value_faults(schema: Object, value: Any, path: str) -> Faults:
    fault = _type_fault(schema, value, path)
    if fault:
        yield fault
        return
    if value is None:
        return
    yield from _enum_faults(schema, value, path)
    if isinstance(value, str):
        yield from _string_faults(schema, value, path)
    elif isinstance(value, list):
        yield from _list_faults(schema, value, path)
    elif isinstance(value, dict):
        yield from _object_faults(schema, value, path)
    elif not isinstance(value, bool):
        yield from _number_faults(schema, value, path)
    yield from _combination_faults(schema, value, path)


def _type_fault(schema: Object, value: Any, path: str) -> FieldFault | None:
    given = _JSON_TYPES.get(type(value), "null")
    if value is None and schema.get("nullable"):
        return None
    if schema.get(INT_OR_STRING):
        return None if given in ("integer", "string") else _wrong_type(path, given, "integer")
    wanted = schema.get("type")
    if wanted in (None, given) or (wanted, given) == ("number", "integer"):
        return None
    if (wanted, given) == ("integer", "number") and schema.get("format") in ("int32", "int64"):
        return None if value.is_integer() else _wrong_type(path, "float64", schema["format"])
    return _wrong_type(path, given, wanted)


def _wrong_type(path: str, given: str, wanted: str) -> FieldFault:
    text = f'Invalid value: "{given}": {path} in body must be of type {wanted}: "{given}"'
    return FieldFault("FieldValueTypeInvalid", path, text)


def _enum_faults(schema: Object, value: Any, path: str) -> Faults:
    allowed = schema.get("enum")
    if allowed and value not in allowed:
        supported = ", ".join(json.dumps(choice) for choice in allowed)
        text = f"Unsupported value: {json.dumps(value)}: supported values: {supported}"
        yield FieldFault("FieldValueNotSupported", path, text)


def _string_faults(schema: Object, value: str, path: str) -> Faults:
    shown = json.dumps(value)
    if len(value) > schema.get("maxLength", len(value)):
        yield FieldFault("FieldValueTooLong", path, f"Too long: may not be more than {schema['maxLength']} bytes")
    if len(value) < schema.get("minLength", 0):
        yield unacceptable(path, shown, f"{path} in body should be at least {schema['minLength']} chars long")
    if "pattern" in schema and not re.search(schema["pattern"], value):
        yield unacceptable(path, shown, f"{path} in body should match '{schema['pattern']}'")
    if not _FORMATS.get(schema.get("format", ""), _any_text)(value):
        yield unacceptable(path, shown, f"{path} in body must be of type {schema['format']}: {shown}")


def _number_faults(schema: Object, value: float, path: str) -> Faults:
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and (value < low or (value == low and schema.get("exclusiveMinimum"))):
        bound = "greater than" if schema.get("exclusiveMinimum") else "greater than or equal to"
        yield unacceptable(path, json.dumps(value), f"{path} in body should be {bound} {low}")
    if high is not None and (value > high or (value == high and schema.get("exclusiveMaximum"))):
        bound = "less than" if schema.get("exclusiveMaximum") else "less than or equal to"
        yield unacceptable(path, json.dumps(value), f"{path} in body should be {bound} {high}")
    if "multipleOf" in schema and value % schema["multipleOf"]:
        yield unacceptable(path, json.dumps(value), f"{path} in body should be a multiple of {schema['multipleOf']}")


def _list_faults(schema: Object, value: list[Any], path: str) -> Faults:
    if len(value) > schema.get("maxItems", len(value)):
        text = f"Too many: {len(value)}: must have at most {schema['maxItems']} items"
        yield FieldFault("FieldValueTooMany", path, text)
    if len(value) < schema.get("minItems", 0):
        yield unacceptable(path, str(len(value)), f"{path} in body should have at least {schema['minItems']} items")
    yield from _duplicate_faults(schema, value, path)
    for at, item in enumerate(value):
        yield from _value_faults(schema.get("items", {}), item, f"{path}[{at}]")


def _duplicate_faults(schema: Object, value: list[Any], path: str) -> Faults:
    """The entries of a set, and the keys of a map kept as a list, must differ."""
    list_type = schema.get("x-kubernetes-list-type")
    if list_type == "set":
        identities = list(value)
    elif list_type == "map":
        names = schema.get("x-kubernetes-list-map-keys", ())
        identities = [{name: item.get(name) for name in names} for item in value if isinstance(item, dict)]
    else:
        return
    for at, identity in enumerate(identities):
        if identity in identities[:at]:
            yield FieldFault("FieldValueDuplicate", f"{path}[{at}]", f"Duplicate value: {json.dumps(identity)}")


def _object_faults(schema: Object, value: Object, path: str) -> Faults:
    for name in schema.get("required", ()):
        if name not in value:
            yield required(_join(path, name))
    if len(value) > schema.get("maxProperties", len(value)):
        yield unacceptable(path, str(len(value)), f"{path} must have at most {schema['maxProperties']} items")
    if len(value) < schema.get("minProperties", 0):
        yield unacceptable(path, str(len(value)), f"{path} must have at least {schema['minProperties']} items")
    if schema.get(EMBEDDED):
        yield from (required(_join(path, name)) for name in ("apiVersion", "kind") if name not in value)
    for name, member, member_schema in _known_members(schema, value):
        yield from _value_faults(member_schema, member, _join(path, name))


def _known_members(schema: Object, value: Object) -> Iterator[tuple[str, Any, Object]]:
    properties, additional = schema.get("properties", {}), schema.get("additionalProperties")
    for name, member in value.items():
        if name in properties:
            yield name, member, properties[name]
        elif isinstance(additional, dict):
            yield name, member, additional


def _combination_faults(schema: Object, value: Any, path: str) -> Faults:
    if schema.get(INT_OR_STRING):
        return
    for part in schema.get("allOf", ()):
        yield from _value_faults(part, value, path)
    for word, problem in (("anyOf", "at least one"), ("oneOf", "one and only one")):
        matching = sum(not any(_value_faults(part, value, path)) for part in schema.get(word, ()))
        if word in schema and (matching == 0 or (word == "oneOf" and matching > 1)):
            yield unacceptable(path, '""', f'"{path}" must validate {problem} schema ({word})')
    if "not" in schema and not any(_value_faults(schema["not"], value, path)):
        yield unacceptable(path, '""', f'"{path}" must not validate the schema (not)')


def _transition_faults(schema: Object, new: Any, old: Any, path: str) -> Faults:
    """Rules that compare with the stored value; inside lists nothing says which item was which."""
    if new is None or old is None:
        return
    for rule in schema.get("x-kubernetes-validations", ()):
        if "".join(rule.get("rule", "").split()) == _IMMUTABLE_RULE.replace(" ", "") and new != old:
            shown = json.dumps(_JSON_TYPES[type(new)])
            yield unacceptable(path, shown, rule.get("message") or f"failed rule: {_IMMUTABLE_RULE}")
    if isinstance(new, dict) and isinstance(old, dict):
        for name, member, member_schema in _known_members(schema, new):
            yield from _transition_faults(member_schema, member, old.get(name), _join(path, name))


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _any_text(_: str) -> bool:
    return True


def _is_date_time(text: str) -> bool:
    if not _DATE_TIME.match(text):
        return False
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


_FORMATS: dict[str, Callable[[str], bool]] = {"date-time": _is_date_time}
