"""What a test knows of the cluster it runs against: how to reach it, and what it can do. Never which one it is."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

ABILITIES = {
    "plays_pods": "the cluster runs pods in earnest, this test needs them played: any image, ready after 2 s",
    "serves_http": "the pods of the cluster are played, this test needs them to answer requests",
}
"""What some clusters can do, each with the reason that is given where one cannot."""


@dataclass(frozen=True)
class Cluster:
    """A running cluster with our CRDs in it.

    Attributes:
        kubeconfig: for the test; may do everything.
        controller_kubeconfig: for the controller under test.
        http: the API as the controller's user over plain HTTP on loopback, without any credentials.
        kubectl: a kubectl of 1.29 or newer, None where there is none.
        plays_pods: whether pods are played: of any image, ready 2 s after their start, gone 0.2 s after deletion.
        serves_http: whether the pods of the demo images answer requests, through node ports on 127.0.0.1.
        runs_controller: whether our controller is part of the cluster.
    """

    kubeconfig: Path
    controller_kubeconfig: Path
    http: str
    kubectl: Path | None
    plays_pods: bool = False
    serves_http: bool = False
    runs_controller: bool = False

    def lacks(self, abilities: Iterable[str]) -> str:
        """Why a test that needs these abilities cannot run here, empty when it can; KeyError for a wrong name."""
        return "; ".join(ABILITIES[ability] for ability in abilities if not getattr(self, ability))

    def packed(self) -> dict[str, Any]:
        """The same as plain values, for another process of the test run."""
        return {name: str(value) if isinstance(value, Path) else value for name, value in asdict(self).items()}

    @classmethod
    def unpacked(cls, values: dict[str, Any]) -> Self:
        """The cluster that `packed` gave the values of."""
        paths = {
            name: Path(values[name]) for name in ("kubeconfig", "controller_kubeconfig", "kubectl") if values[name]
        }
        return cls(**{**values, **paths})
