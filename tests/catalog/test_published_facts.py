"""Published facts of deals: none of those collected beside the repository left out; conflicts shown."""

from __future__ import annotations

import csv
import math
import re
from pathlib import Path

import pytest

from gigawatt.catalog import load_catalog
from gigawatt.catalog.conflicts import compare_facts
from gigawatt.catalog.facts import read_facts
from gigawatt.errors import InputError

FACTORS = {"USD_bn": 1e9, "GW": 1e9, "USD_M": 1e6, "percent": 0.01}


def test_every_figure_that_was_collected_is_in_the_catalogue(shared_data: Path) -> None:
    told = [end for fact in load_catalog().facts for end in (*fact.ends, fact.quantity or 0.0)]
    missing = []
    with (shared_data / "deals_facts.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            for number in re.findall(r"(?<![\d.])-?\d+(?:\.\d+)?(?:e\d+)?", row["value"].replace("-", " ")):
                wanted = float(number) * FACTORS.get(row["unit"], 1.0)
                if not any(math.isclose(abs(one), wanted, rel_tol=1e-9) for one in told):
                    missing.append((row["party_or_site"], row["item"], number))
    assert missing == []


def test_abilene_does_not_add_up() -> None:
    """400,000 superchips, 36 to a rack of 120 kW, are 1.33 GW of racks on a campus of 1.2 GW."""
    (abilene,) = (one for one in compare_facts(load_catalog()) if "Abilene" in one.subject)
    announced, racked = abilene.claims
    assert announced.low == 1.2e9
    assert racked.low == pytest.approx(400_000 / 36 * 120e3)
    assert not abilene.agrees
    assert abilene.ratio == pytest.approx(1.1111, abs=1e-4)


@pytest.mark.parametrize(
    ("subject", "figures"),
    [
        ("cost of an AI campus", (35.0, 30.0, 50.0, 35 / 1.1, 55 / 1.2)),
        ("a year of AI capacity", (8.5, 10.8, 300 / 4.5 / 5)),
        ("price of a GB200 superchip", (100e3, 2e6 / 36)),
        ("capacity announced", (16e9, 12e9)),
    ],
)
def test_what_follows_from_the_rows(subject: str, figures: tuple[float, ...]) -> None:
    (found,) = (one for one in compare_facts(load_catalog()) if one.subject.startswith(subject))
    assert [claim.low for claim in found.claims] == pytest.approx(figures)
    assert not found.agrees


def test_conflicts_are_notes_of_the_check(run_gigawatt) -> None:
    done = run_gigawatt("catalog", "check")
    assert done.exit_code == 0
    for words in ("1.2 GW (as announced)", "$8.50/W a year (owned, GB200, Epoch AI)", "$50/W (Stargate"):
        assert words in done.output


def test_what_agrees_is_no_conflict() -> None:
    (meta,) = (one for one in compare_facts(load_catalog()) if one.subject.startswith("capital expenditure"))
    assert meta.agrees
    assert meta.ratio == 1.0


def test_a_file_of_facts_is_refused_with_line_and_column(tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text(
        "id,category,party,item,quantity,low_quantity,high_quantity,unit,confidence,date,source,basis,note\n"
        "a,cost,us,rack,many,,,USD,high,2026,own,quoted,\n"
        "a,cost,us,rack,3,,,USD,certain,2026,own,quoted,\n"
    )
    with pytest.raises(InputError) as told:
        read_facts(path)
    lines = str(told.value)
    assert 'own.csv:2:5: quantity: expected a number, found "many"' in lines
    assert "own.csv:3:1: id: an id given twice" in lines
    assert "own.csv:3:9: confidence" in lines
