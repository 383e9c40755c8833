"""A network of 500 tasks in mcprojsim: triangular durations, finish-start links, nothing else.

    python3.13 -m venv peer && peer/bin/pip install mcprojsim
    GIGAWATT_PEER_PYTHON=peer/bin/python python benchmarks/schedule.py --json

Reads the network as JSON on standard input (name, low, likely and high in hours, predecessors). Nothing of
gigawatt is imported here.
"""

from __future__ import annotations

import json
import sys
import time

from measure import peak_bytes

NUM_SAMPLES = 2_000


def main() -> None:
    """Simulate, and print one JSON object."""
    import mcprojsim
    from mcprojsim.models.project import Project
    from mcprojsim.simulation.engine import SimulationEngine

    tasks = [
        {
            "id": name,
            "name": name,
            "estimate": {
                "distribution": "triangular",
                "low": low,
                "expected": likely,
                "high": high,
                "unit": "hours",
            },
            "dependencies": after,
        }
        for name, low, likely, high, after in json.load(sys.stdin)
    ]
    project = Project.model_validate(
        {"project": {"name": "made up", "start_date": "2027-01-04"}, "tasks": tasks}
    )
    cpu_s, wall_s = time.process_time(), time.perf_counter()
    engine = SimulationEngine(iterations=NUM_SAMPLES, random_seed=1, show_progress=False)
    durations = sorted(engine.run(project).durations)
    cpu_s, wall_s = time.process_time() - cpu_s, time.perf_counter() - wall_s
    found = {
        "name": f"mcprojsim {mcprojsim.__version__}, dependencies only, one process",
        "work": {"activities": len(tasks), "samples": NUM_SAMPLES},
        "cpu_s": cpu_s,
        "wall_s": wall_s,
        "peak_bytes": peak_bytes(),
        "rates": {"durations_per_cpu_s": len(tasks) * NUM_SAMPLES / cpu_s},
        "p50_hours": float(durations[NUM_SAMPLES // 2]),
        "p90_hours": float(durations[NUM_SAMPLES * 9 // 10]),
        "source": "installed from the package index, run in turn",
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
