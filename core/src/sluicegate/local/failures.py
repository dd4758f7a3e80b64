"""What can go wrong with a stored object, in the words of Kubernetes.

The store and the API layer raise these; over HTTP they become Status objects that clients cannot tell from a real
server's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sluicegate import errors

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sluicegate.local.objects import Key


class FieldFault(NamedTuple):
    """One thing wrong with one field: the machine's reason, the path, and the text after the path."""

    reason: str
    path: str
    text: str

    def __str__(self) -> str:
        return f"{self.path}: {self.text}"


def required(path: str, detail: str = "") -> FieldFault:
    """Return the fault of a field that has to be there."""
    return FieldFault("FieldValueRequired", path, f"Required value: {detail}" if detail else "Required value")


def unacceptable(path: str, shown: str, detail: str) -> FieldFault:
    """Return the fault of a value that breaks a rule; `shown` is the value as JSON."""
    return FieldFault("FieldValueInvalid", path, f"Invalid value: {shown}: {detail}")


def not_found(key: Key) -> errors.NotFound:
    """Return the error for an object that is not stored."""
    return errors.NotFound(f'{key.resource} "{key.name}" not found', status=404, reason="NotFound")


def already_exists(key: Key) -> errors.AlreadyExists:
    """Return the error for creating an object whose name is taken."""
    return errors.AlreadyExists(f'{key.resource} "{key.name}" already exists', status=409, reason="AlreadyExists")


def conflict(key: Key, why: str = "") -> errors.Conflict:
    """Return the error for a write based on a stale read, or on a precondition (`why`) that does not hold."""
    why = why or "the object has been modified; please apply your changes to the latest version and try again"
    message = f'Operation cannot be fulfilled on {key.resource} "{key.name}": {why}'
    return errors.Conflict(message, status=409, reason="Conflict")


def expired(message: str) -> errors.Expired:
    """Return the error for a resource version that the history no longer reaches."""
    return errors.Expired(message, status=410, reason="Expired")


def bad_request(message: str) -> errors.BadRequest:
    """Return the error for a request that cannot be understood."""
    return errors.BadRequest(message, status=400, reason="BadRequest")


def forbidden(key: Key, why: str, causes: tuple[dict[str, str], ...] = ()) -> errors.Forbidden:
    """Return the error for a request that is understood and refused."""
    message = f'{key.resource} "{key.name}" is forbidden: {why}'
    return errors.Forbidden(message, status=403, reason="Forbidden", causes=causes)


def invalid(qualified_kind: str, name: str, faults: Iterable[FieldFault]) -> errors.Invalid:
    """Return the error for an object that breaks its schema; `qualified_kind` is e.g. `Rollout.argoproj.io`."""
    faults = list(faults)
    text = str(faults[0]) if len(faults) == 1 else f"[{', '.join(map(str, faults))}]"
    causes = tuple({"reason": fault.reason, "message": fault.text, "field": fault.path} for fault in faults)
    message = f'{qualified_kind} "{name}" is invalid: {text}'
    return errors.Invalid(message, status=422, reason="Invalid", causes=causes)


def too_many_requests(message: str, cause: dict[str, str]) -> errors.ApiError:
    """Return the error for a request that may be allowed later (429)."""
    return errors.TooManyRequests(message, status=429, reason="TooManyRequests", causes=(cause,))


def unsupported(message: str) -> errors.ApiError:
    """Return the error for a request body of a kind that is not read (415)."""
    return errors.ApiError(message, status=415, reason="UnsupportedMediaType")


def not_allowed(message: str) -> errors.ApiError:
    """Return the error for a verb that the resource does not have (405)."""
    return errors.ApiError(message, status=405, reason="MethodNotAllowed")


def no_such_path() -> errors.NotFound:
    """Return the error for a path that serves nothing."""
    return errors.NotFound("the server could not find the requested resource", status=404, reason="NotFound")
