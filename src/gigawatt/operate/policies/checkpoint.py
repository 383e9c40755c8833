"""How often a job writes a checkpoint where it adapts to what its fleet has been seen to do."""

from __future__ import annotations

import numpy as np

from gigawatt.laws.reliability import daly_interval_s

AS_IF_SEEN = 10.0
"""Faults that a plan counts for beside those seen: after as many again, both weigh the same."""
LEAST_INTERVAL_S = 1.0


def adapted_interval_s(
    write_s: float, job_mttf_s: float, fleet_mttf_s: float, num_faults: int, now_s: float
) -> float:
    """Working time between checkpoints, from the plan's times between faults of the job and its fleet.

    After `num_faults` in the fleet until now, the plan's rates are moved by what was seen over what was
    planned (the mean of a gamma posterior), and the interval is Daly's for them.
    """
    seen_s = (AS_IF_SEEN * fleet_mttf_s + now_s) / (AS_IF_SEEN + num_faults)
    return float(np.maximum(daly_interval_s(write_s, job_mttf_s * seen_s / fleet_mttf_s), LEAST_INTERVAL_S))
