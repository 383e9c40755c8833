"""What moves collectives, as data: transports, protocols, and the quantities that measurements calibrate."""

from __future__ import annotations

from functools import cached_property
from typing import Literal

from pydantic import Field

from gigawatt.domain.calibration import FittedParameter, PhysicalParameter
from gigawatt.domain.record import Basis, Record, Sourced


class ScaleUp(Sourced):
    """The links within a scale-up domain, as a class: what is learnt of one system holds for all of it."""

    group: str
    """Key under which its parameters are fitted; links of one generation share it."""
    accelerators: tuple[str, ...] = ()
    """Words by which a measurement's accelerator is recognised; the longest that fits counts."""
    systems: tuple[str, ...] = ()
    """Ids of the catalogue's systems that have it."""
    bytes_per_s: float = Field(gt=0)
    """Per accelerator, one direction."""
    num_accelerators_per_domain: int = Field(gt=0)
    in_network_reduction: bool = False
    mesh: bool = False
    """A link to each other accelerator instead of a switch: a smaller group has fewer links to use."""
    torus_axes: int = Field(default=0, ge=0, le=3)
    """Axes of a torus, with a link to either neighbour along each; 0: it is none."""
    torus_ring_multiple: int = Field(default=1, gt=0)
    """A block of the torus is closed along an axis whose extent is a multiple of this, else open."""
    most_network_ports: int | None = Field(default=None, gt=0)
    """Ports that a domain's rings and trees leave by at most, however many it has; None: all of them."""


class ScaleOut(Sourced):
    """A network between scale-up domains, with the library that drives it, as a class."""

    family: str
    words: tuple[str, ...] = ()
    """Words by which a measurement's network is recognised; the longest that fits counts."""
    networks: tuple[str, ...] = ()
    """Values of a system's `scale_out` that it stands for."""
    hop_s: float = Field(ge=0)
    """What it adds to each step of NCCL's plan between domains, as its library states."""
    protocols: tuple[str, ...] = ("LL", "LL128", "Simple")
    in_network_reduction: bool = False
    node_bytes_per_s: dict[str, float] = Field(default={})
    """Rate of a node's ports together, of machines that measurements name without it."""


class Protocol(Sourced):
    """The constants by which NCCL plans one algorithm with one protocol."""

    algorithm: str
    protocol: str
    base_s: float = Field(ge=0)
    near_step_s: float = Field(ge=0)
    far_step_s: float = Field(ge=0)
    wire_frac: float = Field(gt=0, le=1)
    """Share of the links' rate that the protocol leaves for data."""
    most_far_bytes_per_s: float | None = Field(default=None, gt=0)
    """Bus bandwidth that it does not exceed between domains."""


class ExchangeKind(Sourced):
    """What a dispatch or combine of a mixture of experts moves where a measurement does not say."""

    num_tokens: int = Field(gt=0)
    """Per rank."""
    hidden: int = Field(gt=0)
    top_k: int = Field(gt=0)
    dispatch_bytes: float = Field(gt=0)
    """Per element."""
    combine_bytes: float = Field(gt=0)
    token_once_per_domain: bool
    """Whether a token crosses the network once to each domain instead of once to each of its experts."""
    latency_s: float = Field(ge=0)


class Harness(Sourced):
    """How a published series was run, where its table does not say: a fact about the run, not a parameter."""

    words: tuple[str, ...]
    """Words of a measurement's source by which it is recognised."""
    one_process: bool = False
    """One process launches on all accelerators of a node, one after the other."""


class CollectiveSpread(Record):
    """Measured over predicted in cross-validation: 10 % and 90 % points, by size and by how much is known."""

    kind: str
    """"small", "middle", "large" or "exchange"."""
    known: bool
    """Whether the transports were among those of the fit."""
    low_frac: float = Field(gt=0)
    high_frac: float = Field(gt=0)
    num_rows: int = Field(ge=0)


class CollectiveFit(Record):
    """The fitted part of a calibration: a file of its own."""

    subject: Literal["collectives"] = "collectives"
    source: str
    basis: Basis
    date: str
    note: str = ""
    collectives: tuple[str, ...] = ()
    """Those that were measured; of others, laws and transports alone are known."""
    most_ranks: int = 0
    """Of the largest group that was measured."""
    parameters: tuple[FittedParameter, ...] = ()
    spreads: tuple[CollectiveSpread, ...] = ()


class CollectiveCalibration(Record):
    """Everything a prediction of a collective needs besides the cluster."""

    scale_up: tuple[ScaleUp, ...]
    scale_out: tuple[ScaleOut, ...]
    protocols: tuple[Protocol, ...]
    exchanges: tuple[ExchangeKind, ...]
    harnesses: tuple[Harness, ...]
    parameters: tuple[PhysicalParameter, ...]
    fit: CollectiveFit

    @cached_property
    def offsets(self) -> dict[tuple[str, str, str], float]:
        """Change of each parameter's logarithm, by name, level and key."""
        return {(p.name, p.level, p.key): p.offset * p.sd_frac for p in self.fit.parameters}

    @cached_property
    def seen(self) -> frozenset[tuple[str, str]]:
        """Levels and keys that at least one measurement was of."""
        return frozenset((p.level, p.key) for p in self.fit.parameters if p.num_rows > 0)
