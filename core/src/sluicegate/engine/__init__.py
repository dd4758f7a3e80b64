"""Pure decisions about Rollouts: values in, decisions out.

What belongs here: every rule that says what should happen to a Rollout and its ReplicaSets. No I/O, no clock, no
randomness, no logging; the time is an argument. A pass is three calls, in this order:

1. `prepare.prepare` finds what must come first (claims, refusals, the new ReplicaSet) and may end the pass;
2. `weights.split_request` says what weight is wanted, for the router to turn into pods;
3. `canary.decide` gives sizes, steps, pauses, the new status, events, and when to look again.
"""
