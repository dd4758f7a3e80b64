"""The event recorder: events as client-go writes them, sent behind everyone's back and in nobody's way."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any

import pytest

from sluicegate.kube.recorder import EventRecorder, ObjectReference

if TYPE_CHECKING:
    from core.tests.kube.conftest import ScriptedApi

    from sluicegate.kube.client import Client

pytestmark = pytest.mark.asyncio(loop_factories=["virtual"])

ROLLOUT = ObjectReference(
    api_version="argoproj.io/v1alpha1", kind="Rollout", namespace="shop", name="web", uid="u1", resource_version="7"
)
PATH = "/api/v1/namespaces/shop/events"


def reference(name: str, version: str = "7") -> ObjectReference:
    return ObjectReference(
        api_version="v1", kind="Pod", namespace="shop", name=name, uid=f"uid-{name}", resource_version=version
    )


@pytest.fixture
def recorder(client: Client) -> EventRecorder:
    return EventRecorder(client, "rollouts-controller")


def sent(api: ScriptedApi) -> list[tuple[str, Any]]:
    """Method and message of a created event, method and count of a patched one."""
    return [
        (request.method, request.body["message" if request.method == "POST" else "count"]) for request in api.requests
    ]


async def test_an_event_has_the_fields_that_client_go_writes(api: ScriptedApi, recorder: EventRecorder) -> None:
    api.will(api.says({}))
    recorder.record(ROLLOUT, "Normal", "RolloutUpdated", "Rollout updated to revision 2")
    await recorder.flush()
    request = api.requests[0]
    assert (request.method, request.path) == ("POST", PATH)
    body = request.body
    assert re.fullmatch(r"web\.[0-9a-f]{16}", body["metadata"].pop("name"))
    first, last = body.pop("firstTimestamp"), body.pop("lastTimestamp")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", first)
    assert first == last
    assert body == {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"namespace": "shop"},
        "involvedObject": {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Rollout",
            "namespace": "shop",
            "name": "web",
            "uid": "u1",
            "resourceVersion": "7",
        },
        "type": "Normal",
        "reason": "RolloutUpdated",
        "message": "Rollout updated to revision 2",
        "count": 1,
        "source": {"component": "rollouts-controller"},
        "reportingComponent": "rollouts-controller",
        "reportingInstance": "",
    }


async def test_events_of_cluster_scoped_objects_go_to_the_default_namespace(
    api: ScriptedApi, recorder: EventRecorder
) -> None:
    api.will(api.says({}))
    recorder.record(ObjectReference(api_version="v1", kind="Node", namespace="", name="n1"), "Normal", "Up", "Is up")
    await recorder.flush()
    assert api.requests[0].path == "/api/v1/namespaces/default/events"
    assert api.requests[0].body["involvedObject"] == {"apiVersion": "v1", "kind": "Node", "name": "n1"}


async def test_recording_sends_nothing_until_the_recorder_runs_and_then_keeps_the_order(
    api: ScriptedApi, recorder: EventRecorder
) -> None:
    api.will(*[api.says({})] * 3)
    for number in range(3):
        recorder.record(ROLLOUT, "Normal", "Step", f"step {number}")
    assert api.requests == []
    running = asyncio.create_task(recorder.run())
    await asyncio.sleep(1)
    running.cancel()
    assert sent(api) == [("POST", "step 0"), ("POST", "step 1"), ("POST", "step 2")]
    assert len({request.body["metadata"]["name"] for request in api.requests}) == 3


async def test_a_repeat_raises_the_count_of_the_event_that_is_there(api: ScriptedApi, recorder: EventRecorder) -> None:
    api.will(*[api.says({})] * 5)
    for version in ("1", "2", "3"):
        recorder.record(reference("web", version), "Warning", "Failed", "no luck")
    recorder.record(reference("web"), "Normal", "Failed", "no luck")
    recorder.record(reference("api"), "Warning", "Failed", "no luck")
    await recorder.flush()
    assert sent(api) == [("POST", "no luck"), ("PATCH", 2), ("PATCH", 3), ("POST", "no luck"), ("POST", "no luck")]
    name = api.requests[0].body["metadata"]["name"]
    assert api.requests[1].path == api.requests[2].path == f"{PATH}/{name}"
    assert set(api.requests[1].body) == {"count", "lastTimestamp"}


async def test_a_repeat_of_an_event_that_has_aged_away_is_created_with_its_count(
    api: ScriptedApi, recorder: EventRecorder
) -> None:
    api.will(api.says({}), api.fails(404, "NotFound"), api.says({}))
    recorder.record(ROLLOUT, "Normal", "Step", "again")
    recorder.record(ROLLOUT, "Normal", "Step", "again")
    await recorder.flush()
    assert (api.requests[2].method, api.requests[2].body["count"]) == ("POST", 2)


async def test_a_talkative_object_is_cut_short_and_heard_again_later_and_others_are_not_touched(
    api: ScriptedApi, recorder: EventRecorder
) -> None:
    api.will(*[api.says({})] * 30)
    for number in range(40):
        recorder.record(reference("loud"), "Normal", "Step", f"loud {number}")
    recorder.record(reference("calm"), "Normal", "Step", "calm")
    await recorder.flush()
    assert sent(api) == [("POST", f"loud {number}") for number in range(25)] + [("POST", "calm")]
    await asyncio.sleep(301)
    recorder.record(reference("loud"), "Normal", "Step", "later")
    recorder.record(reference("loud"), "Normal", "Step", "too soon")
    await recorder.flush()
    assert sent(api)[26:] == [("POST", "later")]


async def test_a_server_in_trouble_is_tried_again(api: ScriptedApi, recorder: EventRecorder) -> None:
    api.will(api.fails(500), api.drops, api.fails(503), api.says({}))
    recorder.record(ROLLOUT, "Normal", "Step", "one")
    await recorder.flush()
    assert sent(api) == [("POST", "one")] * 4
    assert len({request.body["metadata"]["name"] for request in api.requests}) == 1


async def test_an_event_whose_answer_was_lost_is_not_there_twice(api: ScriptedApi, recorder: EventRecorder) -> None:
    api.will(api.drops, api.fails(409, "AlreadyExists"), api.says({}))
    recorder.record(ROLLOUT, "Normal", "Step", "one")
    recorder.record(ROLLOUT, "Normal", "Step", "one")
    await recorder.flush()
    assert sent(api) == [("POST", "one"), ("POST", "one"), ("PATCH", 2)]


async def test_what_cannot_be_sent_is_dropped_with_a_line_in_the_log_and_the_next_goes_out(
    api: ScriptedApi, recorder: EventRecorder, caplog: pytest.LogCaptureFixture
) -> None:
    api.will(*[api.fails(500, message="etcd is away")] * 5, api.fails(403, message="not you"), api.says({}))
    for message in ("one", "two", "three"):
        recorder.record(ROLLOUT, "Normal", "Step", message)
    await recorder.flush()
    assert sent(api)[-1] == ("POST", "three")
    assert caplog.messages == [
        "event Step of web was not sent: etcd is away",
        "event Step of web was refused: not you",
    ]


async def test_a_full_queue_drops_the_newest_and_says_so(
    api: ScriptedApi, recorder: EventRecorder, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(1001):
        recorder.record(reference(f"pod-{number}"), "Normal", "Step", "full")
    assert caplog.messages == ["event queue is full; dropped Step of pod-1000: full"]


async def test_what_a_cancelled_run_left_is_sent_by_flush_once(api: ScriptedApi, recorder: EventRecorder) -> None:
    api.will(api.hangs, api.fails(409, "AlreadyExists"), api.says({}))
    recorder.record(ROLLOUT, "Normal", "Step", "one")
    recorder.record(ROLLOUT, "Normal", "Step", "two")
    running = asyncio.create_task(recorder.run())
    await asyncio.sleep(5)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await recorder.flush()
    first, second, third = (request.body for request in api.requests)
    assert first["metadata"]["name"] == second["metadata"]["name"]
    assert third["message"] == "two"


async def test_a_flush_with_a_limit_does_not_wait_for_a_server_that_is_away(
    api: ScriptedApi, recorder: EventRecorder, caplog: pytest.LogCaptureFixture
) -> None:
    api.will(*[api.says({"kind": "Status", "code": 503}, status=503)] * 20)
    for number in range(3):
        recorder.record(reference(f"pod-{number}"), "Normal", "Scheduled", "somewhere")
    before = asyncio.get_running_loop().time()
    await recorder.flush(at_most=1.0)
    assert asyncio.get_running_loop().time() - before == pytest.approx(1.0)
    assert "3 events were not sent within 1 s" in caplog.text
