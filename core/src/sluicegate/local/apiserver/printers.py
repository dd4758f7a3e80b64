"""The columns of the built-in kinds, as `kubectl get` prints them."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from sluicegate.local.apiserver import selectors
from sluicegate.local.apiserver.paths import lookup

if TYPE_CHECKING:
    from collections.abc import Callable

    from sluicegate.local.objects import Kind, Object

_NONE = "<none>"
_UNKNOWN = "<unknown>"
_WIDE = 1


class Column(NamedTuple):
    """One column; those of priority 1 are shown with `-o wide` only."""

    name: str
    of: Callable[[Object], Any]
    type: str = "string"
    priority: int = 0

    def definition(self) -> Object:
        """Return the column as the head of a Table describes it."""
        return {
            "name": self.name,
            "type": self.type,
            "format": "name" if self.name == "Name" else "",
            "description": self.name,
            "priority": self.priority,
        }

    def cell(self, obj: Object, now: datetime) -> Any:
        """Return the column's cell for an object; an odd object must not make a whole list unreadable."""
        try:
            value = self.of(obj)
        except (AttributeError, KeyError, TypeError, ValueError, msgspec.ValidationError):
            return _UNKNOWN
        return age(value, now) if self.type == "date" else value


def age(created: Any, now: datetime) -> str:
    """Return how long ago a time is, in the two largest units that matter; `<unknown>` without a time."""
    try:
        seconds = int((now - datetime.fromisoformat(created)).total_seconds())
    except (TypeError, ValueError):
        return _UNKNOWN
    return duration(seconds)


def duration(seconds: int) -> str:
    """Return a number of seconds as `kubectl` prints it: `5m30s`, `3h`, `12d`."""
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if seconds < -1:
        return "<invalid>"
    if seconds < 120:
        return f"{max(seconds, 0)}s"
    if minutes < 10:
        return f"{minutes}m" + _rest(seconds % 60, "s")
    if hours < 3:
        return f"{minutes}m"
    if hours < 8:
        return f"{hours}h" + _rest(minutes % 60, "m")
    if hours < 48:
        return f"{hours}h"
    if days < 8:
        return f"{days}d" + _rest(hours % 24, "h")
    if days < 730:
        return f"{days}d"
    return f"{days // 365}y" + (_rest(days % 365, "d") if days < 8 * 365 else "")


def _rest(count: int, unit: str) -> str:
    return f"{count}{unit}" if count else ""


def text(value: Any) -> str:
    """Return any value as one word of a cell."""
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


def _at(path: str, default: Any = _NONE) -> Callable[[Object], Any]:
    def found(obj: Object) -> Any:
        value = lookup(obj, path)
        return default if value in (None, "") else value

    return found


def _count(path: str) -> Callable[[Object], Any]:
    return _at(path, 0)


def _size(path: str) -> Callable[[Object], int]:
    return lambda obj: len(lookup(obj, path) or ())


def _selector(obj: Object) -> str:
    return selectors.shown(lookup(obj, "spec.selector") or {})


def _label_map(obj: Object) -> str:
    labels = lookup(obj, "spec.selector") or {}
    return ",".join(f"{key}={value}" for key, value in sorted(labels.items())) or _NONE


def _containers(obj: Object) -> list[Object]:
    return lookup(obj, "spec.template.spec.containers") or []


def _of_containers(member: str) -> Callable[[Object], str]:
    return lambda obj: ",".join(str(container.get(member, "")) for container in _containers(obj))


def _pod_statuses(obj: Object) -> list[Object]:
    return lookup(obj, "status.containerStatuses") or []


def _pod_ready(obj: Object) -> str:
    ready = sum(bool(status.get("ready")) for status in _pod_statuses(obj))
    return f"{ready}/{len(lookup(obj, 'spec.containers') or ())}"


def _pod_status(obj: Object) -> str:
    if "deletionTimestamp" in obj["metadata"]:
        return "Terminating"
    for status in _pod_statuses(obj):
        state = status.get("state") or {}
        for name in ("waiting", "terminated"):
            if reason := (state.get(name) or {}).get("reason"):
                return str(reason)
    return str(lookup(obj, "status.reason") or lookup(obj, "status.phase") or "Unknown")


def _pod_restarts(obj: Object) -> str:
    return str(sum(status.get("restartCount", 0) for status in _pod_statuses(obj)))


