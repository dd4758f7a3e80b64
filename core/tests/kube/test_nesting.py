"""JSON too deep to be read: cut below what anyone writes in earnest, and otherwise left as it is."""

from __future__ import annotations

import json
from typing import Any

from sluicegate.kube.nesting import LEVELS, flattened


def nested(levels: int, core: Any) -> Any:
    for level in range(levels):
        core = {"before": level, "inner": core, "after": [level]}
    return core


def test_what_is_not_deep_stays_byte_for_byte() -> None:
    values: list[Any] = [{"a": [1, {"b": "]}"}], "c": 'say \\ "{[" '}, [], {}, nested(LEVELS - 1, 1)]
    for value in values:
        text = json.dumps(value).encode()
        assert flattened(text) == text


def test_what_is_deeper_becomes_null_and_all_around_it_stays() -> None:
    text = json.dumps(nested(LEVELS - 1, [{"deep": ["}", {}]}, 7])).encode()
    assert json.loads(flattened(text)) == nested(LEVELS - 1, [None, 7])


def test_a_depth_that_no_decoder_follows_can_be_read_afterwards() -> None:
    text = b'{"metadata": {"name": "a"}, "spec": ' + b'{"a":' * 9000 + b"[1, 2]" + b"}" * 9000 + b', "status": {}}'
    assert json.loads(flattened(text)).keys() == {"metadata", "spec", "status"}
