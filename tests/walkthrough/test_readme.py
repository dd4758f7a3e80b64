"""The READMEs say just the commands that the walk-through is tested with."""

import pytest
from tests.clusters.programs import ROOT

from .commands import WALK, commands_of


@pytest.mark.parametrize("readme", ["README.md", "examples/01-canary/README.md"])
def test_commands_are_those_that_are_tested(readme: str) -> None:
    assert commands_of((ROOT / readme).read_text()) == WALK
