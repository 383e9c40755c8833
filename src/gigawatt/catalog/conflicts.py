"""Where published facts speak of the same thing, and do not agree: shown, never smoothed over.

Each comparison derives one quantity from several rows. Claims whose ranges do not touch are a conflict.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gigawatt.domain.deals import PublishedFact
from gigawatt.domain.hardware import System
from gigawatt.laws.progress import YEAR_S
from gigawatt.units import format_quantity

if TYPE_CHECKING:
    from gigawatt.catalog.reading import Catalog

_GPUS_PER_SUPERCHIP = 2


@dataclass(frozen=True, slots=True)
class Claim:
    """What follows from some rows."""

    text: str
    low: float
    high: float
    facts: tuple[str, ...]
    """Ids of the rows behind it."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """One quantity, as several sources have it."""

    subject: str
    suffix: str
    """Of the unit that the claims are in."""
    claims: tuple[Claim, ...]
    every: str = ""
    """ " a year", where a claim is a rate that its suffix does not say."""

    @property
    def agrees(self) -> bool:
        """Whether one value could make all claims true."""
        return max(claim.low for claim in self.claims) <= min(claim.high for claim in self.claims)

    @property
    def ratio(self) -> float:
        """The largest claim over the smallest, each at its nearer end; 1 where they touch."""
        return max(1.0, max(one.low for one in self.claims) / min(one.high for one in self.claims))

    def texts(self) -> Iterator[str]:
        """The claims in words."""
        for claim in self.claims:
            low, high = (format_quantity(value, self.suffix) for value in (claim.low, claim.high))
            figure = low if low == high else f"{low} to {high}"
            yield f"{figure}{self.every} ({claim.text})"


def compare_facts(catalog: Catalog) -> tuple[Comparison, ...]:
    """Every comparison that the shipped rows allow, whether they agree or not."""
    facts = {fact.id: fact for fact in catalog.facts}
    rack = catalog.system("gb200-nvl72")
    return (*_campuses(facts, rack), *_prices(facts, rack), *_counts(facts))


Facts = Mapping[str, PublishedFact]


def _of(facts: Facts, text: str, *ids: str, factor: float = 1.0) -> Claim:
    """A row as it stands, or the first divided by the others, times a factor."""
    low, high = facts[ids[0]].ends
    for id in ids[1:]:
        least, most = facts[id].ends
        low, high = low / most, high / least
    return Claim(text, low * factor, high * factor, ids)


def _sum(facts: Facts, text: str, first: str, second: str, below: str) -> Claim:
    """Two rows together, divided by a third."""
    (low, high), (more_low, more_high), (least, most) = (facts[id].ends for id in (first, second, below))
    return Claim(text, (low + more_low) / most, (high + more_high) / least, (first, second, below))


def _superchips_per_rack(rack: System) -> float:
    assert rack.num_accelerators_per_rack
    return rack.num_accelerators_per_rack / _GPUS_PER_SUPERCHIP


def _campuses(facts: Facts, rack: System) -> Iterator[Comparison]:
    per_rack, rack_w = _superchips_per_rack(rack), rack.rack_power_w or 0.0
    racked = f"superchips, {per_rack:g} in a rack of {format_quantity(rack_w, '_w')}, before cooling"
    yield Comparison(
        "power of the campus at Abilene",
        "_w",
        (
            _of(facts, "as announced", "abilene-power"),
            _of(facts, racked, "abilene-superchips", factor=rack_w / per_rack),
        ),
    )
    yield Comparison(
        "cost of an AI campus, everything in",
        "_usd_per_w",
        (
            _of(facts, "Bernstein", "bernstein-campus-cost"),
            _of(facts, "Epoch AI", "epoch-campus-cost"),
            _of(facts, "Stargate, as announced", "stargate-investment", "stargate-target"),
            _of(facts, "New Carlisle", "new-carlisle-cost", "new-carlisle-power"),
            _sum(
                facts,
                "Abilene, superchips and construction",
                "abilene-superchip-cost",
                "abilene-construction",
                "abilene-power",
            ),
        ),
    )
    yield Comparison(
        "construction without IT",
        "_usd_per_w",
        (
            _of(facts, "mean and range of 19 markets", "construction-average"),
            _of(facts, "halls for AI", "construction-ai"),
            _of(facts, "Abilene, financing", "abilene-construction", "abilene-power"),
        ),
    )


def _prices(facts: Facts, rack: System) -> Iterator[Comparison]:
    per_rack = _superchips_per_rack(rack)
    yield Comparison(
        "price of a GB200 superchip with its share of the rack",
        "_usd",
        (
            _of(facts, "Abilene", "abilene-superchip-cost", "abilene-superchips"),
            _of(facts, "price of a rack", "nvl72-rack-price", factor=1 / per_rack),
        ),
    )
    yield Comparison(
        "a year of AI capacity, owned and rented",
        "_usd_per_w",
        (
            _of(facts, "owned, GB200, Epoch AI", "epoch-campus-tco"),
            _of(facts, "owned, H100, Epoch AI before", "epoch-h100-tco"),
            _of(
                facts,
                "rented, OpenAI from Oracle",
                "oracle-openai-value",
                "oracle-openai-capacity",
                "oracle-openai-years",
            ),
        ),
        " a year",
    )


def _counts(facts: Facts) -> Iterator[Comparison]:
    yield Comparison(
        "capacity announced for 2026 in the United States",
        "_w",
        (
            _of(facts, "one count", "pipeline-2026-announced"),
            _of(facts, "another", "pipeline-2026-announced-aria"),
        ),
    )
    yield Comparison(
        "capital expenditure of Meta in 2025",
        "_usd",
        (
            _of(facts, "guidance of January", "meta-capex-2025-january"),
            _of(facts, "guidance of July", "meta-capex-2025-july"),
        ),
    )
    yield Comparison(
        "useful life of servers",
        "_s",
        tuple(
            _of(facts, text, id, factor=YEAR_S)
            for text, id in (
                ("Microsoft and Alphabet", "life-microsoft-alphabet"),
                ("Amazon since 2025", "life-amazon"),
                ("those who doubt", "life-gpu-bear"),
            )
        ),
    )
