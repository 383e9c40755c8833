"""PyPSA networks as energy sites: there and back, and networks as other people write them."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gigawatt import import_network, plan_energy
from gigawatt.errors import InputError
from gigawatt.exports.pypsa import write_pypsa
from gigawatt.project.energy import plan_site
from gigawatt.project.handover import write_files

YEAR_H = 8760
HOURS = 10 * 24


@pytest.mark.parametrize(
    "case", ["plain", "capped", "sold", "columns of its own", "stored in one piece", "outages of the grid"]
)
def test_there_and_back_costs_the_same(case: str, tmp_path: Path, campuses) -> None:
    fields = dict(campuses.CASES.get(case, {}))
    if case == "outages of the grid":
        fields = {
            "outages": ({"first_hour": 30, "hours": 9}, {"first_hour": 150, "hours": 4}),
            "build": ({"technology": "wind", "existing_w": 30e6}, {"technology": "gas", "limit_w": 60e6}),
            "load": campuses.FLEXIBLE | {"shifting": None},
        }
    site, known = campuses.campus(**fields), campuses.technologies(HOURS / YEAR_H)
    rates, years = campuses.tariff(), [campuses.made_up_year(HOURS, 2)]
    if case == "sold":
        rates = campuses.tariff(energy=({"usd_per_mwh": 5.0},))
    network = tmp_path / "network"
    write_files(write_pypsa(site, known, rates, years).files, network)
    (path, hours, catalogue), notes = import_network(network, tmp_path / "back.yaml")
    assert (hours.name, catalogue.name) == ("back-hours.csv", "back-catalogue.yaml")
    assert len(notes) == 1
    assert "dollars of 2022" in notes[0]
    before, after = plan_energy(site, known, rates, years), plan_site(path)
    assert after.usd_per_year == pytest.approx(before.usd_per_year, rel=3e-6)
    assert after.kgco2_per_year == pytest.approx(before.kgco2_per_year, rel=1e-3)


def write(folder: Path, **tables: list[dict[str, Any]]) -> Path:
    """A folder of CSV files; series are columns named by `table__attribute`."""
    folder.mkdir(exist_ok=True)
    for name, rows in tables.items():
        keys = list(dict.fromkeys(key for row in rows for key in row))
        with (folder / f"{name.replace('__', '-')}.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, keys)
            writer.writeheader()
            writer.writerows(rows)
    return folder


def somebodys(folder: Path, count: int = 80, **more: list[dict[str, Any]]) -> Path:
    """Three-hourly: gas by its own bus and link, hydrogen there and back, a battery in one piece, wind."""
    rng = np.random.default_rng(5)
    stamps = [
        str(np.datetime64("2019-06-01T00:00:00") + 3 * n * np.timedelta64(1, "h")) for n in range(count)
    ]
    stamps = [stamp.replace("T", " ") for stamp in stamps]
    wind = np.clip(0.35 + np.cumsum(rng.normal(0, 0.12, count)), 0, 1).tolist()
    load = (80 + 30 * np.sin(np.arange(count) * 2 * np.pi / 8)).tolist()
    cost = count * 3 / YEAR_H
    tables: dict[str, list[dict[str, Any]]] = {
        "snapshots": [{"": s, "objective": 3.0, "stores": 3.0, "generators": 3.0} for s in stamps],
        "buses": [{"name": n, "v_nom": 110.0} for n in ("site", "gas", "hydrogen")],
        "carriers": [{"name": "gas", "co2_emissions": 0.2, "color": "brown"}, {"name": "wind"}],
        "loads": [{"name": "halls", "bus": "site"}, {"name": "office", "bus": "site", "p_set": 2.0}],
        "loads__p_set": [{"snapshot": s, "halls": v} for s, v in zip(stamps, load, strict=True)],
        "generators": [
            {"name": "gas supply", "bus": "gas", "carrier": "gas", "p_nom": 1e5, "marginal_cost": 20.0},
            {"name": "park", "bus": "site", "carrier": "wind", "p_nom_extendable": "True", "lifetime": 20.0,
             "overnight_cost": 1.4e6, "discount_rate": 0.05, "fom_cost": 4e4 * cost, "p_nom_max": 900.0},
            {"name": "shedding", "bus": "site", "p_nom": 1e4, "marginal_cost": 4000.0},
        ],
        "generators__p_max_pu": [{"snapshot": s, "park": v} for s, v in zip(stamps, wind, strict=True)],
        "links": [
            {"name": "turbine", "bus0": "gas", "bus1": "site", "efficiency": 0.55, "p_nom_extendable": "True",
             "capital_cost": 5e4 * cost, "marginal_cost": 2.0},
            {"name": "electrolyser", "bus0": "site", "bus1": "hydrogen", "efficiency": 0.7, "p_nom": 60.0},
            {"name": "engine", "bus0": "hydrogen", "bus1": "site", "efficiency": 0.5, "p_nom": 120.0,
             "marginal_cost": 1.0},
        ],
        "stores": [{"name": "cavern", "bus": "hydrogen", "e_cyclic": "True", "e_nom_extendable": "True",
                    "capital_cost": 3.0 * cost}],
        "storage_units": [{"name": "battery", "bus": "site", "p_nom_extendable": "True", "max_hours": 6.0,
                           "efficiency_store": 0.9, "efficiency_dispatch": 0.97, "capital_cost": 6e5 * cost,
                           "cyclic_state_of_charge": "True", "marginal_cost": 0.5}],
        "global_constraints": [{"name": "cap", "type": "primary_energy", "sense": "<=", "constant": 250.0}],
    }  # fmt: skip
    return write(folder, **(tables | more))


def test_a_network_of_somebody_else(tmp_path: Path, plain_pypsa) -> None:
    """Costs, losses that differ by way, heat into power and weights of snapshots come out as they went in."""
    folder = somebodys(tmp_path / "net")
    (path, *_), notes = import_network(folder, tmp_path / "site.yaml")
    truth, plan = plain_pypsa.least_cost(folder), plan_site(path)
    assert plan.usd_per_year == pytest.approx(truth, rel=3e-6)
    assert {"park", "turbine", "cavern", "battery"} <= set(plan.capacities)
    assert plan.carbon_price_usd_per_kgco2 > 0.0
    assert plan.num_hours == 240
    assert [note for note in notes if "left out" in note] == []
    assert plan.capacities["cavern"].energy_j > 3.6e12
    assert len(notes) == 1


def test_ways_in_and_out_are_sized_as_one(tmp_path: Path) -> None:
    ways = [
        {"name": "in", "bus0": "site", "bus1": "hydrogen", "efficiency": 0.7, "p_nom_extendable": "True"},
        {"name": "out", "bus0": "hydrogen", "bus1": "site", "efficiency": 0.5, "p_nom_extendable": "True",
         "capital_cost": 100.0, "p_nom_max": 40.0},
    ]  # fmt: skip
    _, notes = import_network(somebodys(tmp_path / "net", links=ways), tmp_path / "site.yaml")
    said = "\n".join(notes)
    assert "stores/cavern: the ways in and out are sized as one" in said
    assert "takes in inf MW and gives 20 MW" in said
    assert 'generators left out, no source, store or load of the campus: "gas supply"' in said


def test_hours_that_count_several_times(tmp_path: Path, plain_pypsa) -> None:
    """A stretch that stands for the year: the site has its cost once."""
    stamps = [{"snapshot": n, "objective": 36.5, "generators": 36.5, "stores": 1.0} for n in range(HOURS)]
    folder = somebodys(tmp_path / "net", count=HOURS, snapshots=stamps)
    (path, *_), notes = import_network(folder, tmp_path / "site.yaml")
    assert any("counts 36.5 times" in note for note in notes)
    assert any("no times" in note for note in notes)
    assert 36.5 * plan_site(path).usd_per_year == pytest.approx(plain_pypsa.least_cost(folder), rel=3e-6)


def test_what_finds_no_place_is_listed(tmp_path: Path) -> None:
    folder = somebodys(
        tmp_path / "net",
        loads=[{"name": "halls", "bus": "site"}],
        global_constraints=[
            {"name": "land", "type": "tech_capacity_expansion_limit", "sense": "<=", "constant": 5.0},
            {"name": "cap", "sense": "==", "constant": 500.0},
        ],
        storage_units=[{"name": "dam", "bus": "site", "p_nom": 5.0, "inflow": 2.0, "max_hours": 4.0}],
        lines=[{"name": "wire", "bus0": "site", "bus1": "yard", "x": 0.1}],
        buses=[{"name": n} for n in ("site", "yard", "gas", "hydrogen", "island")],
    )
    with (folder / "generators.csv").open("a") as file:
        file.write("coal,yard,,80,90,True,20,,,,300\n")
        file.write("far away,island,,80,90,True,20,,,,300\n")
    text = (folder / "generators.csv").read_text().splitlines()
    rows = list(csv.DictReader(text))
    for row in rows:
        row["ramp_limit_up"] = "0.3" if row["name"] == "coal" else ""
        row["p_min_pu"] = "0.4" if row["name"] == "coal" else ""
    write(folder, generators=rows)
    (path, *_), notes = import_network(folder, tmp_path / "site.yaml")
    said = "\n".join(notes)
    for words in (
        'generators left out, no source, store or load of the campus: "far away"',
        "generators/coal: left out: ramp_limit_up 0.3, p_min_pu 0.4.",
        "global_constraints/land is left out",
        "global_constraints/cap: emissions may also be below",
        "storage_units/dam: left out: inflow 2.0.",
        "storage_units/dam: it begins as it is said to",
        "1 lines and transformers are taken to carry",
    ):
        assert words in said, said
    assert plan_site(path).gap_frac < 1e-4


@pytest.mark.parametrize(
    ("tables", "said"),
    [
        ({"loads": [{"name": "a", "bus": "site", "p_set": 1.0}, {"name": "b", "bus": "gas", "p_set": 1.0}]},
         "a campus has its load in one place, here it is on gas, site"),
        ({"investment_periods": [{"period": 2030}]}, "several investment periods"),
        ({"snapshots": [{"snapshot": n, "objective": n + 1.0, "stores": 1.0} for n in range(80)]},
         "snapshots of different weight"),
        ({"snapshots": [{"snapshot": n, "objective": 1.0, "stores": 0.5} for n in range(80)]},
         "0.5 hours: expected whole ones"),
        ({"snapshots": [{"snapshot": n, "objective": 1.0} for n in range(70)]},
         "holds 80 snapshots, and snapshots.csv 70"),
        ({"stores": [{"name": "cavern", "bus": "hydrogen", "e_nom": "much"}]},
         'cavern: "much" is not a number'),
        ({"generators__marginal_cost-pw": [{"x": 1}]}, "piecewise attributes"),
    ],
)  # fmt: skip
def test_networks_that_are_no_campus_are_refused(tables: dict[str, Any], said: str, tmp_path: Path) -> None:
    folder = somebodys(tmp_path / "net", **tables)
    with pytest.raises(InputError) as refused:
        import_network(folder, tmp_path / "site.yaml")
    assert said in str(refused.value)
    assert not (tmp_path / "site.yaml").exists()


def test_the_command_writes_three_files_and_says_what_differs(tmp_path: Path, run_gigawatt) -> None:
    folder, out = somebodys(tmp_path / "net"), tmp_path / "site.yaml"
    done = run_gigawatt("import", "pypsa", str(folder), "-o", str(out), "--json", "--quiet")
    assert done.exit_code == 0, done.errors
    found = json.loads(done.output)
    assert found["schema"] == "gigawatt.import-pypsa/1"
    assert [Path(name).name for name in found["files"]] == [
        "site.yaml", "site-hours.csv", "site-catalogue.yaml",
    ]  # fmt: skip
    assert any("dollars of 2019" in note for note in found["notes"])
    done = run_gigawatt("contract", "energy", str(out), "--json", "--quiet")
    assert done.exit_code == 0, done.errors
    done = run_gigawatt("import", "pypsa", str(tmp_path), "-o", str(out))
    assert done.exit_code == 2
    assert "holds no buses.csv" in done.errors
    done = run_gigawatt("import", "pypsa", str(folder), "-o", str(tmp_path / "site.json"))
    assert done.exit_code == 2
    assert "ends in .yaml" in done.errors


def made_up_network(folder: Path, seed: int) -> Path:
    """A campus with plants, stores, links, a grid and a cap at random."""
    rng = np.random.default_rng(seed)
    count, step = 96, int(rng.choice([1, 1, 2]))
    weight = float(rng.choice([step, 7.5 * step]))
    hour = np.arange(count) * step
    price = np.round(rng.normal(55, 30, count), 2)
    sun = np.clip(np.sin((hour % 24 - 6) / 12 * np.pi), 0, 1) * rng.uniform(0.3, 1, count)
    generators: list[dict[str, Any]] = [
        {"name": "load shedding", "bus": "hub", "p_nom": 900.0, "marginal_cost": 3000.0},
        {"name": "sun", "bus": "hub", "carrier": "sun", "p_nom_extendable": "True",
         "capital_cost": rng.uniform(500, 9000), "p_nom_max": rng.choice([80.0, np.inf])},
        {"name": "old wind", "bus": "hub", "carrier": "wind", "p_nom": rng.uniform(0, 60), "p_max_pu": 0.4,
         "marginal_cost": 1.5},
        {"name": "engine", "bus": "hub", "carrier": "oil", "efficiency": 0.4, "marginal_cost": 180.0,
         "p_nom_extendable": "True", "capital_cost": rng.uniform(200, 900)},
        {"name": "gas", "bus": "pipe", "carrier": "gas", "p_nom": 1e4, "marginal_cost": rng.uniform(15, 30)},
    ]  # fmt: skip
    series = {"sun": sun}
    if rng.random() < 0.7:
        generators.append({"name": "market", "bus": "hub", "carrier": "power", "p_nom": rng.uniform(20, 90)})
        generators.append({"name": "feed-in", "bus": "hub", "p_nom": 30.0, "p_min_pu": -1.0, "p_max_pu": 0.0})
    links: list[dict[str, Any]] = [
        {"name": "turbine", "bus0": "pipe", "bus1": "hub", "efficiency": 0.55, "p_nom_extendable": "True",
         "capital_cost": rng.uniform(200, 900), "p_nom_max": 90.0},
        {"name": "inverter", "bus0": "hub", "bus1": "cell", "p_min_pu": -1.0, "p_nom_extendable": "True",
         "capital_cost": rng.uniform(20, 200)},
        {"name": "pump", "bus0": "hub", "bus1": "lake", "efficiency": 0.85, "p_nom": 20.0},
        {"name": "wheel", "bus0": "lake", "bus1": "hub", "efficiency": 0.9, "p_nom": 20.0 / 0.9,
         "marginal_cost": 0.3},
    ]  # fmt: skip
    rows = [{"snapshot": n, "objective": weight, "generators": weight, "stores": step} for n in range(count)]
    labels = range(count)
    tables: dict[str, list[dict[str, Any]]] = {
        "snapshots": rows,
        "buses": [{"name": name} for name in ("hub", "pipe", "cell", "lake")],
        "carriers": [{"name": "gas", "co2_emissions": 0.2}, {"name": "oil", "co2_emissions": 0.27},
                     {"name": "power", "co2_emissions": 0.35}],
        "loads": [{"name": "work", "bus": "hub"}],
        "loads__p_set": [{"snapshot": n, "work": 100 + 20 * np.sin(n / 3)} for n in labels],
        "generators": generators,
        "generators__p_max_pu": [{"snapshot": n, **{k: v[n] for k, v in series.items()}} for n in labels],
        "generators__marginal_cost": [
            {"snapshot": n, "market": price[n], "feed-in": price[n] - 4.0} for n in labels
        ],
        "links": links,
        "stores": [
            {"name": "cells", "bus": "cell", "e_nom_extendable": "True", "e_cyclic": "True",
             "capital_cost": rng.uniform(5, 60)},
            {"name": "basin", "bus": "lake", "e_nom": rng.uniform(50, 300), "e_cyclic": "True"},
        ],
        "global_constraints": [
            {"name": "co2", "sense": "<=", "constant": rng.uniform(0.05, 0.3) * 100 * count * weight}
        ],
    }  # fmt: skip
    return write(folder, **tables)


@pytest.mark.parametrize("seed", range(12))
def test_made_up_networks_cost_the_same(seed: int, tmp_path: Path, plain_pypsa) -> None:
    folder = made_up_network(tmp_path / "net", seed)
    (path, *_), notes = import_network(folder, tmp_path / "site.yaml")
    assert [note for note in notes if "left out" in note] == []
    text = " ".join(notes)
    times = float(text.split("counts ")[1].split(" times")[0]) if "counts " in text else 1.0
    truth = plain_pypsa.least_cost(folder)
    assert times * plan_site(path).usd_per_year == pytest.approx(truth, rel=5e-6)
