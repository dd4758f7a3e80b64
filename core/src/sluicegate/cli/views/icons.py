"""The icon and colour that go with a status word (operations.md 1.3, "Status icons")."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sluicegate.cli.views.text import BLUE, GREEN, PLAIN, RED, YELLOW, Text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sluicegate.cli.views.text import Palette

Icon = tuple[str, int]

_SUCCESS: Final[Icon] = ("✔", GREEN)
_PROGRESS: Final[Icon] = ("◌", BLUE)
_PAUSED: Final[Icon] = ("॥", PLAIN)
_FAILURE: Final[Icon] = ("✖", RED)
_WARNING: Final[Icon] = ("⚠", RED)
_UNKNOWN: Final[Icon] = ("?", YELLOW)
_PENDING: Final[Icon] = ("◷", YELLOW)
_NEUTRAL: Final[Icon] = ("•", PLAIN)
_NONE: Final[Icon] = (" ", PLAIN)

_ROLLOUT: Final[Mapping[str, Icon]] = {
    "Healthy": _SUCCESS,
    "Progressing": _PROGRESS,
    "Paused": _PAUSED,
    "Degraded": _FAILURE,
    "Error": _WARNING,
    "InvalidSpec": _WARNING,
    "Unknown": _UNKNOWN,
    "ScaledDown": _NEUTRAL,
}
_REPLICA_SET: Final[Mapping[str, Icon]] = {
    "Healthy": _SUCCESS,
    "Progressing": _PROGRESS,
    "ReplicaFailure": _FAILURE,
    "ScaledDown": _NEUTRAL,
}
_ANALYSIS: Final[Mapping[str, Icon]] = {
    "Successful": _SUCCESS,
    "Running": _PROGRESS,
    "Failed": _FAILURE,
    "Error": _WARNING,
    "Inconclusive": _UNKNOWN,
    "Pending": _PENDING,
}
_POD: Final[Mapping[str, Icon]] = {
    "Running": _SUCCESS,
    "Completed": _SUCCESS,
    "Pending": _PROGRESS,
    "Terminating": _PROGRESS,
    "ContainerCreating": _PROGRESS,
    "Failed": _FAILURE,
    "InvalidImageName": _FAILURE,
    "CrashLoopBackOff": _FAILURE,
    "ImagePullBackOff": _WARNING,
    "RegistryUnavailable": _WARNING,
    "Unknown": _UNKNOWN,
}


def rollout_icon(phase: str) -> Icon:
    """The icon of a Rollout's phase."""
    return _ROLLOUT.get(phase, _NONE)


def replica_set_icon(health: str) -> Icon:
    """The icon of a ReplicaSet's health."""
    return _REPLICA_SET.get(health, _NONE)


def analysis_icon(phase: str) -> Icon:
    """The icon of the phase of an Experiment, an AnalysisRun or a measurement."""
    return _ANALYSIS.get(phase, _NONE)


def pod_icon(reason: str) -> Icon:
    """The icon of a pod's reason; its prefixes are tested before whole words."""
    if reason.startswith("Init:"):
        return _PROGRESS
    if reason.startswith(("Signal:", "ExitCode:")):
        return _FAILURE
    if reason.endswith("Error") or reason.startswith("Err"):
        return _WARNING
    return _POD.get(reason, _NONE)


def with_icon(palette: Palette, icon_of: Callable[[str], Icon], status: str) -> Text:
    """`status` behind its icon, the icon in colour."""
    icon, code = icon_of(status)
    return palette.paint(icon, code) + f" {status}"
