"""Command lines as processes of their own, for what only a process has: signals, a terminal, its start."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

SCRIPTS = Path(sys.executable).parent


@contextmanager
def started(*args: str, script: str = "kubectl-argo-rollouts") -> Iterator[subprocess.Popen[str]]:
    """An installed script at work; killed if it has not ended when the test has."""
    command = [str(SCRIPTS / script), *args]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    with process:
        try:
            yield process
        finally:
            process.kill()


def lines_until(process: subprocess.Popen[str], wanted: str) -> str:
    """What the process prints, up to the first line that holds `wanted`; the test's deadline ends a vain wait."""
    assert process.stdout
    seen = ""
    for line in process.stdout:
        seen += line
        if wanted in line:
            return seen
    raise AssertionError(f"{wanted!r} was never printed: {seen}")


def stderr_on_terminal(*args: str) -> list[str]:
    """The lines that a person sees on stderr."""
    ours, theirs = pty.openpty()
    try:
        subprocess.run([str(SCRIPTS / "sluicegate"), *args], stderr=theirs, stdout=subprocess.DEVNULL, check=False)
        os.close(theirs)
        return _read_all(ours).decode().splitlines()
    finally:
        os.close(ours)


def _read_all(terminal: int) -> bytes:
    read = b""
    try:
        while chunk := os.read(terminal, 65536):
            read += chunk
    except OSError:
        # A terminal whose other end is closed fails instead of ending.
        return read
    return read
