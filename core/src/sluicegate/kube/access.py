"""Where the Kubernetes API is and who we are there: from kubeconfig files, or the service account of the pod we run in.

The package reads and merges the files; here is which files, which context, and errors that say what to mend.
Credentials that must be renewed are taken out before the package sees them, since it reads them only once and hides
their errors.
"""

from __future__ import annotations

import os
import urllib.request
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import yaml
from kubernetes.aio.client import Configuration
from kubernetes.aio.config.config_exception import ConfigException
from kubernetes.aio.config.incluster_config import InClusterConfigLoader
from kubernetes.aio.config.kube_config import ConfigNode, KubeConfigLoader, KubeConfigMerger

from sluicegate.errors import ConfigError
from sluicegate.kube.credentials import Credentials, ExecCredentials, Login, TokenFile
from sluicegate.kube.failures import one_line

SERVICE_ACCOUNT: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount")
IN_CLUSTER: Final = "in-cluster"
ANONYMOUS: Final = "anonymous"


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Everything a connection needs; `source` is the kubeconfig path (joined as in $KUBECONFIG) or `in-cluster`."""

    configuration: Any
    source: str
    namespace: str
    credentials: Credentials | None = None

    @property
    def address(self) -> str:
        """The server's URL."""
        return str(self.configuration.host)


async def find_access(kubeconfig: Path | None, context: str | None, service_account: Path) -> Access:
    """The access that kubectl would use: the given file, those of $KUBECONFIG, `~/.kube/config`, the pod's account.

    Raises ConfigError when there is none, or it cannot be used.
    """
    paths = _kubeconfig_paths(kubeconfig)
    if paths:
        return await _from_kubeconfig(paths, context)
    if os.environ.get("KUBERNETES_SERVICE_HOST"):
        return _in_cluster(service_account)
    named = os.environ.get("KUBECONFIG")
    tried = (
        f"$KUBECONFIG ({named}) names no file that exists" if named else "there is no ~/.kube/config, no $KUBECONFIG"
    )
    raise ConfigError(f"no kubeconfig: {tried}, and this is not a pod of a cluster")


def _kubeconfig_paths(kubeconfig: Path | None) -> list[Path]:
    if kubeconfig is not None:
        if not kubeconfig.is_file():
            raise ConfigError(f"kubeconfig {kubeconfig} does not exist")
        return [kubeconfig]
    named = os.environ.get("KUBECONFIG") or "~/.kube/config"
    paths = [Path(name).expanduser() for name in named.split(os.pathsep) if name]
    return [path for path in paths if path.is_file()]


async def _from_kubeconfig(paths: list[Path], context: str | None) -> Access:
    source = os.pathsep.join(map(str, paths))
    try:
        return await _load(source, context)
    except (ConfigException, OSError, yaml.YAMLError) as error:
        raise ConfigError(f"kubeconfig {source}: {one_line(error)}") from error
    except (TypeError, ValueError, AttributeError, KeyError) as error:
        # The package trusts the shape of the file; what it trips over says little, but which file is worth saying.
        raise ConfigError(f"kubeconfig {source} is not a kubeconfig: {one_line(error)}") from error


async def _load(source: str, context: str | None) -> Access:
    merger = KubeConfigMerger(source)
    name = context or _current_context(merger)
    entry = _context(merger.config, name, source)
    user = _user(merger.config, entry)
    owner = f"user {entry['user']} of {source}"
    credentials = _credentials(owner, user)
    loader = KubeConfigLoader(config_dict=merger.config, config_base_path=None, active_context=name)
    configuration = await _configure(loader, merger.config["clusters"].get_with_name(entry["cluster"])["cluster"])
    if credentials is None and loader.provider is not None:
        credentials = Login(owner, loader)
    namespace = entry.safe_get("namespace") or "default"
    return await _ready(
        Access(configuration=configuration, source=source, namespace=namespace, credentials=credentials)
    )


def _current_context(merger: Any) -> str:
    # As kubectl: the first file that names one wins. The package lets the last win.
    for config in merger.config_files.values():
        if name := config.get("current-context"):
            return str(name)
    raise ConfigException("current-context is not set, and no context was given")


def _context(config: Any, name: str, source: str) -> Any:
    known = [context["name"] for context in config["contexts"].value]
    if name not in known:
        raise ConfigException(f"context {name!r} does not exist; those that do: {', '.join(known) or 'none'}")
    return config["contexts"].get_with_name(name)["context"]


def _user(config: Any, entry: Any) -> Any:
    name = entry.safe_get("user") or ANONYMOUS
    if config["users"].get_with_name(name, safe=True) is None:
        # The package trips over an https cluster without a user; an empty one means the same.
        config["users"].value.append(ConfigNode("users", {"name": name, "user": {}}))
        entry.value["user"] = name
    return config["users"].get_with_name(name)["user"]


def _credentials(owner: str, user: Any) -> Credentials | None:
    if "exec" in user:
        credentials: Credentials = ExecCredentials(owner, user)
        del user.value["exec"]
        return credentials
    if path := user.safe_get("tokenFile"):
        user.value.pop("token", None)
        del user.value["tokenFile"]
        return TokenFile(owner, Path(user.path).parent / path)
    return None


async def _configure(loader: Any, cluster: Any) -> Any:
    if not cluster.safe_get("server"):
        raise ConfigException(f"{cluster.name}: server is missing")
    configuration = Configuration()
    await loader.load_and_set(configuration)
    return configuration


async def _ready(access: Access) -> Access:
    configuration = access.configuration
    # Go's TLS, which clusters are made for, does not ask for what Python >= 3.13 calls strict.
    configuration.disable_strict_ssl_verification = True
    configuration.proxy = configuration.proxy or _proxy(configuration.host)
    if access.credentials is not None:
        configuration.refresh_api_key_hook = access.credentials.refresh
        await access.credentials.refresh(configuration)
    return access


def _proxy(address: str) -> str | None:
    """The proxy that the environment asks for, never for a loopback address, as in Go."""
    url = urlsplit(address)
    host = url.hostname or ""
    if _is_loopback(host) or urllib.request.proxy_bypass(f"{host}:{url.port}" if url.port else host):
        return None
    return urllib.request.getproxies().get(url.scheme)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _in_cluster(service_account: Path) -> Access:
    configuration = Configuration()
    loader = InClusterConfigLoader(
        token_filename=str(service_account / "token"), cert_filename=str(service_account / "ca.crt")
    )
    try:
        loader.load_and_set(configuration)
        namespace = (service_account / "namespace").read_text().strip()
    except (ConfigException, OSError) as error:
        raise ConfigError(f"service account of this pod, {service_account}: {one_line(error)}") from error
    configuration.disable_strict_ssl_verification = True
    return Access(configuration=configuration, source=IN_CLUSTER, namespace=namespace or "default")
