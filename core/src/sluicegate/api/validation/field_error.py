"""What validation finds: one `FieldError` a finding, printed as Kubernetes prints field errors (rollout 1.1)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sluicegate.api.gojson import go_json, quote
from sluicegate.errors import SluicegateError

if TYPE_CHECKING:
    from collections.abc import Sequence


class ErrorKind(StrEnum):
    """The kinds of field errors, by the words that they are printed with."""

    REQUIRED = "Required value"
    FORBIDDEN = "Forbidden"
    INTERNAL = "Internal error"
    INVALID = "Invalid value"
    NOT_SUPPORTED = "Unsupported value"
    DUPLICATE = "Duplicate value"
    NOT_FOUND = "Not found"


_WITHOUT_VALUE = frozenset({ErrorKind.REQUIRED, ErrorKind.FORBIDDEN, ErrorKind.INTERNAL})


@dataclass(frozen=True, slots=True)
class FieldError:
    """One finding: its kind, the path of the member, the value found (plain JSON data), and what would be right."""

    kind: ErrorKind
    path: str
    value: Any = None
    detail: str = ""

    def __str__(self) -> str:
        shown = "" if self.kind in _WITHOUT_VALUE else f": {_shown(self.value)}"
        return f"{self.path}: {self.kind.value}{shown}" + (f": {self.detail}" if self.detail else "")


def _shown(value: Any) -> str:
    return quote(value) if isinstance(value, str) else go_json(value)


class InvalidManifest(SluicegateError):
    """A manifest holds values that its kind cannot hold.

    Attributes: `errors` (the findings, at least one, in the order of the manifest's schema).
    """

    def __init__(self, errors: Sequence[FieldError]) -> None:
        super().__init__("; ".join(map(str, errors)))
        self.errors = tuple(errors)


def required(path: str, detail: str = "") -> FieldError:
    """A member that must be there is not."""
    return FieldError(ErrorKind.REQUIRED, path, detail=detail)


def forbidden(path: str, detail: str) -> FieldError:
    """A member that must not be there is."""
    return FieldError(ErrorKind.FORBIDDEN, path, detail=detail)


def internal(path: str, detail: str) -> FieldError:
    """Members that cannot stand together, in the incumbent's words an internal error."""
    return FieldError(ErrorKind.INTERNAL, path, detail=detail)


def invalid(path: str, value: Any, detail: str) -> FieldError:
    """A member has a value that it may not have."""
    return FieldError(ErrorKind.INVALID, path, value, detail)


def duplicate(path: str, value: Any) -> FieldError:
    """A value that must be unique comes again."""
    return FieldError(ErrorKind.DUPLICATE, path, value)


def not_found(path: str, value: Any) -> FieldError:
    """A name refers to nothing."""
    return FieldError(ErrorKind.NOT_FOUND, path, value)


def not_supported(path: str, value: Any, supported: Sequence[str]) -> FieldError:
    """A value is none of the listed ones, which are shown in the order given."""
    return FieldError(ErrorKind.NOT_SUPPORTED, path, value, "supported values: " + ", ".join(map(quote, supported)))
