"""Label selectors read from text, as a list request takes them: `app=web,tier in (a,b),!old`."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from sluicegate.api.foreign import LabelSelector, LabelSelectorRequirement
from sluicegate.errors import BadRequest

_KEY: Final = r"(?P<key>[A-Za-z0-9][-A-Za-z0-9_./]*)"
_SET: Final = re.compile(rf"{_KEY}\s+(?P<operator>in|notin)\s*\((?P<values>[^()]*)\)")
_COMPARISON: Final = re.compile(rf"{_KEY}\s*(?P<operator>==|=|!=)\s*(?P<values>[-A-Za-z0-9_.]*)")
_ORDER: Final = re.compile(rf"{_KEY}\s*(?P<operator>[<>])\s*(?P<values>-?[0-9]{{1,19}})")
_PRESENCE: Final = re.compile(rf"(?P<operator>!?)\s*{_KEY}")
_COMMA_OUTSIDE_BRACKETS: Final = re.compile(r",(?![^()]*\))")
_OPERATORS: Final = {"in": "In", "=": "In", "==": "In", "notin": "NotIn", "!=": "NotIn", ">": "Gt", "<": "Lt"}
_FORMS: Final = "a=b, a!=b, a in (b,c), a, !a, a>1 or a<1"


@lru_cache(maxsize=4096)
def parse_selector(text: str) -> LabelSelector:
    """The selector of a text; empty text selects everything. Raises BadRequest for what is none."""
    terms = [term.strip() for term in _COMMA_OUTSIDE_BRACKETS.split(text)]
    return LabelSelector(match_expressions=tuple(_requirement(term, text) for term in terms if term))


def _requirement(term: str, text: str) -> LabelSelectorRequirement:
    if found := _SET.fullmatch(term) or _COMPARISON.fullmatch(term) or _ORDER.fullmatch(term):
        values = tuple(value.strip() for value in found["values"].split(","))
        return LabelSelectorRequirement(key=found["key"], operator=_OPERATORS[found["operator"]], values=values)
    if found := _PRESENCE.fullmatch(term):
        return LabelSelectorRequirement(key=found["key"], operator="DoesNotExist" if found["operator"] else "Exists")
    message = f"unable to parse label selector {text!r}: {term!r} is no requirement, must be like {_FORMS}"
    raise BadRequest(message, status=400, reason="BadRequest")
