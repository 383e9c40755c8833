"""What measured training runs have taught: formats and software as facts, physics as fitted parameters."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Literal

from pydantic import Field

from gigawatt.domain.memory import MemoryAccounting
from gigawatt.domain.record import Basis, Record, Sourced
from gigawatt.domain.training import Schedule
from gigawatt.units import parse_quantity

MONTH = r"^\d{4}-\d{2}$"
MONTH_S = parse_quantity("1 month", "_s")


class NumberFormat(Sourced):
    """A recipe of number formats for a layer's matrix products."""

    peak: str
    """Key of the accelerator's `peak_flop_per_s` at which the products run."""
    operand_bytes: float = Field(gt=0)
    cast_bytes: float = Field(ge=0)
    """Memory traffic of quantising one element in both orientations."""
    gather_bytes: float = Field(default=2.0, gt=0)
    """A parameter as it is gathered where software can gather it in this format."""


class TrainingSoftware(Sourced):
    """What a framework does, as far as a step's time depends on it."""

    family: str
    """The framework with all of its releases: the unit that cross-validation leaves out."""
    kernels: str
    """Id of the attention kernels that it runs; a level of the calibration."""
    flash: bool = True
    """Attention never materialises its scores."""
    releases: dict[str, Annotated[str, Field(pattern=MONTH)]] = Field(default={})
    """Year and month of its releases, by name."""
    blocking_launches: bool = False
    """Every launch waits for its kernel (CUDA_LAUNCH_BLOCKING): the host's time adds to the device's."""
    graphed_architectures: tuple[str, ...] = ()
    """Where a whole step below 16 bit is one CUDA graph, experts included: no layer stops for the host."""
    drops_tokens: bool = False
    """Experts take a fixed number of tokens, so that their layers need not ask how many there are."""
    sequence_parallel: bool = True
    dropout: bool = False
    fused_accumulation: bool = True
    """Weight gradients are added up by the matrix product itself."""
    overlaps: bool = True
    """Communication of gradients and tensor-parallel activations may run beside computation."""
    broadcasts: bool = False
    """With ZeRO 1 or 2 each rank broadcasts the parameters that it has updated, instead of one gathering."""
    gradient_bytes: float = Field(gt=0)
    schedules: tuple[Schedule, ...] = ("1f1b", "interleaved")
    """Pipeline schedules that it runs; a search keeps to them."""
    zero_stages: tuple[int, ...] = (0, 1, 2, 3)
    """ZeRO stages that it runs; a search keeps to them."""
    blank_recompute: Literal["none", "selective", "full", "lightest-that-fits"] = "none"
    """What a measured row that does not say is taken to have recomputed."""
    blank_scale_out_bytes_per_s: float | None = Field(default=None, gt=0)
    """The network of a measured row that does not say; else the system's own."""
    replaces: bool = False
    """Whether a release's own entry stands for the framework's."""

    def released(self, vintage: str) -> str:
        """Year and month of a release; the newest where it is not listed, the entry's own without a list."""
        return self.releases.get(vintage) or max(self.releases.values(), default=self.date)


class Architecture(Sourced):
    """When a generation of accelerators came out: software younger than that knows it less well."""

    available: str = Field(pattern=MONTH)
    """Year and month in which the first systems of it shipped."""
    narrowest: str
    """Number format of a measured row that states none: the narrowest with a published training recipe."""

    def age_s(self, released: str) -> float:
        """From then to the month of a release; 0 where that was before."""
        return MONTH_S * max(_months(released) - _months(self.available), 0)


def _months(text: str) -> int:
    """Months since the year 0 of "2025-09"; a year alone is its middle."""
    year, _, month = text.partition("-")
    return 12 * int(year) + int(month[:2] or 7)


class PhysicalParameter(Sourced):
    """One quantity of the cost model that measurements calibrate: where it starts, where it may differ."""

    centre: float = Field(gt=0)
    """Prior centre, in the unit that the id says."""
    scale: Literal["log", "logit"]
    """Offsets change the logarithm, or the logit of a share that may approach 1."""
    levels: dict[str, float] = Field(default={})
    """Prior standard deviation of the offset that each level may add; none: the centre is not fitted."""


class AttentionKernels(Sourced):
    """How fast one library's fused attention runs: the prior of the fitted share."""

    head_dim: int = Field(gt=0)
    """Width of a head at which the shares are published."""
    peak_frac: dict[str, float]
    """Share of the 16-bit peak in causal forward attention, by accelerator architecture."""


class RowRules(Sourced):
    """How files of measured runs are read."""

    gpt_vocab: int = Field(gt=0)
    """Vocabulary of GPT models whose row does not say."""
    inexpressible: dict[str, str]
    """By a pattern of their model's name: rows of which the laws miss something, and what."""


class FittedParameter(Record):
    """An offset of one physical parameter at one level: `value` in prior deviations, `centre` natural."""

    name: str
    level: str
    key: str
    offset: float
    sd_frac: float = Field(gt=0)
    """Prior standard deviation, as a change of the parameter's logarithm (or logit)."""
    num_rows: int = Field(ge=0)
    open_frac: float = Field(default=1.0, gt=0, le=1)
    """Share of the prior deviation that the fit leaves open: what further runs may still move it by."""


class Spread(Record):
    """Measured over predicted in cross-validation: 10 % and 90 % points, by how much is known."""

    scope: Literal["software", "accelerator", "neither"]
    moe: bool
    low_frac: float = Field(gt=0)
    high_frac: float = Field(gt=0)
    num_rows: int = Field(ge=0)


class TrainingFit(Record):
    """The fitted part of a calibration: a file of its own, written by `gigawatt calibrate training`."""

    source: str
    basis: Basis
    date: str
    note: str = ""
    default_software: str = ""
    """The release that a job is planned with where it names none."""
    parameters: tuple[FittedParameter, ...] = ()
    spreads: tuple[Spread, ...] = ()


class TrainingCalibration(Record):
    """Everything a training prediction needs besides model, system and layout."""

    formats: tuple[NumberFormat, ...]
    software: tuple[TrainingSoftware, ...]
    parameters: tuple[PhysicalParameter, ...]
    attention: tuple[AttentionKernels, ...]
    architectures: tuple[Architecture, ...]
    rows: RowRules
    accounting: tuple[MemoryAccounting, ...]
    fit: TrainingFit
    default_software: str
    """The vintage that a job without one is planned with."""

    @cached_property
    def offsets(self) -> dict[tuple[str, str, str], float]:
        """Change of each parameter's logarithm (or logit), by name, level and key."""
        return {(p.name, p.level, p.key): p.offset * p.sd_frac for p in self.fit.parameters}

    @cached_property
    def seen(self) -> frozenset[tuple[str, str]]:
        """Levels and keys that at least one measured run was of."""
        return frozenset((p.level, p.key) for p in self.fit.parameters if p.num_rows > 0)
