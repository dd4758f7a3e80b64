"""The status of a Rollout as it goes over the wire."""

from sluicegate.api.status import CanaryStatus, RolloutStatus, StepPluginStatus


def test_what_a_step_plugin_keeps_is_stored_with_its_zeros() -> None:
    entry = StepPluginStatus(index=0, name="a", operation="Run", status={"n": 0})
    wire = RolloutStatus(canary=CanaryStatus(step_plugin_statuses=[entry])).to_wire()
    assert wire["canary"]["stepPluginStatuses"] == [{"index": 0, "name": "a", "operation": "Run", "status": {"n": 0}}]
