"""A cluster of real Kubernetes servers: that of a given kubeconfig, else a control plane started for the tests."""

import json
import os
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.controlplane.build import build_kubectl
from tests.controlplane.cluster import ControlPlane
from tests.controlplane.processes import Server

from sluicegate.api.crds import crds

from .cluster import Cluster

GIVEN = "SLUICEGATE_TEST_KUBECONFIG"
"""The environment variable that names the kubeconfig of a cluster to use."""

PROXY_SECONDS = 10
GRACE_SECONDS = 2


@contextmanager
def real_cluster(folder: Path) -> Iterator[Cluster]:
    """A real cluster with our CRDs in it; files go to the folder.

    Raises:
        BuildError: there is no kubeconfig given, and the control plane cannot be built.
        CalledProcessError: the given cluster refused the CRDs, or did not answer.
    """
    given = os.environ.get(GIVEN)
    with _given_cluster(Path(given), folder) if given else _control_plane(folder) as cluster:
        yield cluster


@contextmanager
def _control_plane(folder: Path) -> Iterator[Cluster]:
    with (
        ControlPlane(crds=crds()) as plane,
        _http(plane.kubectl, plane.controller_kubeconfig, folder) as http,
    ):
        yield Cluster(
            kubeconfig=plane.kubeconfig,
            controller_kubeconfig=plane.controller_kubeconfig,
            http=http,
            kubectl=plane.kubectl,
            plays_pods=True,
        )


@contextmanager
def _given_cluster(given: Path, folder: Path) -> Iterator[Cluster]:
    kubectl = build_kubectl()
    kubeconfig = folder / "kubeconfig"
    # Copied with all that it refers to by relative paths; the tests write copies of it to other folders.
    kubeconfig.write_bytes(_run(kubectl, given, "config", "view", "--raw", "--flatten", "--minify"))
    definitions = json.dumps({"apiVersion": "v1", "kind": "List", "items": crds()}).encode()
    _run(kubectl, kubeconfig, "apply", "--server-side", "--force-conflicts", "-f", "-", stdin=definitions)
    names = [f"crd/{crd['metadata']['name']}" for crd in crds()]
    _run(kubectl, kubeconfig, "wait", "--for=condition=Established", "--timeout=30s", *names)
    with _http(kubectl, kubeconfig, folder) as http:
        yield Cluster(kubeconfig=kubeconfig, controller_kubeconfig=kubeconfig, http=http, kubectl=kubectl)


def _run(kubectl: Path, kubeconfig: Path, *words: str, stdin: bytes | None = None) -> bytes:
    command: list[str | Path] = [kubectl, "--kubeconfig", kubeconfig, *words]
    return subprocess.run(command, input=stdin, stdout=subprocess.PIPE, check=True).stdout


@contextmanager
def _http(kubectl: Path, kubeconfig: Path, folder: Path) -> Iterator[str]:
    """The API over plain HTTP, through `kubectl proxy`: it knows every way to authenticate."""
    log = folder / "kubectl-proxy.log"
    server = Server("kubectl proxy", [kubectl, "--kubeconfig", kubeconfig, "proxy", "--port=0"], log)
    try:
        server.wait_until(lambda: bool(_address(log)), "listening", time.monotonic() + PROXY_SECONDS)
        yield f"http://{_address(log)}"
    finally:
        server.stop(GRACE_SECONDS)


def _address(log: Path) -> str:
    found = re.search(r"Starting to serve on (\S+)\n", log.read_text())
    return found[1] if found else ""
