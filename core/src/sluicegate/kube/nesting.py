"""JSON nested deeper than a decoder can follow: a server accepts 10,000 levels, a decoder of ours fewer than 1,000.

Whoever may write one object of a kind could otherwise keep everyone from reading a list with it.
"""

from __future__ import annotations

import re
from typing import Final

LEVELS: Final = 200
_TOKEN: Final = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{}]', re.DOTALL)


def flattened(data: bytes) -> bytes:
    """The same JSON with null in place of every array and object below the first 200 levels."""
    kept: list[bytes] = []
    depth = since = 0
    for token in _TOKEN.finditer(data):
        if token[0] in (b"[", b"{"):
            depth += 1
            if depth == LEVELS + 1:
                kept += (data[since : token.start()], b"null")
        elif token[0] in (b"]", b"}"):
            if depth == LEVELS + 1:
                since = token.end()
            depth -= 1
    return b"".join((*kept, data[since:]))
