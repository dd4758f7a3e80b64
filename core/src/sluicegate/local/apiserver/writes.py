"""What happens to an object between a writing request and the store: identity, schema, admission, validation.

Everything here is synchronous, so that a read-modify-write is one step on the event loop and nothing can come between.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sluicegate.api.merge import apply_merge_patch
from sluicegate.kube.patches import JSON_PATCH, MERGE_PATCH, STRATEGIC_MERGE_PATCH
from sluicegate.local import failures
from sluicegate.local.apiserver import (
    names,
    namespaces,
    negotiation,
    patches,
    paths,
    scale,
    shapes,
    strategic,
    validation,
)
from sluicegate.local.apiserver.schema import without_nulls
from sluicegate.local.objects import Key, Object

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sluicegate.local.admission import Admissions
    from sluicegate.local.apiserver.resources import Served
    from sluicegate.local.apiserver.schema import Schema
    from sluicegate.local.apiserver.targets import Target
    from sluicegate.local.objects import Document
    from sluicegate.local.store import ObjectStore

_FIELD_VALIDATIONS = ("Ignore", "Warn", "Strict")
_PROPAGATIONS = ("Background", "Foreground", "Orphan")


@dataclass(slots=True)
class WriteOptions:
    """What the query of a writing request says; `warnings` gathers what its answer has to say besides.

    `schema` is that of a built-in kind, None where its unknown fields are not looked for.
    """

    dry_run: bool = False
    field_validation: str = "Warn"
    schema: Schema | None = None
    warnings: list[str] = field(default_factory=list)


def write_options(query: Mapping[str, str]) -> WriteOptions:
    """Read `dryRun` and `fieldValidation`. Raises BadRequest for a value that is none of them."""
    dry_run, field_validation = query.get("dryRun", ""), query.get("fieldValidation") or "Warn"
    if dry_run not in ("", "All"):
        raise failures.bad_request(f'dryRun: Unsupported value: "{dry_run}": supported values: "All"')
    if field_validation not in _FIELD_VALIDATIONS:
        supported = ", ".join(f'"{value}"' for value in _FIELD_VALIDATIONS)
        raise failures.bad_request(
            f'fieldValidation: Unsupported value: "{field_validation}": supported values: {supported}'
        )
    return WriteOptions(dry_run=bool(dry_run), field_validation=field_validation)


class Writer:
    """Carries out writing requests on one store."""

    def __init__(self, store: ObjectStore, admissions: Admissions) -> None:
        self._store = store
        self._admissions = admissions

    def create(self, served: Served, target: Target, body: Any, options: WriteOptions) -> Document:
        """Create an object. Raises NotFound without its namespace, and what the store and the checks raise."""
        new = names.identify(body, served, target)
        key = target.key._replace(name=new["metadata"].get("name") or "")
        self._check_namespace(key)
        if served.status:
            new.pop("status", None)
        new = self._fitted(served, new, options)
        new = self._admissions.admit(served.kind, new, None, self._store)
        self._validate(served, new, None)
        return self._store.create(key, new, dry_run=options.dry_run)

    def replace(self, served: Served, target: Target, body: Any, options: WriteOptions) -> Document:
        """Replace an object, its status or its scale by the request's."""
        if target.subresource == "scale":
            return self._scale(served, target, lambda _: names.identify(body, scale.SERVED, target), options)
        new = names.identify(body, served, target)
        if not served.unconditional and not new["metadata"].get("resourceVersion"):
            fault = failures.unacceptable("metadata.resourceVersion", "0x0", "must be specified for an update")
            raise failures.invalid(served.qualified_kind, target.name, [fault])
        return self._update(served, target, lambda _: new, options)

    def patch(self, served: Served, target: Target, content_type: str, body: Any, options: WriteOptions) -> Document:
        """Patch an object, its status or its scale."""
        if target.subresource == "scale":
            # A Scale has no lists, so a strategic patch of one is a merge patch.
            merging = MERGE_PATCH if content_type == STRATEGIC_MERGE_PATCH else content_type
            return self._scale(served, target, patcher(scale.SERVED, merging, body), options)
        return self._update(served, target, patcher(served, content_type, body), options)

    def _update(self, served: Served, target: Target, edit: Callable[[Object], Any], options: WriteOptions) -> Document:
        def change(copy: Object) -> Object:
            old = self._store.get(target.key)
            new = names.identify(edit(copy), served, target)
            if target.subresource == "status":
                new = {**old, "metadata": {**old["metadata"], **_preconditions(new)}, "status": new.get("status")}
            new = self._fitted(served, new, options)
            if not target.subresource:
                new = self._admissions.admit(served.kind, new, old, self._store)
            self._validate(served, _named(new, target), old)
            return new

        return self._store.update(target.key, change, subresource=target.subresource, dry_run=options.dry_run)

    def _scale(
        self, served: Served, target: Target, edit: Callable[[Object], Object], options: WriteOptions
    ) -> Document:
        def change(copy: Object) -> Object:
            wanted = edit(scale.scale_of(self._store.get(target.key), served))
            shapes.check(wanted, scale.SERVED)
            replicas = paths.lookup(wanted, "spec.replicas") or 0
            if isinstance(replicas, bool) or not isinstance(replicas, int) or replicas < 0:
                fault = failures.unacceptable("spec.replicas", str(replicas), "must be greater than or equal to 0")
                raise failures.invalid(scale.SERVED.qualified_kind, target.name, [fault])
            assert served.scale
            paths.assign(copy, served.scale.replicas, replicas)
            copy["metadata"].update(_preconditions(wanted))
            return copy

        return self._store.update(target.key, change, dry_run=options.dry_run)

    def delete(self, target: Target, body: Any, query: Mapping[str, str]) -> Document:
        """Delete an object as DeleteOptions (body, or query) say.

        Raises BadRequest for options that make no sense, Forbidden for a namespace that has to stay.
        """
        if target.key.kind == ("", "namespaces") and target.name in namespaces.INITIAL:
            raise failures.forbidden(target.key, "this namespace may not be deleted")
        options = body if isinstance(body, dict) else {}
        preconditions = options.get("preconditions") or {}
        if not isinstance(preconditions, dict):
            raise failures.bad_request("preconditions: must be an object")
        return self._store.delete(
            target.key,
            propagation=_propagation(options, query),
            grace_seconds=_grace_seconds(options, query),
            uid=preconditions.get("uid"),
            resource_version=preconditions.get("resourceVersion"),
            dry_run=bool(options.get("dryRun") or query.get("dryRun")),
        )

    def _check_namespace(self, key: Key) -> None:
        if not key.namespace:
            return
        namespace = self._store.get(Key("", "namespaces", "", key.namespace))
        if "deletionTimestamp" in namespace["metadata"]:
            cause = {
                "reason": "NamespaceTerminating",
                "message": f"namespace {key.namespace} is being terminated",
                "field": "metadata.namespace",
            }
            why = f"unable to create new content in namespace {key.namespace} because it is being terminated"
            raise failures.forbidden(key, why, (cause,))

    def _fitted(self, served: Served, obj: Object, options: WriteOptions) -> Object:
        fitted = self._known(served, obj, options)
        shapes.check(fitted, served)
        return fitted

    def _known(self, served: Served, obj: Object, options: WriteOptions) -> Object:
        schema = served.schema or options.schema
        if schema is None:
            fitted: Object = without_nulls(obj)
            return fitted
        fitted, unknown = schema.normalise(obj)
        complaints = [f'unknown field "{path}"' for path in unknown]
        if complaints and options.field_validation == "Strict":
            resource = served.resource
            raise failures.bad_request(
                f'{resource.kind} in version "{resource.version}" cannot be handled as a {resource.kind}: '
                f"strict decoding error: {', '.join(complaints)}"
            )
        if options.field_validation == "Warn":
            options.warnings += complaints
        return fitted if served.is_custom else without_nulls(fitted)

    def _validate(self, served: Served, new: Object, old: Object | None) -> None:
        faults = names.faults(new, served)
        if served.schema:
            faults += validation.faults(served.schema.root, new, old)
        if faults := faults or scale.faults(new, served):
            raise failures.invalid(served.qualified_kind, new["metadata"].get("name") or "", faults)


