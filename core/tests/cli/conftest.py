"""What the tests of the command line run against: a fake Kubernetes API, and ways to run a command line on it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

import pytest
import yaml

from sluicegate.cli.main import run
from sluicegate.cli.settings import Settings

from .cluster import FakeCluster
from .recorded import NAMESPACE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Outcome:
    """What a command line printed, and its exit code."""

    exit: int
    stdout: str
    stderr: str


class Cli(Protocol):
    """Runs a command line in this process, at a given time."""

    def __call__(self, *args: str, now: datetime = NOON, script: str = "sluicegate") -> Outcome: ...


@pytest.fixture
def cluster() -> Iterator[FakeCluster]:
    with FakeCluster().serving() as serving:
        yield serving


@pytest.fixture
def kubeconfig(cluster: FakeCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A kubeconfig for the fake API, in effect for this test."""
    path = tmp_path / "kubeconfig"
    path.write_text(yaml.safe_dump(kubeconfig_for(cluster.address)))
    monkeypatch.setenv("KUBECONFIG", str(path))
    return path


def kubeconfig_for(address: str) -> dict[str, Any]:
    """A kubeconfig whose context is in namespace `shop`."""
    return {
        "clusters": [{"name": "fake", "cluster": {"server": address}}],
        "users": [{"name": "me", "user": {}}],
        "contexts": [{"name": "fake", "context": {"cluster": "fake", "user": "me", "namespace": NAMESPACE}}],
        "current-context": "fake",
    }


@pytest.fixture
def cli(kubeconfig: Path, capsys: pytest.CaptureFixture[str]) -> Cli:
    def call(*args: str, now: datetime = NOON, script: str = "sluicegate") -> Outcome:
        code = run(args, script=script, settings=Settings(now=lambda: now))
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return call
