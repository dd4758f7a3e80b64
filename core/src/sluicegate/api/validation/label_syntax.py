"""The syntax of labels, names and keys, in Kubernetes' words: each failing rule is a message of its own."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from sluicegate.api.validation.field_error import FieldError, invalid

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_NAME: Final = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")
_VALUE: Final = re.compile(r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?")
_DNS_LABEL: Final = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_SUBDOMAIN: Final = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_ENV_NAME: Final = re.compile(r"[-._a-zA-Z][-._a-zA-Z0-9]*")
_PORT_NAME: Final = re.compile(r"[-a-z0-9]+")

_NAME_RULE: Final = (
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character "
    "(e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
    "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)
_VALUE_RULE: Final = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is "
    "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)
_DNS_LABEL_RULE: Final = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with "
    "an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)
_SUBDOMAIN_RULE: Final = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    r"'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
_ENV_NAME_RULE: Final = (
    "a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.', and must not "
    "start with a digit (e.g. 'my.env-name',  or 'MY_ENV.NAME',  or 'MyEnvName1', regex used for validation is "
    "'[-._a-zA-Z][-._a-zA-Z0-9]*')"
)


def qualified_name(text: str) -> Iterator[str]:
    """What is wrong with a label or annotation key."""
    *prefix, name = text.split("/")
    if len(prefix) > 1:
        yield f"a qualified name {_NAME_RULE} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
        return
    if prefix == [""]:
        yield "prefix part must be non-empty"
    elif prefix:
        yield from (f"prefix part {message}" for message in subdomain(prefix[0]))
    if not name:
        yield "name part must be non-empty"
    elif len(name) > 63:
        yield "name part must be no more than 63 characters"
    if not _NAME.fullmatch(name):
        yield f"name part {_NAME_RULE}"


def label_value(text: str) -> Iterator[str]:
    """What is wrong with a label's value."""
    if len(text) > 63:
        yield "must be no more than 63 characters"
    if not _VALUE.fullmatch(text):
        yield _VALUE_RULE


def dns_label(text: str) -> Iterator[str]:
    """What is wrong with a DNS label."""
    if len(text) > 63:
        yield "must be no more than 63 characters"
    if not _DNS_LABEL.fullmatch(text):
        yield "must not contain dots" if _SUBDOMAIN.fullmatch(text) else _DNS_LABEL_RULE


def subdomain(text: str) -> Iterator[str]:
    """What is wrong with a DNS subdomain."""
    if len(text) > 253:
        yield "must be no more than 253 characters"
    if not _SUBDOMAIN.fullmatch(text):
        yield _SUBDOMAIN_RULE


def port_name(text: str) -> Iterator[str]:
    """What is wrong with a port's name."""
    if len(text) > 15:
        yield "must be no more than 15 characters"
    if not _PORT_NAME.fullmatch(text):
        yield "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)"
    if not re.search("[a-z]", text):
        yield "must contain at least one letter (a-z)"
    if "--" in text:
        yield "must not contain consecutive hyphens"
    if text.startswith("-") or text.endswith("-"):
        yield "must not begin or end with a hyphen"


def env_name(text: str) -> Iterator[str]:
    """What is wrong with the name of an environment variable."""
    if not _ENV_NAME.fullmatch(text):
        yield _ENV_NAME_RULE
    if text in (".", ".."):
        yield f"must not be '{text}'"
    elif text.startswith(".."):
        yield "must not start with '..'"


def labels(path: str, items: Mapping[str, str]) -> Iterator[FieldError]:
    """What is wrong with labels, by sorted key: errors of the key, then of the value, all at one path."""
    for key, value in sorted(items.items()):
        yield from (invalid(path, key, message) for message in qualified_name(key))
        yield from (invalid(path, value, message) for message in label_value(value))
