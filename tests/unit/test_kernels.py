"""Compiled functions give what the plain ones give, and never what an earlier law gave."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import gigawatt
from gigawatt import kernels
from gigawatt.design.training.memory import BlockFootprint, stage_load
from gigawatt.design.training.step import Grid, least_step_s
from gigawatt.laws import collectives, compute, pipeline

PACKAGE = Path(gigawatt.__file__).parent


@pytest.mark.parametrize(
    ("law", "arguments"),
    [
        (pipeline.pipeline_s, (1.0, 4.0, 8.0, 2.0, 1.0)),
        (pipeline.slowest_stage_s, (1.0, 7.0, 4.0, 0.5)),
        (pipeline.straggler_s, (10.0, 0.003, 256.0)),
        (collectives.ring_s, (1e9, 16.0, 8.0, 366e9, 50e9, 2e-6, 1e-5)),
        (collectives.distinct_domains, (8.0, 8.0)),
        (compute.tile_occupancy_frac, (3456.0, 513.0, 1.0, 108.0, 128.0)),
        (compute.alignment_frac, (3600.0, 14400.0, 64.0, 0.75)),
        (least_step_s, (3.0, 1.0, 4.0, 8.0)),
    ],
)
def test_a_compiled_law_is_the_law(law, arguments) -> None:
    assert kernels.compiled(law)(*arguments) == pytest.approx(float(law(*arguments)), rel=1e-15)


def test_functions_that_call_others_are_compiled_with_them() -> None:
    """A stage's load calls numpy on scalars; a grid is a named tuple."""
    footprints = (BlockFootprint(4.0, 2.0, 10.0, 0.0), BlockFootprint(1.0, 8.0, 1.0, 100.0))
    loaded = kernels.compiled(stage_load)(footprints, (3.0, 0.0))
    assert tuple(loaded) == tuple(stage_load(footprints, (3.0, 0.0))) == (12.0, 2.0, 30.0, 0.0, 101.0)
    assert Grid._fields[0] == "pp"


def test_the_plain_function_is_left_as_it_was() -> None:
    before = pipeline.straggler_s.__globals__["np"].minimum
    kernels.compiled(pipeline.straggler_s)(10.0, 0.003, 256.0)
    assert pipeline.straggler_s.__globals__["np"].minimum is before
    assert isinstance(pipeline.straggler_s, type(test_the_plain_function_is_left_as_it_was))


SCRIPT = """
from gigawatt import kernels
from gigawatt.design.training.memory import _state_bytes
from gigawatt.design.training.step import Grid
grid = Grid(1.0, 1.0, 64.0, 1.0, 64.0, 1.0, 1.0)
kernel = kernels.compiled(_state_bytes)
print(kernel(6.4, 0.0, 10.0, grid, 1.0, 1.0), sum(kernel.stats.cache_hits.values()))
"""


def run_with(source: Path, cache: Path) -> tuple[float, int]:
    environment = {**os.environ, "PYTHONPATH": str(source), "GIGAWATT_CACHE_DIR": str(cache)}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True, env=environment
    )
    figure, hits = done.stdout.split()
    return float(figure), int(hits)


def test_an_edited_law_is_noticed_and_an_unchanged_one_is_not_compiled_again(tmp_path: Path) -> None:
    """6.4 parameters of 10 bytes over 64 ranks are one byte; after the edit of a law two levels down, two."""
    source = tmp_path / "source"
    shutil.copytree(PACKAGE, source / "gigawatt", ignore=shutil.ignore_patterns("data", "__pycache__"))
    assert run_with(source, tmp_path / "cache") == (1.0, 0)
    assert run_with(source, tmp_path / "cache") == (1.0, 1)
    law = source / "gigawatt" / "laws" / "memory.py"
    text = law.read_text(encoding="utf-8")
    formula = "return params * bytes_per_param / np.where("
    assert text.count(formula) == 1
    law.write_text(text.replace(formula, formula.replace("return ", "return 2.0 * ")), encoding="utf-8")
    assert run_with(source, tmp_path / "cache") == (2.0, 0)


def test_without_a_place_to_keep_kernels_they_are_compiled_anew(tmp_path: Path, monkeypatch) -> None:
    occupied = tmp_path / "file"
    occupied.write_text("not a directory", encoding="utf-8")
    monkeypatch.setenv("GIGAWATT_CACHE_DIR", str(occupied))
    kernels.compiled.cache_clear()
    try:
        assert kernels.compiled(pipeline.pipeline_s)(1.0, 4.0, 8.0, 1.0, 1.0) == 11.0
    finally:
        kernels.compiled.cache_clear()


def test_kernels_are_kept_where_the_user_says(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("GIGAWATT_CACHE_DIR", str(tmp_path))
    assert kernels.cache_root() == tmp_path
    monkeypatch.delenv("GIGAWATT_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    monkeypatch.setattr(sys, "platform", "linux")
    assert kernels.cache_root() == tmp_path / "xdg" / "gigawatt"
