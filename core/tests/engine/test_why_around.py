"""What a person is told of a Rollout that is not worked on, and of what goes on around one."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from sluicegate.api import names
from sluicegate.api.rollout import Rollout
from sluicegate.api.validation import ErrorKind, FieldError
from sluicegate.engine.surroundings import Surroundings
from sluicegate.engine.view import View
from sluicegate.engine.why import Autoscaler, Commands
from sluicegate.engine.workload import HAND_BACK

from .blue_green_world import BlueGreenWorld
from .builders import make_replica_set, make_view
from .explained import EDIT, explained, explained_view, lines_of, told
from .lenders import make_rollout
from .manifests import canary_manifest
from .owned_pods import make_pod, moment
from .routed import CANARY, ROUTED, STABLE
from .world import START, World

STEPS = [{"setWeight": 20}, {"pause": {}}]
LEASE = (
    "can: To see when it last gave a sign of life: kubectl get lease -A "
    "--field-selector metadata.name=argo-rollouts-controller-lock -o yaml"
)
KEPT = "next: Nothing changes until this is mended: pods, Services and traffic stay as they are."
MENDED = f"{KEPT} The update goes on by itself within a minute of the mend."
NO_RESTART = (
    "can: To call the restart off: "
    """kubectl patch rollout a --type=merge -p '{"spec":{"restartAt":null}}' -n demo"""
)


def healthy() -> World:
    return World.healthy(canary_manifest(steps=STEPS))


def edited() -> World:
    """A world with a new image that no controller has seen."""
    world = healthy()
    world.set_image("v2")
    return world


def view_lines(view: View, now: datetime = START, **known: Any) -> list[str]:
    return [line for finding in explained_view(view, now, **known).findings for line in lines_of(finding)]


def test_a_change_that_the_controller_has_not_looked_at() -> None:
    assert told(edited()) == [
        "The controller has not looked at the newest change of the manifest yet.",
        "waits: The controller: that takes a second or so. It knows change 1, the newest is 2.",
        "next: Then the update to the new version begins.",
        LEASE,
    ]


def test_what_is_known_of_an_older_manifest_is_said_to_be_so() -> None:
    world = healthy()
    world.pause()

    lines = told(world)

    assert lines[2] == "next: What is said below may be about the manifest as it was before."
    assert "Somebody has paused Rollout shop by hand." in lines


def test_a_rollout_that_is_left_to_another_controller() -> None:
    world = edited()
    world.patch({"metadata": {"labels": {names.INSTANCE_ID_LABEL: "blue"}}})

    assert told(world)[1].endswith(f"Its label {names.INSTANCE_ID_LABEL} leaves it to the controller blue alone.")


def test_a_controller_whose_lease_has_run_out_does_not_seem_to_run() -> None:
    world = edited()

    assert told(world, heartbeat=world.now - timedelta(minutes=7)) == [
        "The controller does not seem to run, so nothing here goes on.",
        "waits: The controller: its last sign of life was at 02:57:07 UTC.",
        "since: 02:57:07",
        "next: Once it runs it goes on from where it was. Pods and traffic stay as they are until then.",
        LEASE,
    ]


def test_work_that_nobody_does_shows_that_no_controller_runs() -> None:
    world = edited()

    lines = told(world, last_change=world.now - timedelta(minutes=7))

    assert lines[1] == "waits: The controller: there is work to do, and nothing is done since 02:57:07 UTC."


def test_a_controller_with_nothing_to_do_is_not_missed() -> None:
    world = healthy()
    long_ago = world.now - timedelta(hours=7)

    assert told(world, heartbeat=long_ago, last_change=long_ago)[0].startswith("Rollout shop is healthy")


def test_a_controller_that_has_just_been_given_work_is_not_missed() -> None:
    world = edited()

    lines = told(world, heartbeat=world.now - timedelta(seconds=5), last_change=world.now)

    assert lines[0] == "The controller has not looked at the newest change of the manifest yet."


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            FieldError(ErrorKind.INVALID, "spec.x.setWeight", 120, "setWeight must be from 0 to 100"),
            "spec.x.setWeight is 120: setWeight must be from 0 to 100.",
        ),
        (FieldError(ErrorKind.REQUIRED, "spec.selector"), "spec.selector is missing."),
        (FieldError(ErrorKind.FORBIDDEN, "spec.x", detail="not with y"), "spec.x must not be there: not with y."),
        (FieldError(ErrorKind.DUPLICATE, "spec.x", "a"), "spec.x has a twice."),
        (FieldError(ErrorKind.NOT_FOUND, "spec.x", "a"), "spec.x names a, which does not exist."),
        (FieldError(ErrorKind.INTERNAL, "spec.x", detail="two at once"), "spec.x: two at once."),
    ],
)
def test_an_invalid_field_is_told_with_what_is_there_and_what_would_be_right(error: FieldError, words: str) -> None:
    assert told(healthy(), errors=(error,)) == [
        f"The Rollout is not valid, so nothing is done: {words}",
        "waits: The manifest, or what it names, has to be mended.",
        MENDED,
        EDIT,
    ]


def test_a_service_that_is_missing() -> None:
    error = FieldError(ErrorKind.INVALID, "spec.strategy.canary.canaryService", "web", 'service "web" not found')

    lines = told(healthy(), errors=(error, FieldError(ErrorKind.REQUIRED, "spec.selector")))

    assert lines[0] == (
        "The Rollout is not valid, so nothing is done: spec.strategy.canary.canaryService names web, and there is none."
    )
    assert lines[1].endswith("Also wrong: spec.selector is missing.")
    assert "can: To see which Services there are: kubectl get services -n demo" in lines


def test_what_only_the_controller_knows_to_be_wrong_is_taken_from_the_status() -> None:
    world = healthy()
    text = "plugin `acme/edge` is not installed"
    message = f'The Rollout "shop" is invalid: {text}'
    condition = {"type": "InvalidSpec", "status": "True", "reason": "InvalidSpec", "message": message}
    world.patch_status({"conditions": [{**condition, "lastTransitionTime": "2026-01-02T03:04:00Z"}]})

    assert told(world)[:3] == [
        f"The controller refuses the Rollout: {text}.",
        "waits: The manifest, what it names, or the plugins of the controller have to be mended.",
        "since: 03:04:00",
    ]


def test_a_workload_that_lends_no_template() -> None:
    rollout = make_rollout(patch={"status": {"observedGeneration": "1"}})

    lines = view_lines(View.of(rollout, ()), unresolved='deployments.apps "demo/shop" not found')

    assert lines == [
        'The pod template cannot be read from Deployment shop: deployments.apps "demo/shop" not found.',
        "waits: spec.workloadRef has to name a Deployment, ReplicaSet or PodTemplate in namespace demo.",
        KEPT,
        "can: To see whether it is there: kubectl get deployment shop -n demo",
        EDIT,
    ]


def deleted(*finalizers: str) -> Rollout:
    metadata = {"deletionTimestamp": "2026-01-02T03:04:00Z", "finalizers": list(finalizers)}
    return make_rollout(patch={"metadata": metadata, "status": {"observedGeneration": "1"}})


def test_a_rollout_that_is_being_deleted() -> None:
    assert view_lines(View.of(deleted("example.com/x"), ())) == [
        "Rollout shop-ro is being deleted.",
        "waits: These finalizers have to go: example.com/x.",
        "since: 03:04:00",
        "next: Its pods go with it.",
    ]


def test_a_deployment_that_is_to_serve_before_the_rollout_goes() -> None:
    assert view_lines(View.of(deleted(HAND_BACK), ()))[1:] == [
        "waits: Deployment shop has to have its pods available, so that somebody serves when the pods here go.",
        "since: 03:04:00",
        "next: Then the Rollout and its pods go.",
        "can: To see the Deployment: kubectl describe deployment shop -n demo",
    ]


def test_a_restart_that_is_still_to_come() -> None:
    world = healthy()
    world.patch({"spec": {"restartAt": "2026-01-02T04:00:00Z"}})
    world.settle()

    assert told(world)[1:4] == [
        "A restart of all pods is planned at 04:00:00 UTC, in 55 minutes 53 seconds.",
        "waits: Time: it begins by itself.",
        "next: Then the pods are replaced, a few at a time.",
    ]


def restarting(*, ready: int) -> View:
    """A Rollout of three old pods, so many of them ready, in a restart."""
    replica_set = make_replica_set("s", 3, ready, new=True, desired=3)
    pods = tuple(make_pod(replica_set, f"p{n}", ready_at=0 if n < ready else None) for n in range(3))
    rollout = {
        "spec": {"replicas": 3, "restartAt": "2030-01-01T00:01:00Z", "strategy": {"canary": {}}},
        "status": {"stableRS": "s", "currentPodHash": "s", "observedGeneration": "0"},
    }
    return make_view(rollout, [replica_set]).seeing(Surroundings(pods=pods))


@pytest.mark.parametrize(
    ("ready", "budgets", "waits"),
    [
        (3, (), "The next pod goes within 30 seconds."),
        (1, (), "New pods have to be available before more old ones may go."),
        (3, ("keep-all",), "PodDisruptionBudget keep-all lets no pod go at the moment."),
    ],
)
def test_a_restart_under_way(ready: int, budgets: tuple[str, ...], waits: str) -> None:
    lines = view_lines(restarting(ready=ready), moment(90), blocking_budgets=budgets)

    assert lines[lines.index("A restart is under way: 3 pods are still from before 00:01:00 UTC.") :] == [
        "A restart is under way: 3 pods are still from before 00:01:00 UTC.",
        f"waits: {waits}",
        "since: 00:01:00",
        "next: They are replaced a few at a time.",
        NO_RESTART,
    ]


def test_a_change_of_size_and_who_decides_it() -> None:
    world = healthy()
    world.scale(8)

    lines = told(world, autoscaler=Autoscaler("shop", 2, 10))

    assert lines[-2:] == [
        "The number of pods changes to 8. HorizontalPodAutoscaler shop decides the number, between 2 and 10.",
        "waits: The controller: it resizes before it does anything else.",
    ]


def test_the_facts_name_who_decides_the_size() -> None:
    facts = explained(healthy(), autoscaler=Autoscaler("shop", 2, 10)).facts

    assert facts[-1].text == "5 pods wanted, by HorizontalPodAutoscaler shop (2 to 10)"


def test_other_rollouts_with_the_same_pods() -> None:
    assert told(healthy(), rivals=("shop-2", "shop-3"))[1:] == [
        "Rollout shop-2 and Rollout shop-3 select the same pods as shop, or the same Services.",
        "waits: Each Rollout needs a selector and Services of its own.",
        "next: Until then requests may reach pods of either.",
        EDIT,
    ]


def test_commands_lead_to_the_same_cluster() -> None:
    commands = Commands("demo", "shop", "kubectl argo rollouts --context prod", "kubectl --context prod")

    assert commands.run("promote", "--full") == "kubectl argo rollouts --context prod promote shop --full -n demo"
    assert commands.kube("get pods") == "kubectl --context prod get pods -n demo"


def test_times_of_another_day_have_a_date() -> None:
    world = healthy()
    world.patch({"spec": {"restartAt": "2026-01-05T04:00:00Z"}})
    world.settle()

    assert "A restart of all pods is planned at 2026-01-05 04:00:00 UTC, in 3 days." in told(world)[1]


def walk(world: World) -> Iterator[World]:
    """The world after each pass of an update, an abort, a retry, a pause, and the way back."""
    actions: tuple[Callable[[], None], ...] = (
        lambda: world.set_image("v2"),
        world.abort,
        world.retry,
        world.pause,
        world.unpause,
        world.promote_full,
        lambda: world.undo("v1"),
        lambda: world.scale(2),
        lambda: world.set_image("v3-error"),
        world.promote_full,
    )
    for act in actions:
        act()
        yield world
        for _ in range(6):
            world.step()
            yield world
        world.settle()
        yield world
        world.pass_time(700)
        yield world


ROUTING: Any = ROUTED


@pytest.mark.parametrize(
    "begin",
    [
        healthy,
        lambda: World.healthy(canary_manifest(steps=STEPS, **ROUTING), services=(CANARY, STABLE)),
        lambda: World.healthy(
            canary_manifest(steps=STEPS, dynamicStableScale=True, **ROUTING), services=(CANARY, STABLE)
        ),
        lambda: BlueGreenWorld.serving(autoPromotionEnabled=False),
    ],
    ids=["basic", "routed", "dynamic", "blue-green"],
)
def test_every_state_is_told_in_full_sentences_without_internals(begin: Callable[[], World]) -> None:
    for state in walk(begin()):
        hashes = [one["metadata"]["labels"][names.HASH_LABEL] for one in state.replica_sets.values()]
        lines = told(state)
        assert lines
        assert [line for line in lines if not line.startswith(("can: ", "since: ")) and not line.endswith(".")] == []
        assert [line for line in lines if any(pod_hash in line for pod_hash in hashes)] == []
