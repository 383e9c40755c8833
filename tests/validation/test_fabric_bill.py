"""Printed bills of material: every count by rules, to the unit."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from gigawatt.catalog import load_catalog
from gigawatt.domain.fabric_validation import BillReport
from gigawatt.errors import InputError
from gigawatt.validation.fabric import COUNTS, missed_bounds, validate_fabric

HEADER = (
    "id,design,tier_count,su_count,nodes,gpus,gpus_per_node,nic_per_node,nic_Gbps,switch_model,"
    + ",".join(COUNTS)
)


@pytest.fixture(scope="module")
def catalogue():
    return load_catalog()


@pytest.fixture(scope="module")
def printed(shared_data: Path) -> Path:
    return shared_data / "fabric_bom.csv"


@pytest.fixture(scope="module")
def published(printed: Path, catalogue) -> BillReport:
    return validate_fabric([printed], catalogue)


def own(tmp_path: Path, catalogue, *lines: str) -> BillReport:
    path = tmp_path / "own.csv"
    path.write_text("\n".join([HEADER, *lines]) + "\n")
    return validate_fabric([path], catalogue)


def test_every_printed_count_is_ours(published) -> None:
    wrong = {row.id: row.differing for row in published.rows if row.status == "predicted" and row.differing}
    assert wrong == {}
    assert published.exact_frac == 1.0


def test_cells_are_those_of_the_file(published, printed: Path) -> None:
    with printed.open() as file:
        cells = [row[name] for row in csv.DictReader(file) for name in COUNTS]
    assert sum(cell.isdigit() for cell in cells) <= sum(len(row.printed) for row in published.rows)


def test_two_documents_contradict_themselves(published) -> None:
    errors = {row.id: row for row in published.rows if row.status == "document_error"}
    assert set(errors) == {"sp-b300-xdr-4su", "sp-b300-xdr-18su"}
    assert errors["sp-b300-xdr-4su"].predicted["spine"] == 16
    assert "18" in errors["sp-b300-xdr-4su"].reason
    assert "9,216" in errors["sp-b300-xdr-18su"].reason


def test_no_row_is_known_by_its_name(published, catalogue, tmp_path, printed: Path) -> None:
    """The same file under other names, in another order, without notes."""
    with printed.open() as file:
        rows = list(csv.DictReader(file))[::-1]
    path = tmp_path / "renamed.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        for number, row in enumerate(rows):
            writer.writerow({**row, "id": f"r{number}", "design": "", "note": "", "source": ""})
    again = validate_fabric([path], catalogue)
    assert [row.predicted for row in again.rows[::-1]] == [row.predicted for row in published.rows]
    assert [row.status for row in again.rows[::-1]] == [row.status for row in published.rows]


def test_counts_are_never_read_into_the_answer(published, catalogue, tmp_path, printed: Path) -> None:
    """Blank counts: the same predictions."""
    with printed.open() as file:
        rows = list(csv.DictReader(file))
    path = tmp_path / "blank.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows({**row, **dict.fromkeys(COUNTS, "")} for row in rows)
    again = validate_fabric([path], catalogue)
    assert [row.predicted for row in again.rows] == [row.predicted for row in published.rows]


def test_a_wrong_bill_is_a_miss_and_no_excuse(catalogue, tmp_path) -> None:
    report = own(tmp_path, catalogue, "mine,,2,2,64,512,8,8,400,QM9700,16,9,0,512,512,0")
    (row,) = report.rows
    assert row.status == "predicted"
    assert row.differing == ("spine",)
    assert report.num_wrong == 1
    assert missed_bounds(report, ("wrong<=0", "exact>=50%")) == ("wrong<=0",)


def test_what_is_not_expressed_says_why(catalogue, tmp_path) -> None:
    report = own(
        tmp_path,
        catalogue,
        "a,,2,1,32,256,8,8,400,no such switch,8,4,0,256,256,0",
        "b,,2,1,32,256,8,8,333,QM9700,8,4,0,256,256,0",
        "c,,2,1,,many,8,8,400,QM9700,8,4,0,256,256,0",
        "d,,2,1,9000,72000,8,8,400,QM9700,8,4,0,256,256,0",
    )
    assert [row.status for row in report.rows] == ["inexpressible"] * 4
    for row, words in zip(report.rows, ("no such switch", "333", "many", "radix"), strict=True):
        assert words in row.reason


def test_demands_are_read(catalogue, tmp_path) -> None:
    report = own(tmp_path, catalogue, "mine,,2,2,64,512,8,8,400,QM9700,16,8,0,512,512,0")
    assert missed_bounds(report, ("exact>=100%", "coverage>=100%", "cells>=6")) == ()
    with pytest.raises(InputError, match="exact"):
        missed_bounds(report, ("mape<=8%",))