def _pod_gates(obj: Object) -> str:
    gates = [gate.get("conditionType") for gate in lookup(obj, "spec.readinessGates") or ()]
    conditions = lookup(obj, "status.conditions") or ()
    true = {condition.get("type") for condition in conditions if condition.get("status") == "True"}
    return f"{len(true.intersection(gates))}/{len(gates)}" if gates else _NONE


def _service_ports(obj: Object) -> str:
    def shown(port: Object) -> str:
        node_port = f":{port['nodePort']}" if port.get("nodePort") else ""
        return f"{port.get('port')}{node_port}/{port.get('protocol', 'TCP')}"

    return ",".join(shown(port) for port in lookup(obj, "spec.ports") or ()) or _NONE


def _external_ip(obj: Object) -> str:
    addresses = [str(address) for address in lookup(obj, "spec.externalIPs") or ()]
    balanced = lookup(obj, "status.loadBalancer.ingress") or ()
    addresses += [str(entry.get("ip") or entry.get("hostname")) for entry in balanced]
    if not addresses and lookup(obj, "spec.type") == "LoadBalancer":
        return "<pending>"
    return ",".join(addresses) or _NONE


def _endpoints(obj: Object) -> str:
    shown = [
        f"{address.get('ip')}:{port.get('port')}"
        for subset in obj.get("subsets") or ()
        for address in subset.get("addresses") or ()
        for port in subset.get("ports") or [{}]
    ]
    return _shortened(shown)


def _slice_endpoints(obj: Object) -> str:
    return _shortened([address for endpoint in obj.get("endpoints") or () for address in endpoint.get("addresses", ())])


def _shortened(shown: list[str]) -> str:
    more = f" + {len(shown) - 3} more..." if len(shown) > 3 else ""
    return ",".join(shown[:3]) + more or _NONE


def _slice_ports(obj: Object) -> str:
    return ",".join(str(port.get("port", "*")) for port in obj.get("ports") or ()) or "<unset>"


def _event_object(obj: Object) -> str:
    involved = obj.get("involvedObject") or {}
    return f"{str(involved.get('kind', '')).lower()}/{involved.get('name', '')}"


def _last_seen(obj: Object) -> Any:
    return obj.get("lastTimestamp") or obj.get("eventTime") or obj["metadata"].get("creationTimestamp")


def _node_status(obj: Object) -> str:
    for condition in lookup(obj, "status.conditions") or ():
        if condition.get("type") == "Ready":
            ready = "Ready" if condition.get("status") == "True" else "NotReady"
            return ready + (",SchedulingDisabled" if lookup(obj, "spec.unschedulable") else "")
    return "Unknown"


def _node_roles(obj: Object) -> str:
    prefix = "node-role.kubernetes.io/"
    labels = obj["metadata"].get("labels") or {}
    return ",".join(sorted(key.removeprefix(prefix) for key in labels if key.startswith(prefix))) or _NONE


def _node_address(kind: str) -> Callable[[Object], str]:
    def found(obj: Object) -> str:
        for address in lookup(obj, "status.addresses") or ():
            if address.get("type") == kind:
                return str(address.get("address"))
        return _NONE

    return found


def _deployment_ready(obj: Object) -> str:
    return f"{_count('status.readyReplicas')(obj)}/{_count('spec.replicas')(obj)}"


def _hosts(obj: Object) -> str:
    hosts = [rule.get("host") for rule in lookup(obj, "spec.rules") or () if rule.get("host")]
    return ",".join(hosts) or "*"


def _job_status(obj: Object) -> str:
    for condition in lookup(obj, "status.conditions") or ():
        if condition.get("status") == "True" and condition.get("type") in ("Complete", "Failed", "Suspended"):
            return str(condition["type"])
    return "Running"


def _job_completions(obj: Object) -> str:
    return f"{_count('status.succeeded')(obj)}/{_at('spec.completions', 1)(obj)}"


def _number(name: str, path: str) -> Column:
    return Column(name, _count(path), "integer")


