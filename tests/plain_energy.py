"""A campus's energy as one plain linear program, written from the records alone, for HiGHS to solve.

It shares no code with what is tested, and knows nothing of hours that hang together: every balance, bound,
peak and limit is a row of its own.
"""

from __future__ import annotations

from datetime import timedelta

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import coo_matrix

MW = 1e6
MWH = 3.6e9


class Program:
    """Columns and rows as they come."""

    def __init__(self) -> None:
        self.cost: list[float] = []
        self.upper: list[float] = []
        self.equal: list[tuple[dict[int, float], float]] = []
        self.below: list[tuple[dict[int, float], float]] = []

    def column(self, cost=0.0, upper=np.inf) -> int:
        self.cost.append(float(cost))
        self.upper.append(float(upper))
        return len(self.cost) - 1

    def columns(self, count, cost=0.0, upper=np.inf) -> list[int]:
        costs, uppers = np.broadcast_to(cost, count), np.broadcast_to(upper, count)
        return [self.column(c, u) for c, u in zip(costs, uppers, strict=True)]

    def solve(self) -> float:
        def matrix(rows):
            entries = [(r, c, v) for r, (row, _) in enumerate(rows) for c, v in row.items()]
            r, c, v = zip(*entries, strict=True) if entries else ((), (), ())
            return coo_matrix((v, (r, c)), shape=(len(rows), len(self.cost))).tocsr()

        found = linprog(
            self.cost,
            A_ub=matrix(self.below) if self.below else None,
            b_ub=[limit for _, limit in self.below] or None,
            A_eq=matrix(self.equal),
            b_eq=[value for _, value in self.equal],
            bounds=list(zip([0.0] * len(self.cost), self.upper, strict=True)),
            method="highs",
        )
        assert found.status == 0, found.message
        return float(found.fun)


def add(row: dict[int, float], column: int, value: float) -> None:
    row[column] = row.get(column, 0.0) + value


def least_cost(site, technologies, tariff, years) -> float:
    """USD a year."""
    lp = Program()
    total = sum(year.weight_frac for year in years)
    sizes = _sizes(lp, site, technologies)
    bought = {p.name: lp.column(0.0, p.limit_w / MW) for p in site.purchases}
    sums: dict[str, dict[int, float]] = {"kg": {}, "dirty": {}, "clean": {}, "curtailed": {}}
    hours_of = {option.label: {} for option in site.build}
    load_mwh = 0.0
    for year in years:
        weight = year.weight_frac / total
        load = _load(site, year)
        load_mwh += weight * load.sum()
        _year(lp, site, technologies, tariff, year, weight, load, sizes, bought, sums, hours_of)
    rules = site.carbon
    if rules.cap_kgco2_per_mwh is not None:
        lp.below.append((sums["kg"], rules.cap_kgco2_per_mwh * load_mwh))
    if rules.hourly_frac is not None:
        lp.below.append((sums["dirty"], (1 - rules.hourly_frac) * load_mwh))
    if rules.annual_frac is not None:
        lp.below.append(({c: -v for c, v in sums["clean"].items()}, -rules.annual_frac * load_mwh))
    if site.load.curtailment is not None and site.load.curtailment.year_frac is not None:
        lp.below.append((sums["curtailed"], site.load.curtailment.year_frac * load_mwh))
    for option in site.build:
        most = technologies[option.technology].most_hours
        if most is not None:
            row = dict(hours_of[option.label])
            add(row, sizes[option.label][0], -most)
            lp.below.append((row, most * option.existing_w / MW))
    return lp.solve() + (tariff.fixed_usd_per_year if tariff else 0.0)


