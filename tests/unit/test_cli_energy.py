"""`gigawatt contract energy` and `validate energy`: what they print, how they end, what they refuse."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

SITE = """\
title: A small campus
price_year: 2022
discount_frac: 8 %
hours: hours.csv
load: {rated_w: 100 MW, tokens_per_s: 60M tokens/s, unserved_usd_per_mwh: $5000/MWh}
grid: {limit_w: 60 MW, tariff: market-with-peaks}
build:
  - {technology: wind}
  - {technology: gas}
  - {technology: battery}
carbon: {cap_kgco2_per_mwh: 250 gCO2/kWh}
"""

CASE = {
    "hourly_file": "hours.csv",
    "parameters": {
        "wacc": 0.08, "load_mw": 100.0, "load_shape": "flat", "grid_import_limit_mw": 40.0,
        "grid_delivery_fee_usd_mwh": 10.0, "unserved_usd_mwh": 10000.0, "export_allowed": False,
        "gas_cc": {
            "capex_usd_kw": 1400.0, "fom_pct": 2.0, "life_y": 25, "vom_usd_mwh": 7.0, "efficiency": 0.5,
            "fuel_usd_mwh_th": 18.0, "co2_t_mwh_th": 0.198,
        },
    },
    "results": [{"co2_cap_g_kwh": None, "objective_usd_per_year": 1.0}],
}  # fmt: skip


def write_hours(folder: Path, count: int = 240, price: float = 500.0) -> Path:
    stamps = np.datetime64("2022-03-01T00", "h") + np.arange(count)
    path = folder / "hours.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["timestamp_utc", "wind_cf", "solar_cf", "price_usd_mwh", "avg_co2_g_kwh"])
        for hour, stamp in enumerate(stamps):
            wind = 0.5 + 0.4 * np.sin(hour / 9)
            writer.writerow([f"{stamp}:00Z", f"{wind:.4f}", "0.0", f"{price:.2f}", "400.0"])
    return path


@pytest.fixture
def site(tmp_path: Path) -> Path:
    write_hours(tmp_path, price=45.0)
    path = tmp_path / "site.yaml"
    path.write_text(SITE)
    return path


def test_the_keys_that_scripts_rely_on(site: Path, run_gigawatt) -> None:
    done = run_gigawatt("contract", "energy", str(site), "--json", "--quiet")
    assert done.exit_code == 0, done.errors
    found = json.loads(done.output)
    assert found["schema"] == "gigawatt.contract-energy/1"
    assert 0 < found["lower_bound_usd_per_year"] <= found["usd_per_year"]
    assert set(found["capacities"]) == {"wind", "gas", "battery", "grid"}
    assert found["tokens_per_mwh"] == pytest.approx(60e6 * 3600 / 100)
    assert found["price_year"] == 2022


def test_people_read_tables(site: Path, run_gigawatt, tmp_path: Path) -> None:
    out = tmp_path / "built.csv"
    done = run_gigawatt("contract", "energy", str(site), "--out", str(out))
    assert done.exit_code == 0
    for words in ("Built and signed", "proven to be within", "the cap costs", "work per energy"):
        assert words in done.output
    assert [row["name"] for row in csv.DictReader(out.read_text().splitlines())] == [
        "wind",
        "gas",
        "battery",
        "grid",
    ]


def test_a_picture_on_request(site: Path, run_gigawatt, tmp_path: Path) -> None:
    picture = tmp_path / "hours.svg"
    done = run_gigawatt("contract", "energy", str(site), "--draw", str(picture), "--json")
    assert done.exit_code == 0, done.errors
    assert "dispatch" not in json.loads(done.output)
    assert "A small campus: where its power comes from" in picture.read_text()
    done = run_gigawatt("contract", "energy", str(site), "--draw", str(picture), "--frontier", "3")
    assert done.exit_code == 2
    assert "--draw shows one plan" in done.errors


def test_a_frontier_on_request(site: Path, run_gigawatt) -> None:
    done = run_gigawatt("contract", "energy", str(site), "--frontier", "4", "--json", "--quiet")
    points = json.loads(done.output)["points"]
    assert len(points) == 4
    costs = [point["usd_per_year"] for point in points]
    assert costs == sorted(costs)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("technology: gas", "technology: gass", ["site.yaml:9:", "build[1].technology", "did you mean"]),
        ("tariff: market-with-peaks", "tariff: markt", ["grid.tariff", "no tariff"]),
        ("rated_w: 100 MW", "rated_w: 100", ["site.yaml:5:", "load.rated_w", "bare number"]),
        ("hours: hours.csv", "hours: our.csv", ["our.csv", "no such file", "hours.csv"]),
        ("discount_frac", "discont_frac", ["discont_frac", "discount_frac"]),
        ("technology: battery}", "technology: battery}\n  - {technology: gas}", ["given twice"]),
        ("{technology: battery}", "{technology: battery, existing_w: 5 MW}", ["storage is sized as new"]),
        ("carbon: {", "carbon: {grid: marginal, ", ["no column of marginal emissions"]),
        ("grid: {limit_w: 60 MW, tariff: market-with-peaks}\n", "purchases: [{name: p, shape: baseload, "
         "usd_per_mwh: $50/MWh, limit_w: 5 MW}]\n", ["comes over the grid"]),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_place(
    site: Path, run_gigawatt, old: str, new: str, said: list[str]
) -> None:
    assert old in SITE
    site.write_text(SITE.replace(old, new))
    done = run_gigawatt("contract", "energy", str(site))
    assert done.exit_code == 2
    assert "Traceback" not in done.errors
    for words in said:
        assert words in done.errors


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("2022-03-01T05:00Z,0.5,0,x,400", 'price_usd_mwh: "x" is not a number'),
        ("2022-03-01T05:00Z,0.5,0,nan,400", 'price_usd_mwh: "nan" is not a number'),
        ("2022-03-01T07:00Z,0.5,0,40,400", "a gap or a repetition"),
        ("first of March,0.5,0,40,400", "is not an hour"),
        ("2022-03-01T05:00Z,0.5,0,40", "expected 5 cells"),
    ],
)
def test_hours_that_are_none_are_named_by_line(site: Path, run_gigawatt, line: str, said: str) -> None:
    path = site.parent / "hours.csv"
    lines = path.read_text().splitlines()
    lines[6] = line
    path.write_text("\n".join(lines))
    done = run_gigawatt("contract", "energy", str(site))
    assert done.exit_code == 2
    assert "hours.csv:7:" in done.errors or "hours.csv:8:" in done.errors
    assert said in done.errors


def test_prices_of_several_years(site: Path, run_gigawatt) -> None:
    """The mean over years whose prices differ by a constant is the year of the mean price."""
    for number, (year, price) in enumerate([(2021, 30.0), (2022, 60.0)]):
        stamps = np.datetime64(f"{year}-03-01T00", "h") + np.arange(240)
        rows = [f"{stamp}:00Z,{price}" for stamp in stamps]
        mode = "a" if number else "w"
        with (site.parent / "prices.csv").open(mode) as file:
            file.write("" if number else "timestamp_utc,here_usd_mwh\n")
            file.write("\n".join(rows) + "\n")
    grid_only = SITE.replace("  - {technology: wind}\n  - {technology: gas}\n  - {technology: battery}\n", "")
    grid_only = grid_only.replace("build:\n", "").replace("limit_w: 60 MW", "limit_w: 200 MW")
    grid_only = grid_only.replace("carbon: {cap_kgco2_per_mwh: 250 gCO2/kWh}\n", "")
    site.write_text(grid_only + "prices: {file: prices.csv, column: here_usd_mwh, years: [2021, 2022]}\n")
    done = run_gigawatt("contract", "energy", str(site), "--json", "--quiet")
    assert done.exit_code == 0, done.errors
    both = json.loads(done.output)
    site.write_text(grid_only)
    once = json.loads(run_gigawatt("contract", "energy", str(site), "--json", "--quiet").output)
    assert both["num_years"] == 2
    assert both["usd_per_year"] == pytest.approx(once["usd_per_year"], rel=1e-5)
    site.write_text(grid_only + "prices: {file: prices.csv, column: here_usd_mwh, years: [2020]}\n")
    done = run_gigawatt("contract", "energy", str(site))
    assert done.exit_code == 2
    assert "holds 0 hours of 2020, expected 240" in done.errors


def test_clean_energy_out_of_reach_ends_with_one(site: Path, run_gigawatt) -> None:
    site.write_text(
        SITE.replace("{technology: wind}", "{technology: wind, limit_w: 20 MW}").replace(
            "carbon: {", "carbon: {annual_frac: 90 %, "
        )
    )
    done = run_gigawatt("contract", "energy", str(site), "--json")
    assert done.exit_code == 1
    assert json.loads(done.output)["binding"][0]["constraint"] == "carbon.annual_frac"


def test_cases_of_ones_own(tmp_path: Path, run_gigawatt) -> None:
    """Gas alone, whose cost is its annuity and its fuel, beside a grid that is never worth its price."""
    write_hours(tmp_path)
    annuity = 1400e3 * (0.08 / (1 - 1.08**-25) + 0.02) * 100
    truth = annuity + 240 * 100 * (7.0 + 18.0 / 0.5)
    case = CASE | {"results": [{"co2_cap_g_kwh": None, "objective_usd_per_year": truth}]}
    path, out = tmp_path / "case.json", tmp_path / "out.csv"
    # A plant for ten days only: with the grid's limit at zero price never met, gas serves everything.
    case["parameters"] = CASE["parameters"] | {"grid_import_limit_mw": 1e-3}
    path.write_text(json.dumps(case))
    done = run_gigawatt(
        "validate", "energy", str(path), "--predictions", str(out), "--require", "error<=1e-4",
        "--require", "gap<=1e-4", "--json",
    )  # fmt: skip
    assert done.exit_code == 0, done.errors
    (row,) = csv.DictReader(out.read_text().splitlines())
    assert list(row) == [
        "case", "co2_cap_g_kwh", "reference_usd_per_year", "predicted_usd_per_year",
        "lower_bound_usd_per_year", "wall_s", "status", "reason",
    ]  # fmt: skip
    assert float(row["predicted_usd_per_year"]) == pytest.approx(truth, rel=1e-4)
    assert (row["status"], row["co2_cap_g_kwh"]) == ("predicted", "")
    case["results"][0]["objective_usd_per_year"] = truth * 1.01
    path.write_text(json.dumps(case))
    done = run_gigawatt("validate", "energy", str(path), "--require", "error<=1e-4")
    assert done.exit_code == 1
    assert "missed: error<=1e-4" in done.output


def test_a_case_that_cannot_be_expressed_says_why(tmp_path: Path, run_gigawatt) -> None:
    write_hours(tmp_path)
    path = tmp_path / "case.json"
    path.write_text(json.dumps(CASE | {"parameters": CASE["parameters"] | {"export_allowed": True}}))
    done = run_gigawatt("validate", "energy", str(path), "--json")
    (row,) = json.loads(done.output)["rows"]
    assert row["status"] == "inexpressible"
    assert "export_allowed" in row["reason"]
    path.write_text(json.dumps({"parameters": {}}))
    done = run_gigawatt("validate", "energy", str(path))
    assert done.exit_code == 2
    assert "hourly_file" in done.errors
    done = run_gigawatt("validate", "energy", str(path), "--require", "speed<=1")
    assert done.exit_code == 2


def test_the_example_is_solved(repository: Path, run_gigawatt) -> None:
    site = repository / "examples" / "campus-energy" / "site.yaml"
    done = run_gigawatt("contract", "energy", str(site), "--json", "--quiet")
    found = json.loads(done.output)
    assert found["gap_frac"] < 1e-4
    assert found["kgco2_per_year"] <= 100 * found["load_j_per_year"] / 3.6e9 * (1 + 1e-6)
