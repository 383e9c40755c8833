"""Made-up machines: small enough to count by hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from gigawatt.domain.fabric import CableGroup, FabricDesign, Network, Switch, SwitchTier
from gigawatt.domain.facility import Site
from gigawatt.domain.hardware import Accelerator, System

ROW: dict[str, Any] = {"source": "made-up", "basis": "estimate", "date": "2026"}


@dataclass
class MadeUpParts:
    switches: dict[str, Switch]


@dataclass
class MadeUpGraph:
    device_role: np.ndarray


def accelerator() -> Accelerator:
    return Accelerator(
        id="a", name="A", vendor="V", architecture="X", peak_flop_per_s={"bf16": 1e15}, tdp_w=700.0, **ROW
    )


def system(**changes: Any) -> System:
    fields: dict[str, Any] = {
        "num_accelerators_per_node": 8,
        "num_accelerators_per_domain": 8,
        "node_power_w": 10_000.0,
        "node_rack_units": 8,
        "node_weight_kg": 100.0,
        "liquid_frac": 0.0,
    }
    return System(id="s", name="S", accelerator="a", **ROW, **(fields | changes))


def switch() -> Switch:
    return Switch(
        id="sw",
        name="SW",
        vendor="V",
        technology="infiniband",
        num_ports=64,
        port_bytes_per_s=50e9,
        power_w=1000.0,
        rack_units=1,
        weight_kg=15.0,
        **ROW,
    )


def parts() -> MadeUpParts:
    return MadeUpParts({"sw": switch()})


def design(num_nodes: int, nodes_per_unit: int = 32, num_spines: int = 4) -> FabricDesign:
    """Eight leaves to a unit, one for each rail."""
    num_units = -(-num_nodes // nodes_per_unit)
    tiers = tuple(
        SwitchTier(role=role, switch="sw", num_switches=num, num_ports=64, num_down_ports=32, num_up_ports=32)
        for role, num in (("leaf", 8 * num_units), ("spine", num_spines))
        if num
    )
    cables = (CableGroup(lower="node", upper="leaf", num_cables=8 * num_nodes, bytes_per_s=50e9),)
    network = Network(
        name="compute",
        technology="infiniband",
        topology="rail-optimised",
        tiers=tiers,
        cables=cables,
        num_nodes=num_nodes,
        nodes_per_unit=nodes_per_unit,
        num_units=num_units,
    )
    return FabricDesign(
        fabric="f",
        system="s",
        num_accelerators=8 * num_nodes,
        num_nodes=num_nodes,
        num_units=num_units,
        networks=(network,),
    )


def graph(made: FabricDesign) -> MadeUpGraph:
    leaves = made.compute.tiers[0].num_switches
    spines = made.compute.tiers[1].num_switches if len(made.compute.tiers) > 1 else 0
    return MadeUpGraph(np.repeat([0, 1, 2], [made.num_nodes, leaves, spines]).astype(np.int8))


def site(**changes: Any) -> Site:
    fields: dict[str, Any] = {
        "climate": "c",
        "utility_v": 138e3,
        "floor_limit_kg_per_m2": 2000.0,
        "hall_it_w": 10e6,
        "rows_per_hall": 12,
        "racks_per_row": 20,
        "halls_per_building": 4,
        "rack_width_m": 0.6,
        "rack_depth_m": 1.2,
        "rack_units": 48,
        "rack_empty_kg": 150.0,
        "rack_limit_w": 150e3,
        "rack_air_limit_w": 45e3,
        "network_rack_fill_frac": 0.5,
        "switch_units": 2,
        "switch_unit_kg": 12.0,
        "switch_unit_w": 250.0,
        "cold_aisle_m": 1.2,
        "hot_aisle_m": 1.2,
        "tray_height_m": 0.5,
        "hall_gap_m": 3.0,
        "building_gap_m": 20.0,
        "chain": (),
        "plant": (),
        "supply_c": 25.0,
        "rise_k": 10.0,
        "costs_usd_per_w": {},
        "build_months": 24.0,
        "phase_months": 6.0,
        "phase_it_w": 20e6,
    }
    return Site(id="here", name="Here", **ROW, **(fields | changes))


@pytest.fixture
def made() -> Any:
    """The makers above, so that test files need no import of each other."""
    import sys

    return sys.modules[__name__]


@pytest.fixture(scope="session")
def made_once() -> Any:
    """The same, for tests that draw many examples."""
    import sys

    return sys.modules[__name__]
