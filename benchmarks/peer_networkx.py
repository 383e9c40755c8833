"""A failure sweep as one writes it with networkx: remove a link, ask for the maximum flow, put it back.

    python -m venv peer && peer/bin/pip install networkx
    GIGAWATT_PEER_PYTHON=peer/bin/python python benchmarks/fabric_100k.py --json

A rail-optimised fabric of 512 accelerators: 64 nodes, 16 leaves, 8 spines, 1,024 links of one speed. The flow
is that of all nodes to the spines. Nothing of gigawatt is imported here.
"""

from __future__ import annotations

import json
import time

from measure import peak_bytes

NUM_UNITS, NODES_PER_UNIT, RAILS, NUM_SPINES = 2, 32, 8, 8


def links() -> list[tuple[str, str, int]]:
    """Lower end, upper end, capacity in links."""
    found = []
    for unit in range(NUM_UNITS):
        for rail in range(RAILS):
            leaf = f"leaf-{unit}-{rail}"
            found += [(f"node-{unit}-{node}", leaf, 1) for node in range(NODES_PER_UNIT)]
            found += [(leaf, f"spine-{spine}", NODES_PER_UNIT // NUM_SPINES) for spine in range(NUM_SPINES)]
    return found


def main() -> None:
    """Sweep every link, and print one JSON object."""
    import networkx

    cpu_s, wall_s = time.process_time(), time.perf_counter()
    graph = networkx.DiGraph()
    for low, high, capacity in links():
        graph.add_edge(low, high, capacity=capacity)
    for device in list(graph):
        if device.startswith("node"):
            graph.add_edge("source", device)
        elif device.startswith("spine"):
            graph.add_edge(device, "sink")
    failures = 0
    for low, high, capacity in links():
        for _ in range(capacity):
            graph[low][high]["capacity"] = capacity - 1
            networkx.maximum_flow_value(graph, "source", "sink")
            graph[low][high]["capacity"] = capacity
            failures += 1
    cpu_s, wall_s = time.process_time() - cpu_s, time.perf_counter() - wall_s
    found = {
        "name": f"networkx {networkx.__version__}, one maximum flow for each failing link",
        "work": {"accelerators": NUM_UNITS * NODES_PER_UNIT * RAILS, "failures": failures},
        "cpu_s": cpu_s,
        "wall_s": wall_s,
        "peak_bytes": peak_bytes(),
        "rates": {"failures_per_cpu_s": failures / cpu_s},
        "source": "installed from the package index, run in turn",
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
