"""The introduction that users begin with, word for word: the real kubectl, real requests, the text of each answer."""

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from tests.clusters.cluster import Cluster
from tests.clusters.eventually import eventually
from tests.clusters.namespace import Namespace
from tests.clusters.programs import ROOT, Shell

from sluicegate.api.resources import EVENTS, PODS, REPLICA_SETS

from .commands import ABORT, APPLY, GET, PROMOTE, PROMOTE_FULL, RETRY, SET_YELLOW, WATCH
from .output import plain
from .traffic import Traffic, traffic_to

NAME = "canary-demo"
BLUE, YELLOW = "66b9c447fd", "7785f7d5cd"
HEALTHY = """\
Name: canary-demo
Namespace: NAMESPACE
Status: ✔ Healthy
Strategy: Canary
 Step: 8/8
 SetWeight: 100
 ActualWeight: 100
Images: argoproj/rollouts-demo:blue (stable)
Replicas:
 Desired: 5
 Current: 5
 Updated: 5
 Ready: 5
 Available: 5

NAME KIND STATUS AGE INFO
⟳ canary-demo Rollout ✔ Healthy AGE
└──# revision:1
 └──⧉ canary-demo-66b9c447fd ReplicaSet ✔ Healthy AGE stable
 ├──□ canary-demo-66b9c447fd-POD Pod ✔ Running AGE ready:1/1
 ├──□ canary-demo-66b9c447fd-POD Pod ✔ Running AGE ready:1/1
 ├──□ canary-demo-66b9c447fd-POD Pod ✔ Running AGE ready:1/1
 ├──□ canary-demo-66b9c447fd-POD Pod ✔ Running AGE ready:1/1
 └──□ canary-demo-66b9c447fd-POD Pod ✔ Running AGE ready:1/1
"""
PAUSED = """\
Name: canary-demo
Namespace: NAMESPACE
Status: ॥ Paused
Message: CanaryPauseStep
Strategy: Canary
 Step: 1/8
 SetWeight: 20
 ActualWeight: 20
Images: argoproj/rollouts-demo:blue (stable)
 argoproj/rollouts-demo:yellow (canary)
Replicas:
 Desired: 5
 Current: 5
 Updated: 1
 Ready: 5
 Available: 5

NAME KIND STATUS AGE INFO
⟳ canary-demo Rollout ॥ Paused AGE
├──# revision:2
│ └──⧉ canary-demo-7785f7d5cd ReplicaSet ✔ Healthy AGE canary
│ └──□ canary-demo-7785f7d5cd-POD Pod ✔ Running AGE ready:1/1
└──# revision:1
 └──⧉ canary-demo-66b9c447fd ReplicaSet ✔ Healthy AGE stable
 ├──□ canary-demo-66b9c447fd-POD Pod ✔ Running AGE ready:1/1
 ├──□ canary-demo-66b9c447fd-POD Pod ✔ Running AGE ready:1/1
 ├──□ canary-demo-66b9c447fd-POD Pod ✔ Running AGE ready:1/1
 └──□ canary-demo-66b9c447fd-POD Pod ✔ Running AGE ready:1/1
"""
TOLD = {"RolloutUpdated", "NewReplicaSetCreated", "ScalingReplicaSet", "RolloutPaused", "RolloutCompleted"}
LAST_FRAME = (
    "Status: ✔ Healthy",
    "Images: argoproj/rollouts-demo:yellow (stable)",
    "├──# revision:2",
    "│ └──⧉ canary-demo-7785f7d5cd ReplicaSet ✔ Healthy AGE stable",
    "└──# revision:1",
    " └──⧉ canary-demo-66b9c447fd ReplicaSet • ScaledDown AGE",
)


class Walk:
    """One walk: what is said to the cluster, what it shows, and who answers."""

    def __init__(self, namespace: Namespace, shell: Shell, traffic: Traffic | None) -> None:
        self.namespace = namespace
        self.shell = shell
        self.traffic = traffic

    async def until(self, phase: str, step: int, sizes: dict[str, int], message: str = "") -> None:
        """Wait for a phase at a step, with just these pods, as many and no more."""

        def reached() -> bool:
            status = (self.namespace.find_rollout(NAME) or {}).get("status", {})
            at = (status.get("phase"), status.get("currentStepIndex"), status.get("message", ""))
            return at == (phase, step, message) and self.namespace.sizes == sizes

        await self.namespace.until(reached, f"{phase} at step {step} with {sizes}", 60)
        await eventually(self._pods, lambda pods: len(pods) == sum(sizes.values()), "the pods of old sizes are gone")

    async def paused_at(self, step: int, yellow: int, tag: str = "yellow", stable: str = "blue") -> None:
        """Wait for a pause with so many pods of the new version, then see that they answer their share."""
        await self.until("Paused", step, {stable: 5 - yellow, tag: yellow}, "CanaryPauseStep")
        await self.answered_by({stable: 100 - 20 * yellow, tag: 20 * yellow})

    async def answered_by(self, wanted: dict[str, int]) -> None:
        """Where pods answer at all: of 100 new connections each version has its share, to within three."""
        if self.traffic is not None:
            shares = await self.traffic.shares()
            assert shares == pytest.approx(wanted, abs=3), shares

    async def _pods(self) -> list[str]:
        return [pod["metadata"]["name"] for pod in await self.namespace.client.list(PODS, self.namespace.name)]

    async def shown(self, line: str = GET) -> str:
        """What a command prints, less what differs from run to run and the blanks of the columns."""
        return plain(await self.shell.says(line)).replace(self.namespace.name, "NAMESPACE")


