"""Failures of a thousand random small fabrics, one by one, against maximum flows of another implementation.

The reference knows nothing of symmetry or of filling up: it lists every subset of nodes, asks scipy for the
maximum flow that each can send to a tier, and finds fair shares by the subsets' ratios (the flows of all
subsets are a polymatroid, whose tightest set sets the least share). Every cable, leg, switch and plane fails
in turn; the classes found must hold exactly as many of each effect. Collectives are walked node by node: who
is in whose scale-up domain, who is joined to whom below a tier, what is then left to send.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import combinations

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import maximum_flow

from gigawatt.design.fabric.failures import failure_effects
from gigawatt.design.fabric.graph import CORE, LEAF, MANAGER, NODE, ROLES, SPINE, FabricGraph
from gigawatt.domain.fabric import FabricDesign

NUM_FABRICS = 1000
BATCH = 50
PER_NODE = 2
UNIT_BYTES_PER_S = 12.5e9
GROUP_EXIT = CORE + 1
PLENTY = 10**6


@dataclass
class Draft:
    """A fabric as lists, before it is laid out in arrays."""

    devices: list[tuple[int, int, int, int]]
    """Role, pod, plane, unit."""
    links: list[tuple[int, int, int, int, int]]
    """Lower and upper device, port of the lower, capacity, cable."""

    def add(self, role: int, pod: int = -1, plane: int = -1, unit: int = -1) -> int:
        self.devices.append((role, pod, plane, unit))
        return len(self.devices) - 1

    def join(self, low: int, high: int, port: int, capacity: int, cable: int | None = None) -> int:
        number = cable if cable is not None else 1 + max((link[4] for link in self.links), default=-1)
        self.links.append((low, high, port, capacity, number))
        return number


def random_fabric(rng: np.random.Generator) -> Draft:
    """Units of nodes below leaves, spines, sometimes cores; rails, planes, twin cables; links missing."""
    if rng.random() < 0.15:
        return random_dragonfly(rng)
    draft = Draft([], [])
    planes, rails = int(rng.integers(1, 3)), int(rng.integers(1, 3))
    pods = int(rng.choice([1, 1, 2]))
    units = int(rng.choice([1, 2])) if pods == 1 else pods
    nodes = [
        [draft.add(NODE, u * pods // units, -1, u) for _ in range(rng.integers(1, 3))] for u in range(units)
    ]
    leaves = [
        [[draft.add(LEAF, u * pods // units, p, u) for _ in range(rails)] for p in range(planes)]
        for u in range(units)
    ]
    twin = planes == 2 and rng.random() < 0.5
    rate = int(rng.integers(1, 3))
    for u in range(units):
        for node in nodes[u]:
            for rail in range(rails):
                number = None
                for plane in range(planes):
                    number = number if twin else None
                    leaf = leaves[u][plane][rail]
                    number = draft.join(node, leaf, rail * planes + plane, rate, number)
    raise_tiers(rng, draft, leaves, pods, units)
    if rng.random() < 0.2:
        manager = draft.add(MANAGER, -1, -1, units - 1)
        draft.join(manager, leaves[-1][0][0], 0, rate)
    if rng.random() < 0.4:
        remove_some(rng, draft)
    return draft


def raise_tiers(
    rng: np.random.Generator, draft: Draft, leaves: list[list[list[int]]], pods: int, units: int
) -> None:
    """Spines above the leaves of each pod and plane, and cores above the spines at one place of all pods."""
    num_spines, up = int(rng.integers(0 if pods == 1 else 1, 3)), int(rng.integers(1, 4))
    rate, planes = int(rng.integers(1, 3)), len(leaves[0])
    spines: dict[tuple[int, int], list[int]] = {}
    for pod in range(pods):
        for plane in range(planes):
            above = [draft.add(SPINE, pod, plane) for _ in range(num_spines)]
            spines[pod, plane] = above
            below = [leaf for u in range(units) if u * pods // units == pod for leaf in leaves[u][plane]]
            for place, leaf in enumerate(below if above else []):
                for link in range(up):
                    draft.join(leaf, above[(place * up + link) % num_spines], 10 + link, rate)
    if pods == 1:
        return
    out, core_rate, num_cores = int(rng.integers(1, 3)), int(rng.integers(1, 4)), int(rng.integers(1, 3))
    for plane in range(planes):
        cores = [draft.add(CORE, -1, plane) for _ in range(num_cores)]
        for pod in range(pods):
            for place, spine in enumerate(spines[pod, plane]):
                for link in range(out):
                    draft.join(spine, cores[(place * out + link) % num_cores], 10 + link, core_rate)


def random_dragonfly(rng: np.random.Generator) -> Draft:
    """Groups of meshed routers with a link or two between each pair of groups."""
    draft = Draft([], [])
    groups, routers = int(rng.integers(2, 4)), int(rng.integers(1, 4))
    rate, far = int(rng.integers(1, 4)), int(rng.integers(1, 3))
    ends = [
        [draft.add(NODE, g, -1, g) for _ in range(rng.integers(1, 2 if groups == 3 else 3))]
        for g in range(groups)
    ]
    leaves = [[draft.add(LEAF, g, 0, g) for _ in range(routers)] for g in range(groups)]
    for g in range(groups):
        for place, node in enumerate(ends[g]):
            for port in range(PER_NODE):
                draft.join(node, leaves[g][(place + port) % routers], port, rate)
        for one, other in combinations(leaves[g], 2):
            draft.join(one, other, 20, 2)
    for number, (one, other) in enumerate(combinations(range(groups), 2)):
        for copy in range(far):
            here, there = leaves[one][(number + copy) % routers], leaves[other][copy % routers]
            draft.join(here, there, 30, 1)
    return draft


def remove_some(rng: np.random.Generator, draft: Draft) -> None:
    """A few links that were never laid, but not all of a node's; cables keep their other legs."""
    for _ in range(int(rng.integers(1, 4))):
        place = int(rng.integers(0, len(draft.links)))
        low = draft.links[place][0]
        role = draft.devices[low][0]
        if role not in (NODE, MANAGER):
            del draft.links[place]


