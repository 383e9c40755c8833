"""Flows of a collective that are hashed onto a leaf's uplinks: by how much the fullest link slows it all.

Counted where flows are hashed first, from leaves to the tier above. A ring or tree whose ranks fill domains
in turn leaves each leaf once; what is exchanged with every rank leaves it always, in many small flows.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from gigawatt.domain.fabric import Network
from gigawatt.laws.congestion import MOST_FLOWS, Spread, ecmp_share

EVEN = Spread(1.0, 1.0)


class LeafFlows(NamedTuple):
    """What leaves each leaf at once."""

    num_flows: int
    num_links: int
    """Of the leaf, upwards."""
    qps_per_flow: int
    flow_per_link_frac: float
    """Share of an uplink that a flow would fill."""
    num_leaves: int
    """With as many flows each."""


def hash_slowdown(flows: LeafFlows | None) -> Spread:
    """Times over those of an even spread, mean and 99th percentile over hashes; 1 where nothing is hashed.

    Beyond the range of the exact law, from as many flows as it takes: what the fullest link has more than the
    mean then shrinks with the root of their number (`laws.congestion.fullest_link_flows`).
    """
    if flows is None:
        return EVEN
    most = max(1, MOST_FLOWS // flows.qps_per_flow)
    taken = min(flows.num_flows, most)
    larger = flows.num_flows / taken
    frac = flows.flow_per_link_frac * larger
    found = ecmp_share(taken, flows.num_links, flows.qps_per_flow, frac, flows.num_leaves)
    return Spread(*(1.0 + (float(factor) - 1.0) / math.sqrt(larger) for factor in found))


def leaf_flows(
    net: Network,
    num_nodes_per_domain: float,
    num_domains: int,
    used_frac: float,
    more_groups: bool,
    exchanging: bool,
) -> LeafFlows | None:
    """What leaves each leaf when a group fills domains in turn; None where no flow is hashed.

    `used_frac` is the share of a domain's ports that send. With `more_groups` beside it a leaf may hold the
    end of one group and the start of another. An exchange has a flow from each port to each domain beyond.
    """
    leaf = net.tier("leaf")
    up = next((one for one in net.cables if (one.lower, one.upper) == ("leaf", "spine")), None)
    if net.routing != "hashed" or leaf is None or up is None or not leaf.num_up_ports:
        return None
    each = max(1, net.links_per_node // net.num_rails // net.num_planes)
    nodes = max(1, leaf.num_down_ports // each)
    below = max(1, int(nodes / num_nodes_per_domain))
    if num_domains <= below and not (more_groups and below % num_domains):
        return None
    port = next(one for one in net.cables if one.lower == "node")
    rate_frac = port.bytes_per_s / port.links_per_cable / (up.bytes_per_s / up.links_per_cable)
    ports = max(1, round(each * min(nodes, num_nodes_per_domain) * used_frac))
    leaves = max(1, math.ceil(num_domains / below)) * net.num_rails * net.num_planes
    if exchanging and num_domains > below:
        flows, rate_frac = ports * below * (num_domains - below), rate_frac / (num_domains - 1)
    else:
        flows = ports * (2 if more_groups and num_domains % below else 1)
    return LeafFlows(flows, leaf.num_up_ports, net.qps_per_connection, rate_frac, leaves)
