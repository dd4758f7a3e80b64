"""Whether a ReplicaSet still runs the template that a Rollout asks for, by structure rather than by hash."""

from collections.abc import Mapping
from typing import Any

from sluicegate.api import names
from sluicegate.api.foreign import ReplicaSet
from sluicegate.api.pod_defaults import defaulted_template
from sluicegate.engine.affinity import bare_templates, collapsed
from sluicegate.engine.injection import without_ephemeral_metadata


def runs_template(replica_set: ReplicaSet, wanted: Mapping[str, Any]) -> bool:
    """Whether a ReplicaSet's template is the wanted one, what was injected into it aside (rollout 4.2)."""
    live = without_ephemeral_metadata(replica_set)
    return same_template(wanted, live) or any(same_template(collapsed(wanted), bare) for bare in bare_templates(live))


def same_template(wanted: Mapping[str, Any], live: Mapping[str, Any]) -> bool:
    """Compare two pod templates as the API server would store them, the hash label aside.

    A ReplicaSet whose hash was made by another algorithm is thus still recognised, and nothing is redeployed.
    """
    return _comparable(wanted) == _comparable(live)


def covers_template(replica_set: ReplicaSet, wanted: Mapping[str, Any]) -> bool:
    """Whether a ReplicaSet's template holds all that is wanted, the hash label aside, and maybe more."""
    return _covers(_comparable(without_ephemeral_metadata(replica_set)), _comparable(wanted))


def _covers(live: Any, wanted: Any) -> bool:
    if isinstance(wanted, dict):
        return isinstance(live, dict) and all(key in live and _covers(live[key], wanted[key]) for key in wanted)
    if isinstance(wanted, list):
        return isinstance(live, list) and len(live) >= len(wanted) and all(map(_covers, live, wanted))
    return bool(live == wanted)


def _comparable(template: Mapping[str, Any]) -> dict[str, Any]:
    metadata = dict(template.get("metadata") or {})
    labels = {key: value for key, value in (metadata.get("labels") or {}).items() if key != names.HASH_LABEL}
    stored = defaulted_template({**template, "metadata": {**metadata, "labels": labels}})
    stored["spec"].pop("serviceAccount", None)
    return stored
