"""Rows of the catalogue in dollars of a site's year: against published indices, and against closed forms."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from gigawatt import load_catalog
from gigawatt.project.energy import plan_site, read_question
from gigawatt.project.price_years import in_dollars_of

OF_2015, OF_2022 = 237.017, 292.655
"""CPI-U, as the Bureau of Labor Statistics prints it."""
SITE = """\
title: On the tariff of a town
price_year: {year}
discount_frac: 8 %
hours: hours.csv
load: {{rated_w: 10 MW, unserved_usd_per_mwh: $5000/MWh}}
grid: {{limit_w: 50 MW, tariff: {tariff}}}
"""


def site(folder: Path, year: int, tariff: str = "batavia-large", build: str = "") -> Path:
    stamps = np.datetime64("2022-03-01T00", "h") + np.arange(240)
    with (folder / "hours.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["timestamp_utc", "wind_cf", "solar_cf", "price_usd_mwh", "avg_co2_g_kwh"])
        writer.writerows([f"{stamp}:00Z", 0.5, 0.0, 45.0, 400.0] for stamp in stamps)
    path = folder / "site.yaml"
    path.write_text(SITE.format(year=year, tariff=tariff) + build)
    return path


def test_a_tariff_of_2015_costs_more_dollars_of_2022(tmp_path: Path) -> None:
    then = plan_site(site(tmp_path, 2015))
    now = plan_site(site(tmp_path, 2022))
    assert now.usd_per_year / then.usd_per_year == pytest.approx(OF_2022 / OF_2015, rel=1e-5)
    assert then.notes == ()
    assert now.notes == (
        "Restated in dollars of 2022 by consumer prices (bls-cpi-u): batavia-large from 2015.",
    )
    assert (now.currency, now.price_year) == ("USD", 2022)


def test_every_amount_of_a_technology_is_restated(tmp_path: Path) -> None:
    build = "build:\n  - {technology: gas}\n  - {technology: battery}\n"
    asked = read_question(site(tmp_path, 2015, build=build))
    factor, catalogue = OF_2015 / OF_2022, load_catalog()
    for name in ("gas", "battery"):
        before, after = catalogue.technology(name), asked.technologies[name]
        for field in ("capex_usd_per_w", "variable_usd_per_mwh", "fuel_usd_per_mwh"):
            assert getattr(after, field) == pytest.approx(getattr(before, field) * factor), field
        assert after.price_year == 2015
        assert after.life_years == before.life_years
        assert after.efficiency_frac == before.efficiency_frac
        assert f"Restated from dollars of 2022 by {factor:.4f} (bls-cpi-u)." in after.note
    battery = asked.technologies["battery"].energy_capex_usd_per_mwh
    assert battery == pytest.approx(catalogue.technology("battery").energy_capex_usd_per_mwh * factor)
    assert asked.tariff == catalogue.tariff("batavia-large")


def test_charges_within_a_tariff_are_restated_too() -> None:
    catalogue = load_catalog()
    tariff = catalogue.tariff("market-with-peaks")
    restated = in_dollars_of(tariff, 2015, catalogue.price_levels())
    for before, after in zip(tariff.demand, restated.demand, strict=True):
        assert after.usd_per_w_month == pytest.approx(before.usd_per_w_month * OF_2015 / OF_2022)
        assert (after.months, after.ratchet_frac) == (before.months, before.ratchet_frac)


def test_a_year_without_an_index_is_said_and_nothing_is_restated(tmp_path: Path) -> None:
    plan = plan_site(site(tmp_path, 2090, "market-delivered", "build: [{technology: gas}]\n"))
    (note,) = plan.notes
    assert note.startswith("Not in dollars of 2090, and counted as they stand: gas-combined-cycle 2022, ")
    assert note.endswith("market-delivered 2022, the market's hourly prices 2022.")


def test_an_index_of_ones_own(tmp_path: Path) -> None:
    overlay = tmp_path / "ours"
    (overlay / "calibration").mkdir(parents=True)
    (overlay / "calibration" / "price_levels.yaml").write_text(
        'id: plant\nname: Plant\nsource: plant-index\nbasis: quoted\ndate: "2026"\n'
        'levels: {"2015": 100, "2022": 150}\n'
    )
    before = plan_site(site(tmp_path, 2015))
    after = plan_site(site(tmp_path, 2022), [overlay])
    assert after.usd_per_year / before.usd_per_year == pytest.approx(1.5, rel=1e-5)
    assert "(plant-index)" in after.notes[0]


def test_one_currency_never_becomes_another(tmp_path: Path, run_gigawatt) -> None:
    path = site(tmp_path, 2022)
    path.write_text(path.read_text() + "currency: EUR\n")
    done = run_gigawatt("contract", "energy", str(path))
    assert done.exit_code == 2
    assert "currency" in done.errors
