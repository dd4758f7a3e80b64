"""Random stories of every kind of Rollout: what is promised holds after every write, and everything comes to rest."""

import os
from typing import Final

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.model.stories import ENDS, SETTINGS, play, stories

SEQUENCES: Final = int(os.environ.get("SLUICEGATE_MODEL_SEQUENCES", "3000"))


@pytest.mark.timeout(0)
@pytest.mark.parametrize("name", SETTINGS)
def test_every_write_is_safe_and_all_comes_to_rest(name: str) -> None:
    @settings(
        max_examples=-(-SEQUENCES // len(SETTINGS)),
        derandomize=SEQUENCES <= 3000,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(SETTINGS[name], stories(name), st.sampled_from(ENDS))
    def check(setting, story, end) -> None:
        play(setting, story, end)

    check()
