"""Anti-affinity between versions: a term that keeps new pods off the nodes of the stable ones (rollout 4.6)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sluicegate.api import names
from sluicegate.api.merge import merge_patch
from sluicegate.api.pod_defaults import defaulted_template

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sluicegate.api.strategy import AntiAffinity
    from sluicegate.engine.view import View

_TOPOLOGY: Final = "kubernetes.io/hostname"
_PREFERRED: Final = "preferredDuringSchedulingIgnoredDuringExecution"
_REQUIRED: Final = "requiredDuringSchedulingIgnoredDuringExecution"
_LISTS: Final = (_REQUIRED, _PREFERRED)


def with_anti_affinity(view: View, template: Mapping[str, Any]) -> Mapping[str, Any]:
    """The template with the term that its strategy asks for: only while another version is the stable one."""
    rule, stable = _configured(view), view.status.stable_rs
    if rule is None or not stable or view.promoted:
        return template
    term: dict[str, Any] = {
        "labelSelector": {"matchExpressions": [{"key": names.HASH_LABEL, "operator": "In", "values": [stable]}]},
        "namespaces": [view.rollout.metadata.namespace],
        "topologyKey": _TOPOLOGY,
    }
    if preferred := rule.preferred_during_scheduling_ignored_during_execution:
        return _append(template, _PREFERRED, {"weight": preferred.weight, "podAffinityTerm": term})
    return _append(template, _REQUIRED, term)


def bare_templates(template: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """What a live template may have been before a term was put at the end of one of its lists.

    None where no list ends in such a term. Lists and objects left empty go with the term, as in `collapsed`.
    """
    rules = _anti_affinity(template)
    for key in _LISTS:
        terms = rules.get(key) or ()
        if terms and _target_of(terms[-1]) is not None:
            yield _with(template, {**rules, key: terms[:-1]})


def collapsed(template: Mapping[str, Any]) -> Mapping[str, Any]:
    """The template without empty anti-affinity."""
    return _with(template, _anti_affinity(template))


def is_stale(view: View, live: Mapping[str, Any]) -> bool:
    """Whether the live template of a version coming in keeps off another version than the stable one."""
    return not view.promoted and bool(_targets(live) - _targets(_wanted(view)))


def affinity_patch(view: View, live: Mapping[str, Any]) -> dict[str, Any]:
    """The merge patch of the new version's pod spec that brings its term up to date; empty if it is."""
    wanted = _wanted(view)
    if _targets(live) == _targets(wanted):
        return {}
    stored = defaulted_template(wanted)
    return merge_patch({"affinity": _affinity(live) or None}, {"affinity": _affinity(stored) or None})


def _wanted(view: View) -> Mapping[str, Any]:
    return with_anti_affinity(view, view.rollout.spec.template or {})


def _configured(view: View) -> AntiAffinity | None:
    rule = view.canary.anti_affinity if view.blue_green is None else view.blue_green.anti_affinity
    if rule is None or rule.preferred_during_scheduling_ignored_during_execution is not None:
        return rule
    return rule if rule.required_during_scheduling_ignored_during_execution is not None else None


def _affinity(template: Mapping[str, Any]) -> dict[str, Any]:
    return (template.get("spec") or {}).get("affinity") or {}


def _anti_affinity(template: Mapping[str, Any]) -> dict[str, Any]:
    return _affinity(template).get("podAntiAffinity") or {}


def _append(template: Mapping[str, Any], key: str, item: Mapping[str, Any]) -> dict[str, Any]:
    rules = _anti_affinity(template)
    return _with(template, {**rules, key: [*(rules.get(key) or ()), item]})


def _with(template: Mapping[str, Any], rules: Mapping[str, Any]) -> dict[str, Any]:
    filled = {key: terms for key, terms in rules.items() if terms}
    affinity = _replaced(_affinity(template), "podAntiAffinity", filled)
    return {**template, "spec": _replaced(template.get("spec") or {}, "affinity", affinity)}


def _replaced(document: Mapping[str, Any], key: str, value: Mapping[str, Any]) -> dict[str, Any]:
    others = {name: member for name, member in document.items() if name != key}
    return {**others, key: value} if value else others


def _targets(template: Mapping[str, Any]) -> set[str]:
    """The hashes that terms of the form of an injected one keep off; a template's own may look the same."""
    rules = _anti_affinity(template)
    found = (_target_of(term) for key in _LISTS for term in rules.get(key) or ())
    return {target for target in found if target is not None}


def _target_of(item: Mapping[str, Any]) -> str | None:
    term = item.get("podAffinityTerm", item)
    match term:
        case {
            "labelSelector": {
                "matchExpressions": [{"key": names.HASH_LABEL, "operator": "In", "values": [str(target)]}]
            },
            "topologyKey": "kubernetes.io/hostname",
        } if len(term["labelSelector"]) == 1:
            return target
    return None
