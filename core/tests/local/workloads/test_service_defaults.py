"""Services get defaults, a cluster IP and node ports, keep them over updates, and are refused what cannot be given."""

from __future__ import annotations

import copy
import socket
from typing import TYPE_CHECKING, Any

import pytest

from sluicegate.errors import Invalid
from sluicegate.local.defaults.services import NODE_PORTS, admit_service, can_bind

if TYPE_CHECKING:
    from core.tests.local.workloads.conftest import World

Object = dict[str, Any]


def updated(world: World, stored: Object, **spec: Any) -> Object:
    new = copy.deepcopy(stored)
    new["spec"] = {"selector": {"app": "web"}, "ports": [{"port": 80}], **spec}
    found: Object = admit_service(new, stored, world.store)["spec"]
    return found


def test_a_node_port_service_is_completed(world: World) -> None:
    spec = world.service(ports=[{"port": 80}])["spec"]

    port = spec["ports"][0]
    assert (port["protocol"], port["targetPort"]) == ("TCP", 80)
    assert port["nodePort"] in NODE_PORTS
    assert spec["clusterIP"].startswith("10.96.")
    assert spec["clusterIPs"] == [spec["clusterIP"]]
    assert (spec["sessionAffinity"], spec["externalTrafficPolicy"]) == ("None", "Cluster")
    assert (spec["internalTrafficPolicy"], spec["ipFamilyPolicy"], spec["ipFamilies"]) == (
        "Cluster",
        "SingleStack",
        ["IPv4"],
    )


def test_a_service_without_a_type_has_no_node_port(world: World) -> None:
    spec = world.service(type=None)["spec"]

    assert spec["type"] == "ClusterIP"
    assert "nodePort" not in spec["ports"][0]
    assert "externalTrafficPolicy" not in spec


def test_a_headless_service_stays_without_an_address(world: World) -> None:
    spec = world.service(type="ClusterIP", clusterIP="None")["spec"]

    assert (spec["clusterIP"], spec["clusterIPs"]) == ("None", ["None"])


def test_an_external_name_gets_nothing_allocated(world: World) -> None:
    assert "clusterIP" not in world.service(type="ExternalName", externalName="x.example", ports=[])["spec"]


def test_an_update_that_leaves_out_what_was_allocated_keeps_it(world: World) -> None:
    stored = world.service(ports=[{"port": 80}])

    spec = updated(world, stored, type="NodePort")

    assert spec["ports"][0]["nodePort"] == stored["spec"]["ports"][0]["nodePort"]
    assert spec["clusterIP"] == stored["spec"]["clusterIP"]


def test_changing_to_a_type_without_node_ports_gives_them_back(world: World) -> None:
    stored = world.service(ports=[{"port": 80}])

    spec = updated(world, stored, type="ClusterIP", ports=copy.deepcopy(stored["spec"]["ports"]))

    assert "nodePort" not in spec["ports"][0]


def test_a_node_port_of_another_service_is_refused(world: World) -> None:
    taken = world.service("first")["spec"]["ports"][0]["nodePort"]

    with pytest.raises(Invalid) as refusal:
        world.service("second", ports=[{"port": 80, "nodePort": taken}])

    assert refusal.value.message == (
        'Service "second" is invalid: spec.ports[0].nodePort: '
        f"Invalid value: {taken}: provided port is already allocated"
    )


def test_a_node_port_out_of_range_is_refused(world: World) -> None:
    with pytest.raises(Invalid, match="The range of valid ports is 30000-32767"):
        world.service(ports=[{"port": 80, "nodePort": 8080}])


def test_a_node_port_on_a_cluster_ip_service_is_refused(world: World) -> None:
    with pytest.raises(Invalid, match="Forbidden: may not be used when `type` is 'ClusterIP'"):
        world.service(type="ClusterIP", ports=[{"port": 80, "nodePort": 30080}])


@pytest.mark.parametrize("address", ["10.97.0.1", "web"])
def test_a_cluster_ip_from_elsewhere_is_refused(world: World, address: str) -> None:
    with pytest.raises(Invalid, match="the provided network does not match"):
        world.service(clusterIP=address)


def test_a_port_that_another_program_has_cannot_be_bound() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        assert not can_bind(other.getsockname()[1])
