"""What the API server asks of every object's identity: names, labels, and that body and URL mean the same object."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from sluicegate.local import failures

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sluicegate.local.apiserver.resources import Served
    from sluicegate.local.apiserver.targets import Target
    from sluicegate.local.failures import FieldFault
    from sluicegate.local.objects import Object

_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_DNS_1035 = "[a-z]([-a-z0-9]*[a-z0-9])?"
_LABEL_VALUE = "(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?"
_LABEL_NAME = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_LONGEST_LABEL = 63


class _Rule(NamedTuple):
    """What a name of some sort looks like, and how that is said."""

    pattern: str
    longest: int
    words: str
    examples: str

    def text(self) -> str:
        return f"{self.words} (e.g. {self.examples}, regex used for validation is '{self.pattern}')"


_NAME_RULES = {
    "Service": _Rule(
        _DNS_1035,
        _LONGEST_LABEL,
        words="a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic "
        "character, and end with an alphanumeric character",
        examples="'my-name',  or 'abc-123'",
    ),
    "Namespace": _Rule(
        _LABEL,
        _LONGEST_LABEL,
        words="a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start "
        "and end with an alphanumeric character",
        examples="'my-name',  or '123-abc'",
    ),
}
_OTHER_NAMES = _Rule(
    _SUBDOMAIN,
    253,
    words="a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must "
    "start and end with an alphanumeric character",
    examples="'example.com'",
)
_LABEL_VALUES = _Rule(
    _LABEL_VALUE,
    _LONGEST_LABEL,
    words="a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must "
    "start and end with an alphanumeric character",
    examples="'MyValue',  or 'my_value',  or '12345'",
)
_LABEL_NAMES = _Rule(
    _LABEL_NAME,
    _LONGEST_LABEL,
    words="name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
    "alphanumeric character",
    examples="'MyName',  or 'my.name',  or '123-abc'",
)


def identify(body: Any, served: Served, target: Target) -> Object:
    """Return a request's object with apiVersion, kind and namespace filled in from the URL.

    Raises BadRequest if it is no object, or is another one than the URL says.
    """
    if not isinstance(body, dict):
        raise failures.bad_request("the body of the request is not a JSON object")
    metadata = body.get("metadata") or {}
    if not isinstance(metadata, dict):
        raise failures.bad_request("metadata of the object is not a JSON object")
    _match("API version", body.get("apiVersion"), served.resource.api_version)
    _match("kind", body.get("kind"), served.resource.kind)
    if metadata.get("namespace") and metadata["namespace"] != target.namespace:
        raise failures.bad_request(
            "the namespace of the provided object does not match the namespace sent on the request"
        )
    if target.name and metadata.get("name") not in (None, "", target.name):
        raise failures.bad_request(
            f"the name of the object ({metadata['name']}) does not match the name on the URL ({target.name})"
        )
    header = {"apiVersion": served.resource.api_version, "kind": served.resource.kind}
    return {**body, **header, "metadata": metadata}


def _match(what: str, found: Any, wanted: str) -> None:
    if found not in (None, "", wanted):
        raise failures.bad_request(f"the {what} in the data ({found}) does not match the expected {what} ({wanted})")


def faults(obj: Object, served: Served) -> list[FieldFault]:
    """Return all that is wrong with an object's name, labels, annotations and owners."""
    metadata = obj["metadata"]
    found = list(_name_faults(metadata, served.resource.kind))
    labels, annotations = metadata.get("labels") or {}, metadata.get("annotations") or {}
    for key, value in labels.items():
        found += _label_faults(key, value)
    for key, value in annotations.items():
        if not isinstance(value, str):
            found.append(failures.unacceptable(f"metadata.annotations[{key}]", json.dumps(value), "must be a string"))
    for at, reference in enumerate(metadata.get("ownerReferences") or ()):
        found += _owner_faults(reference, f"metadata.ownerReferences[{at}]")
    return found


def _owner_faults(reference: Object, path: str) -> Iterator[FieldFault]:
    for member, word in (("apiVersion", "version"), ("kind", "kind"), ("name", "name"), ("uid", "uid")):
        if not reference.get(member):
            yield failures.unacceptable(f"{path}.{member}", '""', f"{word} must not be empty")


def _name_faults(metadata: Object, kind: str) -> Iterator[FieldFault]:
    if metadata.get("name"):
        yield from _text_faults("metadata.name", metadata["name"], _NAME_RULES.get(kind, _OTHER_NAMES))
    elif not metadata.get("generateName"):
        yield failures.required("metadata.name", "name or generateName is required")


def _label_faults(key: str, value: Any) -> Iterator[FieldFault]:
    prefix, _, name = key.rpartition("/")
    yield from _text_faults("metadata.labels", name, _LABEL_NAMES)
    if prefix:
        yield from _text_faults("metadata.labels", prefix, _OTHER_NAMES)
    yield from _text_faults("metadata.labels", value, _LABEL_VALUES)


def _text_faults(path: str, value: Any, rule: _Rule) -> Iterator[FieldFault]:
    if not isinstance(value, str) or not re.fullmatch(rule.pattern, value):
        yield failures.unacceptable(path, json.dumps(value), rule.text())
    elif len(value) > rule.longest:
        yield failures.unacceptable(path, json.dumps(value), f"must be no more than {rule.longest} characters")
