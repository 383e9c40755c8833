"""Every switch in a rack planned for it: counted rack by rack, unit by unit, from the coordinates."""

from __future__ import annotations

from collections import Counter

import pytest

from gigawatt.catalog import Catalog
from gigawatt.design.fabric import network_graph
from gigawatt.design.fabric.graph import ROLES
from gigawatt.design.facility.floor import device_positions, plan_floor, rack_kinds, rack_positions
from gigawatt.project.parts import fabric_parts


@pytest.mark.parametrize(
    ("system", "num_accelerators", "fabric"),
    [
        ("hgx-h100", 24_576, "llama-3-roce"),
        ("hgx-b200", 4_096, "superpod-b200-ndr"),
        ("hgx-b200", 248, "superpod-b200-ndr"),
        ("hgx-b300", 2_048, "superpod-b300-spectrum-x"),
        ("gb200-nvl72", 9_216, "superpod-gb200-ndr"),
        ("hgx-h100", 15_360, "hpn-7"),
    ],
)
def test_no_rack_holds_more_than_its_height_and_none_stands_empty(
    catalogue: Catalog, plan, system: str, num_accelerators: int, fabric: str
) -> None:
    found = catalogue.system(system)
    parts, site = fabric_parts(catalogue, fabric, found), catalogue.site("generic")
    design = plan(system, num_accelerators, fabric)
    kinds = rack_kinds(found, catalogue.accelerator(found.accelerator), design, parts, site)
    floor = plan_floor(kinds, design, site)
    racks = rack_positions(floor)
    spots = zip(racks.x_m.round(3).tolist(), racks.y_m.round(3).tolist(), strict=True)
    rack_at = {spot: number for number, spot in enumerate(spots)}
    used_units: Counter[int] = Counter()
    held: Counter[tuple[int, str]] = Counter()
    for net in design.networks:
        if net.inside_node or not net.tiers or net.name == "scale-up":
            continue
        graph = network_graph(net)
        places = device_positions(floor, design, graph, net.name)
        tiers = {tier.role: parts.switches[tier.switch] for tier in net.tiers}
        columns = (graph.device_role, places.x_m.round(3), places.y_m.round(3))
        for role, x_m, y_m in zip(*(column.tolist() for column in columns), strict=True):
            if ROLES[role] in tiers:
                rack = rack_at[x_m, y_m]
                used_units[rack] += tiers[ROLES[role]].rack_units or site.switch_units
                held[rack, f"{net.name} {ROLES[role]}"] += 1
    planned = {(number, item.name): item.quantity for number, kind in enumerate(kinds) for item in kind.items}
    for (rack, label), count in held.items():
        assert count <= planned[int(racks.kind[rack]), label], f"more {label} than the elevation shows"
    network = [rack for rack, kind in enumerate(racks.kind.tolist()) if kinds[kind].role == "network"]
    assert network
    assert set(used_units) == set(network), "a rack of switches stands empty, or a switch among nodes"
    assert max(used_units.values()) <= site.rack_units
