"""What the incumbent refuses of a document before it asks the cluster (operations.md 1.10, 1.11)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sluicegate.api.resources import ARGO_GROUP
from sluicegate.api.validation.go_types import KINDS
from sluicegate.api.validation.strict import StrictError, read_strictly
from sluicegate.cli.failure import CommandError
from sluicegate.cli.views.fields import text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sluicegate.cli.manifests.documents import Document

_JSON_TYPES: Final = ((bool, "bool"), (str, "string"), (list, "array"))


def refuse_nothing(documents: Sequence[Document]) -> Sequence[Document]:
    """The documents of a file; raises CommandError if there are none."""
    if not documents:
        raise CommandError("creates of / unsupported")
    return documents


def object_of(document: Document) -> dict[str, Any]:
    """The object that a document holds; raises CommandError if it is none, or says not what kind it is."""
    value = document.value
    if not isinstance(value, dict):
        found = next((name for type, name in _JSON_TYPES if isinstance(value, type)), "number")
        what = f"json: cannot unmarshal {found} into Go value of type map[string]interface {{}}"
        raise CommandError(document.prefix + what)
    if not text(value, "kind") or text(value, "apiVersion").count("/") > 1:
        raise CommandError(f"{document.prefix}Object 'Kind' is missing in '{document.source}'")
    return value


def typed(document: Document, type: str) -> dict[str, Any]:
    """The object that a document holds, spelt as its type is, one of `go_types`; raises CommandError if it is not."""
    try:
        return read_strictly(document.value, type, lenient=document.is_yaml)
    except StrictError as error:
        raise CommandError(f"{document.prefix}{error}") from error


def creatable(document: Document) -> dict[str, Any]:
    """The object that a document holds, one of our kinds with members that fit; raises CommandError otherwise."""
    value = object_of(document)
    group = text(value, "apiVersion").rpartition("/")[0]
    if group != ARGO_GROUP or value["kind"] not in KINDS:
        raise CommandError(f"creates of {group}/{value['kind']} unsupported")
    typed(document, KINDS[value["kind"]])
    return value
