"""Defaults of containers: image pull policy, ports, probes, lifecycle hooks and references to fields."""

from sluicegate.api.pod_defaults.fields import Object, fill_absent, fill_empty, member, members

PROBES = ("livenessProbe", "readinessProbe", "startupProbe")


def pull_policy(image: str) -> str:
    """`Always` for the tag latest, given or implied, else `IfNotPresent`."""
    if "@" in image:
        return "IfNotPresent"
    name = image.rpartition("/")[2]
    tag = name.partition(":")[2] or "latest"
    return "Always" if tag == "latest" else "IfNotPresent"


def default_container(container: Object) -> None:
    """Fill in one container, init container or ephemeral container."""
    fill_empty(
        container,
        imagePullPolicy=pull_policy(container.get("image") or ""),
        terminationMessagePath="/dev/termination-log",
        terminationMessagePolicy="File",
    )
    fill_absent(container, resources={})
    for port in members(container, "ports"):
        fill_empty(port, protocol="TCP")
    for variable in members(container, "env"):
        _default_source(member(variable, "valueFrom") or {})
    for name in PROBES:
        default_probe(container.get(name))
    for hook in ("postStart", "preStop"):
        _default_http_get(member(container, "lifecycle", hook, "httpGet"))


def default_probe(probe: Object | None) -> None:
    """Fill in a probe's periods (seconds) and thresholds, and what its handler leaves open."""
    if probe is None:
        return
    fill_empty(probe, timeoutSeconds=1, periodSeconds=10, successThreshold=1, failureThreshold=3)
    _default_http_get(member(probe, "httpGet"))
    if (grpc := member(probe, "grpc")) is not None:
        fill_absent(grpc, service="")


def default_field_reference(holder: Object) -> None:
    """Fill in the API version of a `fieldRef` in an environment variable or a downward API item."""
    if (reference := member(holder, "fieldRef")) is not None:
        fill_empty(reference, apiVersion="v1")


def requests_from_limits(container: Object) -> None:
    """In a Pod (never in a template), a limit without a request is also the request."""
    resources = container.get("resources") or {}
    if limits := resources.get("limits"):
        resources["requests"] = {**limits, **(resources.get("requests") or {})}


def host_ports(container: Object) -> None:
    """On the host's network a port of a Pod (never of a template) is also the host's."""
    for port in members(container, "ports"):
        fill_empty(port, hostPort=port.get("containerPort"))


def _default_source(source: Object) -> None:
    default_field_reference(source)
    if (file_key := member(source, "fileKeyRef")) is not None:
        fill_absent(file_key, optional=False)


def _default_http_get(action: Object | None) -> None:
    if action is not None:
        fill_empty(action, path="/", scheme="HTTP")
