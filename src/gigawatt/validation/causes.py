"""What a gap between predicted and measured is likely due to.

Each hypothesis changes one thing about a run (it recomputed after all, nothing overlapped, the network was
slower) and prices it anew. The one that brings the prediction nearest to the measurement is named, with what
it explains; where none comes near, that is said instead.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from gigawatt.design.training.terms import Physics
from gigawatt.domain.calibration import TrainingCalibration
from gigawatt.validation.batch import Batch, Floats, batch_of
from gigawatt.validation.configurations import apart_from_software, grouped
from gigawatt.validation.pricing import Predictions, physics_at
from gigawatt.validation.recompute import settle_recompute
from gigawatt.validation.rows import MeasuredRun

WORTH_A_WORD = 0.10
"""Gaps below this are what repeats of one configuration differ by."""
MAX_LEFT = 0.06
"""How near, in the logarithm, a hypothesis must bring the prediction."""
APART = 0.2
"""How far, in the logarithm, a run must lie from its own repeats for them to be what tells most about it."""
PARTLY = 0.5
"""Share of the gap that a hypothesis must close to be named as part of the reason."""

Hypothesis = tuple[str, Floats, Floats]
"""In words, its step times [runs] s, and where it can hold [runs]."""


def likely_causes(
    runs: Sequence[MeasuredRun], found: Predictions, calibration: TrainingCalibration
) -> list[str]:
    """For each expressible run the likely cause of its gap, in words; blank where the gap is small."""
    batch = settle_recompute(runs, batch_of(runs), calibration)
    physics = physics_at(runs, calibration)
    base = batch.price(physics).step_s
    measured = np.array([run.measured_step_s for run in runs])
    gap = np.log(measured / found.step_s)
    tried = [(words, np.log(step_s / base), holds) for words, step_s, holds in _hypotheses(batch, physics)]
    elsewhere = _repeats(runs)
    return [
        _apart(float(gap[i]), runs[i], elsewhere[i])
        or _named(float(gap[i]), [(words, float(e[i]), float(h[i])) for words, e, h in tried])
        for i in range(len(runs))
    ]


def _repeats(runs: Sequence[MeasuredRun]) -> list[list[MeasuredRun]]:
    """For each run the others of its configuration, with whatever software release."""
    found: list[list[MeasuredRun]] = [[] for _ in runs]
    for group in grouped(apart_from_software(run) for run in runs):
        for i in group:
            found[i] = [runs[k] for k in group if k != i]
    return found


def _apart(gap: float, run: MeasuredRun, elsewhere: Sequence[MeasuredRun]) -> str:
    """Says so where repeats of a run lie far from it, on the side of the prediction."""
    if not elsewhere or abs(gap) <= APART:
        return ""
    usual_s = float(np.median([other.measured_step_s for other in elsewhere]))
    apart = math.log(run.measured_step_s / usual_s)
    if abs(apart) <= APART or apart * gap < 0.0:
        return ""
    releases = sorted({other.row.get("software", "") for other in elsewhere})
    named = f" with {releases[0]}" if len(releases) == 1 and releases[0] else ""
    return f"{_told(gap)}: the same configuration took {usual_s:.3g} s elsewhere{named}"


def _told(gap: float) -> str:
    size = math.expm1(abs(gap)) if gap > 0.0 else -math.expm1(gap)
    return f"{size:.0%} {'slower' if gap > 0.0 else 'faster'} than predicted"


def _named(gap: float, tried: Sequence[tuple[str, float, float]]) -> str:
    if abs(gap) <= math.log1p(WORTH_A_WORD):
        return ""
    told = _told(gap)
    fitting = [
        (abs(gap - effect), words, effect)
        for words, effect, holds in tried
        if holds and effect * gap > 0.0 and abs(effect) <= abs(gap) + MAX_LEFT
    ]
    if not fitting:
        return f"{told}: no single cause explains it"
    left, words, effect = min(fitting)
    if left <= MAX_LEFT:
        return f"{told}: as if {words} ({math.expm1(effect):+.0%})"
    if left <= (1.0 - PARTLY) * abs(gap):
        return f"{told}: in part as if {words} ({math.expm1(effect):+.0%})"
    return f"{told}: no single cause explains it"


def _hypotheses(batch: Batch, physics: Physics) -> Iterator[Hypothesis]:
    yield from _recomputation(batch, physics)
    yield from _communication(batch, physics)
    yield from _software(batch, physics)


def _recomputation(batch: Batch, physics: Physics) -> Iterator[Hypothesis]:
    nothing = np.zeros_like(batch.num_nodes)
    everything = nothing + 1.0
    full, selective = batch.split.full, batch.split.selective
    yield "everything was recomputed", _step_s(batch.with_recompute(everything, nothing), physics), 1.0 - full
    yield "nothing was recomputed", _step_s(batch.with_recompute(nothing, nothing), physics), full + selective
    yield "attention alone was recomputed", _step_s(batch.with_recompute(nothing, everything), physics), full


def _communication(batch: Batch, physics: Physics) -> Iterator[Hypothesis]:
    always = np.ones_like(batch.num_nodes)
    many = np.where(batch.num_nodes > 1.0, 1.0, 0.0)
    alone = replace(batch, recipe=batch.recipe._replace(overlaps=0.0 * always))
    yield "communication did not overlap with computation", _step_s(alone, physics), batch.recipe.overlaps
    hidden = physics._replace(tp_hidden_frac=always, dp_hidden_frac=always, ep_hidden_frac=always)
    free = replace(batch, recipe=batch.recipe._replace(overlaps=always))
    yield "all communication overlapped with computation", _step_s(free, hidden), always
    for factor, words in ((0.5, "half"), (0.25, "a quarter"), (1.0 / 8.0, "an eighth")):
        chip = batch.chip._replace(scale_out_bytes_per_s=batch.chip.scale_out_bytes_per_s * factor)
        yield f"the network ran at {words} of its rate", _step_s(replace(batch, chip=chip), physics), many
    for factor, words in ((2.0, "twice"), (8.0, "eight times")):
        chip = batch.chip._replace(scale_out_bytes_per_s=batch.chip.scale_out_bytes_per_s * factor)
        yield f"the network ran at {words} the rate stated", _step_s(replace(batch, chip=chip), physics), many


def _software(batch: Batch, physics: Physics) -> Iterator[Hypothesis]:
    always = np.ones_like(batch.num_nodes)
    slow = physics._replace(
        kernel_s=4.0 * physics.kernel_s,
        host_block_s=4.0 * physics.host_block_s,
        moe_sync_s=2.0 * physics.moe_sync_s,
    )
    yield "the host issued kernels too slowly (no CUDA graphs, small kernels)", _step_s(batch, slow), always
    quick = physics._replace(
        kernel_s=0.25 * physics.kernel_s, host_block_s=0.0 * always, moe_sync_s=0.0 * always
    )
    yield "the host never held the device up (CUDA graphs, fused kernels)", _step_s(batch, quick), always
    plain = replace(batch, recipe=batch.recipe._replace(flash=0.0 * always))
    yield "attention scores were materialised", _step_s(plain, physics), batch.recipe.flash
    fused = replace(batch, recipe=batch.recipe._replace(flash=always))
    yield "attention was fused", _step_s(fused, physics), 1.0 - batch.recipe.flash
    wide = replace(
        batch,
        chip=batch.chip._replace(low_flop_per_s=batch.chip.flop_per_s),
        recipe=batch.recipe._replace(operand_bytes=2.0 * always, cast_bytes=0.0 * always),
    )
    narrow = np.where(batch.chip.low_flop_per_s > batch.chip.flop_per_s, 1.0, 0.0)
    yield (
        "matrix products ran in 16 bit",
        _step_s(wide, physics._replace(gemm_frac=physics.gemm16_frac)),
        narrow,
    )
    for factor, words in ((0.9, "10 % below"), (0.75, "25 % below")):
        weak = physics._replace(
            gemm_frac=factor * physics.gemm_frac, gemm16_frac=factor * physics.gemm16_frac,
            attention_frac=factor * physics.attention_frac,
        )  # fmt: skip
        yield (
            f"the accelerators ran {words} their usual rate (power cap, heat, slow nodes)",
            _step_s(batch, weak),
            always,
        )


def _step_s(batch: Batch, physics: Physics) -> Floats:
    return np.asarray(batch.price(physics).step_s, dtype=float)
