"""Power chains of made-up halls from the catalogue's equipment, for the tests of whoever uses them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from types import SimpleNamespace
from typing import Any

import pytest

from gigawatt.catalog import load_catalog
from gigawatt.design.facility.power import plan_power
from gigawatt.domain.facility import Equipment, FloorPlan, PowerChain, RackKind, Redundancy, Site

CHAIN = (
    "utility-feed",
    "substation-transformer-40mva",
    "mv-switchgear-20kv-2500a",
    "transformer-2500kva",
    "diesel-generator-2500kw",
    "lv-switchgear-415v-4000a",
    "ups-1250kw",
    "busway-415v-800a",
    "tap-off-415v-63a",
    "power-shelf-33kw",
)


@cache
def equipment() -> dict[str, Equipment]:
    return {row.id: row for row in load_catalog().rows("equipment")}


def site(**changes: Any) -> Site:
    fields = {"id": "here", "chain": CHAIN, "utility_v": 110e3, "available_w": None, "redundancy": "2n"}
    return Site.model_construct(**(fields | changes))


def floor(racks: Sequence[tuple[int, float]]) -> FloorPlan:
    """Racks as (how many, watts of one)."""
    kinds = tuple(
        RackKind(
            name=f"kind {n}", role="compute", num_racks=count, power_w=watts, weight_kg=1.0, rack_units=48
        )
        for n, (count, watts) in enumerate(racks)
    )
    return FloorPlan.model_construct(racks=kinds)


def chain_of(
    redundancy: Redundancy,
    racks: Sequence[tuple[int, float]] = ((64, 120e3), (8, 20e3)),
    cooling_frac: float = 0.2,
    pieces: dict[str, Equipment] | None = None,
    **changes: Any,
) -> PowerChain:
    it_w = sum(count * watts for count, watts in racks)
    known = equipment() | (pieces or {})
    return plan_power(it_w, cooling_frac * it_w, floor(racks), site(**changes), known, redundancy)


@pytest.fixture(scope="session")
def chains() -> SimpleNamespace:
    """`chain_of` and what it is made of."""
    return SimpleNamespace(chain_of=chain_of, equipment=equipment, floor=floor, site=site)
