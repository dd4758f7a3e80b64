"""A manifest for every rule that a Rollout can break by itself: the rows of rollout 1.9, by number, and their texts.

Each is a merge patch of the spec of a sound canary.
"""

from typing import Any, NamedTuple

Patch = dict[str, Any]

NOT_NEGATIVE = "must be greater than or equal to 0"
NAME = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric "
    "character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
    "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)
TWO_SERVICES = "but two different services are required."
ONE_OF = "Step must have one of the following set: experiment, setWeight, setCanaryScale, plugin or pause"
NO_KIND = " ".join(
    f"step.{kind}: true"
    for kind in (
        *("Experiment", "Pause", "SetWeight", "Analysis"),
        *("SetCanaryScale", "SetHeaderRoute", "SetMirrorRoute", "Plugin"),
    )
)
MATCH = "StringMatch match value must have exactly one of the following: exact, regex, prefix"
MISSED = "StringMatch value missed, match value must have one of the following: exact, regex, prefix"
PING = "Ping service and Pong service must to be set to use Ping-Pong feature"
ROUTED_ONLY = "can only be used with traffic routing"
NEEDED = "Canary service and Stable service must to be set to use Traffic Routing"
UNKNOWN_ROUTE = "Steps define a route that does not exist in spec.strategy.canary.trafficRouting.managedRoutes"
NO_AFFINITY = (
    "antiAffinity.PreferredDuringSchedulingIgnoredDuringExecution: false "
    "antiAffinity.RequiredDuringSchedulingIgnoredDuringExecution: false"
)


class Row(NamedTuple):
    """One way to break the rule of a row: the patch, and the first error."""

    number: int
    patch: Patch
    error: str


def canary(**members: Any) -> Patch:
    return {"strategy": {"canary": members}}


def routed(router: Patch, **members: Any) -> Patch:
    services = {"canaryService": "canary", "stableService": "stable"}
    return canary(**{**services, "trafficRouting": router, **members})


def nginx(**members: Any) -> Patch:
    return routed({"nginx": {"stableIngress": "web"}, "managedRoutes": [{"name": "h1"}]}, **members)


def istio(**members: Any) -> Patch:
    return routed({"istio": {"virtualService": {"name": "vs"}}, "managedRoutes": [{"name": "h1"}]}, **members)


def alb(**members: Any) -> Patch:
    return routed({"alb": {"ingress": "web", "servicePort": 80}, "managedRoutes": [{"name": "h1"}]}, **members)


def blue_green(**members: Any) -> Patch:
    return {"strategy": {"canary": None, "blueGreen": {"activeService": "active", **members}}}


def header(*values: Patch | None, name: str = "h1") -> list[Patch]:
    """Steps with one header route, a match for each value."""
    given = ({} if value is None else {"headerValue": value} for value in values)
    match = [{"headerName": "a", **value} for value in given]
    return [{"setHeaderRoute": {"name": name, **({"match": match} if match else {})}}]


def mirror(*matches: Patch, name: str = "h1") -> list[Patch]:
    return [{"setMirrorRoute": {"name": name, **({"match": list(matches)} if matches else {})}}]


def ping_pong(ping: str, pong: str) -> Patch:
    return {"pingPong": {"pingService": ping, "pongService": pong}}


WEIGHTED = {"steps": [{"experiment": {"templates": [{"name": "a", "specRef": "canary", "weight": 5}]}}]}
GENERATION = {"name": "n", "valueFrom": {"fieldRef": {"fieldPath": "metadata.generation"}}}
WORKLOAD = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "shop"}
IS = {"matchExpressions": [{"key": "app", "operator": "Is"}]}
S = "spec.strategy"
STEP = f"{S}.steps[0]"

