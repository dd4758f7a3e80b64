"""The loggers that plugins are given: each names its Rollout, and goes with it."""

import logging

from sluicegate.api.rollout import Rollout


def plugin_logger(parent: logging.Logger, rollout: Rollout, plugin: str) -> logging.Logger:
    """A logger of its own, unknown to the logging module, which would keep it after the Rollout is gone."""
    own = logging.Logger(f"{parent.name}.{plugin}")
    own.parent = parent
    prefix = f"{rollout.metadata.namespace}/{rollout.metadata.name}: "

    def name_rollout(record: logging.LogRecord) -> bool:
        record.msg, record.args = prefix + record.getMessage(), ()
        return True

    own.addFilter(name_rollout)
    return own
