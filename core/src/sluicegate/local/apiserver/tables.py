"""Tables: the rows and columns that `kubectl get` prints, made by the server."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sluicegate.local.apiserver import paths, printers

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sluicegate.local.apiserver.resources import Served
    from sluicegate.local.objects import Document, Object

_NAME = {"name": "Name", "type": "string", "format": "name", "description": "Name of the object", "priority": 0}


def table(served: Served, items: Iterable[Document], metadata: Object, *, include: str, header: bool = True) -> Object:
    """Return objects as a Table; `include` says what each row carries: `Metadata`, `Object` or `None`.

    Without `header` the column definitions are left out, as in all but the first event of a watch.
    """
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": metadata,
        "columnDefinitions": _definitions(served) if header else None,
        "rows": [_row(served, item, include) for item in items],
    }


def _definitions(served: Served) -> list[Object]:
    if served.is_custom:
        return [_NAME, *(_custom_definition(column) for column in served.columns)]
    return [column.definition() for column in printers.columns(served.kind)]


def _custom_definition(column: Object) -> Object:
    return {
        "name": column["name"],
        "type": column["type"],
        "format": column.get("format", ""),
        "description": column.get("description", f"Custom resource definition column: {column['jsonPath']}"),
        "priority": column.get("priority", 0),
    }


def _row(served: Served, item: Document, include: str) -> Object:
    now = datetime.now(UTC)
    if served.is_custom:
        cells = [item["metadata"]["name"], *(_custom_cell(item, column, now) for column in served.columns)]
    else:
        cells = [column.cell(item, now) for column in printers.columns(served.kind)]
    row: Object = {"cells": cells}
    if include == "Object":
        row["object"] = item
    elif include != "None":
        row["object"] = {
            "kind": "PartialObjectMetadata",
            "apiVersion": "meta.k8s.io/v1",
            "metadata": item["metadata"],
        }
    return row


def _custom_cell(item: Document, column: Object, now: datetime) -> Any:
    found = paths.select(item, column["jsonPath"])
    if not found:
        return None
    if column["type"] == "date":
        return printers.age(found[0], now)
    if column["type"] == "string" and not isinstance(found[0], str):
        return printers.text(found[0])
    return found[0]
