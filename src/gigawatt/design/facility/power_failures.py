"""What is left when any one piece of a power chain fails, or any one breaker between two of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import ceil

import numpy as np
import numpy.typing as npt

from gigawatt.design.facility.power_graph import PowerGraph, energised, power_graph
from gigawatt.domain.fabric import FailureEffect
from gigawatt.domain.facility import PowerChain
from gigawatt.units import format_quantity

Bools = npt.NDArray[np.bool_]
_STEP_W = 10.0  # of integer flows
_TOLERANCE = 1e-5


def power_failures(chain: PowerChain, num_accelerators: int) -> tuple[FailureEffect, ...]:
    """The effect of each single failure: of a piece of each stage, and of each kind of feed between stages.

    `power_left_w` is critical IT power that is still carried once generators have started and racks that
    nothing can carry are off; `num_accelerators_cut_off` counts those racks' accelerators. What feeds a
    single rack is told of one that holds accelerators; of all else racks of each kind lose alike.
    """
    graph = power_graph(chain, num_blocks=1)
    full_w = _carried_w(chain, graph, None, None)
    effects = []
    for name, count, node, edge in _classes(chain, graph):
        failed = np.zeros(graph.num_nodes, bool)
        if node is not None:
            failed[node] = True
        lost_w = max(0.0, full_w - _carried_w(chain, graph, failed, edge))
        lost_w = max(lost_w, _uncooled_w(chain, graph, failed, edge))
        lost_w = 0.0 if lost_w < _TOLERANCE * full_w else lost_w
        own = _is_of_one_rack(chain, graph, node, edge)
        note = _note(chain, graph, failed, edge)
        effects.append(
            FailureEffect(
                failing=name,
                num_alike=count,
                num_accelerators_cut_off=_accelerators(lost_w, chain, num_accelerators, own),
                power_left_w=chain.it_w - lost_w,
                note=note or (_OF_COMPUTE if own and lost_w else ""),
            )
        )
    return tuple(effects)


def is_maintainable(chain: PowerChain) -> bool:
    """Whether any one piece or feed can be taken out of service without a rack losing power."""
    return all(effect.num_accelerators_cut_off == 0 for effect in power_failures(chain, _RACKS))


_OF_COMPUTE = "Of a compute rack; a network rack's takes its switches instead."
_RACKS = 1 << 20  # accelerators enough to see the loss of a part of one rack


def _accelerators(lost_w: float, chain: PowerChain, num_accelerators: int, own: bool = False) -> int:
    among_w = chain.compute_w if own else chain.it_w
    return min(num_accelerators, ceil(lost_w / among_w * num_accelerators - _TOLERANCE))


def _is_of_one_rack(chain: PowerChain, graph: PowerGraph, node: int | None, edge: int | None) -> bool:
    """Whether a piece, or what a feed leads to, belongs to one rack, and to the first kind's first."""
    piece = node if node is not None else int(graph.edge_to[edge or 0])
    return chain.compute_w > 0 and chain.nodes[graph.node_stage[piece]].level == "rack"


def _classes(chain: PowerChain, graph: PowerGraph) -> Iterator[tuple[str, int, int | None, int | None]]:
    """Pieces and feeds that fail alike: name, how many, and one of them.

    Of a stage whose pieces differ in what stands by for them, the worst placed is its first.
    """
    for stage, node in enumerate(chain.nodes):
        if node.kind not in ("rack", "cooling"):
            number = int(np.flatnonzero(graph.node_stage == stage)[0])
            yield _label(chain, stage), node.num_installed, number, None
    pairs = np.stack([graph.node_stage[graph.edge_from], graph.node_stage[graph.edge_to]])
    kinds, firsts, counts = np.unique(pairs, axis=1, return_index=True, return_counts=True)
    for (source, sink), edge, count in zip(kinds.T.tolist(), firsts.tolist(), counts.tolist(), strict=True):
        counted = source if chain.nodes[sink].kind == "rack" else sink
        laid_out = int((graph.node_stage == counted).sum())
        alike = round(count * chain.nodes[counted].num_installed / laid_out)
        yield f"feed from {_label(chain, source)} to {_label(chain, sink)}", alike, None, edge


def _label(chain: PowerChain, stage: int) -> str:
    """A stage's kind, with its place where the chain has two of the kind."""
    node = chain.nodes[stage]
    if sum(other.kind == node.kind for other in chain.nodes) == 1:
        return "cooling plant" if node.kind == "cooling" else node.kind
    return f"{node.level} {node.kind}"


