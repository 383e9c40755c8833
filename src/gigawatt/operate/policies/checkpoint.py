"""How often a job writes a checkpoint, by what its fleet is known, or has been seen, to do."""

from __future__ import annotations

from gigawatt.laws.reliability import daly_interval_s, young_interval_s

FIXED, YOUNG, DALY, ADAPTIVE = range(4)
CHECKPOINTS = {
    "fixed": "as the job states it",
    "young": "Young's first order, from the rates that the fleet is planned with",
    "daly": "Daly's higher order, from the same",
    "adaptive": "Daly's, from the faults that the fleet has had so far",
}
"""Names in the order of their numbers."""


def best_interval_s(rule: int, stated_s: float, write_s: float, mttf_s: float) -> float:
    """Working time between the checkpoints of a job that fails every `mttf_s`."""
    if rule == FIXED or write_s <= 0.0:
        return stated_s
    if rule == YOUNG:
        return float(young_interval_s(write_s, mttf_s))
    return float(daly_interval_s(write_s, mttf_s))


def seen_mttf_s(planned_mttf_s: float, planned_weight: float, faults: float, exposure_s: float) -> float:
    """Time between a job's faults after so many in so long, beside what was planned with.

    The plan counts as `planned_weight` faults that have been seen already (the mean of a gamma posterior).
    """
    return (planned_weight * planned_mttf_s + exposure_s) / (planned_weight + faults)
