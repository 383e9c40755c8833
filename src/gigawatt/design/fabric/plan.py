"""From rules to counts: every network of a cluster, its tiers and cables, for so many accelerators.

Nothing here knows a fabric by name. A kind of fabric says how its units, leaves, planes and pods are laid
out; what follows from that and from the radix of its switches is computed, and checked against every port.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from gigawatt.design.fabric.parts import FabricParts
from gigawatt.design.fabric.tiers import (
    Endpoints,
    Leaves,
    OutOfReach,
    Upper,
    impossible,
    plan_leaves,
    plan_upper,
    split_of,
    whole_up,
)
from gigawatt.domain.fabric import (
    CableGroup,
    FabricDesign,
    FabricKind,
    Network,
    NetworkName,
    SwitchTier,
)
from gigawatt.domain.hardware import System
from gigawatt.errors import InfeasibleError, InputError
from gigawatt.laws.topology import (
    dragonfly_groups,
    dragonfly_terminals,
    mesh_links,
    torus_links,
    tree_bisection_bytes_per_s,
)
from gigawatt.units import format_link_rate

MOST_OVERSUBSCRIPTION = 64.0
LEAST_OVERSUBSCRIPTION = 0.25
MOST_PLANES = 16
_ORDER: tuple[NetworkName, ...] = ("scale-up", "storage", "management", "out-of-band")


def plan_fabric(
    system: System,
    num_accelerators: int,
    parts: FabricParts,
    oversubscription: float | None = None,
    num_planes: int | None = None,
) -> FabricDesign:
    """Counts of switches and cables of every network, without lengths.

    `oversubscription` is that of the pods where the kind has pods, of the leaves otherwise. Errors:
    InputError for what is absurd; InfeasibleError with what binds and the nearest design that works.
    """

    def planned(number: int) -> FabricDesign:
        return _planned(system, number, parts, oversubscription, num_planes)

    try:
        return planned(num_accelerators)
    except OutOfReach as error:
        nearest = _nearest(system, num_accelerators, planned)
        raise InfeasibleError(f"{error.binding}; nearest design that works: {nearest}") from None


def is_within_reach(system: System, num_accelerators: int, parts: FabricParts) -> bool:
    """Whether so many can be joined, without a search for how many else."""
    try:
        _planned(system, num_accelerators, parts, None, None)
    except InfeasibleError:
        return False
    return True


def _nearest(system: System, num_accelerators: int, planned: Callable[[int], FabricDesign]) -> str:
    """The most that all networks together can join, in whole scale-up domains where there are several."""
    step = system.num_accelerators_per_domain
    step = step if step < num_accelerators else system.num_accelerators_per_node
    works, fails = 0, -(-num_accelerators // step)
    while fails - works > 1:
        middle = (works + fails) // 2
        try:
            planned(middle * step)
            works = middle
        except InfeasibleError:
            fails = middle
    nodes = works * step // system.num_accelerators_per_node
    return f"{works * step:,} accelerators ({nodes:,} nodes)" if works else "another kind of fabric"


def _planned(
    system: System,
    num_accelerators: int,
    parts: FabricParts,
    oversubscription: float | None,
    num_planes: int | None,
) -> FabricDesign:
    _refuse_absurd(num_accelerators, oversubscription, num_planes)
    per_node = system.num_accelerators_per_node
    if num_accelerators % per_node:
        below, above = num_accelerators // per_node * per_node, -(-num_accelerators // per_node) * per_node
        nearest = f"{below:,} or {above:,} accelerators" if below else f"{above:,} accelerators"
        impossible("whole nodes", f"{num_accelerators:,} is not a multiple of {per_node}", nearest)
    if parts.kind.topology in ("single-tier", "mesh", "torus"):
        raise InputError(f"{parts.kind.id} joins no nodes beyond its units: it is no network of a cluster")
    kind = with_planes(parts.kind, num_planes, parts)
    nodes = num_accelerators // per_node
    compute = plan_network(kind, "compute", nodes, per_node, parts, oversubscription)
    others = {
        name: plan_network(parts.others[name], name, _machines(parts.others[name], nodes), per_node, parts)
        for name in _ORDER
        if name in parts.others and not parts.others[name].manages_switches
    }
    built = [*others.values(), compute]
    for name in _ORDER:
        if name in parts.others and parts.others[name].manages_switches:
            others[name] = _management(parts.others[name], name, nodes, per_node, parts, built)
    networks = (compute, *(others[name] for name in _ORDER if name in others))
    return FabricDesign(
        fabric=kind.id,
        system=system.id,
        num_accelerators=num_accelerators,
        num_nodes=nodes,
        nodes_per_domain=max(1, system.num_accelerators_per_domain // per_node),
        num_units=compute.num_units,
        networks=networks,
        notes=_notes(compute, parts, system),
    )


def _refuse_absurd(num_accelerators: int, oversubscription: float | None, num_planes: int | None) -> None:
    if num_accelerators < 1:
        raise InputError(f"num_accelerators: expected 1 or more, found {num_accelerators}")
    least, most = LEAST_OVERSUBSCRIPTION, MOST_OVERSUBSCRIPTION
    if oversubscription is not None and not least <= oversubscription <= most:
        raise InputError(
            f"oversubscription: expected {least:g} to {most:g} "
            f"(bandwidth down over bandwidth up), found {oversubscription:g}"
        )
    if num_planes is not None and not 1 <= num_planes <= MOST_PLANES:
        raise InputError(f"num_planes: expected 1 to {MOST_PLANES}, found {num_planes}")


def _machines(kind: FabricKind, num_nodes: int) -> int:
    return num_nodes + whole_up(num_nodes * kind.other_nodes_frac)


def _management(
    kind: FabricKind,
    name: NetworkName,
    num_nodes: int,
    per_node: int,
    parts: FabricParts,
    built: list[Network],
) -> Network:
    """A network on which the others' switches have a port as well, counted as machines of as many ports."""
    switches = sum(tier.num_switches for net in built if not net.inside_node for tier in net.tiers)
    machines = _machines(kind, num_nodes) + -(-switches // (kind.ports_per_node or per_node))
    return plan_network(kind, name, machines, per_node, parts)


def _notes(compute: Network, parts: FabricParts, system: System) -> tuple[str, ...]:
    notes = []
    if parts.kind.systems and system.id not in parts.kind.systems:
        notes.append(f"{parts.kind.name} is usually built with {', '.join(parts.kind.systems)}")
    unused = compute.num_units * compute.nodes_per_unit - compute.num_nodes
    if unused and compute.topology == "rail-optimised":
        notes.append(f"units are cabled whole: the leaves have room for {unused:,} more nodes")
    return tuple(notes)


def with_planes(kind: FabricKind, num_planes: int | None, parts: FabricParts) -> FabricKind:
    """The kind with another number of planes: its ports spread over them, or broken out into slower ones."""
    if num_planes is None or num_planes == kind.num_planes:
        return kind
    ports = kind.ports_per_accelerator
    if ports % num_planes == 0:
        return kind.model_copy(update={"num_planes": num_planes, "links_per_cable": 1})
    rate = kind.port_bytes_per_s * ports / num_planes
    leaf = parts.switches[kind.leaf_switch]
    whole = leaf.port_bytes_per_s / (kind.port_bytes_per_s * ports)
    legal = [n for n in range(1, 1 + MOST_PLANES) if n == kind.num_planes or n * whole in leaf.port_splits]
    if num_planes not in legal:
        impossible(
            "port speed",
            f"{num_planes} planes take ports of {format_link_rate(rate)}, which {leaf.name} has not",
            " or ".join(f"{n} planes" if n > 1 else "one plane" for n in legal),
        )
    units = round(kind.nodes_per_unit * num_planes / ports)
    return kind.model_copy(
        update={
            "num_planes": num_planes, "ports_per_accelerator": num_planes, "port_bytes_per_s": rate,
            "nodes_per_unit": units, "links_per_cable": num_planes,
        }
    )  # fmt: skip


def plan_network(
    kind: FabricKind,
    name: NetworkName,
    num_nodes: int,
    accelerators_per_node: int,
    parts: FabricParts,
    oversubscription: float | None = None,
) -> Network:
    """One network of `num_nodes` machines. Errors: InfeasibleError."""
    if kind.topology in ("mesh", "torus"):
        return _switchless(kind, name, num_nodes, accelerators_per_node)
    ends = _endpoints(kind, num_nodes, accelerators_per_node)
    try:
        return _switched(kind, name, ends, parts, oversubscription)
    except OutOfReach as error:
        if name == "compute":
            raise
        what, found = error.binding.split(": ", 1)
        raise OutOfReach(f"{what} of the {name} network: {found}", error.nearest) from None


def _switched(
    kind: FabricKind,
    name: NetworkName,
    ends: Endpoints,
    parts: FabricParts,
    oversubscription: float | None,
) -> Network:
    if kind.topology == "dragonfly":
        return _dragonfly(kind, name, ends, parts)
    podded = bool(kind.units_per_pod)
    if oversubscription is not None and podded:
        kind = kind.model_copy(update={"spine_oversubscription": oversubscription})
    asked = None if podded else oversubscription
    leaf = parts.switches[kind.leaf_switch]
    spine, core = (parts.switches.get(id) for id in (kind.spine_switch, kind.core_switch))
    leaves = plan_leaves(kind, ends, leaf, asked)
    upper = plan_upper(kind, leaves, ends, spine, core, leaf.port_bytes_per_s)
    if not upper.spines_per_pod and leaves.up:
        leaves = replace(leaves, up=0)
    return _network(kind, name, ends, leaves, upper, parts)


def _endpoints(kind: FabricKind, num_nodes: int, accelerators_per_node: int) -> Endpoints:
    links = kind.ports_per_node or accelerators_per_node * kind.ports_per_accelerator
    rails = accelerators_per_node if kind.topology == "rail-optimised" and not kind.ports_per_node else 1
    if links % (rails * kind.num_planes):
        ways = [n for n in range(1, links + 1) if links % (rails * n) == 0]
        message = f"{links} links of a node do not spread evenly over {kind.num_planes} planes"
        impossible("planes", message, f"{' or '.join(map(str, ways))} planes")
    return Endpoints(num_nodes, rails, links, kind.num_planes, kind.port_bytes_per_s, accelerators_per_node)


def _network(
    kind: FabricKind, name: NetworkName, ends: Endpoints, leaves: Leaves, upper: Upper, parts: FabricParts
) -> Network:
    tiers = _tiers(kind, ends, leaves, upper, parts)
    manager = _manager_links(kind, ends, leaves)
    out = upper.num_pods * upper.spines_per_pod * upper.spine_up * ends.num_planes
    rate = parts.switches[kind.leaf_switch].port_bytes_per_s
    over = _oversubscription(ends, leaves, upper, rate)
    isolated = kind.topology == "single-tier" and leaves.num_units > 1
    num_ends = ends.num_nodes * ends.links_per_node
    return Network(
        name=name,
        technology=kind.technology,
        topology=kind.topology,
        tiers=tiers,
        cables=_cables(kind, ends, leaves, rate, out, manager),
        num_planes=ends.num_planes,
        num_pods=leaves.num_units if kind.topology == "single-tier" else upper.num_pods,
        num_accelerators_per_pod=_pod_size(kind, ends, leaves, upper),
        oversubscription=over,
        bisection_bytes_per_s=0.0
        if isolated
        else float(tree_bisection_bytes_per_s(num_ends, ends.port_bytes_per_s, over)),
        num_nodes=ends.num_nodes,
        links_per_node=ends.links_per_node,
        num_rails=ends.num_rails,
        nodes_per_unit=leaves.nodes_per_unit,
        num_units=leaves.num_units,
        units_per_pod=upper.units_per_pod or leaves.num_units,
        leaves_per_rail=leaves.leaves_per_rail,
        spines_per_core_group=upper.spines_per_core_group,
        manager_links=manager,
        inside_node=kind.inside_node,
        routing=kind.routing,
        qps_per_connection=kind.qps_per_connection,
    )


def _pod_size(kind: FabricKind, ends: Endpoints, leaves: Leaves, upper: Upper) -> int:
    """Accelerators of a pod; 0 where the network is one pod or joins no accelerators."""
    if kind.ports_per_node:
        return 0
    accelerators_per_node = ends.links_per_node // kind.ports_per_accelerator
    if kind.topology == "single-tier":
        return leaves.nodes_per_unit * accelerators_per_node
    if upper.num_pods == 1:
        return 0
    return upper.units_per_pod * leaves.nodes_per_unit * accelerators_per_node


def _oversubscription(ends: Endpoints, leaves: Leaves, upper: Upper, rate: float) -> float:
    """Bandwidth of the nodes over that of the narrowest tier above them, of full leaves and pods."""
    if not leaves.up:
        return 1.0
    down = leaves.down * ends.port_bytes_per_s
    ratio = down / (leaves.up * rate)
    if upper.num_cores:
        pod = upper.units_per_pod * leaves.nodes_per_unit * ends.links_per_node / ends.num_planes
        ratio = max(ratio, pod * ends.port_bytes_per_s / (upper.spines_per_pod * upper.spine_up * rate))
    return max(ratio, 1.0)


def _manager_links(kind: FabricKind, ends: Endpoints, leaves: Leaves) -> int:
    """The fabric manager takes the place of a node that the last unit lacks; full units have no port left."""
    free = leaves.num_units * leaves.nodes_per_unit - ends.num_nodes
    return kind.manager_links if free and kind.manager_links <= ends.num_rails else 0


def _tiers(
    kind: FabricKind, ends: Endpoints, leaves: Leaves, upper: Upper, parts: FabricParts
) -> tuple[SwitchTier, ...]:
    planes, leaf = ends.num_planes, parts.switches[kind.leaf_switch]
    tiers = [
        SwitchTier(
            role="leaf", switch=leaf.id, num_switches=leaves.per_plane * planes, num_ports=leaf.num_ports,
            num_down_ports=leaves.down, num_up_ports=leaves.up, down_links_per_port=leaves.split,
            bytes_per_s=leaf.port_bytes_per_s,
        )
    ]  # fmt: skip
    rate = leaf.port_bytes_per_s
    if upper.spines_per_pod:
        links = upper.units_per_pod * leaves.per_unit * leaves.up
        tiers.append(
            _upper_tier(
                "spine", kind.spine_switch, upper.num_pods * upper.spines_per_pod * planes,
                -(-links // upper.spines_per_pod), upper.spine_up, rate, parts,
            )
        )  # fmt: skip
    if upper.num_cores:
        down = -(-upper.num_pods * upper.spines_per_pod * upper.spine_up // upper.num_cores)
        tiers.append(
            _upper_tier(
                "core",
                kind.core_switch,
                upper.num_cores * planes,
                down,
                0,
                rate,
                parts,
            )
        )
    return tuple(tiers)


def _upper_tier(
    role: str, switch: str, num_switches: int, down: int, up: int, rate: float, parts: FabricParts
) -> SwitchTier:
    part = parts.switches[switch]
    return SwitchTier(
        role="core" if role == "core" else "spine",
        switch=part.id,
        num_switches=num_switches,
        num_ports=part.num_ports * split_of(rate, part),
        num_down_ports=down,
        num_up_ports=up,
        bytes_per_s=rate,
    )


def _cables(
    kind: FabricKind, ends: Endpoints, leaves: Leaves, rate: float, out: int, manager: int
) -> tuple[CableGroup, ...]:
    twin = kind.links_per_cable
    to_nodes = (ends.num_nodes * ends.links_per_node + manager) // twin
    groups = [
        CableGroup(
            lower="node", upper="leaf", num_cables=to_nodes, bytes_per_s=twin * kind.port_bytes_per_s,
            links_per_cable=twin,
        )
    ]  # fmt: skip
    if leaves.up:
        between = leaves.per_plane * ends.num_planes * leaves.up
        groups.append(CableGroup(lower="leaf", upper="spine", num_cables=between, bytes_per_s=rate))
    if out:
        groups.append(CableGroup(lower="spine", upper="core", num_cables=out, bytes_per_s=rate))
    return tuple(groups)


def _switchless(kind: FabricKind, name: NetworkName, num_nodes: int, per_node: int) -> Network:
    """Accelerators wired to each other: all to all within a unit (mesh), or to their neighbours (torus)."""
    per_unit = kind.nodes_per_unit or num_nodes
    units = -(-num_nodes // per_unit)
    if kind.topology == "mesh":
        links = units * int(mesh_links(per_unit * per_node))
    else:
        links = int(torus_links(num_nodes * per_node, kind.ports_per_accelerator // 2))
    return Network(
        name=name,
        technology=kind.technology,
        topology=kind.topology,
        tiers=(),
        cables=(CableGroup(lower="node", upper="node", num_cables=links, bytes_per_s=kind.port_bytes_per_s),),
        num_pods=units,
        num_accelerators_per_pod=per_unit * per_node,
        num_nodes=num_nodes,
        links_per_node=per_node * kind.ports_per_accelerator,
        nodes_per_unit=per_unit,
        num_units=units,
        units_per_pod=1,
        inside_node=kind.inside_node,
    )


def _dragonfly(kind: FabricKind, name: NetworkName, ends: Endpoints, parts: FabricParts) -> Network:
    """Groups of fully meshed routers, joined to each other by as many links as their global ports allow."""
    router = parts.switches[kind.leaf_switch]
    split = split_of(ends.port_bytes_per_s, router)
    terminals = int(dragonfly_terminals(router.num_ports))
    per_unit = kind.nodes_per_unit or max(1, 2 * terminals**2 * split // ends.links_per_node)
    routers = -(-per_unit * ends.links_per_node // (terminals * split))
    ports = min(terminals, router.num_ports - terminals - (routers - 1))
    if ports < 1:
        impossible("router radix", f"{routers} routers in a group leave no global port", "smaller units")
    groups = -(-ends.num_nodes // per_unit)
    most = int(dragonfly_groups(routers, ports))
    if groups > most:
        binding = f"dragonfly reach: {groups:,} groups, with a link between each two"
        raise OutOfReach(binding, ends.reach(most * per_unit))
    each = routers * ports // (groups - 1) if groups > 1 else 0
    rate = router.port_bytes_per_s
    tier = SwitchTier(
        role="leaf", switch=router.id, num_switches=groups * routers, num_ports=router.num_ports,
        num_down_ports=-(-per_unit * ends.links_per_node // routers),
        num_up_ports=routers - 1 + -(-each * (groups - 1) // routers),
        down_links_per_port=split, bytes_per_s=rate,
    )  # fmt: skip
    to_nodes = ends.num_nodes * ends.links_per_node
    local, far = groups * int(mesh_links(routers)), each * int(mesh_links(groups))
    crossing = each * (groups // 2) * (groups - groups // 2) * rate
    return Network(
        name=name,
        technology=kind.technology,
        topology="dragonfly",
        tiers=(tier,),
        cables=(
            CableGroup(lower="node", upper="leaf", num_cables=to_nodes, bytes_per_s=ends.port_bytes_per_s),
            CableGroup(lower="leaf", upper="leaf", num_cables=local + far, bytes_per_s=rate),
        ),
        num_pods=groups,
        num_accelerators_per_pod=per_unit * ends.links_per_node // kind.ports_per_accelerator,
        oversubscription=_dragonfly_oversubscription(ends, per_unit, each * (groups - 1) * rate),
        bisection_bytes_per_s=crossing or to_nodes / 2 * ends.port_bytes_per_s,
        num_nodes=ends.num_nodes,
        links_per_node=ends.links_per_node,
        nodes_per_unit=per_unit,
        num_units=groups,
        units_per_pod=1,
        leaves_per_rail=routers,
    )


def _dragonfly_oversubscription(ends: Endpoints, per_unit: int, out_bytes_per_s: float) -> float:
    """Of a group: what its nodes can send over what its global links carry."""
    return (
        max(per_unit * ends.links_per_node * ends.port_bytes_per_s / out_bytes_per_s, 1.0)
        if out_bytes_per_s
        else 1.0
    )
