"""The eviction subresource of pods: a deletion that budgets of disruption may refuse for now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sluicegate.api.resources import Resource
from sluicegate.errors import ServerError
from sluicegate.local import failures
from sluicegate.local.apiserver import names
from sluicegate.local.apiserver.resources import Served
from sluicegate.local.workloads.disruption import budget_status, budgets
from sluicegate.local.workloads.podview import is_active, is_ready, phase

if TYPE_CHECKING:
    from sluicegate.local.apiserver.targets import Target
    from sluicegate.local.objects import Object
    from sluicegate.local.store import ObjectStore

_SERVED = Served(Resource("policy", "v1", "evictions", "Eviction"), "eviction")


def evict(store: ObjectStore, target: Target, body: Any) -> None:
    """Delete a pod as an Eviction asks for it.

    Raises NotFound, BadRequest for a body that is no Eviction, Conflict for a precondition that does not hold,
    TooManyRequests where a budget has no pod to spare, ServerError for a pod of several budgets.
    """
    options = names.identify(body, _SERVED, target).get("deleteOptions") or {}
    preconditions = options.get("preconditions") or {}
    pod = store.get(target.key)
    if is_active(pod) and phase(pod) != "Pending":
        _check_budget(store, pod)
    store.delete(
        target.key,
        grace_seconds=options.get("gracePeriodSeconds"),
        uid=preconditions.get("uid"),
        resource_version=preconditions.get("resourceVersion"),
        dry_run=bool(options.get("dryRun")),
    )


def _check_budget(store: ObjectStore, pod: Object) -> None:
    found = budgets(store, pod)
    if len(found) > 1:
        text = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
        raise ServerError(text, status=500, reason="InternalError")
    for budget in found:
        status = budget_status(store, budget, store.timestamp())
        if not status["disruptionsAllowed"] and not _is_spare(pod, budget, status):
            raise _refusal(budget, status)


def _is_spare(pod: Object, budget: Object, status: Object) -> bool:
    """Whether the pod is not ready and the budget is content without it."""
    if is_ready(pod):
        return False
    always = budget["spec"].get("unhealthyPodEvictionPolicy") == "AlwaysAllow"
    return bool(always or status["currentHealthy"] >= status["desiredHealthy"] > 0)


def _refusal(budget: Object, status: Object) -> Exception:
    counts = f"needs {status['desiredHealthy']} healthy pods and has {status['currentHealthy']} currently"
    message = f"The disruption budget {budget['metadata']['name']} {counts}"
    cause = {"reason": "DisruptionBudget", "message": message}
    return failures.too_many_requests("Cannot evict pod as it would violate the pod's disruption budget.", cause)
