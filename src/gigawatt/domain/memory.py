"""How training software keeps memory: bytes per parameter, copies of its loss, waste of its allocator."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from gigawatt.domain.record import Sourced


class MemoryAccounting(Sourced):
    """One framework's accounting, apart from layout and model.

    Weights, gradients and optimizer are per parameter, the loss per logit.
    All but `slack_frac` are facts about the software; `slack_frac` is fitted on measured peaks where its
    basis is `measured`, and an estimate elsewhere.
    """

    weight_bytes: float = Field(gt=0)
    """A parameter as it stands on the accelerator and is split by ZeRO-3."""
    num_cached_operands: int = Field(default=0, ge=0)
    """Copies of each weight kept in the matrix operands' format where that is narrower than 16 bits."""
    gradient_bytes: float = Field(gt=0)
    optimizer_bytes: float = Field(gt=0)
    """All that the optimizer owns per parameter: master copy, moments, its own copy of the gradient."""
    gather_bytes: float = Field(gt=0)
    reduce_bytes: float = Field(gt=0)
    logit_bytes: float = Field(gt=0)
    """What the loss holds per logit at its peak."""
    selective: Literal["scores", "alternate-matmuls"] = "scores"
    """Selective recomputation drops the attention scores, or keeps every other matrix product."""
    bucket_bytes: float = Field(default=0.0, ge=0)
    context_bytes: float = Field(ge=0)
    """Outside of the allocator: kernels, NCCL, libraries."""
    reports_context: bool = True
    """Whether the peak that the framework reports includes `context_bytes`."""
    slack_frac: float = Field(ge=0)
