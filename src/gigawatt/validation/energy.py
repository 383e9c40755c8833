"""Reference cases of another optimiser: its objective against our cost and our bound.

A case is a JSON file with `parameters`, the name of an hourly file (beside it or one folder up) and
`results`, one for each cap on emissions.
"""

from __future__ import annotations

import csv
import io
import operator
import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from gigawatt.contract.energy import plan_energy
from gigawatt.contract.energy_hours import YearOfHours
from gigawatt.documents import read_json
from gigawatt.domain.energy import (
    EnergyCaseReport,
    EnergyCaseRow,
    EnergyPlan,
    EnergySite,
    EnergyTechnology,
    Tariff,
)
from gigawatt.errors import GigawattError, InputError, Problem
from gigawatt.exports.hour_csv import read_hours

COLUMNS = (
    "case", "co2_cap_g_kwh", "reference_usd_per_year", "predicted_usd_per_year", "lower_bound_usd_per_year",
    "wall_s", "status", "reason",
)  # fmt: skip
_DAILY = re.compile(r"([\d.]+)\*\(1\+([\d.]+)\*cos\(2\*pi\*\(\(h mod 24\)-(\d+)\)/24\)\).*")
_PLANTS = {"solar": "solar", "wind": "wind", "gas_cc": "dispatchable"}
_ROW = {"source": "reference case", "basis": "published", "date": "2026"}
_BOUND = re.compile(
    r"\s*(error|gap|wall|coverage)\s*(<=|>=|<|>)\s*(\d+(?:\.\d*)?(?:[eE][+-]?\d+)?)\s*(%|s)?\s*"
)
_SIGNS = {"<=": operator.le, ">=": operator.ge, "<": operator.lt, ">": operator.gt}


def validate_energy(files: Sequence[Path]) -> EnergyCaseReport:
    """Solve every result of every case. Errors: InputError for a file that is no case."""
    return EnergyCaseReport(rows=tuple(row for path in files for row in _case_rows(path)))


def _case_rows(path: Path) -> list[EnergyCaseRow]:
    case = read_json(path)
    problems = [
        Problem("missing, expected in a reference case", key, str(path))
        for key in ("hourly_file", "parameters", "results")
        if not isinstance(case, dict) or key not in case
    ]
    if problems:
        raise InputError(problems)
    hours = read_hours(_hourly(path, str(case["hourly_file"])))
    found: dict[float | None, tuple[EnergyPlan | None, float, str]] = {}
    rows = []
    for number, result in enumerate(case["results"]):
        cap, reference = result.get("co2_cap_g_kwh"), result.get("objective_usd_per_year")
        if not isinstance(reference, int | float):
            raise InputError(
                Problem("expected a number", f"results[{number}].objective_usd_per_year", str(path))
            )
        if cap not in found:
            found[cap] = _solved(case, cap, hours)
        rows.append(_row(path.stem, cap, float(reference), *found[cap]))
    return rows


def _hourly(path: Path, name: str) -> Path:
    """The hourly file beside a case, or one folder up."""
    beside = path.parent / name
    return beside if beside.exists() else path.parent.parent / name


def _solved(
    case: Mapping[str, Any], cap: float | None, hours: YearOfHours
) -> tuple[EnergyPlan | None, float, str]:
    """The plan, the seconds that it took from the hours to the proof, and why there is none."""
    begun = time.perf_counter()
    try:
        site, technologies, tariff = case_question(case, cap, int(hours.label))
        plan = plan_energy(site, technologies, tariff, [hours])
    except (KeyError, ValidationError, GigawattError) as error:
        text = f"parameters: {error} is missing" if isinstance(error, KeyError) else str(error)
        return None, 0.0, " ".join(text.split())
    return plan, time.perf_counter() - begun, ""


def _row(
    name: str, cap: float | None, reference: float, plan: EnergyPlan | None, wall: float, reason: str
) -> EnergyCaseRow:
    if plan is None:
        return EnergyCaseRow(
            case=name,
            cap_kgco2_per_mwh=cap,
            reference_usd_per_year=reference,
            status="inexpressible",
            reason=reason,
        )
    return EnergyCaseRow(
        case=name,
        cap_kgco2_per_mwh=cap,
        reference_usd_per_year=reference,
        predicted_usd_per_year=plan.usd_per_year,
        lower_bound_usd_per_year=plan.lower_bound_usd_per_year,
        wall_s=wall,
        status="predicted",
    )


