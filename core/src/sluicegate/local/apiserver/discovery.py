"""Discovery: which groups, versions and resources there are, aggregated (v2) and group by group."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sluicegate.local.apiserver.resources import Registry, Served
    from sluicegate.local.objects import Object

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
_SUBRESOURCE_VERBS = ["get", "patch", "update"]
_FOREIGN_KINDS = {"eviction": ("policy", "v1", "Eviction"), "scale": ("autoscaling", "v1", "Scale")}


def aggregated(registry: Registry, *, core: bool) -> Object:
    """Return everything under `/api` (core) or `/apis` in one document."""
    groups = [group for group in _groups(registry) if (group == "") is core]
    items = [_aggregated_group(group, registry) for group in groups]
    return {"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items}


def _groups(registry: Registry) -> list[str]:
    return list(dict.fromkeys(group for group, _ in registry.versions()))


def _aggregated_group(group: str, registry: Registry) -> Object:
    versions = [
        {"version": version, "freshness": "Current", "resources": [_aggregated_resource(one) for one in served]}
        for (of_group, version), served in registry.versions().items()
        if of_group == group
    ]
    return {"metadata": {"name": group} if group else {}, "versions": versions}


def _aggregated_resource(served: Served) -> Object:
    resource = served.resource
    own = (resource.group, resource.version, resource.kind)
    subresources = [
        {"subresource": name, "responseKind": _kind(*_FOREIGN_KINDS.get(name, own)), "verbs": _subresource_verbs(name)}
        for name in _subresources(served)
    ]
    return {
        "resource": resource.plural,
        "responseKind": _kind(*own),
        "scope": "Namespaced" if resource.namespaced else "Cluster",
        "singularResource": served.singular,
        "verbs": list(served.verbs),
        **({"shortNames": list(served.short_names)} if served.short_names else {}),
        **({"categories": list(served.categories)} if served.categories else {}),
        **({"subresources": subresources} if subresources else {}),
    }


def _kind(group: str, version: str, kind: str) -> Object:
    return {"group": group, "version": version, "kind": kind}


def _subresources(served: Served) -> list[str]:
    present = {"eviction": served.eviction, "scale": served.scale, "status": served.status}
    return [name for name, there in present.items() if there]


def _subresource_verbs(name: str) -> list[str]:
    return ["create"] if name == "eviction" else _SUBRESOURCE_VERBS


def core_versions(address: str) -> Object:
    """Return the versions of the core group, for clients that do not ask for the aggregated form."""
    servers = [{"clientCIDR": "0.0.0.0/0", "serverAddress": address}]
    return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": servers}


def group_list(registry: Registry) -> Object:
    """Return all named groups with their versions."""
    groups = [_group(group, registry) for group in _groups(registry) if group]
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}


def group(name: str, registry: Registry) -> Object | None:
    """Return one named group, None if nothing of it is served."""
    if not name or name not in _groups(registry):
        return None
    return {"kind": "APIGroup", "apiVersion": "v1", **_group(name, registry)}


def _group(name: str, registry: Registry) -> Object:
    versions = [
        {"groupVersion": f"{name}/{version}", "version": version}
        for of_group, version in registry.versions()
        if of_group == name
    ]
    return {"name": name, "versions": versions, "preferredVersion": versions[0]}


def resource_list(group: str, version: str, registry: Registry) -> Object | None:
    """Return the resources of one group and version, None if nothing of it is served."""
    served = registry.versions().get((group, version))
    if served is None:
        return None
    rows = [row for one in served for row in _rows(one)]
    group_version = f"{group}/{version}" if group else version
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version, "resources": rows}


def _rows(served: Served) -> list[Object]:
    resource = served.resource
    row = {
        "name": resource.plural,
        "singularName": served.singular,
        "namespaced": resource.namespaced,
        "kind": resource.kind,
        "verbs": list(served.verbs),
    }
    if served.short_names:
        row["shortNames"] = list(served.short_names)
    if served.categories:
        row["categories"] = list(served.categories)
    return [row, *(_subresource_row(served, name) for name in _subresources(served))]


def _subresource_row(served: Served, name: str) -> Object:
    resource = served.resource
    row = {
        "name": f"{resource.plural}/{name}",
        "singularName": "",
        "namespaced": resource.namespaced,
        "kind": resource.kind,
        "verbs": _subresource_verbs(name),
    }
    if name in _FOREIGN_KINDS:
        row |= _kind(*_FOREIGN_KINDS[name])
    return row
