"""The cluster that the tests run against, chosen by `--cluster`, and what each test gets of it.

One set of tests, two clusters: no test asks which one it has. A test that needs more than every cluster can do says so
with `@pytest.mark.needs("plays_pods")` and is skipped, with the reason, where that cannot be had.
"""

import os
import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NoReturn

import pytest
from tests.clusters.cluster import ABILITIES, Cluster
from tests.clusters.controllers import Recording, running_controller
from tests.clusters.embedded import embedded_cluster
from tests.clusters.namespace import Namespace, open_namespace
from tests.clusters.programs import Shell, shell_on
from tests.clusters.real import real_cluster
from tests.clusters.wire import Wire

CLUSTERS: Mapping[str, Callable[[Path], AbstractContextManager[Cluster]]] = {
    "embedded": embedded_cluster,
    "real": real_cluster,
}
RUNNING = pytest.StashKey[Cluster]()


def pytest_addoption(parser: pytest.Parser) -> None:
    text = "the cluster to test against; the real one is that of SLUICEGATE_TEST_KUBECONFIG, or is built and started"
    parser.addoption("--cluster", choices=sorted(CLUSTERS), default="embedded", help=text)


def pytest_configure(config: pytest.Config) -> None:
    names = ", ".join(ABILITIES)
    config.addinivalue_line("markers", f"needs(*abilities): runs only on a cluster that can do this ({names})")


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Hand the one cluster of a run to each of its worker processes."""
    node.workerinput["cluster"] = running_cluster(node.config).packed()


def running_cluster(config: pytest.Config) -> Cluster:
    """The cluster of this run, started when first asked for and stopped at the end of the run."""
    if RUNNING not in config.stash:
        running = ExitStack()
        config.add_cleanup(running.close)
        folder = _folder(running)
        config.stash[RUNNING] = running.enter_context(CLUSTERS[config.getoption("--cluster")](folder))
    return config.stash[RUNNING]


def _folder(running: ExitStack) -> Path:
    return Path(running.enter_context(TemporaryDirectory(prefix="sluicegate-tests-")))


def missing(what: str) -> NoReturn:
    """Skip the test for want of a program; in continuous integration that is a failure."""
    if os.environ.get("CI"):
        pytest.fail(f"{what}, and CI must run every test")
    pytest.skip(what)


@pytest.fixture(scope="session")
def cluster(request: pytest.FixtureRequest) -> Cluster:
    """The cluster to test against."""
    handed = getattr(request.config, "workerinput", {}).get("cluster")
    return Cluster.unpacked(handed) if handed else running_cluster(request.config)


@pytest.fixture(autouse=True)
def _abilities(request: pytest.FixtureRequest) -> None:
    for marker in request.node.iter_markers("needs"):
        if lacks := request.getfixturevalue("cluster").lacks(marker.args):
            pytest.skip(lacks)


@pytest.fixture
async def namespace(cluster: Cluster) -> AsyncIterator[Namespace]:
    """A namespace of the test's own, watched from its start and deleted after the test."""
    async with open_namespace(cluster, f"t-{uuid.uuid4().hex[:8]}") as opened:
        yield opened


@pytest.fixture
def shell(cluster: Cluster, namespace: Namespace, tmp_path: Path) -> Iterator[Shell]:
    """Runs our scripts and kubectl in the namespace, as a user would in a terminal."""
    yield shell_on(cluster.kubeconfig, namespace.name, tmp_path, cluster.kubectl)


@pytest.fixture
def kubectl(cluster: Cluster) -> Path:
    """The real kubectl."""
    if cluster.kubectl is None:
        missing("there is no kubectl of 1.29 or newer on the PATH")
    return cluster.kubectl


@pytest.fixture
async def wire(cluster: Cluster) -> AsyncIterator[Wire]:
    """Between the controller under test and the API."""
    async with Wire(cluster.http).open() as opened:
        yield opened


@pytest.fixture
def controller_kubeconfig(wire: Wire, tmp_path: Path) -> Path:
    """What the controller under test connects by."""
    return wire.write_kubeconfig(tmp_path / "controller-kubeconfig")


@pytest.fixture
async def controller(controller_kubeconfig: Path, namespace: Namespace) -> AsyncIterator[Recording]:
    """A running controller of the test's namespace; the events it emits."""
    recording = Recording()
    async with running_controller(controller_kubeconfig, namespace.name, recording):
        yield recording
