"""A campus of a gigawatt in other regions: PyPSA on the exported network beside the plan from here.

    python scripts/energy_against_pypsa.py [REGION ...]

Needs the extra `pypsa`, and the hourly files of `energy/` in the folder that GIGAWATT_SHARED_DATA names (or
../shared/data). All but the hours is PJM's reference case, without a cap and with its cap of 50 g/kWh. Two
regions have no prices of their own; PJM's stand in. Prints a table, a row as soon as it is known: PyPSA takes
half a minute to four minutes for each.
"""

from __future__ import annotations

import csv
import logging
import os
import sys
import tempfile
import time
from pathlib import Path

from gigawatt.contract.energy import plan_energy
from gigawatt.contract.energy_hours import YearOfHours
from gigawatt.documents import read_json
from gigawatt.domain.energy import EnergyPlan
from gigawatt.exports.hour_csv import read_hours
from gigawatt.exports.pypsa import PypsaFolder, write_pypsa
from gigawatt.project.handover import write_files
from gigawatt.validation.energy import case_question

ROOT = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get("GIGAWATT_SHARED_DATA", ROOT.parent / "shared" / "data")) / "energy"
REGIONS = ("NYIS", "MISO", "SOCO", "PJM")
CAPS_KGCO2_PER_MWH = (None, 50.0)
PRICE, PRICES_OF = "price_usd_mwh", "PJM"


def hours_of(region: str) -> YearOfHours:
    """The hours of a region, with PJM's prices where it has none."""
    path = DATA / f"{region}_2022_hourly.csv"
    rows = read_csv(path)
    if PRICE in rows[0]:
        return read_hours(path)
    priced = [
        row | {PRICE: other[PRICE]} for row, other in zip(rows, read_csv(hourly(PRICES_OF)), strict=True)
    ]
    with tempfile.NamedTemporaryFile("w", suffix=".csv", newline="") as file:
        writer = csv.DictWriter(file, list(priced[0]))
        writer.writeheader()
        writer.writerows(priced)
        file.flush()
        return read_hours(Path(file.name))


def hourly(region: str) -> Path:
    """The file of a region."""
    return DATA / f"{region}_2022_hourly.csv"


def read_csv(path: Path) -> list[dict[str, str]]:
    """Its rows."""
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def solved_by_pypsa(folder: PypsaFolder) -> tuple[float, float, float]:
    """USD a year, seconds of wall and of CPU, by HiGHS on one thread."""
    import pypsa

    with tempfile.TemporaryDirectory() as place:
        write_files(folder.files, Path(place))
        network = pypsa.Network()
        network.import_from_csv_folder(place)
    wall, cpu = time.perf_counter(), time.process_time()
    status = network.optimize(
        solver_name="highs",
        log_to_console=False,
        solver_options={"threads": 1},
        include_objective_constant=False,
        progress=False,
    )
    assert status == ("ok", "optimal"), status
    spent = time.perf_counter() - wall, time.process_time() - cpu
    return float(network.objective) + folder.constant_usd, *spent


def row_of(region: str, cap: float | None, case: dict[str, object]) -> str:
    """A line of the table."""
    years = [hours_of(region)]
    site, technologies, tariff = case_question(case, cap, int(years[0].label))
    theirs, their_wall, their_cpu = solved_by_pypsa(write_pypsa(site, technologies, tariff, years))
    wall, cpu = time.perf_counter(), time.process_time()
    plan = plan_energy(site, technologies, tariff, years)
    spent = time.perf_counter() - wall, time.process_time() - cpu
    name = f"{region}, {'no cap' if cap is None else f'{cap:.0f} g/kWh'}"
    return (
        f"| {name} | {theirs / 1e6:,.3f} M$ | {their_wall:.0f} s, {their_cpu:.0f} s | {spent[0]:.1f} s, "
        f"{spent[1]:.1f} s | {plan.usd_per_year / theirs - 1.0:.0e} | {plan.gap_frac:.0e} | {built(plan)} |"
    )


def built(plan: EnergyPlan) -> str:
    """What the plan builds, MW and MWh."""
    said = []
    for name, one in plan.capacities.items():
        if name != "grid" and one.power_w > 0:
            cells = f" and {one.energy_j / 3.6e9:,.0f} MWh" if one.energy_j else ""
            said.append(f"{name} {one.power_w / 1e6:,.0f}{cells}")
    return ", ".join(said)


def main() -> None:
    """All regions asked for, under each cap."""
    logging.disable(logging.WARNING)
    case = read_json(DATA / "reference" / "pjm_2022_1gw.json")
    plan_energy(*case_question(case, None, 2022), [hours_of(PRICES_OF)])  # compiles what is compiled
    print("| case | a year | PyPSA: wall, CPU | here: wall, CPU | differs | proven to | built, MW |")
    print("|---|---:|---:|---:|---:|---:|---|")
    for region in sys.argv[1:] or REGIONS:
        for cap in CAPS_KGCO2_PER_MWH:
            print(row_of(region, cap, case), flush=True)


if __name__ == "__main__":
    main()
