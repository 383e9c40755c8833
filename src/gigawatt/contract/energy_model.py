"""A campus as an hourly program: plants, contracts, charges and limits in the form that the solver takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from gigawatt.contract.energy_draft import Draft
from gigawatt.contract.energy_hours import Hours
from gigawatt.contract.energy_program import Gift, HourlyProgram, Megawatts, Sum, Values
from gigawatt.contract.energy_tariff import Connection, add_connection
from gigawatt.domain.energy import (
    HOURS_OF_DAY,
    BuildOption,
    CampusLoad,
    EnergySite,
    EnergyTechnology,
    PowerPurchase,
    Tariff,
)
from gigawatt.errors import InputError
from gigawatt.laws.finance import HOUR_S, capital_recovery_frac
from gigawatt.laws.power import MWH_J

MW_W = MWH_J / HOUR_S
BALANCE = 0
"""The row in which supply meets load."""
CAP = "cap on emissions"


@dataclass
class Part:
    """What the answer says of one thing: which flows and sizes are its own."""

    kind: str
    flows: tuple[int, ...]
    """Those that give (or take) energy."""
    sizes: tuple[int, ...] = ()
    """Power, then energy."""
    existing: Megawatts = 0.0
    clean: bool = False


@dataclass
class EnergyModel:
    """A program, and what its numbers stand for."""

    hours: Hours
    load: Values
    """[hours] MW."""
    program: HourlyProgram
    kgco2_per_mwh: Values
    """[flows, hours]"""
    parts: dict[str, Part] = field(default_factory=dict)
    fixed_usd_per_year: float = 0.0
    cap_unit: Sum = 1.0
    """Kilograms in one unit of the sum that the cap limits."""
    connection: Connection | None = None


def load_mw(load: CampusLoad, hours: Hours) -> Values:
    """[hours] what the campus draws before anything is curtailed or shifted."""
    if load.profile:
        return load.rated_w / MW_W * hours.column(load.profile)
    turn = 2 * np.pi * (hours.hour_of_year % HOURS_OF_DAY - load.peak_hour) / HOURS_OF_DAY
    drawn: Values = load.rated_w / MW_W * (1.0 + load.swing_frac * np.cos(turn))
    return drawn


def yearly_frac(technology: EnergyTechnology, discount_frac: float) -> float:
    """What a year costs of the capital: repayment over the life, and upkeep."""
    return float(capital_recovery_frac(discount_frac, technology.life_years)) + technology.upkeep_frac


def running_usd_per_mwh(technology: EnergyTechnology, usd_per_kgco2: float) -> float:
    """What a MWh from a plant costs: fuel, wear and the price of its emissions."""
    kgco2 = technology.fuel_kgco2_per_mwh / technology.efficiency_frac
    fuel_usd = technology.fuel_usd_per_mwh / technology.efficiency_frac
    return technology.variable_usd_per_mwh + fuel_usd + usd_per_kgco2 * kgco2


def plant_profile(option: BuildOption, technology: EnergyTechnology, hours: Hours) -> Values:
    """[hours] what a plant can give, of its rated power."""
    if option.profile:
        return np.clip(hours.column(option.profile), 0.0, 1.0)
    if technology.kind in ("solar", "wind"):
        return np.clip(hours.joined(f"{technology.kind}_frac"), 0.0, 1.0)
    return np.ones(len(hours.weight_frac))


def energy_model(
    site: EnergySite,
    technologies: Mapping[str, EnergyTechnology],
    tariff: Tariff | None,
    hours: Hours,
) -> EnergyModel:
    """The program of a site. Errors: InputError for what cannot be put together."""
    draft = Draft(hours, site.load.unserved_usd_per_mwh)
    load = load_mw(site.load, hours)
    draft.add_row(load)
    parts: dict[str, Part] = {}
    for option in site.build:
        _add_option(draft, parts, option, technologies[option.technology], site)
    _add_flexibility(draft, parts, site.load, load)
    connection = None
    if site.grid is not None:
        assert tariff is not None
        connection = add_connection(draft, site, tariff, bool(site.purchases))
        parts["grid"] = Part("grid", (connection.market,))
        if connection.feed_in is not None:
            parts["fed in"] = Part("feed-in", (connection.feed_in,))
        for purchase in site.purchases:
            _add_purchase(draft, parts, purchase, connection, load)
    cap_unit = _add_carbon(draft, parts, site, load)
    most = site.load.unserved_usd_per_mwh * float(hours.weight_frac @ load) + draft.most_earned_usd()
    return EnergyModel(
        hours=hours,
        load=load,
        program=draft.program(most_usd=most),
        kgco2_per_mwh=draft.kgco2_per_mwh,
        parts=parts,
        fixed_usd_per_year=tariff.fixed_usd_per_year if tariff else 0.0,
        cap_unit=cap_unit,
        connection=connection,
    )


def _add_option(
    draft: Draft,
    parts: dict[str, Part],
    option: BuildOption,
    technology: EnergyTechnology,
    site: EnergySite,
) -> None:
    annuity_frac = yearly_frac(technology, site.discount_frac)
    limit = np.inf if option.limit_w is None else option.limit_w / MW_W
    if technology.kind == "storage":
        _add_storage(draft, parts, option, technology, annuity_frac, limit)
        return
    name = option.label
    usd_per_mw = technology.capex_usd_per_w * MW_W * annuity_frac
    if not usd_per_mw and not np.isfinite(limit):
        raise InputError(f"build: {name}: costs nothing to build and has no limit: give limit_w")
    size = draft.add_size(name, usd_per_mw, limit) if limit > 0 else -1
    profile = plant_profile(option, technology, draft.hours)
    existing = option.existing_w / MW_W
    kgco2 = technology.fuel_kgco2_per_mwh / technology.efficiency_frac
    usd = running_usd_per_mwh(technology, site.carbon.usd_per_kgco2)
    share = profile if size >= 0 else 0.0
    flow = draft.add_flow(name, usd, existing * profile, share, size, kgco2)
    draft.put(BALANCE, flow, 1.0)
    sizes = (size,) if size >= 0 else ()
    parts[name] = Part(technology.kind, (flow,), sizes, existing, technology.kind != "dispatchable")
    if technology.most_hours is not None:
        target = technology.most_hours * existing
        weights = [(one, -technology.most_hours) for one in sizes]
        most = technology.most_hours * (existing + limit)
        draft.add_limit(f"{name}, hours", [(flow, draft.hours.weight_frac)], weights, target, most)


def _add_storage(
    draft: Draft,
    parts: dict[str, Part],
    option: BuildOption,
    technology: EnergyTechnology,
    annuity_frac: float,
    limit: Megawatts,
) -> None:
    """An inverter and cells, sized apart unless sold as one; ends each year as full as it began."""
    name, each_way = option.label, technology.efficiency_frac
    if option.existing_w:
        raise InputError(f"build: {name}: existing_w is for plants; storage is sized as new")
    assert technology.energy_capex_usd_per_mwh is not None
    most = np.inf if option.limit_j is None else option.limit_j / MWH_J
    power = draft.add_size(name, technology.capex_usd_per_w * MW_W * annuity_frac, limit)
    energy = draft.add_size(f"{name}, energy", technology.energy_capex_usd_per_mwh * annuity_frac, most)
    charge = draft.add_flow(f"{name}, charging", technology.variable_usd_per_mwh, 0.0, 1.0, power)
    give = draft.add_flow(name, technology.variable_usd_per_mwh, 0.0, 1.0, power)
    if technology.full_power_s is not None:
        span = technology.full_power_s / HOUR_S
        draft.add_total(f"{name}, as one", [], [(energy, 1.0), (power, -span)], 0.0)
        draft.tie(energy, power, span)
    kept_frac = 1.0 - technology.standing_loss_frac
    _, row = draft.add_level(f"{name}, level", 0.0, energy, most, kept_frac)
    draft.put(row, charge, -each_way)
    draft.put(row, give, 1.0 / each_way)
    draft.put(BALANCE, charge, -1.0)
    draft.put(BALANCE, give, 1.0)
    parts[name] = Part("storage", (give, charge), (power, energy))


def _add_flexibility(draft: Draft, parts: dict[str, Part], load: CampusLoad, drawn: Values) -> None:
    """Load that is not served, dropped for a price, or put off."""
    unserved = draft.add_flow("unserved", load.unserved_usd_per_mwh, drawn)
    draft.put(BALANCE, unserved, 1.0)
    parts["unserved"] = Part("unserved", (unserved,))
    weight = draft.hours.weight_frac
    if (curtail := load.curtailment) is not None:
        flow = draft.add_flow("curtailed", curtail.usd_per_mwh, curtail.most_frac * drawn)
        draft.put(BALANCE, flow, 1.0)
        parts["curtailed"] = Part("curtailed", (flow,))
        if curtail.year_frac is not None:
            most = curtail.year_frac * float(weight @ drawn)
            draft.add_limit("curtailed energy", [(flow, weight)], [], most, most)
    if (shift := load.shifting) is not None:
        off = draft.add_flow("put off", 0.0, shift.most_frac * drawn)
        back = draft.add_flow("caught up", 0.0, shift.catch_up_frac * float(drawn.max()))
        most = shift.most_frac * float(drawn.max()) * shift.window_s / HOUR_S
        _, row = draft.add_level("put off, in all", most, -1, most)
        draft.put(row, off, -1.0)
        draft.put(row, back, 1.0)
        draft.put(BALANCE, off, 1.0)
        draft.put(BALANCE, back, -1.0)
        parts["shifted"] = Part("shifted", (off, back))


def _add_purchase(
    draft: Draft,
    parts: dict[str, Part],
    purchase: PowerPurchase,
    connection: Connection,
    load: Values,
) -> None:
    """A contract: its hours come in over the grid, and what is not needed is resold."""
    hours = draft.hours
    if purchase.shape == "pay-as-produced":
        profile = np.clip(hours.joined(f"{purchase.source}_frac"), 0.0, 1.0)
    else:
        profile = np.ones_like(load) if purchase.shape == "baseload" else load / load.mean()
    paid = purchase.usd_per_mwh * float(hours.weight_frac @ profile)
    size = draft.add_size(purchase.name, paid, purchase.limit_w / MW_W)
    arriving = profile * connection.up
    draft.gifts.append(Gift(size, connection.row, -arriving))
    earned = purchase.resale_frac * np.maximum(hours.joined("price_usd_per_mwh"), 0.0)
    resold = draft.add_flow(f"{purchase.name}, resold", -earned, 0.0, arriving, size)
    draft.put(connection.row, resold, -1.0)
    parts[purchase.name] = Part("purchase", (resold,), (size,), clean=True)


def _add_carbon(draft: Draft, parts: dict[str, Part], site: EnergySite, load: Values) -> Sum:
    """Limits on emissions and on what is not clean. Returns the kilograms in a unit of the capped sum."""
    rules, weight = site.carbon, draft.hours.weight_frac
    served = float(weight @ load)
    kgco2 = draft.kgco2_per_mwh
    unit = float(np.abs(kgco2).max()) or 1.0
    if rules.cap_kgco2_per_mwh is not None:
        terms = [(flow, weight * kgco2[flow] / unit) for flow in range(len(kgco2)) if kgco2[flow].any()]
        target = rules.cap_kgco2_per_mwh * served / unit
        below = sum(float(np.minimum(weights, 0.0).sum()) for _, weights in terms)
        most = target - below * float(load.max())
        draft.add_limit(CAP, terms, [], target, most)
    if rules.hourly_frac is not None:
        dirty = [
            flow for part in parts.values() if part.kind in ("dispatchable", "grid") for flow in part.flows
        ]
        most = (1.0 - rules.hourly_frac) * served
        draft.add_limit("clean by the hour", [(flow, weight) for flow in dirty], [], most, most)
    if rules.annual_frac is not None:
        _add_annual(draft, parts, rules.annual_frac * served)
    return unit


def _add_annual(draft: Draft, parts: dict[str, Part], least: Sum) -> None:
    """Clean energy of the year, used or not, is at least so much."""
    weight = draft.hours.weight_frac
    plants = [part.flows[0] for part in parts.values() if part.clean and part.kind != "purchase"]
    bought = [part.sizes[0] for part in parts.values() if part.kind == "purchase"]
    given = {gift.size: -float(weight @ gift.profile_frac) for gift in draft.gifts if gift.size in bought}
    terms = [(flow, -weight) for flow in plants]
    sizes = [(size, -amount) for size, amount in given.items()]
    draft.add_limit("clean over the year", terms, sizes, -least, np.inf)
