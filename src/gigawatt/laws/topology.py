"""Closed forms of network topologies: how far a radix reaches, and what crosses the middle.

A switch has `radix` ports, a link one rate each way, and every count is of one plane. A fat tree is the
folded Clos network; a dragonfly joins groups of routers that are fully meshed within and among each other.

Source: Leiserson, "Fat-Trees", IEEE Trans. Computers C-34(10), 1985; Al-Fares, Loukissas, Vahdat, SIGCOMM
2008; Kim, Dally, Scott, Abts, "Technology-Driven, Highly-Scalable Dragonfly Topology", ISCA 2008; Dally,
Towles, "Principles and Practices of Interconnection Networks", 2004.
"""

from __future__ import annotations

import numpy as np

from gigawatt.laws.numbers import Number


def fat_tree_endpoints(radix: Number, num_tiers: Number) -> Number:
    """Endpoints that a non-blocking fat tree of so many tiers reaches: 2 (radix / 2)^tiers.

    Source: Al-Fares, Loukissas, Vahdat, SIGCOMM 2008, section 2: k^3 / 4 with three tiers.

    >>> int(fat_tree_endpoints(48, 3)), int(fat_tree_endpoints(64, 2))     # 27,648 hosts of 48-port switches
    (27648, 2048)
    """
    return 2.0 * (radix / 2.0) ** num_tiers


def fat_tree_switches(radix: Number, num_tiers: Number) -> Number:
    """Switches of the largest non-blocking fat tree: (2 tiers - 1) (radix / 2)^(tiers - 1).

    Source: Al-Fares, Loukissas, Vahdat, SIGCOMM 2008, section 2: 5 k^2 / 4 with three tiers.

    >>> int(fat_tree_switches(48, 3)), int(fat_tree_switches(64, 2))
    (2880, 96)
    """
    return (2.0 * num_tiers - 1.0) * (radix / 2.0) ** (num_tiers - 1.0)


def down_ports(radix: Number, oversubscription: Number) -> Number:
    """Ports of a switch that face down when the others, facing up, carry 1 / oversubscription of their rate.

    Source: arithmetic of the folded Clos network; 48 of 64 ports face down at 3:1.

    >>> float(down_ports(64, 1.0)), float(down_ports(64, 3.0))
    (32.0, 48.0)
    """
    return np.floor(radix * oversubscription / (1.0 + oversubscription) + 1e-9)


def dragonfly_terminals(radix: Number) -> Number:
    """Endpoints per router of the balanced dragonfly, a = 2p = 2h, that a radix allows: (radix + 1) / 4.

    Source: Kim, Dally, Scott, Abts, ISCA 2008, section 3.1: radix k = p + h + a - 1 >= 4h - 1.

    >>> int(dragonfly_terminals(63)), int(dragonfly_terminals(64))
    (16, 16)
    """
    return np.floor((radix + 1.0) / 4.0)


def dragonfly_groups(routers_per_group: Number, global_ports: Number) -> Number:
    """The most groups that a dragonfly joins with a link between each two: a h + 1.

    Source: Kim, Dally, Scott, Abts, ISCA 2008, section 3.1.

    >>> int(dragonfly_groups(4, 2)), int(dragonfly_groups(32, 16))       # figure 5 there: 9 groups
    (9, 513)
    """
    return routers_per_group * global_ports + 1.0


def dragonfly_endpoints(terminals: Number, routers_per_group: Number, global_ports: Number) -> Number:
    """The most endpoints of a dragonfly: a p (a h + 1).

    Source: Kim, Dally, Scott, Abts, ISCA 2008, section 3.1.

    >>> int(dragonfly_endpoints(2, 4, 2)), int(dragonfly_endpoints(16, 32, 16))   # beyond 256K of radix 64
    (72, 262656)
    """
    return routers_per_group * terminals * dragonfly_groups(routers_per_group, global_ports)


def mesh_links(num_nodes: Number) -> Number:
    """Links of a full mesh: n (n - 1) / 2.

    Source: Dally, Towles, 2004; eight accelerators of an XGMI node have 7 links each, 28 in all.

    >>> float(mesh_links(8))
    28.0
    """
    return num_nodes * (num_nodes - 1.0) / 2.0


def torus_links(num_nodes: Number, num_dimensions: Number) -> Number:
    """Links of a torus of more than two nodes along each dimension: one per node and dimension.

    Source: Dally, Towles, 2004, chapter 5; Jouppi et al., "TPU v4", ISCA 2023: 4,096 chips, six links each.

    >>> int(torus_links(4096, 3))
    12288
    """
    return num_nodes * num_dimensions


def torus_bisection_links(num_nodes: Number, longest_side: Number) -> Number:
    """Links that join the halves of a torus cut across its longest side: twice its cross-section.

    Source: Dally, Towles, 2004, section 5.2.2: 4 N / k channels, both directions counted.

    >>> int(torus_bisection_links(4096, 16))      # 16 x 16 x 16: 512 links
    512
    """
    return 2.0 * num_nodes / longest_side


def tree_bisection_bytes_per_s(
    num_endpoints: Number, port_bytes_per_s: Number, oversubscription: Number
) -> Number:
    """Rate between the halves of a tree, one way [B/s]: half of the endpoints' rate, or less if oversold.

    Source: Al-Fares, Loukissas, Vahdat, SIGCOMM 2008, section 2.1, for oversubscription.

    >>> tree_bisection_bytes_per_s(24576, 50e9, 7.0) / 1e12       # 24,576 ports of 400 Gbit/s at 7:1
    87.77142857142857
    """
    return num_endpoints / 2.0 * port_bytes_per_s / np.maximum(oversubscription, 1.0)
