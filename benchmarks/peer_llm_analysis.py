"""llm-analysis on the same case, run by the interpreter of an environment of its own.

    python -m venv peer && peer/bin/pip install llm-analysis
    GIGAWATT_PEER_PYTHON=peer/bin/python python benchmarks/layout_search.py --json

It prices one layout of tensor and data parallelism, ZeRO and recomputation a call, from a FLOPs
efficiency that the user supplies; it has no pipeline bubble, interleaving, overlap, context parallelism
or search. Nothing of gigawatt is imported here.
"""

from __future__ import annotations

import json
import logging
import time
from importlib.metadata import version
from itertools import product

from measure import peak_bytes

logging.disable(logging.CRITICAL)

EFFICIENCY_FRAC = 0.5


def main() -> None:
    """Price some thousands of layouts of a 175B model on 512 A100, and print one JSON object."""
    from llm_analysis import analysis

    model = analysis.get_model_config_by_name("facebook_opt-175b")
    gpu = analysis.get_gpu_config_by_name("a100-sxm-80gb")
    numbers = analysis.get_dtype_config_by_name("w16a16e16")
    grid = [(tp, pp, 512 // (tp * pp)) for tp, pp in product((1, 2, 4, 8), (1, 2, 4, 8, 16, 32))]
    rest = list(product((1, 2, 4), analysis.ActivationRecomputation, analysis.DSZeRO))
    cpu_s, wall_s = time.process_time(), time.perf_counter()
    for (tp, pp, dp), (size, recompute, zero) in product(grid, rest):
        split = analysis.ParallelismConfig(tp_size=tp, pp_size=pp, dp_size=dp)
        one = analysis.LLMAnalysis(model, gpu, numbers, split, flops_efficiency=EFFICIENCY_FRAC)
        try:
            one.training(
                batch_size_per_gpu=size,
                global_batch_size=1536,
                seq_len=2048,
                activation_recomputation=recompute,
                ds_zero=zero,
            )
        except (AssertionError, ValueError, ZeroDivisionError):
            continue
    cpu_s, wall_s = time.process_time() - cpu_s, time.perf_counter() - wall_s
    calls = len(grid) * len(rest)
    found = {
        "name": f"llm-analysis {version('llm-analysis')}",
        "work": {"layouts": calls},
        "cpu_s": cpu_s,
        "wall_s": wall_s,
        "peak_bytes": peak_bytes(),
        "rates": {"layouts_per_cpu_s": calls / cpu_s},
        "source": "installed from the package index, run in turn; layouts that it refuses are counted",
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
