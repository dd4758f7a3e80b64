"""What the incumbent refuses of a document before it asks the cluster (operations.md 1.10)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sluicegate.api.resources import ARGO_GROUP
from sluicegate.cli.failure import CommandError
from sluicegate.cli.manifests.structs import KINDS, misfit
from sluicegate.cli.views.fields import text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sluicegate.cli.manifests.documents import Document


def refuse_nothing(documents: Sequence[Document]) -> Sequence[Document]:
    """The documents of a file; raises CommandError if there are none."""
    if not documents:
        raise CommandError("creates of / unsupported")
    return documents


def object_of(document: Document) -> dict[str, Any]:
    """The object that a document holds; raises CommandError if it is none, or says not what kind it is."""
    value = document.value
    if not isinstance(value, dict):
        found = {list: "array", str: "string", bool: "bool"}.get(type(value), "number")
        what = f"json: cannot unmarshal {found} into Go value of type map[string]interface {{}}"
        raise CommandError(document.prefix + what)
    if not text(value, "kind"):
        raise CommandError(f"{document.prefix}Object 'Kind' is missing in '{document.source}'")
    return value


def checked(document: Document) -> dict[str, Any]:
    """The object that a document holds, one of our kinds with members that fit; raises CommandError otherwise."""
    value = object_of(document)
    group = text(value, "apiVersion").rpartition("/")[0]
    if group != ARGO_GROUP or value["kind"] not in KINDS:
        raise CommandError(f"creates of {group}/{value['kind']} unsupported")
    if found := misfit(value, value["kind"], lenient=bool(document.prefix)):
        raise CommandError(document.prefix + found)
    return value
