"""What an explanation is made from: the view that a pass decides on, and what a person would look at besides."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sluicegate.api.foreign import ReplicaSet
from sluicegate.api.status import Condition
from sluicegate.api.validation import FieldError
from sluicegate.engine import conditions as c
from sluicegate.engine.decision import Decision
from sluicegate.engine.view import View, revision_of
from sluicegate.engine.weights import PodCounts
from sluicegate.engine.why.commands import Commands

RECENT: Final = timedelta(minutes=5)
"""An event counts as news for so long: a failure that lasts is told again before."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a pod does not serve: it `cannot` do something, after so many restarts of its container.

    `look` is what kubectl is to be asked for more.
    """

    pod: str
    pod_hash: str
    cannot: str
    look: str
    restarts: int = 0


@dataclass(frozen=True, slots=True)
class Warned:
    """A Warning event on the Rollout, and when it was told last."""

    reason: str
    message: str
    last: datetime


@dataclass(frozen=True, slots=True)
class Autoscaler:
    """A HorizontalPodAutoscaler that sets the size of the Rollout."""

    name: str
    least: int
    most: int


@dataclass(frozen=True, slots=True)
class Situation:
    """One Rollout at one moment.

    `view` has the resolved template, and the pods whose age a restart asks for. `split` is None where no router counts
    pods, or it could not be asked. `decision` is that of a pass now, None if it could not be made. `errors` are the
    findings of validation, `unresolved` says why the workloadRef has no template. `blocking_budgets` are disruption
    budgets that let no pod go, `rivals` other Rollouts with the same pods. `heartbeat` is when the controller last
    renewed its lease, `last_change` when anybody last wrote the Rollout; None if not known. `pods_changed` is when pods
    became ready or ceased to be.
    """

    view: View
    now: datetime
    commands: Commands
    split: PodCounts | None = None
    decision: Decision | None = None
    errors: tuple[FieldError, ...] = ()
    unresolved: str = ""
    troubles: tuple[Trouble, ...] = ()
    warnings: tuple[Warned, ...] = ()
    autoscaler: Autoscaler | None = None
    blocking_budgets: tuple[str, ...] = ()
    rivals: tuple[str, ...] = ()
    heartbeat: datetime | None = None
    last_change: datetime | None = None
    pods_changed: tuple[datetime, ...] = ()

    @property
    def progressing(self) -> Condition | None:
        return self.view.status.condition(c.PROGRESSING)

    @property
    def last_progress(self) -> datetime | None:
        """When the update last came nearer to its end."""
        return self.progressing.last_update_time if self.progressing else None

    @property
    def new(self) -> str:
        """The version that the manifest asks for, in words."""
        return version(self.view.new_rs, "the new version")

    @property
    def stable(self) -> str:
        return version(self.view.stable_rs, "the stable version")

    def warned(self, reason: str) -> Warned | None:
        """The latest recent warning of this reason."""
        fitting = [
            warning for warning in self.warnings if warning.reason == reason and warning.last > self.now - RECENT
        ]
        return max(fitting, key=lambda warning: warning.last, default=None)


def version(replica_set: ReplicaSet | None, otherwise: str = "an old version") -> str:
    """`revision 3`, or other words where there is no number."""
    number = revision_of(replica_set)
    return f"revision {number}" if number else otherwise
