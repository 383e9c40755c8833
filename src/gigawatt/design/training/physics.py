"""The physical parameters of the cost model: which there are, where each may vary, what calibration says.

A parameter is a prior centre, changed by one offset per level: the calibration knows how one accelerator, one
number format or one software release differs from the centre. A level that it has not seen adds nothing, and
the prediction's interval says so. Offsets are of the logarithm, or of the logit for shares that may
approach 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from gigawatt.design.training.terms import Physics, Recipe
from gigawatt.domain.calibration import NumberFormat, PhysicalParameter, TrainingCalibration, TrainingSoftware
from gigawatt.domain.hardware import Accelerator
from gigawatt.errors import InputError, UnknownIdError
from gigawatt.laws.compute import power_capped_frac, ramp_frac
from gigawatt.laws.numbers import Number


@dataclass(frozen=True, slots=True)
class Setting:
    """Which keys of which levels hold for one job."""

    format: NumberFormat
    software: TrainingSoftware
    vintage: str
    keys: Mapping[str, str]
    parameters: tuple[PhysicalParameter, ...]
    library_age_s: float
    """From the day on which the architecture came out to the software's release; 0 where no day is known."""
    centres: Mapping[str, float]
    """Prior centre of every parameter: the general one, or what published figures give for this setting."""


def format_of(calibration: TrainingCalibration, precision: str) -> NumberFormat:
    """A number format by id or alias. Errors: UnknownIdError."""
    for row in calibration.formats:
        if precision in (row.id, *row.aliases):
            return row
    raise UnknownIdError(
        f"unknown precision {precision!r}; known: {', '.join(row.id for row in calibration.formats)}"
    )


def software_of(calibration: TrainingCalibration, vintage: str, framework: str = "") -> TrainingSoftware:
    """The software whose aliases have the release, else the framework. Errors: UnknownIdError."""
    for name in (vintage, framework):
        for row in calibration.software:
            if name and name in (row.id, *row.aliases, *row.releases):
                return row
    known = ", ".join(row.id for row in calibration.software)
    raise UnknownIdError(f"unknown training software {vintage or framework!r}; known: {known}")


def setting_of(
    calibration: TrainingCalibration,
    accelerator: Accelerator,
    precision: str,
    vintage: str = "",
    framework: str = "",
) -> Setting:
    """The keys of every level for an accelerator, a precision and a software release (blank: the default)."""
    vintage = vintage or ("" if framework else calibration.default_software)
    software = software_of(calibration, vintage, framework)
    row = format_of(calibration, precision)
    low = row.peak != "bf16"
    chip = accelerator.same_chip_as or accelerator.id
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
    centres = _centres(calibration, accelerator, software, row.peak)
    age_s = _library_age_s(calibration, accelerator, software.released(vintage))
    return Setting(row, software, vintage, keys, calibration.parameters, age_s, centres)


def _library_age_s(calibration: TrainingCalibration, accelerator: Accelerator, released: str) -> float:
    for row in calibration.architectures:
        if row.id == accelerator.architecture:
            return row.age_s(released)
    return 0.0


def _centres(
    calibration: TrainingCalibration, accelerator: Accelerator, software: TrainingSoftware, low_peak: str
) -> dict[str, float]:
    capped = 1.0
    if accelerator.tdp_w and accelerator.peak_power_w:
        capped = float(power_capped_frac(accelerator.tdp_w, accelerator.peak_power_w))
    centres = {row.id: row.centre for row in calibration.parameters}
    for name, peak in (("gemm16_frac", "bf16"), ("gemm_low_frac", low_peak)):
        centres[name] = capped * accelerator.achievable_frac(peak, centres[name])
    for kernels in calibration.attention:
        share = kernels.peak_frac.get(accelerator.architecture)
        if kernels.id == software.kernels and share is not None:
            centres["attention_frac"] = (
                capped * share / float(ramp_frac(kernels.head_dim, centres["head_ramp"]))
            )
    return centres


def transform(scale: str, centre: Number, offset: Number) -> Number:
    """A parameter's value from its prior centre and the sum of its offsets, numbers or arrays."""
    if scale == "log":
        return centre * np.exp(offset)
    return 1.0 / (1.0 + (1.0 - centre) / centre * np.exp(-offset))


def physics_of(calibration: TrainingCalibration, setting: Setting) -> Physics:
    """Every physical parameter at a setting."""
    offsets = calibration.offsets
    values = {
        row.id: transform(
            row.scale,
            setting.centres[row.id],
            sum(offsets.get((row.id, level, setting.keys[level]), 0.0) for level in row.levels),
        )
        for row in calibration.parameters
    }
    return assemble(values, 1.0 if setting.format.peak != "bf16" else 0.0)


def assemble(values: Mapping[str, Number], low: Number) -> Physics:
    """Physics from parameter values (numbers or arrays) by id; `low` is 1 where products run below 16 bit."""
    narrow = low * values["gemm_low_frac"] + (1.0 - low) * values["gemm16_frac"]
    return Physics(
        gemm_frac=narrow, **{name: values[name] for name in Physics._fields if name != "gemm_frac"}
    )


def _stops(setting: Setting) -> bool:
    """Whether layers of experts stop for the host: neither a graph of the whole step nor dropped tokens."""
    graphed = setting.keys["architecture"] in setting.software.graphed_architectures
    return not (setting.software.drops_tokens or (graphed and setting.format.peak != "bf16"))


def recipe_of(setting: Setting) -> Recipe:
    """The software's facts as numbers."""
    software, row = setting.software, setting.format
    return Recipe(
        flash=float(software.flash),
        blocking=float(software.blocking_launches),
        stops=float(_stops(setting)),
        library_age_s=setting.library_age_s,
        sequence_parallel=float(software.sequence_parallel),
        dropout=float(software.dropout),
        operand_bytes=row.operand_bytes,
        cast_bytes=row.cast_bytes,
        fused_accumulation=float(software.fused_accumulation),
        overlaps=float(software.overlaps),
        gradient_bytes=software.gradient_bytes,
        parameter_bytes=row.gather_bytes,
        broadcasts=float(software.broadcasts),
    )


def require(accelerator: Accelerator) -> None:
    """Errors: InputError where the catalogue lacks what a prediction needs of the accelerator."""
    needed = ("hbm_bytes_per_s", "hbm_bytes", "usable_hbm_bytes")
    lacking = [name for name in needed if getattr(accelerator, name) is None]
    if lacking:
        raise InputError(f"{accelerator.id}: the catalogue lacks {', '.join(lacking)}; an overlay can add it")
