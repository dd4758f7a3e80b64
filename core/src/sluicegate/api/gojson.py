"""JSON text as Go writes it: the hashes are taken over it, and the incumbent's error messages show it.

Compact, `<`, `>`, `&` and the two Unicode line separators escaped, whole floats without a point.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

_ESCAPES: Final = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
_ESCAPED: Final = re.compile("[<>&\u2028\u2029]")
_LONE_SURROGATE: Final = re.compile("[\ud800-\udfff]")


def go_json(value: Any) -> str:
    """The JSON text of plain data; members of a mapping stay in its order."""
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{_string(key)}:{go_json(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(go_json, value)) + "]"
    if isinstance(value, float):
        return number_text(value)
    return json.dumps(value)


def number_text(number: int | float) -> str:
    """A number as Go writes it: `1`, `0.5`, `1e+21`, `1e-7`."""
    if number == int(number) and abs(number) < 1e21:
        return str(int(number))
    return re.sub(r"e([+-])0+", r"e\1", _float(number)) if isinstance(number, float) else str(number)


def _float(number: float) -> str:
    text = repr(number)
    if "e" in text and 1e-6 <= abs(number) < 1e21:
        return f"{number:.20f}".rstrip("0")
    return text


def quote(text: str) -> str:
    """A text in double quotes as Go's %q prints it: printable characters as they are, others escaped."""
    return '"' + "".join(map(_quote_character, text)) + '"'


def _quote_character(character: str) -> str:
    if character in _QUOTED:
        return _QUOTED[character]
    if character.isprintable():
        return character
    code = ord(character)
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


_QUOTED: Final = {
    '"': '\\"',
    "\\": "\\\\",
    "\a": "\\a",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\v": "\\v",
}


def _string(text: str) -> str:
    text = json.dumps(_LONE_SURROGATE.sub("\ufffd", text), ensure_ascii=False)
    return _ESCAPED.sub(lambda match: _ESCAPES[match[0]], text)
