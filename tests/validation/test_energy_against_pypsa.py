"""Exported energy sites, solved by PyPSA itself: its objective against our cost and bound."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gigawatt import import_network, plan_energy
from gigawatt.exports.pypsa import write_pypsa
from gigawatt.project.energy import plan_site
from gigawatt.project.handover import write_files

pytestmark = [
    pytest.mark.skipif(
        importlib.util.find_spec("pypsa") is None, reason="PyPSA is not installed (the extra `pypsa`)"
    ),
    pytest.mark.filterwarnings("ignore"),  # pandas' and PyPSA's own
]

RELATIVE = 1e-4
HOURS = 14 * 24
YEAR_H = 8760


def solved(folder: Path) -> float:
    """What PyPSA finds the network of a folder to cost."""
    import pypsa

    network = pypsa.Network()
    network.import_from_csv_folder(folder)
    status = network.optimize(solver_name="highs", log_to_console=False, include_objective_constant=False)
    assert status == ("ok", "optimal")
    return float(network.objective)


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"carbon": {"cap_kgco2_per_mwh": 60.0}}, id="storage under a cap"),
        pytest.param({"carbon": {"hourly_frac": 0.9}}, id="clean by the hour"),
        pytest.param("all", id="bought, flexible, with peaks and feed-in, under a cap"),
    ],
)
def test_pypsa_finds_the_same_cost(fields: Any, tmp_path: Path, campuses) -> None:
    known, years = campuses.technologies(HOURS / YEAR_H), [campuses.made_up_year(HOURS, 8)]
    rates = campuses.tariff()
    if fields == "all":
        fields = {
            "load": campuses.FLEXIBLE,
            "purchases": campuses.PURCHASES,
            "carbon": {"cap_kgco2_per_mwh": 80.0},
            "grid": {"limit_w": 60e6, "tariff": "tariff", "feed_in_w": 40e6},
            "outages": ({"first_hour": 30, "hours": 9},),
        }
        peaks = tuple(row | {"ratchet_frac": 0.0} for row in campuses.PEAKS["demand"])
        rates = campuses.tariff(**(campuses.PEAKS | {"demand": peaks}))
    site = campuses.campus(**fields)
    folder = write_pypsa(site, known, rates, years)
    write_files(folder.files, tmp_path)
    plan = plan_energy(site, known, rates, years)
    assert solved(tmp_path) + folder.constant_usd == pytest.approx(plan.usd_per_year, rel=RELATIVE)


def test_a_network_that_pypsa_wrote_costs_the_same_here(tmp_path: Path) -> None:
    import pandas
    import pypsa

    count, rng = 240, np.random.default_rng(3)
    network = pypsa.Network(
        name="made with PyPSA", snapshots=pandas.date_range("2021-02-01", periods=count, freq="h")
    )
    network.add("Bus", ["campus", "battery"])
    network.add("Carrier", "gas", co2_emissions=0.2)
    network.add("Load", "halls", bus="campus", p_set=90.0 + 15.0 * np.sin(np.arange(count) / 24 * 2 * np.pi))
    network.add(
        "Generator",
        "sun",
        bus="campus",
        p_nom_extendable=True,
        capital_cost=2100.0,
        p_max_pu=np.clip(np.sin((np.arange(count) % 24 - 6) / 12 * np.pi), 0.0, 1.0),
    )
    network.add(
        "Generator",
        "gas",
        bus="campus",
        carrier="gas",
        p_nom_extendable=True,
        capital_cost=2e3,
        efficiency=0.5,
        marginal_cost=45.0,
    )
    network.add("Generator", "market", bus="campus", p_nom=40.0, marginal_cost=rng.normal(60, 25, count))
    network.add("Generator", "load shedding", bus="campus", p_nom=200.0, marginal_cost=5000.0)
    network.add(
        "Link",
        "inverter",
        bus0="campus",
        bus1="battery",
        p_min_pu=-1.0,
        p_nom_extendable=True,
        capital_cost=300.0,
    )
    network.add("Store", "battery", bus="battery", e_nom_extendable=True, e_cyclic=True, capital_cost=60.0)
    network.add("GlobalConstraint", "co2", sense="<=", constant=2000.0)
    network.export_to_csv_folder(tmp_path / "network")
    (path, *_), notes = import_network(tmp_path / "network", tmp_path / "site.yaml")
    assert [note for note in notes if "left out" in note] == []
    assert solved(tmp_path / "network") == pytest.approx(plan_site(path).usd_per_year, rel=RELATIVE)
