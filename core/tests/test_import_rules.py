"""The rooms import each other as the design says, and the rules that check it really bite."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "pyproject.toml"
ROOMS = ("api", "cli", "controller", "dashboard", "engine", "kube", "local", "plugins", "simulate", "testing")


def lint(*, search_path: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache", "--config", str(CONFIG)]
    environment = os.environ | ({"PYTHONPATH": str(search_path)} if search_path else {})
    return subprocess.run(
        command, capture_output=True, text=True, env=environment, cwd=search_path or ROOT, check=False
    )


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Empty rooms of the right names: the rules are the checkout's, the code is not."""
    packages = ["sluicegate", *(f"sluicegate/{room}" for room in ROOMS), "sluicegate_replicaset"]
    for package in packages:
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").touch()
    (tmp_path / "sluicegate/errors.py").touch()
    return tmp_path


def test_the_checkout_keeps_the_rules() -> None:
    result = lint()
    assert result.returncode == 0, result.stdout


def test_imports_that_the_design_allows_pass(tree: Path) -> None:
    allowed = {
        "sluicegate/kube/client.py": "import asyncio, kubernetes, sluicegate.api, sluicegate.errors",
        "sluicegate/local/openapi.py": "import kubernetes, sluicegate.kube, sluicegate.engine",
        "sluicegate/controller/manager.py": "import asyncio, sluicegate.kube, sluicegate.engine, sluicegate.plugins",
        "sluicegate/cli/up.py": "import sluicegate.local, sluicegate.controller, sluicegate.dashboard",
        "sluicegate_replicaset/split.py": "from sluicegate import api, errors, plugins, testing",
    }
    for file, source in allowed.items():
        (tree / file).write_text(source)
    result = lint(search_path=tree)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(
    ("file", "imported"),
    [
        ("sluicegate/api/rollout.py", "sluicegate.engine"),
        ("sluicegate/api/rollout.py", "socket"),
        ("sluicegate/cli/get.py", "kubernetes.aio"),
        ("sluicegate/controller/manager.py", "kubernetes"),
        ("sluicegate/engine/canary.py", "asyncio"),
        ("sluicegate/engine/canary.py", "sluicegate.plugins"),
        ("sluicegate/engine/canary.py", "time"),
        ("sluicegate/errors.py", "sluicegate.api"),
        ("sluicegate/kube/client.py", "sluicegate.engine"),
        ("sluicegate/local/openapi.py", "sluicegate.controller"),
        ("sluicegate/local/store.py", "kubernetes"),
        ("sluicegate/local/store.py", "sluicegate.plugins"),
        ("sluicegate/plugins/registry.py", "sluicegate.kube"),
        ("sluicegate/testing/builders.py", "sluicegate.engine"),
        ("sluicegate_replicaset/split.py", "sluicegate.engine"),
        ("sluicegate_replicaset/split.py", "sluicegate.simulate"),
    ],
)
def test_an_import_across_the_rules_is_found(tree: Path, file: str, imported: str) -> None:
    (tree / file).write_text(f"import {imported}\n")
    result = lint(search_path=tree)
    assert result.returncode != 0, result.stdout
    module = file.removesuffix(".py").replace("/", ".")
    assert f"{module} -> {imported.split('.aio')[0]}" in result.stdout


def test_every_room_and_every_plugin_is_under_the_rules() -> None:
    rules = CONFIG.read_text().partition("[tool.importlinter]")[2]
    source = ROOT / "core/src/sluicegate"
    rooms = {path.name for path in source.iterdir() if path.is_dir() and path.name.isidentifier()} - {"__pycache__"}
    assert rooms <= set(ROOMS)
    plugins = {path.name for path in ROOT.glob("plugins/*/src/sluicegate_*")}
    checked = tomllib.loads(f"[tool.importlinter]{rules}")["tool"]["importlinter"]["root_packages"]
    assert set(checked) == {"sluicegate", *plugins}
