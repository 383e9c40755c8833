"""Every link of a cluster, one after the other: cable schedule and port map.

A cluster of 100,000 accelerators has half a million cables: they are laid out in arrays, and text is made of
them row by row as it is written.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gigawatt.design.fabric import FabricGraph
from gigawatt.design.fabric.cabling import (
    cable_lengths,
    cables_between,
    choice_by_reach,
    links_for,
    one_rack,
)
from gigawatt.design.fabric.graph import MANAGER, NODE, ROLES
from gigawatt.domain.fabric import Network
from gigawatt.exports.cluster import BuiltCluster, port_names

FORMAT_VERSION = "1"

Objects = NDArray[Any]
_AT_ONCE = 2**14
"""Links that are held as Python objects."""

SCHEDULE = (
    "cable", "network", "from_device", "from_port", "from_rack", "to_device", "to_port", "to_rack",
    "bytes_per_s", "length_m", "part",
)  # fmt: skip
PORTS = ("device", "port", "network", "peer_device", "peer_port", "cable")


class Cable(NamedTuple):
    """A link between two ports. Links of one twin-port cable have the same `cable`."""

    cable: str
    network: str
    from_device: str
    """In the lower tier."""
    from_port: str
    from_rack: str
    to_device: str
    to_port: str
    to_rack: str
    bytes_per_s: float
    length_m: float | None
    """Of the cable; None where no facility is designed."""
    part: str
    """Id of the kind of link in the catalogue."""


def write_cable_schedule(cluster: BuiltCluster) -> dict[str, Iterable[str]]:
    """`cable-schedule.csv`: every link of every network with both ends, its length and its part."""
    return {"cable-schedule.csv": _schedule(cluster)}


def write_port_map(cluster: BuiltCluster) -> dict[str, Iterable[str]]:
    """`port-map.csv`: every used port of every device, and where its cable leads."""
    return {"port-map.csv": _port_map(cluster)}


def _schedule(cluster: BuiltCluster) -> Iterator[str]:
    yield ",".join(SCHEDULE) + "\n"
    for one in cables(cluster):
        length = "" if one.length_m is None else f"{one.length_m:.1f}"
        yield ",".join((*one[:8], f"{one.bytes_per_s:.0f}", length, one.part)) + "\n"


def _port_map(cluster: BuiltCluster) -> Iterator[str]:
    yield ",".join(PORTS) + "\n"
    for one in cables(cluster):
        yield f"{one.from_device},{one.from_port},{one.network},{one.to_device},{one.to_port},{one.cable}\n"
        yield f"{one.to_device},{one.to_port},{one.network},{one.from_device},{one.from_port},{one.cable}\n"


def cables(cluster: BuiltCluster) -> Iterator[Cable]:
    """Every link of every cabled network, in the order of the graph."""
    for network in cluster.cabled:
        yield from _cables_of(cluster, network)


def _cables_of(cluster: BuiltCluster, network: Network) -> Iterator[Cable]:
    graph = cluster.graph(network.name)
    names = cluster.device_names(network.name)
    racks = [rack.name if rack else "" for rack in cluster.rack_of(network.name)]
    ports = role_ports(cluster, network)
    lengths, parts = _laid(cluster, network, graph)
    width = max(6, len(str(graph.num_links)))
    roles = graph.device_role.tolist()
    columns = (
        graph.cable_number, graph.cable_a, graph.cable_a_port, graph.cable_b, graph.cable_b_port,
        _exact(graph.cable_bytes_per_s), lengths, parts,
    )  # fmt: skip
    for first in range(0, graph.num_links, _AT_ONCE):
        rows = zip(*(column[first : first + _AT_ONCE].tolist() for column in columns), strict=True)
        for number, a, a_port, b, b_port, rate, length_m, part in rows:
            yield Cable(
                f"{network.name}-{number + 1:0{width}d}",
                network.name,
                names[a],
                ports[roles[a]][a_port],
                racks[a],
                names[b],
                ports[roles[b]][b_port],
                racks[b],
                rate,
                length_m,
                part,
            )


def _exact(bytes_per_s: Objects) -> Objects:
    """Rates without what single precision adds to them."""
    rates, which = np.unique(bytes_per_s, return_inverse=True)
    return np.array([float(f"{rate:.6g}") for rate in rates])[which]


def role_ports(cluster: BuiltCluster, network: Network) -> dict[int, list[str]]:
    """Names of the ports of a device of each role, by number."""
    machine = [
        f"{network.name}-{port + 1}" for port in range(max(network.links_per_node, network.manager_links))
    ]
    ports = {NODE: machine, MANAGER: machine}
    for tier in network.tiers:
        num_ports = cluster.parts.switches[tier.switch].num_ports
        ports[ROLES.index(tier.role)] = port_names(tier, num_ports)
    return ports


def _laid(cluster: BuiltCluster, network: Network, graph: FabricGraph) -> tuple[Objects, Objects]:
    """Length and kind of the cable of each link of a network; None and "" where no facility is designed."""
    scale_up = network.name == "scale-up"
    places = one_rack(network) if scale_up else cluster.positions(network.name)
    if places is None or cluster.floor is None:
        return np.full(graph.num_links, None), np.full(graph.num_links, "", dtype=object)
    kind = cluster.parts.kind if network.name == "compute" else cluster.parts.others[network.name]
    laid = cable_lengths(graph, places, cluster.floor.tray_height_m, kind.cable_allowance_m)
    parts = np.full(laid.length_m.size, "", dtype=object)
    for group in network.cables:
        mine = cables_between(group, graph, laid)
        suited = links_for(group, network, cluster.parts.links)
        if suited:
            choice = choice_by_reach(suited, laid.length_m[mine], network)
            parts[mine] = np.array([link.id for link in suited], dtype=object)[choice]
    cable = np.cumsum(np.diff(graph.cable_number, prepend=-1) != 0) - 1
    return laid.length_m[cable], parts[cable]
