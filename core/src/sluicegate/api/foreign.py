"""Slim, frozen views of foreign objects that come by the thousand: just the members somebody here reads.

Decoded by msgspec straight from the API's JSON; unknown members are skipped, absent ones have the API's zero.
"""

from datetime import datetime
from typing import Any, Final

import msgspec
from msgspec import Struct, field


class Slim(Struct, frozen=True, gc=False, rename="camel", omit_defaults=True, kw_only=True):
    """A frozen struct with camelCase JSON names."""


class OwnerReference(Slim, frozen=True):
    """One owner of an object; `controller` marks the one that manages it."""

    api_version: str = ""
    kind: str = ""
    name: str = ""
    uid: str = ""
    controller: bool = False
    block_owner_deletion: bool = False


class ObjectMeta(Slim, frozen=True):
    """The metadata that controllers look at."""

    name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    generation: int = 0
    creation_timestamp: datetime | None = None
    deletion_timestamp: datetime | None = None
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    owner_references: tuple[OwnerReference, ...] = ()
    finalizers: tuple[str, ...] = ()

    @property
    def controller(self) -> OwnerReference | None:
        """The owner that manages this object, if any."""
        return next((owner for owner in self.owner_references if owner.controller), None)


class LabelSelectorRequirement(Slim, frozen=True):
    """One expression of a selector."""

    key: str
    operator: str
    values: tuple[str, ...] = ()


class LabelSelector(Slim, frozen=True):
    """A label selector; `sluicegate.api.selectors` matches and prints it."""

    match_labels: dict[str, str] = {}
    match_expressions: tuple[LabelSelectorRequirement, ...] = ()


class ReplicaSetSpec(Slim, frozen=True):
    """What a ReplicaSet is to keep up; the pod template stays the mapping it was."""

    replicas: int = 1
    min_ready_seconds: int = 0
    selector: LabelSelector = LabelSelector()
    template: dict[str, Any] = {}


class ReplicaSetCondition(Slim, frozen=True):
    """One condition of a ReplicaSet, such as `ReplicaFailure`."""

    type: str
    status: str
    reason: str = ""
    message: str = ""
    last_transition_time: datetime | None = None


class ReplicaSetStatus(Slim, frozen=True):
    """The counters of a ReplicaSet."""

    replicas: int = 0
    fully_labeled_replicas: int = 0
    ready_replicas: int = 0
    available_replicas: int = 0
    observed_generation: int = 0
    conditions: tuple[ReplicaSetCondition, ...] = ()


class ReplicaSet(Slim, frozen=True):
    """A ReplicaSet of apps/v1."""

    metadata: ObjectMeta = ObjectMeta()
    spec: ReplicaSetSpec = ReplicaSetSpec()
    status: ReplicaSetStatus = ReplicaSetStatus()


class ServicePort(Slim, frozen=True):
    """One port of a Service; `target_port` is a number or a port's name."""

    name: str = ""
    protocol: str = "TCP"
    port: int = 0
    target_port: int | str = 0
    node_port: int = 0


class ServiceSpec(Slim, frozen=True):
    """Which pods a Service stands for, and where it listens."""

    selector: dict[str, str] = {}
    type: str = "ClusterIP"
    cluster_ip: str = field(default="", name="clusterIP")
    ports: tuple[ServicePort, ...] = ()


class Service(Slim, frozen=True):
    """A Service of v1."""

    metadata: ObjectMeta = ObjectMeta()
    spec: ServiceSpec = ServiceSpec()


class ContainerStateWaiting(Slim, frozen=True):
    """Why a container does not run yet."""

    reason: str = ""
    message: str = ""


class ContainerStateRunning(Slim, frozen=True):
    """Since when a container runs."""

    started_at: datetime | None = None


class ContainerStateTerminated(Slim, frozen=True):
    """How a container ended."""

    exit_code: int = 0
    signal: int = 0
    reason: str = ""
    message: str = ""
    finished_at: datetime | None = None


class ContainerState(Slim, frozen=True):
    """What a container does: at most one of the three."""

    waiting: ContainerStateWaiting | None = None
    running: ContainerStateRunning | None = None
    terminated: ContainerStateTerminated | None = None


class ContainerStatus(Slim, frozen=True):
    """One container's state and restarts."""

    name: str = ""
    ready: bool = False
    started: bool | None = None
    restart_count: int = 0
    state: ContainerState = ContainerState()
    last_state: ContainerState = ContainerState()


class PodCondition(Slim, frozen=True):
    """One condition of a pod, such as `Ready`."""

    type: str
    status: str
    reason: str = ""
    last_transition_time: datetime | None = None


class Container(Slim, frozen=True):
    """The little of a container that is shown; `restart_policy` is that of sidecars among init containers."""

    name: str = ""
    image: str = ""
    restart_policy: str = ""


class PodSpec(Slim, frozen=True):
    """Where a pod runs, and what."""

    node_name: str = ""
    containers: tuple[Container, ...] = ()
    init_containers: tuple[Container, ...] = ()
    readiness_gates: tuple[dict[str, str], ...] = ()


class PodStatus(Slim, frozen=True):
    """How a pod is."""

    phase: str = ""
    reason: str = ""
    message: str = ""
    pod_ip: str = field(default="", name="podIP")
    host_ip: str = field(default="", name="hostIP")
    start_time: datetime | None = None
    conditions: tuple[PodCondition, ...] = ()
    init_container_statuses: tuple[ContainerStatus, ...] = ()
    container_statuses: tuple[ContainerStatus, ...] = ()


class Pod(Slim, frozen=True):
    """A Pod of v1."""

    metadata: ObjectMeta = ObjectMeta()
    spec: PodSpec = PodSpec()
    status: PodStatus = PodStatus()


_REPLICA_SET: Final = msgspec.json.Decoder(ReplicaSet)
_SERVICE: Final = msgspec.json.Decoder(Service)
_POD: Final = msgspec.json.Decoder(Pod)


def decode_replica_set(data: bytes) -> ReplicaSet:
    """A ReplicaSet from its JSON; raises msgspec.ValidationError where a member has the wrong type."""
    return _REPLICA_SET.decode(data)


def decode_service(data: bytes) -> Service:
    """A Service from its JSON; raises msgspec.ValidationError where a member has the wrong type."""
    return _SERVICE.decode(data)


def decode_pod(data: bytes) -> Pod:
    """A Pod from its JSON; raises msgspec.ValidationError where a member has the wrong type."""
    return _POD.decode(data)
