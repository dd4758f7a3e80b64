"""Validation of manifests with the incumbent's paths, kinds and texts, which users and their tools have learned."""

from sluicegate.api.validation.field_error import ErrorKind, FieldError, InvalidManifest
from sluicegate.api.validation.parsing import parse_rollout
from sluicegate.api.validation.references import Known, NoVirtualRouter, Reference, missing, validate_references
from sluicegate.api.validation.spec import validate_rollout

__all__ = [
    "ErrorKind",
    "FieldError",
    "InvalidManifest",
    "Known",
    "NoVirtualRouter",
    "Reference",
    "missing",
    "parse_rollout",
    "validate_references",
    "validate_rollout",
]
