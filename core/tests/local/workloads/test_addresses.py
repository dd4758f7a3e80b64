"""Clusters on one machine have different networks, and pods different addresses."""

from __future__ import annotations

from contextlib import closing

import pytest

from sluicegate.local.addresses import AddressPool

with closing(AddressPool.claim()) as found:
    only_one = found.shared
needs_network = pytest.mark.skipif(only_one, reason="only 127.0.0.1 can be bound on this machine")


@needs_network
def test_two_clusters_have_different_networks() -> None:
    with closing(AddressPool.claim()) as one, closing(AddressPool.claim()) as other:
        assert one.node != other.node


@needs_network
def test_a_network_is_free_again_after_its_cluster() -> None:
    with closing(AddressPool.claim()) as first:
        node = first.node
    with closing(AddressPool.claim()) as second:
        assert second.node == node


@needs_network
def test_pods_have_different_addresses_and_a_returning_one_its_own(addresses: AddressPool) -> None:
    network = addresses.node.rpartition(".")[0].rpartition(".")[0]
    wanted = f"{network}.3.4"

    assert addresses.allocate(wanted) == wanted
    assert addresses.allocate(wanted) != wanted
    assert addresses.allocate("10.64.0.1").startswith(network)
    assert addresses.allocate(f"{network}.example").rpartition(".")[2].isdecimal(), "a name may be any machine's"


@needs_network
def test_a_released_address_is_not_given_out_again_at_once(addresses: AddressPool) -> None:
    first = addresses.allocate()
    addresses.release(first)

    assert addresses.allocate() != first


def test_all_pods_share_the_one_address_where_there_is_no_other() -> None:
    with closing(AddressPool(0, None)) as pool:
        assert pool.shared
        assert (pool.node, pool.allocate(), pool.allocate("127.10.0.2")) == ("127.0.0.1",) * 3
