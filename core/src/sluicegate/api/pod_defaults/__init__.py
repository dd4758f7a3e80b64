"""What the Kubernetes API server fills into a pod template: needed to compare, validate and store templates."""

from collections.abc import Mapping
from typing import Any, Final

from sluicegate.api.encoding import encode
from sluicegate.api.pod_defaults.containers import default_container
from sluicegate.api.pod_defaults.fields import Object, fill_absent, fill_empty, members
from sluicegate.api.pod_defaults.volumes import default_volume

CONTAINERS: Final = ("containers", "initContainers", "ephemeralContainers")


def defaulted_template(template: Mapping[str, Any]) -> dict[str, Any]:
    """A pod template as the API server would store it: typed (zero values and unknown members gone), then filled in."""
    stored: Object = encode(template, "PodTemplateSpec")
    default_pod_spec(stored["spec"])
    return stored


def default_pod_spec(spec: Object) -> None:
    """Fill in what both a Pod and a pod template get, in place."""
    fill_empty(spec, dnsPolicy="ClusterFirst", restartPolicy="Always", schedulerName="default-scheduler")
    fill_absent(spec, securityContext={}, terminationGracePeriodSeconds=30)
    if account := spec.get("serviceAccountName") or spec.get("serviceAccount"):
        spec["serviceAccountName"] = spec["serviceAccount"] = account
    for kind in CONTAINERS:
        for container in members(spec, kind):
            default_container(container)
    for volume in members(spec, "volumes"):
        default_volume(volume)
