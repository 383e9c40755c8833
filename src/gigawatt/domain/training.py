"""Training: how it is laid out over accelerators, and what a layout is predicted to do."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from gigawatt.domain.record import Record

Recompute = Literal["none", "selective", "full"]
Schedule = Literal["1f1b", "interleaved", "zero-bubble"]


class Layout(Record):
    """One way to spread a training run over accelerators.

    `dp` counts all data-parallel replicas (tp * pp * cp * dp = accelerators). Experts are spread over
    `ep` ranks taken from dp * cp * tp, each expert cut `etp` ways. `dp_shard` is the number of replicas
    over which ZeRO shards (0: all of them; less than dp is HSDP).
    """

    tp: int = Field(default=1, gt=0)
    pp: int = Field(default=1, gt=0)
    vpp: int = Field(default=1, gt=0)
    cp: int = Field(default=1, gt=0)
    ep: int = Field(default=1, gt=0)
    etp: int = Field(default=1, gt=0)
    dp: int = Field(default=1, gt=0)
    micro_batch: int = Field(default=1, gt=0)
    zero: int = Field(default=1, ge=0, le=3)
    recompute: Recompute = "none"
    schedule: Schedule = "1f1b"
    dp_shard: int = Field(default=0, ge=0)

    @property
    def num_accelerators(self) -> int:
        """tp * pp * cp * dp."""
        return self.tp * self.pp * self.cp * self.dp


class TrainingJob(Record):
    """What is trained, apart from where: the batch, the sequence, the number format."""

    seq_len: int = Field(gt=0)
    global_batch: int = Field(gt=0)
    """Sequences per optimizer step."""
    precision: str = "bf16"
    software: str = ""
    """A software vintage of the calibration; blank takes the newest."""


class TimePart(Record):
    """A share of the step: `key` is stable for scripts, `label` is for people."""

    key: str
    label: str
    time_s: float
    law: str
    """Dotted name of the law behind it, such as `laws.compute.gemm_s`."""


class StageMemory(Record):
    """Bytes on one accelerator of one pipeline stage."""

    stage: int
    weights_bytes: float
    gradients_bytes: float
    optimizer_bytes: float
    activations_bytes: float
    logits_bytes: float
    buffers_bytes: float
    slack_bytes: float

    @property
    def total_bytes(self) -> float:
        """All parts together: the predicted peak."""
        return (
            self.weights_bytes
            + self.gradients_bytes
            + self.optimizer_bytes
            + self.activations_bytes
            + self.logits_bytes
            + self.buffers_bytes
            + self.slack_bytes
        )


class TrainingPrediction(Record):
    """What one layout is predicted to do."""

    layout: Layout
    step_s: float
    low_step_s: float
    high_step_s: float
    """10 % and 90 % points of the prediction."""
    parts: tuple[TimePart, ...]
    """Where the step goes; sums to step_s."""
    memory: tuple[StageMemory, ...]
    memory_bytes: float
    """The fullest stage."""
    capacity_bytes: float
    fits: bool
    mfu_frac: float
    """Model FLOPs (causal attention counted once, no recompute) over dense peak at the job's precision."""
    hfu_frac: float
    """The same with recomputed FLOPs counted."""
    tokens_per_s: float
    basis: str
    """How well the calibration knows this accelerator, precision and software."""


class Binding(Record):
    """A constraint that keeps a request from working, and by how much."""

    constraint: str
    message: str
    num_layouts: int = 0


class Sensitivity(Record):
    """Step time when one input changes by the stated factor."""

    input: str
    factor: float
    step_s: float


class TrainingDesign(Record):
    """The answer to "how should this model be laid out here": the best layouts and the proof."""

    model: str
    system: str
    num_accelerators: int
    job: TrainingJob
    layouts_evaluated: int
    layouts_legal: int
    layouts_fitting: int
    proven_optimal: bool
    best: tuple[TrainingPrediction, ...]
    asked: TrainingPrediction | None = None
    """The user's own layout, where one was given."""
    reasons: tuple[str, ...] = ()
    """Why each runner-up loses against the winner, in order of `best[1:]`."""
    binding: tuple[Binding, ...] = ()
    nearest: TrainingPrediction | None = None
    sensitivity: tuple[Sensitivity, ...] = ()
