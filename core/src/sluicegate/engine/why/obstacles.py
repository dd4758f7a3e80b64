"""What an update that is not stopped waits for: routers, pods, verified weights, Services, old pods."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from sluicegate.api import names
from sluicegate.api.foreign import ReplicaSet
from sluicegate.engine import conditions as c
from sluicegate.engine.conditions import Conditions
from sluicegate.engine.progress import deadline_check_due
from sluicegate.engine.services import may_switch
from sluicegate.engine.traffic import wanted_shift
from sluicegate.engine.view import available, created, hash_of, size
from sluicegate.engine.why.pods import availability, lacks, trouble_sentence
from sluicegate.engine.why.situation import Situation, version
from sluicegate.engine.why.steps import percent
from sluicegate.engine.why.wording import capital, clock, count, sentence

_ROUTER_FAILED: Final = "TrafficRoutingError"
_UNVERIFIED: Final = "Failed to verify weight: "


def canary_obstacles(situation: Situation, wanted: int) -> tuple[str, ...]:
    """What stands in the way of a canary, in the order in which it is to be got rid of; each a sentence.

    `wanted` is how many pods the new version is to have in the end.
    """
    return tuple(_canary(situation, wanted))


def _canary(situation: Situation, wanted: int) -> Iterator[str]:
    yield from router_failure(situation)
    yield from refused_pods(situation)
    yield from missing_pods(situation, wanted)
    yield from _gate(situation)
    yield from _unverified(situation)
    yield from _services(situation)
    yield from _old_pods(situation)


def traffic_obstacles(situation: Situation) -> Iterator[str]:
    """Why the traffic is not where it is wanted; a step can be over all the same."""
    yield from router_failure(situation)
    yield from _gate(situation)
    yield from _unverified(situation)


def router_failure(situation: Situation) -> Iterator[str]:
    """The traffic router does not do what it is told."""
    if (warned := situation.warned(_ROUTER_FAILED)) is not None:
        last = clock(warned.last, situation.now)
        yield f"The traffic router has to take the weights; it failed last at {last}: {sentence(warned.message)}"


def refused_pods(situation: Situation) -> Iterator[str]:
    """Kubernetes lets no ReplicaSet or no pods be made, as for a quota."""
    view, found = situation.view, situation.progressing
    if found is not None and found.reason == c.CREATE_ERROR:
        yield f"Kubernetes has to accept the new version: {sentence(found.message)}"
    for replica_set in view.replica_sets:
        for condition in replica_set.status.conditions:
            if condition.type == c.REPLICA_FAILURE and condition.status == c.TRUE:
                yield f"Kubernetes has to allow pods of {version(replica_set)}: {sentence(condition.message)}"


def missing_pods(situation: Situation, wanted: int = 0) -> Iterator[str]:
    """Pods of the new and the stable version that are wanted and do not serve; `wanted` of the new one in the end.

    The troubles of the new version are left to the first sentence of the finding.
    """
    view = situation.view
    if view.new_rs is None:
        yield "The controller has to create the new version."
        return
    target = max(size(view.new_rs), wanted)
    if available(view.new_rs) < target:
        yield _missing(situation, view.new_rs, target)
    stable = view.separate_stable
    if stable is not None and lacks(stable):
        yield _missing(situation, stable, size(stable))


def _missing(situation: Situation, replica_set: ReplicaSet, wanted: int) -> str:
    found = f"{availability(replica_set, wanted)}{_enough(situation, replica_set)}."
    told = replica_set is situation.view.new_rs
    return found if told else f"{found} {trouble_sentence(situation, replica_set)}".strip()


def _enough(situation: Situation, replica_set: ReplicaSet) -> str:
    threshold = situation.view.canary.replica_progress_threshold
    if threshold is None or threshold.value < 0 or replica_set is not situation.view.new_rs:
        return ""
    needed = f"{threshold.value} %" if threshold.type == "Percent" else count(threshold.value, "pod")
    return f" ({needed} is enough to go on)"


def _gate(situation: Situation) -> Iterator[str]:
    """The traffic stays as it is while stable has not the pods for its share."""
    view = situation.view
    if not view.has_routers or view.stable_rs is None:
        return
    weight = wanted_shift(view).weight
    needed = (view.max_weight - weight) * view.replicas // view.max_weight
    if available(view.stable_rs) < needed and view.canary.replica_progress_threshold is None:
        share = percent(view.max_weight - weight, view.max_weight)
        needs = f"{capital(situation.stable)} needs {count(needed, 'pod')} for {share} of the traffic"
        yield f"{needs} and has {available(view.stable_rs)}; until then the traffic is left as it is."


def _unverified(situation: Situation) -> Iterator[str]:
    weights = situation.view.weights
    if weights is None or weights.verified is not False:
        return
    share = percent(weights.canary.weight, situation.view.max_weight)
    warned = situation.warned("WeightVerifyError")
    said = f" It says: {sentence(warned.message.removeprefix(_UNVERIFIED))}" if warned is not None else ""
    yield f"The traffic router has not confirmed yet that {share} of the traffic goes to {situation.new}.{said}"


def _services(situation: Situation) -> Iterator[str]:
    """Services that are to select other pods, and may not yet."""
    view, canary = situation.view, situation.view.canary
    wanted = ((canary.stable_service, view.stable_rs), (canary.canary_service, view.new_rs))
    for name, replica_set in wanted:
        if replica_set is not None and waits_for_pods(situation, name, replica_set):
            yield service_words(situation, name, replica_set)


def waits_for_pods(situation: Situation, name: str, replica_set: ReplicaSet) -> bool:
    """Whether a Service is to select a version that cannot serve yet."""
    view = situation.view
    if name not in view.surroundings.services or view.surroundings.service_hash(name) == hash_of(replica_set):
        return False
    return not may_switch(view, name, replica_set)


def service_words(situation: Situation, name: str, replica_set: ReplicaSet) -> str:
    """What a Service waits for before it selects a version."""
    service = situation.view.surroundings.services[name]
    adopted = names.MANAGED_BY in service.metadata.annotations
    needs = "a pod is available" if adopted else "all of its pods are available"
    return f"Service {name} moves to {version(replica_set)} when {needs}."


def _old_pods(situation: Situation) -> Iterator[str]:
    """The pods of versions in between have to go before a step of a canary without routing counts as done."""
    view = situation.view
    if not view.basic:
        return
    for other in view.others:
        if size(other) or available(other):
            yield f"{count(created(other), 'pod')} of {version(other)} must go first."


def deadline_words(situation: Situation) -> str:
    """What happens without progress, and when; empty where no deadline runs."""
    view, last = situation.view, situation.last_progress
    found = Conditions.stored(view.status.conditions)
    if last is None or deadline_check_due(view, view.status, found, situation.now) is None:
        return ""
    due = last + timedelta(seconds=view.rollout.spec.progress_deadline)
    aborted = view.rollout.spec.progress_deadline_abort and not view.status.is_promoted
    return f"Without progress until {clock(due, situation.now)} it {'is aborted' if aborted else 'counts as failed'}."
