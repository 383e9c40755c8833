"""Fit the allocator slack of each framework to measured peak memory, and say how well it explains them.

    python scripts/fit_memory_slack.py training_measured.csv

One figure per framework, `slack_frac` in src/gigawatt/data/calibration/memory.yaml, is fitted; everything
else is counted. The fit minimises the mean absolute relative error, which has a closed form: predictions
are linear in the slack, so the best slack is a weighted median. Leave-one-model-out refits it without the
model that it then predicts.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from gigawatt.design.training.memory import Books, Edges, peak_bytes
from gigawatt.design.training.step import Grid
from gigawatt.design.training.terms import BlockKind, BlockShape, Recipe, Split
from gigawatt.documents.reading import load_csv, load_yaml
from gigawatt.documents.records import parse_records
from gigawatt.domain.memory import MemoryAccounting

CALIBRATION = Path(__file__).parent.parent / "src/gigawatt/data/calibration/memory.yaml"
GIB = 2.0**30

WRONG = {
    "bigscience-bloom-prequel-benchmarks-gpt-196b-003": (
        "65 GB at micro-batch 2, yet 56 GB at micro-batch 4 of the same layout: more work cannot take "
        "less memory (181B on the same stages: 44 and 56 GB)"
    ),
}
"""Rows that contradict their own source, and how. Predicted and listed, not fitted, not scored."""

BLANK_HEADS = {14400: 96, 13824: 64, 14336: 64}
"""BLOOM prequel: NHEADS=96 at 14400 hidden; "all NHEADS=64 (above too)" elsewhere."""


class Peak(NamedTuple):
    """One measured peak and what is predicted for it: `fixed_bytes` plus slack times `slack_base_bytes`."""

    id: str
    framework: str
    model: str
    measured_bytes: float
    fixed_bytes: float
    slack_base_bytes: float


def accountings() -> dict[str, MemoryAccounting]:
    """The catalogue's accountings by id and alias."""
    rows = parse_records(load_yaml(CALIBRATION), MemoryAccounting)
    return {name: row for row in rows for name in (row.id, *row.aliases)}


def _number(row: Mapping[str, str], key: str, blank: float = 0.0) -> float:
    return float(row[key]) if row[key].strip() else blank


def _num_layers(row: Mapping[str, str], hidden: float) -> float:
    """Blank where the BLOOM prequel tweaked layers to fit PP: the multiple of pp nearest to the size."""
    pp = _number(row, "pp", 1)
    nearest = round(_number(row, "params_b") * 1e9 / (12 * hidden**2 + 13 * hidden) / pp) * pp
    return _number(row, "layers", nearest)


def recipe_of(modern: float, operand_bytes: float = 2.0) -> Recipe:
    """What memory needs of a recipe: FlashAttention and sequence parallelism (1), or 2021's dropout (0)."""
    blank = Recipe(*[0.0] * len(Recipe._fields))
    return blank._replace(
        flash=modern, sequence_parallel=modern, dropout=1.0 - modern, operand_bytes=operand_bytes
    )


def expressed(row: Mapping[str, str]) -> tuple[list[BlockKind], Edges, Split, Grid, Recipe]:
    """A row of measurements as the memory model takes it: dense models only, as all rows with a peak are."""
    gpt = row["framework"] == "Megatron-DeepSpeed"
    hidden = _number(row, "hidden")
    heads = _number(row, "heads") or BLANK_HEADS[int(hidden)]
    head_dim = hidden / heads
    shape = BlockShape(
        heads, _number(row, "kv_heads", heads), head_dim, head_dim, 0, 0, 0, 0, 0,
        _number(row, "ffn_hidden"), 0.0 if gpt else 1.0, 0, 0, 0, 0,
    )  # fmt: skip
    full, selective = float(row["recompute"] == "full"), float(row["recompute"] == "selective")
    cp, dp, micro_batch = _number(row, "cp", 1), _number(row, "dp", 1), _number(row, "micro_batch")
    split = Split(_number(row, "seq_len"), micro_batch, _number(row, "tp", 1), cp, 1, 1, full, selective)
    batches = _number(row, "global_batch_seqs") / micro_batch / dp
    grid = Grid(
        _number(row, "pp", 1), _number(row, "vpp", 1), dp, _number(row, "zero"), dp * cp, batches, 1.0
    )
    recipe = recipe_of(0.0 if gpt else 1.0, 1.0 if row["precision"] == "fp8" else 2.0)
    kinds = [BlockKind(shape, _num_layers(row, hidden))]
    return kinds, Edges(_number(row, "vocab"), hidden, 1.0 if gpt else 0.0), split, grid, recipe


