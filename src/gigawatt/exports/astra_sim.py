"""Write a cluster as ASTRA-sim's analytical network, and a system file to go with it.

A network is a list of dimensions, innermost first: the scale-up domain, the nodes or domains of a pod, and
the pods where they are oversubscribed. Form and keys are those of ASTRA-sim at commit 518bd51
(https://github.com/astra-sim/astra-sim, examples/network/analytical). Its bandwidths are called GB/s and
counted in 2^30 bytes; its latency is that of one hop, of which a switch has two.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any

from gigawatt.errors import InputError, Problem
from gigawatt.exports.cluster import BuiltCluster

FORMAT_VERSION = "518bd51"

_NS_PER_S = 10**9
_SIMULATOR_GB = 1024**3
_HOPS = {"Switch": 2, "FullyConnected": 1}
SYSTEM = {
    "scheduling-policy": "LIFO",
    "endpoint-delay": 10,
    "active-chunks-per-dimension": 1,
    "preferred-dataset-splits": 4,
    "all-reduce-implementation": "ring",
    "all-gather-implementation": "ring",
    "reduce-scatter-implementation": "ring",
    "all-to-all-implementation": "direct",
    "collective-optimization": "localBWAware",
    "boost-mode": 0,
}
"""Settings of ASTRA-sim's own example; algorithms are repeated for each dimension."""


@dataclass(frozen=True, slots=True)
class NetworkDimension:
    """One dimension: how many of the next inner ones it joins, how fast, after what latency."""

    num_joined: int
    bytes_per_s: float
    """Of one accelerator, one direction; where all are joined to all, of one of its links."""
    latency_s: float
    """Of a step from one member to another."""
    topology: str = "Switch"


def write_astra_sim(cluster: BuiltCluster) -> dict[str, str]:
    """`network.yml` and `system.json` for ASTRA-sim's analytical back end.

    Raises InputError where the cluster is no whole number of scale-up domains and pods: the simulator knows
    only equal ones.
    """
    dimensions = network_dimensions(cluster)
    network: dict[str, list[Any]] = {
        "topology": [one.topology for one in dimensions],
        "npus_count": [one.num_joined for one in dimensions],
        "bandwidth": [one.bytes_per_s / _SIMULATOR_GB for one in dimensions],
        "latency": [one.latency_s * _NS_PER_S / _HOPS[one.topology] for one in dimensions],
    }
    units = {"bandwidth": "  # 2^30 bytes/s", "latency": "  # ns, one hop"}
    lines = [f"# {cluster.title}. Written by gigawatt for ASTRA-sim's analytical network."]
    lines += [f"{key}: {_listed(values)}{units.get(key, '')}" for key, values in network.items()]
    return {"network.yml": "\n".join(lines) + "\n", "system.json": _system(cluster, len(dimensions))}


def network_dimensions(cluster: BuiltCluster) -> tuple[NetworkDimension, ...]:
    """The dimensions of a cluster's network, innermost first; those of one member are left out."""
    system, compute = cluster.system, cluster.fabric.compute
    domain = system.num_accelerators_per_domain
    total = cluster.fabric.num_accelerators
    per_pod = compute.num_accelerators_per_pod if compute.oversubscription > 1 else 0
    per_pod = min(per_pod or total, total)
    for size, noun in ((domain, "scale-up domains"), (per_pod, "pods")):
        if total % size and total > size:
            message = (
                f"{total} accelerators are no whole number of {noun} of {size}; ASTRA-sim needs equal ones"
            )
            raise InputError(Problem(message, "num_accelerators"))
    near_s, far_s = cluster.near_step_s, cluster.far_step_s
    if near_s is None or far_s is None or not system.scale_up_bytes_per_s:
        raise InputError(Problem("ASTRA-sim wants the rate and latency of every dimension", system.id))
    inside = min(domain, total)
    slow = compute_bytes_per_s(cluster)
    between = slow / max(compute.oversubscription, 1.0)
    found = (
        _scale_up(cluster, inside, system.scale_up_bytes_per_s, near_s),
        NetworkDimension(max(1, min(per_pod, total) // inside), slow, far_s),
        NetworkDimension(math.ceil(total / per_pod), between, far_s),
    )
    return tuple(one for one in found if one.num_joined > 1)


def _scale_up(
    cluster: BuiltCluster, num_joined: int, bytes_per_s: float, latency_s: float
) -> NetworkDimension:
    """The scale-up domain: behind switches, or with a link from each accelerator to each other one.

    Raises InputError for a torus, whose sides the design does not tell.
    """
    network = cluster.network("scale-up")
    if network is not None and network.topology == "torus" and num_joined > 1:
        raise InputError(Problem("a torus has no switch that ASTRA-sim could take it for", network.name))
    if network is not None and network.topology == "mesh" and num_joined > 1:
        return NetworkDimension(num_joined, bytes_per_s / (num_joined - 1), latency_s, "FullyConnected")
    return NetworkDimension(num_joined, bytes_per_s, latency_s)


def compute_bytes_per_s(cluster: BuiltCluster) -> float:
    """Bandwidth of one accelerator into the compute fabric, all its ports together [B/s]."""
    compute = cluster.fabric.compute
    into = next(group for group in compute.cables if group.lower == "node")
    per_link = into.bytes_per_s / into.links_per_cable
    return per_link * compute.links_per_node / cluster.system.num_accelerators_per_node


def _listed(values: list[Any]) -> str:
    texts = (f"{value:.9g}" if isinstance(value, float) else str(value) for value in values)
    return f"[ {', '.join(texts)} ]"


def _system(cluster: BuiltCluster, num_dimensions: int) -> str:
    stated = {
        key: [value] * num_dimensions if key.endswith("-implementation") else value
        for key, value in SYSTEM.items()
    }
    stated["local-mem-bw"] = round((cluster.accelerator.hbm_bytes_per_s or 0.0) / 10**9)
    return json.dumps(stated, indent=2) + "\n"
