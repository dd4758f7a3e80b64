"""Brings the scripted step plugin to the controllers under test."""

from sluicegate.testing.scripted import register_step_plugins as register_step_plugins
