"""Failures of fabrics of the catalogue, against what their makers and operators say, and against scipy."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import maximum_flow

from gigawatt.catalog import load_catalog
from gigawatt.design.fabric import fabric_graph, plan_fabric
from gigawatt.design.fabric.failures import failure_effects
from gigawatt.design.fabric.graph import CORE, LEAF, NODE, SPINE, FabricGraph
from gigawatt.domain.fabric import FabricDesign, FailureEffect
from gigawatt.project.parts import fabric_parts

CATALOG = load_catalog()
FABRICS = [
    ("superpod-b200-ndr", "hgx-b200", 248),
    ("superpod-b200-ndr", "hgx-b200", 760),
    ("superpod-b200-ndr", "hgx-b200", 8192),
    ("superpod-b300-spectrum-x", "hgx-b300", 2048),
    ("superpod-b300-xdr", "hgx-b300", 10368),
    ("superpod-gb200-ndr", "gb200-nvl72", 576),
    ("llama-3-roce", "hgx-h100", 24576),
    ("megascale-roce", "hgx-h100", 12288),
    ("hpn-7", "hgx-h800", 3000),
    ("dragonfly-ndr", "hgx-h100", 5000),
    ("ethernet-51t-fat-tree", "hgx-h100", 5000),
]


def designed(fabric: str, system: str, num_accelerators: int) -> tuple[FabricDesign, FabricGraph]:
    parts = fabric_parts(CATALOG, fabric, CATALOG.system(system))
    design = plan_fabric(CATALOG.system(system), num_accelerators, parts)
    return design, fabric_graph(design)


def effects_of(fabric: str, system: str, num_accelerators: int) -> dict[str, FailureEffect]:
    return {one.failing: one for one in failure_effects(*designed(fabric, system, num_accelerators))}


@pytest.mark.parametrize(("fabric", "system", "num_accelerators"), FABRICS)
def test_every_cable_and_switch_is_in_one_class(fabric: str, system: str, num_accelerators: int) -> None:
    design, graph = designed(fabric, system, num_accelerators)
    number: Counter[str] = Counter()
    for effect in failure_effects(design, graph):
        number[effect.failing.partition(" (as")[0]] += effect.num_alike
    cables = {kind.removeprefix("cable "): n for kind, n in number.items() if kind.startswith("cable")}
    assert sum(cables.values()) == len(np.unique(graph.cable_number))
    assert sum(cables.values()) == sum(group.num_cables for group in design.compute.cables)
    for tier in design.compute.tiers:
        assert number[f"{tier.role} switch"] == tier.num_switches
    planes = design.compute.num_planes
    assert number["plane"] == (planes if planes > 1 else 0)


def test_a_rail_leaf_takes_an_eighth_and_all_ports_of_one_accelerator_per_node() -> None:
    """One plane: 1/8 of a node's bandwidth if traffic goes over NVLink, else the job stops."""
    leaf = effects_of("superpod-b200-ndr", "hgx-b200", 512)["leaf switch"]
    assert leaf.bandwidth_left_frac == 7 / 8
    assert leaf.own_ports_left_frac == 0
    assert leaf.num_accelerators_slowed == 256
    assert leaf.num_accelerators_cut_off == 0
    assert leaf.note.startswith("32 accelerators lose all ports of their own")
    assert list(leaf.slowdown.values()) == pytest.approx([8 / 7] * 4)


def test_twin_planes_keep_half_of_a_port_and_nobody_is_cut_off() -> None:
    """NVIDIA's Spectrum-X design for B300: half of the bandwidth stays, and the job goes on."""
    effects = effects_of("superpod-b300-spectrum-x", "hgx-b300", 2048)
    assert effects["plane"].bandwidth_left_frac == effects["plane"].own_ports_left_frac == 0.5
    assert effects["plane"].slowdown["all_reduce"] == 2
    assert effects["leaf switch"].own_ports_left_frac == effects["leg node-leaf"].own_ports_left_frac == 0.5
    assert effects["leaf switch"].bandwidth_left_frac == 15 / 16
    assert effects["leg node-leaf"].num_alike == 2 * effects["cable node-leaf"].num_alike
    assert {one.num_accelerators_cut_off for one in effects.values()} == {0}


