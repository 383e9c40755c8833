"""Hazards against what they were made from: printed counts, rates of whole fleets, classes that must be."""

from __future__ import annotations

import math
from typing import get_args

import pytest

from gigawatt.catalog import load_catalog
from gigawatt.domain.hazard import Component, FrailNodes, Hazard, Part
from gigawatt.domain.reliability import FleetReliability

NODE = 8
"""Accelerators of the nodes that fleets count by."""
# Llama 3, table 5: the 419 unexpected interruptions of 54 days, by the component that a hazard has.
COUNTED = {
    "gpu": 148 + 19 + 17 + 6 + 6, "hbm": 72, "network": 35 + 7, "host": 32 + 3 + 2 + 2 + 2 + 2, "storage": 3,
    "software": 54 + 2 + 7,
}  # fmt: skip


@pytest.fixture(scope="module")
def hazards() -> list[Hazard]:
    return [row for row in load_catalog().rows("hazards") if isinstance(row, Hazard)]


def felt_per_node_day(hazards: list[Hazard], *components: str) -> float:
    """Events that end or spoil a job, on a node of eight, without what takes racks, pods and sites."""
    each = {"gpu": NODE, "node": 1}
    return 86400 * sum(
        hazard.events_per_s * each[hazard.scope]
        for hazard in hazards
        if hazard.scope in each and hazard.effect != "slows" and hazard.component in components
    )


def test_the_printed_counts_add_up() -> None:
    assert sum(COUNTED.values()) == 419


def test_a_node_fails_as_often_as_the_fleets_planned_with(hazards: list[Hazard]) -> None:
    fleets = [row for row in load_catalog().rows("reliability") if isinstance(row, FleetReliability)]
    rates = [
        fleet.node_failures_per_s * 86400
        for fleet in fleets
        if fleet.planned_with and fleet.node_failures_per_s and fleet.accelerators_per_node == NODE
    ]
    geometric_mean = math.exp(sum(map(math.log, rates)) / len(rates))
    assert len(rates) >= 5
    assert felt_per_node_day(hazards, *get_args(Component)) == pytest.approx(geometric_mean, rel=0.02)


@pytest.mark.parametrize(
    ("components", "counted"),
    [
        (("gpu", "nvlink"), "gpu"),
        (("hbm",), "hbm"),
        (("nic", "cable"), "network"),
        (("host",), "host"),
        (("storage",), "storage"),
        (("software",), "software"),
    ],
)
def test_causes_have_the_shares_that_llama_3_counted(
    hazards: list[Hazard], components: tuple[str, ...], counted: str
) -> None:
    share = felt_per_node_day(hazards, *components) / felt_per_node_day(hazards, *get_args(Component))
    assert share == pytest.approx(COUNTED[counted] / 419, rel=0.05)


def test_every_class_is_there(hazards: list[Hazard]) -> None:
    assert {hazard.component for hazard in hazards} == set(get_args(Component))
    assert {hazard.effect for hazard in hazards} == {"stops", "slows", "corrupts"}
    assert {"rack", "site"} <= {hazard.scope for hazard in hazards if hazard.component == "cooling"}
    assert {"rack", "site"} <= {hazard.scope for hazard in hazards if hazard.component == "power"}
    software = {hazard.id for hazard in hazards if hazard.component == "software"}
    assert {"driver", "library", "framework", "user-code"} <= software


def test_every_rate_and_lead_time_has_a_range(hazards: list[Hazard]) -> None:
    assert [hazard.id for hazard in hazards if hazard.low_events_per_s is None] == []
    assert [hazard.id for hazard in hazards if hazard.low_detection_s is None] == []
    parts = [row for row in load_catalog().rows("parts") if isinstance(row, Part)]
    assert [part.id for part in parts if part.low_lead_time_s is None] == []


def test_lemons_explain_what_removing_them_did() -> None:
    """Jobs of 512 GPUs and more failed 14 % of the time with lemons, 4 % without: a share of the rate."""
    frail = load_catalog().frail_nodes()
    gone = 1 - math.log(1 - 0.04) / math.log(1 - 0.14)
    assert frail.low_failures_frac < gone < frail.high_failures_frac
    assert frail.low_nodes_frac < 40 / 3000 < frail.high_nodes_frac
    assert frail.low_nodes_frac < 3 / 63 < frail.high_nodes_frac


def test_the_mean_over_all_nodes_is_the_hazards_rate() -> None:
    frail: FrailNodes = load_catalog().frail_nodes()
    mean = frail.sound_ratio * (1 - frail.nodes_frac) + frail.sound_ratio * frail.ratio * frail.nodes_frac
    assert mean == pytest.approx(1.0)


def test_contradictions_are_told() -> None:
    row = {
        "id": "x", "name": "x", "source": "x", "basis": "estimate", "date": "2026", "component": "gpu",
        "scope": "gpu", "effect": "slows", "events_per_s": 1e-9, "low_events_per_s": 2e-9,
        "high_events_per_s": 3e-9, "detection_s": 1.0, "reboot_frac": 0.6, "repair_frac": 0.6,
        "part_frac": 0.5,
    }  # fmt: skip
    told = " ".join(Hazard.model_validate(row).contradictions())
    assert all(word in told for word in ("within", "more than all", "full speed", "no time", "of what part"))
    part = {"id": "x", "name": "x", "source": "x", "basis": "estimate", "date": "2026"}
    bad = Part.model_validate({**part, "lead_time_s": 1.0, "low_lead_time_s": 2.0, "high_lead_time_s": 3.0})
    assert "not within" in " ".join(bad.contradictions())
