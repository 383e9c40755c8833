"""The one-line graph of a power chain: every piece, and which feeds which."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from gigawatt.design.facility.power_stages import losses_of, output_of_w
from gigawatt.domain.facility import PowerChain, PowerNode

Ints = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class PowerGraph:
    """Pieces and the breakers between them. Whatever feeds has a lower number than what it feeds."""

    node_stage: Ints
    """[pieces] number of its stage among the chain's nodes."""
    node_index: Ints
    """[pieces] number within its stage."""
    node_block: Ints
    """[pieces] block; -1: stands for the whole site."""
    node_lineup: Ints
    """[pieces] lineup within its block; -1: stands for all of them."""
    edge_from: Ints
    """[edges] piece that feeds."""
    edge_to: Ints
    """[edges] piece that is fed."""
    edge_standby: Bools
    """[edges] carries only where nothing else feeds."""
    stages: tuple[str, ...]
    """Kind of each stage."""
    load_w: Floats
    """[pieces] what racks and cooling take at full load; 0 for all else [W]."""

    @property
    def num_nodes(self) -> int:
        """Pieces of all stages."""
        return len(self.node_stage)

    def node_name(self, number: int) -> str:
        """Such as "ups-0003", by stage and number within it."""
        stage = int(self.node_stage[number])
        kind = self.stages[stage]
        twins = [one for one, other in enumerate(self.stages) if other == kind]
        label = f"{kind}{twins.index(stage) + 1}" if len(twins) > 1 else kind
        return f"{label}-{int(self.node_index[number]):04d}"


class Flow(NamedTuple):
    """What passes each piece and each edge."""

    input_w: Floats
    """[pieces] W"""
    output_w: Floats
    """[pieces] W"""
    loss_w: Floats
    """[pieces] W"""
    edge_w: Floats
    """[edges] W"""


def power_graph(chain: PowerChain, num_blocks: int | None = None) -> PowerGraph:
    """Every piece of the chain with what feeds it; of the first `num_blocks` blocks only, where given.

    Deterministic: the same chain gives the same graph.
    """
    return _Builder(chain, chain.num_blocks if num_blocks is None else num_blocks).build()


