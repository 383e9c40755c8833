"""The arithmetic of one network: how many leaves, spines and cores its links need, within every radix."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NoReturn

from gigawatt.domain.fabric import Balance, FabricKind, Switch
from gigawatt.errors import InfeasibleError
from gigawatt.laws.topology import down_ports
from gigawatt.units import format_link_rate

_WHOLE = 1e-6


@dataclass(frozen=True, slots=True)
class Endpoints:
    """What a network joins: machines, and the links of each."""

    num_nodes: int
    num_rails: int
    """Groups that a node's links are parted into, each with leaves of its own."""
    links_per_node: int
    num_planes: int
    port_bytes_per_s: float
    accelerators_per_node: int

    def reach(self, num_nodes: int) -> str:
        """So many nodes in words, as the nearest design that works."""
        return f"{num_nodes * self.accelerators_per_node:,} accelerators ({num_nodes:,} nodes)"

    @property
    def links_per_group(self) -> int:
        """Links of a node to the leaves of one rail in one plane."""
        return self.links_per_node // (self.num_rails * self.num_planes)


@dataclass(frozen=True, slots=True)
class Leaves:
    """The lowest tier of a network."""

    nodes_per_unit: int
    num_units: int
    leaves_per_rail: int
    """Of one unit, one rail and one plane."""
    per_unit: int
    """Of one unit and one plane, all rails."""
    down: int
    """Links down of a full leaf."""
    up: int
    """Links up of a leaf."""
    split: int
    """Links down that one port is broken out into."""

    @property
    def per_plane(self) -> int:
        """Leaves of one plane."""
        return self.num_units * self.per_unit


@dataclass(frozen=True, slots=True)
class Upper:
    """The tiers above the leaves, of one plane."""

    num_pods: int = 1
    units_per_pod: int = 0
    spines_per_pod: int = 0
    spine_up: int = 0
    spines_per_core_group: int = 1
    num_cores: int = 0


def impossible(constraint: str, message: str, nearest: str) -> NoReturn:
    """Raise what the surfaces print: what binds, and the nearest design that works."""
    raise InfeasibleError(f"{constraint}: {message}; nearest design that works: {nearest}")


class OutOfReach(InfeasibleError):
    """A network cannot join so many; what binds is told apart from how many it could join alone."""

    def __init__(self, binding: str, nearest: str) -> None:
        super().__init__(f"{binding}; nearest design that works: {nearest}")
        self.binding, self.nearest = binding, nearest


