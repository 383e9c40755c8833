"""Read Slurm's topology files back, and hold them to what slurmctld asks of them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import yaml

from gigawatt.errors import InputError, Problem
from gigawatt.exports.hostlist import unfold_names

MOST_NAME_LETTERS = 64
_WORD = re.compile(r"(\w+)=(\S+)")
_SIZES = re.compile(r"[1-9]\d*(,[1-9]\d*)*")
_LINE_KEYS = frozenset({"switchname", "nodes", "switches", "linkspeed"})


@dataclass(frozen=True, slots=True)
class SlurmTopology:
    """A topology as Slurm reads it: switches with what hangs below them, or blocks of nodes."""

    name: str = ""
    default: bool = False
    nodes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Nodes right below each leaf switch."""
    switches: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Switches right below each other switch."""
    blocks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    block_sizes: tuple[int, ...] = ()

    @property
    def root(self) -> str:
        """The switch that no other is above of."""
        below = {child for children in self.switches.values() for child in children}
        return next(name for name in (*self.nodes, *self.switches) if name not in below)


def read_topology_conf(text: str, file: str = "topology.conf") -> SlurmTopology:
    """The tree, or the blocks, in a topology.conf. Raises InputError with every line Slurm would refuse."""
    nodes: dict[str, tuple[str, ...]] = {}
    switches: dict[str, tuple[str, ...]] = {}
    blocks: dict[str, tuple[str, ...]] = {}
    sizes: tuple[int, ...] = ()
    problems: list[Problem] = []
    for number, line in enumerate(text.splitlines(), start=1):
        stated = line.partition("#")[0].strip()
        if not stated:
            continue
        found = {key.lower(): value for key, value in _WORD.findall(stated)}
        name = found.get("switchname", "")
        kinds = [kind for kind in ("nodes", "switches") if kind in found]
        if set(found) == {"blockname", "nodes"} and found["blockname"] not in blocks:
            blocks[found["blockname"]] = unfold_names(found["nodes"])
        elif set(found) == {"blocksizes"} and _SIZES.fullmatch(found["blocksizes"]):
            sizes = tuple(int(size) for size in found["blocksizes"].split(","))
        elif not name or len(kinds) != 1 or set(found) - _LINE_KEYS:
            message = f"found `{stated}`; expected SwitchName=... and one of Nodes=..., Switches=..."
            problems.append(Problem(message, file=file, line=number))
        elif name in nodes or name in switches:
            problems.append(Problem(f"the switch {name} is there twice", file=file, line=number))
        else:
            (nodes if kinds == ["nodes"] else switches)[name] = unfold_names(found[kinds[0]])
    topology = SlurmTopology(nodes=nodes, switches=switches, blocks=blocks, block_sizes=sizes)
    faults = [*_faults_of_tree(topology), *_faults_of_blocks(topology)]
    if blocks and (nodes or switches):
        faults.append("blocks and switches in one file: it is for one plugin")
    _require(problems + [Problem(message, file=file) for message in faults])
    return topology


def read_topology_yaml(text: str, file: str = "topology.yaml") -> tuple[SlurmTopology, ...]:
    """The topologies in a topology.yaml. Raises InputError with everything that Slurm would refuse."""
    try:
        stated = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise InputError(Problem(f"no YAML: {error}", file=file)) from None
    if not isinstance(stated, list):
        raise InputError(Problem("expected a list of topologies", file=file))
    topologies = tuple(_topology(entry, file) for entry in stated)
    messages = [message for one in topologies for message in (*_faults_of_tree(one), *_faults_of_blocks(one))]
    names = Counter(one.name for one in topologies)
    messages += [f"the topology {name} is there twice" for name, times in names.items() if times > 1]
    _require([Problem(message, file=file) for message in messages])
    return topologies


def _topology(entry: object, file: str) -> SlurmTopology:
    try:
        if not isinstance(entry, dict) or next(iter(entry)) != "topology":
            raise KeyError("topology")
        (kind,) = set(entry) - {"topology", "cluster_default"}
        found = SlurmTopology(str(entry["topology"]), bool(entry.get("cluster_default", False)))
        if kind == "tree":
            listed = entry["tree"]["switches"]
            nodes = {one["switch"]: unfold_names(one["nodes"]) for one in listed if "nodes" in one}
            above = {one["switch"]: unfold_names(one["children"]) for one in listed if "children" in one}
            return SlurmTopology(found.name, found.default, nodes, above)
        blocks = {one["block"]: unfold_names(one["nodes"]) for one in entry["block"]["blocks"]}
        sizes = tuple(int(size) for size in entry["block"]["block_sizes"])
        return SlurmTopology(found.name, found.default, blocks=blocks, block_sizes=sizes)
    except (KeyError, TypeError, ValueError) as error:
        message = f"not a topology with a tree of switches or with blocks of nodes: {error}"
        raise InputError(Problem(message, file=file)) from None


def _faults_of_tree(topology: SlurmTopology) -> list[str]:
    if not topology.nodes and not topology.switches:
        return [] if topology.blocks else ["there is no switch"]
    known = {*topology.nodes, *topology.switches}
    children = [child for below in topology.switches.values() for child in below]
    faults = _twice("node", (node for below in topology.nodes.values() for node in below))
    faults += _twice("switch", children)
    faults += [
        f"the switch {child} hangs below another but has no line" for child in children if child not in known
    ]
    roots = known - set(children)
    if len(roots) != 1:
        faults.append(
            f"expected one switch above all others, found {len(roots)}: {' '.join(sorted(roots)[:5])}"
        )
    return faults + [f"the name {name} is too long" for name in known if len(name) > MOST_NAME_LETTERS]


def _faults_of_blocks(topology: SlurmTopology) -> list[str]:
    if not topology.blocks:
        return []
    sizes = topology.block_sizes or (max(map(len, topology.blocks.values())),)
    faults = _twice("node", (node for block in topology.blocks.values() for node in block))
    for size in sizes:
        times, left = divmod(size, sizes[0])
        if left or times & (times - 1):
            faults.append(f"the block size {size} is no power of two times the first, {sizes[0]}")
    faults += [
        f"the block {name} has more nodes than the block size {sizes[0]}"
        for name, nodes in topology.blocks.items()
        if len(nodes) > sizes[0]
    ]
    return faults


def _twice(noun: str, names: Iterable[str]) -> list[str]:
    return [f"the {noun} {name} is there {n} times" for name, n in Counter(names).items() if n > 1]


def _require(problems: list[Problem]) -> None:
    if problems:
        raise InputError(problems)
