"""Defaults of the kinds that get few: pod templates of their own, budgets of disruption, and Ingresses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sluicegate.api.pod_defaults import defaulted_template
from sluicegate.local.failures import invalid, unacceptable

if TYPE_CHECKING:
    from sluicegate.local.objects import Object
    from sluicegate.local.store import ObjectStore


def admit_pod_template(new: Object, old: Object | None, store: ObjectStore) -> Object:
    """The PodTemplate as a real API server stores it."""
    new["template"] = defaulted_template(new.get("template") or {})
    return new


def admit_budget(new: Object, old: Object | None, store: ObjectStore) -> Object:
    """The PodDisruptionBudget as a real API server stores it; raises Invalid for one with two minima."""
    spec = new.setdefault("spec", {})
    if {"minAvailable", "maxUnavailable"} <= spec.keys():
        fault = unacceptable("spec", "", "minAvailable and maxUnavailable cannot be both set")
        raise invalid("PodDisruptionBudget.policy", str(new["metadata"].get("name", "")), [fault])
    if old is None:
        new["status"] = dict.fromkeys(("disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods"), 0)
    return new


def admit_ingress(new: Object, old: Object | None, store: ObjectStore) -> Object:
    """The Ingress as a real API server stores it; what it says is for who carries it out."""
    new.setdefault("spec", {})
    if old is None:
        new["status"] = {"loadBalancer": {}}
    return new
