"""What a spreadsheet predicts: one constant MFU per accelerator and number format."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gigawatt.design.model_counts import train_flop_per_token
from gigawatt.domain.validation import Score
from gigawatt.validation.configurations import chip_class, fold_labels, is_scored, settled
from gigawatt.validation.rows import MeasuredRow, MeasuredRun
from gigawatt.validation.scores import Floats, score


def constant_mfu_score(rows: Sequence[MeasuredRow], by: str) -> Score:
    """The score of the median MFU of the other groups' runs on the same accelerator and number format.

    Where no other group ran on it, the median of all other groups' runs. MFU is of causal model FLOPs over
    the dense 16-bit peak.
    """
    once, measured_s = settled([run for run in rows if is_scored(run)])
    ideal_s = np.array([_ideal_s(run) for run in once])
    labels, chips = fold_labels(once, by), [chip_class(run) for run in once]
    mfu: Floats = ideal_s / measured_s
    usual = np.array([_usual(mfu, labels, chips, i) for i in range(len(once))])
    return score(ideal_s / usual, measured_s)


def _usual(mfu: Floats, labels: Sequence[str], chips: Sequence[tuple[str, str]], i: int) -> float:
    others = [k for k in range(len(labels)) if labels[k] != labels[i]]
    alike = [k for k in others if chips[k] == chips[i]]
    return float(np.median(mfu[alike or others]))


def _ideal_s(run: MeasuredRun) -> float:
    """The step at the 16-bit peak."""
    flop = (
        train_flop_per_token(run.model, run.job.seq_len, causal=True) * run.job.seq_len * run.job.global_batch
    )
    return flop / (run.accelerator.peak_flop_per_s["bf16"] * run.layout.num_accelerators)
