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
SCALE_UP: tuple[Technology, ...] = ("nvlink", "xgmi", "ici")
"""Technologies that join the accelerators of a scale-up domain."""
Topology = Literal["fat-tree", "rail-optimised", "dragonfly", "single-tier", "mesh", "torus"]
"""Single-tier: units that no tier above joins (a scale-up domain); a mesh or torus has no switches."""
Balance = Literal["equal-links", "power-of-two"]
"""How many switches stand above: as few as give every switch below equally many links to each of them, or
also a power of two of them, over which links may differ by one."""
Routing = Literal["hashed", "adaptive", "static"]
"""How flows find their way among equal ones: each hashed onto one; packets by load; or set beforehand."""
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
    """With passive cables; transceivers come on top."""
    price_usd: float | None = Field(default=None, gt=0)
    rack_units: int | None = Field(default=None, gt=0)
    weight_kg: float | None = Field(default=None, gt=0)
    in_network_reduction: bool = False
    """Whether it reduces what passes through it (SHARP, NVLS)."""


class Link(Sourced):
    """A kind of cable with what is plugged in at its ends, by speed and reach."""

    technologies: tuple[Technology, ...] = ("infiniband", "ethernet")
    """Of the networks that it serves."""
    medium: Medium
    bytes_per_s: float = Field(gt=0)
    """Of one network link; a twin-port transceiver carries `links_per_end` of them."""
    links_per_end: int = Field(default=1, gt=0)
    reach_m: float = Field(gt=0)
    end_power_w: float | None = Field(default=None, ge=0)
    """Of one transceiver or connector, one end."""
    cable_usd: float | None = Field(default=None, ge=0)
    """Of the cable, or of the assembly where its ends are fixed to it."""
    cable_usd_per_m: float = Field(default=0.0, ge=0)
    end_usd: float | None = Field(default=None, ge=0)
    """Of one transceiver; nothing where the ends are fixed to the cable."""


class FabricKind(Sourced):
    """How a network is laid out: which switches, in what units, how much bandwidth is kept at each tier."""

    technology: Technology
    topology: Topology
    systems: tuple[str, ...] = ()
    """Systems that are usually built with it."""
    leaf_switch: str = ""
    spine_switch: str = ""
    core_switch: str = ""
    port_bytes_per_s: float = Field(gt=0)
    """Of one network port of an accelerator."""
    ports_per_accelerator: int = Field(default=1, gt=0)
    ports_per_node: int | None = Field(default=None, gt=0)
    """Where ports belong to a node as a whole: storage, management. Otherwise those of its accelerators."""
    num_planes: int = Field(default=1, gt=0)
    """Separate networks that an accelerator's ports are spread over."""
    links_per_cable: int = Field(default=1, gt=0)
    """Of the cables to the nodes: a twin-port cable carries a link of each of two planes."""
    nodes_per_unit: int = Field(default=0, ge=0)
    """Nodes of a scalable unit, which is cabled whole; 0: as many as one leaf takes."""
    units_per_pod: int = Field(default=0, ge=0)
    """Units below one set of spines; 0: as many as the spines' ports reach."""
    leaf_oversubscription: float = Field(default=1.0, gt=0)
    """Bandwidth down over bandwidth up, of a leaf."""
    spine_oversubscription: float = Field(default=1.0, gt=0)
    """Bandwidth of a pod's nodes over bandwidth out of the pod."""
    balance: Balance = "equal-links"
    routing: Routing | None = None
    """None where flows have no choice, or it is not known."""
    qps_per_connection: int = Field(default=1, gt=0)
    """Queue pairs that the collectives' library splits a connection over; each is hashed on its own."""
    manager_links: int = Field(default=0, ge=0)
    """To the fabric manager's appliance, which takes the leaf ports of a node that a unit lacks."""
    inside_node: bool = False
    """Whether its switches and wires are part of the node, and bought with it."""
    other_nodes_frac: float = Field(default=0.0, ge=0, le=4)
    """Further machines on it (storage, control), as a share of the nodes."""
    manages_switches: bool = False
    """Whether every switch of the other networks has a port on it."""
    other_networks: dict[str, str] = Field(default={})
    """Ids of the kinds of a cluster's storage, management and out-of-band networks, by the network's name."""
    cable_allowance_m: float = Field(default=0.0, ge=0)
    """Length that a cable needs besides the way from rack to rack: up, down and slack."""


class SwitchTier(Record):
    """The switches of one tier of a network, all planes and pods together."""

    role: Role
    switch: str
    """Id in the catalogue."""
    num_switches: int
    num_ports: int
    """Of one switch, at its uplinks' speed."""
    num_down_ports: int
    """Used, of the busiest switch; of a leaf at the speed of the nodes' ports."""
    num_up_ports: int
    down_links_per_port: int = 1
    """Links that one port is broken out into, downwards."""
    bytes_per_s: float = 0.0
    """Of one of `num_ports`."""


class CableGroup(Record):
    """All cables between two tiers."""

    lower: Role
    upper: Role
    """The same as `lower` between switches of a dragonfly, and between nodes of a mesh or torus."""
    num_cables: int
    bytes_per_s: float
    """Of one cable."""
    links_per_cable: int = 1
    mean_m: float = 0.0
    longest_m: float = 0.0
    num_by_link: dict[str, int] = Field(default={})
    """Cables by kind of link, chosen by length."""
    metres_by_link: dict[str, float] = Field(default={})
    """Their length together."""


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
    num_nodes: int = 0
    """Machines on it, storage and control nodes included."""
    links_per_node: int = 0
    num_rails: int = 1
    """Groups of leaves of a unit, one for each accelerator of a node where rails are kept apart."""
    nodes_per_unit: int = 0
    num_units: int = 1
    units_per_pod: int = 0
    leaves_per_rail: int = 1
    """Of one unit, one rail and one plane."""
    spines_per_core_group: int = 1
    """Spines of a pod that share their cores; those at the same place in all pods always do."""
    manager_links: int = 0
    inside_node: bool = False
    routing: Routing | None = None
    qps_per_connection: int = 1

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
    """Worst accelerator's share of network bandwidth left, its traffic spread over its node's ports."""
    fabric_left_frac: float | None = None
    """Share of what all accelerators together could send at once that is left."""
    own_ports_left_frac: float | None = None
    """Worst accelerator's share of its own ports that is left, where its traffic may use no others."""
    num_accelerators_cut_off: int = 0
    num_accelerators_slowed: int = 0
    slowdown: dict[str, float] = Field(default={})
    """Time of each collective over its time before, by name; empty where it does not end."""
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
    nodes_per_domain: int = 1
    """Nodes joined by a scale-up network: they share their ports, and reach each other without the fabric."""
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
