"""A system and its fabric as a collective sees them: which transports, how fast, how the ranks lie."""

from __future__ import annotations

import math
from dataclasses import dataclass

from gigawatt.design.collectives.algorithms import Span
from gigawatt.design.collectives.hashing import EVEN, hash_slowdown, leaf_flows
from gigawatt.design.collectives.pricing import Links
from gigawatt.design.collectives.torus import Block, block_of
from gigawatt.domain.calibration_collectives import CollectiveCalibration, ScaleOut, ScaleUp
from gigawatt.domain.fabric import FabricDesign, Network
from gigawatt.domain.hardware import System
from gigawatt.errors import InputError
from gigawatt.laws.congestion import Spread

EXCHANGING = ("all_to_all", "moe_dispatch", "moe_combine")
"""Collectives whose traffic crosses every boundary in proportion to the ranks beyond it."""


@dataclass(frozen=True)
class Route:
    """What a group of ranks runs over."""

    near: ScaleUp
    far: ScaleOut | None
    """None where one domain holds all ranks."""
    span: Span
    links: Links
    near_name: str
    far_name: str
    known: bool
    """Whether the system's own transports are in the calibration, rather than the nearest in kind."""
    hashed: Spread = EVEN
    """What hash collisions slow the network by; the rates of `links` have the mean of it taken off."""

    @property
    def domains(self) -> int:
        return int(self.span.domains)


@dataclass(frozen=True)
class Circumstances:
    """What else goes on: collectives that share the ports, hash collisions, other groups on the fabric."""

    num_groups: int = 1
    num_sharing: int = 1
    congestion: float = 1.0


def route_of(
    collective: str,
    num_ranks: int,
    system: System,
    calibration: CollectiveCalibration,
    fabric: FabricDesign | None,
    network: str,
    ranks_per_domain: int | None,
    around: Circumstances,
) -> Route:
    """How ranks lie over the system: domains filled in turn, unless `ranks_per_domain` says otherwise."""
    domain = system.num_accelerators_per_domain
    inside = min(num_ranks, ranks_per_domain or domain)
    if inside > domain:
        raise InputError(f"ranks_per_domain is {inside}, but a domain of {system.name} has {domain}")
    domains = math.ceil(num_ranks / inside)
    near, own_near = _near_of(system, calibration)
    far, own_far = _far_of(system, calibration, fabric, network) if domains > 1 else (None, True)
    rate = _port_rate(system, fabric) if far else 1.0
    block = block_of(inside, near.torus_axes, near.torus_ring_multiple) if near.torus_axes else None
    span = Span(
        num_ranks,
        inside,
        domains,
        float(system.in_network_reduction),
        float(bool(far and far.in_network_reduction)),
        block.num_hops if block else 0.0,
    )
    hashed = _hashed(collective, inside, domains, system, near, fabric, around)
    loss = _loss(collective, num_ranks, inside, fabric, around) * hashed.mean_factor
    links = Links(
        near_bytes_per_s=_near_rate(collective, system, near, inside, block) / around.num_sharing,
        far_bytes_per_s=_ports(collective, num_ranks, inside, near) * rate / loss / around.num_sharing,
        hop_s=far.hop_s if far else 0.0,
    )
    wired = fabric.fabric if fabric else system.scale_out
    near_name = near.name if own_near else f"scale-up links of {system.name}"
    far_name = f"network ports, {wired}" if far else ""
    return Route(near, far, span, links, near_name, far_name, own_near and own_far, hashed)


def _ports(collective: str, num_ranks: int, inside: int, near: ScaleUp) -> int:
    """Accelerators whose ports carry what crosses: those of the domain with the fewest ranks."""
    left = num_ranks % inside
    return ports_used(collective, left if left and collective not in EXCHANGING else inside, near)


def ports_used(collective: str, inside: int, near: ScaleUp) -> int:
    """Network ports that `inside` ranks of a domain use: rings and trees only as many as channels reach.

    What is exchanged with every rank leaves by each rank's own port.
    """
    if collective in EXCHANGING or near.most_network_ports is None:
        return inside
    return min(inside, near.most_network_ports)


