"""How long an accelerator takes for matrix products, attention, memory traffic and issuing kernels.

Every law is branch-free arithmetic: it serves a float, an array (by broadcasting) and a compiled kernel
alike.
"""

from __future__ import annotations

import numpy as np

from gigawatt.laws.numbers import Number

VALIDITY = {
    "gemm_s": "m, n, k >= 1; tiles of 128 x 128 or larger; dense operands",
    "flash_attention_flop": "0 < window_tokens <= seq_len",
    "streaming_s": "transfers of at least a few MB; smaller ones are launch bound",
}


def tile_occupancy_frac(m: Number, n: Number, num_products: Number, num_sms: Number, tile: Number) -> Number:
    """Share of the multiprocessors' time that `num_products` products of m x n do useful work [0..1].

    The output is cut into tile x tile squares; ragged edges waste part of a tile, and the last wave over
    `num_sms` multiprocessors is rarely full. A persistent (stream-K) kernel hides the part of that tail
    that exceeds one tile per multiprocessor, so a wave's loss is bounded by one tile time.
    Source: NVIDIA, Matrix Multiplication Background User's Guide, sections "Tile quantization" and
    "Wave quantization".

    >>> round(float(tile_occupancy_frac(27 * 128, 4 * 128, 1, 108, 128)), 3)   # 108 tiles fill an A100 once
    1.0
    >>> round(float(tile_occupancy_frac(27 * 128, 4 * 128 + 1, 1, 108, 128)), 3)   # a column more: 135 tiles
    0.501
    """
    tiles = np.ceil(m / tile) * np.ceil(n / tile) * num_products
    waves = np.ceil(tiles / num_sms)
    return m * n * num_products / (waves * num_sms * tile * tile)


def ramp_frac(k: Number, ramp: Number) -> Number:
    """Share of a tile's time spent in the steady main loop of depth k, with `ramp` of prologue and epilogue.

    Source: the same guide, "Dimension quantization effects": short inner dimensions do not amortise the
    loads that fill the pipeline and the store that drains it.

    >>> round(ramp_frac(4096, 256), 3)
    0.941
    """
    return k / (k + ramp)


def alignment_frac(n: Number, k: Number, aligned: Number, misaligned_frac: Number) -> Number:
    """1 where the contiguous dimensions are multiples of `aligned` elements, else `misaligned_frac`.

    Source: the same guide, table "Tensor Core requirements": on A100 fp16 is most efficient in multiples of
    64.

    >>> alignment_frac(13824 / 4, 13824, 64, 0.75), alignment_frac(14400 / 4, 14400, 64, 0.75)
    (1.0, 0.75)
    """
    off = np.minimum(n % aligned + k % aligned, 1)
    return 1.0 - off * (1.0 - misaligned_frac)


def gemm_s(
    flop: Number, moved_bytes: Number, flop_per_s: Number, bytes_per_s: Number, kernel_s: Number
) -> Number:
    """Time of a matrix product: the slower of arithmetic and memory, plus the gap between kernels [s].

    Source: Williams, Waterman, Patterson, "Roofline", CACM 52(4), 2009.

    >>> gemm_s(2 * 8192.0**3, 3 * 2 * 8192.0**2, 794.5e12, 3.35e12, 0.0)   # H100, best measured rate
    0.0013839...
    """
    return np.maximum(flop / flop_per_s, moved_bytes / bytes_per_s) + kernel_s


def flash_attention_flop(
    micro_batch: Number,
    seq_len: Number,
    window_tokens: Number,
    num_heads: Number,
    qk_dim: Number,
    v_dim: Number,
) -> Number:
    """FLOPs of one causal attention core, forward, without masked-out squares [FLOP].

    A query at position i sees min(i + 1, window) keys; a full causal sequence therefore costs half of the
    square.
    Source: Dao, "FlashAttention-2", arXiv 2307.08691, section 4.1 (4 s^2 d per head, halved when causal).

    >>> flash_attention_flop(1, 8192, 8192, 32, 128, 128) / (4 * 8192**2 * 32 * 128)
    0.5
    """
    seen = window_tokens * (seq_len - 0.5 * window_tokens)
    return 2.0 * micro_batch * seen * num_heads * (qk_dim + v_dim)


def streaming_s(moved_bytes: Number, bytes_per_s: Number, kernels: Number, kernel_s: Number) -> Number:
    """Time of memory-bound kernels that move `moved_bytes` in `kernels` launches [s].

    Source: Ivanov et al., "Data Movement Is All You Need", arXiv 2007.00072.

    >>> streaming_s(4e9, 2e12, 10, 1e-6)
    0.00201
    """
    return moved_bytes / bytes_per_s + kernels * kernel_s


def issue_bound_s(device_s: Number, host_s: Number) -> Number:
    """Time of a stretch of asynchronous launches: the slower of device and host, smoothed [s].

    The 8-norm stands for queues of finite depth: near the crossing each waits for the other now and then.
    Source: PyTorch documentation, "CUDA semantics: asynchronous execution".

    >>> round(issue_bound_s(3.0, 1.0), 3), round(issue_bound_s(1.0, 1.0), 3)
    (3.0, 1.091)
    """
    return (device_s**8 + host_s**8) ** 0.125


def library_frac(age_s: Number, lag_frac: Number, settling_s: Number) -> Number:
    """Share of its settled rate that kernels reach `age_s` after their accelerator came out [0..1].

    On the first day work takes `lag_frac` longer than once it has settled; the lag fades exponentially. That
    form is a choice. Its size is measured: 512 H100 trained GPT-3 175B 27 % faster within a year.
    Source: NVIDIA, "NVIDIA MLPerf Training Results Showcase Unprecedented Performance and Elasticity", 2024
    (MLPerf Training v4.0 against v3.0).

    >>> year_s = 31557600.0
    >>> round(library_frac(year_s, 0.522, year_s) / library_frac(0.0, 0.522, year_s) - 1.0, 2)
    0.28
    """
    return 1.0 / (1.0 + lag_frac * np.exp(-age_s / settling_s))


def power_capped_frac(power_w: Number, peak_power_w: Number) -> Number:
    """Share of the peak rate that a part sustains under a lower power cap than its quoted peak [0..1].

    Dynamic power goes with voltage squared times clock, and voltage with clock: the cube root.
    Source: Mudge, "Power: a first-class architectural design constraint", IEEE Computer 34(4), 2001.

    >>> round(float(power_capped_frac(500.0, 700.0)), 3)
    0.894
    """
    return np.minimum(power_w / peak_power_w, 1.0) ** (1.0 / 3.0)