def whole_up(count: float) -> int:
    """The next whole number; what is whole within rounding stays."""
    nearest = round(count)
    return nearest if abs(count - nearest) < _WHOLE else int(-(-count // 1))


def balanced(fewest: int, ways: int, balance: Balance) -> int:
    """Switches above, at least `fewest`, over which `ways` links of each switch below spread evenly."""
    return next(
        count
        for count in range(max(fewest, 1), ways + 1)
        if ways % count == 0 or (balance == "power-of-two" and count & (count - 1) == 0)
    )


def split_of(port_bytes_per_s: float, switch: Switch) -> int:
    """Links of that rate that one port of the switch carries. InfeasibleError where it cannot be split so."""
    ways = switch.port_bytes_per_s / port_bytes_per_s
    if abs(ways - round(ways)) > _WHOLE or round(ways) not in switch.port_splits:
        legal = (format_link_rate(switch.port_bytes_per_s / split) for split in switch.port_splits)
        found = format_link_rate(port_bytes_per_s)
        impossible("port speed", f"ports of {switch.name} do not run at {found}", " or ".join(legal))
    return round(ways)


def plan_leaves(kind: FabricKind, ends: Endpoints, switch: Switch, oversubscription: float | None) -> Leaves:
    """Units and their leaves. A stated oversubscription has to be met exactly."""
    split = split_of(ends.port_bytes_per_s, switch)
    links, radix = ends.links_per_group, switch.num_ports
    alone = kind.topology == "single-tier"
    small = ends.num_rails == 1 and not kind.nodes_per_unit and ends.num_nodes * links <= radix * split
    if alone or small:
        return _one_leaf(kind, ends, switch, split)
    over = oversubscription or kind.leaf_oversubscription
    most_down = int(down_ports(radix, over)) * split
    nodes_per_unit = kind.nodes_per_unit or most_down // links
    if not nodes_per_unit or not most_down:
        impossible("leaf radix", f"{switch.name} cannot take one node", f"at most {most_down} links a node")
    leaves_per_rail = -(-nodes_per_unit * links // most_down)
    down = nodes_per_unit * links if leaves_per_rail == 1 else most_down
    up = _uplinks(down, split, over, exactly=oversubscription is not None)
    if -(-down // split) + up > radix:
        impossible(
            "leaf radix",
            f"{down} links down and {up} up exceed the {radix} ports of {switch.name}",
            f"an oversubscription of at least {down / split / (radix - -(-down // split)):.4g}"
            if radix > -(-down // split)
            else "smaller units",
        )
    units = -(-ends.num_nodes // nodes_per_unit)
    return Leaves(nodes_per_unit, units, leaves_per_rail, ends.num_rails * leaves_per_rail, down, up, split)


def _one_leaf(kind: FabricKind, ends: Endpoints, switch: Switch, split: int) -> Leaves:
    """All of a unit on one switch per plane, with no tier above."""
    per_unit = kind.nodes_per_unit or ends.num_nodes
    down = per_unit * ends.links_per_group
    if down > switch.num_ports * split:
        most = switch.num_ports * split // ends.links_per_group
        impossible("leaf radix", f"{down} links on {switch.name}", f"units of {most} nodes")
    return Leaves(per_unit, -(-ends.num_nodes // per_unit), 1, 1, down, 0, split)


def _uplinks(down: int, split: int, over: float, exactly: bool) -> int:
    wanted = down / split / over
    up = max(whole_up(wanted), 1)
    if exactly and abs(up - wanted) > _WHOLE:
        ratios = [down / split / count for count in {max(up - 1, 1), up}]
        nearest = " or ".join(f"{ratio:.5g}:1 ({down / split / ratio:.0f} up)" for ratio in sorted(ratios))
        message = f"{over:g}:1 asks {wanted:.4g} uplinks of a leaf with {down / split:g} ports down"
        impossible("oversubscription", message, nearest)
    return up


def plan_upper(
    kind: FabricKind,
    leaves: Leaves,
    ends: Endpoints,
    spine: Switch | None,
    core: Switch | None,
    uplink_bytes_per_s: float,
) -> Upper:
    """Spines and cores of one plane above leaves whose uplinks run at `uplink_bytes_per_s`."""
    if kind.topology == "single-tier" or leaves.per_plane == 1:
        return Upper()
    if spine is None:
        impossible("tiers", f"{kind.name} names no spine switch", "one leaf")
    ports = spine.num_ports * split_of(uplink_bytes_per_s, spine)
    if leaves.per_plane <= ports and not 0 < kind.units_per_pod < leaves.num_units:
        fewest = -(-leaves.per_plane * leaves.up // ports)
        return Upper(units_per_pod=leaves.num_units, spines_per_pod=balanced(fewest, leaves.up, kind.balance))
    if core is None:
        most = ports // leaves.per_unit * leaves.nodes_per_unit
        binding = f"radix of two tiers: {leaves.per_plane:,} leaves in a plane"
        raise OutOfReach(f"{binding}, and spines of {ports} ports reach as many", ends.reach(most))
    pods = _podded if kind.units_per_pod else _reaching
    found = pods(kind, leaves, ends, ports, uplink_bytes_per_s)
    down = -(-found.units_per_pod * leaves.per_unit * leaves.up // found.spines_per_pod)
    return _cores(leaves, ends, found, core, uplink_bytes_per_s, ports - down)


def _reaching(kind: FabricKind, leaves: Leaves, _ends: Endpoints, ports: int, _rate: float) -> Upper:
    """Pods as large as spines reach that keep ports for the cores."""
    most_down = int(down_ports(ports, kind.spine_oversubscription))
    units = most_down // leaves.per_unit
    if not units:
        impossible("spine radix", f"a unit has {leaves.per_unit} leaves in a plane", "smaller units")
    num_pods = -(-leaves.num_units // units)
    units = -(-leaves.num_units // num_pods)
    links = units * leaves.per_unit * leaves.up
    spines = balanced(-(-links // most_down), leaves.up, kind.balance)
    up = whole_up(links / spines / kind.spine_oversubscription)
    return Upper(num_pods, units, spines, up)


def _podded(kind: FabricKind, leaves: Leaves, ends: Endpoints, ports: int, rate: float) -> Upper:
    """Pods of a stated size, with so many spines as their links down and out need."""
    links = kind.units_per_pod * leaves.per_unit * leaves.up
    num_ends = kind.units_per_pod * leaves.nodes_per_unit * ends.links_per_node // ends.num_planes
    out = num_ends * ends.port_bytes_per_s / rate / kind.spine_oversubscription
    for spines in range(1, leaves.up + 1):
        up = whole_up(out / spines)
        if balanced(spines, leaves.up, kind.balance) == spines and -(-links // spines) + up <= ports:
            return Upper(-(-leaves.num_units // kind.units_per_pod), kind.units_per_pod, spines, up)
    message = f"{links:,} links of a pod's leaves do not fit on {leaves.up} spines of {ports} ports"
    impossible("spine radix", message, f"pods of {ports // leaves.per_unit // 2:,} units")


def _cores(leaves: Leaves, ends: Endpoints, pods: Upper, core: Switch, rate: float, most_up: int) -> Upper:
    """Cores for the spines at each place in the pods; one core serves several places where it can.

    A spine has equally many links to each of its cores, if need be a few more than asked.
    """
    ports = core.num_ports * split_of(rate, core)
    if pods.num_pods > ports:
        binding = f"radix of three tiers: {pods.num_pods:,} pods, and cores of {ports} ports reach as many"
        raise OutOfReach(binding, ends.reach(ports * pods.units_per_pod * leaves.nodes_per_unit))
    links, spines = pods.num_pods * pods.spine_up, pods.spines_per_pod
    shared = max((n for n in range(1, spines + 1) if spines % n == 0 and n * links <= ports), default=1)
    for cores in range(-(-links * shared // ports), pods.spine_up + 1):
        up = -(-pods.spine_up // cores) * cores
        if up <= most_up and pods.num_pods * shared * up <= cores * ports:
            return replace(
                pods, spine_up=up, spines_per_core_group=shared, num_cores=spines // shared * cores
            )
    impossible("spine radix", f"{pods.spine_up} links up of a spine", f"at most {most_up}")
