"""How long the time of one collective over 1,024 GPUs takes to predict, beside ASTRA-sim.

Our own prediction: an all-reduce of 1 GiB over 1,024 H100 on the network they are usually built with, every
algorithm and protocol weighed, with range, bottleneck and sensitivity. Then with ASTRA-sim's own
congestion-unaware assumptions, on its two reference networks of 1,024: flat behind one kind of switch, and
8 x 128; reading its files is part of the time. The peer's figures were measured on a 2-core
x86-64 machine in November 2026, process start included; it is built from source and not on the package index.
Ours are of a process that has started: `start_up` measures that.
"""

from __future__ import annotations

from measure import Figures, measured, report

from gigawatt.catalog import load_catalog
from gigawatt.design.collectives import predict_collective
from gigawatt.design.collectives.astra_sim import chunked_collective_s
from gigawatt.design.fabric import plan_fabric
from gigawatt.exports.astra_sim_read import read_assumptions, read_network
from gigawatt.project.parts import default_fabric, fabric_parts

SYSTEM = (
    '{"scheduling-policy": "LIFO", "endpoint-delay": 10, "active-chunks-per-dimension": 1,'
    '"preferred-dataset-splits": 4, "all-reduce-implementation": ["ring"],'
    '"collective-optimization": "localBWAware", "local-mem-bw": 3350, "boost-mode": 0}'
)
FLAT = "topology: [ Switch ]\nnpus_count: [ 1024 ]\nbandwidth: [ 50.0 ]\nlatency: [ 2000.0 ]\n"
NESTED = (
    "topology: [ Switch, Switch ]\nnpus_count: [ 8, 128 ]\nbandwidth: [ 400.0, 50.0 ]\n"
    "latency: [ 936.25, 2000.0 ]\n"
)
PEER = {
    "name": "ASTRA-sim 518bd51 (2026-03), analytical back end 599a047, congestion unaware",
    "flat_wall_s": 10.28,
    "flat_peak_bytes": 364_724 * 1024,
    "flat_collective_s": 73.729696e-3,
    "nested_wall_s": 1.23,
    "nested_peak_bytes": 87_864 * 1024,
    "nested_collective_s": 10.483638e-3,
    "source": "measured 2026-11-20 on a shared 2-core x86-64 machine, process start included",
}
GIB = 2.0**30
NUM_RANKS = 1024
REPEATS = 200


def simulated_s(network: str) -> float:
    """ASTRA-sim's answer, from its files."""
    assumptions = read_assumptions(SYSTEM, "all_reduce")
    return chunked_collective_s("all_reduce", GIB, read_network(network), assumptions)


def run() -> Figures:
    """Predict each over and over, after a first time that loads what is read once."""
    catalogue = load_catalog()
    system = catalogue.system("hgx-h100")
    calibration = catalogue.collective_calibration()
    fabric = plan_fabric(
        system, NUM_RANKS, fabric_parts(catalogue, default_fabric(catalogue, system), system)
    )
    found = predict_collective("all_reduce", GIB, NUM_RANKS, system, calibration, fabric=fabric)
    simulated_s(FLAT)
    with measured() as own:
        for _ in range(REPEATS):
            predict_collective("all_reduce", GIB, NUM_RANKS, system, calibration, fabric=fabric)
    with measured() as flat:
        for _ in range(REPEATS):
            flat_s = simulated_s(FLAT)
    with measured() as nested:
        for _ in range(REPEATS):
            nested_s = simulated_s(NESTED)
    return Figures(
        name="collective_1024",
        work={"ranks": NUM_RANKS, "predictions": REPEATS},
        spent=own,
        rates={
            "predictions_per_cpu_s": REPEATS / own.cpu_s,
            "flat_per_cpu_s": REPEATS / flat.cpu_s,
            "nested_per_cpu_s": REPEATS / nested.cpu_s,
        },
        peer=PEER,
        notes={
            "prediction_wall_s": own.wall_s / REPEATS,
            "predicted_s": found.time_s,
            "predicted_low_s": found.low_s,
            "predicted_high_s": found.high_s,
            "predicted_algorithm": found.algorithm,
            "flat_wall_s": flat.wall_s / REPEATS,
            "flat_collective_s": flat_s,
            "nested_wall_s": nested.wall_s / REPEATS,
            "nested_collective_s": nested_s,
            "times_as_fast_flat": float(PEER["flat_wall_s"]) / (flat.wall_s / REPEATS),
            "times_as_fast_nested": float(PEER["nested_wall_s"]) / (nested.wall_s / REPEATS),
        },
    )


if __name__ == "__main__":
    report(run, __doc__ or "")
