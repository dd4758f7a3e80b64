"""What a file holds that `lint` looks at: Rollouts, read strictly, and the objects that share their traffic."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from sluicegate.api.gojson import go_json
from sluicegate.api.resources import ARGO_GROUP, INGRESSES, ROLLOUTS, SERVICES, VIRTUAL_SERVICES
from sluicegate.api.validation import parse_rollout
from sluicegate.api.validation.go_types import BETA_INGRESS, INGRESS, ROLLOUT, SERVICE
from sluicegate.api.validation.strict import StrictError, read_strictly
from sluicegate.cli.failure import CommandError
from sluicegate.cli.lint.documents import documents_of

if TYPE_CHECKING:
    from sluicegate.api.rollout import Rollout

_PREFIX: Final = "error unmarshaling JSON: while decoding JSON: "
_INGRESS_GROUPS: Final = (INGRESSES.group, "extensions")
_INGRESS_TYPES: Final = {"v1": INGRESS, "v1beta1": BETA_INGRESS}
_KINDS: Final = ((bool, "bool"), (str, "string"), (list, "array"))
Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Manifests:
    """The objects of a file, each kind in the order of the file."""

    rollouts: list[Rollout] = field(default_factory=list)
    services: list[Document] = field(default_factory=list)
    ingresses: list[Document] = field(default_factory=list)
    virtual_services: list[Document] = field(default_factory=list)

    def add(self, document: Document) -> None:
        """Take up one object; kinds that nobody looks at are left out. Raises StrictError and InvalidManifest."""
        group, version = _group_and_version(document)
        match document.get("kind"):
            case ROLLOUTS.kind if group == ARGO_GROUP:
                self.rollouts.append(parse_rollout(read_strictly(document, ROLLOUT)))
            case SERVICES.kind if group == SERVICES.group:
                self.services.append(read_strictly(document, SERVICE))
            case INGRESSES.kind if group in _INGRESS_GROUPS and version in _INGRESS_TYPES:
                self.ingresses.append(read_strictly(document, _INGRESS_TYPES[version]))
            case VIRTUAL_SERVICES.kind if group == VIRTUAL_SERVICES.group:
                self.virtual_services.append(document)


def read_manifests(data: bytes) -> Manifests:
    """The objects of a file. Raises CommandError, with the incumbent's text, for the first that cannot be read."""
    manifests = Manifests()
    for document in documents_of(data):
        try:
            manifests.add(_object(document))
        except StrictError as error:
            raise CommandError(f"{_PREFIX}{error}") from error
    return manifests


def _object(document: Any) -> Document:
    if not isinstance(document, Mapping):
        kind = next((kind for type, kind in _KINDS if isinstance(document, type)), "number")
        raise StrictError(f"json: cannot unmarshal {kind} into Go value of type map[string]interface {{}}")
    named = document.get("kind")
    if not named or not isinstance(named, str) or str(document.get("apiVersion")).count("/") > 1:
        raise StrictError(f"Object 'Kind' is missing in '{go_json(document)}'")
    return document


def _group_and_version(document: Document) -> tuple[str, str]:
    group, _, version = str(document.get("apiVersion") or "").rpartition("/")
    return group, version
