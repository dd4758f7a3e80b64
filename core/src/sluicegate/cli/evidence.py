"""What `explain` reads of the cluster: one Rollout, what belongs to it, and what a person would look at besides.

What only adds to the picture, such as pods or events, may be forbidden or not served: then that is said, and no more.
"""

from __future__ import annotations

import asyncio
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import msgspec

from sluicegate.api import names
from sluicegate.api.foreign import ObjectMeta, Pod, ReplicaSet, Service
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
from sluicegate.cli.dry_run import decision_of, own_errors, read_rollout, reference_errors, split_of
from sluicegate.cli.views.durations import parse_time
from sluicegate.cli.views.fields import flag, items, member, text
from sluicegate.cli.views.neighbours import autoscaler_of, blocking_budgets, rivals_of
from sluicegate.cli.views.pod_trouble import troubles
from sluicegate.controller.process import LEASE
from sluicegate.engine import metadata, restart
from sluicegate.engine.prepare import owned_view
from sluicegate.engine.services import named_services
from sluicegate.engine.surroundings import Run, Surroundings
from sluicegate.engine.why import Commands, Situation, Warned
from sluicegate.engine.workload import Workload, WorkloadRefError, decode_workload, referenced, resolve
from sluicegate.errors import ApiError, Forbidden, NotFound

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from sluicegate.api.rollout import Rollout
    from sluicegate.api.validation import FieldError
    from sluicegate.cli.settings import Scope, Settings
    from sluicegate.cli.views.fields import Object
    from sluicegate.engine.view import View

_AUTOSCALERS: Final = Resource("autoscaling", "v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler")
_BUDGETS: Final = Resource("policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget")


@dataclass(frozen=True)
class Evidence:
    """The situation of a Rollout, and the kinds of objects that may not be read."""

    situation: Situation
    unread: tuple[str, ...] = ()


