"""Lists: selectors, paging, tables."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import pytest

from sluicegate.local.apiserver import paths, printers

if TYPE_CHECKING:
    from sluicegate.local.store import ObjectStore

Call = Callable[..., Awaitable[tuple[int, dict[str, Any]]]]
CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"
PODS = "/api/v1/namespaces/default/pods"
MERGE = {"Content-Type": "application/merge-patch+json"}
TABLE = {"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"}


async def create(call: Call, path: str, name: str, labels: dict[str, str] | None = None, **rest: Any) -> None:
    status, _ = await call("POST", path, {"metadata": {"name": name, "labels": labels or {}}, **rest})
    assert status == 201


def names(listed: dict[str, Any]) -> list[str]:
    return [item["metadata"]["name"] for item in listed["items"]]


async def test_a_list_says_what_it_is_and_from_when(call: Call, store: ObjectStore) -> None:
    await create(call, CONFIG_MAPS, "b")
    await create(call, CONFIG_MAPS, "a")
    _, listed = await call("GET", CONFIG_MAPS)
    assert (listed["kind"], listed["apiVersion"]) == ("ConfigMapList", "v1")
    assert listed["metadata"]["resourceVersion"] == str(store.resource_version)
    assert names(listed) == ["a", "b"]


async def test_a_list_is_of_one_namespace_or_of_all(call: Call) -> None:
    await call("POST", "/api/v1/namespaces", {"metadata": {"name": "team"}})
    await create(call, CONFIG_MAPS, "here")
    await create(call, "/api/v1/namespaces/team/configmaps", "there")
    assert names((await call("GET", CONFIG_MAPS))[1]) == ["here"]
    assert names((await call("GET", "/api/v1/configmaps"))[1]) == ["here", "there"]


@pytest.mark.parametrize(
    ("selector", "found"),
    [
        ("app=a", ["a1", "a2"]),
        ("app==a,tier=x", ["a1"]),
        ("app!=a", ["b", "none"]),
        ("app in (a, b),!tier", ["a2", "b"]),
        ("app notin (a)", ["b", "none"]),
        ("tier", ["a1"]),
        ("!app", ["none"]),
        ("n>3", ["b"]),
        ("n<4", ["a2"]),
    ],
)
async def test_label_selectors(call: Call, selector: str, found: list[str]) -> None:
    await create(call, CONFIG_MAPS, "a1", {"app": "a", "tier": "x"})
    await create(call, CONFIG_MAPS, "a2", {"app": "a", "n": "3"})
    await create(call, CONFIG_MAPS, "b", {"app": "b", "n": "12"})
    await create(call, CONFIG_MAPS, "none")
    _, listed = await call("GET", CONFIG_MAPS, params={"labelSelector": selector})
    assert names(listed) == found


@pytest.mark.parametrize("selector", ["a in b", "=a", "a ~ b", "n>x"])
async def test_a_selector_that_cannot_be_read_is_refused(call: Call, selector: str) -> None:
    status, failure = await call("GET", CONFIG_MAPS, params={"labelSelector": selector})
    assert (status, failure["reason"]) == (400, "BadRequest")


async def test_field_selectors_reach_any_member(call: Call) -> None:
    await create(call, PODS, "p1", spec={"nodeName": "n1", "hostNetwork": True})
    await create(call, PODS, "p2", spec={"nodeName": "n2"})
    for selector, found in (
        ("spec.nodeName=n1", ["p1"]),
        ("spec.nodeName!=n1", ["p2"]),
        ("metadata.name=p2,spec.nodeName==n2", ["p2"]),
        ("spec.hostNetwork=true", ["p1"]),
        ("status.phase=", ["p1", "p2"]),
    ):
        assert names((await call("GET", PODS, params={"fieldSelector": selector}))[1]) == found, selector


async def test_custom_resources_are_selected_by_name_only(call: Call, custom: str) -> None:
    await create(call, custom, "w", spec={"color": "red"})
    assert names((await call("GET", custom, params={"fieldSelector": "metadata.name=w"}))[1]) == ["w"]
    status, failure = await call("GET", custom, params={"fieldSelector": "spec.color=red"})
    assert (status, failure["message"]) == (400, "field label not supported: spec.color")


async def test_pages_hold_the_list_once(call: Call) -> None:
    for number in range(5):
        await create(call, CONFIG_MAPS, f"c{number}")
    _, first = await call("GET", CONFIG_MAPS, params={"limit": "2"})
    assert first["metadata"]["remainingItemCount"] == 3
    await create(call, CONFIG_MAPS, "later")
    _, second = await call("GET", CONFIG_MAPS, params={"limit": "4", "continue": first["metadata"]["continue"]})
    assert names(first) == ["c0", "c1"]
    assert names(second) == ["c2", "c3", "c4", "later"]
    assert second["metadata"] == {"resourceVersion": first["metadata"]["resourceVersion"]}


@pytest.mark.parametrize("token", ["what", "NQ==", "bnVsbA==", "WyJhIiwiYiIsImMiXQ=="])
async def test_a_foreign_continue_token_is_refused(call: Call, token: str) -> None:
    status, _ = await call("GET", CONFIG_MAPS, params={"limit": "2", "continue": token})
    assert status == 400


@pytest.mark.parametrize(
    "query",
    [
        {"limit": "many"},
        {"limit": "²"},
        {"limit": "9" * 5000},
        {"resourceVersion": "new"},
        {"watch": "1", "timeoutSeconds": "x"},
    ],
)
async def test_a_number_that_is_none_is_refused(call: Call, query: dict[str, str]) -> None:
    status, failure = await call("GET", CONFIG_MAPS, params=query)
    assert (status, failure["reason"]) == (400, "BadRequest")


async def test_an_exact_past_version_is_gone(call: Call) -> None:
    await create(call, CONFIG_MAPS, "c")
    query = {"resourceVersion": "1", "resourceVersionMatch": "Exact"}
    status, failure = await call("GET", CONFIG_MAPS, params=query)
    assert (status, failure["reason"]) == (410, "Expired")


async def test_a_table_has_columns_cells_and_the_metadata_of_each_row(call: Call) -> None:
    spec = {"containers": [{"name": "a"}, {"name": "b"}], "nodeName": "n"}
    await create(call, PODS, "p", spec=spec)
    ready = [{"name": "a", "ready": True, "restartCount": 2}, {"name": "b", "ready": False}]
    status = {"phase": "Running", "podIP": "127.10.0.2", "containerStatuses": ready}
    await call("PUT", f"{PODS}/p/status", {"metadata": {"name": "p"}, "status": status})
    _, table = await call("GET", PODS, headers=TABLE)
    assert table["kind"] == "Table"
    assert table["columnDefinitions"][0]["format"] == "name"
    cells = dict(zip((column["name"] for column in table["columnDefinitions"]), table["rows"][0]["cells"], strict=True))
    assert cells.pop("Age").endswith("s")
    assert cells == {
        "Name": "p",
        "Ready": "1/2",
        "Status": "Running",
        "Restarts": "2",
        "IP": "127.10.0.2",
        "Node": "n",
        "Nominated Node": "<none>",
        "Readiness Gates": "<none>",
    }
    assert table["rows"][0]["object"]["kind"] == "PartialObjectMetadata"
    assert table["rows"][0]["object"]["metadata"]["name"] == "p"


async def test_a_table_of_one_object_can_carry_it_whole(call: Call) -> None:
    await create(call, CONFIG_MAPS, "c", data={"a": "1"})
    _, table = await call("GET", f"{CONFIG_MAPS}/c", headers=TABLE, params={"includeObject": "Object"})
    assert [row["object"]["data"] for row in table["rows"]] == [{"a": "1"}]


async def test_events_are_shown_by_when_they_were_seen(call: Call) -> None:
    involved = {"kind": "Pod", "name": "p"}
    rest: dict[str, Any] = {
        "type": "Normal",
        "reason": "Told",
        "message": "a thing\n",
        "lastTimestamp": "2020-01-01T00:00:00Z",
    }
    await create(call, "/api/v1/namespaces/default/events", "p.1", involvedObject=involved, **rest)
    _, table = await call("GET", "/api/v1/namespaces/default/events", headers=TABLE)
    shown = [column["name"] for column in table["columnDefinitions"] if column["priority"] == 0]
    assert shown == ["Last Seen", "Type", "Reason", "Object", "Message"]
    assert table["rows"][0]["cells"][1:6] == ["Normal", "Told", "pod/p", "<none>", "a thing"]


async def test_printer_columns_of_a_custom_resource(call: Call, custom: str) -> None:
    await create(call, custom, "w", spec={"color": "red", "replicas": 3})
    conditions = [{"type": "Other", "status": "False"}, {"type": "Ready", "status": "True"}]
    await call("PATCH", f"{custom}/w/status", {"status": {"conditions": conditions}}, headers=MERGE)
    _, table = await call("GET", custom, headers=TABLE)
    assert [column["name"] for column in table["columnDefinitions"]] == ["Name", "Desired", "Ready", "Age"]
    assert table["rows"][0]["cells"][:3] == ["w", 3, "True"]


@pytest.mark.parametrize(
    ("plural", "odd"),
    [
        ("pods", {"spec": {"containers": [{"name": "c"}]}}),
        ("services", {"spec": {"ports": [{"port": 80}]}}),
        ("endpoints", {"subsets": ["?"]}),
        ("events", {"involvedObject": "?"}),
        ("configmaps", {"data": {}}),
        ("secrets", {"type": 1}),
    ],
)
async def test_a_table_takes_objects_with_next_to_nothing_in_them(call: Call, plural: str, odd: dict[str, Any]) -> None:
    path = f"/api/v1/namespaces/default/{plural}"
    await create(call, path, "bare")
    await create(call, path, "odd", **odd)
    status, table = await call("GET", path, headers=TABLE)
    assert status == 200
    assert len(table["rows"]) == 2


async def test_a_client_that_reads_no_json_is_told(call: Call) -> None:
    headers = {"Accept": "application/vnd.kubernetes.protobuf"}
    status, failure = await call("GET", CONFIG_MAPS, headers=headers)
    assert (status, failure["reason"]) == (406, "NotAcceptable")


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (-5, "<invalid>"),
        (-1, "0s"),
        (119, "119s"),
        (120, "2m"),
        (330, "5m30s"),
        (3599, "59m"),
        (4 * 3600 + 60, "4h1m"),
        (47 * 3600, "47h"),
        (3 * 86400 + 7200, "3d2h"),
        (12 * 86400, "12d"),
        (800 * 86400, "2y70d"),
        (9 * 365 * 86400, "9y"),
    ],
)
def test_ages_read_as_kubectl_prints_them(seconds: int, shown: str) -> None:
    assert printers.duration(seconds) == shown


@pytest.mark.parametrize(
    ("path", "found"),
    [
        (".a.b", [1]),
        (".list[1].name", ["y"]),
        (".list[*].name", ["x", "y"]),
        ('.list[?(@.name=="y")].value', [2]),
        (r".a.with\.dot", [3]),
        (".a['with.dot']", [3]),
        (".nothing.here", []),
        (".a[0]", []),
    ],
)
def test_jsonpaths_of_printer_columns(path: str, found: list[Any]) -> None:
    obj = {"a": {"b": 1, "with.dot": 3}, "list": [{"name": "x", "value": 1}, {"name": "y", "value": 2}]}
    assert paths.select(obj, path) == found
