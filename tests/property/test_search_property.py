"""Whatever the model, the machines and the job: the search's kernels price as the plain functions do."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gigawatt.catalog import load_catalog
from gigawatt.design.training import Pricer, context_of, search_layouts
from gigawatt.design.training import search_kernel as kernel
from gigawatt.design.training.axes import Space, layout_key, make_layout
from gigawatt.design.training.legal import violations
from gigawatt.design.training.memory import peak_bytes
from gigawatt.design.training.price import step_price
from gigawatt.design.training.search import Search
from gigawatt.design.training.shape import grid_of, split_of
from gigawatt.domain.model import Attention, Block, Experts, FeedForward, Model
from gigawatt.domain.training import TrainingJob
from gigawatt.kernels import compiled

CATALOG = load_catalog()
SYSTEMS = ("hgx-a100", "hgx-h100", "gb200-nvl72")
ROUGH = settings(deadline=None, max_examples=25)


@st.composite
def models(draw: st.DrawFn) -> Model:
    """Dense, MoE or both; grouped or latent attention; a window now and then."""
    heads = draw(st.sampled_from([8, 12, 16, 24]))
    kv_heads = draw(st.sampled_from([n for n in (1, 2, 4, 8) if heads % n == 0]))
    latent = draw(st.booleans())
    attention = Attention(
        kind="mla" if latent else "gqa",
        num_heads=heads,
        num_kv_heads=heads if latent else kv_heads,
        head_dim=64,
        v_head_dim=64,
        q_lora_rank=128 * latent,
        kv_lora_rank=64 * latent,
        qk_rope_head_dim=32 * latent,
        window_tokens=draw(st.sampled_from([0, 0, 256])),
    )
    dense = Block(count=draw(st.integers(1, 9)), attention=attention, feed_forward=FeedForward(hidden=1536))
    experts = Experts(
        num_experts=draw(st.sampled_from([4, 8])), num_experts_per_token=2, hidden=384,
        shared_hidden=draw(st.sampled_from([0, 384])),
    )  # fmt: skip
    sparse = Block(count=draw(st.integers(1, 9)), attention=attention, experts=experts)
    blocks = draw(st.sampled_from([(dense,), (sparse,), (dense, sparse)]))
    return Model(
        id="any", name="Any", hidden=768, vocab=draw(st.sampled_from([32000, 128256])), blocks=blocks,
        tied_head=draw(st.booleans()), num_mtp_layers=draw(st.integers(0, 1)),
    )  # fmt: skip


@st.composite
def questions(draw: st.DrawFn, most_accelerators: int = 96):
    system, accelerator = CATALOG.require_plannable(draw(st.sampled_from(SYSTEMS)), with_power=False)
    job = TrainingJob(
        seq_len=draw(st.sampled_from([1024, 4096, 8192])), global_batch=draw(st.integers(1, 96)),
        precision=draw(st.sampled_from(["bf16"] if system.id == "hgx-a100" else ["bf16", "fp8"])),
    )  # fmt: skip
    number = draw(st.integers(1, most_accelerators))
    return draw(models()), system, accelerator, number, job, CATALOG.training_calibration()


@given(questions(), st.data())
@ROUGH
def test_a_layout_costs_the_same_in_the_kernel_and_in_numpy(question, data) -> None:
    context = context_of(*question)
    space = Space(*question[:1], *question[3:5])
    assume(space.meshes)
    mesh = data.draw(st.sampled_from(space.meshes))
    rows, tail = space.rows(space.experts(mesh), space.micro_batches(mesh)), space.tail(mesh)
    place = [data.draw(st.integers(0, n.size - 1)) for n in (rows.ep, tail.vpp, tail.zero)]
    layout = make_layout(mesh, rows, tail, *place)
    broken = {row.constraint for row in violations(question[0], question[3], question[4], layout)}
    assert broken <= {"interleaving"}
    split, grid = split_of(layout, context.job), grid_of(layout, context.job)
    cost = step_price(
        context.kinds,
        context.weights,
        split,
        grid,
        context.chip,
        context.recipe,
        context.physics,
        context.num_nodes,
    )
    peak = peak_bytes(context.kinds, context.edges, split, grid, context.recipe, context.books)
    price = Pricer(context).price(layout)
    assert price.step_s == pytest.approx(float(cost.step_s), rel=1e-12)
    assert price.memory_bytes == pytest.approx(float(peak), rel=1e-12)


@given(questions(24))
@ROUGH
def test_pruning_never_loses_the_best_and_bounds_are_never_wrong(question) -> None:
    thorough, all_of_it = search_layouts(*question, exhaustive=True)
    quick, some_of_it = search_layouts(*question)
    assert quick.best == thorough.best
    assert quick.proven_optimal == thorough.proven_optimal == bool(thorough.best)
    assert some_of_it.layouts_legal == all_of_it.layouts_evaluated


@given(questions(32))
@ROUGH
def test_no_layout_beats_its_bound(question) -> None:
    """Weighed against true bounds but with nothing to lose to, every layout is compared with its own."""
    search = Search(context_of(*question), Space(*question[:1], *question[3:5]), 1)
    search.run(False)
    assert search.wrong_bounds == 0
    longer = Search(search.context, search.space, 500)
    longer.run(True)
    assert longer.wrong_bounds == 0
    assert [found[:2] for found in longer.best] == sorted(found[:2] for found in longer.best)
    assert len({found.key for found in longer.best}) == len(longer.best)


def test_the_compiled_loop_is_the_plain_loop() -> None:
    """The kernel's own Python, run by Python on a small question, counts and ranks the same."""
    system, accelerator = CATALOG.require_plannable("hgx-h100", with_power=False)
    block = Block(count=3, attention=Attention(num_heads=4, num_kv_heads=4, head_dim=64, v_head_dim=64),
                  feed_forward=FeedForward(hidden=1024))  # fmt: skip
    model = Model(id="tiny", name="Tiny", hidden=256, vocab=32000, blocks=(block,))
    job = TrainingJob(seq_len=256, global_batch=4)
    context = context_of(model, system, accelerator, 4, job, CATALOG.training_calibration())
    search = Search(context, Space(model, 4, job), 3)
    for part in search.parts():
        ways = search.shards(part.mesh)
        outcomes = []
        plain_table = kernel.Table(*(
            column.view(np.recarray) if column.dtype.names else column for column in part.table
        ))  # fmt: skip
        for loop, table in ((compiled(kernel.weigh_mesh), part.table), (kernel.weigh_mesh, plain_table)):
            kept = search.nothing_kept(np.inf)
            ends = search.ends(part.mesh.pp)
            loop(search.question, float(part.mesh.pp), float(part.mesh.dp), part.chosen, part.least_s, table,
                 ends, ways, True, kept)  # fmt: skip
            outcomes.append(kept)
        for fast, plain in zip(*outcomes, strict=True):
            np.testing.assert_allclose(fast, plain, rtol=1e-12)


def test_ties_are_broken_by_the_axes_in_order() -> None:
    """Of layouts that take the same time the first by its axes wins, in whatever order they are met."""
    system, accelerator = CATALOG.require_plannable("hgx-h100", with_power=False)
    model = CATALOG.model("llama-3.1-8b")
    job = TrainingJob(seq_len=4096, global_batch=64)
    design, _ = search_layouts(
        model, system, accelerator, 16, job, CATALOG.training_calibration(), top=50, exhaustive=True
    )
    ranks = [(one.step_s, layout_key(one.layout)) for one in design.best]
    assert ranks == sorted(ranks)
