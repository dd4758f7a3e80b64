"""The kubeconfig of an embedded cluster: where it is, and what is in it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import yaml

NAME: Final = "sluicegate"
FILE_NAME: Final = "kubeconfig"
DEFAULT_PORT: Final = 6445


def state_folder() -> Path:
    """The user's folder for what outlives a run: `$XDG_STATE_HOME/sluicegate`, or below `~/.local/state`."""
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / NAME


def kubeconfig_path(data_dir: Path | None, port: int) -> Path:
    """In the data folder; without one in the state folder, under a name of its own for another than the usual port."""
    if data_dir:
        return data_dir / FILE_NAME
    return state_folder() / (FILE_NAME if port == DEFAULT_PORT else f"{FILE_NAME}-{port}")


def write_kubeconfig(path: Path, address: str) -> None:
    """Write the file, readable by its owner only, in one step."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(descriptor, "w", encoding="utf-8") as file:
        yaml.safe_dump(_config(address), file, sort_keys=False)
    temporary.replace(path)


def _config(address: str) -> dict[str, object]:
    context = {"cluster": NAME, "user": NAME, "namespace": "default"}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": NAME, "cluster": {"server": address}}],
        "users": [{"name": NAME, "user": {}}],
        "contexts": [{"name": NAME, "context": context}],
        "current-context": NAME,
    }
