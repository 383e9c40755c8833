"""Networks as parts and as designs: what the catalogue sells, and what a cluster is wired with.

A fabric is recorded by its rules and its totals, not cable by cable: `gigawatt.design.fabric.graph` lays out
every device, port and cable of a `FabricDesign` again, always the same. Bandwidths are one direction.
"""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict, Field

from gigawatt.domain.record import Basis, Record, Sourced
from gigawatt.domain.training import Binding

Technology = Literal["infiniband", "ethernet", "nvlink", "xgmi", "ici"]
Topology = Literal["fat-tree", "rail-optimised", "dragonfly"]
Role = Literal["node", "leaf", "spine", "core"]
"""The tiers of a fabric from the accelerators upwards; a node stands for all of its network ports."""
Medium = Literal["copper", "active-copper", "active-optical", "multimode", "singlemode"]
NetworkName = Literal["compute", "scale-up", "storage", "management", "out-of-band"]


class Switch(Sourced):
    """A network switch: how many ports of which speed, and what it takes to run."""

    vendor: str
    technology: Technology
    num_ports: int = Field(gt=0)
    port_bytes_per_s: float = Field(gt=0)
    port_splits: tuple[int, ...] = (1,)
    """Into how many slower ports one port can be broken out."""
    forwarding_s: float | None = Field(default=None, gt=0)
    """From port to port, without queues."""
    power_w: float | None = Field(default=None, gt=0)
    """At full load with passive cables; transceivers come on top."""
    price_usd: float | None = Field(default=None, gt=0)
    rack_units: int | None = Field(default=None, gt=0)
    weight_kg: float | None = Field(default=None, gt=0)
    in_network_reduction: bool = False
    """Whether it reduces what passes through it (SHARP, NVLS)."""


class Link(Sourced):
    """A kind of cable with what is plugged in at its ends, by speed and reach."""

    medium: Medium
    bytes_per_s: float = Field(gt=0)
    """Of one network link; a twin-port transceiver carries `links_per_end` of them."""
    links_per_end: int = Field(default=1, gt=0)
    reach_m: float = Field(gt=0)
    end_power_w: float = Field(ge=0)
    """Of one transceiver or connector, one end."""
    cable_usd: float = Field(ge=0)
    """Of the cable, or of the assembly where its ends are fixed to it."""
    cable_usd_per_m: float = Field(default=0.0, ge=0)
    end_usd: float = Field(ge=0)
    """Of one transceiver; nothing where the ends are fixed to the cable."""


class FabricKind(Sourced):
    """How a network is laid out: which switches, in what units, how much bandwidth is kept at each tier."""

    technology: Technology
    topology: Topology
    leaf_switch: str
    spine_switch: str = ""
    core_switch: str = ""
    port_bytes_per_s: float = Field(gt=0)
    """Of one network port of an accelerator."""
    ports_per_accelerator: int = Field(default=1, gt=0)
    num_planes: int = Field(default=1, gt=0)
    """Separate networks that an accelerator's ports are spread over."""
    nodes_per_unit: int = Field(gt=0)
    """Nodes of a scalable unit."""
    leaf_oversubscription: float = Field(default=1.0, gt=0)
    """Bandwidth down over bandwidth up, of a leaf."""
    spine_oversubscription: float = Field(default=1.0, gt=0)


class SwitchTier(Record):
    """The switches of one tier of a network, all planes and pods together."""

    role: Role
    switch: str
    """Id in the catalogue."""
    num_switches: int
    num_ports: int
    """Of one switch, at the speed that this tier uses them."""
    num_down_ports: int
    """Used, of the busiest switch."""
    num_up_ports: int


class CableGroup(Record):
    """All cables between two tiers."""

    lower: Role
    upper: Role
    num_cables: int
    bytes_per_s: float
    """Of one cable."""
    mean_m: float = 0.0
    longest_m: float = 0.0
    num_by_link: dict[str, int] = Field(default={})
    """Cables by kind of link, chosen by length."""


class Network(Record):
    """One of a cluster's networks."""

    name: NetworkName
    technology: Technology
    topology: Topology
    tiers: tuple[SwitchTier, ...]
    cables: tuple[CableGroup, ...]
    num_planes: int = 1
    num_pods: int = 1
    num_accelerators_per_pod: int = 0
    """Within which no tier is oversubscribed; 0: the whole network is one pod."""
    oversubscription: float = 1.0
    """Bandwidth into the pods' top tier over bandwidth out of it."""
    bisection_bytes_per_s: float = 0.0
    """Between the two halves of the accelerators, one direction."""

    def tier(self, role: Role) -> SwitchTier | None:
        """The tier of that role, if the network has one."""
        return next((tier for tier in self.tiers if tier.role == role), None)


class BillLine(Record):
    """A line of the bill of materials."""

    part: str
    """Id in the catalogue."""
    name: str
    category: str
    """switch, cable, transceiver, node, rack, transformer, ..."""
    network: str = ""
    quantity: float
    unit: str = "each"
    power_w: float | None = None
    """Of one."""
    price_usd: float | None = None
    """Of one; None where no price is known, which is not nothing."""
    basis: Basis = "estimate"
    source: str = ""


class FailureEffect(Record):
    """What one failure leaves, for all devices that fail alike."""

    failing: str
    """A link, switch or plane, or a breaker, UPS, pump, ..., by its class."""
    num_alike: int
    """How many there are whose failure does the same."""
    bandwidth_left_frac: float | None = None
    """Worst accelerator's share of its network bandwidth that is left."""
    num_accelerators_cut_off: int = 0
    num_accelerators_slowed: int = 0
    slowdown: dict[str, float] = Field(default={})
    """Time of each collective over its time before, by name."""
    power_left_w: float | None = None
    note: str = ""


class FabricDesign(Record):
    """The artefact of `gigawatt design fabric`: every network of a cluster, its bill, and how it fails."""

    model_config = ConfigDict(populate_by_name=True)

    schema_id: Literal["gigawatt.fabric/1"] = Field(default="gigawatt.fabric/1", alias="schema")
    fabric: str
    """Id of the kind of fabric."""
    system: str
    num_accelerators: int
    num_nodes: int
    num_units: int = 1
    """Scalable units that the nodes are bought and cabled in."""
    networks: tuple[Network, ...]
    bill: tuple[BillLine, ...] = ()
    power_w: float = 0.0
    """Switches and transceivers of all networks."""
    price_usd: float | None = None
    price_year: int | None = None
    failures: tuple[FailureEffect, ...] = ()
    notes: tuple[str, ...] = ()
    binding: tuple[Binding, ...] = ()

    @property
    def compute(self) -> Network:
        """The network that carries collectives between scale-up domains."""
        return next(network for network in self.networks if network.name == "compute")
