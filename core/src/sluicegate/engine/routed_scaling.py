"""How many pods the new and the stable ReplicaSet of a canary with traffic routing get (rollout 5.5 and 5.6).

The weights that routers were given decide, not the pods: the canary has what its weight needs, stable all its pods, or
with `dynamicStableScale` what is left for it to carry.
"""

from sluicegate.api.status import TrafficWeights
from sluicegate.engine.sizes import Sizes
from sluicegate.engine.view import View, size
from sluicegate.engine.weights import drive


def routed_sizes(view: View, weights: TrafficWeights | None) -> Sizes:
    """The sizes for recorded weights: those of this pass for the new, the stored ones for the stable ReplicaSet."""
    wanted = drive(view)
    canary = view.pods_for(wanted.weight) if wanted.replicas is None else wanted.replicas
    if not view.canary.dynamic_stable_scale:
        return Sizes(canary if wanted.replicas is not None else _at_least(view, canary), view.replicas)
    weight = wanted.weight if wanted.replicas is None else 0
    stable = max(0, view.pods_for(view.max_weight - weight))
    if weights is not None:
        stable = max(stable, view.pods_for(weights.stable.weight), _unverified(view, weights))
        if view.aborted:
            canary = max(canary, view.pods_for(weights.canary.weight))
    return Sizes(_at_least(view, canary), _at_least(view, stable))


def _at_least(view: View, pods: int) -> int:
    """A size with `minPodsPerReplicaSet`, which does not make pods where there would be none."""
    least = view.canary.min_pods_per_replica_set
    return pods if pods == 0 or least is None else max(pods, min(least, view.replicas))


def _unverified(view: View, weights: TrafficWeights) -> int:
    """The size that stable must not shrink below: its own, as long as nobody knows that the traffic has left it."""
    return size(view.separate_stable) if weights.verified is False else 0
