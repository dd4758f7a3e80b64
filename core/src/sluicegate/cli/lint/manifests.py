"""What a file holds that `lint` looks at: Rollouts, read strictly, and the objects that share their traffic."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from sluicegate.api.resources import ARGO_GROUP, INGRESSES, ROLLOUTS, SERVICES, VIRTUAL_SERVICES
from sluicegate.api.validation import parse_rollout
from sluicegate.api.validation.go_types import BETA_INGRESS, INGRESS, ROLLOUT, SERVICE
from sluicegate.cli.manifests.documents import documents_to_lint
from sluicegate.cli.manifests.refusal import object_of, typed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sluicegate.api.rollout import Rollout
    from sluicegate.cli.manifests.documents import Document

_INGRESS_GROUPS: Final = (INGRESSES.group, "extensions")
_INGRESS_TYPES: Final = {"v1": INGRESS, "v1beta1": BETA_INGRESS}


@dataclass(frozen=True, slots=True)
class Manifests:
    """The objects of a file, each kind in the order of the file."""

    rollouts: list[Rollout] = field(default_factory=list)
    services: list[Mapping[str, Any]] = field(default_factory=list)
    ingresses: list[Mapping[str, Any]] = field(default_factory=list)
    virtual_services: list[Mapping[str, Any]] = field(default_factory=list)

    def add(self, document: Document) -> None:
        """Take up one object; kinds that nobody looks at are left out. Raises CommandError and InvalidManifest."""
        found = object_of(document)
        group, _, version = str(found.get("apiVersion") or "").rpartition("/")
        match found["kind"]:
            case ROLLOUTS.kind if group == ARGO_GROUP:
                self.rollouts.append(parse_rollout(typed(document, ROLLOUT)))
            case SERVICES.kind if group == SERVICES.group:
                self.services.append(typed(document, SERVICE))
            case INGRESSES.kind if group in _INGRESS_GROUPS and version in _INGRESS_TYPES:
                self.ingresses.append(typed(document, _INGRESS_TYPES[version]))
            case VIRTUAL_SERVICES.kind if group == VIRTUAL_SERVICES.group:
                self.virtual_services.append(found)


def read_manifests(path: str) -> Manifests:
    """The objects of a file. Raises CommandError, with the incumbent's text, for the first that cannot be read."""
    manifests = Manifests()
    for document in documents_to_lint(path):
        manifests.add(document)
    return manifests