def _sizes(lp, site, technologies):
    sizes = {}
    for option in site.build:
        row, rate = technologies[option.technology], site.discount_frac
        annuity = rate / (1 - (1 + rate) ** -row.life_years) if rate else 1 / row.life_years
        yearly = annuity + row.upkeep_frac
        most = np.inf if option.limit_w is None else option.limit_w / MW
        power = lp.column(row.capex_usd_per_w * MW * yearly, most)
        energy = None
        if row.kind == "storage":
            most = np.inf if option.limit_j is None else option.limit_j / MWH
            energy = lp.column(row.energy_capex_usd_per_mwh * yearly, most)
            if row.full_power_s is not None:
                lp.equal.append(({energy: 1.0, power: -row.full_power_s / 3600}, 0.0))
        sizes[option.label] = (power, energy)
    return sizes


def _load(site, year):
    if site.load.profile:
        return site.load.rated_w / MW * year.columns[site.load.profile]
    hour = np.arange(len(year.stamps)) % 24
    swing = site.load.swing_frac * np.cos(2 * np.pi * (hour - site.load.peak_hour) / 24)
    return site.load.rated_w / MW * (1 + swing)


def _year(lp, site, technologies, tariff, year, weight, load, sizes, bought, sums, hours_of):
    count = len(load)
    balance = [{} for _ in range(count)]
    for option in site.build:
        row = technologies[option.technology]
        if row.kind == "storage":
            _store(lp, balance, row, sizes[option.label], count, weight)
        else:
            _plant(lp, site, balance, option, row, sizes[option.label][0], year, weight, sums, hours_of)
    _flexible(lp, site, balance, load, weight, sums)
    if site.grid is not None:
        _grid(lp, site, tariff, balance, year, weight, load, bought, sums)
    for hour in range(count):
        lp.equal.append((balance[hour], load[hour]))


def _store(lp, balance, row, size, count, weight):
    cost = weight * row.variable_usd_per_mwh
    charge, give, level = lp.columns(count, cost), lp.columns(count, cost), lp.columns(count)
    for hour in range(count):
        add(balance[hour], charge[hour], -1.0)
        add(balance[hour], give[hour], 1.0)
        kept = {level[hour]: 1.0, charge[hour]: -row.efficiency_frac, give[hour]: 1 / row.efficiency_frac}
        add(kept, level[hour - 1], row.standing_loss_frac - 1.0)
        lp.equal.append((kept, 0.0))
        for flow, most in ((charge, size[0]), (give, size[0]), (level, size[1])):
            lp.below.append(({flow[hour]: 1.0, most: -1.0}, 0.0))


def _plant(lp, site, balance, option, row, size, year, weight, sums, hours_of):
    kg = row.fuel_kgco2_per_mwh / row.efficiency_frac
    cost = row.variable_usd_per_mwh + row.fuel_usd_per_mwh / row.efficiency_frac
    cost += site.carbon.usd_per_kgco2 * kg
    profile = {"solar": year.solar_frac, "wind": year.wind_frac}.get(row.kind, np.ones(len(balance)))
    profile = year.columns[option.profile] if option.profile else profile
    for hour, flow in enumerate(lp.columns(len(balance), weight * cost)):
        add(balance[hour], flow, 1.0)
        lp.below.append(({flow: 1.0, size: -profile[hour]}, profile[hour] * option.existing_w / MW))
        add(hours_of[option.label], flow, weight)
        if row.kind == "dispatchable":
            add(sums["kg"], flow, weight * kg)
            add(sums["dirty"], flow, weight)
        else:
            add(sums["clean"], flow, weight)


def _flexible(lp, site, balance, load, weight, sums):
    unserved = lp.columns(len(load), weight * site.load.unserved_usd_per_mwh, load)
    for hour, flow in enumerate(unserved):
        add(balance[hour], flow, 1.0)
    if (curtail := site.load.curtailment) is not None:
        most = curtail.most_frac * load
        for hour, flow in enumerate(lp.columns(len(load), weight * curtail.usd_per_mwh, most)):
            add(balance[hour], flow, 1.0)
            add(sums["curtailed"], flow, weight)
    if (shift := site.load.shifting) is not None:
        peak = load.max()
        off = lp.columns(len(load), 0.0, shift.most_frac * load)
        back = lp.columns(len(load), 0.0, shift.catch_up_frac * peak)
        owed = lp.columns(len(load), 0.0, shift.most_frac * peak * shift.window_s / 3600)
        for hour in range(len(load)):
            add(balance[hour], off[hour], 1.0)
            add(balance[hour], back[hour], -1.0)
            row = {owed[hour]: 1.0, off[hour]: -1.0, back[hour]: 1.0}
            add(row, owed[hour - 1], -1.0)
            lp.equal.append((row, 0.0))


