"""A fleet to be rehearsed: its nodes, tenants, jobs and rules, how it is mended, and for how long.

What goes wrong (`domain.hazard`) comes from the catalogue; a fleet file names which of it applies and may
state rates of its own. Times are counted from the begin of the rehearsal, a Monday at midnight.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from gigawatt.domain.record import Record
from gigawatt.domain.scenario import Id, Stated
from gigawatt.units import parse_quantity

SchedulePolicy = Literal["fifo", "sjf", "easy", "conservative", "edf", "fair-share", "quota"]
PlacementPolicy = Literal["pack", "spread"]
CheckpointPolicy = Literal["fixed", "young", "daly", "adaptive"]


def _seconds(text: str) -> float:
    return parse_quantity(text, "_s")


MOST_NODES = 1_000_000
MOST_JOBS = 20_000_000
MOST_GPUS = 10_000_000
YEARS_10_S = _seconds("10 years")
DAY_S = _seconds("1 day")
WEEK_S = _seconds("7 days")


class SitePlan(Stated):
    """Nodes of one kind in one place; a pool that jobs are scheduled in."""

    name: Id = "site"
    num_nodes: int = Field(gt=0, le=MOST_NODES)
    nodes_per_rack: int = Field(default=4, gt=0, le=1024)
    racks_per_pod: int = Field(default=8, gt=0, le=MOST_NODES)
    """A pod is what hangs on one set of leaf switches, and fails with them."""
    num_spares: int = Field(default=0, ge=0, le=MOST_NODES)
    """Nodes that stand by, to take the place of broken ones."""

    @model_validator(mode="after")
    def _keeps_some(self) -> Self:
        if self.num_spares >= self.num_nodes:
            raise ValueError(f"num_spares: {self.num_spares} of {self.num_nodes} nodes leave none to work")
        return self


class TenantPlan(Stated):
    """Whom jobs belong to, and what it may have."""

    name: Id
    quota_gpus: int | None = Field(default=None, ge=0, le=MOST_GPUS)
    """That it gets whenever it wants them; not stated: an equal share of what the others leave."""
    limit_gpus: int | None = Field(default=None, ge=0, le=MOST_GPUS)
    """The most that it may have, others' unused quota borrowed; not stated: all."""
    weight: float = Field(default=1.0, gt=0, le=1000)
    """Of its fair share, beside the others'."""


class JobKind(Stated):
    """What jobs have in common that come from one place."""

    name: Id
    tenant: Id = "all"
    site: Id | None = None
    """Not stated: the first."""
    priority: int = Field(default=0, ge=0, le=1000)
    """Those of a higher one go first, and may take others' place."""
    checkpoint_write_s: float = Field(default=0.0, ge=0, le=DAY_S)
    """That the work stands still for; with 0 a checkpoint costs nothing."""
    checkpoint_interval_s: float | None = Field(default=None, gt=0)
    """Not stated: by the policy; where a checkpoint costs nothing, only when the job has to give way, so that
    a fault makes it start over."""
    restart_s: float | None = Field(default=None, ge=0, le=DAY_S)
    """From all nodes at hand to the first step; not stated: by the recovery."""


class RunPlan(JobKind):
    """A training run, or several alike: a gang with so much work."""

    num_gpus: int = Field(gt=0, le=MOST_GPUS)
    work_s: float = Field(gt=0, le=YEARS_10_S)
    """Of progress, at full speed and without a stop."""
    submit_s: float = Field(default=0.0, ge=0, le=YEARS_10_S)
    deadline_s: float | None = Field(default=None, gt=0, le=YEARS_10_S)
    count: int = Field(default=1, gt=0, le=100_000)
    """Of jobs alike: an array."""
    reserved: bool = False
    """From `submit_s` on its nodes are reserved: it goes first, and whoever runs there gives way."""
    num_hot_nodes: int = Field(default=0, ge=0, le=10_000)
    """Idle nodes that the job holds, to go on at once when one of its others breaks."""
    min_gpus: int | None = Field(default=None, gt=0, le=MOST_GPUS)
    """An elastic job goes on with fewer nodes, down to these, in proportion slower."""


def _as_sizes(value: object) -> object:
    return {int(key): share for key, share in value.items()} if isinstance(value, dict) else value