@pytest.fixture
async def walk(cluster: Cluster, namespace: Namespace, shell: Shell) -> AsyncIterator[Walk]:
    """The manifest is applied, its first version out; requests are sent from here to the end."""
    assert (await shell.says(APPLY)).splitlines() == [
        "rollout.argoproj.io/canary-demo created",
        "service/canary-demo created",
    ]
    await Walk(namespace, shell, None).until("Healthy", 8, {"blue": 5})
    if not cluster.serves_http:
        yield Walk(namespace, shell, None)
        return
    port = await shell.says("kubectl get service canary-demo -o jsonpath={.spec.ports[0].nodePort}")
    async with traffic_to(int(port)) as traffic:
        yield Walk(namespace, shell, traffic)
        assert traffic.failures == []


@pytest.mark.timeout(240)
async def test_from_blue_to_yellow(walk: Walk) -> None:
    assert await walk.shown() == HEALTHY
    await walk.answered_by({"blue": 100})

    assert await walk.shell.says(SET_YELLOW) == 'rollout "canary-demo" image updated\n'
    await walk.paused_at(1, yellow=1)
    assert await walk.shown() == PAUSED

    async with watching(walk.shell) as frames:
        assert await walk.shell.says(PROMOTE) == "rollout 'canary-demo' promoted\n"
        for step, yellow in ((3, 2), (5, 3), (7, 4)):
            await walk.paused_at(step, yellow)
        await walk.until("Healthy", 8, {"yellow": 5})
        await walk.answered_by({"yellow": 100})
        await eventually(frames, lambda drawn: shows_the_end(drawn[-1]), "the end is drawn")

    # Redrawn on the way, too: one frame a step at the least.
    for share in (20, 40, 60, 80):
        assert any(f" SetWeight: {share}\n" in plain(frame) for frame in await frames())
    events = await walk.namespace.client.list(EVENTS, walk.namespace.name)
    assert {event["reason"] for event in events if event["involvedObject"]["kind"] == "Rollout"} >= TOLD


@pytest.mark.timeout(240)
async def test_changes_of_mind(walk: Walk) -> None:
    says = walk.shell.says
    await says(SET_YELLOW)
    await walk.paused_at(1, yellow=1)

    assert await says(ABORT) == "rollout 'canary-demo' aborted\n"
    message = "RolloutAborted: Rollout aborted update to revision 2"
    await walk.until("Degraded", 0, {"blue": 5}, message)
    assert (await walk.shown()).splitlines()[2:4] == ["Status: ✖ Degraded", f"Message: {message}"]
    await walk.answered_by({"blue": 100})

    assert await says(RETRY) == "rollout 'canary-demo' retried\n"
    await walk.paused_at(1, yellow=1)

    await says("kubectl argo rollouts set image rollout canary-demo app=argoproj/rollouts-demo:blue")
    await walk.until("Healthy", 8, {"blue": 5})
    await walk.answered_by({"blue": 100})

    await says(SET_YELLOW)
    await walk.paused_at(1, yellow=1)
    assert await says(PROMOTE_FULL) == "rollout 'canary-demo' fully promoted\n"
    await walk.until("Healthy", 8, {"yellow": 5})
    await walk.answered_by({"yellow": 100})


@pytest.mark.timeout(240)
async def test_second_version_in_mid_update_then_deletion(walk: Walk) -> None:
    says = walk.shell.says
    await says(SET_YELLOW)
    await walk.paused_at(1, yellow=1)

    await says("kubectl argo rollouts set image rollout canary-demo app=argoproj/rollouts-demo:purple")
    await walk.paused_at(1, yellow=1, tag="purple")
    assert "argoproj/rollouts-demo:yellow" not in await walk.shown()

    if walk.traffic is not None:
        # Deleted pods answer nobody; what was asked until now must have been answered.
        await walk.traffic.stop()
    assert (await says("kubectl delete rollout canary-demo")).startswith('rollout.argoproj.io "canary-demo" deleted')
    client, name = walk.namespace.client, walk.namespace.name
    await eventually(lambda: client.list(REPLICA_SETS, name), lambda left: not left, "the ReplicaSets are gone")
    await eventually(lambda: client.list(PODS, name), lambda left: not left, "their pods are gone")


@asynccontextmanager
async def watching(shell: Shell) -> AsyncIterator[Callable[[], Awaitable[list[str]]]]:
    """The frames that `get -w` has drawn so far, while the body runs; Ctrl-C ends it well."""
    process = await asyncio.create_subprocess_exec(
        *WATCH.split(), stdout=asyncio.subprocess.PIPE, env=dict(shell.env), cwd=ROOT
    )
    assert process.stdout
    drawn = bytearray(await process.stdout.read(1))
    reading = asyncio.create_task(_read(process.stdout, drawn))

    async def frames() -> list[str]:
        return bytes(drawn).decode(errors="replace").split("\x1b[H\x1b[2J\x1b[0;0H")

    try:
        yield frames
    finally:
        process.send_signal(signal.SIGINT)
        await reading
        code = await process.wait()
    assert code == 0


async def _read(stream: asyncio.StreamReader, into: bytearray) -> None:
    while chunk := await stream.read(65536):
        into += chunk


def shows_the_end(frame: str) -> bool:
    """Whether a frame shows all traffic on revision 2, and the old pods gone."""
    lines = plain(frame).splitlines()
    running = sum("-POD Pod ✔ Running" in line for line in lines)
    return [line for line in lines if line in LAST_FRAME] == list(LAST_FRAME) and running == 5
