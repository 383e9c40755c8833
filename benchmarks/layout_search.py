"""How fast layouts are priced and weighed, one by one: GPT-3 175B on 512 A100, a global batch of 1,536.

Calculon enumerates 13,165,632 configurations of this case: tp x pp x dp, interleaving and micro-batch,
times recomputation (3) and switches of the software (sequence parallelism in three forms, overlap of
tensor and data parallel traffic, a sharded optimizer, fused activations). Ours are enumerated in the same
spirit and counted on their own: every layout of `gigawatt.design.training` (which adds context
parallelism, every number of virtual stages, ZeRO 0 to 3, groups of replicas, and the zero-bubble
schedule), times six switches of the software. Each is evaluated in full, time and memory; nothing is
pruned. Compiling the kernels is not counted: they are kept on disk.

Where `GIGAWATT_PEER_PYTHON` names an interpreter that has llm-analysis, it is run in turn
(`peer_llm_analysis.py`).
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

from measure import Figures, measured, report

from gigawatt.catalog import load_catalog
from gigawatt.design.training import Pricer, context_of
from gigawatt.design.training.axes import Space
from gigawatt.design.training.context import Context
from gigawatt.design.training.search import Search
from gigawatt.domain.training import Layout, TrainingJob

NUM_ACCELERATORS = 512
JOB = TrainingJob(seq_len=2048, global_batch=1536)
SWITCHES = ("sequence_parallel", "flash", "fused_accumulation", "dropout")
OVERLAPS = ("tp_hidden_frac", "dp_hidden_frac")
NUM_PREDICTIONS = 20_000
CALCULON = {
    "name": "Calculon (SC 2023), repository of February 2024; in no package index",
    "work": {"layouts": 13_165_632},
    "cpu_s": 48_000.0,
    "rates": {"layouts_per_cpu_s": 274.0},
    "source": (
        "measured on one core of a 2-core x86-64 machine: 274 configurations/s, rejected ones included, "
        "of its own enumeration of this case; the whole of it extrapolated to 13.3 core-hours"
    ),
}


def contexts() -> Iterator[Context]:
    """The case with every switch of the software on and off."""
    catalog = load_catalog()
    system, accelerator = catalog.require_plannable("hgx-a100", with_power=False)
    model = catalog.model("gpt-3-175b")
    base = context_of(model, system, accelerator, NUM_ACCELERATORS, JOB, catalog.training_calibration())
    for switches in product((0.0, 1.0), repeat=len(SWITCHES)):
        recipe = base.recipe._replace(**dict(zip(SWITCHES, switches, strict=True)))
        for shares in product((False, True), repeat=len(OVERLAPS)):
            hidden = {
                name: getattr(base.physics, name) * on for name, on in zip(OVERLAPS, shares, strict=True)
            }
            yield replace(base, recipe=recipe, physics=base.physics._replace(**hidden))


def predictions_per_s(context: Context) -> float:
    """Single predictions of time by cause and memory, per CPU second."""
    pricer = Pricer(context)
    layouts = [Layout(tp=8, pp=8, dp=8, micro_batch=size) for size in (1, 2, 3, 4)]
    for layout in layouts:
        pricer.price(layout)
    begun_s = time.process_time()
    for index in range(NUM_PREDICTIONS):
        pricer.price(layouts[index % len(layouts)])
    return NUM_PREDICTIONS / (time.process_time() - begun_s)


def peer() -> dict[str, Any]:
    """llm-analysis where it can be run, else what is known of Calculon."""
    python = os.environ.get("GIGAWATT_PEER_PYTHON")
    if not python:
        return CALCULON
    script = Path(__file__).with_name("peer_llm_analysis.py")
    done = subprocess.run([python, str(script)], capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def run() -> Figures:
    """Search exhaustively under every combination of switches."""
    all_contexts = list(contexts())
    warm = all_contexts[0]
    Search(warm, Space(warm.model, NUM_ACCELERATORS, JOB, {"tp": 8, "pp": 8}), 1).run(True)
    evaluated = fitting = 0
    with measured() as spent:
        space = Space(warm.model, NUM_ACCELERATORS, JOB)
        for context in all_contexts:
            search = Search(context, space, 1)
            search.run(True)
            evaluated += search.evaluated
            fitting += search.fitting
    single = predictions_per_s(warm)
    return Figures(
        name="layout_search",
        work={
            "layouts_evaluated": evaluated,
            "layouts_fitting": fitting,
            "software_settings": len(all_contexts),
            "layouts_per_setting": evaluated // len(all_contexts),
        },
        spent=spent,
        rates={"layouts_per_cpu_s": evaluated / spent.cpu_s, "predictions_per_cpu_s": single},
        peer=peer(),
        notes={
            "calculon": CALCULON,
            "prediction_s": 1 / single,
            "case": "gpt-3-175b on 512 a100-sxm-80gb, sequence 2048, batch 1536",
        },
    )


if __name__ == "__main__":
    report(run, __doc__ or "")
