"""The first half of a pass as it is handed to the second."""

from dataclasses import dataclass
from datetime import datetime

from sluicegate.engine.decision import Action
from sluicegate.engine.traffic import Routing
from sluicegate.engine.view import View


@dataclass(frozen=True, slots=True)
class Begun:
    """What a pass has done so far.

    `view` shows the Services as `actions` will have left them. `actions` are carried out first, then `routing` (None:
    routers are left alone). `restarted_at` is the restart that turned out to be over.
    """

    view: View
    actions: tuple[Action, ...] = ()
    routing: Routing | None = None
    restarted_at: datetime | None = None
    requeue_after: float | None = None