def _carried_w(chain: PowerChain, graph: PowerGraph, failed: Bools | None, edge: int | None) -> float:
    """Most critical IT power that the graph's block can carry: the maximum flow, each piece's limit told in
    watts of IT that it stands for."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import maximum_flow

    size = graph.num_nodes
    source, sink = 2 * size, 2 * size + 1
    demand = _demand_w(chain, graph)
    most = np.array([_limit_it_w(chain, stage) for stage in range(len(chain.nodes))])[graph.node_stage]
    most = np.where(demand > 0, demand, most)
    if failed is not None:
        most = np.where(failed, 0.0, most)
    block_w = float(demand.sum())
    inside = np.ceil(np.minimum(most, block_w) / _STEP_W).astype(np.int32)
    wide = int(np.ceil(block_w / _STEP_W))
    keep = np.arange(len(graph.edge_from)) != (-1 if edge is None else edge)
    keep &= np.array([node.kind != "cooling" for node in chain.nodes])[graph.node_stage[graph.edge_to]]
    starts = np.setdiff1d(np.arange(size), graph.edge_to)
    ends = np.flatnonzero(demand > 0)
    rows = np.concatenate(
        [np.arange(size), graph.edge_from[keep] + size, np.full(len(starts), source), ends + size]
    )
    columns = np.concatenate([np.arange(size) + size, graph.edge_to[keep], starts, np.full(len(ends), sink)])
    weights = np.concatenate([inside, np.full(len(rows) - size, wide, np.int32)])
    network = csr_array((weights, (rows, columns)), shape=(2 * size + 2, 2 * size + 2), dtype=np.int32)
    return float(min(maximum_flow(network, source, sink).flow_value * _STEP_W, block_w))


def _demand_w(chain: PowerChain, graph: PowerGraph) -> npt.NDArray[np.float64]:
    """[pieces] critical IT power of each rack, as it draws it from the busway."""
    racks = np.array([node.kind == "rack" for node in chain.nodes])[graph.node_stage]
    taken = np.where(racks, graph.load_w, 0.0)
    all_w = next(node.input_w for node in chain.nodes if node.kind == "rack")
    return np.asarray(taken * chain.it_w / all_w)


def _limit_it_w(chain: PowerChain, stage: int) -> float:
    """Limit of one piece of a stage, in watts of IT that its output stands for."""
    node = chain.nodes[stage]
    if node.kind in ("cooling", "rack"):
        return 0.0
    passed = node.output_w
    if node.kind == "generator":
        passed = next(n for n in chain.nodes if n.kind == "switchgear" and n.level == "lineup").input_w
    share = 1.0 / chain.num_blocks if node.level == "site" else 1.0
    return node.limit_w * share * chain.it_w / passed


def _uncooled_w(chain: PowerChain, graph: PowerGraph, failed: Bools, edge: int | None) -> float:
    """IT power whose cooling has lost its feed.

    Each lineup that feeds racks feeds its share of cooling, unless another of its block can do it instead.
    """
    if not any(node.kind == "cooling" for node in chain.nodes):
        return 0.0
    if chain.lineups_per_block > chain.lineups_needed:
        return 0.0
    live = energised(graph, failed)
    cooling = np.array([node.kind == "cooling" for node in chain.nodes])[graph.node_stage[graph.edge_to]]
    feeding = cooling & live[graph.edge_from]
    if edge is not None:
        feeding[edge] = False
    return float(chain.it_w / chain.num_blocks * (1.0 - feeding.sum() / cooling.sum()))


def _note(chain: PowerChain, graph: PowerGraph, failed: Bools, edge: int | None) -> str:
    """Whether generators have to take over."""
    generators = np.array([node.kind == "generator" for node in chain.nodes])[graph.node_stage]
    without = failed | generators
    kept = np.arange(len(graph.edge_from)) != (-1 if edge is None else edge)
    live = energised(_keep(graph, kept), without)
    boards = np.array([n.kind == "switchgear" and n.level == "lineup" for n in chain.nodes])[graph.node_stage]
    if bool((live | ~boards | failed).all()):
        return ""
    return f"on batteries for {format_quantity(chain.longest_bridge_s, '_s')}, then on generators"


def _keep(graph: PowerGraph, kept: Bools) -> PowerGraph:
    return replace(
        graph,
        edge_from=graph.edge_from[kept],
        edge_to=graph.edge_to[kept],
        edge_standby=graph.edge_standby[kept],
    )
