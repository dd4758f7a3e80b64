"""What plugin authors test with: builders of what a plugin is handed, objects in memory, contracts to subclass.

Nothing here needs a cluster, a clock or the network, and nothing of it runs in production.
"""

from sluicegate.testing.recording import RecordingConfig, RecordingRouter
from sluicegate.testing.scripted import ScriptedStep, ScriptedStepConfig

__all__ = ["RecordingConfig", "RecordingRouter", "ScriptedStep", "ScriptedStepConfig"]
