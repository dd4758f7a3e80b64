"""What is missing of the pods of a version, why, and where to look."""

from collections import defaultdict
from collections.abc import Sequence

from sluicegate.api.foreign import ReplicaSet
from sluicegate.engine.view import available, hash_of, size
from sluicegate.engine.why.situation import Situation, Trouble, version
from sluicegate.engine.why.wording import count, enumerate_all

_MOST_LOOKS = 3


def availability(replica_set: ReplicaSet | None, wanted: int | None = None) -> str:
    """`3 of 5 pods of revision 2 are available`."""
    total = size(replica_set) if wanted is None else wanted
    return f"{min(available(replica_set), total)} of {total} pods of {version(replica_set)} are available"


def lacks(replica_set: ReplicaSet | None) -> bool:
    """Whether pods that are wanted do not serve yet."""
    return available(replica_set) < size(replica_set)


def troubles_of(situation: Situation, replica_set: ReplicaSet | None) -> tuple[Trouble, ...]:
    """What keeps the pods of one version from serving."""
    return tuple(trouble for trouble in situation.troubles if trouble.pod_hash == hash_of(replica_set) != "")


def trouble_texts(troubles: tuple[Trouble, ...]) -> tuple[str, ...]:
    """One clause for each kind of trouble, the one of most pods first: `2 pods cannot pull …`."""
    grouped: dict[str, list[Trouble]] = defaultdict(list)
    for trouble in troubles:
        grouped[trouble.cannot].append(trouble)
    ordered = sorted(grouped.items(), key=lambda item: (-len(item[1]), item[0]))
    return tuple(f"{count(len(pods), 'pod')} cannot {cannot}{_restarts(pods)}" for cannot, pods in ordered)


def trouble_sentence(situation: Situation, replica_set: ReplicaSet | None) -> str:
    """All troubles of a version in one sentence; empty without any."""
    texts = trouble_texts(troubles_of(situation, replica_set))
    return f"{enumerate_all(texts)}." if texts else ""


def _restarts(troubles: Sequence[Trouble]) -> str:
    most = max(trouble.restarts for trouble in troubles)
    if not most:
        return ""
    return f", after {count(most, 'restart')}" if len(troubles) == 1 else f", after up to {count(most, 'restart')} each"


def looks(situation: Situation, troubles: tuple[Trouble, ...]) -> tuple[str, ...]:
    """How to see more of one pod of each kind of trouble."""
    first: dict[str, Trouble] = {}
    for trouble in troubles:
        first.setdefault(trouble.cannot, trouble)
    shown = list(first.values())[:_MOST_LOOKS]
    return tuple(f"To see more of pod {one.pod}: {situation.commands.kube(one.look)}" for one in shown)
