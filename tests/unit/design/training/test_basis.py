"""How well a calibration says that it knows a setting."""

from __future__ import annotations

import pytest

from gigawatt.catalog import load_catalog
from gigawatt.design.training.context import context_of
from gigawatt.domain.training import TrainingJob

CATALOG = load_catalog()


@pytest.mark.parametrize(
    ("system", "software", "known"),
    [
        ("hgx-a100", "llm-foundry 2023", "with this software"),
        ("hgx-h100", "", "with this software"),
        ("hgx-a100", "", "with other software"),  # no published run of today's Megatron on A100 is known
        ("hgx-h800", "", "priors only"),
    ],
)
def test_a_prediction_claims_no_measurement_of_what_was_not_measured(system, software, known) -> None:
    found, accelerator = CATALOG.require_plannable(system, with_power=False)
    job = TrainingJob(seq_len=2048, global_batch=64, software=software)
    context = context_of(
        CATALOG.model("gpt-3-175b"), found, accelerator, 64, job, CATALOG.training_calibration()
    )
    assert known in context.basis
