"""Loopback addresses for a cluster and its pods.

Linux lets any program listen on all of 127.0.0.0/8, so each pod gets an address of its own, 127.N.x.y. N is a number
that no other cluster on the machine has: a cluster holds it by listening on 127.N.0.1. Where only 127.0.0.1 can be
bound (macOS as it comes), all pods share it, each with free ports: `podIP` is 127.0.0.1, and the real port of each
declared one is in the pod's annotation `sluicegate.dev/ports` and in the EndpointSlices. The same annotation is written
when another program has the wanted port on all addresses, or it is one that only root may have.
"""

from __future__ import annotations

import re
import socket
from typing import Final

SHARED: Final = "127.0.0.1"
PORTS_ANNOTATION: Final = "sluicegate.dev/ports"
TRIAL: Final = "127.10.0.2"
NETWORKS: Final = range(10, 96)
CLAIM_PORT: Final = 10250
FIRST, LAST = 2, 256 * 256 - 2


class AddressPool:
    """The addresses of one cluster, from `claim` until `close`."""

    def __init__(self, network: int, claim: socket.socket | None) -> None:
        self._network = network
        self._claim = claim
        self._used: set[str] = set()
        self._last = FIRST - 1

    @classmethod
    def claim(cls) -> AddressPool:
        """Take the first free network 127.N.0.0/16, or fall back to 127.0.0.1 for all."""
        if _can_listen(TRIAL):
            for network in NETWORKS:
                if held := _listen(f"127.{network}.0.1", CLAIM_PORT):
                    return cls(network, held)
        return cls(0, None)

    @property
    def shared(self) -> bool:
        """Whether all pods have the one address 127.0.0.1, on different ports."""
        return self._claim is None

    @property
    def node(self) -> str:
        """The address of the node."""
        return SHARED if self.shared else f"127.{self._network}.0.1"

    def allocate(self, preferred: str = "") -> str:
        """A pod's address: the preferred one if it is free and of this network, else one that was not used lately."""
        if self.shared:
            return SHARED
        if re.fullmatch(rf"127\.{self._network}\.\d+\.\d+", preferred) and preferred not in self._used:
            self._used.add(preferred)
            return preferred
        return self._next()

    def release(self, address: str) -> None:
        """Give an address back."""
        self._used.discard(address)

    def close(self) -> None:
        """Let other clusters have the network."""
        if self._claim:
            self._claim.close()

    def _next(self) -> str:
        for _ in range(FIRST, LAST):
            self._last = self._last + 1 if self._last < LAST else FIRST
            address = f"127.{self._network}.{self._last // 256}.{self._last % 256}"
            if address not in self._used:
                self._used.add(address)
                return address
        raise RuntimeError(f"all {LAST - FIRST} pod addresses of 127.{self._network}.0.0/16 are in use")


def _can_listen(address: str) -> bool:
    if trial := _listen(address, 0):
        trial.close()
        return True
    return False


def _listen(address: str, port: int) -> socket.socket | None:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.bind((address, port))
        listener.listen(1)
    except OSError:
        listener.close()
        return None
    return listener
