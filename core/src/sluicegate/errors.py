"""The error tree. Every error that Sluicegate raises on purpose is one of these; any room may import it.

SluicegateError
├── ApiError                    the Kubernetes API answered with a failure
│   ├── BadRequest              400
│   ├── Unauthorized            401
│   ├── Forbidden               403
│   ├── NotFound                404
│   ├── AlreadyExists           409, reason AlreadyExists
│   ├── Conflict                409, any other reason
│   ├── Expired                 410
│   ├── Invalid                 422
│   ├── TooManyRequests         429
│   └── ServerError             5xx
├── ConnectError                no answer from the Kubernetes API
├── ConfigError                 no usable kubeconfig, or a setting that cannot be
├── InvalidManifest             a manifest holds values that its kind cannot hold (sluicegate.api.validation)
├── StrictError                 a manifest in a file does not fit its Go type (sluicegate.api.validation)
├── NoVirtualRouter             App Mesh's VirtualService leads to no virtual router (sluicegate.api.validation)
├── WorkloadRefError            what a Rollout's workloadRef names cannot be used (sluicegate.engine.workload)
├── CommandError                a verb of the command line cannot do what was asked (sluicegate.cli.failure)
└── PluginError                 a call into a plugin failed
    └── PluginLoadError         a plugin could not be loaded or registered
"""

from __future__ import annotations


class SluicegateError(Exception):
    """Root of all errors raised on purpose."""


class ApiError(SluicegateError):
    """The Kubernetes API answered a request with a failure status.

    Attributes: `status` (HTTP code), `reason` (of the Status object, e.g. `Conflict`), `message`, `retry_after`
    (seconds, from the header of that name, None without one), `causes` (the `details.causes` of the Status object).
    """

    def __init__(
        self,
        message: str,
        *,
        status: int,
        reason: str = "",
        retry_after: float | None = None,
        causes: tuple[dict[str, str], ...] = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.reason = reason
        self.retry_after = retry_after
        self.causes = causes


class BadRequest(ApiError):
    """The request itself is malformed (400)."""


class Unauthorized(ApiError):
    """The credentials were not accepted (401)."""


class Forbidden(ApiError):
    """The user may not do this (403)."""


class NotFound(ApiError):
    """The object, kind or namespace does not exist (404)."""


class AlreadyExists(ApiError):
    """An object of that name exists (409)."""


class Conflict(ApiError):
    """The object has changed since it was read, or a precondition failed (409)."""


class Expired(ApiError):
    """The asked-for resource version or continue token is too old (410)."""


class Invalid(ApiError):
    """The object breaks its schema or validation (422)."""


class TooManyRequests(ApiError):
    """The server asks to slow down (429)."""


class ServerError(ApiError):
    """The server failed (5xx)."""


class ConnectError(SluicegateError):
    """No answer from the Kubernetes API: connection refused, reset, or timed out.

    Attributes: `address` (the server's URL), `source` (the kubeconfig file the address came from, or `in-cluster`).
    """

    def __init__(self, message: str, *, address: str, source: str) -> None:
        super().__init__(message)
        self.address = address
        self.source = source


class ConfigError(SluicegateError):
    """No usable kubeconfig, or a setting that cannot be."""


class PluginError(SluicegateError):
    """A call into a plugin failed or took too long.

    Attributes: `plugin` (its registered name), `operation` (the method called).
    """

    def __init__(self, message: str, *, plugin: str, operation: str) -> None:
        super().__init__(message)
        self.plugin = plugin
        self.operation = operation


class PluginLoadError(PluginError):
    """A plugin could not be imported or registered; the rest of the system runs without it."""
