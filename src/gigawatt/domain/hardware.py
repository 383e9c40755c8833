"""Accelerators and the systems (node or rack kinds) they come in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from gigawatt.domain.record import Record, Sourced

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
    peak_power_w: float | None = Field(default=None, gt=0)
    """The power at which `peak_flop_per_s` is quoted, where this part is capped below it."""
    achievable_flop_per_s: dict[str, float] = Field(default={})
    """Best measured matrix rate by number format, where one is published."""
    same_chip_as: str = ""
    """Id of a part that differs in memory only: what runs teach of the one holds for the other."""

    def achievable_frac(self, number_format: str, default_frac: float) -> float:
        """Best measured share of the peak in large products; `default_frac` where none is published."""
        best, peak = self.achievable_flop_per_s.get(number_format), self.peak_flop_per_s.get(number_format)
        return best / peak if best and peak else default_frac

    def contradictions(self) -> Iterator[str]:
        """What in this row cannot be true, in words.

        A format that is not twice as fast as the next wider one has to be named in the note of its rates.
        """
        if self.hbm_bytes and self.usable_hbm_bytes and self.usable_hbm_bytes > self.hbm_bytes:
            yield f"usable_hbm_bytes: {self.usable_hbm_bytes:.4g} is more than nominal {self.hbm_bytes:.4g}"
        for number_format, rate in self.achievable_flop_per_s.items():
            if rate > self.peak_flop_per_s.get(number_format, 0.0):
                yield f"achievable_flop_per_s: {number_format} is above its peak"
        said = self.provenance_of("peak_flop_per_s").note
        for faster, slower in (("fp8", "bf16"), ("bf16", "tf32")):
            ratio = self._ratio(faster, slower)
            if ratio and abs(ratio - 2) > 2 * _TOLERANCE_FRAC and faster not in said:
                yield f"peak_flop_per_s: {faster} is {ratio:.2f} times {slower}, not 2: say why in its note"

    def _ratio(self, faster: str, slower: str) -> float | None:
        rates = self.peak_flop_per_s
        return rates[faster] / rates[slower] if faster in rates and slower in rates else None


class RackPart(Record):
    """Parts of one kind in the rack that a maker specifies, one upon the other."""

    name: str
    quantity: int = Field(gt=0)
    rack_units: int = Field(gt=0)
    """Of one."""
    lowest_unit: int = Field(gt=0)
    """Where the first of them begins; 1 is the lowest unit of the rack."""


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
    """Whole node at full load, accelerators included; of a rack, with its share of the rack's switches."""
    num_accelerators_per_rack: int | None = Field(default=None, gt=0)
    """Of the rack that the maker specifies, where one does."""
    rack_power_w: float | None = Field(default=None, gt=0)
    """That rack at full load, its scale-up switches included."""
    in_network_reduction: bool = False
    """Whether the scale-up switches reduce (NVLS)."""
    node_rack_units: int | None = Field(default=None, gt=0)
    node_weight_kg: float | None = Field(default=None, gt=0)
    liquid_frac: float | None = Field(default=None, ge=0, le=1)
    """Share of the heat at full load that a coolant loop carries off; the rest goes to the air."""
    rack_weight_kg: float | None = Field(default=None, gt=0)
    """Of the maker's rack, full and with coolant."""
    rack_parts: tuple[RackPart, ...] = ()
    """Of the maker's rack, where it is no mere stack of nodes."""

    def contradictions(self, accelerator: Accelerator) -> Iterator[str]:
        """What in this row cannot be true of a system with these accelerators, in words."""
        if self.num_accelerators_per_domain % self.num_accelerators_per_node:
            yield "num_accelerators_per_domain: a scale-up domain is a whole number of nodes"
        fast, slow = self.scale_up_bytes_per_s, self.scale_out_bytes_per_s
        if fast and slow and slow > fast:
            yield "scale_out_bytes_per_s: faster than the network within the scale-up domain"
        if self.node_power_w and accelerator.tdp_w:
            accelerators_w = self.num_accelerators_per_node * accelerator.tdp_w
            if self.node_power_w < accelerators_w:
                yield f"node_power_w: less than its accelerators alone at {accelerators_w:.4g} W"
