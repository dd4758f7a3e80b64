"""Label selectors as text, as a list request takes them: for lists that are answered from a cache."""

import re
from functools import lru_cache
from typing import Final

from sluicegate.api.foreign import LabelSelector, LabelSelectorRequirement
from sluicegate.errors import BadRequest

_KEY: Final = r"(?P<key>[A-Za-z0-9][-A-Za-z0-9_./]*)"
_SET: Final = re.compile(rf"{_KEY}\s+(?P<operator>in|notin)\s*\((?P<values>[^()]*)\)")
_COMPARISON: Final = re.compile(rf"{_KEY}\s*(?P<operator>==|=|!=)\s*(?P<values>[-A-Za-z0-9_.]*)")
_PRESENCE: Final = re.compile(rf"(?P<operator>!?)\s*{_KEY}")
_COMMA_OUTSIDE_BRACKETS: Final = re.compile(r",(?![^()]*\))")
_OPERATORS: Final = {"in": "In", "=": "In", "==": "In", "notin": "NotIn", "!=": "NotIn"}


@lru_cache(maxsize=4096)
def parse_selector(text: str) -> LabelSelector:
    """The selector of a text such as `app=web,tier in (a,b),!old`; empty text selects everything.

    Raises BadRequest for what is none.
    """
    terms = [term.strip() for term in _COMMA_OUTSIDE_BRACKETS.split(text)]
    return LabelSelector(match_expressions=tuple(_requirement(term, text) for term in terms if term))


def anchor(selector: LabelSelector) -> tuple[str, str] | None:
    """A label that whatever is selected must have; None where the selector asks for no particular one."""
    exact = (term for term in selector.match_expressions if term.operator == "In" and len(term.values) == 1)
    return next(((term.key, term.values[0]) for term in exact), None)


def _requirement(term: str, text: str) -> LabelSelectorRequirement:
    if found := _SET.fullmatch(term) or _COMPARISON.fullmatch(term):
        values = tuple(value.strip() for value in found["values"].split(","))
        return LabelSelectorRequirement(key=found["key"], operator=_OPERATORS[found["operator"]], values=values)
    if found := _PRESENCE.fullmatch(term):
        return LabelSelectorRequirement(key=found["key"], operator="DoesNotExist" if found["operator"] else "Exists")
    message = f"label selector {text!r}: {term!r} is no requirement, must be like a=b, a!=b, a in (b,c), a or !a"
    raise BadRequest(message, status=400, reason="BadRequest")
