"""Strategic merge patch: merge patch, but lists of some types are merged item by item, by a key of the type.

The keys belong to types, not to field names: `ports` of a container go by `containerPort`, a Service's by `port`.
Directives are `$patch`, `$setElementOrder/<list>`, `$deleteFromPrimitiveList/<list>` and `$retainKeys`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from sluicegate.local import failures

if TYPE_CHECKING:
    from sluicegate.local.objects import Object

_PATCH = "$patch"
_ORDER = "$setElementOrder/"
_DELETE_PRIMITIVES = "$deleteFromPrimitiveList/"
_RETAIN = "$retainKeys"
_PRIMITIVE = ""


class _Field(NamedTuple):
    """The type that is found in a field; lists with a `key` are merged by it, primitive ones as sets."""

    type: str = ""
    key: str | None = None


_CONTAINERS = _Field("Container", "name")
_CONDITIONS = {"conditions": _Field("", "type")}
_TYPES: dict[str, dict[str, _Field]] = {
    "ObjectMeta": {"ownerReferences": _Field("", "uid"), "finalizers": _Field("", _PRIMITIVE)},
    "Pod": {"metadata": _Field("ObjectMeta"), "spec": _Field("PodSpec"), "status": _Field("PodStatus")},
    "PodStatus": {**_CONDITIONS, "podIPs": _Field("", "ip"), "hostIPs": _Field("", "ip")},
    "PodTemplateSpec": {"metadata": _Field("ObjectMeta"), "spec": _Field("PodSpec")},
    "PodSpec": {
        "containers": _CONTAINERS,
        "initContainers": _CONTAINERS,
        "ephemeralContainers": _CONTAINERS,
        "volumes": _Field("", "name"),
        "imagePullSecrets": _Field("", "name"),
        "hostAliases": _Field("", "ip"),
        "topologySpreadConstraints": _Field("", "topologyKey"),
        "schedulingGates": _Field("", "name"),
        "resourceClaims": _Field("", "name"),
    },
    "Container": {
        "ports": _Field("", "containerPort"),
        "env": _Field("", "name"),
        "volumeMounts": _Field("", "mountPath"),
        "volumeDevices": _Field("", "devicePath"),
    },
    "Workload": {"metadata": _Field("ObjectMeta"), "spec": _Field("WorkloadSpec"), "status": _Field("Status")},
    "WorkloadSpec": {"template": _Field("PodTemplateSpec")},
    "PodTemplate": {"metadata": _Field("ObjectMeta"), "template": _Field("PodTemplateSpec")},
    "Status": _CONDITIONS,
    "Service": {"metadata": _Field("ObjectMeta"), "spec": _Field("ServiceSpec"), "status": _Field("Status")},
    "ServiceSpec": {"ports": _Field("", "port")},
    "ServiceAccount": {
        "metadata": _Field("ObjectMeta"),
        "secrets": _Field("", "name"),
        "imagePullSecrets": _Field("", "name"),
    },
    "Node": {"metadata": _Field("ObjectMeta"), "spec": _Field("NodeSpec"), "status": _Field("NodeStatus")},
    "NodeSpec": {"podCIDRs": _Field("", _PRIMITIVE)},
    "NodeStatus": {**_CONDITIONS, "addresses": _Field("", "type")},
    "Other": {"metadata": _Field("ObjectMeta"), "status": _Field("Status")},
}
_TYPE_OF_KIND = {
    "Deployment": "Workload",
    "ReplicaSet": "Workload",
    "Job": "Workload",
    **{kind: kind for kind in ("Pod", "PodTemplate", "Service", "ServiceAccount", "Node")},
}


def merge(kind: str, target: Object, patch: Any) -> Object:
    """Return an object of a built-in kind with a strategic merge patch applied. Raises BadRequest for a bad patch."""
    if not isinstance(patch, dict):
        raise failures.bad_request("error decoding patch: a strategic merge patch is an object")
    try:
        return _merge_object(target, patch, _TYPE_OF_KIND.get(kind, "Other"))
    except (AttributeError, TypeError) as error:
        raise failures.bad_request(f"error decoding patch: a member has the wrong type: {error}") from error


def _merge_object(target: Object, patch: Object, type_name: str) -> Object:
    if _PATCH in patch:
        return _directed(patch)
    merged = _retained(target, patch)
    fields = _TYPES.get(type_name, {})
    for name, value in patch.items():
        if name.startswith("$"):
            continue
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = _merge_value(merged.get(name), value, fields.get(name, _Field()))
    _delete_primitives(merged, patch)
    _reorder(merged, patch, fields)
    return merged


def _directed(patch: Object) -> Object:
    directive = patch[_PATCH]
    if directive not in ("replace", "delete"):
        raise failures.bad_request(f"error decoding patch: unknown directive {_PATCH}: {directive}")
    return {} if directive == "delete" else _plain(patch)


def _retained(target: Object, patch: Object) -> Object:
    keep = patch.get(_RETAIN)
    return {name: value for name, value in target.items() if keep is None or name in keep}


def _merge_value(target: Any, value: Any, field: _Field) -> Any:
    if isinstance(value, dict):
        return _merge_object(target if isinstance(target, dict) else {}, value, field.type)
    if isinstance(value, list) and field.key == _PRIMITIVE:
        present = target or []
        return [*present, *(item for item in value if item not in present)]
    if isinstance(value, list) and field.key is not None:
        return _merge_list(target or [], value, field)
    return _plain(value)


def _merge_list(target: list[Object], patch: list[Object], field: _Field) -> list[Object]:
    if any(item.get(_PATCH) == "replace" for item in patch):
        return [_plain(item) for item in patch if _PATCH not in item]
    merged = list(target)
    for item in patch:
        _merge_item(merged, item, field)
    return merged


def _merge_item(merged: list[Object], item: Object, field: _Field) -> None:
    key = field.key or ""
    if key not in item:
        raise failures.bad_request(f"map: {item} does not contain declared merge key: {key}")
    at = next((at for at, present in enumerate(merged) if present.get(key) == item[key]), None)
    if item.get(_PATCH) == "delete":
        merged[:] = [present for present in merged if present.get(key) != item[key]]
    elif at is None:
        merged.append(_merge_object({}, item, field.type))
    else:
        merged[at] = _merge_object(merged[at], item, field.type)


def _delete_primitives(merged: Object, patch: Object) -> None:
    for directive, unwanted in patch.items():
        name = directive.removeprefix(_DELETE_PRIMITIVES)
        if name != directive and name in merged:
            merged[name] = [item for item in merged[name] if item not in unwanted]


def _reorder(merged: Object, patch: Object, fields: dict[str, _Field]) -> None:
    """Put the items that `$setElementOrder` names into its order; others stay behind the item they followed."""
    for directive, order in patch.items():
        name = directive.removeprefix(_ORDER)
        if name == directive or not isinstance(merged.get(name), list):
            continue
        key = fields.get(name, _Field()).key
        wanted = [item.get(key) if key and isinstance(item, dict) else item for item in order]
        merged[name] = _in_order(merged[name], wanted, key)


def _in_order(items: list[Any], wanted: list[Any], key: str | None) -> list[Any]:
    ranks: list[tuple[int, int]] = []
    rank = -1
    for position, item in enumerate(items):
        identity = item.get(key) if key else item
        rank = wanted.index(identity) if identity in wanted else rank
        ranks.append((rank, position))
    return [items[position] for _, position in sorted(ranks)]


def _plain(value: Any) -> Any:
    """Drop directives and nulls from what is taken over as a whole."""
    if isinstance(value, dict):
        return {
            name: _plain(member) for name, member in value.items() if not name.startswith("$") and member is not None
        }
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value
