"""The checks of one canary step (rollout 1.9, rows 17-25)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sluicegate.api.encoding import encode
from sluicegate.api.gojson import go_json
from sluicegate.api.validation.field_error import FieldError, invalid, required
from sluicegate.api.validation.label_syntax import qualified_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sluicegate.api.rollout import CanaryStep, CanaryStrategy, ExperimentStep, SetHeaderRoute, SetMirrorRoute
    from sluicegate.api.steps import StringMatch
    from sluicegate.api.traffic_routing import TrafficRouting

_ROUTING_PATH: Final = "spec.strategy.trafficRouting"
_ONE_KIND: Final = "Step must have one of the following set: experiment, setWeight, setCanaryScale, plugin or pause"
_ALL_KINDS: Final = (
    "step.Experiment: true step.Pause: true step.SetWeight: true step.Analysis: true step.SetCanaryScale: true "
    "step.SetHeaderRoute: true step.SetMirrorRoute: true step.Plugin: true"
)
_MATCH_MISSED: Final = "StringMatch value missed, match value must have one of the following: exact, regex, prefix"
_MATCH_MANY: Final = "StringMatch match value must have exactly one of the following: exact, regex, prefix"
_READABLE_PATHS: Final = frozenset(
    {"metadata.name", "metadata.namespace", "metadata.uid", "metadata.labels", "metadata.annotations"}
)


def step_errors(step: CanaryStep, path: str, canary: CanaryStrategy) -> Iterator[FieldError]:
    """What is wrong with one step of this canary."""
    routing = canary.traffic_routing
    yield from _kind_errors(step, path)
    if step.set_weight is not None and not 0 <= step.set_weight <= canary.max_weight:
        detail = f"SetWeight needs to be between 0 and {canary.max_weight}"
        yield invalid(f"{path}.setWeight", step.set_weight, detail)
    if step.pause and step.pause.seconds is not None and step.pause.seconds < 0:
        yield invalid(f"{path}.pause.duration", step.pause.seconds, "Duration needs to be greater than 0")
    if step.set_canary_scale and routing is None:
        yield required(_ROUTING_PATH, "SetCanaryScale requires TrafficRouting to be set")
    if step.set_header_route:
        yield from _header_route_errors(step.set_header_route, f"{path}.setHeaderRoute", routing)
    if step.set_mirror_route:
        yield from _mirror_route_errors(step.set_mirror_route, f"{path}.setMirrorRoute", routing)
    yield from _managed_route_errors(step, path, routing)
    if step.experiment:
        yield from _experiment_errors(step.experiment, f"{path}.experiment", routing)
    yield from _argument_errors(step, path)


def _kind_errors(step: CanaryStep, path: str) -> Iterator[FieldError]:
    counted = {
        "Experiment": step.experiment is not None,
        "Pause": step.pause is not None,
        "SetWeight": step.set_weight is not None,
        "Analysis": step.analysis is not None,
    }
    others = (step.set_canary_scale, step.set_header_route, step.set_mirror_route, step.plugin)
    if sum(counted.values()) > 1:
        shown = " ".join(f"step.{kind}: {go_json(present)}" for kind, present in counted.items())
        yield invalid(path, shown, _ONE_KIND)
    elif not any(counted.values()) and all(other is None for other in others):
        yield invalid(path, _ALL_KINDS, _ONE_KIND)


def _header_route_errors(step: SetHeaderRoute, path: str, routing: TrafficRouting | None) -> Iterator[FieldError]:
    if not (routing and (routing.istio or routing.alb or routing.apisix or routing.plugins)):
        detail = "SetHeaderRoute requires TrafficRouting, supports Istio and ALB and Apisix"
        yield invalid(path, encode(step.document(), "SetHeaderRoute"), detail)
        return
    for index, match in enumerate(step.match):
        where = f"{path}.match[{index}]"
        if routing.alb and match.header_value:
            yield from _exact_match_errors(match.header_value, where)
        else:
            yield from _string_match_errors(match.header_value, where)


def _exact_match_errors(match: StringMatch, path: str) -> Iterator[FieldError]:
    if not match.exact or match.regex or match.prefix:
        yield invalid(path, _shown(match), "SetHeaderRoute match value invalid. ALB supports 'exact' value only")


def _string_match_errors(match: StringMatch | None, path: str) -> Iterator[FieldError]:
    given = 0 if match is None else sum(map(bool, (match.exact, match.prefix, match.regex)))
    if given != 1:
        yield invalid(path, _shown(match), _MATCH_MANY if given else _MATCH_MISSED)


def _shown(match: StringMatch | None) -> Any:
    return encode(match and match.document(), "*StringMatch")


def _mirror_route_errors(step: SetMirrorRoute, path: str, routing: TrafficRouting | None) -> Iterator[FieldError]:
    if not (routing and (routing.istio or routing.plugins)):
        detail = "SetMirrorRoute requires TrafficRouting, supports Istio and Plugins"
        yield invalid(path, encode(step.document(), "SetMirrorRoute"), detail)
    for index, match in enumerate(step.match):
        # The incumbent looks at the method twice and never at the headers; its users know the second error.
        for matcher in (match.method, match.path, match.method):
            if matcher:
                yield from _string_match_errors(matcher, f"{path}.match[{index}]")


def _managed_route_errors(step: CanaryStep, path: str, routing: TrafficRouting | None) -> Iterator[FieldError]:
    routes = {"setHeaderRoute": step.set_header_route, "setMirrorRoute": step.set_mirror_route}
    given = {kind: route.name for kind, route in routes.items() if route}
    if routing is None or not given:
        return
    if routing.managed_routes is None:
        detail = "Rollout has missing field 'spec.strategy.canary.trafficRouting.managedRoutes'"
        yield required(f"{_ROUTING_PATH}.managedRoutes", detail)
        return
    names = {route.name for route in routing.managed_routes}
    for kind, name in given.items():
        if name not in names:
            detail = "Steps define a route that does not exist in spec.strategy.canary.trafficRouting.managedRoutes"
            yield invalid(f"{path}.{kind}", name, detail)


def _experiment_errors(step: ExperimentStep, path: str, routing: TrafficRouting | None) -> Iterator[FieldError]:
    if routing is None:
        detail = "Experiment template weight cannot be set unless TrafficRouting is enabled"
    elif not (routing.alb or routing.smi or routing.istio or routing.plugins):
        detail = (
            "Experiment template weight is only available for TrafficRouting with SMI, ALB, Istio and Plugins "
            "at this time"
        )
    else:
        return
    for index, template in enumerate(step.templates):
        if template.weight is not None:
            yield invalid(f"{path}.templates[{index}].weight", template.weight, detail)


def _argument_errors(step: CanaryStep, path: str) -> Iterator[FieldError]:
    args = [arg for analysis in (step.experiment.analyses if step.experiment else []) for arg in analysis.args]
    args += step.analysis.args if step.analysis else []
    shown = encode([arg.document() for arg in args], "[]AnalysisRunArgument")
    for arg in args:
        reference = arg.value_from and arg.value_from.field_ref
        if reference and not is_readable(reference.field_path):
            detail = "Analyses arguments must refer to valid object metadata supported by downwardAPI"
            yield invalid(f"{path}.analyses", shown, detail)


def is_readable(field_path: str) -> bool:
    """Whether a path into metadata can be read; other paths are not judged here."""
    if not field_path.startswith("metadata") or field_path in _READABLE_PATHS:
        return True
    member, bracket, rest = field_path.partition("['")
    if not bracket or not rest.endswith("']"):
        return False
    key = rest.removesuffix("']")
    if member == "metadata.annotations":
        key = key.lower()
    return member in ("metadata.labels", "metadata.annotations") and not any(qualified_name(key))
