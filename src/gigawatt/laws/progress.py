"""How many optimizer steps a training run takes, and how long they last."""

from __future__ import annotations

import numpy as np

from gigawatt.laws.numbers import Number

DAY_S = 86400.0
YEAR_S = 365.25 * DAY_S


def optimizer_steps(num_tokens: Number, seq_len: Number, global_batch: Number) -> Number:
    """Optimizer steps that see `num_tokens` tokens in batches of `global_batch` sequences of `seq_len`.

    The last, partly filled batch counts as a step. Holds for a constant batch and sequence length.

    Source: DeepSeek-AI, DeepSeek-V3 Technical Report (arXiv:2412.19437), section 4.2: 14.8T tokens,
    sequences of 4,096, batches that grow to 15,360 sequences. At the final batch size throughout:

    >>> int(optimizer_steps(14.8e12, 4096, 15360))
    235240
    """
    return np.ceil(num_tokens / (seq_len * global_batch))


def training_time_s(num_steps: Number, step_s: Number, goodput_frac: Number) -> Number:
    """Wall-clock seconds of `num_steps` steps when only `goodput_frac` (0..1] of the time makes progress.

    Source: Meta, The Llama 3 Herd of Models (arXiv:2407.21783), section 3.3.4, defines effective training
    time as time spent on useful training over elapsed time (above 90 % in their 54 days). At 90 %, 54
    elapsed days hold 48.6 days of steps, here of one second each:

    >>> round(training_time_s(48.6 * 86400, 1.0, 0.9) / 86400, 6)
    54.0
    """
    return num_steps * step_s / goodput_frac
