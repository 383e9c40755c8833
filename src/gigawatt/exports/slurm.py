"""Write a fabric as Slurm's topology: a tree of switches, and blocks of nodes that share a scale-up domain.

Slurm's tree has one switch above each node, a rail-optimised or multi-plane fabric several. What Slurm is
told is therefore what it schedules by: which nodes reach each other through the leaves alone (one "switch",
named after the leaf where there is one, else `unit-0001`), which through the spines (`pod-0001`), which only
through the cores (`core`).

Formats: topology.conf(5) and topology.yaml(5) of Slurm 25.05 (https://slurm.schedmd.com/topology.conf.html).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gigawatt.design.fabric import FabricGraph
from gigawatt.design.fabric.graph import LEAF, MANAGER, NODE
from gigawatt.domain.hardware import System
from gigawatt.errors import InputError, Problem
from gigawatt.exports.cluster import BuiltCluster
from gigawatt.exports.hostlist import fold_names

CONF_VERSION = "topology/tree"
BLOCK_VERSION = "topology/block, Slurm 23.11"
YAML_VERSION = "Slurm 25.05"

GROUP_NAMES = {1: "unit", 2: "pod", 3: "core"}
"""What several switches of one tier are called together."""


@dataclass(frozen=True, slots=True)
class TreeSwitch:
    """A switch of Slurm's tree: right above nodes, or above other switches."""

    name: str
    nodes: tuple[str, ...] = ()
    switches: tuple[str, ...] = ()


def write_topology_conf(cluster: BuiltCluster) -> dict[str, str]:
    """`topology.conf`: one line for each switch of the tree, leaves first."""
    lines = [
        f"# {cluster.title}: compute fabric.",
        "# Written by gigawatt for Slurm's topology/tree plugin.",
    ]
    for switch in topology_tree(cluster.graph("compute")):
        below = ("Nodes", switch.nodes) if switch.nodes else ("Switches", switch.switches)
        lines.append(f"SwitchName={switch.name} {below[0]}={fold_names(below[1])}")
    return {"topology.conf": "\n".join(lines) + "\n"}


def write_topology_block(cluster: BuiltCluster) -> dict[str, str]:
    """`topology.conf` for the block plugin: one line for each scale-up domain.

    Raises InputError where a domain is one node, or where the last is not full: releases before 25.05 want
    every block to have the size that they plan by.
    """
    blocks = scale_up_blocks(cluster.graph("compute"), cluster.system)
    if not blocks:
        raise InputError(
            Problem(f"each node of {cluster.system.id} is a scale-up domain of its own", "block")
        )
    sizes = block_sizes(cluster)
    if len(last := list(blocks.values())[-1]) < sizes[0]:
        message = (
            f"the last block has {len(last)} of {sizes[0]} nodes, which Slurm takes from 25.05 on only: "
        )
        raise InputError(Problem(message + "export slurm-yaml, or plan whole racks", "block"))
    lines = [
        f"# {cluster.title}: scale-up domains.",
        "# Written by gigawatt for Slurm's topology/block plugin.",
    ]
    lines += [f"BlockName={name} Nodes={fold_names(nodes)}" for name, nodes in blocks.items()]
    lines.append(f"BlockSizes={','.join(map(str, sizes))}")
    return {"topology.conf": "\n".join(lines) + "\n"}


def write_topology_yaml(cluster: BuiltCluster) -> dict[str, str]:
    """`topology.yaml`: the tree, and the scale-up domains as blocks where a domain spans nodes.

    Blocks are then the cluster's default, as a job wants its ranks within as few domains as can be.
    """
    graph = cluster.graph("compute")
    blocks = scale_up_blocks(graph, cluster.system)
    lines = [f"# {cluster.title}: compute fabric.", "# Written by gigawatt for Slurm 25.05 and later."]
    if blocks:
        lines += ["- topology: scale-up", "  cluster_default: true", "  block:", "    block_sizes:"]
        lines += [f"      - {size}" for size in block_sizes(cluster)]
        lines += ["    blocks:"]
        for name, nodes in blocks.items():
            lines += [f"      - block: {name}", f"        nodes: {fold_names(nodes)}"]
    lines += ["- topology: fabric", f"  cluster_default: {'false' if blocks else 'true'}", "  tree:"]
    lines += ["    switches:"]
    for switch in topology_tree(graph):
        lines.append(f"      - switch: {switch.name}")
        below = ("nodes", switch.nodes) if switch.nodes else ("children", switch.switches)
        lines.append(f"        {below[0]}: {fold_names(below[1])}")
    return {"topology.yaml": "\n".join(lines) + "\n"}


