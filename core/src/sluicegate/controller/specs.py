"""The specs of Rollouts, parsed and checked once a generation.

For a large manifest that takes as long as hundreds of passes, and passes come with every change of a pod.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sluicegate.api.rollout import Rollout, RolloutSpec
from sluicegate.api.validation import InvalidManifest, parse_rollout, validate_rollout
from sluicegate.controller.caches import Key, StoredRollout, key_of


class _Read(NamedTuple):
    """A spec and its printed errors, and which version of which Rollout they are of."""

    uid: str
    generation: int
    spec: RolloutSpec
    errors: Sequence[str]


class Specs:
    """What was read last of each Rollout; the API counts its generation up with every change of the spec."""

    def __init__(self) -> None:
        self._read: dict[Key, _Read] = {}

    def read(self, stored: StoredRollout) -> tuple[Rollout, Sequence[str]]:
        """A Rollout and the printed errors of its spec, which is empty if it cannot be read at all.

        Raises InvalidManifest where metadata or status cannot be read; both are read anew each time.
        """
        rollout = parse_rollout({**stored.document, "spec": {}})
        read = self._spec_of(stored)
        return rollout.model_copy(update={"spec": read.spec}), read.errors

    def forget(self, key: Key) -> None:
        """Drop what is kept of a Rollout that is gone."""
        self._read.pop(key, None)

    def _spec_of(self, stored: StoredRollout) -> _Read:
        key, version = key_of(stored), (stored.metadata.uid, stored.metadata.generation)
        kept = self._read.get(key)
        if kept is None or (kept.uid, kept.generation) != version:
            kept = self._read[key] = _Read(*version, *_parse(stored.document.get("spec")))
        return kept


def _parse(spec: Any) -> tuple[RolloutSpec, list[str]]:
    try:
        rollout = parse_rollout({"spec": spec})
    except InvalidManifest as error:
        return RolloutSpec(), [str(found) for found in error.errors]
    return rollout.spec, [str(found) for found in validate_rollout(rollout)]
