"""`explain rollout`: what is read of the cluster, and how it is put to the person on call."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web

from sluicegate.api.model import format_time
from sluicegate.cli.evidence import Evidence
from sluicegate.cli.views.explanation import as_lines
from sluicegate.engine.why import Commands, Explanation, Finding, Situation

from ..engine.builders import canary_view
from ..engine.manifests import canary_manifest
from ..engine.world import World
from . import cluster as fake
from .cluster import FakeCluster
from .recorded import NAMESPACE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .conftest import Cli

Object = dict[str, Any]

STEPS = [{"setWeight": 20}, {"pause": {}}, {"setWeight": 60}]
PAUSED = """\
The update to revision 2 is paused at step 2 of 3 until a person lets it go on.

Waiting for  A person: the pause has no time limit.
Since        03:04:09 UTC, 10 minutes ago.
Next         Then step 3 of 3: 60 % of the pods run the new version.
You can do   To go on at once: sluicegate promote shop -n shop
             To stop the update and go back to revision 1: sluicegate abort shop -n shop

Version      revision 1 (demo/shop:v1) → revision 2 (demo/shop:v2)
Pods         revision 2 (new): 1 of 1 available
             revision 1 (stable): 4 of 4 available
"""


class GuardedCluster(FakeCluster):
    """A `FakeCluster` that lets nobody read some kinds, and finds events by what they are about."""

    def __init__(self) -> None:
        super().__init__()
        self.forbidden: set[str] = set()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        plural = next((kind for kind in self.forbidden if kind in request.path.split("/")), None)
        if plural is None:
            return await super()._answer(request)
        message = f"{plural} is forbidden"
        return web.json_response({"kind": "Status", "code": 403, "reason": "Forbidden", "message": message}, status=403)

    def _matching(self, key: fake.Key, query: dict[str, str]) -> list[Object]:
        selector = dict(part.split("=") for part in query.get("fieldSelector", "").split(",") if part)
        about = {path.split(".")[1]: value for path, value in selector.items() if path.startswith("involvedObject.")}
        if not about:
            return super()._matching(key, query)
        return [one for one in super()._matching(key, {}) if about.items() <= one["involvedObject"].items()]


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[GuardedCluster]:
    monkeypatch.setitem(fake.GROUPS, "services", "")
    with GuardedCluster().serving() as serving:
        assert isinstance(serving, GuardedCluster)
        yield serving


def updating(tag: str = "v2", **canary: Any) -> World:
    """A world at rest in the update to another version."""
    world = World.healthy(canary_manifest(steps=STEPS, **canary))
    world.set_image(tag)
    world.settle()
    return world


def objects_of(world: World) -> list[Object]:
    """The Rollout and the ReplicaSets of a world as an API would send them."""
    rollout = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", **world.rollout}
    replica_sets = [{"apiVersion": "apps/v1", "kind": "ReplicaSet", **one} for one in world.replica_sets.values()]
    found = [rollout, *replica_sets]
    return [{**one, "metadata": {**one["metadata"], "namespace": NAMESPACE}} for one in found]


def pod_of(world: World, tag: str, **status: Any) -> Object:
    """A pod of a version."""
    owner = world.replica_set(tag)["metadata"]
    return {
        "kind": "Pod",
        "metadata": {
            "name": "shop-x",
            "namespace": NAMESPACE,
            "labels": owner["labels"],
            "ownerReferences": [{"kind": "ReplicaSet", "uid": owner["uid"], "controller": True}],
        },
        "spec": {"containers": [{"name": "app", "image": "demo/shop:v2"}]},
        "status": status,
    }


def container(**members: Any) -> Object:
    return {"containerStatuses": [{"name": "app", "ready": False, **members}]}


def test_the_whole_page(cli: Cli, cluster: GuardedCluster) -> None:
    world = updating()
    cluster.add(*objects_of(world))

    outcome = cli("explain", "rollout", "shop", now=world.now + timedelta(minutes=10))

    assert (outcome.exit, outcome.stdout, outcome.stderr) == (0, PAUSED, "")


def test_json_for_tools(cli: Cli, cluster: GuardedCluster) -> None:
    world = updating()
    cluster.add(*objects_of(world))

    printed = json.loads(cli("explain", "ro", "shop", "-o", "json", now=world.now).stdout)

    assert printed["headline"] == PAUSED.splitlines()[0]
    assert printed["findings"][0]["since"] == "2026-01-02T03:04:09Z"
    assert printed["findings"][0]["waitingFor"] == "A person: the pause has no time limit."
    assert printed["facts"][0] == {
        "label": "Version",
        "text": "revision 1 (demo/shop:v1) → revision 2 (demo/shop:v2)",
    }
    assert (printed["name"], printed["namespace"], printed["unread"]) == ("shop", NAMESPACE, [])


def test_a_rollout_that_is_not_there(cli: Cli, cluster: GuardedCluster) -> None:
    outcome = cli("explain", "rollout", "shop")

    assert (outcome.exit, outcome.stdout) == (1, "")
    assert outcome.stderr == 'Error: rollouts.argoproj.io "shop" not found\n'


def test_nothing_is_written(cli: Cli, cluster: GuardedCluster) -> None:
    world = updating()
    world.set_image("v3")
    cluster.add(*objects_of(world))

    cli("explain", "rollout", "shop", now=world.now)

    assert cluster.requests == []


def test_commands_are_those_of_the_program_and_the_cluster_that_were_asked(cli: Cli, cluster: GuardedCluster) -> None:
    world = updating()
    cluster.add(*objects_of(world))

    out = cli("explain", "rollout", "shop", "--context", "fake", now=world.now, script="kubectl-argo-rollouts").stdout

    assert "To go on at once: kubectl argo rollouts --context fake promote shop -n shop\n" in out


WAITING = {"state": {"waiting": {"reason": "CrashLoopBackOff"}}, "restartCount": 14}


@pytest.mark.parametrize(
    ("status", "text", "look"),
    [
        (
            container(state={"waiting": {"reason": "ImagePullBackOff", "message": "Back-off pulling image"}}),
            "1 pod cannot pull the image demo/shop:v2 (ImagePullBackOff).",
            "describe pod shop-x",
        ),
        (
            container(**WAITING, lastState={"terminated": {"exitCode": 1, "reason": "Error"}}),
            "1 pod cannot stay up: container app ended with exit code 1 (CrashLoopBackOff), after 14 restarts.",
            "logs shop-x -c app --previous",
        ),
        (
            container(**WAITING, lastState={"terminated": {"exitCode": 137, "reason": "OOMKilled"}}),
            (
                "1 pod cannot stay up: container app uses more memory than it may (OOMKilled) (CrashLoopBackOff), "
                "after 14 restarts."
            ),
            "logs shop-x -c app --previous",
        ),
        (
            container(
                state={"waiting": {"reason": "CreateContainerConfigError", "message": 'secret "db" not found'}},
            ),
            '1 pod cannot start: secret "db" not found.',
            "describe pod shop-x",
        ),
        (
            {"conditions": [{"type": "PodScheduled", "status": "False", "message": "0/3 nodes have enough memory."}]},
            "1 pod cannot be placed on a node: 0/3 nodes have enough memory.",
            "describe pod shop-x",
        ),
        (
            container(state={"running": {"startedAt": "2026-01-02T03:00:00Z"}}),
            "1 pod cannot become ready: container app runs, but its readiness check fails.",
            "logs shop-x -c app",
        ),
    ],
    ids=["image", "crash", "memory", "config", "nodes", "readiness"],
)
def test_why_a_pod_does_not_serve(
    status: Mapping[str, Any], text: str, look: str, cli: Cli, cluster: GuardedCluster
) -> None:
    world = updating("v2-error")
    cluster.add(*objects_of(world), pod_of(world, "v2-error", phase="Pending", **status))

    out = cli("explain", "rollout", "shop", now=world.now).stdout

    assert out.splitlines()[0].endswith(text)
    assert f"To see more of pod shop-x: kubectl {look} -n shop\n" in out


@pytest.mark.parametrize(
    "status",
    [
        container(state={"waiting": {"reason": "ContainerCreating"}}),
        container(state={"running": {"startedAt": "2026-01-02T03:04:00Z"}}),
    ],
    ids=["creating", "just started"],
)
def test_a_pod_that_comes_up_is_in_no_trouble(status: Mapping[str, Any], cli: Cli, cluster: GuardedCluster) -> None:
    world = updating("v2-error")
    cluster.add(*objects_of(world), pod_of(world, "v2-error", phase="Pending", **status))

    assert "is under way, at step 1 of 3" in cli("explain", "rollout", "shop", now=world.now).stdout


def test_pods_that_may_not_be_read_are_said_to_be_left_out(cli: Cli, cluster: GuardedCluster) -> None:
    world = updating()
    cluster.add(*objects_of(world))
    cluster.forbidden = {"pods", "events", "leases"}

    out = cli("explain", "rollout", "shop", now=world.now + timedelta(minutes=10)).stdout

    assert out.startswith(PAUSED)
    assert out.endswith("\nNot looked at, as you may not read it: pods and events.\n")


def test_kinds_that_the_cluster_does_not_have_are_not_missed(cli: Cli, cluster: GuardedCluster) -> None:
    world = updating()
    cluster.add(*objects_of(world))
    cluster.unserved = {"analysisruns", "experiments", "horizontalpodautoscalers", "poddisruptionbudgets"}

    assert cli("explain", "rollout", "shop", now=world.now + timedelta(minutes=10)).stdout == PAUSED


def test_a_service_that_is_missing(cli: Cli, cluster: GuardedCluster) -> None:
    world = updating()
    world.patch({"spec": {"strategy": {"canary": {"canaryService": "web"}}}})
    cluster.add(*objects_of(world))

    out = cli("explain", "rollout", "shop", now=world.now).stdout

    assert "spec.strategy.canary.canaryService names web, and there is none.\n" in out


def test_a_manifest_that_cannot_be_read_at_all(cli: Cli, cluster: GuardedCluster) -> None:
    world = updating()
    rollout, *replica_sets = objects_of(world)
    rollout["spec"] = {**rollout["spec"], "replicas": "many"}
    cluster.add(rollout, *replica_sets)

    outcome = cli("explain", "rollout", "shop", now=world.now)

    assert (outcome.exit, outcome.stderr) == (0, "")
    refusal = 'spec.replicas in body must be of type integer: "string".'
    assert outcome.stdout.splitlines()[0] == f"The Rollout is not valid, so nothing is done: {refusal}"


def test_a_template_that_is_borrowed_and_one_that_is_not_there(cli: Cli, cluster: GuardedCluster) -> None:
    world = updating()
    rollout, *replica_sets = objects_of(world)
    lender = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "shop", "namespace": NAMESPACE, "generation": 1},
        "spec": {"replicas": 0, "selector": rollout["spec"]["selector"], "template": rollout["spec"].pop("template")},
    }
    rollout["spec"]["workloadRef"] = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "shop"}
    cluster.add(rollout, *replica_sets)

    lost = cli("explain", "rollout", "shop", now=world.now).stdout
    cluster.add(lender)
    found = cli("explain", "rollout", "shop", now=world.now).stdout

    text = 'The pod template cannot be read from Deployment shop: deployments.apps "shop/shop" not found.'
    assert lost.splitlines()[0] == text
    assert found.splitlines()[0] == PAUSED.splitlines()[0]


def test_a_lease_that_has_run_out(cli: Cli, cluster: GuardedCluster) -> None:
    world = updating()
    world.set_image("v3")
    lease = {"kind": "Lease", "metadata": {"name": "argo-rollouts-controller-lock", "namespace": "argo-rollouts"}}
    cluster.add(*objects_of(world), {**lease, "spec": {"renewTime": "2026-01-02T03:00:00.000000Z"}})

    out = cli("explain", "rollout", "shop", now=world.now).stdout

    assert out.splitlines()[0] == "The controller does not seem to run, so nothing here goes on."
    assert "its last sign of life was at 03:00:00 UTC" in out


def test_warnings_of_the_rollout_are_read(cli: Cli, cluster: GuardedCluster) -> None:
    world = updating("v2-error")
    event = {
        "kind": "Event",
        "metadata": {"name": "shop.1", "namespace": NAMESPACE},
        "involvedObject": {"kind": "Rollout", "name": "shop", "uid": "uid-of-the-rollout"},
        "type": "Warning",
        "reason": "TrafficRoutingError",
        "message": "ingress shop not found",
        "lastTimestamp": format_time(world.now),
    }
    cluster.add(*objects_of(world), event)

    out = cli("explain", "rollout", "shop", now=world.now).stdout

    assert "it failed last at 03:04:07 UTC: ingress shop not found." in out


def test_who_sets_the_size_and_who_wants_the_same_pods(cli: Cli, cluster: GuardedCluster) -> None:
    world = updating()
    rollout, *rest = objects_of(world)
    scaler = {
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "shop", "namespace": NAMESPACE},
        "spec": {"scaleTargetRef": {"kind": "Rollout", "name": "shop"}, "minReplicas": 2, "maxReplicas": 9},
    }
    rival = {**rollout, "metadata": {"name": "shop-copy", "namespace": NAMESPACE}}
    cluster.add(rollout, *rest, scaler, rival)

    out = cli("explain", "rollout", "shop", now=world.now).stdout

    assert "Size         5 pods wanted, by HorizontalPodAutoscaler shop (2 to 9)\n" in out
    assert "Also         Rollout shop-copy selects the same pods as shop, or the same Services.\n" in out


def test_a_disruption_budget_holds_a_restart_up(cli: Cli, cluster: GuardedCluster) -> None:
    world = updating()
    world.patch({"spec": {"restartAt": "2026-01-02T03:04:20Z"}})
    world.settle()
    pod = pod_of(world, "v1", phase="Running")
    pod["metadata"]["creationTimestamp"] = "2026-01-02T03:04:05Z"
    pod["metadata"]["labels"] = {**pod["metadata"]["labels"], "app": "shop"}
    budget = {
        "kind": "PodDisruptionBudget",
        "metadata": {"name": "keep-all", "namespace": NAMESPACE},
        "spec": {"selector": {"matchLabels": {"app": "shop"}}},
        "status": {"disruptionsAllowed": 0},
    }
    cluster.add(*objects_of(world), pod, budget)

    out = cli("explain", "rollout", "shop", now=datetime(2026, 1, 2, 3, 5, tzinfo=UTC)).stdout

    assert "Also         A restart is under way: 1 pod is still from before 03:04:20 UTC.\n" in out
    assert "Waiting for  PodDisruptionBudget keep-all lets no pod go at the moment.\n" in out


def test_sentences_are_wrapped_for_a_terminal_and_commands_are_not() -> None:
    finding = Finding(
        "The update to revision 2 is paused until a person lets it go on.",
        waiting_for="A person: the pause has no time limit.",
        actions=("To go on at once: sluicegate promote a-rollout-with-a-long-name -n shop",),
    )
    situation = Situation(canary_view(1, ()), datetime(2026, 1, 2, tzinfo=UTC), Commands("shop", "a"))

    lines = as_lines(Explanation((finding,)), Evidence(situation), width=44)

    assert lines == [
        "The update to revision 2 is paused until a",
        "person lets it go on.",
        "",
        "Waiting for  A person: the pause has no time",
        "             limit.",
        "You can do   To go on at once: sluicegate promote a-rollout-with-a-long-name -n shop",
        "",
    ]
