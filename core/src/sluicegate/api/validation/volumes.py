"""The checks of volumes and of where containers mount them (rollout 1.10, rows 4 and 6)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sluicegate.api.quantity import parse_quantity
from sluicegate.api.validation.field_error import FieldError, duplicate, forbidden, invalid, not_found, required
from sluicegate.api.validation.label_syntax import dns_label

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# The order in which Kubernetes looks at the sources: the first one is taken, the others are too many.
_SOURCES: Final = (
    *("emptyDir", "hostPath", "gitRepo", "gcePersistentDisk", "awsElasticBlockStore", "secret", "nfs", "iscsi"),
    *("glusterfs", "flocker", "persistentVolumeClaim", "rbd", "cinder", "cephfs", "quobyte", "downwardAPI", "fc"),
    *("flexVolume", "configMap", "azureFile", "vsphereVolume", "photonPersistentDisk", "portworxVolume", "azureDisk"),
    *("storageos", "projected", "scaleIO", "csi", "ephemeral", "image"),
)
_BACKSTEP: Final = "must not contain '..'"


def volume_errors(volumes: list[dict[str, Any]], path: str, mountable: set[str]) -> Iterator[FieldError]:
    """What is wrong with the volumes; the names of the sound ones are added to `mountable`."""
    for index, volume in enumerate(volumes):
        where = f"{path}[{index}]"
        errors = [*_source_errors(volume, where), *_name_errors(volume["name"], f"{where}.name", mountable)]
        if not errors:
            mountable.add(volume["name"])
        yield from errors


def _name_errors(name: str, path: str, known: set[str]) -> Iterator[FieldError]:
    if not name:
        yield required(path)
        return
    messages = list(dns_label(name))
    yield from (invalid(path, name, message) for message in messages)
    if not messages and name in known:
        yield duplicate(path, name)


def _source_errors(volume: dict[str, Any], path: str) -> Iterator[FieldError]:
    given = [source for source in _SOURCES if source in volume]
    for index, source in enumerate(given):
        if index:
            yield forbidden(f"{path}.{source}", "may not specify more than 1 volume type")
        elif source in _CHECKS:
            yield from _CHECKS[source](volume[source], f"{path}.{source}")


def _empty_dir_errors(source: dict[str, Any], path: str) -> Iterator[FieldError]:
    if parse_quantity(source.get("sizeLimit", "0")).nanos < 0:
        yield forbidden(f"{path}.sizeLimit", "SizeLimit field must be a valid resource quantity")


def _host_path_errors(source: dict[str, Any], path: str) -> Iterator[FieldError]:
    if not source["path"]:
        yield required(f"{path}.path")
    elif has_backstep(source["path"]):
        yield invalid(f"{path}.path", source["path"], _BACKSTEP)


def _nfs_errors(source: dict[str, Any], path: str) -> Iterator[FieldError]:
    if not source["server"]:
        yield required(f"{path}.server")
    if not source["path"]:
        yield required(f"{path}.path")
    elif not source["path"].startswith("/"):
        yield invalid(f"{path}.path", source["path"], "must be an absolute path")


def _config_map_errors(source: dict[str, Any], path: str) -> Iterator[FieldError]:
    if not source.get("name"):
        yield required(f"{path}.name")
    yield from _mode_errors(source, path)


def _secret_errors(source: dict[str, Any], path: str) -> Iterator[FieldError]:
    if not source.get("secretName"):
        yield required(f"{path}.secretName")
    yield from _mode_errors(source, path)


def _claim_errors(source: dict[str, Any], path: str) -> Iterator[FieldError]:
    if not source["claimName"]:
        yield required(f"{path}.claimName")


def _mode_errors(source: dict[str, Any], path: str) -> Iterator[FieldError]:
    mode = source.get("defaultMode", 0)
    if not 0 <= mode <= 0o777:
        detail = "must be a number between 0 and 0777 (octal), both inclusive"
        yield invalid(f"{path}.defaultMode", mode, detail)


_CHECKS: Final[dict[str, Callable[[dict[str, Any], str], Iterator[FieldError]]]] = {
    "emptyDir": _empty_dir_errors,
    "hostPath": _host_path_errors,
    "nfs": _nfs_errors,
    "configMap": _config_map_errors,
    "secret": _secret_errors,
    "persistentVolumeClaim": _claim_errors,
}


def has_backstep(path: str) -> bool:
    """Whether a file path has a part `..`."""
    return ".." in path.split("/")


def mount_errors(mounts: list[dict[str, Any]], path: str, mountable: set[str]) -> Iterator[FieldError]:
    """What is wrong with a container's volume mounts; only `mountable` volumes exist for them."""
    used: set[str] = set()
    for index, mount in enumerate(mounts):
        where, name, mount_path = f"{path}[{index}]", mount["name"], mount["mountPath"]
        if not name:
            yield required(f"{where}.name")
        if name not in mountable:
            yield not_found(f"{where}.name", name)
        if not mount_path:
            yield required(f"{where}.mountPath")
        if mount_path in used:
            yield invalid(f"{where}.mountPath", mount_path, "must be unique")
        used.add(mount_path)
        # Kubernetes leaves the index out of the path of this one member.
        yield from _sub_path_errors(mount.get("subPath", ""), f"{path}.subPath")
        if mount.get("subPath") and mount.get("subPathExpr"):
            detail = "subPathExpr and subPath are mutually exclusive"
            yield invalid(f"{where}.subPathExpr", mount["subPathExpr"], detail)


def _sub_path_errors(sub_path: str, path: str) -> Iterator[FieldError]:
    if sub_path.startswith("/"):
        yield invalid(path, sub_path, "must be a relative path")
    if has_backstep(sub_path):
        yield invalid(path, sub_path, _BACKSTEP)
