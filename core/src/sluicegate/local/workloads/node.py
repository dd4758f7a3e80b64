"""The one node of the embedded cluster. Pure."""

from __future__ import annotations

import os
import platform
from typing import TYPE_CHECKING, Final

from sluicegate.local.apiserver.documents import KUBERNETES_VERSION

if TYPE_CHECKING:
    from sluicegate.local.objects import Object

NODE: Final = "local"
CAPACITY: Final = {"cpu": str(os.cpu_count() or 1), "memory": "8Gi", "ephemeral-storage": "64Gi", "pods": "1k"}
MACHINES: Final = {"x86_64": "amd64", "aarch64": "arm64"}
# Type, status when all is well, reason, message: what a kubelet reports of its node.
CONDITIONS: Final = (
    ("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    ("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    ("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    ("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
)


def node(address: str, now: str) -> Object:
    """The node, ready."""
    machine = MACHINES.get(platform.machine(), platform.machine())
    labels = {
        "kubernetes.io/hostname": NODE,
        "kubernetes.io/os": platform.system().lower(),
        "kubernetes.io/arch": machine,
    }
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"labels": labels},
        "spec": {},
        "status": {
            "addresses": [{"type": "InternalIP", "address": address}, {"type": "Hostname", "address": NODE}],
            "capacity": CAPACITY,
            "allocatable": CAPACITY,
            "conditions": [_condition(*row, now) for row in CONDITIONS],
            "nodeInfo": _info(machine),
        },
    }


def heartbeat(now: str) -> Object:
    """The Lease by which a node shows that it lives; here it tells when the cluster was started."""
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {},
        "spec": {"holderIdentity": NODE, "leaseDurationSeconds": 40, "renewTime": f"{now[:-1]}.000000Z"},
    }


def _condition(kind: str, status: str, reason: str, message: str, now: str) -> Object:
    times = {"lastHeartbeatTime": now, "lastTransitionTime": now}
    return {"type": kind, "status": status, "reason": reason, "message": message, **times}


def _info(machine: str) -> Object:
    return {
        "architecture": machine,
        "bootID": "",
        "containerRuntimeVersion": f"built-in://{platform.python_version()}",
        "kernelVersion": platform.release(),
        "kubeProxyVersion": KUBERNETES_VERSION,
        "kubeletVersion": KUBERNETES_VERSION,
        "machineID": "",
        "operatingSystem": platform.system().lower(),
        "osImage": platform.platform(),
        "systemUUID": "",
    }
