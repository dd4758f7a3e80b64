"""The recorded cases of `vectors/views.json`, and their objects as the API would send them."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

Case = dict[str, Any]

NAMESPACE = "shop"
_FILE = Path(__file__).parents[1] / "vectors" / "views.json"
_METADATA = {
    "name": "name",
    "uid": "uid",
    "generation": "generation",
    "created": "creationTimestamp",
    "deleted": "deletionTimestamp",
    "labels": "labels",
    "annotations": "annotations",
}


def cases(section: str) -> list[Any]:
    """The cases of one section, in order."""
    found: list[Any] = json.loads(_FILE.read_text(encoding="utf-8"))[section]
    return found


def whole(short: Case) -> Case:
    """An object in the API's form."""
    metadata = {member: short[name] for name, member in _METADATA.items() if name in short}
    metadata["namespace"] = short.get("namespace", NAMESPACE)
    metadata["ownerReferences"] = [{"uid": uid, "controller": main} for uid, main in short.get("owners", [])]
    return {"kind": short["kind"], "metadata": metadata, **{k: short[k] for k in ("spec", "status") if k in short}}


def moment(case: Case) -> datetime:
    """The time at which the clock stands."""
    return datetime.fromisoformat(case["now"])