class JobMix(JobKind):
    """A stream of jobs: they come at random, in sizes by share, and last log-normally long."""

    jobs_per_s: float = Field(gt=0, le=1000)
    sizes: Annotated[
        dict[int, float],
        BeforeValidator(_as_sizes),
        WithJsonSchema({"type": "object", "additionalProperties": {"type": "number"}}),
    ]
    """GPUs of a job, and the share of jobs that ask for so many."""
    median_work_s: float = Field(gt=0, le=YEARS_10_S)
    mean_work_s: float = Field(gt=0, le=YEARS_10_S)
    """With the median it says how wide the distribution is."""
    max_work_s: float = Field(default=YEARS_10_S, gt=0, le=YEARS_10_S)

    @model_validator(mode="after")
    def _is_a_distribution(self) -> Self:
        if (
            not self.sizes
            or min(self.sizes) < 1
            or min(self.sizes.values()) < 0
            or sum(self.sizes.values()) <= 0
        ):
            raise ValueError("sizes: expected GPUs of 1 or more, each with a share of 0 or more")
        if self.mean_work_s < self.median_work_s:
            raise ValueError("mean_work_s: of a log-normal distribution it is not below the median")
        return self


class TracePlan(JobKind):
    """Jobs from a file, in any form that `operate replay` reads."""

    file: str
    max_work_s: float = Field(default=YEARS_10_S, gt=0, le=YEARS_10_S)


class PolicyPlan(Stated):
    """By what rules the fleet is run."""

    schedule: SchedulePolicy = "easy"
    backfill_depth: int = Field(default=100, ge=0, le=1_000_000)
    """How many of those that wait a backfill looks at."""
    placement: PlacementPolicy = "pack"
    checkpoint: CheckpointPolicy = "daly"
    preemption: bool = True
    """Whether jobs of a higher priority take the place of others."""
    preemptible_after_s: float = Field(default=_seconds("2 h"), ge=0)
    """How long a job runs before it may have to give way; on Meta's research clusters two hours."""
    grace_s: float = Field(default=_seconds("10 min"), ge=0)
    """For saving, of a job that has to give way."""
    half_life_s: float = Field(default=WEEK_S, gt=0)
    """After which half of a tenant's usage is forgotten, for its fair share; Slurm's default."""
    quarantine_after: int | None = Field(default=None, gt=1, le=100)
    """Recent faults of a node after which it is replaced; not stated: never."""
    quarantine_window_s: float = Field(default=_seconds("30 days"), gt=0)
    """After which half of a node's faults are forgotten."""
    takes_free_nodes: bool = True
    """Whether a gang takes a free node at once in the place of a broken one."""


class RecoveryPlan(Stated):
    """How long jobs take to go on."""

    restart_s: float | None = Field(default=None, ge=0, le=DAY_S)
    """From all nodes at hand to the first step, of a job on one node; not stated: as plans assume it."""
    restart_per_node_s: float = Field(default=0.0, ge=0, le=60)
    """More for each further node."""
    swap_s: float | None = Field(default=None, ge=0, le=DAY_S)
    """To put another node in the place of a broken one; not stated: as plans assume it."""
    in_job_restart_s: float | None = Field(default=None, ge=0, le=DAY_S)
    """From the discovery to the first step, where an idle node of the job itself stands in; not stated: as
    any other restart."""
    spread_speed_frac: float = Field(default=1.0, gt=0, le=1)
    """Speed of a gang over several pods, beside one within a pod."""


class Shift(Record):
    """So many are on duty from a time of the week on."""

    begin_s: float = Field(ge=0, lt=WEEK_S)
    on_duty: int = Field(ge=0, le=100_000)


class SkillPlan(Stated):
    """Technicians who can do the same; `vendor` is whoever comes from outside."""

    name: Id
    on_duty: int | None = Field(default=None, ge=0, le=100_000)
    """At any time, where there are no shifts."""
    shifts: tuple[Shift, ...] = ()
    response_s: float = Field(default=0.0, ge=0, le=YEARS_10_S)
    """From the call until they are at the machine: what a service contract promises."""
    usd_per_year: float = Field(default=0.0, ge=0)
    """Of one who is on duty around the clock."""
    usd_per_call: float = Field(default=0.0, ge=0)

    @model_validator(mode="after")
    def _is_on_duty(self) -> Self:
        if (self.on_duty is None) == (not self.shifts):
            raise ValueError("on_duty or shifts: expected one of the two")
        begins = [shift.begin_s for shift in self.shifts]
        if begins != sorted(set(begins)):
            raise ValueError("shifts: expected in the order of their begin, each once")
        return self


class RepairPlan(Stated):
    """How broken assets come back."""

    triage_s: float = Field(default=_seconds("30 min"), ge=0)
    """To find out what a broken asset needs."""
    reboot_s: float = Field(default=_seconds("15 min"), ge=0)
    burn_in_s: float = Field(default=_seconds("2 h"), ge=0)
    """Tests after hands were on it."""
    skills: tuple[SkillPlan, ...] = ()
    """Not stated for a skill that a hazard asks for: one that is never short."""
    stock: dict[str, int] = Field(default={})
    """Parts on the shelf, by id; each that is taken is ordered again."""
    node_hands_on_s: float = Field(default=_seconds("4 h"), gt=0)
    """To replace a whole node."""


