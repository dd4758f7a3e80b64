"""`sluicegate up` as a process of its own, with files of the test's own, and the processes that it has started."""

import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.controlplane.build import installed_kubectl

from .cluster import Cluster
from .programs import SCRIPTS

READY = "export PATH="
END_SECONDS = 10


@dataclass
class Up:
    """A running `sluicegate up`."""

    process: subprocess.Popen[str]
    printed: str

    @property
    def kubeconfig(self) -> Path:
        """The kubeconfig that it has said to use."""
        found = re.search(r"^export KUBECONFIG=(.+)$", self.printed, re.MULTILINE)
        assert found, self.printed
        return Path(found[1])

    @property
    def cluster(self) -> Cluster:
        """The cluster as a test knows it."""
        found = re.search(r"http://\S+:\d+", self.printed)
        assert found, self.printed
        return Cluster(
            kubeconfig=self.kubeconfig,
            controller_kubeconfig=self.kubeconfig,
            http=found[0],
            kubectl=installed_kubectl(),
            serves_http=True,
            runs_controller=True,
        )

    def end(self, number: int) -> float:
        """Send it a signal; how many seconds it took to end."""
        began = time.monotonic()
        self.process.send_signal(number)
        self.process.wait(END_SECONDS)
        return time.monotonic() - began


def environment(home: Path) -> dict[str, str]:
    """The environment of a user with that home and nothing in it."""
    return {"PATH": f"{SCRIPTS}{os.pathsep}{os.environ['PATH']}", "HOME": str(home), "LC_ALL": "C.UTF-8"}


@contextmanager
def running_up(home: Path, *options: str) -> Iterator[Up]:
    """Start a cluster and wait until it says that it is up; whatever happens, it is gone at the end."""
    process = _start(["up", *options], environment(home))
    with process:
        try:
            yield Up(process, _printed(process))
        finally:
            process.kill()


def _start(words: list[str], env: Mapping[str, str]) -> subprocess.Popen[str]:
    # The output goes to a pipe that nobody empties after the start; what `up` says later is far less than its room.
    return subprocess.Popen(
        [SCRIPTS / "sluicegate", *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=dict(env)
    )


def _printed(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    printed = ""
    for line in process.stdout:
        printed += line
        if line.startswith(READY):
            return printed
    raise AssertionError(f"`up` has ended with {process.wait()}: {printed}")


def free_port() -> int:
    """A port on 127.0.0.1 that nobody listens on now."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


def descendants(pid: int) -> set[int]:
    """The processes that a process has started, and those that these have."""
    found: set[int] = set()
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            found |= {int(child)} | descendants(int(child))
    return found


def alive(pids: set[int]) -> set[int]:
    """Those of the processes that still run; one that has ended and waits to be read of does not."""
    return {pid for pid in pids if _state(pid) not in ("", "Z", "X")}


def _state(pid: int) -> str:
    with suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    return ""


def kill(up: Up) -> None:
    """End it as a crash would."""
    up.end(signal.SIGKILL)
