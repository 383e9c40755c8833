"""Every device, port and link of a network with its identity, laid out again from a design: always the same.

All in arrays, for 100,000 accelerators are 200,000 links. Devices are numbered nodes first, then leaves,
spines and cores, then the fabric manager. On each switch the links down have the lower port numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gigawatt.domain.fabric import FabricDesign, Network
from gigawatt.errors import InfeasibleError

Ints = npt.NDArray[np.int32]
Bytes = npt.NDArray[np.int8]
NODE, LEAF, SPINE, CORE, MANAGER = range(5)
ROLES = ("node", "leaf", "spine", "core", "manager")
_UPPER = ("spine", "core")


@dataclass(frozen=True, slots=True)
class FabricGraph:
    """A network as arrays. Links of one cable share its number; `a` is the lower end."""

    device_role: Bytes
    """[devices]: index into ROLES."""
    device_pod: Ints
    """[devices]: -1 where it belongs to none."""
    device_plane: Bytes
    """[devices]: -1 where it is on all planes."""
    device_unit: Ints
    """[devices]: the scalable unit; -1 where it belongs to none."""
    device_index: Ints
    """[devices]: number within its role."""
    cable_a: Ints
    """[links]: the lower device."""
    cable_b: Ints
    """[links]: the upper device."""
    cable_a_port: Ints
    cable_b_port: Ints
    cable_bytes_per_s: npt.NDArray[np.float32]
    """[links] B/s, of one link."""
    cable_plane: Bytes
    cable_number: Ints
    """[links]: the physical cable, of which a twin-port one carries several links."""
    role_start: tuple[int, ...]
    """First device of each role, and the number of devices last."""

    @property
    def num_devices(self) -> int:
        """Nodes and switches."""
        return int(self.device_role.size)

    @property
    def num_links(self) -> int:
        """Links; cables may be fewer."""
        return int(self.cable_a.size)

    def device_name(self, device: int) -> str:
        """Role and number: "leaf-0003"."""
        return f"{ROLES[self.device_role[device]]}-{self.device_index[device]:04d}"

    def devices(self, role: str) -> range:
        """Numbers of the devices of a role."""
        place = ROLES.index(role)
        return range(self.role_start[place], self.role_start[place + 1])


@dataclass(frozen=True, slots=True)
class _Links:
    """Links between two tiers, before they are joined with the others."""

    a: npt.NDArray[np.int64]
    b: npt.NDArray[np.int64]
    a_port: npt.NDArray[np.int64]
    b_port: npt.NDArray[np.int64]
    plane: npt.NDArray[np.int64]
    bytes_per_s: float
    per_cable: int = 1


def fabric_graph(design: FabricDesign, network: str = "compute") -> FabricGraph:
    """The devices and links of one network of a design. Errors: InfeasibleError where it has no switches."""
    found = next((one for one in design.networks if one.name == network), None)
    if found is None or not found.tiers:
        raise InfeasibleError(f"{design.fabric} has no switched network called {network}")
    return network_graph(found)


def network_graph(net: Network) -> FabricGraph:
    """The devices and links of a switched network."""
    counts = [
        net.num_nodes,
        *(_switches(net, role) for role in ("leaf", *_UPPER)),
        int(net.manager_links > 0),
    ]
    start = tuple(int(n) for n in np.concatenate([[0], np.cumsum(counts)]))
    if net.topology == "dragonfly":
        groups = [_to_leaves(net, start), *_between_routers(net, start)]
    else:
        groups = [
            _to_leaves(net, start),
            *_manager(net, start),
            *_to_spines(net, start),
            *_to_cores(net, start),
        ]
    numbers, first = [], 0
    for links in groups:
        numbers.append(first + np.arange(links.a.size) // links.per_cable)
        first += -(-links.a.size // links.per_cable)
    role = np.repeat(np.arange(len(ROLES)), counts)
    pod, plane, unit = _places(net, start)
    return FabricGraph(
        device_role=role.astype(np.int8),
        device_pod=pod.astype(np.int32),
        device_plane=plane.astype(np.int8),
        device_unit=unit.astype(np.int32),
        device_index=(np.arange(start[-1]) - np.asarray(start)[role]).astype(np.int32),
        cable_a=_joined(groups, "a").astype(np.int32),
        cable_b=_joined(groups, "b").astype(np.int32),
        cable_a_port=_joined(groups, "a_port").astype(np.int32),
        cable_b_port=_joined(groups, "b_port").astype(np.int32),
        cable_bytes_per_s=_rates(groups),
        cable_plane=_joined(groups, "plane").astype(np.int8),
        cable_number=np.concatenate(numbers).astype(np.int32),
        role_start=start,
    )


def _rates(groups: list[_Links]) -> npt.NDArray[np.float32]:
    sizes = [links.a.size for links in groups]
    return np.repeat(np.asarray([links.bytes_per_s for links in groups], dtype=np.float32), sizes)


def _joined(groups: list[_Links], field: str) -> npt.NDArray[np.int64]:
    return np.concatenate([getattr(links, field) for links in groups])


def _switches(net: Network, role: str) -> int:
    return next((tier.num_switches for tier in net.tiers if tier.role == role), 0)


def _rate(net: Network, upper: str) -> tuple[float, int]:
    group = next(group for group in net.cables if group.upper == upper)
    return group.bytes_per_s / group.links_per_cable, group.links_per_cable


def _places(net: Network, start: tuple[int, ...]) -> tuple[npt.NDArray[np.int64], ...]:
    """Pod, plane and unit of every device."""
    pod, plane, unit = (np.full(start[-1], -1, dtype=np.int64) for _ in range(3))
    unit[: start[LEAF]] = np.arange(net.num_nodes) // net.nodes_per_unit
    leaf = np.arange(start[SPINE] - start[LEAF])
    per_plane = net.num_rails * net.leaves_per_rail
    unit[start[LEAF] : start[SPINE]] = leaf // (per_plane * net.num_planes)
    plane[start[LEAF] : start[SPINE]] = leaf // per_plane % net.num_planes
    pod[: start[SPINE]] = unit[: start[SPINE]] // max(net.units_per_pod, 1)
    spine, spines = np.arange(start[CORE] - start[SPINE]), _spines_per_pod(net)
    pod[start[SPINE] : start[CORE]] = spine // max(spines * net.num_planes, 1)
    plane[start[SPINE] : start[CORE]] = spine // max(spines, 1) % net.num_planes
    core, cores = np.arange(start[MANAGER] - start[CORE]), _switches(net, "core") // net.num_planes
    plane[start[CORE] : start[MANAGER]] = core // max(cores, 1)
    unit[start[MANAGER] :] = net.num_units - 1
    pod[start[MANAGER] :] = (net.num_units - 1) // max(net.units_per_pod, 1)
    return pod, plane, unit


def _spines_per_pod(net: Network) -> int:
    pods = 1 if net.topology == "single-tier" else net.num_pods
    return _switches(net, "spine") // (net.num_planes * pods)


def _to_leaves(net: Network, start: tuple[int, ...]) -> _Links:
    """Each node's links, in the order of its accelerators; a twin-port cable's links follow each other."""
    node = np.repeat(np.arange(net.num_nodes), net.links_per_node)
    link = np.tile(np.arange(net.links_per_node), net.num_nodes)
    per_rail = net.links_per_node // net.num_rails
    rail, within = link // per_rail, link % per_rail
    plane, copy = within % net.num_planes, within // net.num_planes
    each = per_rail // net.num_planes
    leaf, port = _leaf_port(net, node, rail, plane, copy, each)
    rate, per_cable = _rate(net, "leaf") if net.cables[0].upper == "leaf" else (0.0, 1)
    return _Links(node, start[LEAF] + leaf, link, port, plane, rate, per_cable)


def _leaf_port(
    net: Network,
    node: npt.NDArray[np.int64],
    rail: npt.NDArray[np.int64],
    plane: npt.NDArray[np.int64],
    copy: npt.NDArray[np.int64],
    each: int,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Leaf and its port for the `copy`-th of a node's `each` links to one rail of one plane."""
    down = net.tiers[0].num_down_ports
    ordinal = node % net.nodes_per_unit * each + copy
    unit = node // net.nodes_per_unit
    group = (unit * net.num_planes + plane) * net.num_rails + rail
    return group * net.leaves_per_rail + ordinal // down, ordinal % down


