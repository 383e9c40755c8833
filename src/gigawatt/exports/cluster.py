"""What the exporters of a whole cluster start from: its designs, the parts they name, where things stand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np

from gigawatt.design.fabric import FabricGraph, FabricParts, fabric_graph
from gigawatt.design.fabric.graph import ROLES
from gigawatt.design.facility.floor import DevicePositions, device_positions, rack_positions
from gigawatt.domain.fabric import FabricDesign, Network, NetworkName, SwitchTier
from gigawatt.domain.facility import Equipment, FacilityDesign, FloorPlan, RackKind
from gigawatt.domain.hardware import Accelerator, System

NODE, MANAGER = ROLES.index("node"), ROLES.index("manager")


class Rack(NamedTuple):
    """A rack with its place: "h02-r11-p07" is place 7 of row 11 in hall 2."""

    name: str
    hall: int
    kind: RackKind
    number: int
    """Of the kind in the floor plan."""


class Device(NamedTuple):
    """A node, a switch or another machine on a network."""

    name: str
    network: str
    """That a switch belongs to; blank for the nodes, which are on all."""
    role: str
    part: str
    """Id in the catalogue: of the system, or of the switch; blank for machines that are not designed."""
    pod: int
    plane: int
    unit: int
    rack: str = ""
    """Blank where no facility is designed, or for what no rack was planned for."""
    position: int = 0
    """Lowest rack unit that it takes; 0 where that is not known."""


@dataclass(frozen=True)
class BuiltCluster:
    """A cluster as designed, with the catalogue's rows for what its designs name."""

    name: str
    system: System
    accelerator: Accelerator
    fabric: FabricDesign
    parts: FabricParts
    facility: FacilityDesign | None = None
    equipment: Mapping[str, Equipment] = field(default_factory=dict)
    near_step_s: float | None = None
    """Latency of a message between accelerators of one scale-up domain."""
    far_step_s: float | None = None
    """Latency of a message between domains."""
    _laid_out: dict[str, FabricGraph] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def title(self) -> str:
        """What it is, in a line."""
        return f"{self.name}: {self.fabric.num_accelerators} accelerators, {self.system.name}"

    def network(self, name: NetworkName) -> Network | None:
        """One of the cluster's networks, if it is designed."""
        return next((network for network in self.fabric.networks if network.name == name), None)

    @property
    def cabled(self) -> tuple[Network, ...]:
        """The switched networks with cables outside the nodes."""
        return tuple(one for one in self.fabric.networks if one.tiers and not one.inside_node)

    @property
    def in_the_hall(self) -> tuple[Network, ...]:
        """Those of them whose cables do not come with a maker's rack."""
        return tuple(one for one in self.cabled if one.name != "scale-up")

    def graph(self, network: NetworkName = "compute") -> FabricGraph:
        """Every device, port and link of a network. Raises InfeasibleError where it has no switches."""
        if network not in self._laid_out:
            self._laid_out[network] = fabric_graph(self.fabric, network)
        return self._laid_out[network]

    @property
    def floor(self) -> FloorPlan | None:
        """Where the racks stand, if a facility is designed."""
        return self.facility.floor if self.facility else None

    @cached_property
    def racks(self) -> tuple[Rack, ...]:
        """Every rack; none where no facility is designed."""
        if self.floor is None:
            return ()
        places = rack_positions(self.floor)
        columns = (places.hall.tolist(), places.row.tolist(), places.column.tolist())
        widths = [max(2, len(str(max(numbers) + 1))) for numbers in columns]
        return tuple(
            Rack(
                f"h{hall + 1:0{widths[0]}d}-r{row + 1:0{widths[1]}d}-p{column + 1:0{widths[2]}d}",
                hall + 1,
                self.floor.racks[kind],
                kind,
            )
            for hall, row, column, kind in zip(*columns, places.kind.tolist(), strict=True)
        )

    def positions(self, network: NetworkName) -> DevicePositions | None:
        """Where each device of a network stands, if a facility is designed."""
        if self.floor is None:
            return None
        return device_positions(self.floor, self.fabric, self.graph(network), network)

    def rack_of(self, network: NetworkName) -> list[Rack | None]:
        """The rack of each device of a network; None without a facility, and for what is not designed."""
        graph = self.graph(network)
        if network == "scale-up":
            return self._racks_of_units(graph)
        places = self.positions(network)
        if places is None or self.floor is None:
            return [None] * graph.num_devices
        spots = rack_positions(self.floor)
        by_place = dict(zip(_places(spots.hall, spots.x_m, spots.y_m), self.racks, strict=True))
        found = [by_place.get(place) for place in _places(places.hall, places.x_m, places.y_m)]
        designed = _is_designed(graph, self.fabric.num_nodes)
        return [rack if known else None for rack, known in zip(found, designed, strict=True)]

    def _racks_of_units(self, graph: FabricGraph) -> list[Rack | None]:
        """Switches of a scale-up network stand with the nodes of their unit."""
        nodes = self.rack_of("compute")[: self.fabric.num_nodes]
        first = {int(unit): node for node, unit in reversed(list(enumerate(graph.device_unit[: len(nodes)])))}
        above = graph.device_unit[len(nodes) :].tolist()
        return nodes + [nodes[first[unit]] if unit in first else None for unit in above]

    def device_names(self, network: NetworkName) -> list[str]:
        """Names of a network's devices: nodes have the same on all networks, switches their own."""
        graph = self.graph(network)
        designed = _is_designed(graph, self.fabric.num_nodes)
        prefix = "" if network == "compute" else f"{network}-"
        return [
            graph.device_name(device)
            if role == NODE and known
            else f"{prefix}machine-{index - self.fabric.num_nodes:04d}"
            if role == NODE
            else prefix + graph.device_name(device)
            for device, (role, index, known) in enumerate(
                zip(graph.device_role.tolist(), graph.device_index.tolist(), designed, strict=True)
            )
        ]

    def devices(self, networks: Sequence[Network] | None = None) -> Iterator[Device]:
        """Every node, then the switches (and other machines) of each network; of all that are cabled."""
        for number, network in enumerate(self.cabled if networks is None else networks):
            for device in self._devices_of(network):
                if number == 0 or device.network:
                    yield device

    def _devices_of(self, network: Network) -> Iterator[Device]:
        graph = self.graph(network.name)
        names, racks = self.device_names(network.name), self.rack_of(network.name)
        designed = _is_designed(graph, self.fabric.num_nodes)
        tiers: dict[str, SwitchTier] = {tier.role: tier for tier in network.tiers}
        stacked: dict[tuple[str, str], int] = {}
        columns = (graph.device_role, graph.device_pod, graph.device_plane, graph.device_unit)
        for device, (role, pod, plane, unit) in enumerate(zip(*(c.tolist() for c in columns), strict=True)):
            tier = tiers.get(ROLES[role])
            node = role == NODE and designed[device]
            part = self.system.id if node else tier.switch if tier else ""
            rack, position = racks[device], 0
            if rack is not None and part:
                label = "" if node else f"{network.name} {ROLES[role]}"
                rank = stacked[rack.name, label] = stacked.get((rack.name, label), -1) + 1
                position = _position(rack.kind, part, label, rank)
            yield Device(
                names[device],
                "" if node else network.name,
                "machine" if role == NODE and not node else ROLES[role],
                part,
                pod,
                plane,
                unit,
                rack.name if rack else "",
                position,
            )


