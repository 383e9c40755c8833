"""The grid: what is bought and fed in hour by hour, and a tariff's charges on energy and on peaks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gigawatt.contract.energy_draft import Draft
from gigawatt.contract.energy_hours import Hours
from gigawatt.contract.energy_program import Ints, Megawatts, Values
from gigawatt.domain.energy import MONTHS, DemandCharge, EnergySite, Tariff
from gigawatt.errors import InputError
from gigawatt.laws.finance import HOUR_S
from gigawatt.laws.power import MWH_J

MW_W = MWH_J / HOUR_S
BALANCE = 0


@dataclass(frozen=True, slots=True)
class Connection:
    """Indices of what the grid brings."""

    market: int
    """Flow bought on the market; without purchases, all that is drawn."""
    drawn: int
    feed_in: int | None
    row: int
    """The balance of what arrives over the grid."""
    up: Values
    """[hours] 1 while the grid is there, 0 in an outage."""
    peaks: tuple[int, ...]
    """Sizes: what is billed of each charge, month and year."""


def add_connection(draft: Draft, site: EnergySite, tariff: Tariff, with_purchases: bool) -> Connection:
    """Market, line, feed-in and billed peaks."""
    assert site.grid is not None
    limit = site.grid.limit_w / MW_W
    up = grid_up(site, draft.hours)
    peaks, holder = _add_peaks(draft, tariff, limit)
    free = holder < 0
    paid = energy_usd_per_mwh(tariff, draft.hours)
    price = draft.hours.joined("price_usd_per_mwh")
    carbon = grid_kgco2_per_mwh(site, draft.hours)
    market_usd = (price if tariff.wholesale else 0.0) + site.carbon.usd_per_kgco2 * carbon
    own = 0.0 * carbon if with_purchases else carbon
    drawn_usd = paid if with_purchases else paid + market_usd
    name = "drawn" if with_purchases else "grid"
    drawn = draft.add_flow(name, drawn_usd, limit * up * free, up * ~free, holder, own)
    draft.put(BALANCE, drawn, 1.0)
    market, row = drawn, BALANCE
    if with_purchases:
        row = draft.add_row()
        market = draft.add_flow("grid", market_usd, limit * up, kgco2_per_mwh=carbon)
        draft.put(row, market, 1.0)
        draft.put(row, drawn, -1.0)
    feed_in = None
    if site.grid.feed_in_w:
        earned = price - site.grid.feed_in_fee_usd_per_mwh
        feed_in = draft.add_flow("fed in", -earned, site.grid.feed_in_w / MW_W * up)
        draft.put(BALANCE, feed_in, -1.0)
    return Connection(market, drawn, feed_in, row, up, peaks)


def grid_up(site: EnergySite, hours: Hours) -> Values:
    """[hours] 1 while the grid is there."""
    hour, up = hours.hour_of_year, np.ones(len(hours.weight_frac))
    for outage in site.outages:
        up[(hour >= outage.first_hour) & (hour < outage.first_hour + outage.hours)] = 0.0
    return up


def energy_usd_per_mwh(tariff: Tariff, hours: Hours) -> Values:
    """[hours] what the tariff adds to the market's price: charges whose windows cover the hour."""
    price = np.zeros(len(hours.weight_frac))
    for charge in tariff.energy:
        price += charge.usd_per_mwh * hours.within(charge, tariff.hours_from_utc)
    return price


def grid_kgco2_per_mwh(site: EnergySite, hours: Hours) -> Values:
    """[hours] what a MWh from the grid emits, as the site counts it."""
    if site.carbon.grid == "average":
        return hours.joined("average_kgco2_per_mwh")
    if any(year.marginal_kgco2_per_mwh is None for year in hours.years):
        raise InputError("carbon: grid: marginal: the hours have no column of marginal emissions")
    return hours.joined("marginal_kgco2_per_mwh")


def _add_peaks(draft: Draft, tariff: Tariff, limit: Megawatts) -> tuple[tuple[int, ...], Ints]:
    """Sizes that are billed, and for each hour the one that bounds what is drawn (-1 for none).

    A narrower window within a wider one is bounded by the wider: its hours then need the narrower alone.
    """
    hours, clock = draft.hours, tariff.hours_from_utc
    month = hours.month(clock) - 1 + len(MONTHS) * hours.year
    order = sorted(tariff.demand, key=lambda charge: -int(hours.within(charge, clock).sum()))
    holder: Ints = np.full(len(month), -1, dtype=np.int64)
    peaks: list[int] = []
    for charge in order:
        inside = hours.within(charge, clock)
        billed: dict[int, list[int]] = {}
        for one in np.unique(month[inside]):
            here = inside & (month == one)
            wider = np.unique(holder[here])
            if len(wider) > 1:
                raise InputError(f"demand: two windows of {tariff.id} overlap and neither lies in the other")
            year, number = divmod(int(one), len(MONTHS))
            weight = hours.years[year].weight_frac / sum(each.weight_frac for each in hours.years)
            name = f"peak {charge.from_hour}-{charge.to_hour} h, month {number + 1}, year {year}"
            peak = draft.add_size(name, charge.usd_per_w_month * MW_W * weight, limit)
            if wider[0] >= 0:
                draft.add_limit(
                    f"{name} within the wider", [], [(peak, 1.0), (int(wider[0]), -1.0)], 0.0, limit
                )
            holder[here] = peak
            billed.setdefault(year, []).append(peak)
            peaks.append(peak)
        for of_year in billed.values():
            _add_ratchet(draft, charge, of_year, limit)
    return tuple(peaks), holder


def _add_ratchet(draft: Draft, charge: DemandCharge, billed: list[int], limit: Megawatts) -> None:
    """Every month is billed at least a share of the highest."""
    if not charge.ratchet_frac:
        return
    highest = draft.add_size("highest of the year", 0.0, limit)
    for peak in billed:
        draft.add_limit("billed, of the highest", [], [(peak, 1.0), (highest, -1.0)], 0.0, limit)
        least = [(highest, charge.ratchet_frac), (peak, -1.0)]
        draft.add_limit("billed, at the least", [], least, 0.0, limit)
