"""What parallel ranks send each other, against bytes counted by hand."""

from __future__ import annotations

import pytest

from gigawatt.catalog import load_catalog
from gigawatt.design.training.block import ep_s
from gigawatt.design.training.context import context_of
from gigawatt.design.training.shape import grid_of, split_of
from gigawatt.design.training.step import replica_s, shared_params
from gigawatt.domain.training import Layout, TrainingJob

CATALOG = load_catalog()
SEQ_LEN = 4096


def context(model: str, job: TrainingJob, num_accelerators: int):
    system, accelerator = CATALOG.require_plannable("hgx-h100", with_power=False)
    return context_of(
        CATALOG.model(model), system, accelerator, num_accelerators, job, CATALOG.training_calibration()
    )


def exchanged_s(layout: Layout) -> float:
    """Forward exchange of one layer of Mixtral 8x7B; latency is left out."""
    job = TrainingJob(seq_len=SEQ_LEN, global_batch=64)
    c = context("mixtral-8x7b", job, layout.num_accelerators)
    physics = c.physics._replace(hop_s=0.0, far_hop_s=0.0)
    return float(ep_s(c.kinds[-1].shape, c.weights.hidden, split_of(layout, job), c.chip, physics))


def rates() -> tuple[float, float]:
    """What a rank sustains within a node of hgx-h100 and between nodes [bytes/s]."""
    c = context("mixtral-8x7b", TrainingJob(seq_len=SEQ_LEN, global_batch=64), 64)
    return 450e9 * c.physics.scale_up_frac, 50e9 * c.physics.scale_out_frac


COPIES_BYTES = SEQ_LEN * 2 * 4096 * 2
"""Tokens, to two experts each, of 4,096 elements of 16 bit: what a rank dispatches."""


def test_experts_spread_over_a_node_exchange_seven_eighths_twice() -> None:
    up, _ = rates()
    assert exchanged_s(Layout(ep=8, dp=64)) == pytest.approx(2 * COPIES_BYTES * 7 / 8 / up)


def test_experts_cut_over_a_node_gather_and_scatter_what_all_of_its_ranks_dispatch() -> None:
    """Each of 8 ranks needs the copies of all 8: it receives 7 times its own, and sends as many sums back."""
    up, _ = rates()
    assert exchanged_s(Layout(etp=8, dp=64)) == pytest.approx(2 * 7 * COPIES_BYTES / up)


def test_what_arrives_from_other_nodes_travels_on_within_the_node() -> None:
    """8 experts, each cut in two, over 2 nodes: 4 ranks a node exchange, and then pairs gather.

    A token's two experts are in 1.5 of 2 nodes on average, half of which is another one; every copy but a
    quarter, whose rank it has reached, moves within a node.
    """
    up, out = rates()
    near_s, far_s = COPIES_BYTES * 3 / 4 / up, COPIES_BYTES / 2 * 1.5 / 2 / out
    pair_s = COPIES_BYTES / up
    assert exchanged_s(Layout(ep=8, etp=2, dp=64)) == pytest.approx(2 * (max(near_s, far_s) + pair_s))


@pytest.mark.parametrize(
    ("model", "parameters"), [("llama-3.2-3b", 3_212_749_824), ("llama-3.1-8b", 8_030_261_248)]
)
@pytest.mark.parametrize("micro_batch", [1, 4, 16])
def test_sharded_gradients_are_scattered_in_every_micro_batch(model, parameters, micro_batch) -> None:
    """ZeRO-2 has nowhere to keep a whole gradient until the last micro-batch; ZeRO-1 has, and sends it once.

    Nothing is hidden here: 7/8 of a model's gradients leave each of 8 ranks. Parameters are
    those published, of which the 3B shares its embedding with its head, and the 8B does not.
    """
    job = TrainingJob(seq_len=SEQ_LEN, global_batch=128)
    c = context(model, job, 8)
    physics = c.physics._replace(dp_hidden_frac=0.0, hop_s=0.0, far_hop_s=0.0)

    def sent_s(zero: int) -> float:
        layout = Layout(dp=8, zero=zero, micro_batch=micro_batch)
        split, grid = split_of(layout, job), grid_of(layout, job)
        return float(replica_s(grid, c.weights, split, c.chip, c.recipe, physics, 1.0, 1.0))

    scatter_s = parameters * c.recipe.gradient_bytes * 7 / 8 / (450e9 * c.physics.scale_up_frac)
    more = 128 / 8 / micro_batch - 1
    assert sent_s(2) - sent_s(1) == pytest.approx(more * scatter_s, rel=1e-3)


def test_the_ends_of_a_pipeline_reduce_a_whole_table_beside_their_layers() -> None:
    """Llama 3.1 405B: 126 layers of 3,187,703,808 parameters over 2 stages, a table at each end."""
    job = TrainingJob(seq_len=SEQ_LEN, global_batch=128)
    c = context("llama-3.1-405b", job, 16)
    layout = Layout(pp=2, dp=8, zero=1)
    held = 63 * 3_187_703_808 + 128_256 * 16_384
    found = shared_params(grid_of(layout, job), c.weights, split_of(layout, job))
    assert float(found) == pytest.approx(held, rel=1e-4)
