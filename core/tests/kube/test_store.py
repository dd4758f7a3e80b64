"""The store: reading by name, namespace and index always shows the objects put last."""

from __future__ import annotations

import pytest

from sluicegate.kube.store import Store

Pod = tuple[str, tuple[str, ...]]


def owners(pod: Pod) -> tuple[str, ...]:
    return pod[1]


@pytest.fixture
def store() -> Store[Pod]:
    store = Store[Pod]()
    store.add_index("owner", owners)
    store.put("shop", "a", ("a1", ("rs-1",)))
    store.put("shop", "b", ("b1", ("rs-1", "rs-2")))
    store.put("bank", "a", ("a2", ("rs-1",)))
    return store


def test_objects_are_found_by_namespace_and_name(store: Store[Pod]) -> None:
    assert store.get("bank", "a") == ("a2", ("rs-1",))
    assert store.get("bank", "b") is None
    assert store.get("nowhere", "a") is None


def test_list_gives_one_namespace_or_all(store: Store[Pod]) -> None:
    assert [pod[0] for pod in store.list("shop")] == ["a1", "b1"]
    assert [pod[0] for pod in store.list()] == ["a1", "b1", "a2"]
    assert store.list("nowhere") == []


def test_an_index_finds_objects_by_each_of_their_values(store: Store[Pod]) -> None:
    assert [pod[0] for pod in store.by_index("owner", "rs-1")] == ["a1", "b1", "a2"]
    assert [pod[0] for pod in store.by_index("owner", "rs-2")] == ["b1"]
    assert store.by_index("owner", "rs-3") == []


def test_an_index_follows_replacement_and_removal(store: Store[Pod]) -> None:
    store.put("shop", "b", ("b2", ("rs-3",)))
    store.remove("shop", "a")
    assert [pod[0] for pod in store.by_index("owner", "rs-1")] == ["a2"]
    assert store.by_index("owner", "rs-2") == []
    assert [pod[0] for pod in store.by_index("owner", "rs-3")] == ["b2"]


def test_an_index_added_late_knows_what_was_there(store: Store[Pod]) -> None:
    store.add_index("first letter", lambda pod: (pod[0][0],))
    assert [pod[0] for pod in store.by_index("first letter", "a")] == ["a1", "a2"]


def test_an_unknown_index_is_a_mistake_not_an_empty_answer(store: Store[Pod]) -> None:
    with pytest.raises(KeyError):
        store.by_index("ownr", "rs-1")


def test_removing_what_is_not_there_changes_nothing(store: Store[Pod]) -> None:
    store.remove("shop", "z")
    store.remove("nowhere", "a")
    assert len(store.list()) == 3


def test_cluster_scoped_objects_have_an_empty_namespace() -> None:
    store = Store[str]()
    store.put("", "node-1", "n")
    assert store.get("", "node-1") == "n"
    assert store.names() == [("", "node-1")]


def test_the_store_says_whether_absence_means_anything(store: Store[Pod]) -> None:
    assert not store.has_synced
    store.mark_synced()
    assert store.has_synced
