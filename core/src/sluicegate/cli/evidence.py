"""What `explain` reads of the cluster, and what it makes of it: the situation of one Rollout as the controller sees it.

What only adds to the picture, such as pods or events, may be missing or forbidden: then that is said, and no more.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from sluicegate.api import names
from sluicegate.api.resources import (
    ANALYSIS_RUNS,
    EVENTS,
    EXPERIMENTS,
    LEASES,
    PODS,
    REPLICA_SETS,
    ROLLOUTS,
    SERVICES,
    Resource,
)
from sluicegate.cli.dry_run import Draft, decide, errors_of, read_rollout
from sluicegate.cli.views.durations import parse_time
from sluicegate.cli.views.fields import flag, items, member, name_of, number, text
from sluicegate.cli.views.pod_trouble import troubles
from sluicegate.engine.prepare import owned_view
from sluicegate.engine.surroundings import Surroundings
from sluicegate.engine.why import Autoscaler, Commands, Situation, Warned
from sluicegate.engine.workload import WorkloadRefError, decode_workload, referenced, resolve
from sluicegate.errors import ApiError, Forbidden, NotFound
from sluicegate.kube.client import Client

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from sluicegate.api.rollout import Rollout
    from sluicegate.cli.settings import Scope, Settings
    from sluicegate.cli.views.fields import Object

AUTOSCALERS: Final = Resource("autoscaling", "v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler")
BUDGETS: Final = Resource("policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget")
_SERVICE_FIELDS: Final = ("canaryService", "stableService", "activeService", "previewService")
