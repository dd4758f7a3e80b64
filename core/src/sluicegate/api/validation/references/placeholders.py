"""`{{args.x}}` in metrics: a metric is written as JSON, filled in as one text, and read again (analysis 2.1)."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from pydantic import ValidationError

from sluicegate.api.analysis import Argument, Metric
from sluicegate.api.gojson import go_json, quote
from sluicegate.api.validation.references.metric_order import in_metric_order

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_OPEN: Final = "{{"
_CLOSE: Final = "}}"
_ESCAPE: Final = re.compile(r'\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}|(.))')


def fill_in(metric: Metric, args: Sequence[Argument]) -> Metric:
    """A metric with the values of the arguments in place of the placeholders; of two of one name the later counts.

    Raises ValueError, with the incumbent's text, where that cannot be done.
    """
    text = _replaced(go_json(in_metric_order(metric.document())), args)
    try:
        return Metric.model_validate(json.loads(text))
    except json.JSONDecodeError as error:
        raise ValueError(_json_fault(text, error)) from None
    except ValidationError as error:
        raise ValueError(f"metric {metric.name}: {error.errors()[0]['msg']}") from None


def _replaced(text: str, args: Sequence[Argument]) -> str:
    placeholders = list(_placeholders(text))
    missing = next((argument.name for argument in args if argument.value is None), None)
    if missing is not None:
        raise ValueError(f'argument "{missing}" was not supplied')
    values = {f"args.{argument.name}": argument.value or "" for argument in args}
    unknown = [text[start:end] for start, end in placeholders if text[start:end].strip() not in values]
    if unknown:
        raise ValueError(f"failed to resolve {_OPEN}{unknown[-1]}{_CLOSE}")
    parts, position = [], 0
    for start, end in placeholders:
        # In Go's quotes, and without them: what JSON cannot read of that, the incumbent cannot read either.
        value = quote(values[text[start:end].strip()])[1:-1]
        parts += [text[position : start - len(_OPEN)], value]
        position = end + len(_CLOSE)
    return "".join([*parts, text[position:]])


def _placeholders(text: str) -> Iterator[tuple[int, int]]:
    """Where the text between each pair of braces starts and ends; raises ValueError where a pair is not closed."""
    position = 0
    while (opening := text.find(_OPEN, position)) >= 0:
        start = opening + len(_OPEN)
        end = text.find(_CLOSE, start)
        if end < 0:
            rest = quote(text[start:])
            raise ValueError(f'Cannot find end tag="{_CLOSE}" in the template={quote(text)} starting from {rest}')
        yield start, end
        position = end + len(_CLOSE)


def _json_fault(text: str, error: json.JSONDecodeError) -> str:
    bad = next((match[1] for match in _ESCAPE.finditer(text) if match[1]), None)
    return f"invalid character '{bad}' in string escape code" if bad else str(error)
