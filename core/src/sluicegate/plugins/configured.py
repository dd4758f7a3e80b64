"""What plugins that take settings from a manifest have in common: they name their `Config` and parse what is there."""

from __future__ import annotations

from typing import Any, ClassVar, Generic, cast, get_args

from sluicegate.errors import ConfigError, PluginError
from sluicegate.plugins.config import Config
from sluicegate.plugins.context import ConfigT


class Configured(Generic[ConfigT]):
    """Takes its settings as a `Config`, which is named by the type argument of the class."""

    name: ClassVar[str]
    config: ClassVar[type[Config]] = Config

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        for base in cls.__dict__.get("__orig_bases__", ()):
            for argument in get_args(base):
                if isinstance(argument, type) and issubclass(argument, Config):
                    cls.config = argument

    def parse_config(self, raw: object, *, path: str) -> ConfigT:
        """Parse the settings found at field `path`; raises ConfigError naming each faulty field."""
        return cast("ConfigT", self.config.parse(raw, path=path))


def parsed_settings(plugin: Configured[Any], raw: object, path: str) -> Config:
    """The settings as the plugin parses them; raises ConfigError, and PluginError if the plugin cannot judge them."""
    try:
        parsed: Config = plugin.parse_config(raw, path=path)
    except ConfigError:
        raise
    except Exception as error:
        text = f"plugin `{plugin.name}`, parse_config: {type(error).__name__}: {error}"
        raise PluginError(text, plugin=plugin.name, operation="parse_config") from error
    return parsed