def peak_of(row: Mapping[str, str], accounting: MemoryAccounting) -> Peak:
    """Measured and predicted peak of one row."""
    kinds, edges, split, grid, recipe = expressed(row)
    books = Books.of(accounting, recipe.operand_bytes).as_reported(accounting)._replace(slack_frac=0.0)
    fixed = float(peak_bytes(kinds, edges, split, grid, recipe, books))
    return Peak(
        id=row["id"],
        framework=accounting.id.split("-20")[0],
        model=row["model"] + " h" + row["hidden"],
        measured_bytes=_number(row, "measured_peak_mem_gib") * GIB,
        fixed_bytes=fixed,
        slack_base_bytes=fixed - books.context_bytes,
    )


def read_peaks(path: str) -> list[Peak]:
    """All rows of a file of measurements that carry a peak."""
    known = accountings()
    rows = [row for row in load_csv(path) if row["measured_peak_mem_gib"].strip()]
    return [peak_of(row, known.get(row["software"]) or known[row["framework"]]) for row in rows]


def fitted_slack(peaks: Sequence[Peak]) -> float:
    """The slack with the least mean absolute relative error: each row's own, their median by leverage."""
    measured = np.array([peak.measured_bytes for peak in peaks])
    base = np.array([peak.slack_base_bytes for peak in peaks])
    own = (measured - np.array([peak.fixed_bytes for peak in peaks])) / base
    order = np.argsort(own)
    weight = np.cumsum((base / measured)[order])
    return float(own[order][np.searchsorted(weight, weight[-1] / 2)])


def relative_errors(peaks: Sequence[Peak], slack_frac: float) -> list[float]:
    """Predicted over measured, less one."""
    return [
        (peak.fixed_bytes + slack_frac * peak.slack_base_bytes) / peak.measured_bytes - 1.0 for peak in peaks
    ]


def left_out_errors(peaks: Sequence[Peak], framework: str) -> list[float]:
    """Errors of each model of a framework under a slack fitted without that model.

    On the framework's other models; where it has none, on the other frameworks.
    """
    errors: list[float] = []
    for model in sorted({peak.model for peak in peaks if peak.framework == framework}):
        held_out = [peak for peak in peaks if (peak.framework, peak.model) == (framework, model)]
        near = [peak for peak in peaks if peak.framework == framework and peak.model != model]
        far = [peak for peak in peaks if peak.framework != framework]
        errors += relative_errors(held_out, fitted_slack(near or far))
    return errors


def mape(errors: Sequence[float]) -> float:
    """Mean absolute percentage error."""
    return 100.0 * float(np.mean(np.abs(errors))) if len(errors) else float("nan")


def main(path: str) -> None:
    """Fit, and print figures per framework and the worst rows."""
    scored = [peak for peak in read_peaks(path) if peak.id not in WRONG]
    fitted: list[float] = []
    left_out: list[float] = []
    for framework in sorted({peak.framework for peak in scored}):
        rows = [peak for peak in scored if peak.framework == framework]
        slack = fitted_slack(rows)
        errors, out = relative_errors(rows, slack), left_out_errors(scored, framework)
        fitted, left_out = fitted + errors, left_out + out
        print(f"{framework}: slack_frac {slack:.4f}, n {len(rows)}, MAPE {mape(errors):.2f} %,")
        print(f"    bias {100 * np.mean(errors):+.2f} %, leave-one-model-out MAPE {mape(out):.2f} %; worst:")
        for peak, error in sorted(zip(rows, errors, strict=True), key=lambda pair: -abs(pair[1]))[:5]:
            print(f"    {peak.id}: measured {peak.measured_bytes / GIB:.1f} GiB, {100 * error:+.1f} %")
    print(f"all: n {len(fitted)}, MAPE {mape(fitted):.2f} %, leave-one-model-out {mape(left_out):.2f} %")
    for row_id, reason in WRONG.items():
        print(f"not scored: {row_id}: {reason}")


if __name__ == "__main__":
    main(sys.argv[1])
