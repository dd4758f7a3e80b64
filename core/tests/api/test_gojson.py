"""JSON and quoted text as Go writes them."""

import json
from typing import Any

import pytest

from sluicegate.api.gojson import go_json, quote


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"b": 1, "a": [None, True, False]}, '{"b":1,"a":[null,true,false]}'),
        ("a<b>&c", '"a\\u003cb\\u003e\\u0026c"'),
        ("日本 \U0001f600", '"日本 \U0001f600"'),
        ("\u2028\u2029", '"\\u2028\\u2029"'),
        ('"\\\b\f\n\r\t\x01\x7f', '"\\"\\\\\\b\\f\\n\\r\\t\\u0001\x7f"'),
        ("lone \ud800", '"lone \ufffd"'),
        (1.0, "1"),
        (0.5, "0.5"),
        (-0.25, "-0.25"),
        (1e20, "100000000000000000000"),
        (1e21, "1e+21"),
        (1e-6, "0.000001"),
        (1e-7, "1e-7"),
        (2**70, "1180591620717411303424"),
    ],
)
def test_json_as_go_writes_it(value: Any, text: str) -> None:
    assert go_json(value) == text


def test_it_is_json() -> None:
    value = {"a<": ["&", {"\u2028": 1.5}], "b": None}
    assert json.loads(go_json(value)) == value


def test_quoted_text() -> None:
    assert quote('say "é"\n\t\\\x00\u200b') == '"say \\"é\\"\\n\\t\\\\\\x00\\u200b"'
