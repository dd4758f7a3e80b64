"""Random settings and stories: what a user does to a Rollout, what becomes of its pods, and how the API fails."""

from collections.abc import Sequence
from typing import Any, Final

from hypothesis import strategies as st
from tests.model.world import Action, Setting

from sluicegate.api.validation import parse_rollout, validate_rollout

_WEIGHTS = st.sampled_from([0, 20, 34, 50, 75, 100])
_PAUSES = st.sampled_from([{"pause": {}}, {"pause": {"duration": 2}}])
_SCALES = st.sampled_from(
    [{"setCanaryScale": scale} for scale in ({"replicas": 1}, {"weight": 50}, {"matchTrafficWeight": True})]
)
_SET_WEIGHT = _WEIGHTS.map(lambda weight: {"setWeight": weight})
BASIC_STEPS: Final = st.lists(st.one_of(_SET_WEIGHT, _PAUSES), max_size=4)
ROUTED_STEPS: Final = st.lists(st.one_of(_SET_WEIGHT, _SET_WEIGHT, _PAUSES, _SCALES), max_size=4)
_FENCES = st.sampled_from([0, 1, 2, "25%", "50%"])
_DELAYS = st.sampled_from([0, 1, 3, 30])


def _some(members: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """A mapping with some of these members."""
    return st.fixed_dictionaries({}, optional=members)


_SPEC = _some(
    {
        "rollbackWindow": st.just({"revisions": 1}),
        "revisionHistoryLimit": st.sampled_from([0, 1]),
        "minReadySeconds": st.just(1),
        "progressDeadlineSeconds": st.just(5),
        "progressDeadlineAbort": st.just(True),
    }
)


def _settings(strategy: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[Setting]:
    return st.builds(Setting, strategy=strategy, replicas=st.integers(1, 5), spec=_SPEC).filter(_is_valid)


def _is_valid(setting: Setting) -> bool:
    return not validate_rollout(parse_rollout(setting.manifest()))


def _canaries(fixed: dict[str, Any], steps: st.SearchStrategy[Any], **more: Any) -> st.SearchStrategy[Setting]:
    optional = {"maxSurge": _FENCES, "maxUnavailable": _FENCES, **more}
    strategy = st.tuples(steps, _some(optional)).map(lambda drawn: {"canary": {**fixed, "steps": drawn[0], **drawn[1]}})
    return _settings(strategy)


_SERVICES: Final = {"stableService": "stable", "canaryService": "canary"}
_ROUTER: Final = {"plugins": {"sluicegate/recording": {"ingress": "edge"}}}
_VERIFYING: Final = {"plugins": {"sluicegate/recording": {"ingress": "edge", "verify": True}}}
_ROUTED_DELAYS: Final = {
    "scaleDownDelaySeconds": _DELAYS,
    "abortScaleDownDelaySeconds": _DELAYS,
    "scaleDownDelayRevisionLimit": st.sampled_from([0, 1]),
    "minPodsPerReplicaSet": st.just(2),
}

SETTINGS: Final[dict[str, st.SearchStrategy[Setting]]] = {
    "canary": _canaries({}, BASIC_STEPS),
    "canary with services": _canaries(_SERVICES, BASIC_STEPS),
    "canary with a router": _canaries({**_SERVICES, "trafficRouting": _ROUTER}, ROUTED_STEPS, **_ROUTED_DELAYS),
    "canary with a router that verifies": _canaries(
        {**_SERVICES, "trafficRouting": _VERIFYING}, ROUTED_STEPS, **_ROUTED_DELAYS
    ),
    "canary with a router and a dynamic stable scale": _canaries(
        {**_SERVICES, "trafficRouting": _VERIFYING, "dynamicStableScale": True},
        ROUTED_STEPS,
        abortScaleDownDelaySeconds=_DELAYS,
        minPodsPerReplicaSet=st.just(2),
    ),
    "blue-green": _settings(
        _some(
            {
                "previewService": st.just("preview"),
                "previewReplicaCount": st.integers(1, 3),
                "autoPromotionEnabled": st.just(False),
                "autoPromotionSeconds": st.integers(1, 3),
                "scaleDownDelaySeconds": _DELAYS,
                "abortScaleDownDelaySeconds": _DELAYS,
                "scaleDownDelayRevisionLimit": st.sampled_from([0, 1]),
            }
        ).map(lambda drawn: {"blueGreen": {"activeService": "active", **drawn}})
    ),
}

_USER: Final[Sequence[Action]] = [
    *(("image", tag) for tag in ("v1", "v2", "v3", "bad")),
    *[("promote",)] * 4,
    ("full",),
    ("abort",),
    ("abort",),
    ("retry",),
    ("pause",),
    ("unpause",),
    ("restart",),
    *(("scale", replicas) for replicas in (0, 1, 4)),
    ("spec", {"progressDeadlineSeconds": 8}),
    ("spec", {"minReadySeconds": 0}),
]
_CANARY_EDITS: Final[Sequence[Action]] = [
    ("canary", {"steps": [{"setWeight": 40}, {"pause": {}}, {"setWeight": 60}]}),
    ("canary", {"steps": [{"setWeight": 80}, {"setWeight": 25}]}),
    ("canary", {"steps": [{"setWeight": 120}]}),
    ("canary", {"steps": None}),
    *(("service", name, tag) for name in ("stable", "canary") for tag in ("v1", "v2", None)),
]
_BLUE_GREEN_EDITS: Final[Sequence[Action]] = [
    ("canary", {"autoPromotionEnabled": True}),
    ("canary", {"previewReplicaCount": 2}),
    ("canary", {"previewReplicaCount": -1}),
    *(("service", name, tag) for name in ("active", "preview") for tag in ("v1", "v2", None)),
]
_MACHINE: Final[Sequence[Action]] = [
    *[("passes", 3)] * 6,
    *[("passes", 1)] * 4,
    *[("passes_alone", 2)] * 3,
    *[("settle",)] * 6,
    *(("time", seconds) for seconds in (1, 3, 31)),
]
_PODS: Final[Sequence[Action]] = [
    ("slow", 10),
    ("slow", 0.5),
    *(("crash", index, count, back) for index in range(3) for count in (1, 3) for back in (None, 4)),
    *(("evict", index, 2) for index in range(3)),
]
_API: Final[Sequence[Action]] = [
    *(("faults", [None] * after + [str(fault)]) for after in range(4) for fault in ("409", "500", "answer lost")),
    *(("faults", [None] * after + [str(fault)]) for after in range(5) for fault in ("killed before", "killed after")),
    *(
        (verb, plural)
        for verb in ("lose", "find", "find")
        for plural in ("rollouts", "replicasets", "services", "ingresses")
    ),
    ("kill",),
]
_VERIFY: Final[Sequence[Action]] = [("verify", answer) for answer in ("false", "error: no answer", "true", "true")]


def stories(name: str) -> st.SearchStrategy[list[Action]]:
    """Stories for the settings of this name."""
    edits = _BLUE_GREEN_EDITS if name == "blue-green" else _CANARY_EDITS
    user = st.sampled_from([*_USER, *_USER, *edits])
    between = st.tuples(st.just("between"), st.integers(0, 3), user)
    kinds = [user, user, st.sampled_from(_MACHINE), st.sampled_from(_MACHINE), st.sampled_from(_PODS)]
    kinds += [st.sampled_from(_API), between]
    if "router" in name:
        kinds.append(st.sampled_from(_VERIFY))
    begun = st.sampled_from([("image", "v2"), ("image", "v2"), ("image", "bad"), ("scale", 2)])
    actions = st.lists(st.one_of(kinds), min_size=8, max_size=24)
    return st.tuples(begun, actions).map(lambda drawn: [drawn[0], *drawn[1]])