def scale_up_blocks(graph: FabricGraph, system: System) -> dict[str, tuple[str, ...]]:
    """Nodes by scale-up domain, in order; nothing where a domain is one node."""
    size = system.num_accelerators_per_domain // system.num_accelerators_per_node
    if size < 2:
        return {}
    nodes = [graph.device_name(int(node)) for node in np.flatnonzero(graph.device_role == NODE)]
    starts = range(0, len(nodes), size)
    width = _width(len(starts))
    return {f"block-{k:0{width}d}": tuple(nodes[at : at + size]) for k, at in enumerate(starts, start=1)}


def block_sizes(cluster: BuiltCluster) -> tuple[int, ...]:
    """Nodes of a scale-up domain, and of a scalable unit where that is a power of two of domains."""
    system, fabric = cluster.system, cluster.fabric
    domain = system.num_accelerators_per_domain // system.num_accelerators_per_node
    unit, left = divmod(fabric.num_nodes, fabric.num_units)
    per_unit, odd = divmod(unit, domain)
    aligned = not left and not odd and per_unit > 1 and per_unit & (per_unit - 1) == 0
    return (domain, unit) if aligned else (domain,)


def topology_tree(graph: FabricGraph) -> tuple[TreeSwitch, ...]:
    """Slurm's tree of a fabric, from the leaves up to one root."""
    nodes = np.flatnonzero(graph.device_role == NODE)
    role = np.where(graph.device_role == MANAGER, NODE, graph.device_role)
    level = np.maximum(role[graph.cable_b], role[graph.cable_a] + 1)
    tree: list[TreeSwitch] = []
    below: list[str] = []
    groups = np.arange(len(nodes))
    for tier in range(LEAF, int(level.max()) + 1):
        component = _components(graph, level <= tier)
        merged, first = np.unique(component[nodes], return_index=True)
        order = np.argsort(first)
        rank = np.empty(len(merged), dtype=np.int64)
        rank[order] = np.arange(len(merged))
        mine = rank[np.searchsorted(merged, component[nodes])]
        if tier > LEAF and len(merged) == len(below):
            continue
        names = _names(graph, component, merged[order], tier)
        if tier == LEAF:
            tree += [
                TreeSwitch(name, nodes=tuple(graph.device_name(int(node)) for node in nodes[members]))
                for name, members in zip(names, _members(mine), strict=True)
            ]
        else:
            parents = mine[np.unique(groups, return_index=True)[1]]
            tree += [
                TreeSwitch(name, switches=tuple(below[child] for child in members))
                for name, members in zip(names, _members(parents), strict=True)
            ]
        below, groups = names, mine
    return tuple(tree)


def _components(graph: FabricGraph, kept: NDArray[np.bool_]) -> NDArray[np.int64]:
    """For each device the number of the connected part it is in, with the kept cables only."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    ends = (graph.cable_a[kept], graph.cable_b[kept])
    size = len(graph.device_role)
    links = coo_array((np.ones(len(ends[0]), dtype=np.int8), ends), shape=(size, size))
    found: NDArray[np.int64] = connected_components(links, directed=False)[1].astype(np.int64)
    return found


def _members(group_of: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """Places of the members of group 0, 1, ..., in order."""
    by_group = np.argsort(group_of, kind="stable")
    yield from np.split(by_group, np.flatnonzero(np.diff(group_of[by_group])) + 1)


def _names(
    graph: FabricGraph, component: NDArray[np.int64], groups: Sequence[int] | NDArray[np.int64], tier: int
) -> list[str]:
    switches = np.flatnonzero(graph.device_role == tier)
    counts = np.bincount(component[switches], minlength=int(component.max()) + 1)
    if tier == LEAF and np.all(counts[groups] == 1):
        leaf_of = dict(zip(component[switches].tolist(), switches.tolist(), strict=True))
        return [graph.device_name(leaf_of[int(group)]) for group in groups]
    noun = GROUP_NAMES.get(tier, f"tier-{tier}")
    if len(groups) == 1:
        return [noun]
    width = _width(len(groups))
    return [f"{noun}-{k:0{width}d}" for k in range(1, len(groups) + 1)]


def _width(count: int) -> int:
    return max(4, len(str(count)))
