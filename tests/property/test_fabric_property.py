"""Whatever is planned can be plugged in: ports within radix, every end once, sums as the design says."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gigawatt.catalog import load_catalog
from gigawatt.design.fabric import FabricGraph, FabricParts, network_graph, plan_fabric
from gigawatt.design.fabric.plan import plan_network
from gigawatt.domain.fabric import FabricKind, Network, Switch
from gigawatt.errors import InfeasibleError
from gigawatt.project.parts import default_fabric, fabric_parts

SAID = {"source": "test", "basis": "estimate", "date": "2026"}


def switch(id: str, num_ports: int) -> Switch:
    return Switch(
        id=id, name=id, vendor="test", technology="ethernet", num_ports=num_ports, port_bytes_per_s=100e9,
        port_splits=(1, 2, 4), **SAID,
    )  # fmt: skip


@st.composite
def networks(draw) -> Network:
    """A network of random rules on switches of random radix, as far as one can be built."""
    topology = draw(st.sampled_from(["fat-tree", "rail-optimised", "dragonfly"]))
    planes = draw(st.sampled_from([1, 2]))
    kind = FabricKind(
        id="any", name="any", technology="ethernet", topology=topology, leaf_switch="leaf",
        spine_switch="spine", core_switch="core",
        port_bytes_per_s=100e9 / draw(st.sampled_from([1, 2, 4])),
        ports_per_accelerator=planes * draw(st.sampled_from([1, 2])),
        num_planes=1 if topology == "dragonfly" else planes,
        nodes_per_unit=draw(st.integers(0, 6)),
        units_per_pod=draw(st.sampled_from([0, 0, 2, 3])) if topology != "dragonfly" else 0,
        leaf_oversubscription=draw(st.sampled_from([0.5, 1.0, 1.5, 3.0])),
        spine_oversubscription=draw(st.sampled_from([1.0, 2.0, 7.0])),
        balance=draw(st.sampled_from(["equal-links", "power-of-two"])),
        manager_links=draw(st.sampled_from([0, 1])),
        **SAID,
    )  # fmt: skip
    switches = {role: switch(role, draw(st.integers(4, 24))) for role in ("leaf", "spine", "core")}
    per_node = draw(st.sampled_from([1, 2, 4]))
    try:
        return plan_network(kind, "compute", draw(st.integers(1, 90)), per_node, FabricParts(kind, switches))
    except InfeasibleError:
        assume(False)
        raise


def ends(graph: FabricGraph) -> np.ndarray:
    """Every plugged port: device and port number."""
    device = np.concatenate([graph.cable_a, graph.cable_b]).astype(np.int64)
    port = np.concatenate([graph.cable_a_port, graph.cable_b_port]).astype(np.int64)
    return np.stack([device, port], axis=1)


def check(net: Network) -> None:
    graph = network_graph(net)
    plugged = ends(graph)
    assert np.unique(plugged, axis=0).shape == plugged.shape, "a port holds two cables"
    assert plugged.min() >= 0
    for tier in net.tiers:
        devices = graph.devices(tier.role)
        assert len(devices) == tier.num_switches
        here = plugged[(plugged[:, 0] >= devices.start) & (plugged[:, 0] < devices.stop)]
        down = here[here[:, 1] < tier.num_down_ports]
        up = here[here[:, 1] >= tier.num_down_ports]
        assert here[:, 1].max(initial=-1) < tier.num_down_ports + tier.num_up_ports
        downs = np.bincount(down[:, 0], minlength=devices.stop)[devices.start :]
        ups = np.bincount(up[:, 0], minlength=devices.stop)[devices.start :]
        ports = -(-downs // tier.down_links_per_port) + ups
        assert ports.max(initial=0) <= tier.num_ports, "more cables than ports"
    nodes = graph.devices("node")
    at_nodes = np.bincount(graph.cable_a, minlength=nodes.stop)[: nodes.stop]
    assert (at_nodes == net.links_per_node).all()
    assert graph.num_links == sum(group.num_cables * group.links_per_cable for group in net.cables)
    assert np.unique(graph.cable_number).size == sum(group.num_cables for group in net.cables)
    assert connected(graph), "a machine cannot be reached"


def connected(graph: FabricGraph) -> bool:
    """Whether all machines of a plane reach each other."""
    label = np.arange(graph.num_devices)
    for _ in range(graph.num_devices):
        before = label.copy()
        np.minimum.at(label, graph.cable_a, label[graph.cable_b])
        np.minimum.at(label, graph.cable_b, label[graph.cable_a])
        if (label == before).all():
            break
    return np.unique(label[: graph.role_start[1]]).size == 1


@settings(max_examples=150, deadline=None)
@given(networks())
def test_any_network_can_be_plugged_in(net: Network) -> None:
    check(net)


@settings(max_examples=60, deadline=None)
@given(networks())
def test_links_are_balanced(net: Network) -> None:
    """Between two switches the numbers of links differ by one at most, within a pod and plane."""
    graph = network_graph(net)
    leaves, spines = graph.devices("leaf"), graph.devices("spine")
    between = (
        (graph.cable_a >= leaves.start) & (graph.cable_b >= spines.start) & (graph.cable_b < spines.stop)
    )
    if net.topology == "dragonfly" or not between.any() or not len(spines):
        return
    lower = between & (graph.cable_a < leaves.stop)
    pairs = np.zeros((len(leaves), len(spines)), dtype=int)
    np.add.at(pairs, (graph.cable_a[lower] - leaves.start, graph.cable_b[lower] - spines.start), 1)
    pod, plane = graph.device_pod, graph.device_plane
    leaf, spine = np.asarray(leaves), np.asarray(spines)
    together = (pod[leaf][:, None] == pod[spine]) & (plane[leaf][:, None] == plane[spine])
    assert (pairs[~together] == 0).all()
    for row, mates in zip(pairs, together, strict=True):
        assert row[mates].max() - row[mates].min() <= 1
        assert row[mates].min() >= 1


@cache
def catalogue():
    return load_catalog()


@pytest.mark.parametrize("system", [id for id in catalogue().ids("systems") if catalogue().system(id)])
def test_usual_fabrics_can_be_plugged_in(system: str) -> None:
    found = catalogue().system(system)
    parts = fabric_parts(catalogue(), default_fabric(catalogue(), found), found)
    gpus = 3 * max(found.num_accelerators_per_domain, 64 * found.num_accelerators_per_node)
    for net in plan_fabric(found, min(gpus, 12288), parts).networks:
        if net.tiers and net.topology != "single-tier":
            check(net)


def test_a_graph_is_the_same_every_time() -> None:
    found = catalogue().system("hgx-b300")
    parts = fabric_parts(catalogue(), "superpod-b300-spectrum-x", found)
    one, two = (network_graph(plan_fabric(found, 4096, parts).compute) for _ in range(2))
    assert (one.cable_b == two.cable_b).all()
    assert (one.cable_b_port == two.cable_b_port).all()


def test_every_kind_of_the_catalogue_plans_a_hundred_thousand() -> None:
    """But InfiniBand of radix 64 in three tiers, which ends at 65,536."""
    system = catalogue().system("hgx-b300")
    for id in ("superpod-b300-xdr", "superpod-b300-spectrum-x", "spectrum-x-400g", "hpn-7", "dragonfly-ndr"):
        net = plan_fabric(system, 100_000, FabricParts(*_bare(id))).compute
        graph = network_graph(net)
        plugged = ends(graph)
        keys = plugged[:, 0] * (1 << 20) + plugged[:, 1]
        assert np.unique(keys).size == keys.size


def _bare(id: str):
    parts = fabric_parts(catalogue(), id)
    return parts.kind, parts.switches
