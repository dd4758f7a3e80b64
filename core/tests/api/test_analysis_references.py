"""The analysis templates that a Rollout uses: there or not, fit or not, together and one by one."""

from collections.abc import Callable
from typing import Any

import pytest

from sluicegate.api.rollout import Rollout

from .references import STEP, Document, Objects, analysis, errors_in, step, template


def test_a_template_that_another_names_is_missing(rollout_with: Callable[..., Rollout]) -> None:
    errors = errors_in(rollout_with(step(**analysis("a"))), [template("a", "cluster:b")])
    assert errors == ["spec.templates: Invalid value: \"b\": ClusterAnalysisTemplate 'b' not found"]


def test_templates_that_go_round_in_a_circle(rollout_with: Callable[..., Rollout]) -> None:
    circle = [template("a", "b"), template("b", "cluster:c"), template("cluster:c", "a")]
    assert errors_in(rollout_with(step(**analysis("a"))), [*circle]) == [
        "spec.templates: Invalid value: \"a\": AnalysisTemplate 'a' must not use itself through its own templates"
    ]


def test_a_template_that_two_others_name_counts_once(rollout_with: Callable[..., Rollout]) -> None:
    shared = template("d", metrics=[{"name": "rate", "provider": {}}])
    objects = [template("a", "b", "c"), template("b", "d"), template("c", "d"), shared]
    assert errors_in(rollout_with(step(**analysis("a", "d"))), [*objects]) == []


def test_a_template_with_a_number_that_no_type_holds(rollout_with: Callable[..., Rollout]) -> None:
    objects = [template("a", metrics=[{"name": "rate", "count": 2**40, "provider": {}}])]
    [error] = errors_in(rollout_with(step(**analysis("a"))), [*objects])
    assert error.startswith(f"{STEP} \"a\": AnalysisTemplate 'a' cannot be read: spec.metrics.0.count")


def metric(**members: Any) -> Document:
    return {"name": "rate", "provider": {}} | members


METRICS = {
    "count as text": (metric(interval="10s", count="3"), ""),
    "count that is no number": (metric(interval="10s", count="x"), "has metric rate which runs indefinitely"),
    "count that the template gives": (metric(interval="10s", count="{{args.n}}"), ""),
    "count left open": (metric(interval="10s", count="{{ args.open }}"), "Invalid value for count: dummy-value"),
    "count from a secret": (metric(interval="10s", count="{{args.secret}}"), "Invalid value for count: dummy-value"),
    "name with an argument": (metric(name="{{args.n}}", interval="1s"), "has metric 3 which runs indefinitely"),
    "value with quotes": (metric(provider={"web": {"url": "{{args.quoted}}"}}), ""),
    "value that JSON cannot hold": (
        metric(provider={"web": {"url": "{{args.bell}}"}}),
        "a: invalid character 'a' in string escape code",
    ),
    "the last of several": (
        metric(
            provider={
                "web": {
                    "headers": [{"value": "{{args.v}}", "key": "{{args.k}}"}],
                    "url": "{{args.u}}",
                    "jsonPath": "{$.a}",
                }
            },
            name="{{args.name}}",
        ),
        "a: failed to resolve {{args.v}}",
    ),
    "the last of a Job": (
        metric(
            provider={
                "job": {
                    "spec": {"template": {"spec": {"containers": [{"image": "{{args.i}}", "name": "{{args.c}}"}]}}},
                    "metadata": {"labels": {"a": "{{args.l}}"}},
                }
            }
        ),
        "a: failed to resolve {{args.i}}",
    ),
    "plugins by name": (
        metric(provider={"plugin": {"b/b": {"z": "{{args.z}}", "y": "{{args.y}}"}, "a/a": {"x": "{{args.x}}"}}}),
        "a: failed to resolve {{args.y}}",
    ),
    "a quote in the braces": (metric(successCondition='{{args."x"}}'), 'a: failed to resolve {{args.\\"x\\"}}'),
    "braces that swallow the rest": (
        metric(successCondition="{{args.n"),
        'a: failed to resolve {{args.n","provider":{}}',
    ),
    "braces without an end": (
        metric(consecutiveSuccessLimit="{{args.n"),
        'a: Cannot find end tag="}}" in the template=',
    ),
}


@pytest.mark.parametrize(("measured", "error"), METRICS.values(), ids=METRICS)
def test_placeholders_of_a_template(measured: Document, error: str, rollout_with: Callable[..., Rollout]) -> None:
    args = [
        {"name": "n", "value": "3"},
        {"name": "open"},
        {"name": "secret", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
        {"name": "quoted", "value": 'say "hi"\n'},
        {"name": "bell", "value": "\a"},
    ]
    supplied = [{"name": "open", "value": "5"}]
    objects: Objects = [template("a", metrics=[measured], args=args)]
    errors = errors_in(rollout_with(step(**analysis("a", args=supplied))), objects)
    assert [error in found for found in errors] == ([True] if error else [])


def test_rules_of_a_step_meet_those_of_every_template(rollout_with: Callable[..., Rollout]) -> None:
    """Also those of another step's templates, as the incumbent does; those of the background analysis are not asked."""
    rules = [{"metricName": "rate"}]
    strategy = {"canary": {"steps": [{"analysis": {"dryRun": rules}}], "analysis": analysis("a", dryRun=rules)}}
    errors = errors_in(rollout_with(strategy), [template("a", dryRun=rules)])
    error = "\"templateNames: [a]\": two Dry-Run metric rules have the same name 'rate'"
    assert errors == [f"spec.strategy.canary.analysis.templates: Invalid value: {error}"]


@pytest.mark.parametrize(
    ("path", "errors"),
    [
        ("metadata.labels['app']", []),
        ("spec.nothing.there", []),
        ("metadata.nothing", ['"templateNames: [a]": args.x was not resolved']),
    ],
)
def test_arguments_of_a_background_analysis(path: str, errors: list[str], rollout_with: Callable[..., Rollout]) -> None:
    """One that cannot be read takes all others with it; the local checks look at those of steps only."""
    args = [{"name": "x", "value": "1"}, {"name": "y", "valueFrom": {"fieldRef": {"fieldPath": path}}}]
    objects: Objects = [template("a", args=[{"name": "x"}])]
    found = errors_in(rollout_with({"canary": {"analysis": analysis("a", args=args)}}), objects)
    assert found == [f"spec.strategy.canary.analysis.templates: Invalid value: {error}" for error in errors]


def test_an_argument_nested_templates_agree_on(rollout_with: Callable[..., Rollout]) -> None:
    objects = [
        template("a", "b", args=[{"name": "x", "value": "1"}, {"name": "y"}]),
        template("b", args=[{"name": "x", "value": "1"}, {"name": "y", "value": "2"}]),
    ]
    assert errors_in(rollout_with(step(**analysis("a"))), [*objects]) == []
