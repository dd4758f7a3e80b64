"""The commands of a README, and what it shows of what they print."""

import re
from pathlib import Path
from typing import NamedTuple

BLOCK = re.compile(r"^```(sh|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Passage(NamedTuple):
    """A block of commands, and the text that the last of them prints; None where the README shows none."""

    commands: list[str]
    shown: str | None


def passages_of(path: Path) -> list[Passage]:
    """The passages of a README in order."""
    passages: list[Passage] = []
    for kind, text in BLOCK.findall(path.read_text(encoding="utf-8")):
        if kind == "sh":
            passages.append(Passage(text.splitlines(), None))
        else:
            passages[-1] = passages[-1]._replace(shown=text)
    return passages