def _manager(net: Network, start: tuple[int, ...]) -> list[_Links]:
    """The fabric manager, in the place of the first node that the last unit lacks."""
    if not net.manager_links:
        return []
    rail = np.arange(net.manager_links)
    zero = np.zeros_like(rail)
    each = net.links_per_node // net.num_rails // net.num_planes
    leaf, port = _leaf_port(net, zero + net.num_nodes, rail, zero, zero, each)
    return [_Links(zero + start[MANAGER], start[LEAF] + leaf, rail, port, zero, _rate(net, "leaf")[0])]


def _to_spines(net: Network, start: tuple[int, ...]) -> list[_Links]:
    """Uplinks of the leaves of a pod and plane, dealt out to its spines in turn."""
    spines = _spines_per_pod(net)
    if not spines:
        return []
    leaf_tier = net.tiers[0]
    leaf = np.repeat(np.arange(leaf_tier.num_switches), leaf_tier.num_up_ports)
    link = np.tile(np.arange(leaf_tier.num_up_ports), leaf_tier.num_switches)
    per_plane = net.num_rails * net.leaves_per_rail
    unit, plane = leaf // (per_plane * net.num_planes), leaf // per_plane % net.num_planes
    pod, place = unit // net.units_per_pod, unit % net.units_per_pod * per_plane + leaf % per_plane
    ordinal = place * leaf_tier.num_up_ports + link
    spine = (pod * net.num_planes + plane) * spines + ordinal % spines
    a_port = leaf_tier.num_down_ports + link
    return [
        _Links(
            start[LEAF] + leaf, start[SPINE] + spine, a_port, ordinal // spines, plane, _rate(net, "spine")[0]
        )
    ]