class _Builder:
    """Numbers pieces from the utility down, and joins each to what is above it."""

    def __init__(self, chain: PowerChain, num_blocks: int) -> None:
        self.chain = chain
        self.num_blocks = num_blocks
        self.rows: list[tuple[int, int, int, int]] = []
        self.counts = [0] * len(chain.nodes)
        self.edges: list[tuple[int, int, bool]] = []
        self.loads: dict[int, float] = {}
        stage = {(node.kind, node.level): number for number, node in enumerate(chain.nodes)}
        self.stage = stage
        self.racks = _racks_in_blocks(chain)

    def build(self) -> PowerGraph:
        above = self._site()
        for block in range(self.num_blocks):
            self._block(block, above)
        pieces = np.array(self.rows, np.int32)
        source, sink, standby = zip(*self.edges, strict=True)
        load = np.zeros(len(self.rows))
        load[list(self.loads)] = list(self.loads.values())
        return PowerGraph(
            pieces[:, 0],
            pieces[:, 1],
            pieces[:, 2],
            pieces[:, 3],
            np.array(source, np.int32),
            np.array(sink, np.int32),
            np.array(standby, bool),
            tuple(node.kind for node in self.chain.nodes),
            load,
        )

    def _add(self, stage: int, block: int = -1, lineup: int = -1, load_w: float = 0.0) -> int:
        self.rows.append((stage, self.counts[stage], block, lineup))
        self.counts[stage] += 1
        number = len(self.rows) - 1
        if load_w:
            self.loads[number] = load_w
        return number

    def _join(self, sources: list[int], sinks: list[int], standby: bool = False) -> None:
        self.edges += [(source, sink, standby) for source in sources for sink in sinks]

    def _site(self) -> list[list[int]]:
        """What feeds lineups, by side. Sides that share transformers are joined by them."""
        chain = self.chain
        before: list[list[int]] = [[] for _ in range(chain.num_sides)]
        apart = chain.redundancy == "2n"
        for stage, node in enumerate(chain.nodes):
            if node.level != "site":
                continue
            pieces = [self._add(stage) for _ in range(node.num_installed)]
            shared = node.kind == "transformer" and not apart
            here = [pieces if shared else pieces[side :: chain.num_sides] for side in range(chain.num_sides)]
            for feeding, fed in zip(before, here, strict=True):
                self._join(feeding, fed)
            before = here
        return before

    def _block(self, block: int, above: list[list[int]]) -> None:
        chain = self.chain
        lineups = range(chain.lineups_per_block)
        common = self.stage.get(("generator", "block"))
        gensets: list[int] = []
        if common is not None:
            gensets = [self._add(common, block) for _ in range(self._per(common, chain.num_blocks))]
        boards = [self._lineup(block, lineup, above, gensets) for lineup in lineups]
        loaded = [lineup for lineup in lineups if not self._is_reserve(lineup)]
        self._cooling(block, [boards[lineup][0] for lineup in lineups])
        busways = {lineup: self._distribution(block, lineup, boards, len(loaded)) for lineup in loaded}
        self._hang(block, busways)

    def _is_reserve(self, lineup: int) -> bool:
        return self.chain.redundancy == "block" and lineup >= self.chain.lineups_needed

    def _per(self, stage: int, groups: int) -> int:
        return self.chain.nodes[stage].num_installed // groups

    def _lineup(
        self, block: int, lineup: int, above: list[list[int]], gensets: list[int]
    ) -> tuple[int, list[int]]:
        """Its switchgear and its UPS."""
        chain, stage = self.chain, self.stage
        all_lineups = chain.num_blocks * chain.lineups_per_block
        transformer = self._add(stage["transformer", "lineup"], block, lineup)
        number = block * chain.lineups_per_block + lineup
        apart = chain.redundancy == "2n"
        for side, feeding in enumerate(above):
            if not apart or side == lineup % chain.num_sides:
                pick = [feeding[number % len(feeding)]]
                self._join(pick, [transformer], standby=not apart and side != lineup % chain.num_sides)
        if ("generator", "lineup") in stage:
            own = stage["generator", "lineup"]
            gensets = [self._add(own, block, lineup) for _ in range(self._per(own, all_lineups))]
        board = self._add(stage["switchgear", "lineup"], block, lineup)
        self._join([transformer], [board])
        self._join(gensets, [board], standby=True)
        ups_stage = stage["ups", "lineup"]
        ups = [self._add(ups_stage, block, lineup) for _ in range(self._per(ups_stage, all_lineups))]
        self._join([board], ups)
        return board, ups

    def _cooling(self, block: int, boards: list[int]) -> None:
        stage = self.stage.get(("cooling", "block"))
        if stage is None:
            return
        node = self._add(stage, block, load_w=self.chain.cooling_w / self.chain.num_blocks)
        for lineup, board in enumerate(boards):
            self._join([board], [node], standby=self._is_reserve(lineup))

    def _distribution(
        self, block: int, lineup: int, boards: list[tuple[int, list[int]]], num_loaded: int
    ) -> list[int]:
        """Busways and distribution units of a lineup; the last of them feed racks."""
        before = boards[lineup][1]
        first = True
        for kind in ("busway", "pdu"):
            stage = self.stage.get((kind, "lineup"))
            if stage is None:
                continue
            pieces = [
                self._add(stage, block, lineup)
                for _ in range(self._per(stage, self.chain.num_blocks * num_loaded))
            ]
            if first:
                self._join(before, pieces)
                for reserve in range(len(boards)):
                    if self._is_reserve(reserve):
                        self._join(boards[reserve][1], pieces, standby=True)
            else:
                self._join_spread(before, pieces)
            before, first = pieces, False
        return before

    def _join_spread(self, sources: list[int], sinks: list[int]) -> None:
        for number, sink in enumerate(sinks):
            self._join([sources[number * len(sources) // len(sinks)]], [sink])

    def _hang(self, block: int, busways: dict[int, list[int]]) -> None:
        """Racks on the busways of their lineups, those of each kind evenly."""
        ways = [piece for pieces in busways.values() for piece in pieces]
        hung = dict.fromkeys(ways, 0.0)
        pairs = _feeding_lineups(self.chain)
        for kind, count in enumerate(self.racks[block]):
            power_w = self.chain.rack_w[kind]
            alike = dict.fromkeys(ways, 0)
            for number in range(count):
                chosen: list[int] = []
                for lineup in pairs[number % len(pairs)]:
                    free = [piece for piece in busways[lineup] if piece not in chosen]
                    piece = min(free, key=lambda one: (alike[one], hung[one], one))
                    alike[piece] += 1
                    hung[piece] += power_w
                    chosen.append(piece)
                self._rack(block, kind, power_w, chosen)

    def _rack(self, block: int, kind: int, power_w: float, ways: list[int]) -> None:
        chain = self.chain
        pieces = chain.pieces_by_kind[kind] if chain.pieces_by_kind else 0
        rack_stage = self.stage["rack", "rack"]
        last: list[int] = ways
        taps = self.stage.get(("breaker", "rack"))
        shelves = self.stage.get(("shelf", "rack"))
        for stage in (taps, shelves):
            if stage is None:
                continue
            added = [self._add(stage, block) for _ in range(pieces)]
            for number, piece in enumerate(added):
                self._join([last[number] if len(last) == pieces else last[number % len(last)]], [piece])
            last = added
        share = power_w / sum(w * n for w, n in zip(chain.rack_w, chain.racks_by_kind, strict=True))
        load_w = chain.it_w * share
        for stage in (taps, shelves):
            if stage is not None:
                load_w = output_of_w(losses_of(chain.nodes[stage]), load_w, pieces)
        self._join(last, [self._add(rack_stage, block, load_w=load_w)])


def _feeding_lineups(chain: PowerChain) -> list[tuple[int, ...]]:
    """The lineups that a rack hangs on, racks taking turns."""
    lineups = range(chain.lineups_per_block)
    if chain.redundancy == "block":
        return [(lineup,) * chain.feeds_per_rack for lineup in range(chain.lineups_needed)]
    if chain.feeds_per_rack == 1:
        return [(lineup,) for lineup in lineups]
    # Neighbours first, so that few racks still load all lineups alike.
    return [(one, (one + step) % len(lineups)) for step in range(1, len(lineups)) for one in lineups]


def _racks_in_blocks(chain: PowerChain) -> list[list[int]]:
    """Racks of each kind in each block, every kind spread evenly."""
    blocks = range(chain.num_blocks)
    return [
        [
            (block + 1) * count // chain.num_blocks - block * count // chain.num_blocks
            for count in chain.racks_by_kind
        ]
        for block in reversed(blocks)
    ]


def power_flow(graph: PowerGraph, chain: PowerChain, failed: Bools | None = None) -> Flow:
    """Watts through every piece and edge at full load; what has no power takes none.

    What feeds a piece shares its draw evenly; standby edges carry where nothing else does. At every piece
    what goes in is what goes out and its losses.
    """
    live = energised(graph, failed)
    carries = _carrying(graph, live)
    num_feeding = np.bincount(graph.edge_to[carries], minlength=graph.num_nodes)
    output = np.where(live, graph.load_w, 0.0)
    input_w, loss_w = np.zeros(graph.num_nodes), np.zeros(graph.num_nodes)
    edge_w = np.zeros(len(graph.edge_from))
    by_sink = np.argsort(graph.edge_to, kind="stable")
    first = np.searchsorted(graph.edge_to[by_sink], np.arange(graph.num_nodes + 1))
    losing = [_losing(node) for node in chain.nodes]
    for start, end, stage in _runs(graph):
        alive = live[start:end]
        loss_w[start:end] = np.where(alive, losing[stage](output[start:end]), 0.0)
        input_w[start:end] = output[start:end] + loss_w[start:end]
        edges = by_sink[first[start] : first[end]]
        edges = edges[carries[edges]]
        sinks = graph.edge_to[edges]
        edge_w[edges] = input_w[sinks] / num_feeding[sinks]
        np.add.at(output, graph.edge_from[edges], edge_w[edges])
    return Flow(input_w, output, loss_w, edge_w)


def _losing(node: PowerNode) -> Callable[[Floats], Floats]:
    losses = losses_of(node)
    standing_by = node.kind == "generator"

    def loss_w(output_w: Floats) -> Floats:
        lost = np.asarray(losses.loss_w(output_w, node.voltage_frac), float)
        return np.where(output_w > 0, lost, 0.0) if standing_by else lost

    return loss_w


def _runs(graph: PowerGraph) -> Iterator[tuple[int, int, int]]:
    """Pieces of one stage that follow each other, the last first."""
    changes = np.flatnonzero(np.diff(graph.node_stage)) + 1
    bounds = [0, *changes.tolist(), graph.num_nodes]
    for start, end in zip(reversed(bounds[:-1]), reversed(bounds[1:]), strict=True):
        yield start, end, int(graph.node_stage[start])


def energised(graph: PowerGraph, failed: Bools | None = None) -> Bools:
    """[pieces] whether power reaches it: it has not failed, and is a source or fed by what has power."""
    live = np.ones(graph.num_nodes, bool) if failed is None else ~failed
    fed = np.ones(graph.num_nodes, bool)
    fed[np.unique(graph.edge_to)] = False
    live &= fed
    ok = np.ones(graph.num_nodes, bool) if failed is None else ~failed
    # Sources come first, so that one pass in order of what is fed reaches all.
    for edge in np.argsort(graph.edge_to, kind="stable"):
        if live[graph.edge_from[edge]] and ok[graph.edge_to[edge]]:
            live[graph.edge_to[edge]] = True
    return live


def _carrying(graph: PowerGraph, live: Bools) -> Bools:
    """[edges] whether it carries: both ends live, and standby only where nothing else feeds."""
    usable = live[graph.edge_from] & live[graph.edge_to]
    firsts = usable & ~graph.edge_standby
    has_first = np.zeros(graph.num_nodes, bool)
    has_first[graph.edge_to[firsts]] = True
    return firsts | (usable & graph.edge_standby & ~has_first[graph.edge_to])
