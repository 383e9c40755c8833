"""Reading, predicting and calibrating measured collectives."""

from __future__ import annotations

from pathlib import Path

import pytest

from gigawatt.catalog import Catalog, load_catalog
from gigawatt.domain.calibration_collectives import CollectiveFit
from gigawatt.errors import InputError
from gigawatt.validation.collective_rows import MeasuredCollective, read_collective
from gigawatt.validation.collectives import (
    calibrate_collectives,
    predict_measured,
    validate_collectives,
)

ROW = {
    "series": "mine",
    "collective": "all_reduce",
    "bytes": "1073741824",
    "gpus": "16",
    "nodes": "2",
    "gpu_kind": "H100-80GB SXM",
    "fabric": "InfiniBand 8x400Gb/s per node",
    "busbw_GBps": "",
    "time_us": "4500",
    "algo": "",
    "source": "",
    "note": "",
}


@pytest.fixture(scope="module")
def catalogue() -> Catalog:
    return load_catalog()


def read(catalogue: Catalog, **changes: str) -> MeasuredCollective:
    found = read_collective({**ROW, **changes}, catalogue.collective_calibration(), catalogue)
    assert isinstance(found, MeasuredCollective), found.reason
    return found


@pytest.mark.parametrize(
    ("fabric", "gpu_kind", "nodes", "gbit"),
    [
        ("InfiniBand 8x400Gb/s per node", "H100", "2", 400),
        ("EFA 4x100Gb/s per node", "A100-80GB SXM", "2", 50),
        ("NVLink + IB CX7 400Gb/s per GPU", "H800", "2", 400),
        ("InfiniBand 100Gb/s", "V100", "2", 12.5),
        ("RoCE cluster network (BM.GPU.B4.8)", "A100-40GB SXM", "2", 200),
        ("InfiniBand or RoCE, not stated in the log (Lambda)", "B200", "2", 400),
    ],
)
def test_the_rate_of_a_port(catalogue: Catalog, fabric: str, gpu_kind: str, nodes: str, gbit: float) -> None:
    found = read(catalogue, fabric=fabric, gpu_kind=gpu_kind, nodes=nodes)
    assert found.far_bytes_per_s == pytest.approx(gbit * 1e9 / 8)


def test_racks_are_domains(catalogue: Catalog) -> None:
    found = read(catalogue, gpu_kind="GB200", gpus="144", nodes="36", fabric="InfiniBand 400Gb/s per GPU")
    assert (found.inside, found.domains, found.near.id) == (72, 2, "nvlink5-rack")


def test_a_forced_algorithm_and_a_single_process_are_facts_of_a_run(catalogue: Catalog) -> None:
    here = {"gpus": "8", "nodes": "1", "algo": "NVLS", "source": "github:Azure/AI-benchmarking-guide@1"}
    found = read(catalogue, **here)
    assert (found.allowed, found.launches) == (("nvls",), 8)
    assert read(catalogue, **{**here, "gpu_kind": "A100 SXM"}).allowed == ()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"collective": "gather"}, 'no law for the collective "gather"'),
        ({"bytes": ""}, 'bytes is ""'),
        ({"gpu_kind": "abacus"}, "abacus"),
        ({"fabric": "pigeons"}, "pigeons"),
        ({"time_us": ""}, "time_us is blank"),
        ({"gpus": "-8"}, "gpus is -8"),
    ],
)
def test_what_cannot_be_expressed_says_why(catalogue: Catalog, changes: dict[str, str], words: str) -> None:
    found = read_collective({**ROW, **changes}, catalogue.collective_calibration(), catalogue)
    assert found.status == "inexpressible"
    assert words in found.reason


def write(path: Path, rows: list[dict[str, str]]) -> Path:
    path.write_text("\n".join([",".join(ROW), *(",".join(row.values()) for row in rows)]) + "\n")
    return path


def slow_rows(catalogue: Catalog, factor: float) -> list[dict[str, str]]:
    """All-reduce of 16 H100 as predicted, but slower."""
    cases = [read(catalogue, bytes=str(2**power)) for power in range(24, 34)]
    predicted = predict_measured(cases, catalogue.collective_calibration()).time_s
    return [
        {**ROW, "bytes": str(2**power), "time_us": str(1e6 * factor * float(time_s))}
        for power, time_s in zip(range(24, 34), predicted, strict=True)
    ]


def test_own_measurements_move_the_fit_towards_them(catalogue: Catalog, tmp_path: Path) -> None:
    file = write(tmp_path / "mine.csv", slow_rows(catalogue, 1.25))
    fit = calibrate_collectives([file], catalogue, "mine", "2026-11-20")
    assert CollectiveFit.model_validate_json(fit.model_dump_json()) == fit
    overlay = tmp_path / "mine.json"
    overlay.write_text(fit.model_dump_json())
    before = validate_collectives([file], catalogue).overall.median_frac
    after = validate_collectives([file], load_catalog([overlay])).overall.median_frac
    assert before == pytest.approx(0.2, abs=0.01)
    assert after < 0.6 * before


def test_a_file_without_measurements_cannot_calibrate(catalogue: Catalog, tmp_path: Path) -> None:
    file = write(tmp_path / "none.csv", [{**ROW, "time_us": ""}])
    with pytest.raises(InputError, match="time_us is blank"):
        calibrate_collectives([file], catalogue, "mine", "2026-11-20")
    assert validate_collectives([file], catalogue).coverage_frac == 0.0
