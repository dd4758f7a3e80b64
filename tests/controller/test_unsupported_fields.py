"""A Rollout that asks for what is not built yet: left wholly untouched, with one Warning that names the field."""

from typing import Any

import pytest
from tests.clusters.controllers import Recording
from tests.clusters.namespace import Namespace, shop
from tests.clusters.wire import Wire

ANALYSIS = {"templates": [{"templateName": "errors"}]}
FIELDS: dict[str, dict[str, Any]] = {
    "spec.strategy.canary.analysis": {"canary": {"analysis": ANALYSIS}},
}


@pytest.mark.parametrize(("field", "strategy"), FIELDS.items(), ids=FIELDS)
async def test_it_is_left_untouched(
    field: str, strategy: dict[str, Any], namespace: Namespace, controller: Recording, wire: Wire
) -> None:
    manifest = shop()
    manifest["spec"]["strategy"] = strategy
    await namespace.create(manifest)
    await namespace.until(lambda: namespace.find_rollout() is not None, "the Rollout shows")
    version = namespace.rollout["metadata"]["resourceVersion"]

    # Each annotation makes the controller look again.
    for value in ("1", "2"):
        await namespace.edit({"metadata": {"annotations": {"looked-at": value}}})
    await namespace.until_rest()

    warnings = [event for event in controller.events if event.type == "Warning"]
    assert [(event.reason, event.message.split()[0]) for event in warnings] == [("UnsupportedField", field)]
    assert [sent for sent in wire.sent if sent.writes] == []
    assert "status" not in namespace.rollout
    assert int(namespace.rollout["metadata"]["resourceVersion"]) > int(version)


async def test_a_running_canary_stays_as_it_is(namespace: Namespace, controller: Recording, wire: Wire) -> None:
    await namespace.create(shop(replicas=2))
    await namespace.until_phase("Healthy")
    await namespace.until_rest()
    before, sent = dict(namespace.status), len(wire.sent)

    await namespace.edit({"spec": {"replicas": 4, "strategy": {"canary": {"analysis": ANALYSIS}}}})
    await namespace.until_rest()

    assert namespace.sizes == {"blue": 2}
    assert namespace.status == before
    assert [request for request in wire.sent[sent:] if request.writes] == []
