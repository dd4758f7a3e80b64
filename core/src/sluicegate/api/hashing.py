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

    from sluicegate.api.model import ApiModel

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


class Hashes:
    """The last hashes of a template and of steps, for as long as these are the very same objects.

    A pass asks for them a dozen times, and they change with the generation only.
    """

    def __init__(self) -> None:
        self._pod: tuple[Any, int | None, str] = (None, None, "")
        self._steps: tuple[Any, str] = (None, "")

    def pod(self, template: Mapping[str, Any], collision_count: int | None) -> str:
        """As `pod_template_hash`; the template must not be changed in place."""
        if self._pod[0] is not template or self._pod[1] != collision_count:
            self._pod = (template, collision_count, pod_template_hash(template, collision_count))
        return self._pod[2]

    def steps(self, steps: Sequence[ApiModel] | None) -> str:
        """As `step_hash`, of parsed steps."""
        if self._steps[0] is not steps or steps is None:
            self._steps = (steps, step_hash(None if steps is None else [step.document() for step in steps]))
        return self._steps[1]


def _fnv1a(data: bytes) -> int:
    value = _OFFSET_BASIS
    for byte in data:
        value = (value ^ byte) * _PRIME & 0xFFFFFFFF
    return value


def _safe_text(number: int) -> str:
    return "".join(_ALPHABET[ord(digit) % len(_ALPHABET)] for digit in str(number))
