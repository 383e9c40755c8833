"""How often the jobs of a plan write checkpoints, from the rates that their fleet is planned with."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gigawatt.domain.hazard import Hazard
from gigawatt.domain.twin import FleetPlan, SitePlan
from gigawatt.errors import InputError
from gigawatt.laws.reliability import daly_interval_s, job_failures_per_s, young_interval_s
from gigawatt.operate.jobbook import JobBook, sites_of
from gigawatt.operate.tables import Floats, Ints
from gigawatt.operate.world import MOST_INTERVAL_S, TICK_S

LEAST_INTERVAL_S = 1.0


def planned_mttf_s(
    plan: FleetPlan, book: JobBook, gpus_per_node: int, rates_per_s: Floats, hazards: Sequence[Hazard]
) -> Floats:
    """[jobs] s between the faults that stop each job, infinity where nothing does.

    `rates_per_s` [hazards, pools] is of one asset of the hazard's scope.
    """
    num_nodes, here = -(-book.num_gpus // gpus_per_node), sites_of(plan, book.kinds)[book.kind]
    rate = np.zeros(len(here))
    for number, site in enumerate(plan.sites):
        mine = here == number
        rate[mine] = _stops_per_s(site, num_nodes[mine], rates_per_s[:, number], hazards)
    return np.asarray(np.divide(1.0, rate, out=np.full(len(rate), np.inf), where=rate > 0.0))


def _stops_per_s(site: SitePlan, num_nodes: Ints, rates_per_s: Floats, hazards: Sequence[Hazard]) -> Floats:
    """[jobs] stops per second of jobs on so many nodes, in as few racks and pods as hold them."""
    in_pod = site.nodes_per_rack * site.racks_per_pod
    sizes = {"rack": site.nodes_per_rack, "pod": in_pod, "site": site.num_nodes}
    rate = np.zeros(len(num_nodes))
    for n, one in enumerate(hazards):
        if one.effect == "stops":
            rate += job_failures_per_s(-(-num_nodes // sizes.get(one.scope, 1)), rates_per_s[n])
    return rate


def interval_s(plan: FleetPlan, book: JobBook, mttf_s: Floats) -> Floats:
    """[jobs] s of work between checkpoints, whole ticks: as stated, else the best by the policy's law.

    Where a checkpoint costs nothing and no interval is stated, there is none. Errors: InputError where the
    policy is "fixed" and nothing is stated.
    """
    law = young_interval_s if plan.policy.checkpoint == "young" else daly_interval_s
    found = np.full(len(mttf_s), MOST_INTERVAL_S)
    for number, kind in enumerate(book.kinds):
        mine = (book.kind == number) & np.isfinite(mttf_s)
        if kind.checkpoint_interval_s is not None:
            found[book.kind == number] = kind.checkpoint_interval_s
        elif kind.checkpoint_write_s > 0.0:
            if plan.policy.checkpoint == "fixed":
                raise InputError(
                    f"{kind.name}: checkpoint_interval_s is missing, and policy.checkpoint is fixed"
                )
            found[mine] = np.asarray(law(kind.checkpoint_write_s, mttf_s[mine]))
    return np.asarray(np.floor(np.maximum(found, LEAST_INTERVAL_S) / TICK_S + 0.5) * TICK_S)
