"""What a project is worth when its dates are distributions, and how cash and accounts see its years."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from gigawatt.contract.ownership import (
    cost_of_ownership,
    hour_usd_per_gpu_h,
    variants,
    watt_energy_usd_per_year,
)
from gigawatt.domain.ownership import Asset, Ownership, ProjectMoney, Swing, YearView
from gigawatt.laws.finance import (
    YEAR_H,
    annuity_factor,
    discount_factor_frac,
    straight_line_book_usd,
)
from gigawatt.laws.progress import DAY_S, YEAR_S
from gigawatt.laws.schedule import WEEK_DAYS
from gigawatt.units import format_quantity

Floats = NDArray[np.float64]
AS_STATED = "as stated"
_DAY_YEARS = DAY_S / YEAR_S


@dataclass(frozen=True, slots=True, eq=False)
class Blocks:
    """Blocks of capacity and when they may be ready."""

    power_w: Floats
    """[blocks] W of IT."""
    ready_days: Floats
    """[samples, blocks] d from the first day of the project."""
    planned_days: Floats
    """[blocks] d, by the single-date plan."""


def worth_of(money: Ownership, blocks: Blocks, start: date) -> ProjectMoney:
    """Net present value over all outcomes, discounted to `start`, and the years at the blocks' medians."""
    values = _values_usd(money, blocks, blocks.ready_days)
    later = _values_usd(money, blocks, blocks.ready_days + WEEK_DAYS)
    planned = _values_usd(money, blocks, blocks.planned_days[None, :])
    p10, p50, p90 = (float(np.quantile(values, share, method="inverted_cdf")) for share in (0.1, 0.5, 0.9))
    median_days = np.quantile(blocks.ready_days, 0.5, axis=0, method="inverted_cdf")
    return ProjectMoney(
        cost=cost_of_ownership(money),
        discounted_to=start,
        p10_npv_usd=p10,
        p50_npv_usd=p50,
        p90_npv_usd=p90,
        mean_npv_usd=float(values.mean()),
        planned_npv_usd=float(planned[0]),
        week_npv_usd=float(later.mean() - values.mean()),
        swings=tuple(sorted(_swings(money, blocks), key=_width, reverse=True)),
        years=tuple(_years(money, blocks, median_days, start)),
    )


def _values_usd(money: Ownership, blocks: Blocks, ready_days: Floats) -> Floats:
    """[samples] present value of all blocks."""
    rate, horizon = money.discount_frac, money.horizon_s / YEAR_S
    ready, planned = ready_days * _DAY_YEARS, blocks.planned_days * _DAY_YEARS
    worth_ready = discount_factor_frac(rate, ready)
    # What changes at g a year, discounted at i, is worth what is flat and discounted at (1 + i)/(1 + g) - 1.
    real = (1.0 + rate) / (1.0 + money.price_change_frac) - 1.0
    value = _income_usd_per_year(money) * annuity_factor(real, horizon) * discount_factor_frac(real, ready)
    value = value - _running_usd_per_year(money) * annuity_factor(rate, horizon) * worth_ready
    for asset in money.assets:
        first = worth_ready if asset.spent == "when-ready" else discount_factor_frac(rate, planned)
        value = value - asset.capex_usd_per_w * first - _renewal_usd(asset, money) * worth_ready
    return np.asarray(value @ blocks.power_w)


def _running_usd_per_year(money: Ownership) -> float:
    """Energy and upkeep of a watt."""
    upkeep = sum(asset.capex_usd_per_w * asset.upkeep_frac for asset in money.assets)
    return watt_energy_usd_per_year(money) + upkeep


def _income_usd_per_year(money: Ownership) -> float:
    """Of a watt, at the price of the project's start."""
    hours = YEAR_H * money.utilisation_frac / money.accelerator_w
    return (money.price_usd_per_gpu_h or 0.0) * hours


def _purchases(asset: Asset, money: Ownership) -> Iterator[tuple[float, float, float]]:
    """When a watt's asset is put to use and given up, in years from readiness, and what it then fetches."""
    horizon, life = money.horizon_s / YEAR_S, asset.life_s / YEAR_S
    begun = 0.0
    while begun < horizon * (1 - 1e-9):
        ended = min(begun + life, horizon)
        left = straight_line_book_usd(
            asset.capex_usd_per_w, asset.residual_frac, asset.life_s, (ended - begun) * YEAR_S
        )
        yield begun, ended, float(left)
        begun += life