def case_question(
    case: Mapping[str, Any], cap_kgco2_per_mwh: float | None, year: int
) -> tuple[EnergySite, dict[str, EnergyTechnology], Tariff]:
    """A case in our own records, in dollars of the hours' year; what they cannot say is refused."""
    row = _ROW | {"price_year": year}
    said = case["parameters"]
    technologies = {key: _plant(key, kind, said[key], row) for key, kind in _PLANTS.items() if key in said}
    if "battery_energy" in said:
        technologies["battery"] = _battery(said["battery_energy"], said["battery_power"], row)
    if said.get("export_allowed"):
        raise InputError("parameters: export_allowed: the price of exports is not said")
    fee = {"usd_per_mwh": f"{said['grid_delivery_fee_usd_mwh']} USD/MWh"}
    tariff = Tariff.model_validate({"id": "case", "name": "of the case", "energy": (fee,), **row})
    site = {
        "title": str(case.get("region", "")),
        "price_year": year,
        "discount_frac": said["wacc"],
        "hours": str(case["hourly_file"]),
        "load": _load(said, str(case.get("load_formula", ""))),
        "grid": {"limit_w": f"{said['grid_import_limit_mw']} MW", "tariff": "case"},
        "build": tuple({"technology": key} for key in technologies),
        "carbon": {}
        if cap_kgco2_per_mwh is None
        else {"cap_kgco2_per_mwh": f"{cap_kgco2_per_mwh} kgCO2/MWh"},
    }
    return EnergySite.model_validate(site), technologies, tariff


def _load(said: Mapping[str, Any], formula: str) -> dict[str, Any]:
    load = {
        "rated_w": f"{said['load_mw']} MW",
        "unserved_usd_per_mwh": f"{said['unserved_usd_mwh']} USD/MWh",
    }
    if said["load_shape"] == "flat":
        return load
    match = _DAILY.fullmatch(formula.replace(" mod", " mod").strip())
    if match is None:
        raise InputError(
            f'load_formula: "{formula}" is not understood, expected M*(1+S*cos(2*pi*((h mod 24)-H)/24))'
        )
    return load | {"swing_frac": float(match[2]), "peak_hour": int(match[3])}


def _plant(key: str, kind: str, said: Mapping[str, Any], common: Mapping[str, Any]) -> EnergyTechnology:
    row = {
        **common,
        "id": key,
        "name": key,
        "kind": kind,
        "capex_usd_per_w": f"{said['capex_usd_kw']} USD/kW",
        "upkeep_frac": f"{said['fom_pct']} %",
        "life_years": float(said["life_y"]),
        "variable_usd_per_mwh": f"{said.get('vom_usd_mwh', said.get('vom', 0))} USD/MWh",
    }
    if kind == "dispatchable":
        row |= {
            "efficiency_frac": float(said["efficiency"]),
            "fuel_usd_per_mwh": f"{said['fuel_usd_mwh_th']} USD/MWh",
            "fuel_kgco2_per_mwh": f"{said['co2_t_mwh_th']} tCO2/MWh",
        }
    return EnergyTechnology.model_validate(row)


def _battery(
    energy: Mapping[str, Any], power: Mapping[str, Any], common: Mapping[str, Any]
) -> EnergyTechnology:
    if (energy["life_y"], energy["fom_pct"]) != (power["life_y"], power["fom_pct"]):
        raise InputError("parameters: battery: cells and inverter differ in life or upkeep")
    return EnergyTechnology.model_validate(
        {
            "id": "battery",
            "name": "battery",
            "kind": "storage",
            "capex_usd_per_w": f"{power['capex_usd_kw']} USD/kW",
            "energy_capex_usd_per_mwh": f"{energy['capex_usd_kwh']} USD/kWh",
            "upkeep_frac": f"{energy['fom_pct']} %",
            "life_years": float(energy["life_y"]),
            "efficiency_frac": float(power["efficiency_each_way"]),
        }
        | dict(common)
    )


def cases_csv(report: EnergyCaseReport) -> str:
    """Every row as scripts read it."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in report.rows:
        figures = (
            row.cap_kgco2_per_mwh,
            row.reference_usd_per_year,
            row.predicted_usd_per_year,
            row.lower_bound_usd_per_year,
            row.wall_s,
        )
        writer.writerow([row.case, *("" if f is None else repr(f) for f in figures), row.status, row.reason])
    return text.getvalue()


def missed_bounds(report: EnergyCaseReport, required: Sequence[str]) -> tuple[str, ...]:
    """The demands that the report does not meet: "error<=1e-4", "gap<=1e-4", "wall<=5s", "coverage>=100%".

    Errors and gaps are the largest of all rows. Errors: InputError for a demand that cannot be read.
    """
    missed = []
    for text in required:
        match = _BOUND.fullmatch(text)
        if match is None:
            raise InputError(
                f"--require {text!r}: expected FIGURE<=BOUND, such as 'error<=1e-4' or 'wall<=5s', with a "
                "figure among error, gap, wall, coverage"
            )
        bound = float(match[3]) / (100 if match[4] == "%" else 1)
        found = report.figures()[match[1]]
        if found is None or not _SIGNS[match[2]](found, bound):
            missed.append(text)
    return tuple(missed)
