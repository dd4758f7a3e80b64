"""Settings of a plugin: parsed once, strictly, with the path of whatever is wrong."""

import pytest
from pydantic import ValidationError

from sluicegate.errors import ConfigError
from sluicegate.plugins import Config

PATH = "spec.strategy.canary.trafficRouting.plugins.acme/edge"


class Backend(Config):
    host: str
    port: int = 80


class EdgeConfig(Config):
    pool_name: str
    backends: tuple[Backend, ...] = ()


def test_settings_are_written_in_camel_case_and_nest() -> None:
    config = EdgeConfig.parse({"poolName": "web", "backends": [{"host": "a"}]}, path=PATH)
    assert config == EdgeConfig(pool_name="web", backends=(Backend(host="a", port=80),))


@pytest.mark.parametrize(
    ("raw", "fault"),
    [
        pytest.param({}, f"{PATH}.poolName: Required value", id="missing"),
        pytest.param({"poolName": "w", "pol": 1}, f"{PATH}.pol: unknown field", id="unknown"),
        pytest.param({"pool_name": "w", "poolName": "w"}, f"{PATH}.pool_name: unknown field", id="snake case"),
        pytest.param({"poolName": 7}, f"{PATH}.poolName: Invalid value: 7: Input should be a valid string", id="type"),
        pytest.param(
            {"poolName": "w", "backends": [{"host": "a"}, {"host": "b", "port": "80"}]},
            f'{PATH}.backends[1].port: Invalid value: "80": Input should be a valid integer',
            id="type in a list",
        ),
        pytest.param("web", f'{PATH}: Invalid value: "web": Input should be an object', id="no mapping"),
        pytest.param(None, f"{PATH}: Invalid value: null: Input should be an object", id="null"),
    ],
)
def test_a_fault_is_named_with_its_path_and_value(raw: object, fault: str) -> None:
    with pytest.raises(ConfigError) as caught:
        EdgeConfig.parse(raw, path=PATH)
    assert str(caught.value) == fault


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        EdgeConfig.parse({"backends": 1, "x": 2}, path="p")
    assert [line.split(":")[0] for line in str(caught.value).splitlines()] == ["p.poolName", "p.backends", "p.x"]


def test_parsed_settings_cannot_be_changed() -> None:
    config = Backend(host="a")
    with pytest.raises(ValidationError):
        config.host = "b"  # type: ignore[misc]


def test_a_plugin_without_settings_takes_an_empty_object_only() -> None:
    assert Config.parse({}, path="p") == Config()
    with pytest.raises(ConfigError, match=r"p\.a: unknown field"):
        Config.parse({"a": 1}, path="p")