def laid_out(draft: Draft) -> FabricGraph:
    """The arrays of a draft, devices sorted by role."""
    order = sorted(range(len(draft.devices)), key=lambda d: (draft.devices[d][0], d))
    place = {old: new for new, old in enumerate(order)}
    role, pod, plane, unit = (np.array([draft.devices[d][k] for d in order]) for k in range(4))
    a, b, port, rate, cable = (np.array([link[k] for link in draft.links]) for k in range(5))
    counts = np.bincount(role, minlength=len(ROLES))
    start = np.concatenate([[0], np.cumsum(counts)])
    a, b = np.array([place[d] for d in a.tolist()]), np.array([place[d] for d in b.tolist()])
    return FabricGraph(
        device_role=role.astype(np.int8),
        device_pod=pod.astype(np.int32),
        device_plane=plane.astype(np.int8),
        device_unit=unit.astype(np.int32),
        device_index=(np.arange(len(order)) - start[role]).astype(np.int32),
        cable_a=a.astype(np.int32),
        cable_b=b.astype(np.int32),
        cable_a_port=port.astype(np.int32),
        cable_b_port=np.zeros_like(port, np.int32),
        cable_bytes_per_s=(rate * UNIT_BYTES_PER_S).astype(np.float32),
        cable_plane=plane[b].astype(np.int8),
        cable_number=cable.astype(np.int32),
        role_start=tuple(start.tolist()),
    )


