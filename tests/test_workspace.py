"""The parts of the workspace agree: what is there is installed, typed and tested, and what is said to do exists."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
MEMBERS = sorted(path.parent for path in [ROOT / "core/pyproject.toml", *ROOT.glob("plugins/*/pyproject.toml")])
WORKSPACE = tomllib.loads((ROOT / "pyproject.toml").read_text())


@pytest.mark.parametrize("member", MEMBERS, ids=[member.name for member in MEMBERS])
def test_every_member_is_installed_and_typed(member: Path) -> None:
    place = member.relative_to(ROOT).as_posix()
    name = tomllib.loads((member / "pyproject.toml").read_text())["project"]["name"]

    assert f"-e ./{place}" in (ROOT / "requirements-dev.txt").read_text().splitlines()
    assert WORKSPACE["tool"]["uv"]["sources"][name] == {"workspace": True}
    assert f"{place}/src" in WORKSPACE["tool"]["mypy"]["mypy_path"]
    assert [path.name for path in (member / "src").glob("*/py.typed")] == ["py.typed"]


@pytest.mark.parametrize("place", ["README.md", "CONTRIBUTING.md", ".ci/run"])
def test_targets_of_make_that_are_named_exist(place: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))

    named = re.findall(r"^(?:`)?make ([a-z-]+)", (ROOT / place).read_text(), re.MULTILINE)

    assert named
    assert set(named) <= targets


def test_the_demo_plays_the_example() -> None:
    """The copy that is installed is the one that the walk-through shows."""
    ours = ROOT / "core/src/sluicegate/cli/demo/rollout.yaml"
    shown = ROOT / "examples/01-canary/rollout.yaml"

    assert list(yaml.safe_load_all(ours.read_text())) == list(yaml.safe_load_all(shown.read_text()))


def test_lists_of_versions_name_no_place_to_download_from() -> None:
    for place in ("constraints.txt", "requirements-dev.txt"):
        assert "://" not in (ROOT / place).read_text(), place
