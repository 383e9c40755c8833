"""`gigawatt contract portfolio` as people and scripts call it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

ROADMAP = """price_year: 2026
start: 2027-01
months: 6
stale_after: 2026-01
places: [{id: here}]
chips: [{id: gpu, power_w: 1 kW}]
research: [{id: lab, num_equivalents: 10, start: 2027-01}]
offers:
  - id: hourly
    provider: cloud
    form: on-demand
    price_usd_per_gpu_h: {value: {gpu: $2/GPU/h}, source: a letter, basis: quoted, date: 2025-03}
    sites: here
    term_months: 1
"""


@pytest.fixture
def scenario(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = Path("roadmap.yaml")
    path.write_text(ROADMAP)
    return path


def test_one_object_with_the_keys_that_scripts_rely_on(scenario: Path, run_gigawatt) -> None:
    done = run_gigawatt("contract", "portfolio", "roadmap.yaml", "--json", "--quiet")
    found = json.loads(done.output)
    assert (done.exit_code, found["schema"]) == (0, "gigawatt.contract-portfolio/1")
    assert found["objective_usd"] == pytest.approx(10 * 2 * 6 * 8766 / 12)
    assert found["gap_frac"] <= 1e-3
    assert {"bound_usd", "build_s", "solve_s"} <= set(found)
    assert found["indifference"]["hourly"]["price_usd_per_gpu_h"] == pytest.approx(2.0)
    assert found["portfolio"]["audit"]["futures"][0]["cash_usd_per_year"]["2027"] == pytest.approx(87660.0)
    assert found["indifference"]["hourly"]["whole"]["outcome"] == "indispensable"
    assert found["portfolio"]["accounts"][0]["years"][0]["rent_usd"] == pytest.approx(87660.0)


def test_old_prices_are_named(scenario: Path, run_gigawatt) -> None:
    done = run_gigawatt("contract", "portfolio", "roadmap.yaml")
    assert "hourly: stale price: gpu at 2 USD/h is of 2025-03, before 2026-01" in done.errors
    for title in ("What every offer is worth", "Worth in whole blocks", "Cash and accounts"):
        assert title in done.output
    assert "All rules hold" in done.output


def test_a_saved_plan_is_audited_and_a_changed_one_is_found_out(scenario: Path, run_gigawatt) -> None:
    saved = ("contract", "portfolio", "roadmap.yaml")
    assert run_gigawatt(*saved, "--plan-only", "--save", "plan.json", "--out", "sign.csv").exit_code == 0
    assert Path("sign.csv").read_text().startswith("month,offer,provider")
    assert run_gigawatt(*saved, "--audit", "plan.json").exit_code == 0
    plan = json.loads(Path("plan.json").read_text())
    plan["signed"][0]["num_accelerators"] = 5.0
    Path("plan.json").write_text(json.dumps(plan))
    done = run_gigawatt(*saved, "--audit", "plan.json")
    assert done.exit_code == 1
    assert "NOT ALL RULES HOLD" in done.output


def test_what_cannot_be_met_ends_with_1(scenario: Path, run_gigawatt) -> None:
    scenario.write_text(ROADMAP + "    most_accelerators: 5\n")
    done = run_gigawatt("contract", "portfolio", "roadmap.yaml", "--json", "--quiet")
    assert done.exit_code == 1
    (binding,) = json.loads(done.output)["binding"]
    assert binding["constraint"] == "roadmap"
    assert "no more of hourly than there is" in binding["message"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("$2/GPU/h", "2 EUR/GPU/h", "currencies are never converted"),
        ("{gpu: $2/GPU/h}", "{gpu: $0/GPU/h}", "a price of zero or less"),
        ("{gpu: $2/GPU/h}", "{cpu: $2/GPU/h}", 'chip "cpu"; known are gpu'),
        ("term_months: 1", "term_months: 1\n    sign_from: 2027-05\n    sign_until: 2027-02", "is before sign_from"),  # noqa: E501
        ("form: on-demand", "form: owned", "capex_usd is missing"),
        ("    price_usd_per_gpu_h: {value: {gpu: $2/GPU/h}, source: a letter, basis: quoted, date: 2025-03}\n", "",  # noqa: E501
         '"no list price" is not zero'),
        ("sites: here", "site: here", 'did you mean "sites"?'),
        ("sites: here", "catalogue: {gpu: nothing-such}\n    sites: here", "a price and a catalogue offer"),
    ],
)  # fmt: skip
def test_wrong_input_is_named_by_line(scenario: Path, run_gigawatt, old: str, new: str, message: str) -> None:
    assert old in ROADMAP
    scenario.write_text(ROADMAP.replace(old, new))
    done = run_gigawatt("contract", "portfolio", "roadmap.yaml")
    assert done.exit_code == 2
    assert message in done.errors
    assert "roadmap.yaml" in done.errors
    assert "Traceback" not in done.errors


def test_an_unknown_row_of_the_catalogue_is_named_where_it_stands(scenario: Path, run_gigawatt) -> None:
    stated = "price_usd_per_gpu_h: {value: {gpu: $2/GPU/h}, source: a letter, basis: quoted, date: 2025-03}"
    scenario.write_text(ROADMAP.replace(stated, "catalogue: {gpu: lambda-h100-sxm-on-deman}"))
    done = run_gigawatt("contract", "portfolio", "roadmap.yaml")
    assert done.exit_code == 2
    assert "lambda-h100-sxm-on-demand" in done.errors
    assert "roadmap.yaml:12" in done.errors
