"""Runs one server of the control plane: starts it, tells when it is up, stops it, and says why it failed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

WITH_PARENT = Path(__file__).with_name("with_parent.py")
LOG_LINES_SHOWN = 20
POLL_SECONDS = 0.05


class StartError(Exception):
    """The control plane did not come up; the message ends with the last lines of the log of the server to blame."""


class Server:
    """A running server of the control plane."""

    def __init__(self, name: str, command: Sequence[str | Path], log: Path) -> None:
        """Start `command`, with both its output streams written to `log`."""
        self.name = name
        self._log = log
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", WITH_PARENT, str(os.getpid()), *command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                # kwok would read settings of the user's own, which could hold other stages.
                env={**os.environ, "HOME": str(log.parent)},
                # In a session of its own Ctrl-C does not reach it, and it is stopped in its turn.
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def wait_until(self, ready: Callable[[], bool], what: str, deadline: float) -> None:
        """Return once `ready()` is true.

        Raises:
            StartError: the server ended before, or `time.monotonic()` passed `deadline`.
        """
        while not ready():
            code = self._process.poll()
            if code is not None:
                raise StartError(f"{self.name} ended with exit code {code} {self._last_words()}")
            if time.monotonic() > deadline:
                raise StartError(f"{self.name}: {what} did not happen in time {self._last_words()}")
            time.sleep(POLL_SECONDS)

    def stop(self, grace_seconds: float) -> None:
        """End the server and wait until it is gone; the hard way when it takes longer than `grace_seconds`."""
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(grace_seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _last_words(self) -> str:
        lines = self._log.read_text(errors="replace").splitlines()[-LOG_LINES_SHOWN:]
        return "\n".join([f"({self._log.name}):", *lines])
