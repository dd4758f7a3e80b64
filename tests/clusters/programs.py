"""Programs as a user runs them in a terminal: kubectl and our scripts, each with files and caches of the test's own."""

import asyncio
import json
import os
import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

SCRIPTS = Path(sys.executable).parent
ROOT = Path(__file__).parents[2]
SECONDS = 60


@dataclass(frozen=True)
class Outcome:
    """What a program printed, and its exit code."""

    code: int
    stdout: str
    stderr: str


@dataclass(frozen=True)
class Shell:
    """Runs command lines in the root of the repository; `env` is their whole environment."""

    env: Mapping[str, str]

    async def run(self, line: str, *, stdin: str = "", seconds: float = SECONDS) -> Outcome:
        """Run one command line, whatever its exit code."""
        process = await asyncio.create_subprocess_exec(
            *shlex.split(line),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=dict(self.env),
            cwd=ROOT,
        )
        try:
            async with asyncio.timeout(seconds):
                out, err = await process.communicate(stdin.encode())
        except TimeoutError:
            process.kill()
            await process.communicate()
            pytest.fail(f"{line} did not end within {seconds:g} s")
        return Outcome(process.returncode or 0, out.decode(), err.decode())

    async def says(self, line: str, *, stdin: str = "") -> str:
        """Run one command line that has to go well, and return what it prints."""
        outcome = await self.run(line, stdin=stdin)
        assert outcome.code == 0, f"{line} ended with {outcome.code}\n{outcome.stdout}{outcome.stderr}"
        return outcome.stdout


def shell_on(kubeconfig: Path, namespace: str, home: Path, kubectl: Path | None) -> Shell:
    """A shell whose current context is that namespace, as after the two lines that `up` says to paste."""
    own = home / f"kubeconfig-{namespace}"
    own.write_text(json.dumps(with_namespace(kubeconfig, namespace)))
    folders = [str(SCRIPTS), *([str(kubectl.parent)] if kubectl else []), os.environ["PATH"]]
    # A dumb terminal has no colours.
    places = {"HOME": str(home), "KUBECACHEDIR": str(home / "cache"), "TERM": "dumb"}
    return Shell({"PATH": os.pathsep.join(folders), "KUBECONFIG": str(own), "LC_ALL": "C.UTF-8", **places})


def with_namespace(kubeconfig: Path, namespace: str) -> dict[str, Any]:
    """A kubeconfig whose contexts are all in the namespace."""
    config: dict[str, Any] = yaml.safe_load(kubeconfig.read_text())
    for context in config["contexts"]:
        context["context"]["namespace"] = namespace
    return config
