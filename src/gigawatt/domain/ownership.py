"""What capacity of one's own costs and earns: assets and their lives, power, upkeep, prices of what it does.

All per watt of IT or per accelerator, in dollars of the project's price year. Ranges (`low_`, `high_`) are
what the tornado swings over.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from gigawatt.domain.record import Provenance, Record
from gigawatt.domain.scenario import Id, Stated

_MAX_LIFE_S = 3.2e9
Life = Annotated[float, Field(gt=0, le=_MAX_LIFE_S)]

RANGED = (
    "discount_frac",
    "power_price_usd_per_mwh",
    "pue",
    "load_frac",
    "accelerator_w",
    "utilisation_frac",
    "price_usd_per_gpu_h",
    "price_change_frac",
)
"""Figures of `Ownership` that may have a range."""


class Asset(Stated):
    """Something that is bought, written off and, where the horizon is longer, bought again."""

    id: Id
    capex_usd_per_w: float = Field(gt=0, le=1000)
    """Per watt of IT."""
    low_capex_usd_per_w: float | None = Field(default=None, gt=0, le=1000)
    high_capex_usd_per_w: float | None = Field(default=None, gt=0, le=1000)
    life_s: Life
    """For as long it is of use."""
    low_life_s: Life | None = None
    high_life_s: Life | None = None
    book_life_s: Life | None = None
    """Over which it is written off in the accounts; blank: as long as it is of use."""
    servers: bool = False
    """Whether the accounts' lives of `book_lives_s` are tried on it."""
    residual_frac: float = Field(default=0.0, ge=0, lt=1)
    upkeep_frac: float = Field(default=0.0, ge=0, le=1)
    """A year, of its price: spares, staff, service."""
    spent: Literal["when-ready", "as-planned"] = "when-ready"
    """Paid when the block is ready, or by the single-date plan, whether it is late or not."""

    @model_validator(mode="after")
    def _ranges_hold(self) -> Self:
        _check_ranges(self, ("capex_usd_per_w", "life_s"))
        return self


class Ownership(Stated):
    """The money of a project."""

    assets: tuple[Asset, ...] = Field(min_length=1)
    discount_frac: float = Field(ge=0, le=1)
    low_discount_frac: float | None = Field(default=None, ge=0, le=1)
    high_discount_frac: float | None = Field(default=None, ge=0, le=1)
    power_price_usd_per_mwh: float = Field(ge=-500, le=10_000)
    low_power_price_usd_per_mwh: float | None = Field(default=None, ge=-500, le=10_000)
    high_power_price_usd_per_mwh: float | None = Field(default=None, ge=-500, le=10_000)
    pue: float = Field(ge=1, le=5)
    low_pue: float | None = Field(default=None, ge=1, le=5)
    high_pue: float | None = Field(default=None, ge=1, le=5)
    load_frac: float = Field(gt=0, le=1)
    """Mean draw of the IT over its rating."""
    low_load_frac: float | None = Field(default=None, gt=0, le=1)
    high_load_frac: float | None = Field(default=None, gt=0, le=1)
    accelerator_w: float = Field(gt=0, le=1e5)
    """IT watts for each accelerator, with its share of node, rack and network."""
    low_accelerator_w: float | None = Field(default=None, gt=0, le=1e5)
    high_accelerator_w: float | None = Field(default=None, gt=0, le=1e5)
    utilisation_frac: float = Field(default=1.0, gt=0, le=1)
    """Share of the hours that are sold or put to use."""
    low_utilisation_frac: float | None = Field(default=None, gt=0, le=1)
    high_utilisation_frac: float | None = Field(default=None, gt=0, le=1)
    price_usd_per_gpu_h: float | None = Field(default=None, gt=0, le=10_000)
    """What an hour in use earns, or saves in rent, when the project starts; blank: only costs are told."""
    low_price_usd_per_gpu_h: float | None = Field(default=None, gt=0, le=10_000)
    high_price_usd_per_gpu_h: float | None = Field(default=None, gt=0, le=10_000)
    price_change_frac: float = Field(default=0.0, ge=-0.9, le=1)
    """Of that price, a year."""
    low_price_change_frac: float | None = Field(default=None, ge=-0.9, le=1)
    high_price_change_frac: float | None = Field(default=None, ge=-0.9, le=1)
    per_gpu_tokens_per_s: float | None = Field(default=None, gt=0, le=1e7)
    """Output tokens of an accelerator in use."""
    horizon_s: Life
    """For which a block runs once it is ready; what wears out before is bought again at the same price."""
    book_lives_s: tuple[Life, ...] = ()
    """Lives of servers to see the accounts with: 6, 5, 3 years."""

    @model_validator(mode="after")
    def _ranges_hold(self) -> Self:
        _check_ranges(self, RANGED)
        return self


def _check_ranges(record: Record, names: tuple[str, ...]) -> None:
    for name in names:
        middle, low, high = (getattr(record, f"{end}{name}") for end in ("", "low_", "high_"))
        if (low is None) != (high is None):
            raise ValueError(f"low_{name} and high_{name} belong together")
        if low is not None and (middle is None or not low <= middle <= high):
            raise ValueError(f"{name} is not between low_{name} and high_{name}: put them in order")


class AssetCost(Record):
    """What one asset costs a megawatt of IT."""

    id: str
    capex_usd: float
    capital_usd_per_year: float
    upkeep_usd_per_year: float


class Swing(Record):
    """What one figure does from its low to its high end, all others as stated."""

    name: str
    low_text: str
    high_text: str
    low_usd_per_gpu_h: float
    high_usd_per_gpu_h: float
    """Cost of an accelerator's hour in use."""
    low_npv_usd: float
    high_npv_usd: float
    """Mean worth of the project."""


class OwnershipCost(Record):
    """What a megawatt of IT costs, and an hour and a million tokens of it."""

    megawatt_capex_usd: float
    megawatt_usd_per_year: float
    energy_usd_per_year: float
    """Of a megawatt of IT."""
    upkeep_usd_per_year: float
    """Of a megawatt of IT."""
    assets: tuple[AssetCost, ...]
    hour_usd_per_gpu_h: float
    """Of an accelerator in use."""
    tokens_usd_per_million_output_tokens: float | None
    assumptions: dict[str, Provenance]


class YearView(Record):
    """One year of the whole project, blocks ready at their medians: in cash, and in the accounts by life."""

    year: int
    capex_usd: float
    proceeds_usd: float
    """Of what is sold or left at the end."""
    running_usd: float
    """Energy and upkeep."""
    income_usd: float | None
    cash_usd: float
    """Income and proceeds less everything paid."""
    depreciation_usd: dict[str, float]
    """By the life of servers in the accounts ("as stated", "6 years", ...), losses on disposal included."""
    result_usd: dict[str, float]
    """Income less running cost and depreciation, by the same; interest and taxes left out."""


class ProjectMoney(Record):
    """The money of a project whose dates are distributions."""

    cost: OwnershipCost
    discounted_to: date
    p10_npv_usd: float
    """Net present value that nine outcomes of ten exceed; without income what it costs, below zero."""
    p50_npv_usd: float
    p90_npv_usd: float
    mean_npv_usd: float
    planned_npv_usd: float
    """By the single-date plan."""
    week_npv_usd: float
    """What the mean gains if every block comes a week later, and what is spent as planned does not."""
    swings: tuple[Swing, ...]
    """Strongest on worth first."""
    years: tuple[YearView, ...]
