"""The READMEs of the examples, word for word: every command in order, every text shown, while users ask on."""

import shlex
from contextlib import nullcontext
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from tests.clusters.cluster import Cluster
from tests.clusters.eventually import eventually
from tests.clusters.namespace import Namespace
from tests.clusters.programs import ROOT, Shell

from sluicegate.api.resources import DEPLOYMENTS, PODS, REPLICA_SETS, ROLLOUTS

from .output import plain
from .readme import Passage, passages_of
from .traffic import Traffic, traffic_to

READS = ("kubectl get ", "kubectl argo rollouts get ", "curl ")
READMES = [
    path for path in sorted(ROOT.glob("examples/*/README.md")) if path.parent.name not in ("01-canary", "05-restart")
]


class Reader:
    """Somebody who reads a README and does what it says.

    Attributes: `pods` (the uids of all pods, after each passage).
    """

    def __init__(self, cluster: Cluster, namespace: Namespace, shell: Shell) -> None:
        self.cluster = cluster
        self.namespace = namespace
        self.shell = shell
        self.pods: list[set[str]] = []

    async def follow(self, readme: Path) -> None:
        """Do all it says; requests are sent from the end of the first passage until things are deleted."""
        first, *middle, last = passages_of(readme)
        await self.do(first)
        async with traffic_to(self._port()) if self.cluster.serves_http else nullcontext() as traffic:
            for passage in middle:
                await self.do(passage)
            await self._ends_well(traffic)
        await self.do(last)

    async def do(self, passage: Passage) -> None:
        """Type the commands of a passage, and look at what the last one prints."""
        *before, last = passage.commands
        if " restart " in last:
            await eventually(self._seconds_since_the_last_pod, lambda age: age > 1, "pods of an earlier second")
        for line in before:
            await self._says(line)
        if last.startswith("curl ") and not self.cluster.serves_http:
            return
        if passage.shown is None:
            await self._says(last)
        elif last.startswith(READS):
            await eventually(lambda: self._says(last), lambda said: said == plain(passage.shown or ""), last)
        else:
            assert await self._says(last) == plain(passage.shown)
        pods = await self.namespace.client.list(PODS, self.namespace.name)
        self.pods.append({pod["metadata"]["uid"] for pod in pods})

    async def _seconds_since_the_last_pod(self) -> float:
        """A restart leaves the pods of its own second alone, as in Argo Rollouts."""
        pods = await self.namespace.client.list(PODS, self.namespace.name)
        newest = max(datetime.fromisoformat(pod["metadata"]["creationTimestamp"]) for pod in pods)
        return (datetime.now(UTC) - newest).total_seconds()

    async def left_nothing(self) -> None:
        """Wait until what the README has made is gone."""
        for kind in (ROLLOUTS, DEPLOYMENTS, REPLICA_SETS, PODS):
            await eventually(
                partial(self.namespace.client.list, kind, self.namespace.name), lambda left: not left, kind.plural
            )

    async def _says(self, line: str) -> str:
        printed = await self.shell.says(f"sh -c {shlex.quote(line)}")
        return plain(printed).replace(self.namespace.name, "default")

    def _port(self) -> int:
        """The port of the Service that users ask."""
        services = self.namespace.services
        [service] = [one for one in services if not one["metadata"]["name"].endswith("-preview")]
        return int(service["spec"]["ports"][0]["nodePort"])

    async def _ends_well(self, traffic: Traffic | None) -> None:
        if traffic:
            await traffic.stop()
            assert traffic.failures == []
            assert traffic.answers


@pytest.fixture
def reader(cluster: Cluster, namespace: Namespace, shell: Shell) -> Reader:
    return Reader(cluster, namespace, shell)


@pytest.mark.timeout(240)
@pytest.mark.parametrize("readme", READMES, ids=lambda path: path.parent.name)
async def test_readme_does_what_it_says(readme: Path, reader: Reader) -> None:
    await reader.follow(readme)
    await reader.left_nothing()


@pytest.mark.timeout(120)
async def test_restart_replaces_every_pod_and_keeps_two_of_three(reader: Reader) -> None:
    await reader.follow(ROOT / "examples/05-restart/README.md")
    await reader.left_nothing()

    assert reader.pods[0].isdisjoint(reader.pods[3])
    seen = [one.object for one in reader.namespace.seen if one.plural == REPLICA_SETS.plural and one.type != "DELETED"]
    sizes = [replica_set["status"].get("availableReplicas", 0) for replica_set in seen if "status" in replica_set]
    assert min(sizes[sizes.index(3) :]) == 2
