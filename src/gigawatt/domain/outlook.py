"""What all replications of a rehearsal say together: means, shares, dates that can be planned with."""

from __future__ import annotations

from gigawatt.domain.record import Record


class ShareOutlook(Record):
    """One use of the fleet's GPU-hours, on average over replications."""

    use: str
    held: bool
    """Whether jobs held these GPUs."""
    gpu_h: float
    held_frac: float | None
    """Of all GPU-hours that jobs held; these add up to 100 %. None where no job held them."""
    fleet_frac: float
    """Of all GPU-hours of the fleet; these add up to 100 %."""


class RunOutlook(Record):
    """How a training run fares. Ends of which a replication did not see one count as later than any other."""

    name: str
    num_gpus: int
    deadline_s: float | None
    meets_deadline_frac: float | None
    """Of the replications; None where there is no deadline."""
    done_frac: float
    """Of its work, at the end of the time, on average."""
    p10_done_s: float | None
    p50_done_s: float | None
    p90_done_s: float | None
    """None where it was not done that often."""
    num_faults: float
    ettr_frac: float


class TenantOutlook(Record):
    """How the jobs of a tenant fare, on average over replications."""

    tenant: str
    num_jobs: float
    num_done: float
    held_gpu_h: float
    goodput_frac: float
    """Useful over held."""
    mean_queue_s: float
    p50_queue_s: float
    p90_queue_s: float


class CauseOutlook(Record):
    """What a hazard does, on average over replications."""

    hazard: str
    num_faults: float
    num_interruptions: float
    lost_gpu_h: float
    out_gpu_h: float
    num_repairs: float
    mean_repair_s: float


class PartOutlook(Record):
    """What a part costs and whether it runs short, on average over replications."""

    part: str
    num_stock: int
    num_used: float
    num_short: float
    cost_usd: float


class SkillOutlook(Record):
    """How busy hands are, on average over replications."""

    skill: str
    num_jobs: float
    busy_frac: float
    mean_wait_s: float
    cost_usd: float


class FleetOutlook(Record):
    """All of it."""

    num_replications: int
    lasts_s: float
    num_jobs: float
    num_done: float
    num_too_large: float
    num_faults: float
    events: int
    """Of all replications together."""
    shares: tuple[ShareOutlook, ...]
    runs: tuple[RunOutlook, ...]
    tenants: tuple[TenantOutlook, ...]
    causes: tuple[CauseOutlook, ...]
    """Most interruptions first."""
    parts: tuple[PartOutlook, ...]
    skills: tuple[SkillOutlook, ...]
