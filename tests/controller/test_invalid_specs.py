"""A manifest that is wrong: refused by the API where its schema can tell, else told of, and nothing is done with it."""

from typing import Any

import pytest
from tests.clusters.controllers import Recording
from tests.clusters.namespace import Namespace, shop
from tests.clusters.programs import Shell

from sluicegate.api.resources import ROLLOUTS
from sluicegate.errors import Invalid

STEPS = "experiment, setWeight, setCanaryScale, plugin or pause"
BAD_SPECS: dict[str, tuple[dict[str, Any], str]] = {
    "unknown step kind": (
        {"steps": [{"setWeigth": 20}]},
        (
            'spec.strategy.steps[0]: Invalid value: "step.Experiment: true step.Pause: true step.SetWeight: true '
            "step.Analysis: true step.SetCanaryScale: true step.SetHeaderRoute: true step.SetMirrorRoute: true "
            f'step.Plugin: true": Step must have one of the following set: {STEPS}'
        ),
    ),
    "weight above 100": (
        {"steps": [{"pause": {}}, {"setWeight": 120}]},
        "spec.strategy.steps[1].setWeight: Invalid value: 120: SetWeight needs to be between 0 and 100",
    ),
    "two kinds in a step": (
        {"steps": [{"setWeight": 20, "pause": {}}]},
        (
            'spec.strategy.steps[0]: Invalid value: "step.Experiment: false step.Pause: true step.SetWeight: true '
            f'step.Analysis: false": Step must have one of the following set: {STEPS}'
        ),
    ),
    "pause that is no duration": (
        {"steps": [{"pause": {"duration": "soon"}}]},
        "spec.strategy.steps[0].pause.duration: Invalid value: -1: Duration needs to be greater than 0",
    ),
}


@pytest.mark.parametrize(("canary", "error"), BAD_SPECS.values(), ids=BAD_SPECS)
async def test_bad_steps_are_told_of_and_mended(
    canary: dict[str, Any], error: str, namespace: Namespace, controller: Recording, shell: Shell
) -> None:
    await namespace.create(shop(**canary))

    await told_of(namespace, shell, error)

    await namespace.edit({"spec": {"strategy": {"canary": {"steps": [{"setWeight": 20}]}}}})
    await namespace.until_phase("Healthy")
    assert namespace.condition("InvalidSpec") == {}


async def test_selector_that_misses_the_template_is_told_of(
    namespace: Namespace, controller: Recording, shell: Shell
) -> None:
    manifest = shop()
    manifest["spec"]["template"]["metadata"]["labels"] = {"app": "stall"}
    await namespace.create(manifest)

    await told_of(
        namespace,
        shell,
        'spec.template.metadata.labels: Invalid value: {"app":"stall"}: `selector` does not match template `labels`',
    )

    await namespace.edit({"spec": {"template": {"metadata": {"labels": {"app": "shop"}}}}})
    await namespace.until_phase("Healthy")


async def test_bad_change_leaves_what_runs(namespace: Namespace, controller: Recording, shell: Shell) -> None:
    await namespace.create(shop(replicas=2))
    await namespace.until_phase("Healthy")

    await namespace.edit({"spec": {"replicas": 4, "minReadySeconds": -1}})
    error = "spec.minReadySeconds: Invalid value: -1: must be greater than or equal to 0"
    await told_of(namespace, shell, error, sizes={"blue": 2})

    await namespace.edit({"spec": {"minReadySeconds": 0}})
    await namespace.until_phase("Healthy")
    assert namespace.sizes == {"blue": 4}


async def test_negative_replicas_are_refused_at_once(namespace: Namespace) -> None:
    """By the API, which would have to show them as a Scale."""
    with pytest.raises(Invalid, match=r"spec\.replicas: Invalid value: -1"):
        await namespace.create(shop(replicas=-1))

    await namespace.create(shop(replicas=1))
    with pytest.raises(Invalid, match=r"spec\.replicas: Invalid value: -1"):
        await namespace.edit({"spec": {"replicas": -1}})


@pytest.mark.parametrize(
    ("step", "path"),
    [
        ({"setWeight": "twenty"}, "spec.strategy.canary.steps[0].setWeight"),
        ({"pause": {"duration": 1.5}}, "spec.strategy.canary.steps[0].pause.duration"),
        ({"experiment": {}}, "spec.strategy.canary.steps[0].experiment.templates"),
    ],
)
async def test_wrong_types_are_refused_by_the_schema(step: dict[str, Any], path: str, namespace: Namespace) -> None:
    with pytest.raises(Invalid) as refused:
        await namespace.create(shop(steps=[step]))

    assert path in [cause["field"] for cause in refused.value.causes]
    assert await namespace.client.list(ROLLOUTS, namespace.name) == []


async def test_selector_cannot_be_changed(namespace: Namespace) -> None:
    await namespace.create(shop())

    with pytest.raises(Invalid, match=r"\.spec\.selector is immutable"):
        await namespace.edit({"spec": {"selector": {"matchLabels": {"app": "stall"}}}})


async def told_of(namespace: Namespace, shell: Shell, error: str, sizes: dict[str, int] | None = None) -> None:
    """The condition, `get` and `status` all say it, and no ReplicaSet is created or resized."""
    message = f'InvalidSpec: The Rollout "shop" is invalid: {error}'
    await namespace.until_phase("Degraded", message)
    assert namespace.condition("InvalidSpec")["message"] == message.removeprefix("InvalidSpec: ")

    status = await shell.run("kubectl-argo-rollouts status shop")
    assert status.stdout == f"Degraded - {message}\n"
    assert status.stderr == f"Error: The rollout is in a degraded state with message: {message}\n"
    assert status.code == 1
    shown = await shell.says("kubectl-argo-rollouts get rollout shop")
    assert shown.splitlines()[2:4] == ["Status:          ✖ Degraded", f"Message:         {message}"]
    assert namespace.sizes == (sizes or {})
