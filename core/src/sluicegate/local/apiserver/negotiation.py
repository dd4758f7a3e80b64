"""What a client wants to be answered with, and what it has sent."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

from sluicegate.errors import ApiError
from sluicegate.local import failures

if TYPE_CHECKING:
    from collections.abc import Mapping

JSON = "application/json"
_READABLE = ("application/json", "application/*", "*/*")
_WHOLE_NUMBER = re.compile("[0-9]{1,18}")
_PROTOBUF = "application/vnd.kubernetes.protobuf"


def wants_table(accept: str) -> bool:
    """Return whether the first form that is served here and acceptable to the client is a Table.

    Raises ApiError (406) if the client accepts nothing that is served.
    """
    return _chosen(accept).get("as") == "Table"


def wants_aggregated_discovery(accept: str) -> bool:
    """Return whether the client can read discovery in one document (v2)."""
    parts = _chosen(accept, ("Table", "APIGroupDiscoveryList"))
    return parts.get("as") == "APIGroupDiscoveryList"


def _chosen(accept: str, forms: tuple[str, ...] = ("Table",)) -> dict[str, str]:
    for choice in (accept or "*/*").split(","):
        media_type, *parameters = (part.strip() for part in choice.split(";"))
        values = dict(parameter.split("=", 1) for parameter in parameters if "=" in parameter)
        wanted = values.get("as")
        known = wanted is None or (wanted in forms and values.get("v") in ("v1", "v2"))
        if media_type in _READABLE and known:
            return values
    message = f"only the following media types are accepted: {JSON}"
    raise ApiError(message, status=406, reason="NotAcceptable")


def decode(body: bytes, content_type: str) -> Any:
    """Return the value of a JSON body, None for an empty one.

    Raises ApiError (415) for a body that is no JSON, BadRequest for one that cannot be read.
    """
    if not body:
        return None
    media_type = content_type.split(";")[0].strip()
    if media_type == _PROTOBUF or body.startswith(b"k8s\x00"):
        raise failures.unsupported(
            "the embedded cluster does not read protobuf, only JSON: add `--dry-run=client -o yaml` to this command "
            "and pipe it into `kubectl apply -f -`"
        )
    if media_type and not media_type.endswith(("json", "+yaml")):
        raise failures.unsupported(
            f"the body of the request was in an unknown format ({media_type}) - accepted media types include: {JSON}"
        )
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise failures.bad_request(f"the body of the request is not valid JSON: {error}") from error


def number(query: Mapping[str, str], name: str) -> int | None:
    """Return a parameter that is a whole number, None if it is not given. Raises BadRequest if it is something else."""
    text = query.get(name, "")
    if text and not _WHOLE_NUMBER.fullmatch(text):
        raise failures.bad_request(f'{name}: Invalid value: "{text}": must be a whole number')
    return int(text) if text else None


def flag(query: Mapping[str, str], name: str) -> bool:
    """Return whether a boolean parameter is set."""
    return query.get(name, "").lower() in ("true", "1")