class Reference:
    """Shares by scipy's maximum flow over all subsets of nodes."""

    def __init__(self, graph: FabricGraph, nodes_per_domain: int = 1) -> None:
        self.graph, self.nodes_per_domain = graph, nodes_per_domain
        self.role = np.where(graph.device_role == MANAGER, NODE, graph.device_role)
        self.nodes = np.flatnonzero(graph.device_role == NODE).tolist()
        self.tiers = [t for t in (LEAF, SPINE, CORE) if (graph.device_role == t).any()]
        level = self.role[graph.cable_a] == self.role[graph.cable_b]
        self.beyond = level & (graph.device_pod[graph.cable_a] != graph.device_pod[graph.cable_b])
        if self.beyond.any():
            self.tiers.append(GROUP_EXIT)
        self.capacity = np.round(graph.cable_bytes_per_s / UNIT_BYTES_PER_S).astype(int)
        whole = np.ones(graph.num_links, bool)
        ports = {n: Fraction(int(self.capacity[graph.cable_a == n].sum())) for n in self.nodes}
        self.rate = {t: self.scaled(ports, self.fair(t, whole, ports)) for t in self.tiers}
        self.near = {t: {n: self.reached(n, t) for n in self.nodes} for t in self.tiers}
        self.usual = self.times({t: dict.fromkeys(self.nodes, Fraction(1)) for t in self.tiers})

    def mates(self, node: int) -> set[int]:
        """The nodes of its scale-up domain."""
        return {n for n in self.nodes if n // self.nodes_per_domain == node // self.nodes_per_domain}

    def reached(self, node: int, tier: int) -> set[int]:
        """Nodes that one gets to by its domain, or by its own links without climbing to a tier."""
        found, fresh = {node}, {node}
        while fresh and tier > LEAF:
            ends = list(zip(self.graph.cable_a.tolist(), self.graph.cable_b.tolist(), strict=True))
            below = [
                pair
                for pair, beyond in zip(ends, self.beyond.tolist(), strict=True)
                if not beyond and max(int(self.role[end]) for end in pair) < tier
            ]
            fresh = {end for pair in below if found & set(pair) for end in pair} - found
            found |= fresh
        return (found & set(self.nodes)) | self.mates(node)

    def times(self, share: dict[int, dict[int, Fraction]]) -> tuple[Fraction, Fraction, Fraction] | None:
        """Of a ring, of all-to-all and of pairs as far apart as can be; None where one does not end."""
        slowest = [Fraction(0)] * 3
        for domain in {frozenset(self.mates(n)) for n in self.nodes}:
            for t in self.tiers:
                away = {n: len(self.nodes) - len(self.near[t][n]) for n in domain}
                if not any(away.values()) or not sum(self.rate[t][n] for n in domain):
                    continue
                rate = sum(self.rate[t][n] * share[t][n] for n in domain)
                if not rate:
                    return None
                ring = sum(Fraction(1, len(self.near[t][n])) for n in domain if away[n])
                sends = (ring, Fraction(sum(away.values())), Fraction(sum(far > 0 for far in away.values())))
                slowest = [max(old, new / rate) for old, new in zip(slowest, sends, strict=True)]
        return slowest[0], slowest[1], slowest[2]

    def slowdown(self, left: np.ndarray) -> tuple[float, ...]:
        """Of the same three; empty where one does not end."""
        slow = self.times({t: self.fair(t, left, self.rate[t]) for t in self.tiers})
        assert self.usual is not None
        if slow is None:
            return ()
        return tuple(float(s / u) if u else 1.0 for s, u in zip(slow, self.usual, strict=True))

    @staticmethod
    def scaled(rate: dict[int, Fraction], share: dict[int, Fraction]) -> dict[int, Fraction]:
        return {n: rate[n] * share[n] for n in rate}

    def arcs(self, tier: int, left: np.ndarray) -> tuple[tuple[int, int, int], ...]:
        """Upward arcs below a tier, (tail, head, capacity); the tier is device -1."""
        found: Counter[tuple[int, int]] = Counter()
        for link in np.flatnonzero(left).tolist():
            a, b = int(self.graph.cable_a[link]), int(self.graph.cable_b[link])
            rate, roles = int(self.capacity[link]), (int(self.role[a]), int(self.role[b]))
            if self.beyond[link]:
                found[a, -1] += rate
                found[b, -1] += rate
            elif roles[0] == roles[1]:
                found[a, b] += rate
                found[b, a] += rate
            elif roles[0] < tier:
                found[a, -1 if roles[1] == tier else b] += rate
        kept = {(a, b): c for (a, b), c in found.items() if self.role[a] < tier}
        return tuple(sorted((a, b, c) for (a, b), c in kept.items()))

    def fair(self, tier: int, left: np.ndarray, rate: dict[int, Fraction]) -> dict[int, Fraction]:
        """Max-min fair shares: peel off the largest of the tightest subsets, again and again."""
        sent = flows_of_subsets(self.arcs(tier, left), tuple(self.nodes), len(self.role))
        share = {n: Fraction(1) for n in self.nodes}
        done: frozenset[int] = frozenset()
        while True:
            rest = [n for n in self.nodes if n not in done and rate[n]]
            ratios = {
                (sent[done | set(some)] - sent[done]) / sum(rate[n] for n in some): frozenset(some)
                for size in range(1, len(rest) + 1)
                for some in combinations(rest, size)
            }
            if not ratios or min(ratios) >= 1:
                return share
            tightest = ratios[min(ratios)]
            share |= dict.fromkeys(tightest, min(ratios))
            done |= tightest

    def effect(self, left: np.ndarray) -> tuple[float, float, int, int]:
        """(bandwidth left, fabric left, cut off, slowed)."""
        worst = {n: Fraction(1) for n in self.nodes}
        total = Fraction(1)
        for tier in self.tiers:
            rate = self.rate[tier]
            share = self.fair(tier, left, rate)
            worst = {n: min(worst[n], share[n]) for n in self.nodes}
            if everything := sum(rate.values()):
                total = min(total, sum(rate[n] * share[n] for n in self.nodes) / everything)
        cut_off = PER_NODE * sum(not one for one in worst.values())
        slowed = PER_NODE * sum(0 < one < 1 for one in worst.values())
        return float(min(worst.values())), float(total), cut_off, slowed


@lru_cache(maxsize=4096)
def flows_of_subsets(
    arcs: tuple[tuple[int, int, int], ...], nodes: tuple[int, ...], size: int
) -> dict[frozenset[int], Fraction]:
    """What every subset of the nodes can send to device -1 together."""
    rows = [(tail, head if head >= 0 else size, capacity) for tail, head, capacity in arcs]
    rows += [(size + 1, node, PLENTY) for node in nodes]
    tails, heads, capacities = (np.array(column, np.int32) for column in zip(*rows, strict=True))
    network = csr_matrix((capacities, (tails, heads)), shape=(size + 2, size + 2))
    entrance = slice(network.indptr[size + 1], network.indptr[size + 2])
    flows = {frozenset[int](): Fraction(0)}
    for number in range(1, len(nodes) + 1):
        for some in combinations(nodes, number):
            network.data[entrance] = PLENTY * np.isin(network.indices[entrance], some)
            flow = maximum_flow(network, size + 1, size)
            flows[frozenset(some)] = Fraction(int(flow.flow_value))
    return flows


def own_ports_left(graph: FabricGraph, left: np.ndarray) -> float:
    """Least share of its links that an accelerator keeps."""
    own = (graph.device_role[graph.cable_a] == NODE) & (graph.device_role[graph.cable_b] == LEAF)
    num_ports = int(graph.cable_a_port[own].max()) + 1
    owner = list(
        zip(graph.cable_a.tolist(), (graph.cable_a_port * PER_NODE // num_ports).tolist(), strict=True)
    )
    before: Counter[tuple[int, int]] = Counter()
    after: Counter[tuple[int, int]] = Counter()
    for link in np.flatnonzero(own).tolist():
        before[owner[link]] += float(graph.cable_bytes_per_s[link])
        after[owner[link]] += float(graph.cable_bytes_per_s[link]) * bool(left[link])
    return min(after[one] / before[one] for one in before)


def failures(graph: FabricGraph) -> list[tuple[str, np.ndarray]]:
    """Every single failure: its kind, and which links it leaves."""
    found = []
    for number in np.unique(graph.cable_number):
        links = graph.cable_number == number
        first = int(np.flatnonzero(links)[0])
        kind = "-".join(ROLES[graph.device_role[end[first]]] for end in (graph.cable_a, graph.cable_b))
        found.append((f"cable {kind}", ~links))
        if links.sum() > 1:
            legs = np.flatnonzero(links)
            found += [(f"leg {kind}", np.arange(graph.num_links) != leg) for leg in legs]
    for device in np.flatnonzero(np.isin(graph.device_role, (LEAF, SPINE, CORE))):
        left = (graph.cable_a != device) & (graph.cable_b != device)
        found.append((f"{ROLES[graph.device_role[device]]} switch", left))
    planes = np.unique(graph.device_plane[graph.device_plane >= 0])
    if len(planes) > 1:
        found += [("plane", graph.cable_plane != plane) for plane in planes]
    return found


def check(graph: FabricGraph, nodes_per_domain: int) -> None:
    num_nodes = int((graph.device_role == NODE).sum())
    reference = Reference(graph, nodes_per_domain)
    ports = int(graph.cable_a_port[graph.device_role[graph.cable_a] == NODE].max()) + 1
    expected: Counter[tuple[object, ...]] = Counter()
    for kind, left in failures(graph):
        own = own_ports_left(graph, left) if ports % PER_NODE == 0 else None
        slow = tuple(round(one, 6) for one in reference.slowdown(left))
        expected[kind, *(round(one, 9) for one in reference.effect(left)), own and round(own, 6), slow] += 1
    design = FabricDesign(
        fabric="random",
        system="random",
        num_accelerators=num_nodes * PER_NODE,
        num_nodes=num_nodes,
        nodes_per_domain=nodes_per_domain,
        networks=(),
    )
    found: Counter[tuple[object, ...]] = Counter()
    told = ("all_reduce", "all_to_all", "send_recv")
    for effect in failure_effects(design, graph):
        key = (
            effect.failing.partition(" (as")[0],
            round(effect.bandwidth_left_frac or 0.0, 9),
            round(effect.fabric_left_frac or 0.0, 9),
            effect.num_accelerators_cut_off,
            effect.num_accelerators_slowed,
            effect.own_ports_left_frac and round(effect.own_ports_left_frac, 6),
            tuple(round(effect.slowdown[one], 6) for one in told if effect.slowdown),
        )
        found[key] += effect.num_alike
    assert found == expected


@pytest.mark.parametrize("batch", range(NUM_FABRICS // BATCH))
def test_every_failure_is_that_of_a_maximum_flow(batch: int) -> None:
    for seed in range(batch * BATCH, (batch + 1) * BATCH):
        check(laid_out(random_fabric(np.random.default_rng(seed))), nodes_per_domain=1 + seed % 3)
