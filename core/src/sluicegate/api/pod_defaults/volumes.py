"""Defaults of the volumes of a pod."""

from typing import Any, Final

from sluicegate.api.pod_defaults.containers import default_field_reference, pull_policy
from sluicegate.api.pod_defaults.fields import Object, fill_absent, fill_empty, member, members

FILE_MODE: Final = 0o644

ABSENT: Final[dict[str, dict[str, Any]]] = {
    "secret": {"defaultMode": FILE_MODE},
    "configMap": {"defaultMode": FILE_MODE},
    "downwardAPI": {"defaultMode": FILE_MODE},
    "projected": {"defaultMode": FILE_MODE},
    "hostPath": {"type": ""},
    "azureDisk": {"cachingMode": "ReadWrite", "fsType": "ext4", "readOnly": False, "kind": "Shared"},
}
EMPTY: Final[dict[str, dict[str, Any]]] = {
    "iscsi": {"iscsiInterface": "default"},
    "rbd": {"pool": "rbd", "user": "admin", "keyring": "/etc/ceph/keyring"},
    "scaleIO": {"storageMode": "ThinProvisioned", "fsType": "xfs"},
}


def default_volume(volume: Object) -> None:
    """Fill in one volume; one without any source is an `emptyDir`."""
    if not any(isinstance(value, dict) for value in volume.values()):
        volume["emptyDir"] = {}
    for source, values in ABSENT.items():
        fill_absent(member(volume, source) or {}, **values)
    for source, values in EMPTY.items():
        fill_empty(member(volume, source) or {}, **values)
    _default_items(member(volume, "downwardAPI") or {})
    _default_projected(member(volume, "projected") or {})
    _default_claim(member(volume, "ephemeral", "volumeClaimTemplate"))
    if image := member(volume, "image"):
        fill_empty(image, pullPolicy=pull_policy(image.get("reference") or ""))


def _default_items(downward: Object) -> None:
    for item in members(downward, "items"):
        default_field_reference(item)


def _default_projected(projected: Object) -> None:
    for source in members(projected, "sources"):
        _default_items(member(source, "downwardAPI") or {})
        if (token := member(source, "serviceAccountToken")) is not None:
            fill_absent(token, expirationSeconds=3600)


def _default_claim(template: Object | None) -> None:
    if template is not None:
        fill_absent(template.setdefault("spec", {}), volumeMode="Filesystem")
