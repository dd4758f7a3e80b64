"""Defaults of the kinds that get few: pod templates of their own, budgets of disruption, and Ingresses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sluicegate.api.pod_defaults import defaulted_template
from sluicegate.api.pod_defaults.fields import members
from sluicegate.local.failures import invalid, required, unacceptable

if TYPE_CHECKING:
    from sluicegate.local.failures import FieldFault
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
    """The Ingress as a real API server stores it; raises Invalid for one that leads nowhere or has no path types."""
    spec = new.setdefault("spec", {})
    if faults := _ingress_faults(spec):
        raise invalid("Ingress.networking.k8s.io", str(new["metadata"].get("name", "")), faults)
    if old is None:
        new["status"] = {"loadBalancer": {}}
    return new


def _ingress_faults(spec: Object) -> list[FieldFault]:
    rules = members(spec, "rules")
    if not rules and not spec.get("defaultBackend"):
        return [unacceptable("spec", "{}", "either `defaultBackend` or `rules` must be specified")]
    faults = []
    for at, rule in enumerate(rules):
        for number, path in enumerate(members(rule.get("http") or {}, "paths")):
            if not path.get("pathType"):
                faults.append(required(f"spec.rules[{at}].http.paths[{number}].pathType", "pathType must be specified"))
    return faults
