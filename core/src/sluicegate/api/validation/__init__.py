"""Validation of manifests with the incumbent's paths, kinds and texts, which users and their tools have learned."""

from sluicegate.api.validation.field_error import ErrorKind, FieldError, InvalidManifest
from sluicegate.api.validation.parsing import parse_rollout
from sluicegate.api.validation.spec import validate_rollout

__all__ = ["ErrorKind", "FieldError", "InvalidManifest", "parse_rollout", "validate_rollout"]