ROWS = (
    Row(1, {"replicas": -1}, f"spec.replicas: Invalid value: -1: {NOT_NEGATIVE}"),
    Row(2, {"selector": None}, "spec.selector: Required value: Rollout has missing field '.spec.selector'"),
    Row(
        2,
        {"selector": {"matchLabels": {"app": "shop", "a b": "x"}}},
        f'spec.selector.matchLabels: Invalid value: "a b": {NAME}',
    ),
    Row(
        2,
        {"selector": IS},
        'spec.selector.matchExpressions[0].operator: Invalid value: "Is": not a valid selector operator',
    ),
    Row(
        2,
        {"selector": {"matchLabels": None}},
        "spec.selector: Invalid value: {}: empty selector is invalid for deployment",
    ),
    Row(
        3,
        {"workloadRef": WORKLOAD},
        "spec.template: Internal error: template must be empty for workload reference rollout",
    ),
    Row(
        4,
        {"workloadRef": WORKLOAD, "template": None, "selector": {"matchLabels": None, **IS}},
        ('spec.selector: Invalid value: {"matchExpressions":[{"key":"app","operator":"Is"}]}: invalid label selector'),
    ),
    Row(
        4,
        {"template": {"metadata": {"labels": {"app": "stall"}}}},
        'spec.template.metadata.labels: Invalid value: {"app":"stall"}: `selector` does not match template `labels`',
    ),
    Row(5, {"minReadySeconds": -1}, f"spec.minReadySeconds: Invalid value: -1: {NOT_NEGATIVE}"),
    Row(6, {"revisionHistoryLimit": -1}, f"spec.revisionHistoryLimit: Invalid value: -1: {NOT_NEGATIVE}"),
    Row(7, {"progressDeadlineSeconds": -1}, f"spec.progressDeadlineSeconds: Invalid value: -1: {NOT_NEGATIVE}"),
    Row(
        8,
        {"progressDeadlineSeconds": 5, "minReadySeconds": 5},
        "spec.progressDeadlineSeconds: Invalid value: 5: must be greater than minReadySeconds",
    ),
    Row(
        9,
        {"strategy": {"canary": None}},
        f"{S}.strategy: Required value: Rollout has missing field '.spec.strategy.canary or .spec.strategy.blueGreen'",
    ),
    Row(
        9,
        {"strategy": {"blueGreen": {"activeService": "active"}}},
        f'{S}.strategy: Invalid value: "blueGreen: true canary: true": Multiple Strategies can not be listed',
    ),
    Row(
        10,
        blue_green(previewService="active"),
        (
            f'{S}.activeService: Invalid value: "active": This rollout uses the same service for the active and '
            f"preview services, {TWO_SERVICES}"
        ),
    ),
    Row(
        10,
        blue_green(scaleDownDelayRevisionLimit=11),
        (
            f"{S}.scaleDownDelayRevisionLimit: Invalid value: 11: This rollout's revision history limit can not be "
            "smaller than the rollout's scale down limit"
        ),
    ),
    Row(
        10,
        blue_green(antiAffinity={}),
        f'{S}.antiAffinity: Invalid value: "{NO_AFFINITY}": AntiAffinity must have exactly one strategy listed',
    ),
    Row(
        11,
        canary(maxSurge=0, maxUnavailable="0%"),
        f"{S}.maxSurge: Invalid value: 0: MaxSurge and MaxUnavailable both can not be zero",
    ),
    Row(
        12,
        canary(canaryService="one", stableService="one"),
        (
            f'{S}.stableService: Invalid value: "one": This rollout uses the same service for the stable and canary '
            f"services, {TWO_SERVICES}"
        ),
    ),
    Row(
        13,
        nginx(**ping_pong("ping", "pong")),
        (
            f"{S}.trafficRouting.alb: Invalid value: null: Ping-pong feature works with the ALB, Istio, and "
            "plugin-based traffic routers only"
        ),
    ),
    Row(13, canary(**ping_pong("", "pong")), f'{S}.pingPong.pingService: Invalid value: "": {PING}'),
    Row(13, canary(**ping_pong("ping", "")), f'{S}.pingPong.pongService: Invalid value: "": {PING}'),
    Row(
        13,
        canary(**ping_pong("one", "one")),
        (
            f'{S}.pingPong.pingService: Invalid value: "one": This rollout uses the same service for the ping and pong '
            f"services, {TWO_SERVICES}"
        ),
    ),
    Row(
        13,
        alb(**ping_pong("ping", "pong")),
        (
            f'{S}.trafficRouting.alb.rootService: Invalid value: "": Root service field is required for the '
            "configuration with ALB and ping-pong feature enabled"
        ),
    ),
    Row(14, nginx(stableService=""), f'{S}.stableService: Invalid value: "": {NEEDED}'),
    Row(14, nginx(canaryService=""), f'{S}.canaryService: Invalid value: "": {NEEDED}'),
    Row(
        15,
        canary(scaleDownDelaySeconds=0),
        f"{S}.scaleDownDelaySeconds: Invalid value: 0: Canary scaleDownDelaySeconds {ROUTED_ONLY}",
    ),
    Row(
        15,
        canary(dynamicStableScale=True),
        f"{S}.dynamicStableScale: Invalid value: true: Canary dynamicStableScale {ROUTED_ONLY}",
    ),
    Row(
        15,
        nginx(dynamicStableScale=True, scaleDownDelaySeconds=30),
        (
            f"{S}.dynamicStableScale: Invalid value: true: Canary dynamicStableScale cannot be used with "
            "scaleDownDelaySeconds"
        ),
    ),
    Row(
        16,
        routed({"istio": {"virtualService": {"name": "vs"}}, "maxTrafficWeight": 1000}),
        (
            f"{S}.trafficRouting.maxTrafficWeight: Invalid value: 1000: Canary maxTrafficWeight in traffic routing "
            "only supported in Nginx and Plugins"
        ),
    ),
    Row(
        17,
        canary(steps=[{"setWeight": 20, "pause": {}}]),
        (
            f'{STEP}: Invalid value: "step.Experiment: false step.Pause: true step.SetWeight: true '
            f'step.Analysis: false": {ONE_OF}'
        ),
    ),
    Row(18, canary(steps=[{}]), f'{STEP}: Invalid value: "{NO_KIND}": {ONE_OF}'),
    Row(
        19,
        canary(steps=[{"setWeight": 101}]),
        f"{STEP}.setWeight: Invalid value: 101: SetWeight needs to be between 0 and 100",
    ),
    Row(
        19,
        canary(steps=[{"setWeight": -1}]),
        f"{STEP}.setWeight: Invalid value: -1: SetWeight needs to be between 0 and 100",
    ),
    Row(
        20,
        canary(steps=[{"pause": {"duration": "10d"}}]),
        f"{STEP}.pause.duration: Invalid value: -1: Duration needs to be greater than 0",
    ),
    Row(
        21,
        canary(steps=[{"setCanaryScale": {"weight": 20}}]),
        f"{S}.trafficRouting: Required value: SetCanaryScale requires TrafficRouting to be set",
    ),
    Row(
        22,
        nginx(steps=header({"exact": "b"})),
        (
            f'{STEP}.setHeaderRoute: Invalid value: {{"name":"h1","match":[{{"headerName":"a","headerValue":'
            '{"exact":"b"}}]}: SetHeaderRoute requires TrafficRouting, supports Istio and ALB and Apisix'
        ),
    ),
    Row(22, alb(steps=header(None)), f"{STEP}.setHeaderRoute.match[0]: Invalid value: null: {MISSED}"),
    Row(
        22,
        alb(steps=header({"prefix": "b"})),
        (
            f'{STEP}.setHeaderRoute.match[0]: Invalid value: {{"prefix":"b"}}: SetHeaderRoute match value invalid. '
            "ALB supports 'exact' value only"
        ),
    ),
    Row(22, istio(steps=header({})), f"{STEP}.setHeaderRoute.match[0]: Invalid value: {{}}: {MISSED}"),
    Row(
        22,
        istio(steps=header({"exact": "b", "prefix": "c"})),
        f'{STEP}.setHeaderRoute.match[0]: Invalid value: {{"exact":"b","prefix":"c"}}: {MATCH}',
    ),
    Row(
        23,
        alb(steps=mirror()),
        (
            f'{STEP}.setMirrorRoute: Invalid value: {{"name":"h1"}}: SetMirrorRoute requires TrafficRouting, supports '
            "Istio and Plugins"
        ),
    ),
    Row(23, istio(steps=mirror({"method": {}})), f"{STEP}.setMirrorRoute.match[0]: Invalid value: {{}}: {MISSED}"),
    Row(
        23,
        istio(steps=mirror({"path": {"exact": "/", "regex": "/"}})),
        f'{STEP}.setMirrorRoute.match[0]: Invalid value: {{"exact":"/","regex":"/"}}: {MATCH}',
    ),
    Row(
        24,
        routed({"istio": {"virtualService": {"name": "vs"}}}, steps=header()),
        (
            f"{S}.trafficRouting.managedRoutes: Required value: Rollout has missing field "
            "'spec.strategy.canary.trafficRouting.managedRoutes'"
        ),
    ),
    Row(24, istio(steps=header(name="h2")), f'{STEP}.setHeaderRoute: Invalid value: "h2": {UNKNOWN_ROUTE}'),
    Row(24, istio(steps=mirror(name="h2")), f'{STEP}.setMirrorRoute: Invalid value: "h2": {UNKNOWN_ROUTE}'),
    Row(
        25,
        canary(**WEIGHTED),
        (
            f"{STEP}.experiment.templates[0].weight: Invalid value: 5: Experiment template weight cannot be set unless "
            "TrafficRouting is enabled"
        ),
    ),
    Row(
        25,
        nginx(**WEIGHTED),
        (
            f"{STEP}.experiment.templates[0].weight: Invalid value: 5: Experiment template weight is only available "
            "for TrafficRouting with SMI, ALB, Istio and Plugins at this time"
        ),
    ),
    Row(
        25,
        canary(steps=[{"analysis": {"templates": [{"templateName": "t"}], "args": [GENERATION]}}]),
        (
            f'{STEP}.analyses: Invalid value: [{{"name":"n","valueFrom":{{"fieldRef":{{"fieldPath":'
            '"metadata.generation"}}}]: Analyses arguments must refer to valid object metadata supported by downwardAPI'
        ),
    ),
    Row(
        26,
        canary(antiAffinity={}),
        f'{S}.antiAffinity: Invalid value: "{NO_AFFINITY}": AntiAffinity must have exactly one strategy listed',
    ),
    Row(
        26,
        canary(antiAffinity={"preferredDuringSchedulingIgnoredDuringExecution": {"weight": 101}}),
        f"{S}.antiAffinity.weight: Invalid value: 101: AntiAffinity weight must be between 1-100",
    ),
)
