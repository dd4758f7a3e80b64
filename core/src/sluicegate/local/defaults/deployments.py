"""Defaults of Deployments, and the rules that their controller relies on."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import msgspec

from sluicegate.api.foreign import LabelSelector
from sluicegate.api.intstr import percentage
from sluicegate.api.pod_defaults import defaulted_template
from sluicegate.api.pod_defaults.fields import fill_absent, fill_empty
from sluicegate.api.selectors import matches
from sluicegate.local.failures import FieldFault, invalid, unacceptable

if TYPE_CHECKING:
    from sluicegate.local.objects import Object
    from sluicegate.local.store import ObjectStore

LIMITS: Final = ("maxUnavailable", "maxSurge")
ROLLING_PATH: Final = "spec.strategy.rollingUpdate"


def admit_deployment(new: Object, old: Object | None, store: ObjectStore) -> Object:
    """The Deployment as a real API server stores it; what must not be missing has been looked at before."""
    spec = new["spec"]
    fill_absent(spec, replicas=1, strategy={}, revisionHistoryLimit=10, progressDeadlineSeconds=600)
    for name in ("paused", "minReadySeconds"):
        if not spec.get(name):
            spec.pop(name, None)
    spec["template"] = defaulted_template(spec["template"])
    _default_strategy(spec["strategy"])
    if old is None:
        new["status"] = {}
    if faults := _faults(spec, old):
        raise invalid("Deployment.apps", str(new["metadata"].get("name", "")), faults)
    return new


def _default_strategy(strategy: Object) -> None:
    fill_empty(strategy, type="RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        fill_absent(strategy, rollingUpdate={})
        fill_absent(strategy["rollingUpdate"], maxUnavailable="25%", maxSurge="25%")


def _faults(spec: Object, old: Object | None) -> list[FieldFault]:
    labels = (spec["template"].get("metadata") or {}).get("labels") or {}
    found = _strategy_faults(spec["strategy"])
    if not matches(msgspec.convert(spec["selector"], LabelSelector), labels):
        text = "`selector` does not match template `labels`"
        found.append(unacceptable("spec.template.metadata.labels", json.dumps(labels), text))
    if old and old["spec"].get("selector") != spec["selector"]:
        found.append(unacceptable("spec.selector", json.dumps(spec["selector"]), "field is immutable"))
    return found


def _strategy_faults(strategy: Object) -> list[FieldFault]:
    rolling: Object = strategy.get("rollingUpdate") or {}
    if strategy["type"] == "Recreate":
        text = "Forbidden: may not be specified when strategy `type` is 'Recreate'"
        return [FieldFault("FieldValueForbidden", ROLLING_PATH, text)] if rolling else []
    faults = [
        unacceptable(f"{ROLLING_PATH}.{name}", json.dumps(rolling[name]), "must be a number or a percentage, 0 or more")
        for name in LIMITS
        if not _is_limit(rolling[name])
    ]
    if not faults and all(str(rolling[name]).rstrip("%") == "0" for name in LIMITS):
        text = "may not be 0 when `maxSurge` is 0"
        faults = [unacceptable(f"{ROLLING_PATH}.maxUnavailable", json.dumps(rolling["maxUnavailable"]), text)]
    return faults


def _is_limit(value: Any) -> bool:
    number = percentage(value) if isinstance(value, str) and value.endswith("%") else value
    return isinstance(number, int) and number >= 0
