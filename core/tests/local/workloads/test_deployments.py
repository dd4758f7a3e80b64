"""The Deployment controller goes from one pod template to the next within the limits it is given, and says how far."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Any

import pytest

from sluicegate.errors import Invalid
from sluicegate.local.cluster import LocalCluster
from sluicegate.local.defaults.deployments import admit_deployment
from sluicegate.local.objects import Key
from sluicegate.local.workloads.deployments import DeploymentReconciler
from sluicegate.local.workloads.events import EventSink
from sluicegate.local.workloads.played import Delays
from sluicegate.local.workloads.replicasets import ReplicaSetReconciler

if TYPE_CHECKING:
    from pathlib import Path

    from core.tests.local.workloads.conftest import World

Object = dict[str, Any]
KEY = Key("apps", "deployments", "default", "shop")
REVISION = "deployment.kubernetes.io/revision"


def manifest(tag: str = "v1", **spec: Any) -> Object:
    template = {
        "metadata": {"labels": {"app": "shop"}},
        "spec": {"containers": [{"name": "shop", "image": image(tag)}]},
    }
    content = {"replicas": 4, "selector": {"matchLabels": {"app": "shop"}}, "template": template, **spec}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "shop"}, "spec": content}


def image(tag: str) -> str:
    return f"demo/shop:{tag}"


def rolling(surge: int | str, unavailable: int | str) -> Object:
    return {"strategy": {"rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable}}}


class Shop:
    """A Deployment, its controllers, and a kubelet that makes one pod ready at a time, unless its image is broken."""

    def __init__(self, world: World, **spec: Any) -> None:
        self.world = world
        self.most, self.least = 0, 10**6
        events = EventSink(world.store, "test", world.clock)
        self._deployments = DeploymentReconciler(world.store, events, world.clock)
        self._replica_sets = ReplicaSetReconciler(world.store, events, world.clock)
        world.store.create(KEY, admit_deployment(manifest(**spec), None, world.store))
        self.settle()
        self.most, self.least = 0, 10**6

    @property
    def status(self) -> Object:
        found: Object = self.world.store.get(KEY)["status"]
        return found

    def edit(self, **spec: Any) -> None:
        self.world.store.update(KEY, lambda old: {**old, "spec": {**old["spec"], **spec}})

    def set_image(self, tag: str) -> None:
        self.edit(template=admit_deployment(manifest(tag), None, self.world.store)["spec"]["template"])

    def settle(self) -> None:
        """Let all of them work until nobody has anything left to do."""
        version = -1
        while version != self.world.store.resource_version:
            version = self.world.store.resource_version
            self._deployments.reconcile(KEY)
            for replica_set in self._stored():
                key = Key("apps", "replicasets", "default", replica_set["metadata"]["name"])
                self._replica_sets.reconcile(key)
            self._count_pods()
            self._end_pods()
            self._start_pod()

    def sizes(self) -> dict[str, int]:
        """How many pods each ReplicaSet wants, by the tag of its image."""
        return {
            found["spec"]["template"]["spec"]["containers"][0]["image"].rpartition(":")[2]: found["spec"]["replicas"]
            for found in self._stored()
        }

    def revisions(self) -> dict[str, str]:
        """The revision of each ReplicaSet by the tag of its image."""
        return {
            found["spec"]["template"]["spec"]["containers"][0]["image"].rpartition(":")[2]: revision(found)
            for found in self._stored()
        }

    def condition(self, kind: str) -> tuple[str, str]:
        found = next(item for item in self.status["conditions"] if item["type"] == kind)
        return found["status"], found["reason"]

    def _stored(self) -> list[Object]:
        return list(self.world.store.list("apps", "replicasets"))

    def _count_pods(self) -> None:
        pods = [pod for pod in self.world.pods() if "deletionTimestamp" not in pod["metadata"]]
        self.most = max(self.most, len(pods))
        self.least = min(self.least, sum(bool(pod["status"].get("conditions")) for pod in pods))

    def _start_pod(self) -> None:
        waiting = [
            pod["metadata"]["name"]
            for pod in self.world.pods()
            if not pod["status"].get("conditions") and not pod["spec"]["containers"][0]["image"].endswith(":error")
        ]
        for name in waiting[:1]:
            self.world.set_ready(name)

    def _end_pods(self) -> None:
        for pod in self.world.pods():
            if "deletionTimestamp" in pod["metadata"]:
                self.world.store.delete(Key("", "pods", "default", pod["metadata"]["name"]), grace_seconds=0)


def revision(obj: Object) -> str:
    return str(obj["metadata"]["annotations"][REVISION])


def test_a_new_deployment_comes_up_and_says_so(world: World) -> None:
    shop = Shop(world)

    assert shop.sizes() == {"v1": 4}
    counters = dict.fromkeys(("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"), 4)
    assert {**shop.status, **counters, "observedGeneration": 1} == shop.status
    assert shop.condition("Progressing") == ("True", "NewReplicaSetAvailable")
    assert shop.condition("Available") == ("True", "MinimumReplicasAvailable")
    assert revision(world.store.get(KEY)) == "1"


def test_its_replica_set_is_found_by_its_hash(world: World) -> None:
    Shop(world)

    (found,) = world.store.list("apps", "replicasets")
    hashed = found["metadata"]["labels"]["pod-template-hash"]
    assert found["metadata"]["name"] == f"shop-{hashed}"
    assert found["spec"]["selector"]["matchLabels"] == {"app": "shop", "pod-template-hash": hashed}
    assert found["metadata"]["ownerReferences"][0]["kind"] == "Deployment"
    assert {pod["metadata"]["labels"]["pod-template-hash"] for pod in world.pods()} == {hashed}


@pytest.mark.parametrize(
    ("surge", "unavailable", "most", "least"),
    [("25%", "25%", 5, 3), (2, 0, 6, 4), (0, 1, 4, 3), ("0%", "0%", 4, 3), ("100%", "0%", 8, 4)],
)
def test_a_rolling_update_stays_within_its_limits(
    world: World, surge: int | str, unavailable: int | str, most: int, least: int
) -> None:
    shop = Shop(world, strategy={"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}})
    shop.edit(strategy={"type": "RollingUpdate", **rolling(surge, unavailable)["strategy"]})

    shop.set_image("v2")
    shop.settle()

    assert shop.sizes() == {"v1": 0, "v2": 4}
    assert (shop.most, shop.least) == (most, least)
    assert shop.status["updatedReplicas"] == 4


def test_recreate_ends_all_old_pods_first(world: World) -> None:
    shop = Shop(world, strategy={"type": "Recreate"})

    shop.set_image("v2")
    shop.settle()

    assert shop.sizes() == {"v1": 0, "v2": 4}
    assert (shop.most, shop.least) == (4, 0)


def test_an_update_that_fails_leaves_what_must_be_available(world: World) -> None:
    shop = Shop(world, progressDeadlineSeconds=30)

    shop.set_image("error")
    shop.settle()
    assert shop.sizes() == {"v1": 3, "error": 2}
    assert shop.condition("Progressing") == ("True", "ReplicaSetUpdated")

    world.clock.forward(31)
    shop.settle()
    assert shop.condition("Progressing") == ("False", "ProgressDeadlineExceeded")
    assert shop.sizes() == {"v1": 3, "error": 2}


def test_going_back_uses_the_old_replica_set_as_the_newest_revision(world: World) -> None:
    shop = Shop(world)
    shop.set_image("v2")
    shop.settle()

    shop.set_image("v1")
    shop.settle()

    assert shop.sizes() == {"v1": 4, "v2": 0}
    assert shop.revisions() == {"v1": "3", "v2": "2"}
    assert revision(world.store.get(KEY)) == "3"


def test_scaling_to_nothing_and_back(world: World) -> None:
    shop = Shop(world)

    shop.edit(replicas=0)
    shop.settle()
    assert (shop.sizes(), world.pods()) == ({"v1": 0}, [])
    assert shop.condition("Progressing") == ("True", "NewReplicaSetAvailable")
    (found,) = world.store.list("apps", "replicasets")
    assert found["metadata"]["annotations"]["deployment.kubernetes.io/desired-replicas"] == "0"

    shop.edit(replicas=2)
    shop.settle()
    assert shop.sizes() == {"v1": 2}


def test_a_paused_deployment_is_scaled_but_not_updated(world: World) -> None:
    shop = Shop(world)
    shop.edit(paused=True, replicas=2)
    shop.set_image("v2")
    shop.settle()
    assert shop.sizes() == {"v1": 2}
    assert shop.condition("Progressing") == ("Unknown", "DeploymentPaused")

    shop.edit(paused=False)
    shop.settle()
    assert shop.sizes() == {"v1": 0, "v2": 2}
    assert shop.condition("Progressing") == ("True", "NewReplicaSetAvailable")


def test_old_revisions_go_when_there_are_too_many(world: World) -> None:
    shop = Shop(world, revisionHistoryLimit=1)

    for tag in ("v2", "v3", "v4"):
        shop.set_image(tag)
        shop.settle()

    assert shop.revisions() == {"v3": "3", "v4": "4"}


def test_a_settled_deployment_writes_nothing(world: World) -> None:
    shop = Shop(world)
    version = world.store.resource_version

    shop.settle()

    assert world.store.resource_version == version


def test_it_is_stored_with_the_defaults_of_apps_v1(world: World) -> None:
    given = manifest(paused=False, minReadySeconds=0)
    del given["spec"]["replicas"]

    spec = admit_deployment(given, None, world.store)["spec"]

    defaults = {"replicas": 1, "revisionHistoryLimit": 10, "progressDeadlineSeconds": 600}
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "25%", "maxSurge": "25%"}}
    assert spec.pop("template")["spec"]["restartPolicy"] == "Always"
    assert spec == {**defaults, "strategy": strategy, "selector": {"matchLabels": {"app": "shop"}}}


@pytest.mark.parametrize(
    ("spec", "complaint"),
    [
        ({"selector": {"matchLabels": {"app": "x"}}}, "`selector` does not match template `labels`"),
        (rolling(0, 0), "spec.strategy.rollingUpdate.maxUnavailable: Invalid value: 0: may not be 0 when `maxSurge`"),
        (rolling("1", 0), 'spec.strategy.rollingUpdate.maxSurge: Invalid value: "1": must be a number or a percentage'),
        ({"strategy": {"type": "Recreate", **rolling(1, 0)["strategy"]}}, "Forbidden: may not be specified when"),
    ],
)
def test_what_cannot_work_is_refused(world: World, spec: Object, complaint: str) -> None:
    with pytest.raises(Invalid) as refusal:
        admit_deployment(manifest(**spec), None, world.store)
    assert complaint in str(refusal.value)


def test_its_selector_cannot_change(world: World) -> None:
    shop = Shop(world)
    changed = manifest(selector={"matchLabels": {"app": "shop"}, "matchExpressions": []})

    with pytest.raises(Invalid, match="field is immutable"):
        admit_deployment(changed, shop.world.store.get(KEY), world.store)


@pytest.mark.needs_kubectl
async def test_kubectl_is_content(tmp_path: Path) -> None:
    async with LocalCluster(tmp_path, port=0, pods="played", delays=Delays(ready=0.1)) as cluster:
        config = {"KUBECONFIG": str(cluster.kubeconfig), "KUBECACHEDIR": str(tmp_path / "cache")}

        async def kubectl(line: str) -> str:
            pipe = asyncio.subprocess.PIPE
            process = await asyncio.create_subprocess_exec(
                "kubectl", *line.split(), stdout=pipe, stderr=pipe, env={**os.environ, **config}
            )
            out, err = await asyncio.wait_for(process.communicate(), 30)
            assert process.returncode == 0, err.decode()
            return out.decode()

        key = Key("apps", "deployments", "default", "shop")
        cluster.store.create(key, admit_deployment(manifest(), None, cluster.store))
        status = "rollout status deploy/shop --timeout=20s"
        assert "successfully rolled out" in await kubectl(status)
        assert (await kubectl("get deploy shop --no-headers")).split()[:4] == ["shop", "4/4", "4", "4"]
        await kubectl("set image deploy/shop shop=demo/shop:v2")
        assert "successfully rolled out" in await kubectl(status)
        await kubectl("rollout undo deploy/shop")
        assert "successfully rolled out" in await kubectl(status)
        history = await kubectl("rollout history deploy/shop")
        assert [line.split()[0] for line in history.splitlines()[2:] if line] == ["2", "3"]
        await kubectl("scale deploy/shop --replicas=2")
        await kubectl("wait --for=jsonpath={.status.readyReplicas}=2 deploy/shop --timeout=10s")
        assert "2 desired | 2 updated | 2 total | 2 available" in await kubectl("describe deploy shop")
        await kubectl("rollout restart deploy/shop")
        assert "successfully rolled out" in await kubectl(status)