def _to_cores(net: Network, start: tuple[int, ...]) -> list[_Links]:
    """Uplinks of the spines at one place of all pods, dealt out to the cores of that place in turn."""
    spine_tier = net.tier("spine")
    num_cores = _switches(net, "core") // net.num_planes
    if not num_cores or spine_tier is None:
        return []
    spines, up, shared = _spines_per_pod(net), spine_tier.num_up_ports, net.spines_per_core_group
    cores = num_cores * shared // spines
    spine = np.repeat(np.arange(spine_tier.num_switches), up)
    link = np.tile(np.arange(up), spine_tier.num_switches)
    place, plane, pod = spine % spines, spine // spines % net.num_planes, spine // (spines * net.num_planes)
    ordinal = (pod * shared + place % shared) * up + link
    core = plane * num_cores + place // shared * cores + ordinal % cores
    a_port = spine_tier.num_down_ports + link
    return [
        _Links(
            start[SPINE] + spine, start[CORE] + core, a_port, ordinal // cores, plane, _rate(net, "core")[0]
        )
    ]


def _between_routers(net: Network, start: tuple[int, ...]) -> list[_Links]:
    """A dragonfly's local links, each router to each of its group, and its global ones, group to group."""
    tier, routers, groups = net.tiers[0], net.leaves_per_rail, net.num_units
    rate = next(group.bytes_per_s for group in net.cables if group.lower == "leaf")
    one, other = (np.asarray(part) for part in np.triu_indices(routers, 1))
    group = np.repeat(np.arange(groups), one.size)
    a, b = np.tile(one, groups), np.tile(other, groups)
    first = tier.num_down_ports
    base = start[LEAF] + group * routers
    links = [_Links(base + a, base + b, first + b - 1, first + a, np.zeros_like(a), rate)]
    far = sum(cables.num_cables for cables in net.cables if cables.lower == "leaf") - a.size
    if not far:
        return links
    one, other = (np.asarray(part) for part in np.triu_indices(groups, 1))
    each = far // one.size
    copy = np.tile(np.arange(each), one.size)
    a, b = np.repeat(one, each), np.repeat(other, each)
    here, there = (b - a - 1) % groups * each + copy, (a - b - 1) % groups * each + copy
    first += routers - 1
    links.append(
        _Links(
            start[LEAF] + a * routers + here % routers, start[LEAF] + b * routers + there % routers,
            first + here // routers, first + there // routers, np.zeros_like(a), rate,
        )
    )  # fmt: skip
    return links
