"""What counts of a state, recorded or observed, in one form, and where two of them differ.

Times, the generation itself, zeros and how counters moved on the way do not count; of a deadline its distance does,
give or take the second that is lost when times are written down.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

_OURS = "rollout.argoproj.io/"
_REVISION = f"{_OURS}revision"
_DESIRED = f"{_OURS}desired-replicas"
_HISTORY = f"{_OURS}revision-history"
_EPHEMERAL = f"{_OURS}ephemeral-metadata"
_WORKLOAD = f"{_OURS}workload-generation"
_DEADLINE = "scale-down-deadline"
_MANAGED_BY = "argo-rollouts.argoproj.io/managed-by-rollouts"
_HASHES = ("rollouts-pod-template-hash", "pod-template-hash")
_DEPLOYMENTS = "deployment.kubernetes.io/"
_TIMES = frozenset({"abortedAt", "restartedAt", "rolloutStartedAt", "finishedAt", "manualPauseStartedAt", "startTime"})
_SECONDS = frozenset({"totalManualPauseDurationSeconds"})
_SHOWN_AT_ZERO = frozenset({"currentStepIndex"})
_OF_WORKLOAD = "workloadObservedGeneration"


class About(NamedTuple):
    """A number of seconds; one second more or less is the same."""

    seconds: int

    def __eq__(self, other: object) -> bool:
        return isinstance(other, About) and abs(self.seconds - other.seconds) <= 1

    def __hash__(self) -> int:
        return 0


def recorded_state(state: Mapping[str, Any], services: Mapping[str, Any], deployments: Mapping[str, Any]) -> Any:
    """What counts of a recorded state; Services and Deployments are recorded only when they change."""
    rollout = state["rollout"]
    finished = rollout["status"].get("duration", {}).get("finishedAt")
    found = {
        "rollout": _rollout_state(rollout["status"], rollout["annotations"], rollout["generation"]),
        "replicaSets": dict(_recorded_replica_set(item, finished) for item in state["replicaSets"]),
        "services": {name: _recorded_service(service) for name, service in services.items()},
        "deployments": {name: deployment["replicas"] for name, deployment in deployments.items()},
    }
    return _without_nothing(found)


def observed_state(
    rollout: Mapping[str, Any],
    replica_sets: Iterable[Mapping[str, Any]],
    services: Iterable[Mapping[str, Any]] = (),
    deployments: Iterable[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """What counts of a Rollout and of the objects around it as the API shows them."""
    metadata, status = rollout["metadata"], {**rollout.get("status", {})}
    status["conditions"] = [
        [condition["type"], condition["status"], condition["reason"], condition["message"]]
        for condition in status.get("conditions", ())
    ]
    finished = status.get("duration", {}).get("finishedAt")
    found = {
        "rollout": _rollout_state(status, metadata.get("annotations", {}), metadata["generation"]),
        "replicaSets": dict(_observed_replica_set(item, finished) for item in replica_sets),
        "services": {item["metadata"]["name"]: _observed_service(item) for item in services},
        "deployments": {item["metadata"]["name"]: item["spec"]["replicas"] for item in deployments},
    }
    return _without_nothing(found)


def differences(recorded: Any, observed: Any, path: str = "") -> list[str]:
    """One line for each member that differs, with its path; empty when all is the same."""
    if isinstance(recorded, Mapping) and isinstance(observed, Mapping):
        keys = [*recorded, *(key for key in observed if key not in recorded)]
        return [
            line
            for key in keys
            for line in differences(recorded.get(key), observed.get(key), f"{path}.{key}" if path else str(key))
        ]
    if recorded == observed:
        return []
    return [f"{path}: recorded {json.dumps(recorded)}, observed {json.dumps(observed)}"]


def _without_nothing(state: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in state.items() if value or key in ("rollout", "replicaSets")}


def _rollout_state(status: Mapping[str, Any], annotations: Mapping[str, str], generation: int) -> dict[str, Any]:
    outside = ("conditions", "observedGeneration", _OF_WORKLOAD)
    members = {key: value for key, value in status.items() if key not in outside}
    state: dict[str, Any] = {
        "observed": str(status.get("observedGeneration")) == str(generation),
        "annotations": {key: value for key, value in annotations.items() if key.startswith(_OURS)},
        "conditions": {type_: rest[:3] for type_, *rest in status.get("conditions", ())},
        "status": _without_zeros(members),
    }
    # How often the workload was resized, and so its generation, is incidental; that it has been seen is not.
    if of_workload := state["annotations"].pop(_WORKLOAD, None):
        state["workloadObserved"] = of_workload == status.get(_OF_WORKLOAD)
    return state


def _without_zeros(members: Mapping[str, Any]) -> dict[str, Any]:
    reduced = {key: _reduced(key, value) for key, value in members.items()}
    return {key: value for key, value in reduced.items() if value or (key in _SHOWN_AT_ZERO and value is not None)}


def _reduced(key: str, value: Any) -> Any:
    if key in _TIMES:
        return "a time" if value else None
    if key in _SECONDS:
        return "seconds" if value else None
    if isinstance(value, Mapping):
        return _without_zeros(value)
    if isinstance(value, list):
        return [_reduced("", item) for item in value]
    return value


def _recorded_replica_set(item: Mapping[str, Any], finished: Any) -> tuple[str, dict[str, Any]]:
    annotations = {_REVISION: item.get("revision"), _DESIRED: item.get("desired"), **item.get("annotations", {})}
    template = {key: item.get(f"template{key.capitalize()}", {}) for key in ("labels", "annotations")}
    counts = {"image": item["image"], "pods": item["pods"]}
    distance = _seconds(annotations.get(_DEADLINE)) - _seconds(finished)
    return _replica_set_state(item["name"], annotations, template, {"app": "shop"}, counts, distance)


def _observed_replica_set(item: Mapping[str, Any], finished: Any) -> tuple[str, dict[str, Any]]:
    annotations, status = item["metadata"].get("annotations", {}), item.get("status", {})
    counters = [status.get(key, 0) for key in ("replicas", "readyReplicas", "availableReplicas")]
    template = item["spec"]["template"]
    counts = {"image": template["spec"]["containers"][0]["image"], "pods": [item["spec"]["replicas"], *counters]}
    selected = item["spec"].get("selector", {}).get("matchLabels", {})
    distance = _moment(annotations.get(_DEADLINE)) - _moment(finished)
    return _replica_set_state(
        item["metadata"]["name"], annotations, template.get("metadata", {}), selected, counts, distance
    )


def _replica_set_state(
    name: str,
    annotations: Mapping[str, Any],
    template: Mapping[str, Any],
    selected: Mapping[str, str],
    counts: dict[str, Any],
    distance: float,
) -> tuple[str, dict[str, Any]]:
    """The name and state of a ReplicaSet; one of a Deployment goes by its revision: its hash is free."""
    if revision := annotations.get(f"{_DEPLOYMENTS}revision"):
        sizes = {key: annotations.get(f"{_DEPLOYMENTS}{key}") for key in ("desired-replicas", "max-replicas")}
        return f"Deployment's revision {revision}", {**counts, **sizes}
    more = {
        "history": _history(annotations),
        "ephemeral": annotations.get(_EPHEMERAL),
        "labels": {k: v for k, v in (template.get("labels") or {}).items() if k not in (*selected, *_HASHES)},
        "annotations": template.get("annotations"),
        "delay": About(round(distance)) if _DEADLINE in annotations else None,
        "ofWorkload": _WORKLOAD in annotations,
    }
    state = {"revision": annotations.get(_REVISION), "desired": annotations.get(_DESIRED), **counts}
    return name, state | {key: value for key, value in more.items() if value}


def _history(annotations: Mapping[str, Any]) -> str | None:
    """The earlier revisions, each once: edits of annotations append the present one upstream, and do not here."""
    entries = dict.fromkeys((annotations.get(_HISTORY) or "").split(","))
    return ",".join(entry for entry in entries if entry not in ("", annotations.get(_REVISION))) or None


def _recorded_service(service: Mapping[str, Any]) -> dict[str, Any]:
    return {"selector": service["selector"], "managedBy": service.get("annotations", {}).get(_MANAGED_BY)}


def _observed_service(service: Mapping[str, Any]) -> dict[str, Any]:
    managed_by = service["metadata"].get("annotations", {}).get(_MANAGED_BY)
    return {"selector": service["spec"]["selector"], "managedBy": managed_by}


def _seconds(recorded: str | None) -> float:
    return float(recorded.strip("+s")) if recorded else 0


def _moment(observed: str | None) -> float:
    return datetime.fromisoformat(observed).timestamp() if observed else 0
