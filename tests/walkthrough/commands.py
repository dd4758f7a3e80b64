"""The commands of the walk-through, and how they stand in a README."""

import re

APPLY = "kubectl apply -f examples/01-canary/rollout.yaml"
GET = "kubectl argo rollouts get rollout canary-demo"
SET_YELLOW = "kubectl argo rollouts set image rollout canary-demo app=argoproj/rollouts-demo:yellow"
PROMOTE = "kubectl argo rollouts promote rollout canary-demo"
WATCH = "kubectl argo rollouts get rollout canary-demo -w"
ABORT = "kubectl argo rollouts abort canary-demo"
RETRY = "kubectl argo rollouts retry rollout canary-demo"
PROMOTE_FULL = "kubectl argo rollouts promote canary-demo --full"

WALK = [APPLY, GET, SET_YELLOW, GET, PROMOTE, WATCH, ABORT, RETRY, PROMOTE_FULL]
"""In the order in which a reader is to type them."""


def commands_of(readme: str) -> list[str]:
    """What the blocks of shell commands do with the demo's Rollout through `kubectl`, in order."""
    blocks = re.findall(r"^```sh\n(.*?)^```", readme, re.MULTILINE | re.DOTALL)
    lines = [line.partition(" #")[0].strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if re.match(r"kubectl (apply|argo) .*canary", line)]
