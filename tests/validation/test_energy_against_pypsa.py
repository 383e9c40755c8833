"""Exported energy sites, solved by PyPSA itself: its objective against our cost and bound."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest

from gigawatt import plan_energy
from gigawatt.exports.pypsa import write_pypsa
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
