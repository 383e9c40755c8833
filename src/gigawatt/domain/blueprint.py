"""The blueprint: what `gigawatt plan` found, with everything that each figure rests on.

One JSON file. A figure is named by its JSON pointer (`/runs/0/options/3/cost_usd`); `derivations` says by
which law and from which other figures and facts it came, `facts` what the catalogue says, `assumptions` what
the scenario claims, `sources` where it is published. Predicted figures come as a middle value and its 10 %
and 90 % points: `cost_usd`, `low_cost_usd`, `high_cost_usd`. Dates are UTC in ISO 8601.
"""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict, Field

from gigawatt.domain.collectives import CollectivePrediction
from gigawatt.domain.dates import PortfolioDates
from gigawatt.domain.energy import EnergyPlan
from gigawatt.domain.fabric import FabricDesign
from gigawatt.domain.facility import FacilityDesign
from gigawatt.domain.hardware import System
from gigawatt.domain.model import Model
from gigawatt.domain.record import Record
from gigawatt.domain.training import Binding, TrainingDesign, TrainingPrediction

Verdict = Literal["meets", "late", "infeasible", "unplannable"]
"""`meets`/`late`: planned, and the deadline is (not) met at the scenario's confidence. `infeasible`: no legal
layout fits. `unplannable`: a fact that a plan needs is not known. `binding` says more in each case."""


class Assumption(Record):
    """Something that the plan takes for granted, and on whose word."""

    key: str
    label: str
    value: float | str | None = None
    """In the unit that the key's suffix names; None where the assumption is that something is left out."""
    source: str
    basis: str
    note: str = ""


class Fact(Record):
    """A value that the plan took from the catalogue, such as `systems/hgx-h100/scale_out_bytes_per_s`."""

    key: str
    value: float | str | bool
    source: str
    """A key of `sources`."""
    basis: str
    date: str = ""
    note: str = ""


class Reference(Record):
    """An entry of the bibliography."""

    key: str
    title: str
    url: str = ""
    date: str = ""


class Derivation(Record):
    """How a figure, and everything below its pointer that has no derivation of its own, came about."""

    figure: str
    law: str
    """Dotted name below `gigawatt`, such as `laws.finance.rental_cost_usd`."""
    inputs: tuple[str, ...] = ()
    """JSON pointers: other figures, facts and assumptions of this blueprint."""
    note: str = ""


class Option(Record):
    """One training run in one place: an owned cluster, or a rental offer at a stated size."""

    id: str
    kind: Literal["owned", "rented"]
    label: str
    provider: str = ""
    region: str = ""
    system: str = ""
    system_name: str = ""
    accelerator: str = ""
    accelerator_name: str = ""
    num_accelerators: int
    verdict: Verdict
    binding: tuple[Binding, ...] = ()
    """What keeps the option from being planned, from meeting the deadline, or from being priced."""
    design: int | None = None
    """Index into the run's `designs`; the layout that the option uses is that design's `best[0]`."""

    step_s: float | None = None
    low_step_s: float | None = None
    high_step_s: float | None = None
    goodput_frac: float | None = None
    """Share of the time that makes progress: what the scenario states, else what rehearsals gave."""
    low_goodput_frac: float | None = None
    high_goodput_frac: float | None = None
    estimated_goodput_frac: float | None = None
    """The same by closed form, where it was rehearsed."""
    interruption_interval_s: float | None = None
    """Between unexpected interruptions, on average; with the two below, where the closed form is used."""
    low_interruption_interval_s: float | None = None
    high_interruption_interval_s: float | None = None
    checkpoint_write_s: float | None = None
    low_checkpoint_write_s: float | None = None
    high_checkpoint_write_s: float | None = None
    checkpoint_interval_s: float | None = None
    """Work between two checkpoints that loses the least."""
    train_s: float | None = None
    """From the first step to the last, with what is lost between them (`goodput_frac`)."""
    low_train_s: float | None = None
    high_train_s: float | None = None
    start: str = ""
    """When the run begins here: its own start, the place's availability, or the end of the queue."""
    low_start: str = ""
    high_start: str = ""
    """The early and the late end, of what is still being built and of the queue ahead."""
    waits_for: tuple[str, ...] = ()
    """Runs ahead of this one on the cluster's calendar."""
    finish: str = ""
    low_finish: str = ""
    high_finish: str = ""
    """`low` is the early end, from the 10 % point of the training time (and of the queue ahead)."""
    slack_s: float | None = None
    """From the finish at the scenario's confidence to the deadline; negative when late."""

    gpu_hours: float | None = None
    low_gpu_hours: float | None = None
    high_gpu_hours: float | None = None
    energy_j: float | None = None
    """At the facility's meter (node power at training load times PUE)."""
    low_energy_j: float | None = None
    high_energy_j: float | None = None
    power_w: float | None = None
    """Mean draw at the facility's meter."""
    emissions_kgco2: float | None = None
    low_emissions_kgco2: float | None = None
    high_emissions_kgco2: float | None = None

    price_usd_per_gpu_h: float | None = None
    price_note: str = ""
    """What the price is (on demand, spot, owner's full cost, ...) and when it was quoted."""
    currency: str = "USD"
    price_year: int | None = None
    cost_usd: float | None = None
    low_cost_usd: float | None = None
    high_cost_usd: float | None = None

    @property
    def planned(self) -> bool:
        """Whether a layout was found, so that times and (given a price) costs exist."""
        return self.verdict in ("meets", "late")


