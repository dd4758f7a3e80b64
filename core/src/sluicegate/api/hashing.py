"""The two hashes that name a version: of the pod template and of the canary steps (rollout 2.5).

They must equal the incumbent's: a different pod hash starts a new ReplicaSet on change-over, a different step hash
starts the steps anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sluicegate.api.encoding import encode
from sluicegate.api.gojson import go_json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_ALPHABET: Final = "bcdfghjklmnpqrstvwxz2456789"
_OFFSET_BASIS: Final = 0x811C9DC5
_PRIME: Final = 0x01000193


def pod_template_hash(template: Mapping[str, Any], collision_count: int | None = None) -> str:
    """The hash of a pod template as given in the manifest; `collision_count` is the status's, None if never set."""
    data = go_json(encode(template, "PodTemplateSpec")).encode()
    if collision_count is not None:
        data += collision_count.to_bytes(4, "little", signed=True) + bytes(4)
    return _safe_text(_fnv1a(data))


def step_hash(steps: Sequence[Mapping[str, Any]] | None) -> str:
    """The hash of the canary steps as given in the manifest; None is no list at all, other than an empty one."""
    listed = None if steps is None else list(steps)
    return _safe_text(_fnv1a(go_json(encode(listed, "[]CanaryStep")).encode()))


def _fnv1a(data: bytes) -> int:
    value = _OFFSET_BASIS
    for byte in data:
        value = (value ^ byte) * _PRIME & 0xFFFFFFFF
    return value


def _safe_text(number: int) -> str:
    return "".join(_ALPHABET[ord(digit) % len(_ALPHABET)] for digit in str(number))
