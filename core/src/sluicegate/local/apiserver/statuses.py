"""Errors as they cross the wire: Status objects whose reason, message, details and code clients branch on."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sluicegate.errors import ApiError
    from sluicegate.local.apiserver.resources import Served
    from sluicegate.local.apiserver.targets import Target
    from sluicegate.local.objects import Document, Object


def failure(error: ApiError, served: Served | None = None, target: Target | None = None) -> Object:
    """Return the Status of a request that failed."""
    details = _details(error, served, target)
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": error.message,
        "reason": error.reason,
        **({"details": details} if details else {}),
        "code": error.status,
    }


def _details(error: ApiError, served: Served | None, target: Target | None) -> Object:
    details: Object = {}
    if served and target:
        kind = served.resource.kind if error.reason == "Invalid" else served.resource.plural
        details = {"name": target.name, "group": target.group, "kind": kind}
    if error.causes:
        details["causes"] = list(error.causes)
    if error.retry_after is not None:
        details["retryAfterSeconds"] = round(error.retry_after)
    return {member: value for member, value in details.items() if value != ""}


def created() -> Object:
    """Return the Status of a request that has done what it asked for, and has no object to show."""
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}


def success(served: Served, deleted: Document) -> Object:
    """Return the Status of an object that is deleted and gone."""
    metadata = deleted["metadata"]
    details = {"name": metadata["name"], "kind": served.resource.plural, "uid": metadata["uid"]}
    if served.resource.group:
        details["group"] = served.resource.group
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}
