"""Brings the recording router to the controllers under test, as a user brings a plugin in a file."""

from sluicegate.testing.recording import register_traffic_routers as register_traffic_routers
