"""The command line of each server: which flags make five programs a control plane on loopback, for tests only."""

import json
import socket
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from .access import CONTROLLER_MANAGER, KWOK, SCHEDULER
from .build import Binaries

STAGES = Path(__file__).with_name("stages.yaml")

# Those that the tests' objects need. The node controllers stay away on purpose: they would find that no node reports.
CONTROLLERS = (
    "replicaset-controller",
    "deployment-controller",
    "job-controller",
    "garbage-collector-controller",
    "namespace-controller",
    "disruption-controller",
    "endpointslice-controller",
    "pod-garbage-collector-controller",
)


@dataclass(frozen=True)
class Ports:
    """A port on 127.0.0.1 for each listener."""

    etcd: int
    etcd_peer: int
    kube_apiserver: int
    kube_controller_manager: int
    kube_scheduler: int
    kwok: int

    @classmethod
    def free(cls) -> "Ports":
        """Return ports that nobody listens on now."""
        with ExitStack() as stack:
            # All are held until the last is found, or the system could hand out one of them twice.
            sockets = [stack.enter_context(socket.socket()) for _ in range(6)]
            for held in sockets:
                held.bind(("127.0.0.1", 0))
            return cls(*(held.getsockname()[1] for held in sockets))


@dataclass(frozen=True)
class Layout:
    """The folder of one control plane: every file that its servers read or write."""

    folder: Path

    @property
    def tokens(self) -> Path:
        return self.folder / "tokens.csv"

    @property
    def signing_key(self) -> Path:
        return self.folder / "sa.key"

    @property
    def audit_policy(self) -> Path:
        return self.folder / "audit-policy.json"

    def kubeconfig(self, user: str) -> Path:
        """Return where the kubeconfig of the user of that name is."""
        return self.folder / f"{user}.kubeconfig"

    def log(self, server: str) -> Path:
        """Return where the server of that name logs."""
        return self.folder / f"{server}.log"


@dataclass(frozen=True)
class Commands:
    """The command lines of the servers of one control plane."""

    binaries: Binaries
    layout: Layout
    ports: Ports

    @property
    def url(self) -> str:
        """Where the API server listens."""
        return f"https://127.0.0.1:{self.ports.kube_apiserver}"

    @property
    def etcd_url(self) -> str:
        """Where etcd listens to the API server."""
        return f"http://127.0.0.1:{self.ports.etcd}"

    def etcd(self) -> list[str | Path]:
        """etcd, which may forget all when the machine crashes: nothing here outlives a test run."""
        peer = f"http://127.0.0.1:{self.ports.etcd_peer}"
        return [
            self.binaries.etcd,
            f"--data-dir={self.layout.folder / 'etcd'}",
            "--unsafe-no-fsync",
            f"--listen-client-urls={self.etcd_url}",
            f"--advertise-client-urls={self.etcd_url}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=default={peer}",
        ]

    def kube_apiserver(self, audit_log: Path | None) -> list[str | Path]:
        """The API server, without the limits that would slow a test down and the accounts that pods do not need."""
        command: list[str | Path] = [
            self.binaries.kube_apiserver,
            f"--etcd-servers={self.etcd_url}",
            "--bind-address=127.0.0.1",
            # Named, or it looks for the machine's address on a network and fails where there is none.
            "--advertise-address=127.0.0.1",
            f"--secure-port={self.ports.kube_apiserver}",
            f"--cert-dir={self.layout.folder / 'certs'}",
            "--service-cluster-ip-range=10.96.0.0/16",
            "--allow-privileged=true",
            "--endpoint-reconciler-type=none",
            "--authorization-mode=RBAC",
            f"--token-auth-file={self.layout.tokens}",
            "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
            f"--service-account-key-file={self.layout.signing_key}",
            f"--service-account-signing-key-file={self.layout.signing_key}",
            "--disable-admission-plugins=ServiceAccount,TaintNodesByCondition",
            "--max-requests-inflight=0",
            "--max-mutating-requests-inflight=0",
            "--enable-priority-and-fairness=false",
        ]
        if audit_log is not None:
            command += self._audit(audit_log)
        return command

    def kube_controller_manager(self) -> list[str | Path]:
        """The controller manager, with only the controllers that tests need."""
        return [
            self.binaries.kube_controller_manager,
            *self._component(CONTROLLER_MANAGER, self.ports.kube_controller_manager),
            f"--controllers={','.join(CONTROLLERS)}",
            "--kube-api-qps=500",
            "--kube-api-burst=1000",
        ]

    def kube_scheduler(self) -> list[str | Path]:
        """The scheduler, with its defaults."""
        return [self.binaries.kube_scheduler, *self._component(SCHEDULER, self.ports.kube_scheduler)]

    def kwok(self) -> list[str | Path]:
        """kwok in the place of every kubelet, playing the stages of `stages.yaml`."""
        return [
            self.binaries.kwok,
            f"--kubeconfig={self.layout.kubeconfig(KWOK)}",
            f"--config={STAGES}",
            "--manage-all-nodes=true",
            "--cidr=10.64.0.0/16",
            f"--server-address=127.0.0.1:{self.ports.kwok}",
        ]

    def _component(self, user: str, port: int) -> list[str]:
        return [
            f"--kubeconfig={self.layout.kubeconfig(user)}",
            "--leader-elect=false",
            "--bind-address=127.0.0.1",
            f"--secure-port={port}",
            "--authorization-always-allow-paths=/healthz,/readyz,/livez,/metrics",
        ]

    def _audit(self, log: Path) -> list[str]:
        policy = {
            "apiVersion": "audit.k8s.io/v1",
            "kind": "Policy",
            # One line for a request, when it is answered. (A watch has two, for when it starts and when it ends.)
            "omitStages": ["RequestReceived"],
            "rules": [{"level": "Metadata"}],
        }
        self.layout.audit_policy.write_text(json.dumps(policy))
        return [
            f"--audit-policy-file={self.layout.audit_policy}",
            f"--audit-log-path={log.absolute()}",
            # The line is written before the answer is sent, so a test that has its answer finds the line.
            "--audit-log-mode=blocking",
            # Megabytes; a log that is put aside half-way would count wrong.
            "--audit-log-maxsize=4096",
        ]