_NAME = Column("Name", lambda obj: obj["metadata"]["name"])
_AGE = Column("Age", _at("metadata.creationTimestamp", None), "date")
_TEMPLATE = (
    Column("Containers", _of_containers("name"), priority=_WIDE),
    Column("Images", _of_containers("image"), priority=_WIDE),
    Column("Selector", _selector, priority=_WIDE),
)
_COLUMNS: dict[Kind, tuple[Column, ...]] = {
    ("", "configmaps"): (Column("Data", _size("data"), "integer"), _AGE),
    ("", "endpoints"): (Column("Endpoints", _endpoints), _AGE),
    ("", "events"): (
        Column("Last Seen", _last_seen, "date"),
        Column("Type", _at("type")),
        Column("Reason", _at("reason")),
        Column("Object", _event_object),
        Column("Source", _at("source.component"), priority=_WIDE),
        Column("Message", lambda obj: str(obj.get("message", "")).strip()),
        Column("Count", _at("count", 1), "integer", _WIDE),
        _NAME._replace(priority=_WIDE),
    ),
    ("", "namespaces"): (Column("Status", _at("status.phase", "")), _AGE),
    ("", "nodes"): (
        Column("Status", _node_status),
        Column("Roles", _node_roles),
        _AGE,
        Column("Version", _at("status.nodeInfo.kubeletVersion", "")),
        Column("Internal-IP", _node_address("InternalIP"), priority=_WIDE),
        Column("OS-Image", _at("status.nodeInfo.osImage", _UNKNOWN), priority=_WIDE),
    ),
    ("", "pods"): (
        Column("Ready", _pod_ready),
        Column("Status", _pod_status),
        Column("Restarts", _pod_restarts),
        _AGE,
        Column("IP", _at("status.podIP"), priority=_WIDE),
        Column("Node", _at("spec.nodeName"), priority=_WIDE),
        Column("Nominated Node", _at("status.nominatedNodeName"), priority=_WIDE),
        Column("Readiness Gates", _pod_gates, priority=_WIDE),
    ),
    ("", "secrets"): (Column("Type", _at("type", "Opaque")), Column("Data", _size("data"), "integer"), _AGE),
    ("", "serviceaccounts"): (Column("Secrets", _size("secrets"), "integer"), _AGE),
    ("", "services"): (
        Column("Type", _at("spec.type", "ClusterIP")),
        Column("Cluster-IP", _at("spec.clusterIP")),
        Column("External-IP", _external_ip),
        Column("Port(s)", _service_ports),
        _AGE,
        Column("Selector", _label_map, priority=_WIDE),
    ),
    ("apps", "deployments"): (
        Column("Ready", _deployment_ready),
        _number("Up-to-date", "status.updatedReplicas"),
        _number("Available", "status.availableReplicas"),
        _AGE,
        *_TEMPLATE,
    ),
    ("apps", "replicasets"): (
        _number("Desired", "spec.replicas"),
        _number("Current", "status.replicas"),
        _number("Ready", "status.readyReplicas"),
        _AGE,
        *_TEMPLATE,
    ),
    ("batch", "jobs"): (Column("Status", _job_status), Column("Completions", _job_completions), _AGE, *_TEMPLATE),
    ("coordination.k8s.io", "leases"): (Column("Holder", _at("spec.holderIdentity", "")), _AGE),
    ("discovery.k8s.io", "endpointslices"): (
        Column("AddressType", _at("addressType")),
        Column("Ports", _slice_ports),
        Column("Endpoints", _slice_endpoints),
        _AGE,
    ),
    ("networking.k8s.io", "ingresses"): (
        Column("Class", _at("spec.ingressClassName")),
        Column("Hosts", _hosts),
        Column("Address", lambda obj: ""),
        Column("Ports", lambda obj: "80, 443" if lookup(obj, "spec.tls") else "80"),
        _AGE,
    ),
    ("policy", "poddisruptionbudgets"): (
        Column("Min Available", _at("spec.minAvailable", "N/A")),
        Column("Max Unavailable", _at("spec.maxUnavailable", "N/A")),
        _number("Allowed Disruptions", "status.disruptionsAllowed"),
        _AGE,
    ),
    ("apiextensions.k8s.io", "customresourcedefinitions"): (
        Column("Created At", _at("metadata.creationTimestamp", "")),
    ),
}


def columns(kind: Kind) -> tuple[Column, ...]:
    """Return the columns of a built-in kind; the name comes first where the kind has no other place for it."""
    own = _COLUMNS.get(kind, (_AGE,))
    return own if any(column.name == "Name" for column in own) else (_NAME, *own)
