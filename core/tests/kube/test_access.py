"""Which cluster and which credentials are used: kubeconfig files, exec plugins, token files, the pod's account, TLS."""

from __future__ import annotations

import json
import ssl
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from aiohttp import web

from sluicegate.api.resources import PODS
from sluicegate.errors import ConfigError, ConnectError, Unauthorized
from sluicegate.kube.client import Client

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from core.tests.kube.conftest import ScriptedApi

TLS = Path(__file__).parent / "tls"


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("KUBECONFIG", "KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture
def anything(api: ScriptedApi) -> ScriptedApi:
    """The API, ready to answer a few requests."""
    api.will(*[api.says({"metadata": {"name": "web"}})] * 5)
    return api


async def ask(**options: Any) -> Client:
    async with await Client.connect(**options) as client:
        await client.get(PODS, client.namespace, "web")
        return client


def authorizations(api: ScriptedApi) -> list[str | None]:
    return [request.headers.get("Authorization") for request in api.requests]


async def test_the_named_file_says_address_context_and_namespace(
    anything: ScriptedApi, kubeconfig: Callable[..., Path]
) -> None:
    path = kubeconfig(anything.address)
    client = await ask(kubeconfig=path)
    assert (client.address, client.source, client.namespace) == (anything.address, str(path), "shop")
    assert anything.requests[0].path == "/api/v1/namespaces/shop/pods/web"


async def test_without_a_named_file_the_environment_then_the_home_folder_decide(
    anything: ScriptedApi, kubeconfig: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".kube").mkdir()
    home = kubeconfig(anything.address, name=".kube/config")
    assert (await ask()).source == str(home)
    other = kubeconfig(anything.address)
    monkeypatch.setenv("KUBECONFIG", f"{tmp_path}/missing:{other}")
    assert (await ask()).source == str(other)


async def test_several_files_are_merged_and_the_first_current_context_wins(
    anything: ScriptedApi, kubeconfig: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    clusters = kubeconfig(anything.address, user={"token": "t0"})
    first = tmp_path / "first"
    first.write_text(
        yaml.safe_dump(
            {"current-context": "bare", "contexts": [{"name": "bare", "context": {"cluster": "c", "user": "dev"}}]}
        )
    )
    monkeypatch.setenv("KUBECONFIG", f"{first}:{clusters}")
    assert (await ask()).namespace == "default"
    assert (await ask(context="main")).namespace == "shop"
    assert authorizations(anything) == ["Bearer t0", "Bearer t0"]


async def test_basic_credentials_and_none_at_all(anything: ScriptedApi, kubeconfig: Callable[..., Path]) -> None:
    await ask(kubeconfig=kubeconfig(anything.address, user={"username": "ann", "password": "pw"}))
    await ask(kubeconfig=kubeconfig(anything.address))
    assert authorizations(anything) == ["Basic YW5uOnB3", None]


async def test_a_proxy_of_the_environment_is_not_used_for_loopback(
    anything: ScriptedApi, kubeconfig: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    await ask(kubeconfig=kubeconfig(anything.address))


async def test_other_addresses_are_reached_through_the_proxy(
    anything: ScriptedApi, kubeconfig: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", anything.address)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    await ask(kubeconfig=kubeconfig("http://cluster.invalid:6443"))
    assert anything.requests[0].headers["Host"] == "cluster.invalid:6443"


async def test_a_netrc_for_the_host_does_not_get_in_the_way_of_a_token(
    anything: ScriptedApi, kubeconfig: Callable[..., Path], tmp_path: Path
) -> None:
    netrc = tmp_path / ".netrc"
    netrc.write_text("default login someone password else\n")
    netrc.chmod(0o600)
    await ask(kubeconfig=kubeconfig(anything.address, user={"token": "t"}))
    assert authorizations(anything) == ["Bearer t"]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        pytest.param("", "is not a kubeconfig", id="empty"),
        pytest.param("- a\n- b\n", "is not a kubeconfig", id="a list"),
        pytest.param("a: [unclosed\nb: c", "while parsing", id="not yaml"),
        pytest.param("clusters: []", "current-context is not set", id="no context"),
        pytest.param("current-context: x\ncontexts: []", "context 'x' does not exist; those that do: none", id="which"),
        pytest.param(
            "current-context: x\ncontexts: [{name: x, context: {cluster: c}}]", "object with name c", id="no cluster"
        ),
        pytest.param(
            "current-context: x\ncontexts: [{name: x, context: {cluster: c}}]\nclusters: [{name: c, cluster: {a: b}}]",
            "server is missing",
            id="no server",
        ),
        pytest.param(
            "current-context: x\ncontexts: [{name: x, context: {cluster: c}}]\n"
            "clusters: [{name: c, cluster: {server: 'https://127.0.0.1:1', certificate-authority: gone.pem}}]",
            "gone.pem",
            id="no certificate authority",
        ),
        pytest.param(
            "current-context: x\ncontexts: [{name: x, context: {cluster: c}}]\n"
            "clusters: [{name: c, cluster: {server: 'https://127.0.0.1:1', certificate-authority-data: QUJD}}]",
            "certificates of",
            id="certificate authority is none",
        ),
    ],
)
async def test_a_file_that_cannot_be_used_is_named_with_what_is_wrong_in_one_line(
    tmp_path: Path, text: str, complaint: str
) -> None:
    path = tmp_path / "broken"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        await Client.connect(kubeconfig=path)
    message = str(caught.value)
    assert str(path) in message
    assert complaint in message
    assert "\n" not in message


async def test_an_unknown_context_is_refused_with_those_that_exist(kubeconfig: Callable[..., Path]) -> None:
    with pytest.raises(ConfigError, match="context 'prod' does not exist; those that do: main"):
        await Client.connect(kubeconfig=kubeconfig("http://127.0.0.1:1"), context="prod")


async def test_no_configuration_anywhere_says_where_was_looked(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match=r"no kubeconfig: there is no ~/.kube/config"):
        await Client.connect()
    monkeypatch.setenv("KUBECONFIG", "/nowhere/config")
    with pytest.raises(ConfigError, match=r"\$KUBECONFIG \(/nowhere/config\) names no file that exists"):
        await Client.connect()
    with pytest.raises(ConfigError, match="kubeconfig /nowhere/else does not exist"):
        await Client.connect(kubeconfig=Path("/nowhere/else"))


class Plugin:
    """An exec credential plugin: a script that counts its runs and answers from a file."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._script = folder / "plugin.py"
        self._script.write_text(
            "import json, os, pathlib, sys\n"
            "here = pathlib.Path(__file__).parent\n"
            "assert json.loads(os.environ['KUBERNETES_EXEC_INFO'])['kind'] == 'ExecCredential'\n"
            "runs = here / 'runs'\n"
            "number = len(runs.read_text()) + 1 if runs.exists() else 1\n"
            "runs.write_text('x' * number)\n"
            "answer = json.loads((here / 'answer').read_text())\n"
            "if 'error' in answer: sys.exit(answer['error'])\n"
            "if 'token' in answer: answer['token'] += str(number) + os.environ.get('SUFFIX', '')\n"
            "version = 'client.authentication.k8s.io/v1'\n"
            "print(json.dumps({'apiVersion': version, 'kind': 'ExecCredential', 'status': answer}))\n"
        )

    @property
    def user(self) -> dict[str, Any]:
        command = {"command": sys.executable, "args": [str(self._script)]}
        environment = [{"name": "SUFFIX", "value": "-s"}]
        return {"exec": {"apiVersion": "client.authentication.k8s.io/v1", **command, "env": environment}}

    @property
    def runs(self) -> int:
        runs = self._folder / "runs"
        return len(runs.read_text()) if runs.exists() else 0

    def answers(self, **status: Any) -> None:
        (self._folder / "answer").write_text(json.dumps(status))


@pytest.fixture
def plugin(tmp_path: Path) -> Plugin:
    return Plugin(tmp_path)


async def test_an_exec_plugin_is_run_once_for_a_token_that_lasts(
    anything: ScriptedApi, kubeconfig: Callable[..., Path], plugin: Plugin
) -> None:
    plugin.answers(token="t", expirationTimestamp="2126-01-01T00:00:00Z")
    async with await Client.connect(kubeconfig=kubeconfig(anything.address, user=plugin.user)) as client:
        await client.get(PODS, "shop", "web")
        await client.get(PODS, "shop", "web")
    assert authorizations(anything) == ["Bearer t1-s", "Bearer t1-s"]
    assert plugin.runs == 1


async def test_a_token_without_an_end_is_kept(
    anything: ScriptedApi, kubeconfig: Callable[..., Path], plugin: Plugin
) -> None:
    plugin.answers(token="t")
    async with await Client.connect(kubeconfig=kubeconfig(anything.address, user=plugin.user)) as client:
        await client.get(PODS, "shop", "web")
    assert plugin.runs == 1


async def test_an_expired_token_is_fetched_anew_before_the_request(
    anything: ScriptedApi, kubeconfig: Callable[..., Path], plugin: Plugin
) -> None:
    plugin.answers(token="t", expirationTimestamp="2020-01-01T00:00:00Z")
    async with await Client.connect(kubeconfig=kubeconfig(anything.address, user=plugin.user)) as client:
        plugin.answers(token="u", expirationTimestamp="2126-01-01T00:00:00Z")
        await client.get(PODS, "shop", "web")
        await client.get(PODS, "shop", "web")
    assert authorizations(anything) == ["Bearer u2-s", "Bearer u2-s"]


async def test_a_refused_token_is_fetched_anew_and_the_request_sent_again(
    api: ScriptedApi, kubeconfig: Callable[..., Path], plugin: Plugin
) -> None:
    plugin.answers(token="t")
    api.will(api.fails(401, "Unauthorized", "Unauthorized"), api.says({}))
    async with await Client.connect(kubeconfig=kubeconfig(api.address, user=plugin.user)) as client:
        await client.create(PODS, "shop", {"a": 1})
    assert authorizations(api) == ["Bearer t1-s", "Bearer t2-s"]
    assert [request.body for request in api.requests] == [{"a": 1}, {"a": 1}]


async def test_credentials_refused_twice_are_an_error_that_names_server_and_source(
    api: ScriptedApi, kubeconfig: Callable[..., Path], plugin: Plugin
) -> None:
    plugin.answers(token="t")
    path = kubeconfig(api.address, user=plugin.user)
    api.will(*[api.fails(401, "Unauthorized", "Unauthorized")] * 2)
    async with await Client.connect(kubeconfig=path) as client:
        with pytest.raises(Unauthorized) as caught:
            await client.get(PODS, "shop", "web")
    assert str(caught.value) == f"{api.address} refused the credentials of {path}: Unauthorized"


@pytest.mark.parametrize(
    ("status", "complaint"),
    [
        pytest.param({"error": "please\nlog in"}, r"failed: .*please\\nlog in", id="fails"),
        pytest.param({}, "neither a token nor a client certificate", id="empty status"),
        pytest.param({"token": "t", "expirationTimestamp": "soon"}, "'soon' is not a time", id="no time"),
    ],
)
async def test_a_plugin_that_fails_is_named_with_its_reason(
    kubeconfig: Callable[..., Path], plugin: Plugin, status: dict[str, str], complaint: str
) -> None:
    plugin.answers(**status)
    path = kubeconfig("http://127.0.0.1:1", user=plugin.user)
    with pytest.raises(ConfigError, match=complaint) as caught:
        await Client.connect(kubeconfig=path)
    assert f"user dev of {path}: credential plugin" in str(caught.value)
    assert "\n" not in str(caught.value)


async def test_a_plugin_that_is_not_installed_gives_its_hint(kubeconfig: Callable[..., Path]) -> None:
    command = {"command": "no-such-plugin", "apiVersion": "v1", "installHint": "Get it from the\nplatform team."}
    with pytest.raises(ConfigError, match=r"'no-such-plugin' failed: not found\. Get it from the platform team\."):
        await Client.connect(kubeconfig=kubeconfig("http://127.0.0.1:1", user={"exec": command}))


async def test_a_plugin_given_by_a_relative_path_lies_beside_the_kubeconfig(
    anything: ScriptedApi, kubeconfig: Callable[..., Path], plugin: Plugin, tmp_path: Path
) -> None:
    plugin.answers(token="t")
    script = tmp_path / "bin" / "login"
    script.parent.mkdir()
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{tmp_path}/plugin.py"\n')
    script.chmod(0o755)
    user = {"exec": {"command": "./bin/login", "apiVersion": "client.authentication.k8s.io/v1"}}
    await ask(kubeconfig=kubeconfig(anything.address, user=user))
    assert authorizations(anything) == ["Bearer t1"]


async def test_a_token_file_is_read_again_when_its_token_is_refused(
    api: ScriptedApi, kubeconfig: Callable[..., Path], tmp_path: Path
) -> None:
    token = tmp_path / "token"
    token.write_text("old\n")
    api.will(api.says({}), api.fails(401, "Unauthorized"), api.says({}))
    async with await Client.connect(kubeconfig=kubeconfig(api.address, user={"tokenFile": "token"})) as client:
        await client.get(PODS, "shop", "web")
        token.write_text("new\n")
        await client.get(PODS, "shop", "web")
    assert authorizations(api) == ["Bearer old", "Bearer old", "Bearer new"]


@pytest.mark.parametrize("content", [None, " \n"], ids=["missing", "empty"])
async def test_a_token_file_that_holds_none_is_named(
    kubeconfig: Callable[..., Path], tmp_path: Path, content: str | None
) -> None:
    if content is not None:
        (tmp_path / "token").write_text(content)
    with pytest.raises(ConfigError, match=f"tokenFile {tmp_path}/token"):
        await Client.connect(kubeconfig=kubeconfig("http://127.0.0.1:1", user={"tokenFile": "token"}))


class SecureServer:
    """A server with TLS that asks for client certificates and answers with the name in the one it got."""

    address: str

    async def whoami(self, request: web.Request) -> web.Response:
        assert request.transport is not None
        certificate = request.transport.get_extra_info("peercert")
        name = certificate["subject"][0][0][1] if certificate else ""
        return web.json_response({"user": name, "authorization": request.headers.get("Authorization")})


@pytest.fixture
async def secure() -> AsyncIterator[SecureServer]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(TLS / "ca.pem"))
    context.load_cert_chain(TLS / "server.pem")
    context.verify_mode = ssl.CERT_OPTIONAL
    server = SecureServer()
    application = web.Application()
    application.router.add_get("/{path:.*}", server.whoami)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    server.address = f"https://127.0.0.1:{runner.addresses[0][1]}"
    yield server
    await runner.cleanup()


async def test_a_client_certificate_says_who_we_are(secure: SecureServer, kubeconfig: Callable[..., Path]) -> None:
    user = {"client-certificate": str(TLS / "client-one.pem"), "client-key": str(TLS / "client-one.pem")}
    path = kubeconfig(secure.address, user=user, **{"certificate-authority": str(TLS / "ca.pem")})
    async with await Client.connect(kubeconfig=path) as client:
        assert (await client.get(PODS, "shop", "web"))["user"] == "client-one"


async def test_a_plugin_may_give_a_client_certificate_and_another_when_that_ends(
    secure: SecureServer, kubeconfig: Callable[..., Path], plugin: Plugin
) -> None:
    def certificate(name: str, end: str) -> dict[str, str]:
        pem = (TLS / f"{name}.pem").read_text()
        return {"clientCertificateData": pem, "clientKeyData": pem, "expirationTimestamp": end}

    plugin.answers(**certificate("client-one", "2020-01-01T00:00:00Z"))
    path = kubeconfig(secure.address, user=plugin.user, **{"certificate-authority": str(TLS / "ca.pem")})
    async with await Client.connect(kubeconfig=path) as client:
        assert (await client.get(PODS, "shop", "web"))["user"] == "client-one"
    plugin.answers(**certificate("client-one", "2020-01-01T00:00:00Z"))
    async with await Client.connect(kubeconfig=path) as client:
        plugin.answers(**certificate("client-two", "2126-01-01T00:00:00Z"))
        assert (await client.get(PODS, "shop", "web"))["user"] == "client-two"


async def test_a_certificate_that_is_not_trusted_is_said_in_one_line(
    secure: SecureServer, kubeconfig: Callable[..., Path]
) -> None:
    path = kubeconfig(secure.address)
    async with await Client.connect(kubeconfig=path) as client:
        with pytest.raises(ConnectError) as caught:
            await client.get(PODS, "shop", "web")
    message = str(caught.value)
    assert message.startswith(f"the certificate is not trusted of {secure.address} (from {path}): ")
    assert "certificate" in message.split("): ")[1]
    assert "\n" not in message


async def test_the_certificate_check_can_be_switched_off_as_in_kubectl(
    secure: SecureServer, kubeconfig: Callable[..., Path]
) -> None:
    path = kubeconfig(secure.address, **{"insecure-skip-tls-verify": True})
    async with await Client.connect(kubeconfig=path) as client:
        assert (await client.get(PODS, "shop", "web"))["user"] == ""


@pytest.fixture
def service_account(tmp_path: Path) -> Path:
    folder = tmp_path / "serviceaccount"
    folder.mkdir()
    (folder / "token").write_text("pod-token")
    (folder / "ca.crt").write_bytes((TLS / "ca.pem").read_bytes())
    (folder / "namespace").write_text("rollouts")
    return folder


async def test_inside_a_pod_its_service_account_is_used(
    secure: SecureServer, service_account: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    host, port = secure.address.removeprefix("https://").split(":")
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", host)
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", port)
    async with await Client.connect(service_account=service_account) as client:
        answer = await client.get(PODS, "shop", "web")
    assert answer["authorization"].lower() == "bearer pod-token"
    assert (client.source, client.address, client.namespace) == ("in-cluster", secure.address, "rollouts")


async def test_a_pod_without_a_token_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "127.0.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "1")
    with pytest.raises(ConfigError, match=f"service account of this pod, {tmp_path}: Service token file"):
        await Client.connect(service_account=tmp_path)
