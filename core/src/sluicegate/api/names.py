"""Keys of the labels and annotations that Sluicegate reads or writes, and the words of the status: a wire contract.

From rollout.md 2.1 and 4.1 and traffic.md 0, byte for byte.
"""

from typing import Final

# Labels.
HASH_LABEL: Final = "rollouts-pod-template-hash"
INSTANCE_ID_LABEL: Final = "argo-rollouts.argoproj.io/controller-instance-id"

# Annotations.
REVISION: Final = "rollout.argoproj.io/revision"
REVISION_HISTORY: Final = "rollout.argoproj.io/revision-history"
DESIRED_REPLICAS: Final = "rollout.argoproj.io/desired-replicas"
WORKLOAD_GENERATION: Final = "rollout.argoproj.io/workload-generation"
EPHEMERAL_METADATA: Final = "rollout.argoproj.io/ephemeral-metadata"
SCALE_DOWN_DEADLINE: Final = "scale-down-deadline"
MANAGED_BY: Final = "argo-rollouts.argoproj.io/managed-by-rollouts"
EXPERIMENT_NAME: Final = "experiment.argoproj.io/name"
NOTIFIED: Final = "notified.notifications.argoproj.io"
LAST_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"

NOT_COPIED_TO_REPLICA_SETS: Final = frozenset(
    {
        LAST_APPLIED,
        REVISION,
        REVISION_HISTORY,
        DESIRED_REPLICAS,
        NOTIFIED,
        SCALE_DOWN_DEADLINE,
        EPHEMERAL_METADATA,
        EXPERIMENT_NAME,
    }
)
"""Annotations of a Rollout that its ReplicaSets do not get: those that have a meaning of their own there."""

# Reasons of pause conditions.
CANARY_PAUSE_STEP: Final = "CanaryPauseStep"
BLUE_GREEN_PAUSE: Final = "BlueGreenPause"
INCONCLUSIVE_ANALYSIS_RUN: Final = "InconclusiveAnalysisRun"
INCONCLUSIVE_EXPERIMENT: Final = "InconclusiveExperiment"
