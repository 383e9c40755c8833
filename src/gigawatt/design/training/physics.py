"""The physical parameters of the cost model: which there are, where each may vary, and what a calibration says of them.

A parameter is a prior centre, changed by one offset per level: the calibration knows how one accelerator, one number
format or one software release differs from the centre. A level that it has not seen adds nothing, and the prediction's
interval says so. Offsets are of the logarithm, or of the logit for shares that may approach 1.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from gigawatt.design.training.block import HEAD_RAMP
from gigawatt.design.training.terms import Physics, Recipe
from gigawatt.domain.calibration import NumberFormat, TrainingCalibration, TrainingSoftware
from gigawatt.domain.hardware import Accelerator
from gigawatt.errors import InputError, UnknownIdError
from gigawatt.laws.compute import power_capped_frac, ramp_frac


class Parameter(NamedTuple):
    """One physical quantity: its prior centre, its scale, and the prior deviation that each level may add."""

    centre: float
    scale: str
    levels: tuple[tuple[str, float], ...]
    meaning: str


PARAMETERS: dict[str, Parameter] = {
    "gemm16": Parameter(0.80, "log", (("accelerator", 0.10), ("software", 0.04)), "sustained share of the 16-bit peak"),
    "gemm_low": Parameter(0.68, "log", (("peak", 0.15), ("format", 0.10), ("software", 0.04)), "the same in fp8 and fp4"),
    "attention": Parameter(0.60, "log", (("attention", 0.30),), "share of the 16-bit peak in fused attention"),
    "hbm": Parameter(0.85, "logit", (("all", 0.20),), "share of the memory bandwidth in streaming kernels"),
    "tail": Parameter(0.40, "logit", (("all", 0.7),), "share of wave quantisation that is not hidden"),
    "ramp_tokens": Parameter(150.0, "log", (("all", 0.5),), "depth lost at either end of a product"),
    "misaligned": Parameter(0.75, "logit", (("all", 0.5),), "share left when dimensions are not multiples of 64"),
    "kernel_s": Parameter(3e-6, "log", (("all", 0.25),), "gap between dependent kernels"),
    "host_block_s": Parameter(3e-4, "log", (("framework", 0.6),), "host time of a layer's forward pass"),
    "moe_sync_s": Parameter(2e-3, "log", (("all", 0.7), ("software", 0.7)), "stop of a dropless MoE layer"),
    "traffic": Parameter(1.7, "log", (("all", 0.4), ("framework", 0.25), ("software", 0.04)), "element-wise traffic over minimum"),
    "softmax": Parameter(1.0, "log", (("all", 0.4),), "passes over materialised scores, over minimum"),
    "moe_traffic": Parameter(1.5, "log", (("all", 0.4), ("software", 0.4)), "permutation and routing traffic over minimum"),
    "scale_up": Parameter(0.78, "logit", (("all", 0.25),), "share of the scale-up bandwidth in large collectives"),
    "scale_out": Parameter(0.80, "logit", (("all", 0.3), ("architecture", 0.3)), "the same between domains"),
    "far_hop_s": Parameter(1e-5, "log", (("all", 0.5),), "latency of a network hop"),
    "tp_hidden": Parameter(0.50, "logit", (("all", 0.5), ("framework", 0.5)), "share of tensor-parallel traffic that overlaps"),
    "dp_hidden": Parameter(0.75, "logit", (("all", 0.5), ("framework", 0.6)), "the same of gradients and parameters"),
    "ep_hidden": Parameter(0.40, "logit", (("all", 0.8),), "the same of expert dispatch"),
    "step_host_s": Parameter(8e-3, "log", (("framework", 0.7),), "fixed time of a step: data, logging, clipping"),
    "jitter": Parameter(0.003, "log", (("all", 0.5), ("framework", 0.6)), "slow-down per doubling of nodes"),
}

HOP_S = 2e-6
"""Latency of a hop inside a scale-up domain: NCCL's tuning model, hardware latency NVLINK ring simple 3.4 us less protocol."""


@dataclass(frozen=True, slots=True)
class Setting:
    """Which keys of which levels hold for one job."""

    format: NumberFormat
    software: TrainingSoftware
    vintage: str
    keys: Mapping[str, str]
    centres: Mapping[str, float]
    """Prior centres that published figures give for this setting, instead of the general ones."""

    def centre(self, name: str) -> float:
        """Prior centre of a parameter."""
        return self.centres.get(name, PARAMETERS[name].centre)



def format_of(calibration: TrainingCalibration, precision: str) -> NumberFormat:
    """A number format by id or alias. Errors: UnknownIdError."""
    for row in calibration.formats:
        if precision in (row.id, *row.aliases):
            return row
    raise UnknownIdError(f"unknown precision {precision!r}; known: {', '.join(row.id for row in calibration.formats)}")


def software_of(calibration: TrainingCalibration, vintage: str, framework: str = "") -> TrainingSoftware:
    """The software whose aliases have the release, else the framework. Errors: UnknownIdError."""
    for name in (vintage, framework):
        for row in calibration.software:
            if name and name in (row.id, *row.aliases):
                return row
    known = ", ".join(row.id for row in calibration.software)
    raise UnknownIdError(f"unknown training software {vintage or framework!r}; known: {known}")