class _Reading:
    """Reads objects around one Rollout, and remembers what was refused."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self.refused: list[str] = []

    async def all(
        self, resource: Resource, *, labels: str = "", fields: str = "", everywhere: bool = False
    ) -> list[Object]:
        """The objects of a kind; none where it is not served or not to be read."""
        namespace = None if everywhere else self._scope.namespace
        try:
            return await self._scope.client.list(resource, namespace, label_selector=labels, field_selector=fields)
        except Forbidden:
            self.refused += [] if everywhere else [resource.plural]
        except NotFound:
            pass
        return []


@dataclass(frozen=True)
class _Found:
    """The objects as read, each kind a list."""

    replica_sets: list[Object]
    services: list[Object]
    pods: list[Object]
    events: list[Object]
    rollouts: list[Object]
    analysis_runs: list[Object]
    experiments: list[Object]
    autoscalers: list[Object]
    budgets: list[Object]
    leases: list[Object]


async def gather(scope: Scope, name: str, settings: Settings, program: str) -> Evidence:
    """Read all that is to be known of a Rollout. Raises NotFound without it, InvalidManifest for one beyond reading."""
    document = await scope.client.get(ROLLOUTS, scope.namespace, name)
    draft = read_rollout(document)
    reading = _Reading(scope)
    found, (rollout, workload, unresolved) = await asyncio.gather(_read(reading, name), _resolved(scope, draft.rollout))
    errors = draft.errors
    if not errors and not unresolved:
        errors = own_errors(rollout) or await reference_errors(scope.client, rollout)
    commands = _commands(scope, name, settings, program)
    situation = _situation(document, found, rollout, workload, errors, settings.now(), commands, unresolved)
    return Evidence(situation, tuple(reading.refused))


async def _read(reading: _Reading, name: str) -> _Found:
    """All kinds at once: on a cluster far away that is what takes the time."""
    hashed = names.HASH_LABEL
    lists = await asyncio.gather(
        reading.all(REPLICA_SETS),
        reading.all(SERVICES),
        reading.all(PODS, labels=hashed),
        reading.all(EVENTS, fields=f"involvedObject.kind=Rollout,involvedObject.name={name}"),
        reading.all(ROLLOUTS),
        reading.all(ANALYSIS_RUNS),
        reading.all(EXPERIMENTS),
        reading.all(_AUTOSCALERS),
        reading.all(_BUDGETS),
        reading.all(LEASES, fields=f"metadata.name={LEASE}", everywhere=True),
    )
    return _Found(*lists)


async def _resolved(scope: Scope, rollout: Rollout) -> tuple[Rollout, Workload | None, str]:
    """A Rollout with its borrowed template, what lends it, and why there is none."""
    try:
        resource, ref = referenced(rollout), rollout.spec.workload_ref
        if resource is None or ref is None:
            return rollout, None, ""
        workload = await _workload(scope, resource, ref.name)
        return resolve(rollout, workload), workload, ""
    except WorkloadRefError as error:
        return rollout, None, str(error)


async def _workload(scope: Scope, resource: Resource, name: str) -> Workload | None:
    try:
        return decode_workload(await scope.client.get_bytes(resource, scope.namespace, name))
    except NotFound:
        return None
    except ApiError as error:
        raise WorkloadRefError(str(error)) from error


def _situation(
    document: Object,
    found: _Found,
    rollout: Rollout,
    workload: Workload | None,
    errors: tuple[FieldError, ...],
    now: datetime,
    commands: Commands,
    unresolved: str,
) -> Situation:
    candidates = [msgspec.convert(one, ReplicaSet) for one in found.replica_sets]
    bare = owned_view(rollout, candidates)
    pods = list(_owned_pods(bare, found.pods))
    view = bare.seeing(_surroundings(bare, found, pods, workload, now))
    works = not errors and not unresolved
    split = split_of(view) if works else None
    return Situation(
        view,
        now,
        commands,
        split=split,
        decision=None if unresolved else decision_of(view, candidates, errors, split, now),
        errors=errors,
        unresolved=unresolved,
        troubles=tuple(troubles(pods, now)),
        warnings=tuple(_warnings(found.events, rollout)),
        autoscaler=autoscaler_of(rollout, found.autoscalers),
        blocking_budgets=blocking_budgets(found.budgets, pods),
        rivals=rivals_of(document, found.rollouts),
        heartbeat=_latest(text(lease, "spec", "renewTime") for lease in found.leases),
        last_change=_latest(text(field, "time") for field in items(document, "metadata", "managedFields")),
        pods_changed=tuple(
            _times(text(c, "lastTransitionTime") for pod in pods for c in items(pod, "status", "conditions"))
        ),
    )


def _surroundings(
    view: View, found: _Found, pods: list[Object], workload: Workload | None, now: datetime
) -> Surroundings:
    """What the controller lets a pass see: pods only where a feature asks for them."""
    wanted = set(named_services(view.rollout))
    services = (msgspec.convert(one, Service) for one in found.services if text(one, "metadata", "name") in wanted)
    sees_pods = restart.needs_pods(view, now) or metadata.needs_pods(view)
    return Surroundings(
        services={service.metadata.name: service for service in services},
        pods=tuple(msgspec.convert(pod, Pod) for pod in pods) if sees_pods else (),
        analysis_runs=tuple(_runs(view, found.analysis_runs)),
        experiments=tuple(_runs(view, found.experiments)),
        workload=workload,
    )


def _owned_pods(view: View, pods: Iterable[Object]) -> Iterator[Object]:
    owners = {replica_set.metadata.uid for replica_set in view.replica_sets}
    for pod in pods:
        if any(text(owner, "uid") in owners for owner in items(pod, "metadata", "ownerReferences")):
            yield pod


def _runs(view: View, documents: Iterable[Object]) -> Iterator[Run]:
    for one in documents:
        found = msgspec.convert(member(one, "metadata"), ObjectMeta)
        if found.controller is not None and found.controller.uid == view.rollout.metadata.uid:
            status = member(one, "status")
            yield Run(found, text(status, "phase"), text(status, "message"), flag(one, "spec", "terminate"))


def _warnings(events: Iterable[Object], rollout: Rollout) -> Iterator[Warned]:
    for event in events:
        last = _latest((text(event, "lastTimestamp"), text(event, "eventTime"), text(event, "firstTimestamp")))
        own = text(event, "involvedObject", "uid") in ("", rollout.metadata.uid)
        if own and text(event, "type") == "Warning" and last is not None:
            yield Warned(text(event, "reason"), text(event, "message"), last)


def _changes(pods: Iterable[Object]) -> Iterator[datetime]:
    conditions = (condition for pod in pods for condition in items(pod, "status", "conditions"))
    return _times(text(condition, "lastTransitionTime") for condition in conditions)


def _latest(texts: Iterable[str]) -> datetime | None:
    return max(_times(texts), default=None)


def _times(texts: Iterable[str]) -> Iterator[datetime]:
    return (time for written in texts if (time := parse_time(written)) is not None)


def _commands(scope: Scope, name: str, settings: Settings, program: str) -> Commands:
    """Command lines that lead to the same cluster as this one."""
    flags = "".join(
        f" --{flag_name} {shlex.quote(value)}"
        for flag_name, value in (("kubeconfig", settings.kubeconfig), ("context", settings.context))
        if value
    )
    return Commands(scope.namespace, name, f"{program}{flags}", f"kubectl{flags}")
