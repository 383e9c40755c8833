"""Oversubscribed pods, against counts of flows by hand."""

from __future__ import annotations

import itertools

import pytest

from gigawatt.catalog import load_catalog
from gigawatt.design.training import predict_training, wires
from gigawatt.design.training.context import context_of
from gigawatt.design.training.terms import BlockShape, Chip, Physics
from gigawatt.domain.fabric import Network
from gigawatt.domain.training import Layout, TrainingJob

CATALOG = load_catalog()
JOB = TrainingJob(seq_len=4096, global_batch=512, precision="bf16")


def experts(top_k: int, groups: int = 1, groups_per_token: int = 1) -> BlockShape:
    """A layer of 64 experts."""
    blank = BlockShape(*[0.0] * len(BlockShape._fields))
    return blank._replace(
        num_experts=64.0,
        top_k=float(top_k),
        groups=float(groups),
        groups_per_token=float(groups_per_token),
    )


def network(pod: int, oversubscription: float) -> Network:
    """Eight accelerators to a node, with pods of so many."""
    return Network(
        name="compute",
        technology="ethernet",
        topology="fat-tree",
        tiers=(),
        cables=(),
        num_accelerators_per_pod=pod,
        oversubscription=oversubscription,
    )


def terms(pod: int, oversubscription: float) -> tuple[Chip, Physics]:
    system, accelerator = CATALOG.require_plannable("hgx-h100")
    context = context_of(
        CATALOG.model("llama-3-70b"),
        system,
        accelerator,
        1024,
        JOB,
        CATALOG.training_calibration(),
        network(pod, oversubscription),
    )
    physics = context.physics._replace(scale_out_frac=1.0, hop_s=0.0, far_hop_s=0.0)
    return context.chip, physics


def test_a_ring_finds_as_many_uplinks_as_its_pod_has_nodes_for_it() -> None:
    # 64 ranks, one to a node; 4 nodes a pod at 1:8. Each accelerator's uplink carries 1/8 of 50 GB/s, and a
    # pod's four ranks share what the one that sends needs: 25 GB/s.
    seconds = wires.gather_s(64e9, 64.0, 8.0, *terms(32, 8.0))
    assert seconds == pytest.approx(63e9 / 25e9, rel=1e-9)


def test_a_ring_with_enough_nodes_in_each_pod_is_not_slowed() -> None:
    free = wires.gather_s(64e9, 64.0, 8.0, *terms(1024, 1.0))
    assert wires.gather_s(64e9, 64.0, 8.0, *terms(64, 8.0)) == pytest.approx(free)


def test_all_to_all_pays_for_every_byte_that_leaves_the_pod() -> None:
    # Top 1 of 64 experts on 64 nodes, 16 in a pod: 48/64 of 1 GB over a seventh of 50 GB/s.
    seconds = wires.experts_s(1e9, experts(1), 64.0, 8.0, *terms(128, 7.0))
    assert seconds == pytest.approx(48 / 64 * 1e9 / (50e9 / 7), rel=1e-9)


def test_a_token_held_to_half_of_the_groups_crosses_to_half_of_the_nodes() -> None:
    """Eight picks among four nodes instead of eight, every sequence of picks counted."""
    free, held = (
        sum(len(set(picks)) for picks in itertools.product(range(nodes), repeat=8)) / nodes**8
        for nodes in (8, 4)
    )
    seconds = [
        wires.experts_s(1e9, experts(8, *groups), 64.0, 1.0, *terms(1024, 1.0)) for groups in ((1, 1), (8, 4))
    ]
    assert seconds[1] / seconds[0] == pytest.approx(held / free, rel=1e-6)


def test_a_message_from_every_rank_of_a_pod_finds_the_uplinks_taken() -> None:
    assert wires.send_s(1e9, 512.0, 1024.0, *terms(512, 7.0)) == pytest.approx(7 / 50)
    assert wires.send_s(1e9, 8.0, 1024.0, *terms(1024, 1.0)) == pytest.approx(1 / 50)


def test_stages_of_a_node_each_send_over_the_network_between_nodes() -> None:
    chip, physics = terms(1024, 1.0)
    across = wires.send_s(1e9, 8.0, 16.0, chip, physics)
    within = wires.send_s(1e9, 4.0, 8.0, chip, physics)
    assert across == pytest.approx(1 / 50)
    assert within == pytest.approx(1e9 / (chip.scale_up_bytes_per_s * physics.scale_up_frac))


def test_llama_3_hardly_notices_one_to_seven_between_its_pods() -> None:
    """Its report (arXiv 2407.21783, section 3.3.1) oversubscribes pods of 3,072 GPUs so."""
    model = CATALOG.model("llama-3.1-405b")
    system, accelerator = CATALOG.require_plannable("hgx-h100")
    job = TrainingJob(seq_len=8192, global_batch=2048, precision="bf16")
    layout = Layout(tp=8, pp=16, vpp=1, dp=128, zero=1)
    steps = [
        predict_training(
            model, system, accelerator, layout, job, CATALOG.training_calibration(), network(3072, ratio)
        ).step_s
        for ratio in (1.0, 7.0)
    ]
    assert 1.0 <= steps[1] / steps[0] < 1.02
