"""Racks on a floor: counted by hand, placed once, never beyond a limit."""

from __future__ import annotations

from math import ceil
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gigawatt.design.facility.floor import (
    device_positions,
    hall_corners_m,
    plan_floor,
    rack_kinds,
    rack_positions,
)
from gigawatt.domain.facility import FloorPlan
from gigawatt.errors import InfeasibleError, InputError
from gigawatt.laws.floor import tray_run_m


def planned(
    made: Any, num_nodes: int, num_spines: int = 4, nodes_per_unit: int = 32, **place: Any
) -> FloorPlan:
    design = made.design(num_nodes, nodes_per_unit, num_spines)
    site = made.site(**place)
    return plan_floor(rack_kinds(made.system(), made.accelerator(), design, made.parts(), site), design, site)


def test_a_superpod_unit_fills_the_racks_that_its_maker_draws(made: Any) -> None:
    """Four nodes of 10 kW to a rack of 45 kW of air: 32 nodes in eight racks, their leaves in one more."""
    plan = planned(made, 64)
    compute, leaf, spine = plan.racks
    assert (compute.num_racks, compute.num_per_unit, compute.num_accelerators) == (16, 8, 32)
    assert compute.weight_kg == 150 + 4 * 100
    assert (leaf.num_racks, leaf.num_per_unit) == (2, 1)
    assert [(item.quantity, item.lowest_unit) for item in leaf.items] == [(8, 41)]
    assert (spine.num_racks, spine.num_per_unit, spine.power_w) == (1, 0, 4000.0)
    assert plan.num_halls == 1
    assert plan.hall_it_w == 64 * 10e3 + 20 * 1000


def test_a_small_hall_by_hand(made: Any) -> None:
    """One unit: eight racks of nodes about one of leaves, two facing each other; the spine's rack beside."""
    plan = planned(made, 32)
    assert (plan.rows_per_hall, plan.racks_per_row) == (2, 6)
    assert plan.hall_width_m == pytest.approx(6 * 0.6 + 2 * 1.2)
    assert plan.hall_depth_m == pytest.approx(2 * 1.2 + 1.2 + 2 * 1.2)
    places = rack_positions(plan)
    leaf = int(np.flatnonzero(places.kind == 1)[0])
    assert (places.row[leaf], places.column[leaf]) == (0, 2)
    assert places.x_m[leaf] == pytest.approx(1.2 + 2.5 * 0.6)
    assert places.y_m[leaf] == pytest.approx(1.2 + 0.6)
    assert float(places.y_m.max()) == pytest.approx(1.2 + 1.2 + 1.2 + 0.6)


def test_the_load_of_the_floor_is_the_heaviest_racks(made: Any) -> None:
    plan = planned(made, 32)
    assert plan.floor_load_kg_per_m2 == pytest.approx(550 / (0.6 * 2.4))


def run_m(plan: FloorPlan, places: Any, a: Any, b: Any) -> Any:
    """By the trays, from device to device."""
    return tray_run_m(places.x_m[a], places.y_m[a], places.x_m[b], places.y_m[b], plan.tray_height_m)


def test_cables_run_along_the_trays(made: Any) -> None:
    design = made.design(32)
    plan = planned(made, 32)
    places = device_positions(plan, design, made.graph(design))
    first, leaf = np.array([0]), np.array([32])
    # The first node stands in column 0, its leaf in column 2 of the same row; half a metre up and down.
    assert run_m(plan, places, first, leaf) == pytest.approx([2 * 0.6 + 2 * 0.5])


def test_network_racks_in_the_middle_beat_those_at_the_end(made: Any) -> None:
    """The mean run to the leaves is what the block's geometry gives, and shorter than from its edge."""
    design = made.design(64)
    plan = planned(made, 64)
    places = device_positions(plan, design, made.graph(design))
    nodes = np.arange(32)
    middle = run_m(plan, places, nodes, np.full(32, 64)).mean()
    edge = np.abs(places.x_m[nodes] - places.x_m[:32].min()) + np.abs(places.y_m[nodes] - places.y_m[64])
    assert middle < edge.mean() + 2 * plan.tray_height_m


def test_small_units_share_their_network_racks(made: Any) -> None:
    """Units of four nodes fill one rack each: eight of them stand about one rack for all their leaves."""
    plan = planned(made, 64, nodes_per_unit=4)
    assert plan.units_together == 8
    assert (plan.num_units, plan.racks[0].num_per_unit) == (2, 8)
    assert plan.racks[1].items[0].quantity * plan.racks[1].num_per_unit >= 64


def test_a_unit_that_no_hall_feeds_is_split_evenly(made: Any) -> None:
    plan = planned(made, 64, hall_it_w=200e3)
    assert plan.groups_per_unit == 2
    assert plan.hall_it_w <= 200e3
    assert plan.num_halls == 4


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ({"floor_limit_kg_per_m2": 300.0}, "floor load binds"),
        ({"hall_it_w": 30e3}, "hall power binds"),
        ({"floor_area_m2": 100.0}, "floor area binds"),
        ({"rack_air_limit_w": 9e3}, "air cooling of a rack"),
        ({"rack_limit_w": 9e3}, "power taps of a rack"),
        ({"rack_units": 7}, "height binds"),
    ],
)
def test_a_limit_that_binds_is_named(made: Any, place: dict[str, float], words: str) -> None:
    with pytest.raises(InfeasibleError, match=words):
        planned(made, 640, **place)


