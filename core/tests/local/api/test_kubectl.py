"""An unmodified kubectl on the embedded API server: the commands people type, and what they read."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

import pytest

from sluicegate.local.objects import Key

if TYPE_CHECKING:
    from pathlib import Path

    from sluicegate.local.store import ObjectStore

Kubectl = Callable[..., Coroutine[Any, Any, tuple[int, str, str]]]
pytestmark = pytest.mark.needs_kubectl

APP = """
apiVersion: v1
kind: Service
metadata: {name: demo}
spec: {type: NodePort, selector: {app: demo}, ports: [{port: 80, targetPort: 8080, nodePort: 30080}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: demo}
spec:
  replicas: 5
  selector: {matchLabels: {app: demo}}
  template:
    metadata: {labels: {app: demo}}
    spec:
      containers:
      - {name: web, image: "argoproj/rollouts-demo:blue", env: [{name: A, value: "1"}, {name: B, value: "2"}]}
      - {name: side, image: "side:1"}
"""
WIDGET = "---\n{apiVersion: demo.example/v1alpha1, kind: Widget, metadata: {name: w1}, spec: {color: red}}"
DEPLOYMENT = Key("apps", "deployments", "default", "demo")


async def ok(kubectl: Kubectl, *arguments: str, stdin: str = "") -> str:
    """Run a command that must succeed, return what it prints."""
    code, out, err = await kubectl(*arguments, stdin=stdin)
    assert code == 0, err
    return out


async def refused(kubectl: Kubectl, *arguments: str, stdin: str = "") -> str:
    """Run a command that must fail, return what it complains."""
    code, _, err = await kubectl(*arguments, stdin=stdin)
    assert code == 1, err
    return err


async def apply(kubectl: Kubectl, manifest: str, *options: str) -> str:
    return await ok(kubectl, "apply", "-f", "-", *options, stdin=manifest)


@pytest.fixture
async def custom_kubectl(kubectl: Kubectl, widgets: dict[str, Any]) -> Kubectl:
    """Kubectl on a server with a custom kind, applied and waited for by kubectl itself."""
    applied = await apply(kubectl, json.dumps(widgets))
    assert applied == "customresourcedefinition.apiextensions.k8s.io/widgets.demo.example created\n"
    wait = ("wait", "--for=condition=established", "crd/widgets.demo.example", "--timeout=5s")
    assert "condition met" in await ok(kubectl, *wait)
    return kubectl


async def test_version_and_resources(kubectl: Kubectl) -> None:
    code, out, err = await kubectl("version")
    client, server = re.findall(r" Version: v1\.(\d+)", out)
    assert (code, server) == (0, "32")
    # Clients more than one minor version away warn of any server.
    assert err == "" or abs(int(client) - int(server)) > 1
    code, out, err = await kubectl("api-resources")
    assert (code, err) == (0, "")
    rows = [line.split()[:2] for line in out.splitlines()]
    for row in (["pods", "po"], ["deployments", "deploy"], ["replicasets", "rs"]):
        assert row in rows


async def test_applying_twice_changes_nothing(kubectl: Kubectl, store: ObjectStore) -> None:
    first = await apply(kubectl, APP)
    version = store.resource_version
    second = await apply(kubectl, APP)
    assert first == "service/demo created\ndeployment.apps/demo created\n"
    assert second == "service/demo unchanged\ndeployment.apps/demo unchanged\n"
    assert store.resource_version == version


async def test_applying_without_a_container_and_a_variable_removes_them(kubectl: Kubectl, store: ObjectStore) -> None:
    await apply(kubectl, APP)
    shorter = APP.replace(', {name: B, value: "2"}', "").replace('      - {name: side, image: "side:1"}\n', "")
    await apply(kubectl, shorter)
    (container,) = store.get(DEPLOYMENT)["spec"]["template"]["spec"]["containers"]
    assert (container["name"], container["env"]) == ("web", [{"name": "A", "value": "1"}])


async def test_get_prints_tables(kubectl: Kubectl) -> None:
    await apply(kubectl, APP)
    out = await ok(kubectl, "get", "deploy,svc", "-o", "wide", "--no-headers")
    deployment, service = [line.split() for line in out.splitlines() if line]
    assert deployment[:4] == ["deployment.apps/demo", "0/5", "0", "0"]
    assert deployment[5:] == ["web,side", "argoproj/rollouts-demo:blue,side:1", "app=demo"]
    assert service[:2] + service[4:5] == ["service/demo", "NodePort", "80:30080/TCP"]


async def test_patches_of_all_kinds(kubectl: Kubectl, store: ObjectStore) -> None:
    await apply(kubectl, APP)
    replicas = '[{"op":"replace","path":"/spec/replicas","value":4}]'
    await ok(kubectl, "patch", "deploy", "demo", "--type=json", "-p", replicas)
    assert store.get(DEPLOYMENT)["metadata"]["generation"] == 2
    await ok(kubectl, "patch", "deploy", "demo", "--type=merge", "-p", '{"metadata":{"labels":{"x":"y"}}}')
    assert store.get(DEPLOYMENT)["metadata"]["generation"] == 2
    image = {"containers": [{"name": "web", "env": [{"name": "C", "value": "3"}]}]}
    await ok(kubectl, "patch", "deploy", "demo", "-p", json.dumps({"spec": {"template": {"spec": image}}}))
    await ok(kubectl, "set", "image", "deploy/demo", "web=argoproj/rollouts-demo:yellow")
    stored = store.get(DEPLOYMENT)
    web = stored["spec"]["template"]["spec"]["containers"][0]
    assert stored["spec"]["replicas"] == 4
    assert web["image"] == "argoproj/rollouts-demo:yellow"
    assert sorted(variable["name"] for variable in web["env"]) == ["A", "B", "C"]


async def test_dry_run_and_diff(kubectl: Kubectl, store: ObjectStore) -> None:
    await apply(kubectl, APP)
    version = store.resource_version
    changed = APP.replace("replicas: 5", "replicas: 6")
    assert "deployment.apps/demo configured (server dry run)" in await apply(kubectl, changed, "--dry-run=server")
    assert (await kubectl("diff", "-f", "-", stdin=APP))[0] == 0
    code, out, _ = await kubectl("diff", "-f", "-", stdin=changed)
    assert (code, "+  replicas: 6" in out) == (1, True)
    assert store.resource_version == version


async def test_unknown_fields(kubectl: Kubectl, store: ObjectStore) -> None:
    wrong = APP.replace("replicas: 5", "replicaz: 5")
    assert 'strict decoding error: unknown field "spec.replicaz"' in await refused(
        kubectl, "apply", "-f", "-", stdin=wrong
    )
    code, _, err = await kubectl("apply", "--validate=warn", "-f", "-", stdin=wrong)
    assert (code, err) == (0, 'Warning: unknown field "spec.replicaz"\n')
    assert "replicaz" not in store.get(DEPLOYMENT)["spec"]


async def test_selectors_and_chunks(kubectl: Kubectl, store: ObjectStore) -> None:
    for number in range(5):
        metadata = {"labels": {"app": "demo" if number else "other"}}
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {}}
        store.create(Key("", "configmaps", "default", f"c{number}"), body)
    assert len((await ok(kubectl, "get", "cm", "--chunk-size=2", "-o", "name")).split()) == 5
    by_label = await ok(kubectl, "get", "cm", "-l", "app in (demo),!foo", "-o", "name")
    assert by_label.split() == [f"configmap/c{number}" for number in range(1, 5)]
    by_field = await ok(kubectl, "get", "cm", "--field-selector", "metadata.name=c0", "-o", "name")
    assert by_field.split() == ["configmap/c0"]


async def test_get_watches_line_by_line(kubectl_environment: dict[str, str], store: ObjectStore) -> None:
    key = Key("", "configmaps", "default", "c")
    store.create(key, {"apiVersion": "v1", "kind": "ConfigMap", "data": {}})
    arguments = ("get", "cm", "-w", "--no-headers")
    process = await asyncio.create_subprocess_exec(
        "kubectl", *arguments, stdout=asyncio.subprocess.PIPE, env=kubectl_environment
    )
    assert process.stdout
    async with asyncio.timeout(20):
        shown = [await process.stdout.readline()]
        store.update(key, lambda copy: {**copy, "data": {"a": "1"}})
        store.delete(key)
        shown += [await process.stdout.readline() for _ in range(2)]
    process.terminate()
    await process.communicate()
    assert [line.split()[:2] for line in shown] == [[b"c", b"0"], [b"c", b"1"], [b"c", b"1"]]


async def test_a_custom_resource(custom_kubectl: Kubectl) -> None:
    kubectl = custom_kubectl
    assert await apply(kubectl, WIDGET) == "widget.demo.example/w1 created\n"
    header, row = (await ok(kubectl, "get", "wd")).splitlines()
    assert header.split() == ["NAME", "DESIRED", "READY", "AGE"]
    assert row.split()[:2] == ["w1", "1"]
    assert await apply(kubectl, WIDGET.replace("color: red", "color: blue")) == "widget.demo.example/w1 configured\n"
    assert await ok(kubectl, "get", "wd", "w1", "-o", "jsonpath={.spec}") == '{"color":"blue","replicas":1}'
    green = await refused(kubectl, "apply", "-f", "-", stdin=WIDGET.replace("red", "green"))
    assert 'is invalid: spec.color: Unsupported value: "green": supported values: "red", "blue"' in green
    assert "color\t<string> -required-" in await ok(kubectl, "explain", "wd.spec")


async def test_scale_and_status_of_a_custom_resource(custom_kubectl: Kubectl, store: ObjectStore) -> None:
    await apply(custom_kubectl, WIDGET)
    await ok(custom_kubectl, "scale", "wd/w1", "--replicas=3")
    status = ("--subresource=status", "--type=merge", "-p", '{"status":{"phase":"Ok"}}')
    await ok(custom_kubectl, "patch", "wd", "w1", *status)
    stored = store.get(Key("demo.example", "widgets", "default", "w1"))
    assert (stored["spec"]["replicas"], stored["status"]) == (3, {"phase": "Ok"})
    assert stored["metadata"]["generation"] == 2


async def test_explain_names_types(kubectl: Kubectl) -> None:
    out = await ok(kubectl, "explain", "deployment.spec.strategy")
    assert "<DeploymentStrategy>" in out
    assert "rollingUpdate" in out


async def test_describe(kubectl: Kubectl, store: ObjectStore) -> None:
    await apply(kubectl, APP)
    involved = {"kind": "Service", "namespace": "default", "name": "demo"}
    involved["uid"] = store.get(Key("", "services", "default", "demo"))["metadata"]["uid"]
    event = {"apiVersion": "v1", "kind": "Event", "involvedObject": involved, "reason": "Told", "message": "a thing"}
    store.create(Key("", "events", "default", "e"), event)
    assert "demo" in await ok(kubectl, "describe", "deploy", "demo")
    described = await ok(kubectl, "describe", "svc", "demo")
    assert "30080/" in described
    assert "a thing" in described


async def test_deleting_waits_for_finalizers(kubectl: Kubectl, store: ObjectStore) -> None:
    await apply(kubectl, APP)
    await ok(kubectl, "patch", "deploy", "demo", "--type=merge", "-p", '{"metadata":{"finalizers":["demo.example/w"]}}')
    await ok(kubectl, "delete", "deploy", "demo", "--wait=false")
    assert "deletionTimestamp" in store.get(DEPLOYMENT)["metadata"]
    waiting = asyncio.create_task(kubectl("wait", "--for=delete", "deploy/demo", "--timeout=10s"))
    await ok(kubectl, "patch", "deploy", "demo", "--type=merge", "-p", '{"metadata":{"finalizers":null}}')
    assert (await waiting)[0] == 0
    assert store.find(DEPLOYMENT) is None


@pytest.mark.parametrize(("cascade", "left"), [("foreground", 0), ("background", 0), ("orphan", 1)])
async def test_cascades(kubectl: Kubectl, store: ObjectStore, cascade: str, left: int) -> None:
    await apply(kubectl, APP)
    uid = store.get(DEPLOYMENT)["metadata"]["uid"]
    owner = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "demo", "uid": uid, "blockOwnerDeletion": True}
    owned = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"ownerReferences": [owner]}}
    store.create(DEPLOYMENT._replace(plural="replicasets"), owned)
    await ok(kubectl, "delete", "deploy", "demo", f"--cascade={cascade}")
    remaining = store.list("apps", "replicasets")
    assert store.find(DEPLOYMENT) is None
    assert [item["metadata"].get("ownerReferences") for item in remaining] == [None] * left


async def test_a_namespace_comes_and_goes(kubectl: Kubectl, store: ObjectStore) -> None:
    await apply(kubectl, "---\n{apiVersion: v1, kind: Namespace, metadata: {name: team}}")
    await apply(kubectl, "---\n{apiVersion: v1, kind: ConfigMap, metadata: {name: cc, namespace: team}}")
    await ok(kubectl, "delete", "ns", "team")
    assert store.find(Key("", "configmaps", "team", "cc")) is None
    assert store.find(Key("", "namespaces", "", "team")) is None


async def test_what_is_not_read_is_refused_with_the_way_out(kubectl: Kubectl) -> None:
    error = await refused(kubectl, "apply", "--server-side", "-f", "-", stdin=APP)
    assert "without --server-side" in error
    code, out, _ = await kubectl("create", "cm", "cc", "--from-literal=a=b", "--dry-run=client", "-o", "yaml")
    assert code == 0
    assert await apply(kubectl, out) == "configmap/cc created\n"


async def test_replace_with_a_stale_version(kubectl: Kubectl, tmp_path: Path) -> None:
    await apply(kubectl, APP)
    stale = await ok(kubectl, "get", "deploy", "demo", "-o", "json")
    await ok(kubectl, "scale", "deploy/demo", "--replicas=2")
    error = await refused(kubectl, "replace", "-f", "-", stdin=stale.replace('"replicas": 5', '"replicas": 7'))
    assert "the object has been modified; please apply your changes to the latest version" in error
