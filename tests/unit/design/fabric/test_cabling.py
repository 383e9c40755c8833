"""Cables by length: by hand on a small floor, then sums on a large one."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest

from gigawatt.design.fabric import cable_fabric, design_fabric, fabric_graph
from gigawatt.design.fabric.cabling import cable_lengths
from gigawatt.domain.fabric import Link
from gigawatt.errors import InfeasibleError
from gigawatt.project.parts import fabric_parts


class Places(NamedTuple):
    x_m: np.ndarray
    y_m: np.ndarray


@pytest.fixture
def small(catalogue, plan):
    """31 nodes on a row, a metre apart; the switches 40 m behind the first."""
    design = plan("hgx-b200", 248, "superpod-b200-ndr")
    parts = fabric_parts(catalogue, "superpod-b200-ndr")
    graph = fabric_graph(design)
    x_m, y_m = np.zeros(graph.num_devices), np.full(graph.num_devices, 40.0)
    x_m[:31], y_m[:31] = np.arange(31.0), 0.0
    return design, parts, graph, Places(x_m, y_m)


def test_lengths_are_ways_along_trays(small) -> None:
    _, _, graph, places = small
    lengths = cable_lengths(graph, places, drop_m=0.5, allowance_m=3.0)
    first, last = (lengths.length_m[graph.cable_a[lengths.first_link] == node] for node in (0, 30))
    assert (first == 40 + 1 + 3).all()
    assert (last == 30 + 40 + 1 + 3).all()
    inside = lengths.length_m[graph.cable_a[lengths.first_link] > 31]
    assert (inside == 1.0).all(), "leaves and spines share a place: no allowance"


def test_the_shortest_reach_that_suffices_is_taken(small) -> None:
    """44 to 74 m: multimode to 50 m, singlemode beyond; beside the switches passive copper."""
    design, parts, _, places = small
    cabled = cable_fabric(design, parts, {"compute": places}, drop_m=0.5)
    to_nodes, to_spines = cabled.compute.cables
    assert to_nodes.num_by_link == {"dac-400g": 4, "multimode-400g": 7 * 8, "singlemode-400g": 24 * 8}
    assert to_nodes.longest_m == 74.0
    assert to_spines.num_by_link == {"dac-400g": 256}


def test_bill_adds_up(small) -> None:
    design, parts, _, places = small
    cabled = cable_fabric(design, parts, {"compute": places}, drop_m=0.5)
    lines = [line for line in cabled.bill if line.network == "compute"]
    ends = {line.part: line.quantity for line in lines if line.category == "transceiver"}
    assert ends == {"multimode-400g": 7 * 8, "singlemode-400g": 24 * 8}, "two ends, two links to each"
    assert sum(line.quantity for line in lines if line.category == "switch") == 12
    priced = sum(line.quantity * line.price_usd for line in cabled.bill if line.price_usd is not None)
    assert cabled.price_usd == pytest.approx(priced)
    drawn = sum(line.quantity * line.power_w for line in cabled.bill if line.power_w is not None)
    assert cabled.power_w == pytest.approx(drawn)


def test_no_price_is_not_nothing(small) -> None:
    design, parts, _, places = small
    unpriced = tuple(link.model_copy(update={"cable_usd": None}) for link in parts.links)
    parts = type(parts)(parts.kind, parts.switches, unpriced, parts.others)
    cabled = cable_fabric(design, parts, {"compute": places})
    cables = [line for line in cabled.bill if line.category == "cable"]
    assert all(line.price_usd is None for line in cables)
    assert any("no price is known" in note for note in cabled.notes)


def test_beyond_every_reach(small) -> None:
    design, parts, _, places = small
    with pytest.raises(InfeasibleError, match="reach: a cable of"):
        cable_fabric(design, parts, {"compute": Places(places.x_m, places.y_m * 100)})


def test_without_a_site_cables_are_only_counted(catalogue) -> None:
    system = catalogue.system("hgx-b200")
    parts = fabric_parts(catalogue, "superpod-b200-ndr", system)
    design = design_fabric(system, catalogue.accelerator(system.accelerator), 512, parts)
    assert all(line.category == "switch" for line in design.bill)
    assert any("not measured" in note for note in design.notes)


def test_every_cable_on_a_floor_is_chosen_and_long_enough(catalogue) -> None:
    system = catalogue.system("hgx-b300")
    parts = fabric_parts(catalogue, "superpod-b300-spectrum-x", system)
    accelerator = catalogue.accelerator(system.accelerator)
    design = design_fabric(system, accelerator, 2048, parts, catalogue.site("generic"))
    links: dict[str, Link] = {link.id: link for link in parts.links}
    for net in design.networks:
        for group in net.cables if not net.inside_node else ():
            assert sum(group.num_by_link.values()) == group.num_cables
            total_m = sum(group.metres_by_link.values())
            assert total_m == pytest.approx(group.mean_m * group.num_cables)
            for id, count in group.num_by_link.items():
                assert links[id].bytes_per_s == group.bytes_per_s
                assert group.metres_by_link[id] <= count * links[id].reach_m * (1 + 1e-9)


def test_a_system_of_unknown_racks_is_counted_and_says_so(catalogue) -> None:
    system = catalogue.system("tpu-v5p-pod")
    parts = fabric_parts(catalogue, "datacentre-host-200g", system)
    accelerator = catalogue.accelerator(system.accelerator)
    design = design_fabric(system, accelerator, 8960, parts, catalogue.site("generic"))
    assert any("node_power_w" in note for note in design.notes)
    assert design.compute.tier("leaf").num_switches == 35
