"""A made-up plan with everything in it that a report can show. Its numbers are round and mean nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from gigawatt.domain.blueprint import (
    Assumption,
    Blueprint,
    Booking,
    Derivation,
    Fact,
    Option,
    Reference,
    RunDecision,
    RunPlan,
)
from gigawatt.domain.training import (
    Binding,
    Layout,
    Sensitivity,
    StageMemory,
    TimePart,
    TrainingDesign,
    TrainingJob,
    TrainingPrediction,
)

START = datetime(2027, 1, 4, tzinfo=UTC)
PARTS = (
    ("gemm", "Matrix products", 5.2),
    ("attention", "Attention", 0.6),
    ("elementwise", "Norms and activations", 0.5),
    ("tp", "Tensor-parallel communication", 0.9),
    ("pp", "Pipeline transfers", 0.1),
    ("bubble", "Pipeline bubble", 0.7),
    ("dp", "Data-parallel communication", 0.25),
    ("optimizer", "Optimizer step", 0.12),
    ("straggler", "Stragglers and jitter", 0.3),
)
OFFERS = (
    ("nimbus-h100", "Nimbus H100", 8192, 2.49, 118.0),
    ("cumulus-h100", "Cumulus H100", 8192, 2.85, 118.0),
    ("cumulus-h200", "Cumulus H200", 8192, 3.30, 111.0),
    ("stratus-b200", "Stratus B200", 8192, 4.99, 54.0),
    ("stratus-b200-half", "Stratus B200 (half)", 4096, 4.99, 107.0),
    ("cirrus-mi300x", "Cirrus MI300X", 8192, 2.10, 140.0),
    ("alto-h100-spot", "Alto H100 spot", 8192, 2.20, 121.0),
    ("alto-h100", "Alto H100", 8192, 2.55, 120.0),
    ("nimbus-gb200", "Nimbus GB200 NVL72", 9216, 7.20, 45.0),
    ("hazy-a100", "Hazy A100", 8192, 1.29, 352.0),
    ("misty-a100-large", "Misty A100 (large)", 16384, 1.19, 181.0),
    ("brume-a100", "Brume A100", 2048, 1.10, 1390.0),
)


def instant(days: float) -> str:
    return (START + timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")


def prediction(scale: float, **axes: object) -> TrainingPrediction:
    layout = Layout(**{"tp": 8, "pp": 16, "vpp": 8, "dp": 64, "schedule": "interleaved", **axes})
    parts = tuple(
        TimePart(key=key, label=label, time_s=time_s * scale, law=f"laws.compute.{key}_s")
        for key, label, time_s in PARTS
    )
    step_s = sum(part.time_s for part in parts)
    stages = tuple(
        StageMemory(
            stage=stage,
            weights_bytes=6.3e9 + (2.1e9 if stage in (0, layout.pp - 1) else 0.0),
            gradients_bytes=12.6e9,
            optimizer_bytes=1.2e9,
            activations_bytes=30e9 - 1.1e9 * min(stage, 6),
            logits_bytes=4.2e9 if stage == layout.pp - 1 else 0.0,
            buffers_bytes=2.5e9,
            slack_bytes=4.0e9,
        )
        for stage in range(layout.pp)
    )
    return TrainingPrediction(
        layout=layout,
        step_s=step_s,
        low_step_s=step_s * 0.94,
        high_step_s=step_s * 1.07,
        parts=parts,
        memory=stages,
        memory_bytes=max(stage.total_bytes for stage in stages),
        capacity_bytes=79.1e9,
        fits=True,
        mfu_frac=0.41 / scale,
        hfu_frac=0.43 / scale,
        tokens_per_s=1.9e6 / scale,
        basis="measured",
    )


def design() -> TrainingDesign:
    return TrainingDesign(
        model="llama-3.1-405b",
        system="hgx-h100",
        num_accelerators=8192,
        job=TrainingJob(seq_len=8192, global_batch=2048),
        layouts_evaluated=1834560,
        layouts_legal=20416,
        layouts_fitting=3311,
        proven_optimal=True,
        best=(
            prediction(1.0),
            prediction(1.02, vpp=4),
            prediction(1.05, tp=4, pp=32, vpp=4),
            prediction(1.08, cp=2, dp=32),
        ),
        asked=prediction(1.21, vpp=1, schedule="1f1b", recompute="full"),
        reasons=(
            "0.2 s more pipeline bubble: half as many chunks for each stage.",
            "0.5 s more exposed pipeline transfers, partly won back in tensor-parallel communication.",
            "0.7 s more exposed communication for the ring of context-parallel attention.",
        ),
        sensitivity=(
            Sensitivity(input="Scale-out bandwidth", factor=0.5, step_s=9.6),
            Sensitivity(input="Memory bandwidth", factor=1.25, step_s=8.5),
        ),
    )


def _offer(id_: str, label: str, num: int, price: float, days: float) -> Option:
    low, high = days * 0.94, days * 1.07
    gpu_hours, met = num * days * 24, high <= 150
    return Option(
        id=id_,
        kind="rented",
        label=label,
        provider=label.split()[0],
        region="us-east",
        system="hgx-h100",
        system_name="8-GPU node",
        accelerator=label.split()[1].lower(),
        accelerator_name=label.split()[1],
        num_accelerators=num,
        verdict="meets" if met else "late",
        binding=() if met else (Binding(constraint="deadline", message="Finishes after the deadline."),),
        design=0,
        step_s=8.67 * days / 118,
        low_step_s=8.67 * low / 118,
        high_step_s=8.67 * high / 118,
        goodput_frac=0.93,
        low_goodput_frac=0.82,
        high_goodput_frac=0.97,
        train_s=days * 86400,
        start=instant(0),
        finish=instant(days),
        low_finish=instant(low),
        high_finish=instant(high),
        slack_s=(150 - high) * 86400,
        gpu_hours=gpu_hours,
        energy_j=num * 1400.0 * days * 86400,
        power_w=num * 1400.0,
        price_usd_per_gpu_h=price,
        price_note="on demand, quoted 24 May 2026",
        price_year=2026,
        cost_usd=gpu_hours * price,
        low_cost_usd=gpu_hours * price * 0.94,
        high_cost_usd=gpu_hours * price * 1.07,
    )


def _refused() -> tuple[Option, ...]:
    return (
        Option(
            id="tiny-l40s",
            kind="rented",
            label="Tiny L40S",
            provider="Tiny",
            system="l40s-pcie",
            num_accelerators=64,
            verdict="infeasible",
            binding=(
                Binding(
                    constraint="memory",
                    message="No layout fits: the smallest of 214 needs 131 GB, of 47.5 GB usable.",
                    num_layouts=214,
                ),
            ),
        ),
        Option(
            id="pod-tpu-v7",
            kind="rented",
            label="Pod TPU v7",
            provider="Pod",
            system="tpu-v7-pod",
            num_accelerators=4096,
            verdict="unplannable",
            binding=(Binding(constraint="missing", message="tpu-v7: tdp_w is not known."),),
        ),
    )


def run(id_: str = "flagship", model_name: str = "Llama 3.1 405B") -> RunPlan:
    owned = _offer("owned-hall-1", "Owned Hall 1", 8192, 1.62, 139.0).model_copy(
        update={
            "kind": "owned",
            "provider": "",
            "accelerator_name": "H100",
            "waits_for": ("warm-up",),
            "price_note": "owner's full cost",
        }
    )
    unpriced = _offer("quote-h100", "Quote H100", 8192, 1.0, 118.0).model_copy(
        update={"price_usd_per_gpu_h": None, "cost_usd": None, "low_cost_usd": None, "high_cost_usd": None}
    )
    return RunPlan(
        id=id_,
        model="llama-3.1-405b",
        model_name=model_name,
        tokens=15.6e12,
        seq_len=8192,
        global_batch=2048,
        precision="bf16",
        num_steps=929832,
        start=instant(0),
        deadline=instant(150),
        designs=(design(),),
        options=(owned, *(_offer(*offer) for offer in OFFERS), unpriced, *_refused()),
        decision=RunDecision(
            met=True,
            option="owned-hall-1",
            runner_up="alto-h100-spot",
            reason="the cheapest of 11 places that meet the deadline; Alto H100 spot costs 18 % more",
        ),
    )


def _booking(run_id: str, start: float, finish: float) -> Booking:
    return Booking(
        cluster="Hall 1",
        run=run_id,
        start=instant(start),
        finish=instant(finish),
        low_finish=instant(start + (finish - start) * 0.94),
        high_finish=instant(start + (finish - start) * 1.07),
    )


def _fact(key: str, value: float | bool, basis: str) -> Fact:
    return Fact(key=key, value=value, source="sheet", basis=basis, date="2024-03")


def blueprint(*runs: RunPlan) -> Blueprint:
    return Blueprint(
        digest="sha256:" + "5d" * 32,
        title="Two runs, twelve offers, one hall",
        inputs={"scenario": "sha256:" + "a1" * 32, "model llama-3.1-405b": "sha256:" + "b2" * 32},
        catalogue_digest="sha256:" + "c3" * 32,
        tool_version="0.1.0",
        seed=0,
        currency="USD",
        price_year=2026,
        deadline_confidence_frac=0.9,
        assumptions=(
            Assumption(key="pue", label="facility over IT energy", value=1.25, source="plan", basis="quoted"),
            Assumption(key="goodput_frac", label="goodput", source="gigawatt", basis="estimate"),
            Assumption(key="usd_per_mwh", label="power", value=62.0, source="tariff", basis="quoted"),
        ),
        facts=(
            _fact("accelerators/h100-sxm-80gb/hbm_bytes_per_s", 3.35e12, "datasheet"),
            _fact("accelerators/h100-sxm-80gb/peak_flop_per_s/bf16", 989.4e12, "published"),
            _fact("training/h100/gemm_frac", 0.78, "measured"),
            _fact("systems/hgx-h100/in_network_reduction", True, "datasheet"),
        ),
        sources=(
            Reference(key="sheet", title="H100 sheet", url="https://www.example.com/h100", date="2024-03"),
            Reference(key="list", title="Price list", url=f"https://www.example.com/{'prices/' * 12}"),
            Reference(key="tariff", title="Tariff of a utility", url="javascript:alert(1)"),
        ),
        derivations=(Derivation(figure="/runs/0/options/0/cost_usd", law="laws.finance.rental_cost_usd"),),
        runs=runs or (run(), run("warm-up", "Mixtral 8x22B")),
        calendar=(_booking("warm-up", -9.0, 0.0), _booking("flagship", 0.0, 139.0)),
    )
