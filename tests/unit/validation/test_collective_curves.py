"""Logs of machines in which one thing is wrong: predicted with it, and recognised by it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gigawatt.catalog import Catalog, load_catalog
from gigawatt.validation.collective_causes import Change
from gigawatt.validation.collective_curves import Curve, _num_ports, curve_of, series_causes
from gigawatt.validation.collective_rows import MeasuredCollective, read_collectives

SIZES = [2**power for power in range(14, 34)]


@pytest.fixture(scope="module")
def catalogue() -> Catalog:
    return load_catalog()


def cases_of(
    tmp_path: Path, catalogue: Catalog, gpus: int, nodes: int, kind: str
) -> list[MeasuredCollective]:
    path = tmp_path / "run.csv"
    lines = [
        f"run,all_reduce,{size},{gpus},{nodes},{kind},InfiniBand 8x400Gb/s per node,1.0" for size in SIZES
    ]
    path.write_text("series,collective,bytes,gpus,nodes,gpu_kind,fabric,time_us\n" + "\n".join(lines) + "\n")
    return [one for one in read_collectives([path], catalogue) if isinstance(one, MeasuredCollective)]


def unchanged(cases: list[MeasuredCollective], catalogue: Catalog) -> Curve:
    """The curve as it is priced, without whatever else a prediction adds."""
    blank = curve_of(cases, np.ones(len(cases)), catalogue.collective_calibration())
    predicted_s = blank._priced(Change())
    assert predicted_s is not None
    return replace(blank, predicted_s=predicted_s)


@pytest.mark.parametrize(
    ("gpus", "nodes", "change", "says"),
    [
        (16, 2, Change(far_frac=1 / 8), "1 of 8 network ports of each domain was used"),
        (64, 8, Change(far_frac=1 / 8), "1 of 8 network ports of each domain was used"),
        (64, 8, Change(far_frac=0.5), "4 of 8 network ports of each domain were used"),
        (8, 1, Change(algorithm="ring"), "it ran by ring, the switches not reducing"),
        (8, 1, Change(near_frac=0.05), "PCIe or host memory"),
        (64, 8, Change(protocol="LL"), "it used the protocol LL at every size"),
    ],
)
def test_what_is_wrong_with_the_machines_is_named(
    tmp_path: Path, catalogue: Catalog, gpus: int, nodes: int, change: Change, says: str
) -> None:
    cases = cases_of(tmp_path, catalogue, gpus, nodes, "H100-80GB SXM")
    curve = unchanged(cases, catalogue)
    wrong_s = curve.retime(change)
    assert wrong_s is not None
    measured = [replace(case, measured_s=float(time_s)) for case, time_s in zip(cases, wrong_s, strict=True)]
    outside = [bool(slow > 1.2 * usual) for slow, usual in zip(wrong_s, curve.predicted_s, strict=True)]
    causes = series_causes(measured, curve.predicted_s, outside, catalogue.collective_calibration())
    assert says in causes["run"].text
    assert causes["run"].left_frac < 0.02


def test_a_run_as_predicted_has_no_cause(tmp_path: Path, catalogue: Catalog) -> None:
    cases = cases_of(tmp_path, catalogue, 64, 8, "H100-80GB SXM")
    curve = unchanged(cases, catalogue)
    nothing = [False] * len(cases)
    assert series_causes(cases, curve.predicted_s, nothing, catalogue.collective_calibration()) == {}


def test_an_algorithm_that_cannot_be_there_has_no_curve(tmp_path: Path, catalogue: Catalog) -> None:
    curve = unchanged(cases_of(tmp_path, catalogue, 8, 1, "A100-80GB SXM"), catalogue)
    assert curve.retime(Change(algorithm="nvls")) is None
    assert curve.retime(Change(algorithm="nothing")) is None
    assert "nvls" not in curve.place(8).algorithms


@pytest.mark.parametrize(
    ("kind", "fabric", "ports"),
    [
        ("V100", "InfiniBand 100Gb/s", 1),
        ("H100-80GB SXM", "InfiniBand 400Gb/s", 8),
        ("H100-80GB SXM", "InfiniBand 4x400Gb/s per node", 4),
        ("H100-80GB SXM", "EFA 2x200Gb/s per GPU", 8),
        ("H100-80GB SXM", "InfiniBand NDR", 8),
    ],
)
def test_ports_are_counted_by_the_rate_they_make_up(
    tmp_path: Path, catalogue: Catalog, kind: str, fabric: str, ports: int
) -> None:
    path = tmp_path / "run.csv"
    head = "series,collective,bytes,gpus,nodes,gpu_kind,fabric,time_us"
    path.write_text(f"{head}\nrun,all_reduce,1048576,64,8,{kind},{fabric},100.0\n")
    (case,) = read_collectives([path], catalogue)
    assert isinstance(case, MeasuredCollective)
    assert _num_ports(case) == ports
