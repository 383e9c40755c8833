"""Read a SimAI topology file back: its counts, and the links that have to bear them out."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from gigawatt.errors import InputError, Problem


@dataclass(frozen=True, slots=True)
class SimAiTopology:
    """What the first line counts, and the links below it."""

    num_nodes: int
    """GPUs and switches of either kind."""
    gpus_per_server: int
    num_scale_up_switches: int
    num_switches: int
    gpu_kind: str
    links: tuple[tuple[int, int, str], ...]
    """Both ends and the rate."""

    @property
    def num_gpus(self) -> int:
        """Nodes that are no switches."""
        return self.num_nodes - self.num_scale_up_switches - self.num_switches


def read_simai(text: str, file: str = "simai-topology.txt") -> SimAiTopology:
    """A topology. Raises InputError where the lines are not those that the first line counts."""
    lines = text.splitlines()
    try:
        *counts, kind = lines[0].split()
        num_nodes, per_server, scale_up, others, num_links = (int(count) for count in counts)
        switches = [int(number) for number in lines[1].split()]
        rows = [line.split() for line in lines[2:] if line.strip()]
        links = tuple((int(a), int(b), rate) for a, b, rate, _, _ in rows)
    except (ValueError, IndexError) as error:
        raise InputError(Problem(f"not a SimAI topology: {error}", file=file)) from None
    found = SimAiTopology(num_nodes, per_server, scale_up, others, kind, links)
    faults = []
    if len(links) != num_links:
        faults.append(f"the first line counts {num_links} links, there are {len(links)}")
    if switches != list(range(found.num_gpus, num_nodes)):
        faults.append("the second line does not number the switches, scale-up ones first, behind the GPUs")
    joined = Counter(end for a, b, _ in links for end in (a, b))
    faults += [f"{node} has no link" for node in range(num_nodes) if not joined[node]][:1]
    faults += [f"there is no node {end}" for end in joined if not 0 <= end < num_nodes][:1]
    if faults:
        raise InputError([Problem(fault, file=file) for fault in faults])
    return found