def test_the_nearest_number_that_fits_the_floor_does(made: Any) -> None:
    with pytest.raises(InfeasibleError) as refused:
        planned(made, 6400, floor_area_m2=800.0)
    words = str(refused.value).split("about ")[1].split(" accelerators")[0]
    nearest = int(words.replace(",", "")) // 8
    assert planned(made, nearest, floor_area_m2=800.0).area_m2 <= 800.0


def test_a_system_of_which_too_little_is_known_is_refused(made: Any) -> None:
    design = made.design(32)
    with pytest.raises(InputError, match="the height of a node"):
        rack_kinds(made.system(node_rack_units=None), made.accelerator(), design, made.parts(), made.site())


SITES = st.fixed_dictionaries(
    {
        "hall_it_w": st.sampled_from([0.3e6, 1e6, 4e6, 20e6]),
        "rows_per_hall": st.integers(2, 20),
        "racks_per_row": st.integers(6, 40),
        "halls_per_building": st.integers(1, 5),
        "gallery_m": st.sampled_from([0.0, 3.0]),
    }
)


@settings(max_examples=100, deadline=None)
@given(
    num_nodes=st.integers(1, 900),
    nodes_per_unit=st.sampled_from([4, 16, 31, 32, 72, 200]),
    num_spines=st.integers(0, 60),
    place=SITES,
)
def test_any_floor_keeps_its_limits(
    made_once: Any, num_nodes: int, nodes_per_unit: int, num_spines: int, place: dict[str, Any]
) -> None:
    made = made_once
    design = made.design(num_nodes, nodes_per_unit, num_spines)
    site = made.site(**place)
    racks = rack_kinds(made.system(), made.accelerator(), design, made.parts(), site)
    try:
        plan = plan_floor(racks, design, site)
    except InfeasibleError:
        return
    places = rack_positions(plan)
    cells = set(zip(places.hall.tolist(), places.row.tolist(), places.column.tolist(), strict=True))
    assert len(cells) == places.x_m.size == sum(kind.num_racks for kind in racks)
    assert np.bincount(places.kind, minlength=len(racks)).tolist() == [kind.num_racks for kind in racks]
    assert plan.rows_per_hall <= site.rows_per_hall
    assert plan.racks_per_row <= site.racks_per_row
    assert int(places.row.max()) < plan.rows_per_hall
    assert int(places.column.max()) < plan.racks_per_row
    assert set(places.hall.tolist()) == set(range(plan.num_halls))
    watts = np.array([kind.power_w for kind in racks])[places.kind]
    assert float(np.bincount(places.hall, weights=watts).max()) <= site.hall_it_w * (1 + 1e-6)
    assert float(watts.sum()) == pytest.approx(
        num_nodes * 10e3 + 1000 * (design.compute.tiers[0].num_switches + num_spines)
    )
    within_walls(plan, places)
    devices = device_positions(plan, design, made.graph(design))
    stands_on_a_rack = set(zip(places.x_m.round(6).tolist(), places.y_m.round(6).tolist(), strict=True))
    assert (
        set(zip(devices.x_m.round(6).tolist(), devices.y_m.round(6).tolist(), strict=True))
        <= stands_on_a_rack
    )
    pick = np.random.default_rng(0).integers(0, devices.x_m.size, (2, 50))
    there, back = run_m(plan, devices, *pick), run_m(plan, devices, *pick[::-1])
    assert np.array_equal(there, back)
    assert float(there.min()) >= 2 * plan.tray_height_m


def within_walls(plan: FloorPlan, places: Any) -> None:
    """No rack reaches over a wall, and no two halls overlap."""
    left, front = hall_corners_m(plan)
    x, y = places.x_m - left[places.hall], places.y_m - front[places.hall]
    half = plan.rack_width_m / 2
    assert float(x.min()) >= plan.gallery_m + half
    assert float(x.max()) <= plan.hall_width_m - half
    assert float(y.min()) >= 0
    assert float(y.max()) <= plan.hall_depth_m
    apart = (np.abs(left[:, None] - left) >= plan.hall_width_m - 1e-9) | (
        np.abs(front[:, None] - front) >= plan.hall_depth_m - 1e-9
    )
    assert apart[~np.eye(plan.num_halls, dtype=bool)].all()


@pytest.mark.parametrize("num_nodes", [1, 31, 32, 33, 100, 12_500])
def test_every_node_has_a_place_in_a_rack_with_room(made: Any, num_nodes: int) -> None:
    design = made.design(num_nodes, num_spines=16)
    plan = planned(made, num_nodes, num_spines=16)
    devices = device_positions(plan, design, made.graph(design))
    spots = np.stack([devices.x_m[:num_nodes], devices.y_m[:num_nodes]]).round(6)
    _, counts = np.unique(spots, axis=1, return_counts=True)
    assert int(counts.max()) <= 4
    assert counts.size == sum(ceil(min(32, num_nodes - first) / 4) for first in range(0, num_nodes, 32))