def setting_of(
    calibration: TrainingCalibration, accelerator: Accelerator, precision: str, vintage: str = "", framework: str = ""
) -> Setting:
    """The keys of every level for an accelerator, a precision and a software release (blank: the default)."""
    vintage = vintage or ("" if framework else calibration.default_software)
    software = software_of(calibration, vintage, framework)
    row = format_of(calibration, precision)
    low = row.peak != "bf16"
    chip = CHIP_OF.get(accelerator.id, accelerator.id)
    keys = {
        "all": "",
        "accelerator": chip,
        "architecture": accelerator.architecture,
        "peak": f"{chip}/{row.peak}" if low else "",
        "format": row.id if low else "",
        "attention": f"{accelerator.architecture}/{software.kernels}",
        "framework": software.family,
        "software": vintage,
    }
    return Setting(row, software, vintage, keys, _published_centres(calibration, accelerator, software, row.peak))


def _published_centres(
    calibration: TrainingCalibration, accelerator: Accelerator, software: TrainingSoftware, low_peak: str
) -> dict[str, float]:
    capped = 1.0
    if accelerator.tdp_w and accelerator.peak_power_w:
        capped = float(power_capped_frac(accelerator.tdp_w, accelerator.peak_power_w))
    centres = {
        name: capped * accelerator.achievable_frac(peak, PARAMETERS[name].centre)
        for name, peak in (("gemm16", "bf16"), ("gemm_low", low_peak))
    }
    for kernels in calibration.attention:
        share = kernels.peak_frac.get(accelerator.architecture)
        if kernels.id == software.kernels and share is not None:
            centres["attention"] = share / float(ramp_frac(ATTENTION_HEAD, HEAD_RAMP)) * capped
    return centres


ATTENTION_HEAD = 128.0
"""Width of a head at which attention's share of peak is published."""

CHIP_OF = {"a100-sxm-40gb": "a100-sxm-80gb"}
"""Parts that differ in memory only share what their multiprocessors sustain."""


def transform(scale: str, centre: float, offset: float) -> float:
    """A parameter's value from its prior centre and the sum of its offsets."""
    if scale == "log":
        return centre * math.exp(offset)
    return 1.0 / (1.0 + (1.0 - centre) / centre * math.exp(-offset))


def physics_of(calibration: TrainingCalibration, setting: Setting) -> Physics:
    """Every physical parameter at a setting."""
    offsets = calibration.offsets
    values = {
        name: transform(
            row.scale, setting.centre(name), sum(offsets.get((name, level, setting.keys[level]), 0.0) for level, _ in row.levels)
        )
        for name, row in PARAMETERS.items()
    }
    return assemble(values, 1.0 if setting.format.peak != "bf16" else 0.0)


def assemble(values: Mapping[str, object], low: object) -> Physics:
    """Physics from parameter values (numbers or arrays); `low` is 1 where products run below 16 bit."""
    v: dict[str, float] = values  # type: ignore[assignment]
    narrow: float = low  # type: ignore[assignment]
    return Physics(
        gemm_frac=narrow * v["gemm_low"] + (1.0 - narrow) * v["gemm16"], gemm16_frac=v["gemm16"],
        attention_frac=v["attention"], hbm_frac=v["hbm"], tail_frac=v["tail"], ramp_tokens=v["ramp_tokens"],
        misaligned_frac=v["misaligned"], kernel_s=v["kernel_s"], host_block_s=v["host_block_s"],
        moe_sync_s=v["moe_sync_s"], traffic=v["traffic"], softmax_traffic=v["softmax"], moe_traffic=v["moe_traffic"],
        scale_up_frac=v["scale_up"], scale_out_frac=v["scale_out"], hop_s=HOP_S, far_hop_s=v["far_hop_s"],
        tp_hidden_frac=v["tp_hidden"], dp_hidden_frac=v["dp_hidden"], ep_hidden_frac=v["ep_hidden"],
        step_host_s=v["step_host_s"], jitter_frac=v["jitter"],
    )


def recipe_of(setting: Setting) -> Recipe:
    """The software's facts as numbers."""
    software, row = setting.software, setting.format
    return Recipe(
        flash=float(software.flash), fused_sinks=float(software.fused_sinks),
        sequence_parallel=float(software.sequence_parallel), dropout=float(software.dropout),
        operand_bytes=row.operand_bytes, cast_bytes=row.cast_bytes,
        fused_accumulation=float(software.fused_accumulation), overlaps=float(software.overlaps),
        gradient_bytes=software.gradient_bytes, parameter_bytes=row.gather_bytes,
    )


def require(accelerator: Accelerator) -> None:
    """Errors: InputError where the catalogue lacks what a prediction needs of the accelerator."""
    needed = ("hbm_bytes_per_s", "hbm_bytes", "usable_hbm_bytes")
    lacking = [name for name in needed if getattr(accelerator, name) is None]
    if lacking:
        raise InputError(f"{accelerator.id}: the catalogue lacks {', '.join(lacking)}; add it in an overlay to plan with it")
