"""Builds the programs of the test control plane from their Go modules, once, into a cache folder.

Nothing is downloaded ready-made: the sources come as Go modules, checked against the committed `go.sum` files. In the
cache a module's folder is named after the hash of its `go.mod` and `go.sum`: a new version is a new folder, one that
stays is never built again, and checkouts that differ can share one cache.
"""

import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

MODULES = Path(__file__).parent / "modules"
OLDEST_KUBECTL = (1, 29)


class BuildError(Exception):
    """A program of the control plane could not be built."""


class GoMissingError(BuildError):
    """There is no Go on this machine, and something still has to be built."""

    def __init__(self) -> None:
        super().__init__(
            "The test control plane is built from source: install Go 1.26 or newer and put `go` on the PATH."
        )


@dataclass(frozen=True)
class Program:
    """A program to build: the module that pins its version and the Go package that holds its main function."""

    name: str
    module: str
    package: str


ETCD = Program("etcd", "etcd", "go.etcd.io/etcd/server/v3")
KUBE_APISERVER = Program("kube-apiserver", "kubernetes", "k8s.io/kubernetes/cmd/kube-apiserver")
KUBE_CONTROLLER_MANAGER = Program(
    "kube-controller-manager", "kubernetes", "k8s.io/kubernetes/cmd/kube-controller-manager"
)
KUBE_SCHEDULER = Program("kube-scheduler", "kubernetes", "k8s.io/kubernetes/cmd/kube-scheduler")
KWOK = Program("kwok", "kwok", "sigs.k8s.io/kwok/cmd/kwok")
KUBECTL = Program("kubectl", "kubernetes", "k8s.io/kubernetes/cmd/kubectl")


@dataclass(frozen=True)
class Binaries:
    """Where the programs of a control plane are."""

    etcd: Path
    kube_apiserver: Path
    kube_controller_manager: Path
    kube_scheduler: Path
    kwok: Path
    kubectl: Path


def build() -> Binaries:
    """Return the programs, after building those that the cache lacks; minutes the first time, nothing later.

    Raises:
        GoMissingError: something has to be built and there is no Go.
        BuildError: a build failed; what Go said about it is on stderr.
    """
    return Binaries(
        etcd=_cached(ETCD),
        kube_apiserver=_cached(KUBE_APISERVER),
        kube_controller_manager=_cached(KUBE_CONTROLLER_MANAGER),
        kube_scheduler=_cached(KUBE_SCHEDULER),
        kwok=_cached(KWOK),
        kubectl=build_kubectl(),
    )


def build_kubectl() -> Path:
    """Return a kubectl of 1.29 or newer: that of the PATH, else one that is built as `build` does."""
    return installed_kubectl() or _cached(KUBECTL)


def cache_folder() -> Path:
    """Return the folder that keeps the programs: `$SLUICEGATE_CACHE`, else the user's cache folder."""
    if own := os.environ.get("SLUICEGATE_CACHE"):
        return Path(own).absolute() / "controlplane"
    user = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(user).absolute() / "sluicegate" / "controlplane"


def _cached(program: Program) -> Path:
    target = cache_folder() / f"{program.module}-{_fingerprint(program.module)}" / program.name
    if target.exists():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with _locked(target.parent / "lock"):
        # Another process may have built it while this one waited for the lock.
        if not target.exists():
            _go_build(program, target)
    return target


def _go_build(program: Program, target: Path) -> None:
    go = shutil.which("go")
    if go is None:
        raise GoMissingError
    print(f"building {program.name}, once, into {target.parent}", file=sys.stderr, flush=True)
    # Under its last name only when complete: a build that is interrupted leaves nothing that looks finished.
    unfinished = target.with_suffix(".unfinished")
    command = [go, "build", "-trimpath", "-buildvcs=false", "-ldflags", _linker_flags(program.module)]
    done = subprocess.run(
        [*command, "-o", unfinished, program.package],
        cwd=MODULES / program.module,
        env={**os.environ, "CGO_ENABLED": "0", "GOWORK": "off"},
        check=False,
    )
    if done.returncode != 0:
        raise BuildError(f"`go build` of {program.name} failed with exit code {done.returncode}; see its output.")
    unfinished.replace(target)


def _linker_flags(module: str) -> str:
    flags = "-s -w"
    if module == "kubernetes":
        # Kubernetes learns its version from the linker; without it /version is empty and clients that ask go astray.
        major, minor, patch = _required_version(module, "k8s.io/kubernetes")
        names = {"gitMajor": major, "gitMinor": minor, "gitVersion": f"v{major}.{minor}.{patch}"}
        flags += "".join(f" -X k8s.io/component-base/version.{name}={value}" for name, value in names.items())
    return flags


def _required_version(module: str, path: str) -> tuple[str, str, str]:
    text = (MODULES / module / "go.mod").read_text()
    found = re.search(rf"{re.escape(path)} v(\d+)\.(\d+)\.(\d+)", text)
    if found is None:
        raise BuildError(f"{module}/go.mod requires no {path}.")
    major, minor, patch = found.groups()
    return major, minor, patch


def _fingerprint(module: str) -> str:
    digest = hashlib.sha256(_linker_flags(module).encode())
    for name in ("go.mod", "go.sum"):
        digest.update((MODULES / module / name).read_bytes())
    return digest.hexdigest()[:12]


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Keep other processes out; the kernel opens the lock when its holder ends, however that ends."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def installed_kubectl() -> Path | None:
    """Return the PATH's kubectl unless there is none, it does not answer, or it is too old."""
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        return None
    try:
        asked = subprocess.run(
            [kubectl, "version", "--client", "-o", "json"], capture_output=True, check=True, timeout=30
        )
        version = json.loads(asked.stdout)["clientVersion"]["gitVersion"]
    except (OSError, subprocess.SubprocessError, ValueError, LookupError):
        return None
    found = re.match(r"v(\d+)\.(\d+)", version)
    if found is None or (int(found[1]), int(found[2])) < OLDEST_KUBECTL:
        return None
    return Path(kubectl)
