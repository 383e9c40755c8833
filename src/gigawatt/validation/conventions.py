"""What a reported TFLOP/s or MFU counts: with or without recomputation, causal or full attention.

The same step gives figures that differ by a third, and most tables do not say which one they print. The step
time says it: count the work in every usual way and see which of them gives the reported figure.
"""

from __future__ import annotations

from collections.abc import Iterator

from gigawatt.design.model_counts import forward_flop_per_token, parameter_count, train_flop_per_token
from gigawatt.units import parse_quantity
from gigawatt.validation.rows import MeasuredRun

MAX_GAP_FRAC = 0.02
"""How closely a count must give the reported figure; printed digits and rounded step times leave as much."""
TERA = parse_quantity("1 TFLOP/s", "_flop_per_s")


def convention_of(run: MeasuredRun) -> str:
    """Which way of counting gives the row's own TFLOP/s, or its MFU; blank where it states neither."""
    if tflops := _stated(run, "measured_tflops_per_gpu"):
        return _named(run, f"reported {tflops:g} TFLOP/s", tflops * TERA)
    if mfu := _stated(run, "measured_mfu"):
        mfu = mfu / 100.0 if mfu > 1.5 else mfu
        return _of_peak(run, mfu)
    return ""


def _stated(run: MeasuredRun, key: str) -> float:
    try:
        return float(run.row.get(key) or 0.0)
    except ValueError:
        return 0.0


def counts_flop_per_s(run: MeasuredRun) -> Iterator[tuple[str, float]]:
    """Each usual way of counting, in words, and what it gives per accelerator for the measured step."""
    per_token_s = run.job.global_batch * run.job.seq_len / run.layout.num_accelerators / run.measured_step_s
    head = 2.0 * run.model.hidden * run.model.vocab  # the loss is not computed again
    for causal, attention in ((True, "causal attention"), (False, "full attention")):
        useful = train_flop_per_token(run.model, run.job.seq_len, causal=causal)
        yield f"model FLOPs, {attention}", useful * per_token_s
        again = forward_flop_per_token(run.model, run.job.seq_len, causal=causal) - head
        if run.layout.recompute == "full":
            yield f"hardware FLOPs (recomputation counted), {attention}", (useful + again) * per_token_s
    yield (
        "six FLOPs per active parameter, attention left out",
        6.0 * parameter_count(run.model).active * per_token_s,
    )


def _named(run: MeasuredRun, stated: str, flop_per_s: float) -> str:
    counts = sorted(counts_flop_per_s(run), key=lambda one: abs(one[1] / flop_per_s - 1.0))
    name, nearest = counts[0]
    usual = dict(counts_flop_per_s(run))["model FLOPs, causal attention"]
    if abs(nearest / flop_per_s - 1.0) > MAX_GAP_FRAC:
        return f"{stated} matches no usual count of this step (nearest: {nearest / TERA:.4g}, {name})"
    also = "" if name == "model FLOPs, causal attention" else f"; causal model FLOPs are {usual / TERA:.4g}"
    return f"{stated} counts {name}{also}"


def _of_peak(run: MeasuredRun, mfu: float) -> str:
    """An MFU is a count over a peak; both may be meant differently."""
    peaks = run.accelerator.peak_flop_per_s
    found = [
        (abs(count / (peak * mfu) - 1.0), name, form)
        for name, count in counts_flop_per_s(run)
        for form, peak in peaks.items()
        if form in ("bf16", "fp8", "fp4")
    ]
    gap, name, form = min(found)
    if gap > MAX_GAP_FRAC:
        return f"reported MFU {mfu:.3g} matches no usual count over a dense peak"
    return f"reported MFU {mfu:.3g} counts {name} over the dense {form} peak"
