"""The documents of a YAML or JSON file as plain data, by YAML 1.1 as the incumbent's library reads it."""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any, Final

import yaml

from sluicegate.api.gojson import number_text
from sluicegate.cli.failure import CommandError

if TYPE_CHECKING:
    from collections.abc import Iterator

_TAG: Final = "tag:yaml.org,2002:"
_TRUE: Final = frozenset({"y", "yes", "true", "on"})
_BOOLEAN: Final = re.compile(r"(?:[yYnN]|yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF)$")
_INTEGER: Final = re.compile(r"[-+]?(?:0[bB][01_]+|0[xX][0-9a-fA-F_]+|0[oO]?[0-7_]+|0|[1-9][0-9_]*)$")
_FLOAT: Final = re.compile(
    r"(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$"
)
_BASES: Final = {"b": 2, "x": 16, "o": 8}
_MAX_UINT64: Final = 2**64 - 1
_MAX_FLOAT_BITS: Final = 1023
_DEEPEST: Final = 200
_MOST_VALUES: Final = 500_000
_TOO_DEEP: Final = "yaml: the file is nested too deeply"


class _Loader(yaml.SafeLoader):
    """Times stay text, there are no numbers to the base of 60, and a tag of one's own changes nothing."""


def _boolean(loader: _Loader, node: yaml.ScalarNode) -> bool:
    return str(node.value).lower() in _TRUE


def _integer(loader: _Loader, node: yaml.ScalarNode) -> int | float:
    text = str(node.value).replace("_", "").lower()
    sign, digits = (-1 if text.startswith("-") else 1), text.lstrip("+-")
    base = _BASES.get(digits[1:2], 8) if len(digits) > 1 and digits.startswith("0") else 10
    number = sign * int(digits.removeprefix(f"0{digits[1:2]}") if digits[1:2] in _BASES else digits, base)
    if abs(number) <= _MAX_UINT64:
        return number
    return float(number) if number.bit_length() <= _MAX_FLOAT_BITS else sign * math.inf


def _float(loader: _Loader, node: yaml.ScalarNode) -> float:
    return float(str(node.value).lower().replace(".inf", "inf").replace(".nan", "nan"))


def _untagged(loader: _Loader, suffix: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return loader.construct_scalar(node) if isinstance(node, yaml.ScalarNode) else None


def _prepare() -> None:
    kept = (f"{_TAG}null", f"{_TAG}merge")
    _Loader.yaml_implicit_resolvers = {
        first: [resolver for resolver in resolvers if resolver[0] in kept]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    _Loader.add_implicit_resolver(f"{_TAG}bool", _BOOLEAN, list("yYnNtTfFoO"))
    _Loader.add_implicit_resolver(f"{_TAG}int", _INTEGER, list("-+0123456789"))
    _Loader.add_implicit_resolver(f"{_TAG}float", _FLOAT, list("-+.0123456789"))
    _Loader.add_constructor(f"{_TAG}bool", _boolean)
    _Loader.add_constructor(f"{_TAG}int", _integer)
    _Loader.add_constructor(f"{_TAG}float", _float)
    _Loader.add_multi_constructor("!", _untagged)


_prepare()


def documents_of(data: bytes) -> Iterator[Any]:
    """The documents of a file that are not empty, members sorted by name.

    Raises CommandError where the file is no YAML, or holds what JSON has no word for.
    """
    try:
        for document in _loaded(data):
            if document is not None:
                yield _Plain().of(document)
    except RecursionError as error:
        raise CommandError(_TOO_DEEP) from error


def _loaded(data: bytes) -> Iterator[Any]:
    try:
        # Python's YAML reader knows no tabs between the words of JSON.
        yield json.loads(data)
        return
    except ValueError:
        pass
    try:
        yield from yaml.load_all(data, _Loader)
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        raise CommandError(f"yaml: {line}{error.problem}") from error
    except (yaml.YAMLError, ValueError) as error:
        raise CommandError(f"yaml: {' '.join(str(error).split())}") from error


class _Plain:
    """Makes of one document what JSON can hold."""

    def __init__(self) -> None:
        self._values = 0

    def of(self, value: Any, above: tuple[int, ...] = ()) -> Any:
        """A value as plain data; `above` are the identities of what it is in."""
        self._values += 1
        if id(value) in above:
            raise CommandError("yaml: an anchor's value contains itself")
        # A short text can stand for billions of values, each an alias of several others.
        if self._values > _MOST_VALUES:
            raise CommandError("yaml: document contains excessive aliasing")
        if len(above) > _DEEPEST:
            raise CommandError(_TOO_DEEP)
        if isinstance(value, dict):
            named = {_name(key): item for key, item in value.items()}
            return {name: self.of(named[name], (*above, id(value))) for name in sorted(named)}
        if isinstance(value, list):
            return [self.of(item, (*above, id(value))) for item in value]
        return _scalar(value)


def _scalar(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        raise CommandError(f"error converting YAML to JSON: json: unsupported value: {value}")
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise CommandError(f"error converting YAML to JSON: unsupported value: {value}")


def _name(key: Any) -> str:
    if isinstance(key, bool):
        return "true" if key else "false"
    if isinstance(key, int | float):
        return number_text(key)
    if isinstance(key, str):
        return key
    raise CommandError(f"error converting YAML to JSON: unsupported map key: {key}")
