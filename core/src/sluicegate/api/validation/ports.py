"""The checks of container ports (rollout 1.10, rows 6-8)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sluicegate.api.validation.field_error import FieldError, duplicate, invalid, not_supported, required
from sluicegate.api.validation.label_syntax import port_name

if TYPE_CHECKING:
    from collections.abc import Iterator

_PROTOCOLS: Final = ("SCTP", "TCP", "UDP")


def port_number_errors(number: int, path: str) -> Iterator[FieldError]:
    """Whether a number is a port."""
    if not 1 <= number <= 65535:
        yield invalid(path, number, "must be between 1 and 65535, inclusive")


def port_errors(ports: list[dict[str, Any]], path: str) -> Iterator[FieldError]:
    """What is wrong with the ports of one container."""
    names: set[str] = set()
    for index, port in enumerate(ports):
        where = f"{path}[{index}]"
        yield from _name_errors(port.get("name", ""), f"{where}.name", names)
        if port["containerPort"] == 0:
            yield required(f"{where}.containerPort")
        else:
            yield from port_number_errors(port["containerPort"], f"{where}.containerPort")
        if "hostPort" in port:
            yield from port_number_errors(port["hostPort"], f"{where}.hostPort")
        protocol = port.get("protocol", "TCP")
        if protocol not in _PROTOCOLS:
            yield not_supported(f"{where}.protocol", protocol, _PROTOCOLS)


def _name_errors(name: str, path: str, used: set[str]) -> Iterator[FieldError]:
    if not name:
        return
    messages = list(port_name(name))
    yield from (invalid(path, name, message) for message in messages)
    if not messages and name in used:
        yield duplicate(path, name)
    used.add(name)


def host_port_errors(containers: list[dict[str, Any]], path: str) -> Iterator[FieldError]:
    """Host ports that these containers want twice."""
    used: set[str] = set()
    for index, container in enumerate(containers):
        for position, port in enumerate(container.get("ports", [])):
            if "hostPort" not in port:
                continue
            wanted = f"{port.get('protocol', 'TCP')}/{port.get('hostIP', '')}/{port['hostPort']}"
            if wanted in used:
                yield duplicate(f"{path}[{index}].ports[{position}].hostPort", wanted)
            used.add(wanted)