def port_names(tier: SwitchTier, num_ports: int) -> list[str]:
    """Names of a switch's links in the numbering of the graph, then of the ports that stay free.

    `num_ports` are those on the switch's front. A port that is broken out is named with its part: "12/2" is
    the second link of port 12.
    """
    at_its_speed = max(1, tier.num_ports // num_ports)
    split = tier.down_links_per_port * at_its_speed
    down = [_port_name(link, split) for link in range(tier.num_down_ports)]
    first = -(-tier.num_down_ports // split)
    return down + [_port_name(link, at_its_speed) for link in range(first * at_its_speed, tier.num_ports)]


def _port_name(link: int, split: int) -> str:
    return f"{link // split + 1}/{link % split + 1}" if split > 1 else str(link + 1)


def _is_designed(graph: FabricGraph, num_nodes: int) -> list[bool]:
    """Whether a device is a node of the cluster or a switch, not some machine that is only counted."""
    extra = (graph.device_role == NODE) & (graph.device_index >= num_nodes)
    known: list[bool] = (~extra & (graph.device_role != MANAGER)).tolist()
    return known


def _places(hall: np.ndarray, x_m: np.ndarray, y_m: np.ndarray) -> list[tuple[int, float, float]]:
    """Hall and coordinates to the millimetre, to find again."""
    return list(zip(hall.tolist(), np.round(x_m, 3).tolist(), np.round(y_m, 3).tolist(), strict=True))


def _position(kind: RackKind, part: str, label: str, rank: int) -> int:
    """The lowest unit of the `rank`-th device that is alike in a rack."""
    item_rank = rank
    for item in kind.items:
        if item.part != part or (label and item.name != label):
            continue
        if item_rank < item.quantity:
            return item.lowest_unit + int(item_rank * item.rack_units)
        item_rank -= item.quantity
    return 0
