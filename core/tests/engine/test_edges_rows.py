"""Where each row of the two lists of edge cases is tested: rollout 10, and traffic 5 as far as routers do not matter.

A test says in its name or its docstring which row it is of.
"""

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

ENGINE = Path(__file__).parent

ROLLOUT: Mapping[str, set[int]] = {
    "test_edges.py": {*range(1, 20), 44, 45, 51, 52, 59, 61, 64},
    "test_edges_analysis.py": {54, 55, 56, 57},
    "test_edges_blue_green.py": {53},
    "test_edges_delays.py": {33, 34, 35, 58},
    "test_edges_routed.py": {*range(20, 33)},
    "test_edges_services.py": {43},
    "test_edges_status.py": {60, 62},
    "test_blue_green.py": {36, 37, 38, 39, 41, 42},
    "test_blue_green_passes.py": {17, 48},
    "test_blue_green_scaling.py": {40},
    "test_restart.py": {46, 47, 48, 49, 50},
    "test_revisions.py": {4},
}
ROLLOUT_ELSEWHERE = {
    63: "reusing an Experiment of the same spec is for what creates Experiments",
}

CONTRACT: Mapping[str, set[int]] = {"test_traffic.py": {*range(1, 19), 20, 23, 24}}
CONTRACT_ELSEWHERE = {
    19: "another choice of ours (Q15), with the routers of the controller: "
    "test_a_router_that_cannot_be_asked_does_not_keep_the_next_from_its_turn",
    21: "the weights of an Experiment's templates are for what creates Experiments",
    22: "the weights of an Experiment's templates are for what creates Experiments",
}

SERVICES: Mapping[str, set[int]] = {"test_edges_services.py": {61, 63, 65}}
SERVICES_ELSEWHERE = {
    62: "with references: the recorded cases of test_references.py, and tests/controller/test_bad_surroundings.py",
    64: "with the controller: tests/controller/test_routed_canaries.py",
    66: "with each router: what it writes is its own; Services are in test_edges_services.py",
}


def functions_of(file: str) -> Iterator[tuple[str, str]]:
    """Name and docstring of each test of a file."""
    for node in ast.parse((ENGINE / file).read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            yield node.name, ast.get_docstring(node) or ""


def rows_in(file: str, *patterns: str) -> set[int]:
    """The rows that the tests of a file say they are of; a pattern finds numbers that `_` joins."""
    texts = [text for test in functions_of(file) for text in test]
    found = [number for pattern in patterns for text in texts for number in re.findall(pattern, text)]
    return {int(number) for numbers in found for number in numbers.strip("_").split("_")}


@pytest.mark.parametrize(("file", "rows"), ROLLOUT.items(), ids=ROLLOUT)
def test_rows_of_rollout_10_are_tested_where_it_is_said(file: str, rows: set[int]) -> None:
    assert (
        rows_in(file, r"^test_((?:\d\d_)+)", r"^test_row_(\d+)", r"^test_rollout_(\d+)", r"rollout 10, (\d+)")
        - (SERVICES.get(file, set()))
        == rows
    )


def test_every_row_of_rollout_10_has_its_place() -> None:
    assert set().union(*ROLLOUT.values()) | set(ROLLOUT_ELSEWHERE) == set(range(1, 65))


def test_rows_of_traffic_5_are_tested_where_it_is_said() -> None:
    assert rows_in("test_traffic.py", r"^test_(\d\d)_") == CONTRACT["test_traffic.py"]
    assert (
        rows_in("test_edges_services.py", r"^test_(\d\d)_", r"_traffic_(\d\d)_") == SERVICES["test_edges_services.py"]
    )


def test_every_row_of_traffic_5_has_its_place() -> None:
    assert set().union(*CONTRACT.values()) | set(CONTRACT_ELSEWHERE) == set(range(1, 25))
    assert set().union(*SERVICES.values()) | set(SERVICES_ELSEWHERE) == set(range(61, 67))
