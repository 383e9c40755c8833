"""What a release knows of an accelerator: how old it is, and whether its experts stop for the host."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from gigawatt.catalog import load_catalog
from gigawatt.design.training.block import block_cost
from gigawatt.design.training.context import context_of
from gigawatt.design.training.physics import recipe_of, setting_of
from gigawatt.design.training.shape import split_of
from gigawatt.domain.calibration import Architecture
from gigawatt.domain.training import Layout, TrainingJob

CATALOG = load_catalog()
CALIBRATION = CATALOG.training_calibration()
YEAR_S = 31557600.0


def architecture(available: str) -> Architecture:
    return Architecture(
        id="x", name="X", source="s", basis="published", date="2022-09", available=available, narrowest="fp8"
    )


@pytest.mark.parametrize(
    ("released", "years"), [("2023-10", 1.0), ("2022-10", 0.0), ("2021-01", 0.0), ("2023", 0.75)]
)
def test_an_age_counts_months_from_the_first_systems_and_never_runs_backwards(released, years) -> None:
    """A year alone stands for its middle, July."""
    assert architecture("2022-10").age_s(released) == pytest.approx(years * YEAR_S)


def test_a_month_is_needed() -> None:
    with pytest.raises(ValidationError, match="available"):
        architecture("2022")


def test_every_architecture_of_the_catalogue_has_its_day() -> None:
    known = {row.id for row in CALIBRATION.architectures}
    assert {CATALOG.accelerator(id).architecture for id in CATALOG.ids("accelerators")} <= known


@pytest.mark.parametrize(
    ("accelerator", "precision", "software", "stops"),
    [
        ("gb200-186gb", "mxfp8", "NeMo container 26.08", 0.0),  # one graph for the whole step
        ("gb200-186gb", "bf16", "NeMo container 26.08", 1.0),  # attention and routing in graphs only
        ("gb200-186gb", "mxfp8", "NeMo container 26.04", 1.0),
        ("h100-sxm-80gb", "fp8", "NeMo container 26.08", 1.0),
    ],
)
def test_experts_stop_for_the_host_but_in_graphs_of_the_whole_step(
    accelerator, precision, software, stops
) -> None:
    setting = setting_of(CALIBRATION, CATALOG.accelerator(accelerator), precision, software)
    assert recipe_of(setting).stops == stops


def test_an_unlisted_release_is_taken_as_the_newest_and_an_unlisted_framework_as_its_entry() -> None:
    accelerator = CATALOG.accelerator("h100-sxm-80gb")
    named = setting_of(CALIBRATION, accelerator, "bf16", "NeMo container 26.08")
    own = setting_of(CALIBRATION, accelerator, "bf16", "ours", "Megatron-Core (Megatron-Bridge)")
    assert own.library_age_s == named.library_age_s
    eager = setting_of(CALIBRATION, accelerator, "bf16", "llm-foundry 2023")
    assert eager.library_age_s == pytest.approx(0.75 * YEAR_S)  # October 2022 to July 2023


def test_blocking_launches_make_host_and_device_take_turns() -> None:
    system, accelerator = CATALOG.require_plannable("hgx-a100", with_power=False)
    job = TrainingJob(seq_len=2048, global_batch=64, software="Megatron-DeepSpeed 2022")
    context = context_of(CATALOG.model("gpt-3-175b"), system, accelerator, 64, job, CALIBRATION)
    (kind,) = context.kinds
    layout = Layout(tp=8, pp=8, dp=1, micro_batch=1, zero=1, recompute="full", schedule="1f1b")
    terms = (kind.shape, context.weights.hidden, split_of(layout, job), context.chip)
    turns = block_cost(*terms, context.recipe, context.physics)
    host_s = context.physics.host_block_s * (2.0 + 1.5)  # forward, again, backward
    assert turns.host_s == pytest.approx(host_s, rel=1e-9)
    beside = block_cost(*terms, context.recipe._replace(blocking=0.0), context.physics)
    assert beside.host_s < 0.01 * host_s
    assert turns.total_s - turns.host_s == pytest.approx(beside.total_s - beside.host_s, rel=1e-12)
