"""A real Kubernetes control plane on loopback, for as long as a `with` block: no container, no kubelet, no traffic.

The API server, the controllers and the scheduler are the real ones; kwok plays the part of the kubelets, so pods are
only objects that go through their states as `stages.yaml` says.
"""

import shutil
import sys
import tempfile
import threading
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import yaml

from .access import ADMIN, CONTROLLER, make_users, write_kubeconfig, write_signing_key, write_tokens
from .api import Api, Manifest
from .build import build
from .commands import Commands, Layout, Ports
from .startup import Startup


class ControlPlane:
    """A Kubernetes cluster to test against, started by `with` and gone after it.

    Start it from the main thread: its servers end with the thread that started them.

    Attributes, once it is started:
        url: where the API server listens.
        kubeconfig: for tests and kubectl, a cluster admin.
        controller_kubeconfig: for the controller under test; the same rights, but a user of its own in the audit log.
        kubectl: a kubectl of 1.29 or newer.
        folder: its files, with a log for each server.
        pids: the process id of each server, by name.
    """

    url: str
    kubeconfig: Path
    controller_kubeconfig: Path
    kubectl: Path
    folder: Path
    pids: dict[str, int]

    def __init__(
        self,
        *,
        crds: Iterable[Manifest | Path] = (),
        audit_log: Path | None = None,
        folder: Path | None = None,
    ) -> None:
        """Describe a control plane; nothing is started yet.

        Args:
            crds: CustomResourceDefinitions to have from the start, as objects or as files of YAML or JSON. One created
                later works too, but the garbage collector looks for new kinds only every 30 seconds.
            audit_log: a file to which the API server writes a line of JSON for each request.
            folder: where to put its files and leave them; when not given, a temporary folder. What a cluster that used
                it before had stored is forgotten.
        """
        self._crds = [manifest for crd in crds for manifest in _manifests(crd)]
        self._audit_log = audit_log
        self._own_folder = folder
        self._running = ExitStack()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start everything and return when pods can run; after a failure nothing is left running.

        Raises:
            BuildError: a program is missing and could not be built.
            StartError: a server did not come up.
            ApiError: the API server refused a CRD.
        """
        if sys.platform == "linux" and threading.current_thread() is not threading.main_thread():
            raise RuntimeError("Start the control plane from the main thread: its servers end with their thread.")
        binaries = build()
        with ExitStack() as running:
            self.folder = self._make_folder(running)
            commands = Commands(binaries, Layout(self.folder), Ports.free())
            startup = Startup(commands, self._let_users_in(commands), running)
            startup.run(self._crds, self._audit_log)
            self.url = commands.url
            self.kubectl = binaries.kubectl
            self.pids = {server.name: server.pid for server in startup.servers}
            self._running = running.pop_all()

    def stop(self) -> None:
        """Stop everything, what was started last first; does nothing when nothing runs."""
        self._running.close()

    def _make_folder(self, running: ExitStack) -> Path:
        if self._own_folder is None:
            folder = Path(tempfile.mkdtemp(prefix="sluicegate-controlplane-"))
            running.callback(shutil.rmtree, folder)
            return folder
        folder = self._own_folder.absolute()
        folder.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(folder / "etcd", ignore_errors=True)
        return folder

    def _let_users_in(self, commands: Commands) -> Api:
        """Write the files by which servers and clients know each other; return the API as the admin sees it."""
        layout = commands.layout
        users = make_users()
        write_signing_key(layout.signing_key)
        write_tokens(layout.tokens, users)
        for user in users.values():
            write_kubeconfig(layout.kubeconfig(user.name), commands.url, user)
        self.kubeconfig = layout.kubeconfig(ADMIN)
        self.controller_kubeconfig = layout.kubeconfig(CONTROLLER)
        return Api(commands.url, users[ADMIN].token)


def _manifests(crd: Manifest | Path) -> Iterator[Manifest]:
    if isinstance(crd, Path):
        with crd.open() as file:
            # The loader in C: CRDs are long, and the one in Python takes seconds for them.
            yield from (manifest for manifest in yaml.load_all(file, yaml.CSafeLoader) if manifest)
    else:
        yield crd
