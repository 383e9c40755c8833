"""What a campus should build, sign and draw, hour by hour, at least cost; and what less carbon costs."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from gigawatt.contract.energy_dispatch import energy_dispatch, net_mw
from gigawatt.contract.energy_hours import YearOfHours, joined_hours
from gigawatt.contract.energy_interior import Solution, solve_program
from gigawatt.contract.energy_model import BALANCE, CAP, MW_W, EnergyModel, Part, energy_model
from gigawatt.contract.energy_program import Values
from gigawatt.domain.energy import (
    EnergyCapacity,
    EnergyFlow,
    EnergyFrontier,
    EnergyPlan,
    EnergySite,
    EnergyTechnology,
    FrontierPoint,
    Tariff,
)
from gigawatt.errors import InfeasibleError
from gigawatt.laws.finance import HOUR_S
from gigawatt.laws.power import MWH_J

Progress = Callable[[int, int, str], None]
_MILLION_TOKENS = 10**6
MIN_AT_LIMIT = 1.0 - 1e-4
MIN_SHARE = 1e-6
"""Of the load: what is smaller is what the search leaves of nothing."""
GAP_FRAC = 1e-6
FRONTIER_GAP_FRAC = 1e-5


@dataclass(frozen=True, slots=True)
class _Solved:
    """A model and its optimum."""

    model: EnergyModel
    solution: Solution

    def size(self, index: int) -> float:
        """MW or MWh, nothing where the search leaves next to nothing."""
        found = float(self.solution.sizes[index])
        return found if found > MIN_SHARE * float(self.model.load.max()) else 0.0

    def mwh(self, flow: int) -> float:
        """Of an average year."""
        return float(self.model.hours.weight_frac @ self.solution.flows[flow])

    def usd(self, flow: int) -> float:
        """Of an average year."""
        return float(np.sum(self.model.program.flow_usd[flow] * self.solution.flows[flow]))

    def kgco2(self, flow: int) -> float:
        """Of an average year."""
        weighted = self.model.hours.weight_frac * self.model.kgco2_per_mwh[flow]
        return float(weighted @ self.solution.flows[flow])


def plan_energy(
    site: EnergySite,
    technologies: Mapping[str, EnergyTechnology],
    tariff: Tariff | None,
    years: Sequence[YearOfHours],
    gap_frac: float = GAP_FRAC,
) -> EnergyPlan:
    """The energy of a campus at least cost over the hours given, to within `gap_frac` of a proven bound.

    Errors: InputError for what cannot be put together; InfeasibleError where a share of clean energy is out
    of reach, with the nearest miss.
    """
    model = energy_model(site, technologies, tariff, joined_hours(years))
    _require_reachable(site, model)
    plan = _plan(site, _Solved(model, solve_program(model.program, gap_frac)))
    return plan.model_copy(
        update={"notes": (*plan.notes, *_foreign_prices(site, technologies, tariff, years))}
    )


def energy_frontier(
    site: EnergySite,
    technologies: Mapping[str, EnergyTechnology],
    tariff: Tariff | None,
    years: Sequence[YearOfHours],
    num_points: int,
    progress: Progress = lambda _done, _total, _label: None,
) -> EnergyFrontier:
    """Least cost under `num_points` caps, evenly spaced from what no cap would emit down towards nothing."""
    free = site.model_copy(update={"carbon": site.carbon.model_copy(update={"cap_kgco2_per_mwh": None})})
    progress(0, num_points, "no cap")
    first = plan_energy(free, technologies, tariff, years)
    most = first.kgco2_per_year / (first.load_j_per_year / MWH_J)
    caps = [most * (num_points - number) / num_points for number in range(num_points)]

    def capped(cap: float) -> FrontierPoint:
        carbon = site.carbon.model_copy(update={"cap_kgco2_per_mwh": cap})
        asked = site.model_copy(update={"carbon": carbon})
        return _point(plan_energy(asked, technologies, tariff, years, FRONTIER_GAP_FRAC), cap)

    points = []
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        for number, point in enumerate(threads.map(capped, caps)):
            progress(number, num_points, f"{caps[number]:.0f} kgCO2/MWh")
            points.append(point)
    return EnergyFrontier(
        title=site.title,
        price_year=site.price_year,
        points=tuple(points),
        notes=tuple(_foreign_prices(site, technologies, tariff, years)),
    )


def _point(plan: EnergyPlan, cap: float) -> FrontierPoint:
    return FrontierPoint(
        cap_kgco2_per_mwh=cap,
        kgco2_per_mwh=plan.kgco2_per_year / (plan.load_j_per_year / MWH_J),
        usd_per_year=plan.usd_per_year,
        lower_bound_usd_per_year=plan.lower_bound_usd_per_year,
        carbon_price_usd_per_kgco2=plan.carbon_price_usd_per_kgco2 or 0.0,
        capacities=plan.capacities,
    )


def _require_reachable(site: EnergySite, model: EnergyModel) -> None:
    """Refuses a share of clean energy that everything at its limit would not reach."""
    if site.carbon.annual_frac is None:
        return
    weight = model.hours.weight_frac
    most = 0.0
    for part in model.parts.values():
        if part.clean and part.kind != "purchase":
            most += _most_mwh(part, model, weight)
        elif part.kind == "purchase":
            most += _most_bought(part, model, weight)
    share = most / float(weight @ model.load)
    if share < site.carbon.annual_frac:
        raise InfeasibleError(
            f"carbon.annual_frac binds: {site.carbon.annual_frac:.1%} of the load is asked of clean plant "
            f"and contracts; at their limits they produce {share:.1%}: raise limit_w, or ask for less"
        )


def _most_mwh(part: Part, model: EnergyModel, weight: Values) -> float:
    """What a plant produces in a year at its limit."""
    flow, program = part.flows[0], model.program
    limit = program.size_limit[part.sizes[0]] if part.sizes else 0.0
    if not np.isfinite(limit):
        return np.inf
    return float(weight @ (program.upper[flow] + program.share[flow] * limit))


def _most_bought(part: Part, model: EnergyModel, weight: Values) -> float:
    """What a contract delivers in a year at its limit."""
    size = part.sizes[0]
    profiles = [-gift.profile_frac for gift in model.program.gifts if gift.size == size]
    return float(model.program.size_limit[size]) * sum(float(weight @ profile) for profile in profiles)


def _plan(site: EnergySite, solved: _Solved) -> EnergyPlan:
    model, solution = solved.model, solved.solution
    load_mwh = float(model.hours.weight_frac @ model.load)
    lost_mwh = sum(solved.mwh(model.parts[n].flows[0]) for n in ("unserved", "curtailed") if n in model.parts)
    served_mwh = load_mwh - lost_mwh
    kgco2 = sum(solved.kgco2(flow) for flow in range(len(model.kgco2_per_mwh)))
    cost = solution.cost_usd + model.fixed_usd_per_year
    dirty = [p for p in model.parts.values() if p.kind in ("dispatchable", "grid")]
    dirty_mwh = sum(solved.mwh(flow) for part in dirty for flow in part.flows)
    return EnergyPlan(
        title=site.title,
        price_year=site.price_year,
        usd_per_year=cost,
        lower_bound_usd_per_year=solution.lower_bound_usd + model.fixed_usd_per_year,
        gap_frac=solution.gap_frac,
        capacities=_capacities(solved),
        flows=_flows(solved),
        charges_usd_per_year=_charges(solved),
        load_j_per_year=load_mwh * MWH_J,
        served_j_per_year=served_mwh * MWH_J,
        kgco2_per_year=kgco2,
        average_usd_per_mwh=cost / load_mwh,
        mean_price_usd_per_mwh=float(np.sum(solution.prices[BALANCE])) / len(model.hours.years[0].stamps),
        carbon_price_usd_per_kgco2=_carbon_price(solved),
        clean_frac=max(0.0, 1.0 - dirty_mwh / served_mwh) if served_mwh > 0 else 0.0,
        num_hours=model.program.num_hours,
        num_years=len(model.hours.years),
        num_iterations=solution.num_iterations,
        most_missing_w=solution.most_missing * MW_W,
        dispatch=energy_dispatch(model, solution),
        **_tokens(site, served_mwh, cost, kgco2),
        notes=_notes(site, solved, lost_mwh / load_mwh),
    )


def _tokens(site: EnergySite, served_mwh: float, cost_usd: float, kgco2: float) -> dict[str, Any]:
    """Work per energy, and what energy and carbon come to per million tokens."""
    if site.load.tokens_per_s is None or served_mwh <= 0:
        return {}
    per_mwh = site.load.tokens_per_s * HOUR_S / (site.load.rated_w / MW_W)
    millions = per_mwh * served_mwh / _MILLION_TOKENS
    return {
        "tokens_per_mwh": per_mwh,
        "usd_per_million_tokens": cost_usd / millions,
        "kgco2_per_million_tokens": kgco2 / millions,
    }


def _capacities(solved: _Solved) -> dict[str, EnergyCapacity]:
    program, found = solved.model.program, {}
    for name, part in solved.model.parts.items():
        if not part.sizes and not part.existing:
            continue
        built = [solved.size(size) for size in part.sizes]
        limits = [float(program.size_limit[size]) for size in part.sizes]
        found[name] = EnergyCapacity(
            kind=part.kind,
            power_w=((built[0] if built else 0.0) + part.existing) * MW_W,
            energy_j=built[1] * MWH_J if len(built) > 1 else None,
            usd_per_year=sum(float(program.size_usd[s]) * b for s, b in zip(part.sizes, built, strict=True)),
            at_limit=any(b >= MIN_AT_LIMIT * limit for b, limit in zip(built, limits, strict=True)),
        )
    if (connection := solved.model.connection) is not None:
        peak = float(solved.solution.flows[connection.drawn].max())
        limit = float(program.bounds(program.finite_limits)[connection.drawn].max())
        found["grid"] = EnergyCapacity(
            kind="grid", power_w=peak * MW_W, usd_per_year=0.0, at_limit=peak >= MIN_AT_LIMIT * limit
        )
    return found


def _flows(solved: _Solved) -> dict[str, EnergyFlow]:
    """Energy, cost and emissions by part; what comes first in a part gives, what comes second takes."""
    flows = {}
    least = MIN_SHARE * float(solved.model.hours.weight_frac @ solved.model.load)
    for name, part in solved.model.parts.items():
        given = np.maximum(net_mw(part, solved.solution.flows), 0.0)
        energy = float(solved.model.hours.weight_frac @ given)
        some = float(energy >= least)
        flows[f"{name}, resold" if part.kind == "purchase" else name] = EnergyFlow(
            energy_j_per_year=some * energy * MWH_J,
            usd_per_year=some * sum(solved.usd(flow) for flow in part.flows),
            kgco2_per_year=some * sum(solved.kgco2(flow) for flow in part.flows),
        )
    return flows


def _charges(solved: _Solved) -> dict[str, float]:
    charges = {}
    if (connection := solved.model.connection) is not None:
        usd, sizes = solved.model.program.size_usd, solved.solution.sizes
        if connection.peaks:
            charges["peaks"] = float(sum(usd[peak] * sizes[peak] for peak in connection.peaks))
        if connection.drawn != connection.market:
            charges["delivery"] = solved.usd(connection.drawn)
    if solved.model.fixed_usd_per_year:
        charges["fixed"] = solved.model.fixed_usd_per_year
    return charges


def _carbon_price(solved: _Solved) -> float | None:
    """Dollars saved by a kilogram more of the cap."""
    names = [total.name for total in solved.model.program.totals]
    if CAP not in names:
        return None
    return max(0.0, -float(solved.solution.total_prices[names.index(CAP)])) / solved.model.cap_unit


def _foreign_prices(
    site: EnergySite,
    technologies: Mapping[str, EnergyTechnology],
    tariff: Tariff | None,
    years: Sequence[YearOfHours],
) -> list[str]:
    """Prices of another year than the site's are counted as they stand, and that is said."""
    rows: list[EnergyTechnology | Tariff] = [*technologies.values(), *([tariff] if tariff else [])]
    foreign = [f"{row.id} {row.price_year}" for row in rows if row.price_year != site.price_year]
    if tariff is not None and tariff.wholesale:
        others = [year.label for year in years if year.label != str(site.price_year)]
        foreign += [f"the market's hourly prices {', '.join(others)}"] * bool(others)
    if not foreign:
        return []
    return [f"Not in dollars of {site.price_year}, and counted as they stand: {', '.join(foreign)}."]


def _notes(site: EnergySite, solved: _Solved, lost_frac: float) -> tuple[str, ...]:
    notes = []
    if lost_frac > MIN_SHARE:
        notes.append(f"{lost_frac:.3%} of the load is not served or is curtailed.")
    if solved.solution.gap_frac > GAP_FRAC:
        notes.append(
            f"The bound is {solved.solution.gap_frac:.1e} below the cost: rounding ended the search."
        )
    if site.prices is not None:
        notes.append("Prices of several years meet the weather of one: what links them is not in the answer.")
    if site.outages:
        notes.append("Outages come at the hours named, and the plan knows them beforehand.")
    return tuple(notes)
