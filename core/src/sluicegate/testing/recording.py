"""A router for tests: whatever it is handed stands in annotations of an Ingress, where a watch sees each change.

It is a plugin like any other, but no installation brings it: it is loaded from a `--plugin-dir` with a file that says
`from sluicegate.testing.recording import register_traffic_routers`.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from sluicegate.api.resources import INGRESSES
from sluicegate.plugins import Capability, Config, ManifestRouter, ObjectReference, Verification, hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sluicegate.api.rollout import Rollout
    from sluicegate.plugins import Destination, Manifest, Observed, Read, Routes, TrafficRouter

PREFIX: Final = "recording.sluicegate.dev/"
VERIFY: Final = f"{PREFIX}verify"
"""The annotation by which a test says what the router answers: `true`, `false`, or `error: TEXT`."""


class RecordingConfig(Config):
    """The Ingress to write to, which must exist; with `verify` the router answers as its annotation VERIFY says."""

    ingress: str
    verify: bool = False


class RecordingRouter(ManifestRouter[RecordingConfig]):
    """Writes routes into annotations `recording.sluicegate.dev/...` of an Ingress.

    `weight`, `stable-weight` and `max-weight` are numbers, `hashes` and `services` are `STABLE,CANARY`; `experiments`,
    `header-routes` and `mirror-routes` are JSON, and absent when there are none.
    """

    name = "sluicegate/recording"
    capabilities = frozenset(Capability) - {Capability.POD_COUNT, Capability.STICKY}

    def reads(self, config: RecordingConfig, rollout: Rollout) -> Iterable[Read]:
        return [ObjectReference(INGRESSES, config.ingress)]

    def render(self, config: RecordingConfig, routes: Routes, observed: Observed) -> Iterable[Manifest]:
        ingress = observed[ObjectReference(INGRESSES, config.ingress)]
        kept = {key: value for key, value in _annotations(ingress).items() if not _is_recorded(key)}
        ingress["metadata"]["annotations"] = kept | {PREFIX + key: value for key, value in recorded(routes).items()}
        return [ingress]

    def converged(self, config: RecordingConfig, routes: Routes, observed: Observed) -> Verification:
        if not config.verify:
            return Verification.not_applicable()
        answer = _annotations(observed[ObjectReference(INGRESSES, config.ingress)]).get(VERIFY, "")
        if answer.startswith("error"):
            raise RuntimeError(answer.removeprefix("error").lstrip(": ") or "the test said so")
        if answer == "true":
            return Verification.confirmed()
        return Verification.pending(f"annotation {VERIFY} is {answer!r}, not true")


@hookimpl
def register_traffic_routers() -> Iterable[type[TrafficRouter[Any]]]:
    """Bring the recording router, wherever this function is imported as a plugin."""
    return [RecordingRouter]


def recorded(routes: Routes) -> dict[str, str]:
    """What stands in the annotations for these routes, without the prefix of their keys."""
    stable, canary = routes.stable, routes.canary
    lists = {
        "experiments": [_destination(destination) for destination in routes.experiments],
        "header-routes": [_named(route.name, route.matches) for route in routes.header_routes],
        "mirror-routes": [
            {**_named(route.name, route.matches), "percentage": route.percentage} for route in routes.mirror_routes
        ],
    }
    return {
        "weight": str(canary.weight),
        "stable-weight": str(stable.weight),
        "max-weight": str(routes.max_weight),
        "hashes": f"{stable.pod_template_hash},{canary.pod_template_hash}",
        "services": ",".join(routes.services(prefer_ping_pong=True)),
        **{key: json.dumps(value, separators=(",", ":")) for key, value in lists.items() if value},
    }


def _destination(destination: Destination) -> dict[str, Any]:
    return {
        "service": destination.service,
        "hash": destination.pod_template_hash,
        "weight": destination.weight,
    }


def _named(name: str, matches: Iterable[Any]) -> dict[str, Any]:
    return {"name": name, "match": [match.document() for match in matches]}


def _annotations(ingress: Manifest) -> dict[str, str]:
    return ingress["metadata"].get("annotations") or {}


def _is_recorded(key: str) -> bool:
    return key.startswith(PREFIX) and key != VERIFY
