"""CustomResourceDefinitions: what makes one acceptable, the status it gets, and the resource it serves.

A definition serves its storage version only; all others are as if `served: false`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sluicegate.api.resources import CRDS, Resource
from sluicegate.local import failures
from sluicegate.local.apiserver.resources import Registry, ScalePaths, Served
from sluicegate.local.apiserver.schema import PRESERVE, Schema
from sluicegate.local.objects import Change, Key, Object
from sluicegate.local.versions import Traits

if TYPE_CHECKING:
    from sluicegate.local.store import ObjectStore

CLEANUP_FINALIZER = "customresourcecleanup.apiextensions.k8s.io"
_AGE = {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}


def key(name: str) -> Key:
    """Return where the definition of this name is stored."""
    return Key(CRDS.group, CRDS.plural, "", name)


def install(store: ObjectStore, manifest: Object) -> None:
    """Store a definition, or bring the stored one to what the manifest says; nothing is written if it says just that.

    Raises Invalid for a manifest that is none.
    """
    completed = complete(manifest, None, store)
    stored = store.find(key(manifest["metadata"]["name"]))
    if stored is None:
        store.create(key(manifest["metadata"]["name"]), completed)
    else:
        store.update(key(manifest["metadata"]["name"]), lambda current: {**current, "spec": completed["spec"]})


def complete(crd: Object, old: Object | None, store: ObjectStore) -> Object:
    """Admit a definition: check it, fill in names and (when it is new) its status. Raises Invalid."""
    name = crd.get("metadata", {}).get("name", "")
    faults = _faults(crd, name)
    if faults:
        raise failures.invalid("CustomResourceDefinition.apiextensions.k8s.io", name, faults)
    spec = crd["spec"]
    names = {
        "singular": spec["names"]["kind"].lower(),
        "listKind": f"{spec['names']['kind']}List",
        **spec["names"],
    }
    completed = {**crd, "spec": {"conversion": {"strategy": "None"}, **spec, "names": names}}
    if old is None:
        metadata = dict(crd["metadata"])
        metadata["finalizers"] = [*metadata.get("finalizers", ()), CLEANUP_FINALIZER]
        completed |= {"metadata": metadata, "status": _status(completed["spec"], store.timestamp())}
    return completed


def _faults(crd: Object, name: str) -> list[failures.FieldFault]:
    spec = crd.get("spec") or {}
    names = spec.get("names") or {}
    faults = [failures.required(f"spec.{member}") for member in ("group", "scope", "versions") if not spec.get(member)]
    faults += [failures.required(f"spec.names.{member}") for member in ("plural", "kind") if not names.get(member)]
    if not faults and name != f"{names['plural']}.{spec['group']}":
        faults.append(failures.unacceptable("metadata.name", f'"{name}"', 'must be spec.names.plural+"."+spec.group'))
    if not faults and sum(bool(version.get("storage")) for version in spec["versions"]) != 1:
        text = "must have exactly one version marked as storage version"
        faults.append(failures.unacceptable("spec.versions", "[...]", text))
    return faults + _version_faults(spec.get("versions") or ())


def _version_faults(versions: Any) -> list[failures.FieldFault]:
    return [
        failures.required(f"spec.versions[{at}].schema.openAPIV3Schema", "schemas are required")
        for at, version in enumerate(versions)
        if not (version.get("schema") or {}).get("openAPIV3Schema")
    ]


def _status(spec: Object, now: str) -> Object:
    def condition(kind: str, reason: str, message: str) -> Object:
        return {"type": kind, "status": "True", "lastTransitionTime": now, "reason": reason, "message": message}

    return {
        "acceptedNames": spec["names"],
        "conditions": [
            condition("NamesAccepted", "NoConflicts", "no conflicts found"),
            condition("Established", "InitialNamesAccepted", "the initial names have been accepted"),
        ],
        "storedVersions": [_storage_version(spec)["name"]],
    }


def _storage_version(spec: Object) -> Object:
    return next(version for version in spec["versions"] if version.get("storage"))


def follow(store: ObjectStore, registry: Registry) -> None:
    """Serve what the stored definitions define, now and whenever one changes."""

    def changed(change: Change) -> None:
        if change.type == "DELETED":
            spec = change.object["spec"]
            registry.withdraw((spec["group"], spec["names"]["plural"]))
        else:
            _serve(change.object, store, registry)

    for crd in store.list(CRDS.group, CRDS.plural):
        _serve(crd, store, registry)
    store.observe(CRDS.group, CRDS.plural, changed)


def _serve(crd: Object, store: ObjectStore, registry: Registry) -> None:
    served = served_by(crd)
    registry.serve(served)
    store.declare(*served.kind, Traits(status=served.status))


def served_by(crd: Object) -> Served:
    """Return the resource that a completed definition serves."""
    spec, names = crd["spec"], crd["spec"]["names"]
    version = _storage_version(spec)
    subresources = version.get("subresources") or {}
    return Served(
        Resource(spec["group"], version["name"], names["plural"], names["kind"], spec["scope"] == "Namespaced"),
        names["singular"],
        tuple(names.get("shortNames") or ()),
        tuple(names.get("categories") or ()),
        status="status" in subresources,
        scale=_scale(subresources.get("scale")),
        unconditional=False,
        list_kind=names["listKind"],
        schema=_schema(spec, version),
        columns=tuple(version.get("additionalPrinterColumns") or [_AGE]),
    )


def _schema(spec: Object, version: Object) -> Schema:
    root = version["schema"]["openAPIV3Schema"]
    if spec.get("preserveUnknownFields"):
        root = {**root, PRESERVE: True}
    return Schema(root)


def _scale(paths: Object | None) -> ScalePaths | None:
    if paths is None:
        return None
    selector = paths.get("labelSelectorPath", "").strip(".")
    return ScalePaths(paths["specReplicasPath"].strip("."), paths["statusReplicasPath"].strip("."), selector)
