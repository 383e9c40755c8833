"""Fit the calibration that comes with the catalogue to published training runs.

    python scripts/calibrate_training.py DATA_DIR [--quick]

DATA_DIR holds `training_measured.csv` and `training_measured_vtrain_single.csv`. Parameters are fitted to all
runs, intervals to what cross-validation leaves; both go to src/gigawatt/data/calibration/training.json, with
the number of runs that each parameter saw. The result is the same on every run. `--quick` fits parameters
alone and keeps the intervals that are there.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from gigawatt.catalog import load_catalog
from gigawatt.documents import write_atomic
from gigawatt.validation.calibrate import fit_text
from gigawatt.validation.scores import score
from gigawatt.validation.shipped import About, quick_fit, shipped_fit

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "src" / "gigawatt" / "data" / "calibration" / "training.json"
FILES = ("training_measured.csv", "training_measured_vtrain_single.csv")
ABOUT = About(
    source="published-training-runs",
    date="2026-11-20",
    note="Robust least squares on log step times from physical priors; see scripts/calibrate_training.py.",
    default_software="NeMo container 26.08",
)


def say(done: int, total: int, label: str) -> None:
    """Progress on standard error."""
    print(f"{done + 1}/{total} {label}", file=sys.stderr, flush=True)


def main() -> None:
    """Fit, write, and print what cross-validation found."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("--quick", action="store_true", help="keep the intervals that are there")
    options = parser.parse_args()
    files = [options.data / name for name in FILES]
    workers = os.cpu_count() or 1
    if options.quick:
        write_atomic(TARGET, fit_text(quick_fit(files, load_catalog(), ABOUT, workers)))
        return
    fit, residuals = shipped_fit(files, load_catalog(), ABOUT, workers, say)
    write_atomic(TARGET, fit_text(fit))
    for by, found in residuals.items():
        one = score(1.0 / found.ratio, [1.0] * found.ratio.size)
        print(
            f"leaving out one {by} at a time: n {one.n}, MAPE {one.mape_frac:.2%}, "
            f"median {one.median_frac:.2%}, "
            f"p90 {one.p90_frac:.2%}, bias {one.bias_frac:+.2%}"
        )
    for spread in fit.spreads:
        kind = "mixture of experts" if spread.moe else "dense"
        print(
            f"{spread.scope} known, {kind}: {spread.low_frac} to {spread.high_frac} ({spread.num_rows} rows)"
        )


if __name__ == "__main__":
    main()
