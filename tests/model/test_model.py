"""Random stories of every kind of Rollout: what is promised holds after every write, and everything comes to rest."""

import logging
import os
from collections.abc import Iterator, Sequence
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings
from tests.model.playing import ENDS, play
from tests.model.stories import SETTINGS, stories
from tests.model.world import Action, Setting

DEFAULT_SEQUENCES: Final = 3000
SEQUENCES: Final = int(os.environ.get("SLUICEGATE_MODEL_SEQUENCES", DEFAULT_SEQUENCES))
"""How many stories all shards play together; the default ones are the same in each run, more are random."""
SHARDS: Final = [(name, end) for name in SETTINGS for end in ENDS]


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """The controller tells of each failure that a story provokes: a report would drown in them."""
    logging.disable()
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.timeout(0)  # a failure is first made as short as it gets, which takes up to five minutes
@pytest.mark.parametrize(("name", "end"), SHARDS)
def test_every_write_is_safe_and_all_comes_to_rest(name: str, end: str) -> None:
    @settings(
        max_examples=-(-SEQUENCES // len(SHARDS)),
        derandomize=SEQUENCES <= DEFAULT_SEQUENCES,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
        print_blob=False,
    )
    @given(setting=SETTINGS[name], story=stories(name))
    def check(setting: Setting, story: Sequence[Action]) -> None:
        play(setting, story, end)

    check()