def _renewal_usd(asset: Asset, money: Ownership) -> float:
    """What is bought again less what is fetched, of a watt, at the day of readiness."""
    rate, total = money.discount_frac, 0.0
    for begun, ended, left in _purchases(asset, money):
        total -= left * float(discount_factor_frac(rate, ended))
        if begun:
            total += asset.capex_usd_per_w * float(discount_factor_frac(rate, begun))
    return total


def _swings(money: Ownership, blocks: Blocks) -> Iterator[Swing]:
    for variant in variants(money):
        hours = [hour_usd_per_gpu_h(one) for one in variant.ends]
        means = [float(_values_usd(one, blocks, blocks.ready_days).mean()) for one in variant.ends]
        yield Swing(
            name=variant.name,
            low_text=variant.texts[0],
            high_text=variant.texts[1],
            low_usd_per_gpu_h=hours[0],
            high_usd_per_gpu_h=hours[1],
            low_npv_usd=means[0],
            high_npv_usd=means[1],
        )


def _width(swing: Swing) -> float:
    return abs(swing.high_npv_usd - swing.low_npv_usd)


def _years(money: Ownership, blocks: Blocks, ready_days: Floats, start: date) -> Iterator[YearView]:
    """Calendar years from the first payment to the last day of the last block."""
    origin = start.year + (start.timetuple().tm_yday - 1) * _DAY_YEARS
    ready, planned = origin + ready_days * _DAY_YEARS, origin + blocks.planned_days * _DAY_YEARS
    horizon = money.horizon_s / YEAR_S
    lives: Mapping[str, float | None] = {AS_STATED: None} | {
        format_quantity(life, "_s"): life for life in money.book_lives_s
    }
    bought = [
        one
        for n, power_w in enumerate(blocks.power_w)
        for one in _bought(money, power_w, ready[n], planned[n])
    ]
    falling = 1.0 / (1.0 + money.price_change_frac) - 1.0
    for year in range(int(min(ready.min(), planned.min())), int(np.ceil(ready.max() + horizon))):
        begun, ended = np.maximum(ready, year), np.minimum(ready + horizon, year + 1)
        used = np.maximum(ended - begun, 0.0)
        paid = annuity_factor(falling, used) * discount_factor_frac(falling, begun - origin)
        income = float(paid @ blocks.power_w) * _income_usd_per_year(money)
        running = float(used @ blocks.power_w) * _running_usd_per_year(money)
        capex = sum(one.capex_usd for one in bought if int(one.paid) == year)
        proceeds = sum(one.left_usd for one in bought if year <= one.ended < year + 1)
        written = {name: sum(one.written_off(year, life) for one in bought) for name, life in lives.items()}
        yield YearView(
            year=year,
            capex_usd=capex,
            proceeds_usd=proceeds,
            running_usd=running,
            income_usd=income if money.price_usd_per_gpu_h else None,
            cash_usd=income - running + proceeds - capex,
            depreciation_usd=written,
            result_usd={name: income - running - usd for name, usd in written.items()},
        )


@dataclass(frozen=True, slots=True)
class _Bought:
    """An asset of a block, in calendar years."""

    asset: Asset
    capex_usd: float
    left_usd: float
    paid: float
    begun: float
    ended: float

    def written_off(self, year: int, servers_life_s: float | None) -> float:
        """What it loses in the accounts in a year; on disposal all that exceeds what it fetches."""
        return self._book_usd(year, servers_life_s) - self._book_usd(year + 1, servers_life_s)

    def _book_usd(self, at: float, servers_life_s: float | None) -> float:
        if at >= self.ended:
            return self.left_usd
        life_s = self.asset.book_life_s or self.asset.life_s
        if servers_life_s is not None and self.asset.servers:
            life_s = servers_life_s
        age_s = max(0.0, at - self.begun) * YEAR_S
        return float(straight_line_book_usd(self.capex_usd, self.asset.residual_frac, life_s, age_s))


def _bought(money: Ownership, power_w: float, ready: float, planned: float) -> Iterator[_Bought]:
    for asset in money.assets:
        for begun, ended, left in _purchases(asset, money):
            first = planned if asset.spent == "as-planned" and not begun else ready + begun
            capex_usd = asset.capex_usd_per_w * power_w
            yield _Bought(asset, capex_usd, left * power_w, first, ready + begun, ready + ended)
