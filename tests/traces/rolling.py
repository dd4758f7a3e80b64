"""What has no order on a cluster, brought into one: above all resizes and events when pods become ready one by one.

Where pods start one after another, a ReplicaSet goes to its size in single steps, and those of two ReplicaSets
alternate. The recordings call that incidental: what counts is from where to where each went between two other events,
and which began first.
"""

import re
from collections.abc import Iterable
from itertools import groupby

from .comparison import OUTSIDE_THE_ENGINE, Event, Resize

Switch = tuple[str, str | None]
"""A Service, and the hash that it selects from then on."""

_SCALED = re.compile(r"Scaled (?:up|down) ReplicaSet (\S+) \(revision \d+\) from (\d+) to (\d+)")


def rolled(resizes: Iterable[Resize]) -> list[Resize]:
    """Resizes with each joined to the last one of the same ReplicaSet, if that went in the same direction."""
    found: list[Resize] = []
    for resize in resizes:
        last = next((index for index in reversed(range(len(found))) if found[index].name == resize.name), None)
        if last is not None and _grows(found[last]) == _grows(resize):
            found[last] = Resize(resize.name, found[last].before, resize.after)
        else:
            found.append(resize)
    return found


def rolled_events(events: Iterable[Event]) -> list[Event | Resize]:
    """Events, with the resizes between two others joined; without those that the engine does not emit."""
    of_the_engine = (event for event in events if event.reason not in OUTSIDE_THE_ENGINE)
    found: list[Event | Resize] = []
    for scaling, group in groupby(of_the_engine, lambda event: event.reason == "ScalingReplicaSet"):
        between = list(group)
        found += rolled(map(_resize, between)) if scaling else between
    return found


def released_in_any_order(switches: Iterable[Switch]) -> list[Switch]:
    """Changes of Services' selectors, with those that are let go one after another by name: upstream goes by chance."""
    found: list[Switch] = []
    for released, group in groupby(switches, lambda switch: switch[1] is None):
        together = list(group)
        found += sorted(together) if released else together
    return found


def _grows(resize: Resize) -> bool:
    return resize.after > resize.before


def _resize(event: Event) -> Resize:
    scaled = _SCALED.fullmatch(event.message)
    assert scaled, event.message
    name, before, after = scaled.groups()
    return Resize(name, int(before), int(after))
