"""The search against brute force: every layout of the box, judged one by one, priced one by one."""

from __future__ import annotations

from itertools import product

import pytest

from gigawatt.catalog import load_catalog
from gigawatt.design.training import design_training, search_layouts
from gigawatt.design.training.axes import AXES, Space, divisors, layout_key, make_layout
from gigawatt.design.training.context import context_of
from gigawatt.design.training.legal import violations
from gigawatt.design.training.predict import predict
from gigawatt.domain.model import Attention, Block, Experts, FeedForward, Model
from gigawatt.domain.training import Layout, TrainingJob
from gigawatt.errors import InputError

CATALOG = load_catalog()
CALIBRATION = CATALOG.training_calibration()
HEADS = Attention(num_heads=8, num_kv_heads=4, head_dim=64, v_head_dim=64)
DENSE = Model(
    id="small", name="Small", hidden=512, vocab=32000,
    blocks=(Block(count=6, attention=HEADS, feed_forward=FeedForward(hidden=2048)),),
)  # fmt: skip
SPARSE = Model(
    id="sparse", name="Sparse", hidden=512, vocab=32000,
    blocks=(
        Block(count=1, attention=HEADS, feed_forward=FeedForward(hidden=2048)),
        Block(count=4, attention=HEADS, experts=Experts(num_experts=4, num_experts_per_token=2, hidden=256)),
    ),
)  # fmt: skip
JOB = TrainingJob(seq_len=512, global_batch=12)
CASES = [(DENSE, 1), (DENSE, 6), (DENSE, 8), (SPARSE, 4), (SPARSE, 8)]


def question(model, num_accelerators, job=JOB, system="hgx-h100"):
    found, accelerator = CATALOG.require_plannable(system, with_power=False)
    return model, found, accelerator, num_accelerators, job, CALIBRATION


