"""What the cluster tells its data plane, and what it hears back: one JSON object a line, over a socket pair."""

from __future__ import annotations

import msgspec

Address = tuple[str, int]


class Probe(msgspec.Struct, frozen=True):
    """An HTTP readiness probe with its target port resolved; times are in seconds."""

    path: str
    port: int
    headers: dict[str, str]
    initial_delay: float
    period: float
    timeout: float
    success_threshold: int
    failure_threshold: int


class Container(msgspec.Struct, frozen=True):
    """One container to run: its image and the ports it declares (none: 8080, where the demo application listens)."""

    name: str
    image: str
    ports: tuple[int, ...]
    probe: Probe | None = None


class RunPod(msgspec.Struct, frozen=True, tag=True):
    """Start the servers of a pod on `address`; with `shared`, other pods have the same address and ports are free ones.

    `drain` is how many seconds open requests have once the pod has closed its listeners.
    """

    uid: str
    address: str
    shared: bool
    drain: float
    containers: tuple[Container, ...]


class StopPod(msgspec.Struct, frozen=True, tag=True):
    """Serve on for `linger` seconds, then close the listeners, finish open requests, and end."""

    uid: str
    linger: float


class Serve(msgspec.Struct, frozen=True, tag=True):
    """Listen on a node port, or go on listening, and balance new connections over these backends."""

    port: int
    backends: tuple[Address, ...]


class Unserve(msgspec.Struct, frozen=True, tag=True):
    """Stop listening on a node port; open connections stay."""

    port: int


class Listening(msgspec.Struct, frozen=True, tag=True):
    """All containers of a pod accept connections; `ports` maps each declared port to the one really bound."""

    uid: str
    ports: dict[int, int]


class Readiness(msgspec.Struct, frozen=True, tag=True):
    """The readiness of a container changed."""

    uid: str
    container: str
    ready: bool


class Failed(msgspec.Struct, frozen=True, tag=True):
    """A pod could not be started, and why."""

    uid: str
    message: str


class Stopped(msgspec.Struct, frozen=True, tag=True):
    """A pod's servers are gone."""

    uid: str


class Served(msgspec.Struct, frozen=True, tag=True):
    """Whether a node port is open; `error` is the reason if not."""

    port: int
    error: str = ""


Command = RunPod | StopPod | Serve | Unserve
Report = Listening | Readiness | Failed | Stopped | Served

encode_line = msgspec.json.Encoder().encode
decode_command = msgspec.json.Decoder(Command).decode
decode_report = msgspec.json.Decoder(Report).decode
