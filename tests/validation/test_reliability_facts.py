"""Published figures of reliability: each organisation from the others, and nothing of its own."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from gigawatt.catalog import Catalog, load_catalog
from gigawatt.domain.reliability_validation import FactReport
from gigawatt.validation.reliability import validate_reliability


@pytest.fixture(scope="module")
def catalogue() -> Catalog:
    return load_catalog()


@pytest.fixture(scope="module")
def facts(shared_data: Path) -> Path:
    return shared_data / "reliability_facts.csv"


@pytest.fixture(scope="module")
def left_out(facts: Path, catalogue: Catalog) -> FactReport:
    return validate_reliability([facts], catalogue, "organisation")


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_list_names_every_row_once(facts: Path, catalogue: Catalog) -> None:
    published = catalogue.published_failures()
    named = [one.id for one in published.figures] + [id for one in published.left_out for id in one.ids]
    assert sorted(named) == sorted(row["id"] for row in rows_of(facts))


def test_every_row_comes_back(facts: Path, left_out: FactReport) -> None:
    assert [(row.id, row.measured) for row in left_out.rows] == [
        (row["id"], row["value"]) for row in rows_of(facts)
    ]
    assert [row.id for row in left_out.rows if row.status != "predicted" and not row.reason] == []
    reached = [row for row in left_out.rows if row.status != "inexpressible"]
    assert all(row.low <= row.predicted <= row.high for row in reached)


def test_what_is_listed_is_predicted(left_out: FactReport, catalogue: Catalog) -> None:
    predicted = {row.id for row in left_out.rows if row.status != "inexpressible"}
    assert predicted == {one.id for one in catalogue.published_failures().figures}


def test_eight_of_ten_lie_inside(left_out: FactReport) -> None:
    assert left_out.num_scored >= 40
    assert left_out.inside_frac >= 0.8
    assert left_out.interval.coverage_frac >= 0.8


@pytest.mark.parametrize("organisation", ["Meta", "ByteDance", "Google"])
def test_nothing_of_its_own_is_used(
    organisation: str, facts: Path, left_out: FactReport, catalogue: Catalog, tmp_path: Path
) -> None:
    """Whatever an organisation prints, tenfold say, its predictions stay what they are; others' move."""
    rows = rows_of(facts)
    taught = {one.id for one in catalogue.published_failures().figures if one.teaches}
    for row in rows:
        if row["org"] == organisation and row["id"] in taught and not row["unit"].startswith("fraction"):
            row["value"] = str(10 * float(row["value"]))
    changed = tmp_path / "changed.csv"
    with changed.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    again = validate_reliability([changed], catalogue, "organisation")
    moved = {
        row.organisation
        for row, before in zip(again.rows, left_out.rows, strict=True)
        if row.predicted != before.predicted
    }
    assert organisation not in moved
    assert moved, "others learn from it"


def test_meta_is_predicted_without_its_own_table(left_out: FactReport) -> None:
    """By hand: three censuses (SK Telecom's Xids over Crusoe's GPU share, the field, Google) and no more."""
    censuses = [10 / (63 * 55) / 0.61, 8 / (2000 * 5000) ** 0.5 / 1.3, 2 * 0.8e-3]
    geometric_mean = (censuses[0] * censuses[1] * censuses[2]) ** (1 / 3) * 1000
    (row,) = [row for row in left_out.rows if row.id == "RSC-01"]
    assert row.predicted == pytest.approx(geometric_mean, rel=0.25)


def test_a_source_that_contradicts_itself_is_not_scored(left_out: FactReport) -> None:
    """Llama 3's shares by printed percentages are 58.7 %, by its counts 268 of 419."""
    (row,) = [row for row in left_out.rows if row.status == "document_error"]
    assert (row.id, row.counts) == ("L3-08", False)
    assert round(0.301 + 0.172 + 0.045 + 0.041 + 0.014 + 0.014, 3) == 0.587
    assert f"{268 / 419:.1%}".replace("%", " %") in row.reason
    assert row.low < 268 / 419 < row.high


def test_bounds_and_ranges_by_hand(left_out: FactReport) -> None:
    by_id = {row.id: row for row in left_out.rows}
    assert by_id["MS-01"].printed == "bound"
    assert by_id["MS-01"].error_frac == 0.0
    mtbi = by_id["MX-27"]
    assert mtbi.printed == "range"
    assert mtbi.error_frac == pytest.approx(mtbi.predicted / 2000 - 1)


def test_one_outcome_counts_once(left_out: FactReport) -> None:
    same = [row.id for row in left_out.rows if row.same_as]
    assert same == ["L3-01", "L3-04"]
    assert left_out.num_scored == sum(row.status == "predicted" for row in left_out.rows) - 2


def test_it_is_the_same_again(facts: Path, left_out: FactReport, catalogue: Catalog) -> None:
    assert validate_reliability([facts], catalogue, "organisation") == left_out


def test_jobs_end_several_times_as_often_as_nodes_are_taken_out(left_out: FactReport) -> None:
    """2.34 and 6.50 by census at Meta; 21 to 24 by jobs."""
    rate = {one.view: one for one in left_out.learnt if one.quantity == "node_failures"}
    a_day = {view: 86400e3 * one.middle for view, one in rate.items()}
    assert 2 < a_day["census"] < 7
    assert a_day["census"] < a_day["run"] < 7
    assert 20 < a_day["jobs"] < 26
