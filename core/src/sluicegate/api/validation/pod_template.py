"""The checks of a pod template (rollout 1.10): the commonly hit part of Kubernetes' own, as seen after defaulting."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sluicegate.api.encoding import encode
from sluicegate.api.selectors import matches
from sluicegate.api.validation.containers import container_errors, init_container_errors
from sluicegate.api.validation.field_error import FieldError, forbidden, invalid, not_supported, required
from sluicegate.api.validation.label_syntax import dns_label, label_value, labels, qualified_name, subdomain
from sluicegate.api.validation.volumes import volume_errors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from sluicegate.api.metadata import LabelSelector

_PATH: Final = "spec.template"
_SPEC_PATH: Final = "spec.template.spec"
_MAX_INT32: Final = 2**31 - 1
_RESTART_POLICIES: Final = ("Always", "OnFailure", "Never")
_DNS_POLICIES: Final = ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None")
_TAINT_EFFECTS: Final = ("NoSchedule", "PreferNoSchedule", "NoExecute")


def template_errors(template: Mapping[str, Any], selector: LabelSelector | None) -> Iterator[FieldError]:
    """What is wrong with a pod template that this selector is to select; no selector selects nothing."""
    typed = encode(template, "PodTemplateSpec")
    yield from _metadata_errors(typed["metadata"], selector)
    yield from _spec_errors(typed["spec"])


def _metadata_errors(metadata: dict[str, Any], selector: LabelSelector | None) -> Iterator[FieldError]:
    given = metadata.get("labels", {})
    if not matches(selector, given):
        detail = "`selector` does not match template `labels`"
        yield invalid(f"{_PATH}.metadata.labels", given or None, detail)
    yield from labels(f"{_PATH}.labels", given)
    for key in metadata.get("annotations", {}):
        yield from (invalid(f"{_PATH}.annotations", key, message) for message in qualified_name(key.lower()))


def _spec_errors(spec: dict[str, Any]) -> Iterator[FieldError]:
    mountable: set[str] = set()
    yield from volume_errors(spec.get("volumes", []), f"{_SPEC_PATH}.volumes", mountable)
    if not spec["containers"]:
        yield required(f"{_SPEC_PATH}.containers")
    yield from container_errors(spec, _SPEC_PATH, mountable)
    yield from init_container_errors(spec, _SPEC_PATH, mountable)
    yield from _policy_errors(spec)
    yield from _name_errors(spec)
    for index, toleration in enumerate(spec.get("tolerations", [])):
        yield from _toleration_errors(toleration, f"{_SPEC_PATH}.tolerations[{index}]")
    yield from _text_errors(spec, "priorityClassName", subdomain)
    if spec.get("ephemeralContainers"):
        yield forbidden(f"{_SPEC_PATH}.ephemeralContainers", "ephemeral containers not allowed in pod template")
    yield from _replica_set_errors(spec)


def _policy_errors(spec: dict[str, Any]) -> Iterator[FieldError]:
    restart, dns = spec.get("restartPolicy", "Always"), spec.get("dnsPolicy", "ClusterFirst")
    if restart not in _RESTART_POLICIES:
        yield not_supported(f"{_SPEC_PATH}.restartPolicy", restart, _RESTART_POLICIES)
    if dns not in _DNS_POLICIES:
        yield not_supported(f"{_SPEC_PATH}.dnsPolicy", dns, _DNS_POLICIES)
    yield from labels(f"{_SPEC_PATH}.nodeSelector", spec.get("nodeSelector", {}))
    if dns == "None" and "dnsConfig" not in spec:
        yield required(f"{_SPEC_PATH}.dnsConfig", "must provide `dnsConfig` when `dnsPolicy` is None")


def _name_errors(spec: dict[str, Any]) -> Iterator[FieldError]:
    yield from _text_errors(spec, "serviceAccountName", subdomain)
    yield from _text_errors(spec, "nodeName", subdomain)
    deadline = spec.get("activeDeadlineSeconds", 1)
    if not 1 <= deadline <= _MAX_INT32:
        detail = f"must be between 1 and {_MAX_INT32}, inclusive"
        yield invalid(f"{_SPEC_PATH}.activeDeadlineSeconds", deadline, detail)
    yield from _text_errors(spec, "hostname", dns_label)
    yield from _text_errors(spec, "subdomain", dns_label)


def _text_errors(spec: dict[str, Any], member: str, rule: Callable[[str], Iterator[str]]) -> Iterator[FieldError]:
    text = spec.get(member, "")
    if text:
        yield from (invalid(f"{_SPEC_PATH}.{member}", text, message) for message in rule(text))


def _toleration_errors(toleration: dict[str, Any], path: str) -> Iterator[FieldError]:
    key, operator, effect = (toleration.get(member, "") for member in ("key", "operator", "effect"))
    if key:
        yield from (invalid(f"{path}.key", key, message) for message in qualified_name(key))
    elif operator != "Exists":
        detail = 'operator must be Exists when `key` is empty, which means "match all values and all keys"'
        yield invalid(f"{path}.operator", operator, detail)
    if "tolerationSeconds" in toleration and effect != "NoExecute":
        yield invalid(f"{path}.effect", effect, "effect must be 'NoExecute' when `tolerationSeconds` is set")
    yield from _operator_errors(operator, toleration.get("value", ""), f"{path}.operator")
    if effect and effect not in _TAINT_EFFECTS:
        yield not_supported(f"{path}.effect", effect, _TAINT_EFFECTS)


def _operator_errors(operator: str, value: str, path: str) -> Iterator[FieldError]:
    if operator in ("", "Equal"):
        yield from (invalid(path, value, message) for message in label_value(value))
    elif operator != "Exists":
        yield not_supported(path, operator, ("Equal", "Exists"))
    elif value:
        yield invalid(path, value, "value must be empty when `operator` is 'Exists'")


def _replica_set_errors(spec: dict[str, Any]) -> Iterator[FieldError]:
    restart = spec.get("restartPolicy", "Always")
    if restart != "Always":
        yield not_supported(f"{_SPEC_PATH}.restartPolicy", restart, ("Always",))
    if "activeDeadlineSeconds" in spec:
        detail = "activeDeadlineSeconds in ReplicaSet is not Supported"
        yield forbidden(f"{_SPEC_PATH}.activeDeadlineSeconds", detail)