def _near_of(system: System, calibration: CollectiveCalibration) -> tuple[ScaleUp, bool]:
    """The system's scale-up links, else those nearest in rate among switches that reduce alike."""
    for row in calibration.scale_up:
        if system.id in row.systems:
            return row, True
    rate = system.scale_up_bytes_per_s or 1.0
    rows = [row for row in calibration.scale_up if not row.torus_axes]
    alike = [row for row in rows if row.in_network_reduction == system.in_network_reduction]
    chosen = min(alike or rows, key=lambda row: abs(math.log(row.bytes_per_s / rate)))
    return chosen, False


def _near_rate(collective: str, system: System, near: ScaleUp, inside: int, block: Block | None) -> float:
    """Rate at which an accelerator's bytes leave it or come in, of the links that the group has."""
    rate = system.scale_up_bytes_per_s or near.bytes_per_s
    if block and block.num_hops:
        link = rate / (2 * near.torus_axes)
        if collective in EXCHANGING:
            return link / block.load_frac
        return link if collective == "send_recv" else link * block.num_links
    if not near.mesh:
        return rate
    others = system.num_accelerators_per_domain - 1
    return rate * max(1, min(inside - 1, others)) / others


def _far_of(
    system: System, calibration: CollectiveCalibration, fabric: FabricDesign | None, network: str
) -> tuple[ScaleOut, bool]:
    """The network that is asked for, else the fabric's kind, else the system's, else the first there is."""
    if network:
        for row in calibration.scale_out:
            if row.id == network:
                return row, True
        known = ", ".join(row.id for row in calibration.scale_out)
        raise InputError(f"network: no such class of network, {network}; there are {known}")
    told = [system.scale_out]
    if fabric is not None:
        technology = fabric.compute.technology
        kind = {"ethernet": "ethernet-roce"}.get(technology, technology)
        told = [system.scale_out if system.scale_out == "efa" else kind, system.scale_out]
    for name in told:
        for row in calibration.scale_out:
            if name in row.networks:
                return row, True
    return calibration.scale_out[0], False


def _port_rate(system: System, fabric: FabricDesign | None) -> float:
    """Rate of one accelerator's network ports: as they are cabled, else as the system has them."""
    if fabric is not None:
        cabled = [group for group in fabric.compute.cables if group.lower == "node"]
        if cabled and fabric.num_accelerators:
            return sum(group.num_cables * group.bytes_per_s for group in cabled) / fabric.num_accelerators
    if system.scale_out_bytes_per_s is None:
        raise InputError(f"{system.name}: the rate of its network between domains is not known")
    return system.scale_out_bytes_per_s


def _loss(
    collective: str, num_ranks: int, inside: int, fabric: FabricDesign | None, around: Circumstances
) -> float:
    """By how much the network between domains is slower than its ports: collisions, oversubscribed pods.

    Rings and trees cross a pod's boundary once, as they cross a node's, so they do not feel a pod's
    oversubscription; what is exchanged with every rank does.
    """
    if fabric is None or collective not in EXCHANGING:
        return around.congestion
    return around.congestion * _pod_loss(num_ranks, inside, fabric.compute, around.num_groups)


def _hashed(
    collective: str,
    inside: int,
    domains: int,
    system: System,
    near: ScaleUp,
    fabric: FabricDesign | None,
    around: Circumstances,
) -> Spread:
    """Slow-down by hash collisions; none without a fabric, or where its flows are not hashed."""
    if fabric is None or domains < 2:
        return EVEN
    domain = system.num_accelerators_per_domain
    beside = min(around.num_groups, domain // inside)
    flows = leaf_flows(
        fabric.compute,
        domain / system.num_accelerators_per_node,
        domains,
        min(1.0, beside * ports_used(collective, inside, near) / domain),
        around.num_groups > beside,
        collective in EXCHANGING,
    )
    return hash_slowdown(flows)


def _pod_loss(num_ranks: int, inside: int, network: Network, num_groups: int) -> float:
    pod = network.num_accelerators_per_pod
    if not pod or num_ranks <= pod:
        return 1.0
    used = min(1.0, num_ranks * num_groups / (pod * network.num_pods))
    leaving = (num_ranks - pod) / (num_ranks - inside)
    return max(1.0, network.oversubscription * used * leaving)