class Booking(Record):
    """A run's place on an owned cluster's calendar."""

    cluster: str
    run: str
    start: str
    finish: str
    low_finish: str
    high_finish: str


class RunDecision(Record):
    """What one run should do, and why."""

    met: bool
    """Whether an option with a known cost meets the deadline."""
    option: str = ""
    """The cheapest that meets the deadline, else the nearest miss; blank if nothing can be planned."""
    runner_up: str = ""
    reason: str


class RunPlan(Record):
    """One training run against every place where it could happen."""

    id: str
    model: str
    model_name: str
    shape: Model | None = None
    """The model in full, so that a plan can be exported without the catalogue that it was made with."""
    tokens: float
    seq_len: int
    global_batch: int
    precision: str
    software: str = ""
    num_steps: int
    start: str
    deadline: str
    designs: tuple[TrainingDesign, ...] = ()
    """One for each system and size, shared by the options that differ in price or calendar only."""
    options: tuple[Option, ...] = ()
    decision: RunDecision

    def prediction_of(self, option: Option) -> TrainingPrediction | None:
        """The layout and the step that an option rests on; None where nothing fits."""
        if option.design is None or not self.designs[option.design].best:
            return None
        return self.designs[option.design].best[0]

    def option_named(self, option_id: str) -> Option | None:
        """The option of that id, if there is one."""
        return next((option for option in self.options if option.id == option_id), None)


class ReadyDates(Record):
    """When the block of capacity is done that a cluster waits for, by its construction risk.

    Each is the day by the end of which it is done; the cluster is used from the next day on.
    """

    project: str
    """Title of the construction project."""
    block: str
    power_w: float
    """Of IT, that the block carries."""
    p10: str
    p50: str
    p90: str
    planned: str
    """With every duration at its median and no risk come true."""
    num_samples: int


class ClusterEnergy(Record):
    """What the power of a cluster costs and emits, by the hourly optimum of its campus."""

    site: str
    price_year: int
    rated_w: float
    """Of the campus that the optimum is for."""
    usd_per_year: float
    lower_bound_usd_per_year: float
    gap_frac: float
    energy_j_per_year: float
    """Served to the campus."""
    kgco2_per_year: float
    usd_per_mwh: float
    kgco2_per_mwh: float
    plan: EnergyPlan | None = None
    """With its hours, for the picture."""


class Signature(Record):
    """One contract to sign."""

    offer: str
    provider: str
    form: str
    kind: str
    """Blank for power."""
    site: str
    month: str
    num_accelerators: float
    power_w: float
    present_usd: float


class HandedWork(Record):
    """What a run takes by this plan, in place of what the roadmap states for the run of the same name."""

    run: str
    kind: str
    option: str
    pointer: str
    """Of the figure in this blueprint."""
    work_gpu_h: float
    """At its design's speed and its goodput."""
    stated_gpu_h: float


class PortfolioAnswer(Record):
    """What to sign now, from the portfolio that the scenario names; all of it is in its own artefact."""

    title: str
    price_year: int
    objective_usd: float | None = None
    """Present value of the cost; None where nothing meets the roadmap (`binding`)."""
    bound_usd: float | None = None
    gap_frac: float | None = None
    complete: bool = False
    """False: time ran out, and this is the best plan so far."""
    audited: bool = False
    """Whether the plan holds when it is added up again without the solver."""
    now_until: str = ""
    """What is decided before this month is decided now."""
    handed: tuple[HandedWork, ...] = ()
    dates: PortfolioDates | None = None
    """Of construction projects that the roadmap names."""
    sign_now: tuple[Signature, ...] = ()
    num_later: int = 0
    """Signatures and rights that come later, or in some futures only."""
    binding: tuple[Binding, ...] = ()


class ClusterPlan(Record):
    """An owned cluster as it is built: its networks, what collectives take on them, and its halls."""

    cluster: str
    system: str
    num_accelerators: int
    fabric: FabricDesign | None = None
    collectives: tuple[CollectivePrediction, ...] = ()
    facility: FacilityDesign | None = None
    """Where the scenario names a site."""
    ready: ReadyDates | None = None
    """Where the scenario names its construction."""
    energy: ClusterEnergy | None = None
    """Where the scenario names its energy site."""
    binding: tuple[Binding, ...] = ()
    """What keeps a fabric or facility from being designed."""
    remarks: tuple[str, ...] = ()
    """What to know of dates and costs."""


class Blueprint(Record):
    """The artefact of the act "design": runs, places, times, costs, and where every figure comes from."""

    model_config = ConfigDict(populate_by_name=True)

    schema_id: Literal["gigawatt.blueprint/1"] = Field(default="gigawatt.blueprint/1", alias="schema")
    digest: str = ""
    """Of everything else in this file."""
    title: str = ""
    inputs: dict[str, str]
    """Digests of what went in, by name: the scenario, model files, overlays."""
    catalogue_digest: str
    tool_version: str
    seed: int
    currency: str
    price_year: int
    deadline_confidence_frac: float
    """Deadlines are judged at this point of the finish date's distribution."""
    assumptions: tuple[Assumption, ...]
    facts: tuple[Fact, ...] = ()
    sources: tuple[Reference, ...] = ()
    derivations: tuple[Derivation, ...] = ()
    runs: tuple[RunPlan, ...]
    calendar: tuple[Booking, ...] = ()
    clusters: tuple[ClusterPlan, ...] = ()
    """The owned clusters, as the scenario lists them."""
    portfolio: PortfolioAnswer | None = None
    """Where the scenario names one."""
    systems: tuple[System, ...] = ()
    """The node and rack kinds of the options, in full."""
