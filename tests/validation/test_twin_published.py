"""The fleet simulator beside what was published of one run: Llama 3 405B on 16,384 H100 for 54 days.

Meta counted 419 unexpected interruptions and more than 90 % effective time (arXiv:2407.21783, section 3.3.4).
The rates come from other fleets, censuses of nodes; only the shares of the causes are Meta's.
"""

from __future__ import annotations

import numpy as np
import pytest

from gigawatt import load_catalog
from gigawatt.operate.rehearse import Inputs, rehearse
from gigawatt.project.goodput import SPREAD, goodput_of, recovery_of
from gigawatt.project.rehearsal import _plan, stage_of
from gigawatt.project.trace import Trace

MEASURED = 419
EFFECTIVE_AT_LEAST = 0.90
DAYS, GPUS, PARAMETERS = 54, 16_384, 405e9


@pytest.fixture(scope="module")
def outcomes() -> list[tuple[int, float]]:
    """Interruptions in 54 days and the share of effective time, of four rehearsals."""
    catalogue = load_catalog()
    system = catalogue.system("hgx-h100")
    recovery = recovery_of(system, catalogue.accelerator(system.accelerator), catalogue, Trace())
    goodput = goodput_of(recovery, system, GPUS, PARAMETERS, 5.0)
    stage = stage_of(catalogue, system, GPUS, 3072, PARAMETERS, DAYS * 86400.0 * 2, 1)
    plan = _plan(stage, {field: recovery.inputs[field].middle for field in SPREAD}, goodput)
    plan = plan.model_copy(update={"lasts_s": DAYS * 86400.0})
    found = []
    for seed in range(4):
        figures = rehearse(Inputs(plan, system, stage.hazards, stage.parts, {}), seed).figures
        found.append((figures.num_interruptions, figures.runs[0].ettr_frac))
    return found


def test_interruptions_are_as_many_as_were_counted(outcomes: list[tuple[int, float]]) -> None:
    mean = float(np.mean([interruptions for interruptions, _ in outcomes]))
    assert mean == pytest.approx(MEASURED, rel=0.25)


def test_effective_time_is_what_was_published(outcomes: list[tuple[int, float]]) -> None:
    mean = float(np.mean([ettr for _, ettr in outcomes]))
    assert EFFECTIVE_AT_LEAST - 0.02 < mean < 1.0
