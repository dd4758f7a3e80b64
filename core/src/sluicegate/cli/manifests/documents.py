"""The documents of a file: JSON if it begins with a brace, else YAML 1.1 as Go reads it (operations.md 1.10)."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Never

import yaml

from sluicegate.api.gojson import go_json, number_text
from sluicegate.cli.failure import CommandError

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

_YAML_FAILURE: Final = "error converting YAML to JSON: yaml: "
_DECODING_FAILURE: Final = "error unmarshaling JSON: while decoding JSON: "
_FLOAT: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$")
_OCTAL: Final = re.compile(r"[-+]?0o[0-7]+$")
_TAG: Final = "tag:yaml.org,2002:"
_BLANK: Final = re.compile(r"\s*")

_FastLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Document(NamedTuple):
    """One document: plain data, the JSON text it stands for, and the words before what is wrong with it."""

    value: Any
    source: str
    prefix: str = ""


def read(path: str) -> list[Document]:
    """The documents of a file in order, without empty ones; raises CommandError if it cannot be read."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise CommandError(f"open {path}: {(error.strerror or str(error)).lower()}") from error
    except UnicodeDecodeError as error:
        raise CommandError(f"{path}: is not UTF-8 text: {error.reason} at byte {error.start}") from error
    return parse(text)


def parse(text: str) -> list[Document]:
    """The documents of a text in order, without empty ones; raises CommandError for what is neither JSON nor YAML."""
    try:
        return list(_json(text) if text.lstrip().startswith("{") else _yaml(text))
    except RecursionError:
        raise CommandError("exceeded max depth") from None


def _json(text: str) -> Iterator[Document]:
    decoder, position = json.JSONDecoder(parse_constant=_refuse), _skip_blanks(text, 0)
    while position < len(text):
        try:
            value, end = decoder.raw_decode(text, position)
        except json.JSONDecodeError as error:
            at_end = not text[error.pos :].strip()
            raise CommandError("unexpected EOF" if at_end else f"invalid JSON: {error}") from error
        yield Document(value, text[position:end])
        position = _skip_blanks(text, end)


def _refuse(constant: str) -> Never:
    raise CommandError(f"invalid JSON: {constant} is no number")


def _skip_blanks(text: str, position: int) -> int:
    match = _BLANK.match(text, position)
    return match.end() if match else position


def _yaml(text: str) -> Iterator[Document]:
    loader = _Loader(text)
    try:
        while loader.check_data():
            value = _sorted(loader.get_data())
            if loader.repeated:
                raise CommandError(_YAML_FAILURE + "unmarshal errors:\n" + "\n".join(loader.repeated))
            if value is not None:
                yield Document(value, go_json(value), _DECODING_FAILURE)
    except yaml.YAMLError as error:
        raise CommandError(_YAML_FAILURE + _explained(error)) from error
    finally:
        loader.dispose()


def _explained(error: yaml.YAMLError) -> str:
    if not isinstance(error, yaml.MarkedYAMLError):
        return " ".join(str(error).split())
    # As go-yaml counts: a parser has gone on to the next line when it finds fault, a scanner has not.
    marks = (mark.line for mark in (error.context_mark, error.problem_mark) if mark and mark.line)
    line = next(marks, 0)
    line += bool(line) and isinstance(error, yaml.scanner.ScannerError)
    return (f"line {line}: " if line else "") + (error.problem or "unknown problem parsing YAML content")


def _sorted(value: Any) -> Any:
    """Plain data with its members in the order that Go writes them in."""
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(item) for item in value] if isinstance(value, list) else value


class _Loader(_FastLoader):  # type: ignore[misc]  # the class depends on how the package was built
    """YAML 1.1 with Go's notion of numbers, times as the text they are, and keys that come again written down."""

    bool_values: Final = {**yaml.SafeLoader.bool_values, "y": True, "n": False}

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.repeated: list[str] = []

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        self._note_repeated(node)
        mapping: dict[Hashable, Any] = super().construct_mapping(node, deep=deep)
        return {_key(key): value for key, value in mapping.items()}

    def _note_repeated(self, node: yaml.MappingNode) -> None:
        seen: set[str] = set()
        for key, _ in node.value:
            if key.value in seen:
                self.repeated.append(f'  line {key.start_mark.line + 1}: key "{key.value}" already set in map')
            if isinstance(key, yaml.ScalarNode):
                seen.add(key.value)

    def construct_text(self, node: yaml.ScalarNode) -> str:
        return str(self.construct_scalar(node))

    def construct_number(self, node: yaml.ScalarNode) -> int | float | str:
        text = node.value.replace("_", "")
        if ":" in text:
            return str(node.value)
        if _OCTAL.match(text):
            return int(text.replace("0o", ""), 8)
        if node.tag == f"{_TAG}int":
            return int(self.construct_yaml_int(node))
        number = float(self.construct_yaml_float(node))
        if not math.isfinite(number):
            raise CommandError(f"error converting YAML to JSON: json: unsupported value: {node.value}")
        return int(number) if number.is_integer() and abs(number) < 1e21 else number


def _key(key: Hashable) -> str:
    if isinstance(key, bool):
        return "true" if key else "false"
    return number_text(key) if isinstance(key, int | float) else str(key)


for _name in ("timestamp", "binary", "value"):
    _Loader.add_constructor(_TAG + _name, _Loader.construct_text)
for _name in ("int", "float"):
    _Loader.add_constructor(_TAG + _name, _Loader.construct_number)
_Loader.add_implicit_resolver(f"{_TAG}bool", re.compile(r"[yYnN]$"), list("yYnN"))
_Loader.add_implicit_resolver(f"{_TAG}int", _OCTAL, list("-+0"))
_Loader.add_implicit_resolver(f"{_TAG}float", _FLOAT, list("-+.0123456789"))
