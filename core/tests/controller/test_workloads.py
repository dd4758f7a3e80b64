"""References of Rollouts against the embedded API server: read, followed, sized, and handed back."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from sluicegate.api import names
from sluicegate.api.crds import crds
from sluicegate.api.merge import apply_merge_patch
from sluicegate.api.resources import DEPLOYMENTS, NAMESPACES, POD_TEMPLATES, ROLLOUTS
from sluicegate.api.rollout import API_VERSION
from sluicegate.controller.caches import Key, StoredRollout, decode_object
from sluicegate.controller.rollouts import reference_of
from sluicegate.controller.specs import Specs
from sluicegate.controller.watches import Watches
from sluicegate.controller.workloads import Resolved, Workloads
from sluicegate.engine.decision import Action, Decision, PatchRollout, ScaleDeployment
from sluicegate.engine.workload import HAND_BACK, WorkloadRefError
from sluicegate.errors import Forbidden, NotFound
from sluicegate.kube.client import Client
from sluicegate.kube.recorder import ObjectReference
from sluicegate.local.admission import Admissions
from sluicegate.local.apiserver import crds as definitions
from sluicegate.local.apiserver.server import ApiServer
from sluicegate.local.kubeconfig import write_kubeconfig
from sluicegate.local.objects import Object
from sluicegate.local.store import ObjectStore

NAMESPACE = "default"
KEY = (NAMESPACE, "shop-ro")
TEMPLATE = {
    "metadata": {"labels": {"app": "shop"}},
    "spec": {"containers": [{"name": "shop", "image": "demo/shop:v1"}]},
}
MISMATCH = 'spec.template.metadata.labels: Invalid value: {"app":"shop"}: `selector` does not match template `labels`'


def deployment(**members: Any) -> dict[str, Any]:
    manifest: Any = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "shop"},
        "spec": {"replicas": 3, "selector": {"matchLabels": {"app": "shop"}}, "template": TEMPLATE},
    }
    return dict(apply_merge_patch(manifest, members))


def borrower(**members: Any) -> dict[str, Any]:
    ref = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "shop", "scaleDown": "onsuccess"}
    manifest = {
        "apiVersion": API_VERSION,
        "kind": "Rollout",
        "metadata": {"name": "shop-ro"},
        "spec": {"replicas": 3, "workloadRef": ref, "strategy": {"canary": {}}},
    }
    return dict(apply_merge_patch(manifest, members))


@dataclass
class Events:
    """What was told, as `type reason message`."""

    told: list[str] = field(default_factory=list)

    def record(self, reference: ObjectReference, type: str, reason: str, message: str) -> None:
        """Take an event."""
        self.told.append(f"{type} {reason} {message}")


@dataclass
class Api:
    """An API server with our kinds, and the part of a controller that follows references; `queue` is its work."""

    client: Client
    watches: Watches
    queue: "asyncio.Queue[Key]"
    events: Events
    refused: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.specs = Specs()
        self.workloads = Workloads(self.client, self.watches, self.events)

    async def stored(self) -> StoredRollout:
        return decode_object(await self.client.get_bytes(ROLLOUTS, *KEY))

    async def resolve(self) -> Resolved:
        """What a pass does first."""
        stored = await self.stored()
        return await self.workloads.resolved(stored, *self.specs.read(stored))

    async def changed(self) -> None:
        """Wait until the Rollout is enqueued."""
        async with asyncio.timeout(5):
            assert await self.queue.get() == KEY

    async def carry_out(self, *actions: Action) -> None:
        """Make the writes of a pass."""
        for action in actions:
            if isinstance(action, ScaleDeployment):
                await self.workloads.scale(reference_of(await self.stored()), action)
            elif isinstance(action, PatchRollout):
                await self.client.patch(ROLLOUTS, *KEY, dict(action.patch))

    async def hand_back(self) -> Decision | None:
        stored = await self.stored()
        return await self.workloads.hand_back(stored, *self.specs.read(stored), (), ())

    async def size(self) -> int:
        return int((await self.client.get(DEPLOYMENTS, NAMESPACE, "shop"))["spec"]["replicas"])


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    store, admissions, refused = ObjectStore(), Admissions(), set[str]()

    def refuse(new: Object, old: Object | None, store: ObjectStore) -> Object:
        if new["metadata"]["name"] in refused and old is not None:
            raise Forbidden("deployments may not be changed today", status=403, reason="Forbidden")
        return new

    admissions.register(DEPLOYMENTS.group, DEPLOYMENTS.plural, refuse)
    for manifest in crds():
        definitions.install(store, manifest)
    server = ApiServer(store, admissions=admissions, port=0)
    await server.start()
    write_kubeconfig(tmp_path / "kubeconfig", server.address)
    queue: asyncio.Queue[Key] = asyncio.Queue()
    async with await Client.connect(kubeconfig=tmp_path / "kubeconfig") as client:
        watches = Watches(client, queue.put_nowait)
        yield Api(client, watches, queue, Events(), refused)
        await watches.close()
    await server.stop()
    store.close()


async def test_template_is_borrowed_and_never_written_back(api: Api) -> None:
    await api.client.create(DEPLOYMENTS, NAMESPACE, deployment())
    await api.client.create(ROLLOUTS, NAMESPACE, borrower())
    resolved = await api.resolve()
    assert resolved.rollout.spec.template == TEMPLATE
    assert (list(resolved.errors), resolved.rollout.metadata.annotations) == ([], {names.WORKLOAD_GENERATION: "1"})
    await api.carry_out(*resolved.writes)
    document = (await api.stored()).document
    assert document["spec"] == borrower()["spec"]
    assert document["metadata"]["annotations"] == {names.WORKLOAD_GENERATION: "1"}
    assert (await api.resolve()).writes == ()


async def test_a_change_of_the_deployment_reaches_its_rollout(api: Api) -> None:
    await api.client.create(DEPLOYMENTS, NAMESPACE, deployment())
    await api.client.create(ROLLOUTS, NAMESPACE, borrower())
    await api.resolve()
    containers = [{"name": "shop", "image": "demo/shop:v2"}]
    await api.client.patch(DEPLOYMENTS, NAMESPACE, "shop", {"spec": {"template": {"spec": {"containers": containers}}}})
    await api.changed()
    resolved = await api.resolve()
    assert (resolved.rollout.spec.template or {})["spec"]["containers"] == containers
    assert resolved.writes == (PatchRollout({"metadata": {"annotations": {names.WORKLOAD_GENERATION: "2"}}}),)


async def test_a_deployment_that_is_missing_is_told_and_its_coming_noticed(api: Api) -> None:
    await api.client.create(ROLLOUTS, NAMESPACE, borrower())
    with pytest.raises(WorkloadRefError, match=r'^deployments\.apps "default/shop" not found$'):
        await api.resolve()
    await api.client.create(DEPLOYMENTS, NAMESPACE, deployment())
    await api.changed()
    assert (await api.resolve()).rollout.spec.template == TEMPLATE
    await api.client.delete(DEPLOYMENTS, NAMESPACE, "shop")
    await api.changed()
    with pytest.raises(WorkloadRefError, match="not found"):
        await api.resolve()


@pytest.mark.parametrize("name", ["shop", "other/shop", "../other/deployments/shop"])
async def test_a_workload_of_another_namespace_is_out_of_reach(api: Api, name: str) -> None:
    await api.client.create(NAMESPACES, None, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "other"}})
    await api.client.create(DEPLOYMENTS, "other", deployment())
    await api.client.create(ROLLOUTS, NAMESPACE, borrower(spec={"workloadRef": {"name": name}}))
    with pytest.raises(WorkloadRefError, match=f'^deployments.apps "default/{name}" not found$'):
        await api.resolve()


@pytest.mark.parametrize(
    ("spec", "errors"),
    [
        ({}, []),
        (
            {"selector": {"matchLabels": {"app": "other"}}},
            [MISMATCH],
        ),
        (
            {"workloadRef": {"apiVersion": "v1", "kind": "PodTemplate"}},
            [MISMATCH],
        ),
        (
            {"selector": {"matchLabels": {"app": "other"}}, "minReadySeconds": -1},
            [
                MISMATCH,
                "spec.minReadySeconds: Invalid value: -1: must be greater than or equal to 0",
            ],
        ),
        # With a selector that cannot be parsed the template is not looked at.
        (
            {"selector": {"matchLabels": {"app": "-"}}},
            ['spec.selector: Invalid value: {"matchLabels":{"app":"-"}}: invalid label selector'],
        ),
        # Emptiness of the selector is not looked at with a reference (rollout 1.2).
        ({"selector": {}}, []),
    ],
)
async def test_the_borrowed_template_is_checked_with_the_rest(
    api: Api, spec: dict[str, Any], errors: list[str]
) -> None:
    await api.client.create(DEPLOYMENTS, NAMESPACE, deployment())
    pod_template = {"apiVersion": "v1", "kind": "PodTemplate", "metadata": {"name": "shop"}, "template": TEMPLATE}
    await api.client.create(POD_TEMPLATES, NAMESPACE, pod_template)
    await api.client.create(ROLLOUTS, NAMESPACE, borrower(spec=spec))
    assert list((await api.resolve()).errors) == errors


async def test_what_is_borrowed_is_checked_once_for_each_version_of_it(api: Api) -> None:
    await api.client.create(DEPLOYMENTS, NAMESPACE, deployment())
    await api.client.create(ROLLOUTS, NAMESPACE, borrower())
    first = await api.resolve()
    status = {"status": {"availableReplicas": 1, "observedGeneration": 1}}
    await api.client.patch(DEPLOYMENTS, NAMESPACE, "shop", status, subresource="status")
    await api.changed()
    second = await api.resolve()
    assert second.workload is not None and second.workload.available == 1
    assert second.rollout.spec is first.rollout.spec and second.errors is first.errors
    labels = {"metadata": {"labels": {"app": None, "tier": "web"}}}
    await api.client.patch(DEPLOYMENTS, NAMESPACE, "shop", {"spec": {"template": labels}})
    await api.changed()
    assert len((await api.resolve()).errors) == 1
    await api.client.patch(ROLLOUTS, *KEY, {"spec": {"minReadySeconds": -1}})
    assert len((await api.resolve()).errors) == 2


async def test_a_spec_that_cannot_be_read_keeps_its_finalizer(api: Api) -> None:
    manifest = borrower(metadata={"finalizers": [HAND_BACK]}, spec={"minReadySeconds": 2**31})
    manifest["metadata"] |= {"namespace": NAMESPACE, "deletionTimestamp": "2026-01-01T00:00:00Z"}
    stored = decode_object(json.dumps(manifest).encode())
    rollout, errors = Specs().read(stored)
    assert (await api.workloads.resolved(stored, rollout, errors)).writes == ()
    decision = await api.workloads.hand_back(stored, rollout, errors, (), ())
    assert decision is not None and not decision.actions
    assert decision.error is not None and "spec.minReadySeconds" in decision.error


async def test_a_deployment_is_sized_and_left_alone_when_it_has_its_size(api: Api) -> None:
    await api.client.create(DEPLOYMENTS, NAMESPACE, deployment())
    await api.client.create(ROLLOUTS, NAMESPACE, borrower())
    await api.carry_out(ScaleDeployment("shop", 1, required=True))
    first = await api.client.get(DEPLOYMENTS, NAMESPACE, "shop")
    assert first["spec"] == deployment(spec={"replicas": 1})["spec"]
    await api.carry_out(ScaleDeployment("shop", 1, required=True), ScaleDeployment("gone", 1, required=True))
    assert await api.client.get(DEPLOYMENTS, NAMESPACE, "shop") == first


async def test_a_refusal_to_scale_is_told_once_and_ends_only_a_pass_that_needs_it(api: Api) -> None:
    await api.client.create(DEPLOYMENTS, NAMESPACE, deployment())
    await api.client.create(ROLLOUTS, NAMESPACE, borrower())
    api.refused.add("shop")
    await api.carry_out(ScaleDeployment("shop", 0, required=False))
    with pytest.raises(Forbidden):
        await api.carry_out(ScaleDeployment("shop", 0, required=True))
    (told,) = api.events.told
    assert told.startswith("Warning DeploymentNotScaled Deployment shop cannot be scaled to 0: ")
    api.refused.clear()
    await api.carry_out(ScaleDeployment("shop", 0, required=True))
    assert await api.size() == 0


async def deleted(api: Api) -> None:
    """A Rollout that has taken its Deployment down, and is deleted."""
    await api.client.create(DEPLOYMENTS, NAMESPACE, deployment(spec={"replicas": 0}))
    await api.client.create(ROLLOUTS, NAMESPACE, borrower(metadata={"finalizers": [HAND_BACK]}))
    await api.client.delete(ROLLOUTS, *KEY)


async def test_a_deleted_rollout_goes_when_its_deployment_serves_again(api: Api) -> None:
    await deleted(api)
    decision = await api.hand_back()
    assert decision is not None
    await api.carry_out(*decision.actions)
    assert await api.size() == 3
    waiting = await api.hand_back()
    assert waiting == Decision()
    while not api.queue.empty():
        api.queue.get_nowait()
    status = {"status": {"availableReplicas": 3, "observedGeneration": 2}}
    await api.client.patch(DEPLOYMENTS, NAMESPACE, "shop", status, subresource="status")
    await api.changed()
    last = await api.hand_back()
    assert last is not None
    await api.carry_out(*last.actions)
    with pytest.raises(NotFound):
        await api.stored()


async def test_a_rollout_stays_while_its_deployment_may_not_be_scaled(api: Api) -> None:
    await deleted(api)
    api.refused.add("shop")
    for _ in range(2):
        decision = await api.hand_back()
        assert decision is not None
        with pytest.raises(Forbidden):
            await api.carry_out(*decision.actions)
    assert (await api.stored()).metadata.finalizers == (HAND_BACK,)
    assert len(api.events.told) == 1


async def test_a_rollout_goes_with_its_deployment(api: Api) -> None:
    """`kubectl delete -f` of both: nothing is left to serve, and nothing holds the Rollout."""
    await deleted(api)
    await api.client.delete(DEPLOYMENTS, NAMESPACE, "shop")
    decision = await api.hand_back()
    assert decision is not None
    await api.carry_out(*decision.actions)
    with pytest.raises(NotFound):
        await api.stored()


async def test_a_rollout_without_finalizer_asks_for_nothing(api: Api) -> None:
    await api.client.create(ROLLOUTS, NAMESPACE, borrower())
    assert await api.hand_back() is None