def sensible(x: Layout, num_layers: int) -> bool:
    """Not what the search leaves out though it is legal.

    One rank's ZeRO, ZeRO-2 and -3 in a pipeline, chunks of unequal depth on the fullest stages.
    """
    if x.dp * x.cp == 1 and x.zero:
        return False
    if x.pp > 1 and x.zero > 1:
        return False
    if -(-num_layers // x.pp) % x.vpp:
        return False
    return not x.dp_shard or (x.zero == 3 and 1 < x.dp_shard < x.dp)


def brute_force(model: Model, num_accelerators: int, job: TrainingJob) -> list[Layout]:
    """Every legal and sensible layout of a box that holds them all, one by one."""
    ranks, layers = divisors(num_accelerators), model.num_layers
    experts = range(1, 5) if any(block.experts for block in model.blocks) else [1]
    etps = [1, 2, 4, 8, 16, 32, 64, 128, 256] if len(experts) > 1 else [1]
    found = []
    for tp, pp, cp in product(ranks, ranks, ranks):
        if num_accelerators % (tp * pp * cp):
            continue
        dp = num_accelerators // (tp * pp * cp)
        rest = product(
            range(1, layers + 2),
            experts,
            etps,
            range(1, job.global_batch + 1),
            range(4),
            [0, *range(1, dp + 1)],
            ("none", "selective", "full"),
            ("1f1b", "interleaved", "zero-bubble"),
        )
        for vpp, ep, etp, micro_batch, zero, dp_shard, recompute, schedule in rest:
            if job.global_batch % (dp * micro_batch) or pp * vpp > layers + 2 or (pp == 1 and vpp > 1):
                continue
            layout = Layout.model_construct(
                tp=tp, pp=pp, vpp=vpp, cp=cp, ep=ep, etp=etp, dp=dp, micro_batch=micro_batch, zero=zero,
                recompute=recompute, schedule=schedule, dp_shard=dp_shard,
            )  # fmt: skip
            if sensible(layout, layers) and not violations(model, num_accelerators, job, layout):
                found.append(layout)
    return found


def enumerated(model: Model, num_accelerators: int, job: TrainingJob, **fixed: object) -> list[Layout]:
    """Every layout of the search's space, as it walks it."""
    space = Space(model, num_accelerators, job, fixed)
    found = []
    for mesh in space.meshes:
        rows, tail = space.rows(space.experts(mesh), space.micro_batches(mesh)), space.tail(mesh)
        for place in product(range(rows.ep.size), range(tail.vpp.size), range(tail.zero.size)):
            layout = make_layout(mesh, rows, tail, *place)
            if layout.vpp == 1 or not job.global_batch // (layout.dp * layout.micro_batch) % layout.pp:
                found.append(layout)
    return found


def offered(model: Model, num_accelerators: int, job: TrainingJob) -> list[Layout]:
    """Of those, the ones that the software of the calibration runs."""
    software = context_of(*question(model, num_accelerators, job)).setting.software
    return [
        one
        for one in enumerated(model, num_accelerators, job)
        if one.schedule in software.schedules and one.zero in software.zero_stages
    ]


@pytest.mark.parametrize(("model", "num_accelerators"), CASES)
def test_the_space_is_every_legal_layout_and_no_other(model, num_accelerators) -> None:
    walked = enumerated(model, num_accelerators, JOB)
    assert len(walked) == len({layout_key(one) for one in walked})
    assert {layout_key(one) for one in walked} == {
        layout_key(one) for one in brute_force(model, num_accelerators, JOB)
    }


@pytest.mark.parametrize(("model", "num_accelerators"), [(DENSE, 1), (DENSE, 6), (SPARSE, 4)])
def test_the_winner_is_that_of_pricing_every_layout_by_itself(model, num_accelerators) -> None:
    context = context_of(*question(model, num_accelerators))
    alone = [predict(context, layout) for layout in offered(model, num_accelerators, JOB)]
    fitting = sorted(one.step_s for one in alone if one.fits)
    for exhaustive in (True, False):
        design = design_training(*question(model, num_accelerators), top=3, exhaustive=exhaustive)
        assert [one.step_s for one in design.best] == pytest.approx(fitting[:3], rel=1e-12)
        assert design.proven_optimal
        assert not exhaustive or design.layouts_fitting == len(fitting)


@pytest.mark.parametrize(("model", "num_accelerators"), CASES)
def test_every_layout_is_either_weighed_or_bounded(model, num_accelerators) -> None:
    everything, _ = search_layouts(*question(model, num_accelerators), exhaustive=True)
    design, report = search_layouts(*question(model, num_accelerators))
    assert everything.layouts_evaluated == len(offered(model, num_accelerators, JOB))
    assert report.layouts_legal == design.layouts_legal == everything.layouts_evaluated
    assert design.best == everything.best


@pytest.mark.parametrize(
    ("model", "system", "num_accelerators", "seq_len", "global_batch"),
    [("llama-3.1-70b", "hgx-h100", 64, 8192, 128), ("qwen3-235b-a22b", "hgx-h200", 128, 4096, 512),
     ("deepseek-v3", "gb200-nvl72", 288, 4096, 1440)],
)  # fmt: skip
def test_pruning_does_not_change_the_answer(model, system, num_accelerators, seq_len, global_batch) -> None:
    job = TrainingJob(seq_len=seq_len, global_batch=global_batch)
    asked = question(CATALOG.model(model), num_accelerators, job, system)
    everything, pruned = design_training(*asked, top=8, exhaustive=True), design_training(*asked, top=8)
    assert pruned.best == everything.best
    assert pruned.nearest == everything.nearest
    assert pruned.layouts_legal == everything.layouts_legal


def test_parts_of_the_space_searched_apart_have_the_same_winner() -> None:
    """However the work is cut: the best of the parts is the best of the whole, ties included."""
    whole = design_training(*question(DENSE, 8), top=1).best[0]
    parts = [design_training(*question(DENSE, 8), fixed={"tp": tp}, top=1).best for tp in (1, 2, 4, 8)]
    best = min((part[0] for part in parts if part), key=lambda one: (one.step_s, layout_key(one.layout)))
    assert best == whole


@pytest.mark.parametrize(
    "fixed",
    [
        {"tp": 2},
        {"pp": 2, "schedule": "interleaved"},
        {"vpp": 3},
        {"zero": 2},
        {"recompute": "full"},
        {"cp": 2, "dp": 2},
        {"micro_batch": 3},
        {"zero": 3, "dp_shard": 2},
        {"schedule": "zero-bubble", "zero": 3},
    ],
)
def test_fixed_axes_stay_fixed_and_all_else_is_searched(fixed) -> None:
    wide = brute_force(DENSE, 8, JOB)
    expected = {
        layout_key(x) for x in wide if all(getattr(x, axis) == value for axis, value in fixed.items())
    }
    found = enumerated(DENSE, 8, JOB, **fixed)
    assert found
    assert all(getattr(x, axis) == value for x in found for axis, value in fixed.items())
    assert expected <= {layout_key(x) for x in found}
    assert not any(violations(DENSE, 8, JOB, x) for x in found)


def test_an_unknown_axis_and_a_value_that_no_axis_takes_are_refused_together() -> None:
    with pytest.raises(InputError) as refused:
        design_training(*question(DENSE, 8), fixed={"tensor": 2, "recompute": "some", "pp": 0})
    assert {problem.key for problem in refused.value.problems} == {"tensor", "recompute", "pp"}


def test_a_layout_of_ones_own_is_predicted_beside_the_best() -> None:
    mine = Layout(tp=2, pp=2, dp=2)
    design = design_training(*question(DENSE, 8), asked=mine)
    assert design.asked == predict(context_of(*question(DENSE, 8)), mine)
    assert design.asked.step_s >= design.best[0].step_s


def test_an_illegal_layout_of_ones_own_is_refused_with_every_rule_it_breaks() -> None:
    with pytest.raises(InputError) as refused:
        design_training(*question(DENSE, 8), asked=Layout(tp=3, dp=5, vpp=2))
    assert {problem.key for problem in refused.value.problems} >= {
        "accelerators",
        "heads",
        "batch",
        "interleaving",
    }


def test_runners_up_say_what_they_lose_by() -> None:
    design = design_training(*question(DENSE, 8), top=4)
    assert len(design.reasons) == 3
    for reason, other in zip(design.reasons, design.best[1:], strict=True):
        if other.step_s > design.best[0].step_s * 1.001:
            assert "slower" in reason


def test_sensitivity_goes_the_way_of_the_hardware() -> None:
    """Half the rate of anything never helps, twice never hurts; half the batch takes less time."""
    design = design_training(*question(DENSE, 8))
    base_s = design.best[0].step_s
    assert {one.input for one in design.sensitivity} >= {"matrix rate", "memory bandwidth"}
    for one in design.sensitivity:
        slower = (one.factor < 1) != (one.input == "global batch")
        assert one.step_s >= base_s * (1 - 1e-12) if slower else one.step_s <= base_s * (1 + 1e-12)


def test_nothing_fits_names_memory_and_the_lightest_layout() -> None:
    job = TrainingJob(seq_len=8192, global_batch=1)
    asked = question(CATALOG.model("llama-3.1-405b"), 8, job)
    design = design_training(*asked)
    context = context_of(*asked)
    lightest = min(predict(context, x).memory_bytes for x in offered(asked[0], 8, job))
    assert design.best == ()
    assert not design.proven_optimal
    assert design.nearest is not None
    assert design.nearest.memory_bytes == pytest.approx(lightest, rel=1e-12)
    assert design.binding[0].constraint == "memory"
    assert design.binding[0].num_layouts == design.layouts_legal
    assert design.binding[1].constraint == "nearest"


def test_nothing_legal_names_the_rules_and_what_would_be_legal() -> None:
    """97 is prime: neither heads nor layers nor the batch divide by it."""
    design = design_training(*question(DENSE, 97))
    assert design.best == ()
    assert {row.constraint for row in design.binding} >= {"batch", "heads", "layers"}
    assert all(row.num_layouts > 0 for row in design.binding if row.constraint != "nearest")
    assert any("96 accelerators" in row.message for row in design.binding if row.constraint == "nearest")
    assert design.nearest is not None
    assert design.nearest.layout.num_accelerators == 96
    assert not violations(DENSE, 96, JOB, design.nearest.layout)


def test_a_fixed_axis_that_leaves_nothing_is_named() -> None:
    design = design_training(*question(DENSE, 8), fixed={"tp": 3})
    assert design.best == ()
    assert {row.constraint for row in design.binding} >= {"accelerators", "heads"}
    assert any("tp" in row.message and row.constraint == "fixed" for row in design.binding)


def test_keeping_no_layout_is_refused() -> None:
    with pytest.raises(InputError, match="at least one"):
        design_training(*question(DENSE, 8), top=0)


def test_more_layouts_than_fit_may_be_asked_for() -> None:
    design = design_training(*question(DENSE, 1), top=1000)
    assert len(design.best) == design.layouts_fitting < 1000


def test_axes_are_those_of_a_layout() -> None:
    assert set(AXES) == set(Layout.model_fields)


def test_a_search_keeps_to_what_the_software_runs_unless_an_axis_is_fixed() -> None:
    """Megatron-Core has no zero-bubble schedule, torchtitan no ZeRO-1; who fixes an axis is believed."""
    titan = JOB.model_copy(update={"software": "torchtitan 2025"})
    megatron = design_training(*question(DENSE, 8), top=500)
    assert {one.layout.schedule for one in megatron.best} <= {"1f1b", "interleaved"}
    assert not any(one.layout.zero == 1 for one in design_training(*question(DENSE, 8, titan), top=500).best)
    fixed = design_training(*question(DENSE, 8), fixed={"schedule": "zero-bubble"})
    assert {one.layout.schedule for one in fixed.best} == {"zero-bubble"}
