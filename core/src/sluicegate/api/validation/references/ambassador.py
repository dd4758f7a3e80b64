"""What an Ambassador mapping must be like so that a canary can be weighed on it (rollout 1.7, row B5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sluicegate.api.validation.field_error import FieldError, invalid
from sluicegate.api.validation.references.reference import member, name_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def mapping_errors(mapping: Mapping[str, Any]) -> Iterator[FieldError]:
    """A mapping that has a weight of its own, which would be in the way of the canary's."""
    weight, name = member(mapping, "spec", "weight"), name_of(mapping)
    if isinstance(weight, int) and weight:
        yield invalid("spec.weight", name, f'Ambassador mapping "{name}" can not define weight')
