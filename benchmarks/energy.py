"""How long the energy of a gigawatt campus takes: 8,760 hours with storage and a cap on emissions, proven.

The reference cases (ERCOT and PJM, 2022, `energy/reference/`) are solved by `plan_energy`, each with its cap,
then the cost-carbon frontier of PJM at 30 points. The peer is HiGHS: the program of ERCOT, written out in
full, goes to its dual simplex in the same run (minutes) where `GIGAWATT_BENCHMARK_PEER` is 1; otherwise the
figure that was measured is given. What PyPSA took stands in the reference cases, and in the notes here.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import numpy as np
from measure import Figures, Measured, measured, report
from scipy.optimize import linprog
from scipy.sparse import coo_matrix, vstack

from gigawatt.contract.energy import energy_frontier, plan_energy
from gigawatt.contract.energy_hours import joined_hours
from gigawatt.contract.energy_model import energy_model
from gigawatt.contract.energy_program import HourlyProgram
from gigawatt.documents import read_json
from gigawatt.exports.hour_csv import read_hours
from gigawatt.validation.energy import case_question

ROOT = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get("GIGAWATT_SHARED_DATA", ROOT.parent / "shared" / "data")) / "energy"
CASES = ("ercot_2022_1gw", "pjm_2022_1gw")
POINTS = 30
PEER = {
    "name": "HiGHS (scipy), dual simplex on the full program of ERCOT with its cap, one thread",
    "source": "measured on a 2-core x86-64 machine that other jobs used as well",
}
MEASURED_PEER_CPU_S = 55.6
PYPSA = {
    "name": "PyPSA 1.4.0 with HiGHS 1.15.1, simplex, one thread",
    "source": "wall_s in the reference cases, measured on a 2-core x86-64 machine",
}


def solved(name: str) -> dict[str, float]:
    """Every distinct cap of a case: seconds, error and gap; what PyPSA took beside them."""
    case = read_json(DATA / "reference" / f"{name}.json")
    hours = read_hours(DATA / case["hourly_file"])
    figures: dict[str, float] = {}
    for result in case["results"]:
        cap, reference = result["co2_cap_g_kwh"], result["objective_usd_per_year"]
        label = f"{name}_{'free' if cap is None else f'{cap:.0f}_g_kwh'}"
        figures[f"{label}_pypsa_s"] = min(result["wall_s"], figures.get(f"{label}_pypsa_s", np.inf))
        if f"{label}_s" in figures:
            continue
        asked = case_question(case, cap, int(hours.label))
        with measured() as spent:
            plan = plan_energy(*asked, [hours])
        figures |= {
            f"{label}_s": spent.wall_s,
            f"{label}_cpu_s": spent.cpu_s,
            f"{label}_error_frac": plan.usd_per_year / reference - 1.0,
            f"{label}_gap_frac": plan.gap_frac,
        }
    return figures


def frontier() -> dict[str, float]:
    """The frontier of PJM: seconds, and the widest gap of its points."""
    case = read_json(DATA / "reference" / f"{CASES[1]}.json")
    hours = read_hours(DATA / case["hourly_file"])
    asked = case_question(case, None, int(hours.label))
    with measured() as spent:
        found = energy_frontier(*asked, [hours], POINTS)
    gaps = [1.0 - point.lower_bound_usd_per_year / point.usd_per_year for point in found.points]
    return {
        "frontier_points": len(found.points),
        "frontier_s": spent.wall_s,
        "frontier_cpu_s": spent.cpu_s,
        "frontier_gap_frac": max(gaps),
    }


def peer() -> dict[str, Any]:
    """HiGHS on the program of ERCOT with its cap, written out in full."""
    if os.environ.get("GIGAWATT_BENCHMARK_PEER") != "1":
        return PEER | {"work": {"hours": 8760.0}, "cpu_s": MEASURED_PEER_CPU_S}
    case = read_json(DATA / "reference" / f"{CASES[0]}.json")
    hours = read_hours(DATA / case["hourly_file"])
    cap = case["results"][-1]["co2_cap_g_kwh"]
    site, technologies, tariff = case_question(case, cap, int(hours.label))
    program = energy_model(site, technologies, tariff, joined_hours([hours])).program
    begun = time.process_time()
    found = linprog(**written_out(program), method="highs-ds")
    spent = time.process_time() - begun
    work = {"hours": 8760.0, "columns": float(len(found.x)), "usd_per_year": float(found.fun)}
    return PEER | {"source": "run in turn", "work": work, "cpu_s": spent}


def written_out(program: HourlyProgram) -> dict[str, Any]:
    """An hourly program as matrices: flows hour by hour, then sizes."""
    flows, hours = program.flow_usd.shape
    sizes, rows = len(program.size_usd), program.take.shape[0]
    hour = np.arange(hours)
    entries: list[tuple[Any, Any, Any]] = []
    for row, flow, weight in program.puts:
        entries.append((row * hours + hour, flow * hours + hour, np.full(hours, weight)))
    for row, flow, weight in program.carries:
        entries.append((row * hours + hour[1:], flow * hours + hour[:-1], np.full(hours - 1, weight)))
    entries += [
        (gift.row * hours + hour, np.full(hours, flows * hours + gift.size), -gift.profile_frac)
        for gift in program.gifts
    ]
    equal = matrix(entries, rows * hours, flows * hours + sizes)
    totals = []
    for n, total in enumerate(program.totals):
        for flow, weight in total.terms:
            totals.append((np.full(hours, n), flow * hours + hour, weight))
        totals += [(np.array([n]), np.array([flows * hours + s]), np.array([w])) for s, w in total.sizes]
    held = np.argwhere(program.holder >= 0)
    at, count = held[:, 0] * hours + held[:, 1], np.arange(len(held))
    holder = program.holder[held[:, 0], held[:, 1]] + flows * hours
    share = program.share[held[:, 0], held[:, 1]]
    below = matrix(
        [(count, at, np.ones(len(held))), (count, holder, -share)], len(held), flows * hours + sizes
    )
    upper = np.where(program.holder >= 0, np.inf, program.upper).ravel()
    limits = np.concatenate([upper, program.size_limit])
    return {
        "c": np.concatenate([program.flow_usd.ravel(), program.size_usd]),
        "A_eq": vstack([equal, matrix(totals, len(program.totals), flows * hours + sizes)]).tocsr(),
        "b_eq": np.concatenate([program.need.ravel(), [total.target for total in program.totals]]),
        "A_ub": below,
        "b_ub": program.upper[held[:, 0], held[:, 1]],
        "bounds": np.stack([np.zeros(len(limits)), limits], axis=1),
    }


def matrix(entries: list[tuple[Any, Any, Any]], rows: int, columns: int) -> Any:
    """A sparse matrix of entries (row, column, value)."""
    if not entries:
        return coo_matrix((rows, columns)).tocsr()
    row, column, value = (np.concatenate(part) for part in zip(*entries, strict=True))
    return coo_matrix((value, (row, column)), shape=(rows, columns)).tocsr()


def run() -> Figures:
    """All cases, then the frontier."""
    figures: dict[str, float] = {}
    for name in CASES:
        figures |= solved(name)
    curve = frontier()
    capped = [name for name in figures if name.endswith("g_kwh_cpu_s")]
    spent = Measured(
        cpu_s=max(figures[name] for name in capped),
        wall_s=max(figures[name.replace("_cpu_s", "_s")] for name in capped),
    )
    return Figures(
        name="energy",
        work={"hours": 8760.0, "cases": float(len(capped)), **curve},
        spent=spent,
        rates={"hours_per_cpu_s": 8760.0 / spent.cpu_s},
        peer=peer(),
        notes=figures | {"pypsa": PYPSA["source"]},
    )


if __name__ == "__main__":
    report(run, __doc__ or "")