def _covers(window, when) -> bool:
    """Whether a window of a tariff covers a local hour, by the calendar of the standard library."""
    hour, weekday = when.hour, when.weekday()
    inside = (
        window.from_hour <= hour < window.to_hour
        if window.from_hour < window.to_hour
        else hour >= window.from_hour or hour < window.to_hour
    )
    day = window.days == "all" or (weekday >= 5) == (window.days == "weekends")
    return inside and day and when.month in window.months


def _grid(lp, site, tariff, balance, year, weight, load, bought, sums):
    local = [s.astype("datetime64[s]").item() + timedelta(hours=tariff.hours_from_utc) for s in year.stamps]
    limit, rules = site.grid.limit_w / MW, site.carbon
    carbon = year.average_kgco2_per_mwh if rules.grid == "average" else year.marginal_kgco2_per_mwh
    out = [
        any(o.first_hour <= hour < o.first_hour + o.hours for o in site.outages) for hour in range(len(load))
    ]
    peaks = [_billed(lp, charge, weight, local) for charge in tariff.demand]
    for hour, when in enumerate(local):
        price, up = year.price_usd_per_mwh[hour], 0.0 if out[hour] else 1.0
        paid = sum(charge.usd_per_mwh for charge in tariff.energy if _covers(charge, when))
        drawn = lp.column(weight * paid, limit * up)
        spot = (price if tariff.wholesale else 0.0) + rules.usd_per_kgco2 * carbon[hour]
        market = lp.column(weight * spot, limit * up)
        add(balance[hour], drawn, 1.0)
        arriving = {market: 1.0, drawn: -1.0}
        for purchase in site.purchases:
            _deliver(lp, purchase, bought[purchase.name], arriving, year, hour, load, weight, up, sums)
        lp.equal.append((arriving, 0.0))
        add(sums["kg"], market, weight * carbon[hour])
        add(sums["dirty"], market, weight)
        if site.grid.feed_in_w:
            sold = lp.column(
                -weight * (price - site.grid.feed_in_fee_usd_per_mwh), site.grid.feed_in_w / MW * up
            )
            add(balance[hour], sold, -1.0)
        for charge, billed in zip(tariff.demand, peaks, strict=True):
            if _covers(charge, when):
                lp.below.append(({drawn: 1.0, billed[when.month]: -1.0}, 0.0))


def _billed(lp, charge, weight, local):
    """What is billed in each month that the charge covers."""
    months = sorted({when.month for when in local if _covers(charge, when)})
    billed = {month: lp.column(weight * charge.usd_per_w_month * MW) for month in months}
    for month in billed:
        for other in billed:
            if month != other and charge.ratchet_frac:
                lp.below.append(({billed[other]: charge.ratchet_frac, billed[month]: -1.0}, 0.0))
    return billed


def _deliver(lp, purchase, size, arriving, year, hour, load, weight, up, sums):
    """A contract's hour: delivered, or resold; paid in any case."""
    if purchase.shape == "pay-as-produced":
        profile = (year.solar_frac if purchase.source == "solar" else year.wind_frac)[hour]
    else:
        profile = 1.0 if purchase.shape == "baseload" else load[hour] / load.mean()
    lp.cost[size] += weight * purchase.usd_per_mwh * profile
    resold = lp.column(-weight * purchase.resale_frac * max(year.price_usd_per_mwh[hour], 0.0))
    lp.below.append(({resold: 1.0, size: -profile * up}, 0.0))
    add(arriving, size, profile * up)
    add(arriving, resold, -1.0)
    add(sums["clean"], size, weight * profile * up)
