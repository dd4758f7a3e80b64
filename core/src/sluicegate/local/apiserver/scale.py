"""The scale subresource: any kind with a number of replicas, seen as `autoscaling/v1` Scale."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sluicegate.api.resources import Resource
from sluicegate.local.apiserver import paths, selectors
from sluicegate.local.apiserver.resources import Served

if TYPE_CHECKING:
    from sluicegate.local.objects import Object

SERVED = Served(Resource("autoscaling", "v1", "scales", "Scale"), "scale")
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
