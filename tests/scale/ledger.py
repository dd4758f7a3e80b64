"""Which requests the controller has sent: from the API server's audit log, or from a wire between the two."""

import json
from collections import Counter
from pathlib import Path
from typing import Protocol

from tests.clusters.wire import Wire
from tests.controlplane.access import CONTROLLER

UNCOUNTED = ("events", "leases")
"""Events go out behind everything else, and a lease costs the same however many Rollouts there are."""

Requests = Counter[str]
"""How often each kind of request was sent, such as `patch rollouts/status`; watches are not among them."""


class Ledger(Protocol):
    """The requests of the controller from some moment on."""

    def mark(self) -> int:
        """This moment."""
        ...

    def since(self, mark: int) -> Requests:
        """All requests after a moment, events and leases too."""
        ...


class AuditLog:
    """The ledger that the API server keeps in a file, a line of JSON for each request that it has answered."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0
        self._requests: list[str] = []

    def mark(self) -> int:
        self._read_on()
        return len(self._requests)

    def since(self, mark: int) -> Requests:
        self._read_on()
        return Counter(self._requests[mark:])

    def _read_on(self) -> None:
        with self._path.open("rb") as log:
            log.seek(self._offset)
            for text in log:
                if not text.endswith(b"\n"):
                    # Still being written.
                    return
                self._offset += len(text)
                self._take(text)

    def _take(self, text: bytes) -> None:
        # Most lines are those of other users: only what may be wanted is parsed.
        line = json.loads(text) if CONTROLLER.encode() in text else {}
        if line and line["user"]["username"] == CONTROLLER and _counts(line):
            self._requests.append(_audited(line))


def _counts(line: dict[str, str]) -> bool:
    return line["stage"] == "ResponseComplete" and line["verb"] != "watch"


def _audited(line: dict[str, dict[str, str]]) -> str:
    reference = line.get("objectRef", {})
    return f"{line['verb']} {_place(reference.get('resource', '?'), reference.get('subresource', ''))}"


class WireLog:
    """The ledger of a wire, for a cluster that writes no audit log."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def mark(self) -> int:
        return len(self._wire.sent)

    def since(self, mark: int) -> Requests:
        return Counter(_sent(sent.method, sent.path) for sent in self._wire.sent[mark:] if not sent.watches)


def _sent(method: str, path: str) -> str:
    # /api/v1/... or /apis/GROUP/VERSION/..., then mostly namespaces/NAME/PLURAL[/NAME[/SUBRESOURCE]].
    words = path.strip("/").split("/")[2 if path.startswith("/api/") else 3 :]
    words = words[2:] if words[0] == "namespaces" and len(words) > 2 else words
    return f"{method.lower()} {_place(words[0], words[2] if len(words) > 2 else '')}"


def _place(plural: str, subresource: str) -> str:
    return f"{plural}/{subresource}" if subresource else plural


def counted(requests: Requests) -> int:
    """How many they are without events and leases."""
    return sum(count for request, count in requests.items() if request.split()[1] not in UNCOUNTED)


def listed(requests: Requests, among: int = 1) -> str:
    """Each kind of request with its share of one Rollout, the most frequent first."""
    return ", ".join(f"{count / among:.2f} {request}" for request, count in requests.most_common())
