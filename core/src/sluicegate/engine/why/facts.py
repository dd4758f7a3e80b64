"""The plain facts of a Rollout: versions, traffic, pods, size."""

from collections.abc import Iterator

from sluicegate.api.foreign import ReplicaSet
from sluicegate.engine.active import strategy_of, with_hash
from sluicegate.engine.view import View, available, created, newest_first, size
from sluicegate.engine.why.explanation import Fact
from sluicegate.engine.why.situation import Situation, version
from sluicegate.engine.why.steps import percent
from sluicegate.engine.why.wording import count


def facts(situation: Situation) -> Iterator[Fact]:
    """Label and text of each, in the order in which they are to be read."""
    view = situation.view
    yield Fact("Version", _versions(situation))
    if view.blue_green is not None:
        yield from _services(view)
    elif view.has_routers and view.weights is not None:
        yield Fact("Traffic", _traffic(situation))
    for replica_set in newest_first(view.replica_sets):
        if size(replica_set) or created(replica_set):
            yield Fact("Pods", _pods(situation, replica_set))
    if situation.autoscaler is not None:
        found = situation.autoscaler
        scaler = f"HorizontalPodAutoscaler {found.name} ({found.least} to {found.most})"
        yield Fact("Size", f"{count(view.replicas, 'pod')} wanted, by {scaler}")


def _versions(situation: Situation) -> str:
    view, stable = situation.view, situation.view.separate_stable
    if view.new_rs is None and view.rollout.spec.template is None:
        return _named(stable) if stable is not None else "none yet"
    new = _named(view.new_rs) if view.new_rs is not None else f"a new version ({_images(view.rollout.spec.template)})"
    return new if stable is None else f"{_named(stable)} → {new}"


def _named(replica_set: ReplicaSet) -> str:
    return f"{version(replica_set)} ({_images(replica_set.spec.template)})"


def _images(template: object) -> str:
    spec = template.get("spec") if isinstance(template, dict) else None
    containers = spec.get("containers") if isinstance(spec, dict) else None
    images = [c.get("image") for c in containers or () if isinstance(c, dict)]
    return ", ".join(str(image) for image in images if image) or "no image"


def _traffic(situation: Situation) -> str:
    view, weights = situation.view, situation.view.weights
    if weights is None:
        return ""
    parts = [(weights.canary, "the new version"), (weights.stable, "the stable version")]
    shares = [
        f"{percent(found.weight, view.max_weight)} {version(with_hash(view, found.pod_template_hash), otherwise)}"
        for found, otherwise in parts
        if found.weight or found is weights.stable
    ]
    confirmed = {True: ", confirmed by the router", False: ", not confirmed by the router yet", None: ""}
    return ", ".join(shares) + confirmed[weights.verified]


def _services(view: View) -> Iterator[Fact]:
    strategy = strategy_of(view)
    yield Fact("Traffic", _selection(view, strategy.active_service))
    if strategy.preview_service:
        yield Fact("Preview", _selection(view, strategy.preview_service))


def _selection(view: View, service: str) -> str:
    if service not in view.surroundings.services:
        return f"Service {service} does not exist"
    selected = with_hash(view, view.surroundings.service_hash(service))
    return f"Service {service} selects {'no single version' if selected is None else version(selected)}"


def _pods(situation: Situation, replica_set: ReplicaSet) -> str:
    view, wanted = situation.view, size(replica_set)
    role = "new" if replica_set is view.new_rs else "stable" if replica_set is view.stable_rs else "old"
    if view.promoted and replica_set is view.stable_rs:
        role = "stable"
    going = f", {created(replica_set) - wanted} going" if created(replica_set) > wanted else ""
    return f"{version(replica_set)} ({role}): {available(replica_set)} of {wanted} available{going}"