def test_two_leaves_for_each_accelerator_survive_the_loss_of_one() -> None:
    """Alibaba HPN: a leaf lost halves a port and kills no job."""
    effects = effects_of("hpn-7", "hgx-h800", 2048)
    assert effects["leaf switch"].own_ports_left_frac == 0.5
    assert effects["leaf switch"].num_accelerators_cut_off == 0


def test_a_rack_below_one_leaf_goes_with_it() -> None:
    """Llama 3: 16 accelerators a rack, one leaf, uplinks under-subscribed 1:2, 8 cores, 1:7 between pods."""
    effects = effects_of("llama-3-roce", "hgx-h100", 24576)
    assert effects["leaf switch"].num_accelerators_cut_off == 16
    assert effects["leaf switch"].slowdown == {}
    assert effects["cable leaf-spine"].bandwidth_left_frac == 1
    core = effects["core switch"]
    assert core.bandwidth_left_frac == pytest.approx(1 - 1 / core.num_alike)
    assert core.num_accelerators_slowed == 24576
    assert core.slowdown["all_to_all"] == pytest.approx(core.num_alike / (core.num_alike - 1))
    assert core.slowdown["all_reduce"] == 1


def test_rings_leave_a_pod_once_and_do_not_notice_a_spine() -> None:
    """32 spines to a pod of four units, 31 of which are left."""
    spine = effects_of("superpod-b200-ndr", "hgx-b200", 8192)["spine switch"]
    assert spine.bandwidth_left_frac == 31 / 32
    assert spine.num_accelerators_slowed == 4 * 256
    assert spine.slowdown["all_reduce"] == 1
    assert spine.slowdown["send_recv"] == pytest.approx(32 / 31)
    # Of a uniform exchange 992 of a node's 1,023 partners are outside its unit, all over 31/32 of the spines.
    assert spine.slowdown["all_to_all"] == pytest.approx(992 / 1023 / (31 / 32))


def total_flow(graph: FabricGraph, left: np.ndarray, tier: int) -> int:
    """What all nodes together can send up to a tier, by scipy, in links."""
    source, sink = graph.num_devices, graph.num_devices + 1
    a, b = graph.cable_a[left].astype(np.int64), graph.cable_b[left].astype(np.int64)
    below = graph.device_role[a] < tier
    nodes = np.flatnonzero(graph.device_role == NODE)
    tops = np.flatnonzero(graph.device_role == tier)
    tails = np.concatenate((a[below], np.full_like(nodes, source), tops))
    heads = np.concatenate((b[below], nodes, np.full_like(tops, sink)))
    capacity = np.concatenate((np.ones(int(below.sum())), np.full(len(nodes) + len(tops), 10**6)))
    shape = (sink + 1, sink + 1)
    network = csr_matrix((capacity.astype(np.int32), (tails, heads)), shape=shape)
    return int(maximum_flow(network, source, sink).flow_value)


@pytest.mark.parametrize("num_accelerators", [248, 760])
def test_a_printed_design_loses_what_a_maximum_flow_loses(num_accelerators: int) -> None:
    """One node gave way to the fabric manager; every switch and one cable in seven, one by one."""
    design, graph = designed("superpod-b200-ndr", "hgx-b200", num_accelerators)
    tiers = [tier for tier in (LEAF, SPINE, CORE) if (graph.device_role == tier).any()]
    whole = np.ones(graph.num_links, bool)
    before = [total_flow(graph, whole, tier) for tier in tiers]
    found: dict[str, set[float]] = {}
    for effect in failure_effects(design, graph):
        found.setdefault(effect.failing.partition(" (as")[0], set()).add(
            round(effect.fabric_left_frac or 0, 9)
        )
    for device in np.flatnonzero(np.isin(graph.device_role, tiers)):
        left = (graph.cable_a != device) & (graph.cable_b != device)
        share = min(total_flow(graph, left, t) / all_ for t, all_ in zip(tiers, before, strict=True))
        assert round(share, 9) in found[f"{graph.device_name(device).split('-')[0]} switch"]
    for link in range(0, graph.num_links, 7):
        left = np.arange(graph.num_links) != link
        share = min(total_flow(graph, left, t) / all_ for t, all_ in zip(tiers, before, strict=True))
        ends = (graph.device_name(int(end[link])).split("-")[0] for end in (graph.cable_a, graph.cable_b))
        assert round(share, 9) in found["cable " + "-".join(ends)]
