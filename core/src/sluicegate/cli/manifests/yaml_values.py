"""YAML 1.1 with the scalars that the incumbent's library knows, and its words for what is no YAML.

Times stay text, numbers to the base of 60 do not exist, numbers too large for 64 bits are text, a tag of one's own
changes nothing, and members that come again are written down: whether they are an error is for the verb to say.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import yaml

from sluicegate.cli.manifests.plain import DEEPEST, TOO_DEEP, Unholdable, plain

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

_FastLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_TAG: Final = "tag:yaml.org,2002:"
_TRUE: Final = frozenset({"y", "yes", "true", "on"})
_BOOLEAN: Final = re.compile(r"(?:[yYnN]|yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF)$")
_NUMBER: Final = re.compile(
    r"(?:[-+]?\.?[0-9][0-9a-fA-FoOxX_.]*(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$"
)
_WHOLE: Final = re.compile(r"[-+]?(?:0[bB][01]+|0[xX][0-9a-fA-F]+|0[oO]?[0-7]+|0|[1-9][0-9]*)$")
_FLOAT: Final = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$")
_BASES: Final = {"b": 2, "x": 16, "o": 8}
_LONGEST_WHOLE: Final = 67
_WHOLES: Final = range(-(2**63), 2**64)
_SHOWN_WHOLE: Final = 1e21
_OPENING: Final = (yaml.SequenceStartEvent, yaml.MappingStartEvent)
_CLOSING: Final = (yaml.SequenceEndEvent, yaml.MappingEndEvent)


class YamlError(Exception):
    """A text is no YAML, or stands for more than can be held; the message begins with `yaml: `."""


class YamlDocument(NamedTuple):
    """One document as plain JSON data, members sorted by name, and a line for each member that came again."""

    value: Any
    repeated: tuple[str, ...]


def yaml_documents(text: str) -> Iterator[YamlDocument]:
    """The documents of a text in order, each read when it is asked for.

    Raises YamlError at the first that is no YAML, CommandError at one with values that JSON has no word for.
    """
    try:
        yield from _documents(text)
    except yaml.YAMLError as error:
        raise YamlError(f"yaml: {_explained(error)}") from error
    except Unholdable as error:
        raise YamlError(f"yaml: {error}") from error


def _documents(text: str) -> Iterator[YamlDocument]:
    events, loader = iter(yaml.parse(text, _FastLoader)), _Loader(text)
    try:
        while _next_is_shallow(events) and loader.check_data():
            value = plain(loader.get_data())
            yield YamlDocument(value, tuple(loader.repeated))
            loader.repeated.clear()
    finally:
        loader.dispose()


def _next_is_shallow(events: Iterator[yaml.Event]) -> bool:
    """Go past the next document, False if there is none; raises Unholdable if it is too deep for the C library."""
    depth = 0
    for event in events:
        depth += isinstance(event, _OPENING) - isinstance(event, _CLOSING)
        if depth > DEEPEST:
            raise Unholdable(TOO_DEEP)
        if isinstance(event, yaml.DocumentEndEvent):
            return True
    return False


def _explained(error: yaml.YAMLError) -> str:
    if isinstance(error, yaml.reader.ReaderError):
        return str(error.reason)
    if not isinstance(error, yaml.MarkedYAMLError):
        return " ".join(str(error).split())
    # As go-yaml counts: a parser has gone on to the next line when it finds fault, a scanner has not.
    marks = (mark.line for mark in (error.context_mark, error.problem_mark) if mark and mark.line)
    line = next(marks, 0)
    line += bool(line) and isinstance(error, yaml.scanner.ScannerError)
    return (f"line {line}: " if line else "") + (error.problem or "unknown problem parsing YAML content")


class _Loader(_FastLoader):  # type: ignore[misc]  # the class depends on how the package was built
    """Values by the rules of this module, keys that come again written down."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.repeated: list[str] = []

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        if isinstance(node, yaml.MappingNode):
            self._note_repeated(node)
        mapping: dict[Hashable, Any] = super().construct_mapping(node, deep=deep)
        return mapping

    def _note_repeated(self, node: yaml.MappingNode) -> None:
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue
            if key.value in seen:
                self.repeated.append(f'  line {key.start_mark.line + 1}: key "{key.value}" already set in map')
            seen.add(key.value)

    def construct_text(self, node: yaml.ScalarNode) -> str:
        return str(self.construct_scalar(node))

    def construct_boolean(self, node: yaml.ScalarNode) -> bool:
        return str(node.value).lower() in _TRUE

    def construct_number(self, node: yaml.ScalarNode) -> int | float | str:
        text = str(node.value).replace("_", "")
        whole = _whole(text)
        return whole if whole is not None else _float(text, str(node.value))

    def construct_untagged(self, suffix: str, node: yaml.Node) -> Any:
        if isinstance(node, yaml.MappingNode):
            return self.construct_mapping(node, deep=True)
        if isinstance(node, yaml.SequenceNode):
            return self.construct_sequence(node, deep=True)
        return self.construct_scalar(node)


def _whole(text: str) -> int | None:
    if len(text) > _LONGEST_WHOLE or not _WHOLE.match(text):
        return None
    sign, digits = (-1 if text.startswith("-") else 1), text.lstrip("+-").lower()
    base = _BASES.get(digits[1:2], 8) if len(digits) > 1 and digits.startswith("0") else 10
    number = sign * int(digits[2:] if digits[1:2] in _BASES else digits, base)
    return number if number in _WHOLES else None


def _float(text: str, written: str) -> int | float | str:
    if text.lstrip("+-").lower() in (".inf", ".nan"):
        return float(text.lower().replace(".", ""))
    number = float(text) if _FLOAT.match(text) else math.inf
    if math.isinf(number):
        return written
    return int(number) if number.is_integer() and abs(number) < _SHOWN_WHOLE else number


def _prepare() -> None:
    kept = (f"{_TAG}null", f"{_TAG}merge")
    _Loader.yaml_implicit_resolvers = {
        first: [resolver for resolver in resolvers if resolver[0] in kept]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    _Loader.add_implicit_resolver(f"{_TAG}bool", _BOOLEAN, list("yYnNtTfFoO"))
    _Loader.add_implicit_resolver(f"{_TAG}float", _NUMBER, list("-+.0123456789"))
    _Loader.add_constructor(f"{_TAG}bool", _Loader.construct_boolean)
    for name in ("int", "float"):
        _Loader.add_constructor(_TAG + name, _Loader.construct_number)
    for name in ("timestamp", "value"):
        _Loader.add_constructor(_TAG + name, _Loader.construct_text)
    _Loader.add_multi_constructor("!", _Loader.construct_untagged)


_prepare()
