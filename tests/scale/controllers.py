"""The controller under measurement, a process of its own as users run it, and what the kernel says of it."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.clusters.controllers import PLUGINS
from tests.controlplane.processes import Server

SCRIPT = Path(sys.executable).with_name("sluicegate")
GRACE_SECONDS = 10.0
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Controller:
    """A running controller, by its process id."""

    pid: int

    def cpu_seconds(self) -> float:
        """What it has used of all processors so far, to a hundredth."""
        # The name in parentheses may hold spaces; user and system time are the 14th and 15th fields of all.
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def resident_mib(self) -> float:
        """How much memory it holds now."""
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) / 1024


@asynccontextmanager
async def running_controller(kubeconfig: Path, folder: Path) -> AsyncIterator[Controller]:
    """Run `sluicegate controller` with the recording router while the body runs; its log goes to the folder."""
    command: list[str | Path] = [SCRIPT, "--kubeconfig", kubeconfig, "controller", "--plugin-dir", PLUGINS]
    server = Server("sluicegate controller", command, folder / "controller.log")
    try:
        yield Controller(server.pid)
    finally:
        # A wire in this event loop may have to carry its last requests.
        await asyncio.to_thread(server.stop, GRACE_SECONDS)
