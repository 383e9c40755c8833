"""Portfolio examples are roadmaps, say what they are about, and name a row for every figure they cite."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from gigawatt.project.portfolio import read_roadmap

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
ROADMAPS = sorted(EXAMPLES.glob("*/portfolio.yaml"))
CITED = re.compile(r"facts\.csv: ([\w-]+)")


def facts() -> dict[str, dict[str, str]]:
    with (EXAMPLES / "facts.csv").open(encoding="utf-8", newline="") as file:
        return {row["id"]: row for row in csv.DictReader(file)}


def test_the_examples_that_are_promised_are_there() -> None:
    names = {path.parent.name for path in ROADMAPS}
    assert names >= {"build-or-rent", "capex-65bn", "start-up", "university"}


@pytest.mark.parametrize("path", ROADMAPS, ids=lambda path: path.parent.name)
def test_every_example_is_a_roadmap_with_sources(path: Path) -> None:
    assert path.read_text(encoding="utf-8").startswith("#")
    roadmap = read_roadmap(path)
    assert roadmap.title
    for offer in roadmap.offers:
        priced = [key for key in offer.provenance if key.startswith(("price_usd_per_gpu_h", "capex_usd"))]
        assert priced, f"{offer.id} names no source of its price"


@pytest.mark.parametrize("path", ROADMAPS, ids=lambda path: path.parent.name)
def test_rows_that_are_cited_are_there(path: Path) -> None:
    cited = set(CITED.findall(path.read_text(encoding="utf-8")))
    assert cited <= set(facts())


def test_facts_are_those_that_were_published(shared_data: Path) -> None:
    """Value, unit and source as in the collected facts, wherever both have the row."""
    with (shared_data / "deals_facts.csv").open(encoding="utf-8", newline="") as file:
        published = {(row["value"], row["unit"], row["date"]) for row in csv.DictReader(file)}
    for name, row in facts().items():
        if row["source"].startswith("energy/"):
            continue
        assert (row["value"], row["unit"], row["date"]) in published, name


def test_derived_prices_follow_from_their_rows() -> None:
    """The lease: 300 bn over 4.5 GW, five years and the power of an accelerator with its PUE."""
    rows = facts()
    per_watt_year = float(rows["oracle-contract"]["value"]) / float(rows["oracle-power"]["value"]) / 5
    drawn_w = 120_000 / 72 * float(rows["pue-new"]["value"].split(" / ")[0])
    roadmap = read_roadmap(EXAMPLES / "build-or-rent" / "portfolio.yaml")
    lease = next(one for one in roadmap.offers if one.id == "five-year-lease")
    assert lease.price_usd_per_gpu_h == {"gb200": pytest.approx(per_watt_year * drawn_w / 8766, rel=0.01)}
    building = roadmap.power[0]
    built = float(rows["abilene-building"]["value"]) / float(rows["abilene-power"]["value"])
    assert building.capex_usd_per_w == pytest.approx(built)
