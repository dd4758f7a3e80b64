"""The cluster of the walk-through: the one that `sluicegate up` starts, or a real one with our controller beside it."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.clusters.cluster import Cluster
from tests.clusters.namespace import Namespace
from tests.clusters.programs import SCRIPTS, Shell, shell_on
from tests.clusters.up import free_port, running_up


@pytest.fixture(scope="session")
def cluster(
    request: pytest.FixtureRequest, cluster: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Cluster]:
    """Where the embedded cluster was chosen, one whose pods run; else the same as for all tests."""
    if request.config.getoption("--cluster") != "embedded":
        yield cluster
        return
    folder = tmp_path_factory.mktemp("up")
    with running_up(folder, "--data-dir", str(folder / "data"), "--port", str(free_port())) as up:
        yield up.cluster


@pytest.fixture
def shell(cluster: Cluster, kubectl: Path, namespace: Namespace, tmp_path: Path) -> Iterator[Shell]:
    """A terminal on the namespace, in which a controller is at work."""
    opened = shell_on(cluster.kubeconfig, namespace.name, tmp_path, kubectl)
    if cluster.runs_controller:
        yield opened
        return
    command: list[str | Path] = [SCRIPTS / "sluicegate", "controller", "--namespaced"]
    with subprocess.Popen(command, env=dict(opened.env)) as controller:
        yield opened
        controller.terminate()
