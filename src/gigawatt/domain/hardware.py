"""Accelerators and the systems (node or rack kinds) they come in."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from gigawatt.domain.record import Sourced

Precision = Literal["fp32", "tf32", "bf16", "fp16", "fp8", "mxfp8", "nvfp4", "mxfp4"]
NumberFormat = Literal["fp32", "tf32", "bf16", "fp16", "fp8", "fp4"]
"""What matrix hardware multiplies; keys of the rate tables."""
Status = Literal["available", "announced"]
"""An announced part has pre-release figures and is not planned with."""

_TOLERANCE_FRAC = 0.1


class Accelerator(Sourced):
    """One device as the framework sees it (a GPU, a TPU chip). Rates are dense, one direction."""

    vendor: str
    architecture: str
    status: Status = "available"
    peak_flop_per_s: dict[str, float]
    """Dense matrix rate by number format: keys `bf16`, `fp8`, `fp4`, optionally `tf32`, `fp32`."""
    hbm_bytes: float | None = Field(default=None, gt=0)
    usable_hbm_bytes: float | None = Field(default=None, gt=0)
    """What a framework can allocate: nominal less what driver and ECC take."""
    hbm_bytes_per_s: float | None = Field(default=None, gt=0)
    num_sms: int | None = Field(default=None, gt=0)
    """Multiprocessors (or cores) that a matrix product's tiles are spread over."""
    tdp_w: float | None = Field(default=None, gt=0)
    achievable_flop_per_s: dict[str, float] = {}
    """Best measured matrix rate by number format, where one is published."""


class System(Sourced):
    """A node or rack kind: what is bought or rented as a unit, and how its accelerators are joined."""

    accelerator: str
    status: Status = "available"
    num_accelerators_per_node: int = Field(gt=0)
    num_accelerators_per_domain: int = Field(gt=0)
    """Accelerators in one scale-up (NVLink, XGMI, ICI) domain."""
    scale_up_bytes_per_s: float | None = Field(default=None, gt=0)
    """Per accelerator, one direction, within the scale-up domain."""
    scale_out_bytes_per_s: float | None = Field(default=None, gt=0)
    """Per accelerator, one direction, the network between domains."""
    scale_out: str = ""
    """The network's kind: infiniband, ethernet-roce, efa, ici, ..."""
    node_power_w: float | None = Field(default=None, gt=0)
    """Whole node at full training load, accelerators included."""
    in_network_reduction: bool = False
    """Whether the scale-up switches reduce (NVLS)."""
