"""Write a cluster as a topology of SimAI, the packet-level simulator on ns-3.

Its first line counts: nodes, GPUs per server, scale-up switches, other switches, links, kind of GPU. The
second numbers the switches, and every further line is a link with its rate, delay and error rate. GPUs come
first, then scale-up switches, then the tiers upwards. Form: github.com/aliyun/SimAI,
astra-sim-alibabacloud/inputs/topo, as of 2026-08.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from gigawatt.design.fabric.graph import MANAGER, NODE, ROLES
from gigawatt.domain.hardware import Accelerator
from gigawatt.errors import InputError, Problem
from gigawatt.exports.cluster import BuiltCluster

FORMAT_VERSION = "2026-08"

_NO_ERRORS = 0
_BITS_PER_BYTE = 8


def write_simai(cluster: BuiltCluster) -> dict[str, Iterable[str]]:
    """`simai-topology.txt`: one scale-up switch for each domain, and the compute fabric GPU by GPU.

    Raises InputError for a torus, which has no such switch.
    """
    near = cluster.network("scale-up")
    if near is not None and near.topology == "torus":
        raise InputError(Problem("a torus has no switch that SimAI could take it for", near.name))
    return {"simai-topology.txt": _lines(cluster)}


def _lines(cluster: BuiltCluster) -> Iterator[str]:
    graph, system = cluster.graph("compute"), cluster.system
    per_node = system.num_accelerators_per_node
    num_gpus = int(np.count_nonzero(graph.device_role == NODE)) * per_node
    num_domains = -(-num_gpus // system.num_accelerators_per_domain)
    # Scale-up switches take the numbers between the GPUs and the switches of the fabric.
    number = np.zeros(len(graph.device_role), dtype=np.int64)
    number[graph.device_role == NODE] = np.arange(num_gpus, step=per_node)
    switches = np.flatnonzero((graph.device_role > NODE) & (graph.device_role < MANAGER))
    number[switches] = num_gpus + num_domains + np.arange(len(switches))
    num_links = num_gpus + int(np.count_nonzero(graph.device_role[graph.cable_a] != MANAGER))
    total = num_gpus + num_domains + len(switches)
    kind = gpu_kind(cluster.accelerator)
    yield f"{total} {per_node} {num_domains} {len(switches)} {num_links} {kind}\n"
    yield " ".join(str(one) for one in range(num_gpus, total)) + "\n"
    fast = _rate(system.scale_up_bytes_per_s or 0.0)
    for gpu in range(num_gpus):
        yield f"{gpu} {num_gpus + gpu // system.num_accelerators_per_domain} {fast} 0ms {_NO_ERRORS}\n"
    yield from _cable_lines(cluster, number, per_node)


def gpu_kind(accelerator: Accelerator) -> str:
    """What SimAI calls a GPU: the model without its maker, in one word.

    The simulator knows A100, A800, H100, H800 and H20; others it takes for one of its own.
    """
    words = accelerator.name.removeprefix(accelerator.vendor).split()
    return words[0]


def _cable_lines(cluster: BuiltCluster, number: NDArray[np.int64], per_node: int) -> Iterator[str]:
    graph, compute = cluster.graph("compute"), cluster.fabric.compute
    per_gpu = compute.links_per_node // per_node
    forwarding_s = {
        ROLES.index(tier.role): cluster.parts.switches[tier.switch].forwarding_s or 0.0
        for tier in compute.tiers
    }
    managed = graph.device_role[graph.cable_a] != MANAGER
    from_node = graph.device_role[graph.cable_a] == NODE
    ends = number[graph.cable_a] + np.where(from_node, graph.cable_a_port // max(1, per_gpu), 0)
    columns = (ends, number[graph.cable_b], graph.cable_bytes_per_s, graph.device_role[graph.cable_b])
    for a, b, rate, role in zip(*(column[managed].tolist() for column in columns), strict=True):
        yield f"{a} {b} {_rate(rate)} {_delay(forwarding_s.get(role, 0.0))} {_NO_ERRORS}\n"


def _rate(bytes_per_s: float) -> str:
    return f"{bytes_per_s * _BITS_PER_BYTE / 10**9:.6g}Gbps"


def _delay(delay_s: float) -> str:
    return f"{delay_s * 10**3:.6g}ms"
