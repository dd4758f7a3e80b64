"""The scale subresource: any kind with a number of replicas, seen as `autoscaling/v1` Scale."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sluicegate.api.resources import Resource
from sluicegate.local import failures
from sluicegate.local.apiserver import paths, selectors
from sluicegate.local.apiserver.resources import Served

if TYPE_CHECKING:
    from sluicegate.local.objects import Object

SERVED = Served(Resource("autoscaling", "v1", "scales", "Scale"), "scale")
_LARGEST = 2**31 - 1
_METADATA = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")


def scale_of(obj: Object, served: Served) -> Object:
    """Return the Scale of an object of a kind that has one."""
    assert served.scale
    metadata = obj["metadata"]
    status: Object = {"replicas": paths.lookup(obj, served.scale.status_replicas) or 0}
    selector = paths.lookup(obj, served.scale.selector) if served.scale.selector else None
    if selector:
        status["selector"] = selectors.shown(selector)
    replicas = paths.lookup(obj, served.scale.replicas)
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {member: metadata[member] for member in _METADATA if member in metadata},
        "spec": {} if replicas is None else {"replicas": replicas},
        "status": status,
    }


def faults(obj: Object, served: Served) -> list[failures.FieldFault]:
    """Return what Kubernetes finds wrong with the replicas of a custom resource that can be scaled."""
    if not served.is_custom or served.scale is None:
        return []
    found = []
    for path in (served.scale.replicas, served.scale.status_replicas):
        replicas = paths.lookup(obj, path)
        if not isinstance(replicas, int):
            continue
        if replicas < 0:
            found.append(failures.unacceptable(f".{path}", str(replicas), "should be a non-negative integer"))
        elif replicas > _LARGEST:
            text = f"should be less than or equal to {_LARGEST}"
            found.append(failures.unacceptable(f".{path}", str(replicas), text))
    return found
