"""Energy sites as PyPSA networks: the files, solved by rules of their own, cost what the site costs."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from gigawatt import plan_energy
from gigawatt.exports.pypsa import NOTES, write_pypsa
from gigawatt.project.handover import write_files

CASES = (
    "plain", "capped", "marginal, priced", "clean by the hour", "flexible", "bought", "sold", "no grid",
    "columns of its own", "stored in one piece",
)  # fmt: skip
HOURS = 10 * 24
YEAR_H = 8760


def written(campuses, tmp_path: Path, site, rates, years, known=None):
    known = known or campuses.technologies(HOURS / YEAR_H)
    folder = write_pypsa(site, known, rates, years)
    write_files(folder.files, tmp_path)
    return folder


@pytest.mark.parametrize("case", CASES)
def test_the_network_costs_what_the_site_costs(case: str, tmp_path: Path, campuses, plain_pypsa) -> None:
    site = campuses.campus(**campuses.CASES[case])
    peaks = {"demand": tuple(row | {"ratchet_frac": 0.0} for row in campuses.PEAKS["demand"])}
    rates = campuses.tariff(**(campuses.PEAKS | peaks)) if site.grid else None
    years = [campuses.made_up_year(HOURS, 3)]
    folder = written(campuses, tmp_path, site, rates, years)
    plan = plan_energy(site, campuses.technologies(HOURS / YEAR_H), rates, years)
    assert plain_pypsa.least_cost(tmp_path) + folder.constant_usd == pytest.approx(
        plan.usd_per_year, rel=2e-6
    )
    assert folder.constant_usd == (1e4 if rates else 0.0)


def test_clean_energy_of_the_year(tmp_path: Path, campuses, plain_pypsa) -> None:
    """Without a battery, in which the network could burn what is produced for the sake of the sum."""
    plants = ({"technology": "solar"}, {"technology": "wind"}, {"technology": "gas"})
    site = campuses.campus(carbon={"annual_frac": 0.95}, build=plants, purchases=campuses.PURCHASES)
    years = [campuses.made_up_year(HOURS, 3)]
    written(campuses, tmp_path, site, campuses.tariff(), years)
    plan = plan_energy(site, campuses.technologies(HOURS / YEAR_H), campuses.tariff(), years)
    assert plain_pypsa.least_cost(tmp_path) == pytest.approx(plan.usd_per_year, rel=2e-6)


def test_several_years_are_weighted(tmp_path: Path, campuses, plain_pypsa) -> None:
    """Without a store nothing links the years but what is built."""
    site = campuses.campus(build=({"technology": "wind"}, {"technology": "gas", "existing_w": 20e6}))
    years = [campuses.made_up_year(HOURS, seed) for seed in (4, 5)]
    rates = campuses.tariff(demand=({"usd_per_w_month": 0.002},))
    folder = written(campuses, tmp_path, site, rates, years)
    plan = plan_energy(site, campuses.technologies(HOURS / YEAR_H), rates, years)
    assert plain_pypsa.least_cost(tmp_path) == pytest.approx(plan.usd_per_year, rel=2e-6)
    assert any("weighted" in note for note in folder.notes)


def test_hours_of_what_stands_are_bounded(tmp_path: Path, campuses, plain_pypsa) -> None:
    site = campuses.campus(build=({"technology": "diesel", "existing_w": 30e6, "limit_w": 0.0},))
    years = [campuses.made_up_year(HOURS, 6)]
    folder = written(campuses, tmp_path, site, campuses.tariff(), years)
    plan = plan_energy(site, campuses.technologies(HOURS / YEAR_H), campuses.tariff(), years)
    assert plain_pypsa.least_cost(tmp_path) == pytest.approx(plan.usd_per_year, rel=2e-6)
    assert not any("full load" in note for note in folder.notes)


def test_what_cannot_be_said_is_listed(tmp_path: Path, campuses, plain_pypsa) -> None:
    """A ratchet, hours of new plant, and clean hours beside a cap: the network costs less without them."""
    site = campuses.campus(
        build=({"technology": "diesel"}, {"technology": "wind"}),
        carbon={"cap_kgco2_per_mwh": 300.0, "hourly_frac": 0.5},
    )
    years = [campuses.made_up_year(HOURS, 1)]
    rates = campuses.tariff(**campuses.PEAKS)
    folder = written(campuses, tmp_path, site, rates, years)
    notes = (tmp_path / NOTES).read_text()
    assert notes.splitlines() == list(folder.notes)
    for words in (
        "USD of 2022",
        "diesel: at most 20 hours",
        "hourly_frac, 50.0%",
        "bills at least 70%",
        "10,000.00",
    ):
        assert words in notes
    plan = plan_energy(site, campuses.technologies(HOURS / YEAR_H), rates, years)
    assert plain_pypsa.least_cost(tmp_path) + folder.constant_usd < plan.usd_per_year


def test_hours_without_carbon_are_hours_without_carbon(tmp_path: Path, campuses, plain_pypsa) -> None:
    site = campuses.campus(carbon={"cap_kgco2_per_mwh": 60.0})
    year = campuses.made_up_year(HOURS, 2)
    year.average_kgco2_per_mwh[::3] = 0.0
    written(campuses, tmp_path, site, campuses.tariff(), [year])
    plan = plan_energy(site, campuses.technologies(HOURS / YEAR_H), campuses.tariff(), [year])
    assert plain_pypsa.least_cost(tmp_path) == pytest.approx(plan.usd_per_year, rel=2e-6)


def test_the_command_says_what_differs(repository: Path, tmp_path: Path, run_gigawatt) -> None:
    site, out = repository / "examples" / "campus-energy" / "site.yaml", tmp_path / "net"
    done = run_gigawatt("export", "pypsa", str(site), "-o", str(out), "--json")
    assert done.exit_code == 0, done.errors
    found = json.loads(done.output)
    assert (out / NOTES).read_text().splitlines() == found["notes"]
    assert {Path(name).name for name in found["files"]} == {path.name for path in out.iterdir()}
    snapshots = (out / "snapshots.csv").read_text().splitlines()
    assert snapshots[0] == "snapshot,objective,stores,generators"
    assert snapshots[1] == "2022-01-01 00:00:00,1.0,1.0,1.0"
    assert len(snapshots) == 1 + YEAR_H
    done = run_gigawatt("export", "pypsa", str(site.parent), "-o", str(out))
    assert done.exit_code == 2
    assert "is a folder: name the site file" in done.errors


def test_every_snapshot_is_another(campuses, tmp_path: Path) -> None:
    years = [campuses.made_up_year(48, seed) for seed in (1, 2)]
    written(campuses, tmp_path, campuses.campus(), campuses.tariff(), years)
    labels = [line.split(",")[0] for line in (tmp_path / "snapshots.csv").read_text().splitlines()[1:]]
    assert len(set(labels)) == 96
    assert np.all(np.diff(np.array(labels, dtype="datetime64[h]")).astype(int) == 1)
