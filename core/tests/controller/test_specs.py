"""Reading Rollouts: each spec once a generation, metadata and status each time."""

import json
from typing import Any

import pytest

from sluicegate.api.validation import InvalidManifest
from sluicegate.controller.caches import StoredRollout, decode_object, key_of
from sluicegate.controller.specs import Specs


def stored(*, uid: str = "1", generation: int = 1, status: dict[str, Any] | None = None, **spec: Any) -> StoredRollout:
    metadata = {"namespace": "demo", "name": "shop", "uid": uid, "generation": generation}
    document = {"metadata": metadata, "spec": {"replicas": 2, "selector": {}, **spec}, "status": status or {}}
    return decode_object(json.dumps(document).encode())


def test_a_spec_is_read_once_a_generation() -> None:
    specs = Specs()
    first, errors = specs.read(stored())
    second, again = specs.read(stored(status={"readyReplicas": 1}))
    assert second.spec is first.spec and again is errors
    assert second.status.ready_replicas == 1


def test_a_new_generation_and_another_rollout_of_the_name_are_read_anew() -> None:
    specs = Specs()
    for replicas, (uid, generation) in enumerate([("1", 1), ("1", 2), ("2", 2)]):
        rollout, _ = specs.read(stored(replicas=replicas, uid=uid, generation=generation))
        assert rollout.spec.replicas == replicas


def test_what_is_forgotten_is_read_anew() -> None:
    specs = Specs()
    first, _ = specs.read(stored())
    specs.forget(key_of(stored()))
    assert specs.read(stored())[0].spec is not first.spec


def test_errors_of_a_spec_are_told_with_the_status_at_hand() -> None:
    specs = Specs()
    rollout, errors = specs.read(stored(replicas=2**40, status={"phase": "Healthy"}))
    assert list(errors) == ["spec.replicas: Invalid value: 1099511627776: must be a 32-bit integer"]
    assert rollout.status.phase == "Healthy"


def test_a_status_that_cannot_be_read_is_named() -> None:
    with pytest.raises(InvalidManifest) as caught:
        Specs().read(stored(replicas=2**40, status={"currentStepIndex": 10**12}))
    assert str(caught.value) == "status.currentStepIndex: Invalid value: 1000000000000: must be a 32-bit integer"