class MaintenancePlan(Stated):
    """Planned: each rack in its turn."""

    every_s: float = Field(gt=0)
    lasts_s: float = Field(gt=0)


class PowerCap(Record):
    """From a time on so much of the fleet's accelerators may not work."""

    begin_s: float = Field(ge=0)
    withheld_frac: float = Field(ge=0, le=1)


class HazardPlan(Stated):
    """Which hazards strike, and how the fleet's nodes differ."""

    rate_ratio: float = Field(default=1.0, ge=0, le=100)
    """Of every rate, over what the catalogue says."""
    only: tuple[str, ...] = ()
    """Ids of those that strike; none stated: all of the catalogue."""
    without: tuple[str, ...] = ()
    age_s: float = Field(default=0.0, ge=0, le=YEARS_10_S)
    """Of all parts at the begin: new ones fail more often."""
    frail_frac: float | None = Field(default=None, ge=0, lt=1)
    """Of nodes that fail more often than the others (lemons); not stated: as published fleets have them."""
    frail_ratio: float | None = Field(default=None, ge=1, le=1000)
    """Of their rate over the others'; the fleet's mean rate stays that of the catalogue."""


class PricePlan(Stated):
    """What things cost, in the price year of the file."""

    usd_per_gpu_h: float = Field(default=0.0, ge=0)
    """Of every accelerator, whether it works or not."""
    usd_per_mwh: float = Field(default=0.0, ge=0)
    idle_power_frac: float = Field(default=0.25, ge=0, le=1)
    """Of the power of a node at full load, what it draws in service without a job."""
    price_year: int | None = Field(default=None, ge=2000, le=2100)

    @model_validator(mode="after")
    def _has_a_year(self) -> Self:
        if (self.usd_per_gpu_h or self.usd_per_mwh) and self.price_year is None:
            raise ValueError("price_year: prices are of some year; state which")
        return self


class FleetPlan(Stated):
    """A fleet file, as `gigawatt operate simulate` reads it."""

    name: Id
    system: str
    """Id in the catalogue: what a node is."""
    lasts_s: float = Field(default=_seconds("365 days"), gt=0, le=YEARS_10_S)
    seed: int = Field(default=1, ge=0, lt=2**63)
    sites: tuple[SitePlan, ...] = Field(min_length=1, max_length=64)
    tenants: tuple[TenantPlan, ...] = ()
    runs: tuple[RunPlan, ...] = ()
    mixes: tuple[JobMix, ...] = ()
    traces: tuple[TracePlan, ...] = ()
    policy: PolicyPlan = PolicyPlan()
    hazards: HazardPlan = HazardPlan()
    recovery: RecoveryPlan = RecoveryPlan()
    repair: RepairPlan = RepairPlan()
    maintenance: MaintenancePlan | None = None
    power_caps: tuple[PowerCap, ...] = ()
    prices: PricePlan = PricePlan()

    @model_validator(mode="after")
    def _hangs_together(self) -> Self:
        sites = [site.name for site in self.sites]
        tenants = [tenant.name for tenant in self.tenants]
        skills = [skill.name for skill in self.repair.skills]
        kinds = (*self.runs, *self.mixes, *self.traces)
        for what, names in (("sites", sites), ("tenants", tenants), ("skills", skills)):
            if len(set(names)) < len(names):
                raise ValueError(f"{what}: a name stands twice in {', '.join(names)}")
        if not kinds:
            raise ValueError("runs, mixes or traces: expected at least one, for without jobs nothing happens")
        for kind in kinds:
            if kind.site is not None and kind.site not in sites:
                raise ValueError(f"{kind.name}: site {kind.site!r} is not one of {', '.join(sites)}")
            if tenants and kind.tenant not in tenants:
                raise ValueError(f"{kind.name}: tenant {kind.tenant!r} is not one of {', '.join(tenants)}")
        begins = [cap.begin_s for cap in self.power_caps]
        if begins != sorted(set(begins)):
            raise ValueError("power_caps: expected in the order of their begin, each once")
        return self

    @property
    def tenant_names(self) -> tuple[str, ...]:
        """Of all tenants, those that only jobs name included, in order."""
        named = [kind.tenant for kind in (*self.runs, *self.mixes, *self.traces)]
        return tuple(dict.fromkeys([*(tenant.name for tenant in self.tenants), *named]))


