"""Fit the calibration of collectives that comes with the catalogue to published measurements.

    python scripts/calibrate_collectives.py DATA_DIR

DATA_DIR holds `collectives_measured.csv`. Parameters are fitted to all of its rows and to those of the
catalogue (calibration/collectives_published.csv), intervals to what leaving out one series at a time leaves;
both go to src/gigawatt/data/calibration/collectives.json. The result is the same on every run. Printed:
errors by size of the fit, of cross-validation, and of bandwidth alone.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from gigawatt.catalog import load_catalog
from gigawatt.documents import write_atomic
from gigawatt.domain.validation import ScoredGroup
from gigawatt.validation.collectives import shipped_collective_fit, validate_collectives

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "src" / "gigawatt" / "data" / "calibration" / "collectives.json"
FILE = "collectives_measured.csv"
NOTE = "Robust least squares on log times from physical priors; see scripts/calibrate_collectives.py."


def say(done: int, total: int, label: str) -> None:
    """Progress on standard error."""
    print(f"{done + 1}/{total} {label}", file=sys.stderr, flush=True)


def tell(title: str, groups: tuple[ScoredGroup, ...], kinds: tuple[str, ...]) -> None:
    """One line for each group."""
    for group in groups:
        if group.kind in kinds:
            one = group.score
            print(
                f"{title}, {group.name}: n {one.n}, median {one.median_frac:.1%}, p90 {one.p90_frac:.1%}, "
                f"max {one.max_frac:.1%}, bias {one.bias_frac:+.1%}"
            )


def main() -> None:
    """Fit, write, and print what cross-validation finds."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path)
    options = parser.parse_args()
    files = [options.data / FILE]
    catalogue = load_catalog()
    fit = shipped_collective_fit(files, catalogue, "published-collectives", "2026-11-20", NOTE, say)
    write_atomic(TARGET, fit.model_dump_json(indent=1) + "\n")
    report = validate_collectives(files, catalogue, "series")
    tell("fitted", report.fitted, ("size",))
    tell("cross-validated", report.groups, ("size", "size and transport", "size and source", "series"))
    tell("bandwidth alone", report.baseline, ("size",))
    interval = report.interval
    print(f"80 % intervals: coverage {interval.coverage_frac:.1%}, mean width {interval.width_frac:.1%}")
    for spread in fit.spreads:
        print(
            f"{spread.kind}, known {spread.known}: {spread.low_frac} to {spread.high_frac}, "
            f"{spread.num_rows} rows"
        )


if __name__ == "__main__":
    main()
