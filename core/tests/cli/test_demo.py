"""The parts of `demo` that need no cluster: its example, its books, its verdict, its requests and its picture."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from rich.console import Console
from werkzeug import Response

from sluicegate.api.resources import PODS, REPLICA_SETS, ROLLOUTS
from sluicegate.cli.demo import report
from sluicegate.cli.demo.example import Example, Stop, load_example
from sluicegate.cli.demo.ledger import Ledger, Reply
from sluicegate.cli.demo.load import Load
from sluicegate.cli.demo.scene import Scene, draw, progress_line
from sluicegate.cli.interrupt import Wakeup

if TYPE_CHECKING:
    from pytest_httpserver import HTTPServer

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
EXAMPLES = Path(__file__).parents[3] / "examples"
COLOURS = ("blue", "yellow")


@pytest.fixture
def example() -> Example:
    return load_example()


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


def enter(ledger: Ledger, *replies: Reply) -> None:
    for reply in replies:
        ledger.close(ledger.open(), reply)


def enter_colours(ledger: Ledger, **counts: int) -> None:
    for colour, count in counts.items():
        enter(ledger, *[Reply(colour)] * count)


def test_packaged_manifest_is_the_one_people_read() -> None:
    packaged = Path(report.__file__).with_name("rollout.yaml")

    assert packaged.read_bytes() == (EXAMPLES / "01-canary" / "rollout.yaml").read_bytes()


def test_example_stops_at_each_pause_with_the_weight_set_before(example: Example) -> None:
    assert list(example.stops()) == [
        Stop(1, 20, endless=True),
        Stop(3, 40, endless=False),
        Stop(5, 60, endless=False),
        Stop(7, 80, endless=False),
    ]


def test_example_goes_from_blue_to_yellow(example: Example) -> None:
    assert (example.name, example.container, example.replicas) == ("canary-demo", "app", 5)
    assert (example.old.image, example.old.colour) == ("argoproj/rollouts-demo:blue", "blue")
    assert (example.new.image, example.new.colour) == ("argoproj/rollouts-demo:yellow", "yellow")


def test_share_is_measured_on_requests_sent_after_the_step_has_settled(ledger: Ledger, example: Example) -> None:
    ledger.begin("1/8", 20)
    early = ledger.open()
    enter_colours(ledger, blue=10)
    ledger.settle()
    ledger.close(early, Reply("blue"))
    enter_colours(ledger, blue=3, yellow=1)

    assert report.rows(ledger, example.new)[-1] == {
        "step": "1/8",
        "weight": 20,
        "share": 25.0,
        "measured": 4,
        "requests": 15,
        "failures": 0,
    }


def test_answer_counts_for_the_step_in_which_its_request_was_sent(ledger: Ledger, example: Example) -> None:
    late = ledger.open()
    ledger.begin("1/8", 20)
    ledger.close(late, Reply(failure="status 503"))

    before, after = report.rows(ledger, example.new)
    assert (before["requests"], before["failures"]) == (1, 1)
    assert (after["requests"], after["failures"], after["share"]) == (0, 0, None)


def test_json_is_the_list_of_steps(ledger: Ledger, example: Example) -> None:
    enter_colours(ledger, blue=2)
    ledger.begin("8/8", 100)

    steps = json.loads(report.as_json(ledger, example.new))

    assert [(step["step"], step["weight"], step["share"]) for step in steps] == [("before", 0, 0.0), ("8/8", 100, None)]


def test_table_adds_up_all_requests_and_failures(ledger: Ledger, example: Example) -> None:
    enter_colours(ledger, blue=2000)
    ledger.begin("8/8", 100)
    ledger.settle()
    enter_colours(ledger, yellow=3)
    enter(ledger, Reply(failure="status 500"))
    console = Console(file=StringIO(), width=80)

    console.print(report.table(ledger, example.new))

    lines = [line.split() for line in console.file.getvalue().splitlines() if line.strip()]  # type: ignore[attr-defined]
    assert lines[0] == ["Step", "Wanted", "Measured", "Requests", "Failures"]
    assert lines[2] == ["before", "0", "%", "0.0", "%", "2,000", "0"]
    assert lines[3] == ["8/8", "100", "%", "100.0", "%", "4", "1"]
    assert lines[-1] == ["Total", "2,004", "1"]


def test_all_is_well_when_nothing_failed_and_only_the_new_version_answers(ledger: Ledger, example: Example) -> None:
    enter_colours(ledger, blue=5)
    ledger.begin("8/8", 100)
    enter_colours(ledger, blue=1)
    ledger.settle()
    enter_colours(ledger, yellow=5)

    assert report.problem(ledger, example.new) == ""


def test_failed_requests_are_a_problem_with_their_reasons(ledger: Ledger, example: Example) -> None:
    enter(ledger, Reply(failure="status 503"), Reply(failure="no answer within 5 s"), Reply(failure="status 503"))
    enter_colours(ledger, yellow=1)

    assert report.problem(ledger, example.new) == ("3 of 4 requests failed: 2 × status 503, 1 × no answer within 5 s")


def test_old_version_answering_after_the_update_is_a_problem(ledger: Ledger, example: Example) -> None:
    ledger.begin("8/8", 100)
    ledger.settle()
    enter_colours(ledger, blue=2, yellow=98)

    assert report.problem(ledger, example.new) == "2 of 100 answers after the update did not come from yellow"


def test_no_answer_after_the_update_is_a_problem(ledger: Ledger, example: Example) -> None:
    ledger.begin("8/8", 100)
    ledger.settle()

    assert report.problem(ledger, example.new) == "no request was answered after the update"


async def answered(url: str, ledger: Ledger, count: int) -> None:
    """Send requests until so many have come to an end."""
    ended = Wakeup()
    async with Load(url, COLOURS, ledger, ended.notify).running():
        while ledger.requests < count:
            await ended.wait()


async def test_load_enters_who_answered(httpserver: HTTPServer, ledger: Ledger) -> None:
    httpserver.expect_ordered_request("/color").respond_with_data('"blue"')
    httpserver.expect_request("/color").respond_with_data('"yellow"')

    await answered(httpserver.url_for("/color"), ledger, 5)

    assert ledger.current.answers["blue"] == 1
    assert ledger.current.answers["yellow"] >= 4
    assert ledger.failed == 0


async def test_load_opens_a_connection_for_each_request(httpserver: HTTPServer, ledger: Ledger) -> None:
    ports: list[Any] = []

    def note_port(request: Any) -> Response:
        ports.append(request.environ["REMOTE_PORT"])
        return Response('"blue"')

    httpserver.expect_request("/color").respond_with_handler(note_port)

    await answered(httpserver.url_for("/color"), ledger, 5)

    assert len(set(ports)) == len(ports)


@pytest.mark.parametrize(
    ("response", "reason"),
    [
        (Response('"blue"', status=503), "status 503"),
        (Response('"purple"'), "unknown answer '\"purple\"'"),
        (Response("<html>"), "unknown answer '<html>'"),
    ],
    ids=["status", "another colour", "no colour"],
)
async def test_load_takes_any_other_answer_for_a_failure(
    httpserver: HTTPServer, ledger: Ledger, response: Response, reason: str
) -> None:
    httpserver.expect_request("/color").respond_with_response(response)

    await answered(httpserver.url_for("/color"), ledger, 1)

    assert set(ledger.failures) == {reason}


async def test_load_takes_a_refused_connection_for_a_failure(ledger: Ledger, unused_tcp_port: int) -> None:
    await answered(f"http://127.0.0.1:{unused_tcp_port}/color", ledger, 1)

    assert ledger.failed == ledger.requests >= 1
    assert set(ledger.failures) == {"connection refused"}


def scene_of(example: Example, ledger: Ledger, *, seconds: float = 0) -> Scene:
    now = NOON + timedelta(seconds=seconds)
    return Scene(example, ledger, lambda: now, NOON, colour=False, happening="Step 1/8: paused at 20 %")


def half_way(example: Example) -> Scene:
    """In the step of 20 %, with a tree of one Rollout, its ReplicaSet and twenty pods."""
    ledger = Ledger()
    ledger.begin("1/8", 20)
    ledger.settle()
    enter_colours(ledger, yellow=20, blue=80)
    scene = scene_of(example, ledger)
    snapshot = {ROLLOUTS: [stored_rollout(example)], REPLICA_SETS: [owned("web-1", "a", "r")], PODS: pods(20)}
    scene.snapshot = lambda: snapshot
    return scene


def stored_rollout(example: Example) -> dict[str, Any]:
    status = {"phase": "Paused", "message": "CanaryPauseStep", "currentStepIndex": 1}
    return {**example.rollout, "metadata": {"name": example.name, "uid": "r"}, "status": status}


def owned(name: str, uid: str, owner: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "uid": uid, "ownerReferences": [{"uid": owner}]}, "spec": {}, "status": {}}


def pods(count: int) -> list[dict[str, Any]]:
    return [owned(f"web-1-{number:02}", f"p{number}", "a") for number in range(count)]


def printed(scene: Scene, width: int, height: int, **options: Any) -> list[str]:
    file = StringIO()
    console = Console(file=file, width=width, height=height, **options)
    console.print(draw(scene, width, height))
    return file.getvalue().splitlines()


def test_picture_shows_state_shares_counts_and_tree(example: Example) -> None:
    lines = printed(half_way(example), 100, 40)

    assert lines[:2] == ["canary-demo  ॥ Paused  step 1/8  CanaryPauseStep", "Step 1/8: paused at 20 %"]
    assert [line.split()[0] for line in lines[3:5]] == ["blue", "yellow"]
    assert lines[3].endswith("80.0 %   80 wanted")
    assert lines[4].endswith("20.0 %   20 wanted")
    assert lines[6] == "100 requests, none failed"
    assert lines[9].split()[:3] == ["⟳", "canary-demo", "Rollout"]
    assert sum("□" in line for line in lines) == 20


def test_bar_ends_at_its_mark_when_the_share_is_the_wanted_one(example: Example) -> None:
    lines = printed(half_way(example), 100, 40)

    assert [line.split()[1] for line in lines[3:5]] == ["█" * 40 + "┃" + "─" * 10, "█" * 10 + "┃" + "─" * 40]


def test_bar_past_its_mark_is_drawn_on_both_sides_of_it(example: Example) -> None:
    scene = half_way(example)
    enter_colours(scene.ledger, yellow=40)

    assert printed(scene, 100, 40)[4].split()[1] == "█" * 10 + "┃" + "█" * 10 + "─" * 30


@pytest.mark.parametrize(("width", "height"), [(100, 12), (40, 40), (20, 8), (10, 3)])
def test_picture_is_never_larger_than_the_terminal(example: Example, width: int, height: int) -> None:
    lines = printed(half_way(example), width, height)

    assert len(lines) < height
    assert all(len(line) <= width for line in lines)


def test_picture_before_there_is_a_cluster_shows_what_happens(example: Example, ledger: Ledger) -> None:
    lines = printed(scene_of(example, ledger), 80, 24)

    assert lines[:2] == ["canary-demo", "Step 1/8: paused at 20 %"]
    assert lines[6] == "0 requests, none failed"


def test_failures_show_in_the_counts(example: Example, ledger: Ledger) -> None:
    enter(ledger, Reply(failure="status 503"))
    enter_colours(ledger, blue=1)

    assert progress_line(scene_of(example, ledger)) == "0.0 % yellow, 0 % wanted; 2 requests, 1 failed"
