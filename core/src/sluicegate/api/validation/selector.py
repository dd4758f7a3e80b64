"""The syntax of a label selector (rollout 1.9, label syntax)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sluicegate.api.validation.field_error import FieldError, forbidden, invalid, required
from sluicegate.api.validation.label_syntax import label_value, labels, qualified_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sluicegate.api.metadata import LabelSelector, LabelSelectorRequirement


def selector_errors(selector: LabelSelector, path: str) -> Iterator[FieldError]:
    """What is wrong with a selector's labels and expressions; it does not parse if there is anything."""
    yield from labels(f"{path}.matchLabels", selector.match_labels)
    for index, requirement in enumerate(selector.match_expressions):
        yield from _requirement_errors(requirement, f"{path}.matchExpressions[{index}]")


def _requirement_errors(requirement: LabelSelectorRequirement, path: str) -> Iterator[FieldError]:
    match requirement.operator:
        case "In" | "NotIn":
            if not requirement.values:
                yield required(f"{path}.values", "must be specified when `operator` is 'In' or 'NotIn'")
        case "Exists" | "DoesNotExist":
            if requirement.values:
                yield forbidden(f"{path}.values", "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")
        case operator:
            yield invalid(f"{path}.operator", operator, "not a valid selector operator")
    yield from (invalid(f"{path}.key", requirement.key, message) for message in qualified_name(requirement.key))
    for index, value in enumerate(requirement.values):
        yield from (invalid(f"{path}.values[{index}]", value, message) for message in label_value(value))
