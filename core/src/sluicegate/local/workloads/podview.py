"""What the controllers read from a pod: whether it is active, ready, available, who owns it, who selects it. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from sluicegate.api.foreign import LabelSelector
from sluicegate.api.selectors import matches

if TYPE_CHECKING:
    from sluicegate.local.objects import Object


def controller_of(obj: Object) -> Object | None:
    """The owner reference of the object's controller, None without one."""
    references = obj["metadata"].get("ownerReferences") or ()
    return next((reference for reference in references if reference.get("controller")), None)


def is_terminating(obj: Object) -> bool:
    """Whether the object has been deleted and is only waiting to go."""
    return "deletionTimestamp" in obj["metadata"]


def phase(pod: Object) -> str:
    """`status.phase`, `Pending` while there is none."""
    return (pod.get("status") or {}).get("phase") or "Pending"


def is_active(pod: Object) -> bool:
    """Whether the pod counts as a replica: neither ended nor being deleted."""
    return phase(pod) not in ("Succeeded", "Failed") and not is_terminating(pod)


def condition(pod: Object, kind: str) -> Object | None:
    """The pod's condition of that type, None without one."""
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return next((found for found in conditions if found.get("type") == kind), None)


def is_ready(pod: Object) -> bool:
    """Whether the pod's Ready condition is True."""
    return (condition(pod, "Ready") or {}).get("status") == "True"


def ready_since(pod: Object) -> datetime | None:
    """When the pod became ready, None when it is not, or when that is not recorded."""
    found = condition(pod, "Ready") or {}
    if found.get("status") != "True" or not found.get("lastTransitionTime"):
        return None
    return datetime.fromisoformat(found["lastTransitionTime"])


def created_at(obj: Object) -> datetime:
    """The object's creation time."""
    return datetime.fromisoformat(obj["metadata"]["creationTimestamp"])


def is_available(pod: Object, min_ready_seconds: int, now: datetime) -> bool:
    """Whether the pod has been ready for at least `min_ready_seconds`."""
    since = ready_since(pod)
    if not is_ready(pod):
        return False
    return min_ready_seconds == 0 or (since is not None and (now - since).total_seconds() >= min_ready_seconds)


def selects(selector: Object | None, labels: dict[str, str] | None) -> bool:
    """Whether a label selector, as it is in a manifest, selects these labels; no selector selects nothing."""
    return matches(msgspec.convert(selector, LabelSelector | None), labels or {})
