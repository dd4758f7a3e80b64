"""Who may talk to the control plane: users, their tokens and kubeconfigs, and the key of the service accounts.

Every component has a user of its own, all with every right, so that an audit log tells who sent a request.
"""

import base64
import json
import secrets
from dataclasses import dataclass, field
from pathlib import Path

ADMIN = "admin"
CONTROLLER = "sluicegate-controller"
CONTROLLER_MANAGER = "kube-controller-manager"
SCHEDULER = "kube-scheduler"
KWOK = "kwok"

# A private key on the curve P-256 as SEC 1 wants it, but for the 32 bytes of its number: a sequence of the version, the
# number and the curve's name. Any number below the order of the curve makes a key, so neither openssl nor a package
# for cryptography is needed; the server derives the public half by itself.
_EC_KEY_HEAD = bytes.fromhex("3031 020101 0420")
_EC_KEY_TAIL = bytes.fromhex("a00a 0608 2a8648ce3d030107")


@dataclass(frozen=True)
class User:
    """Someone with a token; all are cluster admins."""

    name: str
    token: str = field(default_factory=lambda: secrets.token_hex(16), repr=False)


def make_users() -> dict[str, User]:
    """Return all users, by name, with new tokens."""
    return {name: User(name) for name in (ADMIN, CONTROLLER, CONTROLLER_MANAGER, SCHEDULER, KWOK)}


def write_tokens(path: Path, users: dict[str, User]) -> None:
    """Write the file from which the API server knows the tokens."""
    lines = [f'{user.token},{user.name},{user.name},"system:masters"\n' for user in users.values()]
    _write_secret(path, "".join(lines))


def write_kubeconfig(path: Path, url: str, user: User) -> None:
    """Write a kubeconfig for `user`; it is JSON, which every reader of YAML reads."""
    name = "sluicegate-tests"
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        # The API server makes its certificate itself at every start; nobody could have signed it.
        "clusters": [{"name": name, "cluster": {"server": url, "insecure-skip-tls-verify": True}}],
        "users": [{"name": user.name, "user": {"token": user.token}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": user.name}}],
        "current-context": name,
    }
    _write_secret(path, json.dumps(config, indent=2))


def write_signing_key(path: Path) -> None:
    """Write a new private key for service account tokens."""
    # The first bit stays clear, which keeps the number below the order of the curve.
    number = bytes([secrets.randbelow(128)]) + secrets.token_bytes(31)
    encoded = base64.encodebytes(_EC_KEY_HEAD + number + _EC_KEY_TAIL).decode()
    _write_secret(path, f"-----BEGIN EC PRIVATE KEY-----\n{encoded}-----END EC PRIVATE KEY-----\n")


def _write_secret(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text)