class TimeShares(Record):
    """What GPU-hours went to; held ones are the sum of all from `useful_gpu_h` to `idle_held_gpu_h`."""

    held_gpu_h: float
    """That jobs held, from their start to their end."""
    useful_gpu_h: float
    """Work that counts: done, and not undone by a fault."""
    lost_gpu_h: float
    """Work undone, since the last sound checkpoint."""
    saving_gpu_h: float
    """Standing still to write checkpoints."""
    slow_gpu_h: float
    """Working at less than full speed."""
    restart_gpu_h: float
    """Loading, and putting other nodes in the place of broken ones."""
    unnoticed_gpu_h: float
    """Hanging, before anybody knew."""
    idle_held_gpu_h: float
    """Held by jobs that did not need them: what of whole nodes they did not ask for, and nodes kept idle."""
    residual_gpu_s: float
    """What the others leave of what was held, counted in GPU-seconds: nothing."""


class TenantFigures(Record):
    """How a tenant's jobs fared."""

    tenant: str
    num_jobs: int
    num_done: int
    shares: TimeShares
    mean_queue_s: float
    """From submission to the first start, of those that started."""
    p50_queue_s: float
    p90_queue_s: float


class RunFigures(Record):
    """How one training run fared."""

    name: str
    num_gpus: int
    submit_s: float
    start_s: float | None
    """None where it never started."""
    done_s: float | None
    """None where it was not done by the end."""
    deadline_s: float | None
    done_frac: float
    """Of its work, by then."""
    num_faults: int
    """That stopped it."""
    num_starts: int
    """From the queue."""
    ettr_frac: float
    """Useful time over time since its first start."""
    mean_fault_interval_s: float | None
    """Time since its first start over its faults; None without any."""


class CauseFigures(Record):
    """What a hazard did."""

    hazard: str
    """Its id; `planned` is maintenance, preemption and caps."""
    num_faults: int
    """Of assets."""
    num_interruptions: int
    """Of jobs."""
    lost_gpu_h: float
    """Work undone, hanging and restarts."""
    out_gpu_h: float
    """Out of service."""
    num_repairs: int
    """Of assets that were taken out for it."""
    mean_repair_s: float
    """From its discovery back to service; 0 where nothing was repaired."""


class PartFigures(Record):
    """What was taken off a shelf."""

    part: str
    num_stock: int
    """At the begin."""
    num_used: int
    num_short: int
    """Demands that found none."""
    cost_usd: float


class SkillFigures(Record):
    """How busy hands were."""

    skill: str
    num_jobs: int
    busy_frac: float
    """Of those on duty, on average over the time."""
    mean_wait_s: float
    """Until somebody was free, over all that asked for them; until the end, where nobody was by then."""
    cost_usd: float


class FleetFigures(Record):
    """What became of a fleet: one replication of a rehearsal."""

    seed: int
    events: int
    num_jobs: int
    num_done: int
    too_large: int
    """Jobs of mixes and traces that no site can hold; they were left out."""
    num_faults: int
    num_interruptions: int
    goodput_frac: float
    """Useful over all GPU-hours that jobs held."""
    ettr_frac: float
    """Useful over all GPU-hours between the first start of jobs and their end, waiting again included."""
    utilisation_frac: float
    """Held over all GPU-hours of the fleet."""
    fleet_gpu_h: float
    out_gpu_h: float
    """Of nodes out of service."""
    spare_gpu_h: float
    """Of nodes that stood by."""
    idle_gpu_h: float
    """The rest: in service and free."""
    energy_j: float
    cost_usd: float
    shares: TimeShares
    tenants: tuple[TenantFigures, ...]
    runs: tuple[RunFigures, ...]
    causes: tuple[CauseFigures, ...]
    parts: tuple[PartFigures, ...]
    skills: tuple[SkillFigures, ...]


class TimelineRow(Record):
    """What the fleet's GPUs did on average over a stretch of time, in GPUs."""

    begin_s: float
    num_useful: float
    """Working, what is undone later included."""
    num_saving: float
    num_restart: float
    num_unnoticed: float
    num_idle_held: float
    num_spare: float
    num_out: float
    num_free: float
    num_waiting: float
    """GPUs that jobs in the queue wait for."""
    num_interruptions: int
    """In the stretch."""


class Estimate(Record):
    """A figure over replications: its mean, where nine in ten of them fall, and the doubt of the mean."""

    value: float
    low: float
    high: float
    half_width: float = Field(ge=0)
    """Of the 95 % confidence interval of the mean."""


class Rehearsal(Record):
    """A fleet rehearsed several times over."""

    name: str
    num_replications: int
    converged: bool
    """Whether the doubt of the goodput is within what was asked for."""
    goodput_frac: Estimate
    ettr_frac: Estimate
    utilisation_frac: Estimate
    num_interruptions: Estimate
    cost_usd: Estimate
    energy_j: Estimate
    replications: tuple[FleetFigures, ...]
    timeline: tuple[TimelineRow, ...]
    """Of the first replication."""
