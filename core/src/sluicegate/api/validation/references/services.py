"""What a Service must be like so that a Rollout may switch it (rollout 1.7, rows B1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sluicegate.api.names import HASH_LABEL, MANAGED_BY
from sluicegate.api.validation.field_error import FieldError, invalid
from sluicegate.api.validation.references.reference import member

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sluicegate.api.rollout import Rollout
    from sluicegate.api.validation.references.uses import ServiceUse


def service_errors(rollout: Rollout, use: ServiceUse, service: Mapping[str, Any]) -> Iterator[FieldError]:
    """What is wrong with a Service that a Rollout names."""
    yield from service_selector_errors(rollout, use, service)
    annotations = member(service, "metadata", "annotations") or {}
    if annotations.get(MANAGED_BY, rollout.name) != rollout.name:
        yield invalid(use.path, use.name, f'Service "{use.name}" is managed by another Rollout')


def service_selector_errors(rollout: Rollout, use: ServiceUse, service: Mapping[str, Any]) -> Iterator[FieldError]:
    """The keys, sorted, by which a Service selects what the pod template does not have."""
    labels = member(rollout.spec.template, "metadata", "labels") or {}
    for key, value in sorted((member(service, "spec", "selector") or {}).items()):
        if key != HASH_LABEL and labels.get(key) != value:
            yield invalid(use.path, use.name, f'Service "{use.name}" has unmatch label "{key}" in rollout')