def patcher(served: Served, content_type: str, body: Any) -> Callable[[Object], Object]:
    """Return what a patch does to an object. Raises ApiError (415) for a kind of patch that is not served."""
    if content_type == JSON_PATCH:
        return lambda obj: patches.apply_operations(obj, body)
    if content_type == MERGE_PATCH:
        if not isinstance(body, dict):
            raise failures.bad_request("error decoding patch: a merge patch is an object")
        return lambda obj: dict(apply_merge_patch(obj, body))
    if content_type == STRATEGIC_MERGE_PATCH and not served.is_custom:
        return lambda obj: strategic.merge(served.resource.kind, obj, body)
    if content_type == patches.APPLY_PATCH:
        raise failures.unsupported(
            "server-side apply is not supported by the embedded cluster; use `kubectl apply` without --server-side"
        )
    accepted = [JSON_PATCH, MERGE_PATCH]
    accepted += [] if served.is_custom else [STRATEGIC_MERGE_PATCH]
    raise failures.unsupported(
        "the body of the request was in an unknown format - accepted media types include: " + ", ".join(accepted)
    )


def _named(new: Object, target: Target) -> Object:
    return {**new, "metadata": {**new["metadata"], "name": target.name}}


def _preconditions(obj: Object) -> Object:
    metadata = obj.get("metadata") or {}
    return {member: metadata[member] for member in ("uid", "resourceVersion") if metadata.get(member)}


def _propagation(options: Object, query: Mapping[str, str]) -> str:
    asked = options.get("propagationPolicy") or query.get("propagationPolicy")
    if asked is None:
        orphans = options.get("orphanDependents") or query.get("orphanDependents") == "true"
        return "Orphan" if orphans else "Background"
    if asked not in _PROPAGATIONS:
        supported = ", ".join(f'"{value}"' for value in (*_PROPAGATIONS, "nil"))
        raise failures.bad_request(f'propagationPolicy: Unsupported value: "{asked}": supported values: {supported}')
    return str(asked)


def _grace_seconds(options: Object, query: Mapping[str, str]) -> int | None:
    asked = options.get("gracePeriodSeconds")
    if asked is None:
        return negotiation.number(query, "gracePeriodSeconds")
    if not isinstance(asked, int) or asked < 0:
        raise failures.bad_request(f"gracePeriodSeconds: Invalid value: {asked!r}: must be a number of seconds")
    return asked
