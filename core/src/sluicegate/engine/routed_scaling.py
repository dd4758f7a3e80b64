"""How many pods the new and the stable ReplicaSet of a canary with traffic routing get (rollout 5.5 and 5.6).

The weights that routers were given decide, not the pods: the canary has what its weight needs, stable all its pods, or
with `dynamicStableScale` what is left for it to carry.
"""

from sluicegate.api.status import TrafficWeights
from sluicegate.engine.sizes import Sizes
from sluicegate.engine.view import View, hash_of, size
from sluicegate.engine.weights import drive, effective_scale


def routed_sizes(view: View, weights: TrafficWeights | None) -> Sizes:
    """The sizes for recorded weights: those of this pass for the new, the stored ones for the stable ReplicaSet."""
    wanted = drive(view)
    canary = view.pods_for(wanted.weight) if wanted.replicas is None else wanted.replicas
    carrying = _carrying(view, weights)
    if not view.canary.dynamic_stable_scale:
        return Sizes(max(canary if wanted.replicas is not None else _at_least(view, canary), carrying), view.replicas)
    weight = wanted.weight if wanted.replicas is None else 0
    stable = max(0, view.pods_for(view.max_weight - weight))
    if weights is not None:
        stable = max(stable, view.pods_for(weights.stable.weight), _unverified(view, weights))
        if view.aborted:
            canary = max(canary, view.pods_for(weights.canary.weight))
    return Sizes(_at_least(view, max(canary, carrying)), _at_least(view, stable))


def _carrying(view: View, weights: TrafficWeights | None) -> int:
    """The size that the new ReplicaSet must not shrink below: what carries the weight that the routers gave it.

    Argo Rollouts takes the pods of a lower `setWeight` before the weight. A step that gives a size of its own is the
    user's will, until the update is aborted.
    """
    if weights is None or weights.canary.pod_template_hash != hash_of(view.new_rs):
        return 0
    scale = effective_scale(view)
    if scale is not None and not view.aborted and (scale.replicas is not None or scale.weight is not None):
        return 0
    return min(size(view.new_rs), view.pods_for(weights.canary.weight))


def _at_least(view: View, pods: int) -> int:
    """A size with `minPodsPerReplicaSet`, which does not make pods where there would be none."""
    least = view.canary.min_pods_per_replica_set
    return pods if pods == 0 or least is None else max(pods, min(least, view.replicas))


def _unverified(view: View, weights: TrafficWeights) -> int:
    """The size that stable must not shrink below: its own, as long as nobody knows that the traffic has left it."""
    return size(view.separate_stable) if weights.verified is False else 0
