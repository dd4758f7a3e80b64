"""The documents of a file: as `create` reads it, and as `lint` does (operations.md 1.10, 1.11).

To `create` a file that begins with a brace is JSON and nothing else; to `lint` everything is YAML, which JSON is too.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Never

from sluicegate.api.gojson import go_json
from sluicegate.cli.failure import CommandError
from sluicegate.cli.manifests.plain import Unholdable, plain
from sluicegate.cli.manifests.yaml_values import YamlError, yaml_documents

if TYPE_CHECKING:
    from collections.abc import Iterator

_CONVERTING: Final = "error converting YAML to JSON: "
_DECODING: Final = "error unmarshaling JSON: while decoding JSON: "
_BLANK: Final = re.compile(r"\s*")


class Document(NamedTuple):
    """One document: plain data, the JSON text it stands for, whether it was YAML, and the members that came again."""

    value: Any
    source: str
    is_yaml: bool
    repeated: tuple[str, ...] = ()

    @property
    def prefix(self) -> str:
        """The words before what is wrong with the document."""
        return _DECODING if self.is_yaml else ""


def documents_to_create(path: str) -> list[Document]:
    """The documents of a file in order, without empty ones.

    Raises CommandError for what is neither JSON nor YAML, and for members that come again in YAML.
    """
    try:
        text = _text_of(path)
        return list(_json_documents(text)) if _is_braced(text) else list(map(_unrepeated, _yaml_documents(text)))
    except YamlError as error:
        raise CommandError(f"{_CONVERTING}{error}") from error


def documents_to_lint(path: str) -> Iterator[Document]:
    """The documents of a file in order, without empty ones; of a member that comes again the last counts.

    Raises CommandError at the first that cannot be read.
    """
    try:
        text = _text_of(path)
        yield from _json_as_yaml(text) or _yaml_documents(text)
    except YamlError as error:
        raise CommandError(str(error)) from error


def _text_of(path: str) -> str:
    try:
        return Path(path).read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise CommandError(f"open {path}: {(error.strerror or str(error)).lower()}") from error
    except UnicodeDecodeError as error:
        raise YamlError(f"yaml: the file is not UTF-8 text: {error.reason} at byte {error.start}") from error


def _is_braced(text: str) -> bool:
    return text.lstrip().startswith("{")


def _yaml_documents(text: str) -> Iterator[Document]:
    for value, repeated in yaml_documents(text):
        if value is not None:
            yield Document(value, go_json(value), True, repeated)


def _unrepeated(document: Document) -> Document:
    if document.repeated:
        raise YamlError("yaml: unmarshal errors:\n" + "\n".join(document.repeated))
    return document


def _json_as_yaml(text: str) -> list[Document]:
    """The documents of a text that is JSON, none of any other; the YAML library knows no tabs between words."""
    try:
        found = [plain(document.value) for document in _json_documents(text)] if _is_braced(text) else []
    except (CommandError, Unholdable):
        return []
    return [Document(value, go_json(value), True) for value in found]


def _json_documents(text: str) -> Iterator[Document]:
    decoder, position = json.JSONDecoder(parse_constant=_refuse), _after_blanks(text, 0)
    while position < len(text):
        value, end = _decoded(decoder, text, position)
        yield Document(value, text[position:end], False)
        position = _after_blanks(text, end)


def _decoded(decoder: json.JSONDecoder, text: str, position: int) -> tuple[Any, int]:
    try:
        value, end = decoder.raw_decode(text, position)
        plain(value)
    except json.JSONDecodeError as error:
        at_end = not text[error.pos :].strip()
        raise CommandError("unexpected EOF" if at_end else f"invalid JSON: {error}") from error
    except (RecursionError, ValueError, Unholdable) as error:
        raise CommandError(f"invalid JSON: {error}") from error
    return value, end


def _refuse(constant: str) -> Never:
    raise CommandError(f"invalid JSON: {constant} is no number")


def _after_blanks(text: str, position: int) -> int:
    match = _BLANK.match(text, position)
    return match.end() if match else position
