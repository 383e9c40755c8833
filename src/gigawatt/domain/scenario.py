"""The scenario: what a user writes down to be planned. Runs, places for them, and what is taken for granted.

Any value may be given plainly or as `{value, source, basis, note}`; what it says of itself is kept and comes
out again in the plan's assumptions. Quantities carry their unit ("15.6T tokens", "$55/MWh").
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BeforeValidator,
    Field,
    GetJsonSchemaHandler,
    WithJsonSchema,
    model_validator,
)

from gigawatt import units
from gigawatt.domain.hardware import Precision
from gigawatt.domain.record import Provenance, Record, unwrap_values, with_source
from gigawatt.domain.training import Recompute, Schedule


def _as_date(value: Any) -> Any:
    if isinstance(value, str):
        try:
            return date.fromisoformat(value.strip())
        except ValueError:
            raise ValueError(f"{value!r} is not a date; write it as 2027-06-30") from None
    if isinstance(value, datetime):
        raise ValueError("a date without a time of day is expected, such as 2027-06-30")
    return value


def _as_tuple(value: Any) -> Any:
    return (value,) if isinstance(value, int | str) and not isinstance(value, bool) else value


def _as_tokens(value: Any) -> Any:
    return units.read(value, "_tokens")


Tokens = Annotated[
    float,
    BeforeValidator(_as_tokens),
    WithJsonSchema({"type": ["string", "number"], "examples": ["15.6T tokens"]}),
]
Day = Annotated[date, BeforeValidator(_as_date), WithJsonSchema({"type": "string", "format": "date"})]
Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=80)]
Accelerators = Annotated[int, Field(gt=0, le=10_000_000)]
Texts = Annotated[
    tuple[str, ...],
    BeforeValidator(_as_tuple),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]
"""One word, or a list of them."""
Sizes = Annotated[
    tuple[Accelerators, ...],
    BeforeValidator(_as_tuple),
    WithJsonSchema({"anyOf": [{"type": "integer"}, {"type": "array", "items": {"type": "integer"}}]}),
]


_OWN_WORD = Provenance(source="scenario", basis="estimate")


class Stated(Record):
    """A record whose values may say where they come from; else they are the scenario's own estimate."""

    provenance: dict[str, Provenance] = Field(default={})

    @model_validator(mode="before")
    @classmethod
    def _unwrap_values(cls, row: Any) -> Any:
        return (
            unwrap_values(row, {"source": _OWN_WORD.source, "basis": _OWN_WORD.basis}, set())
            if isinstance(row, dict)
            else row
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: Any, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        schema = super().__get_pydantic_json_schema__(core_schema, handler)
        del schema["properties"]["provenance"]
        for part in schema["properties"].values():
            described = {key: part.pop(key) for key in ("title", "description", "default") if key in part}
            value = dict(part)
            part.clear()
            part.update(described, anyOf=[value, with_source(value)])
        return schema

    def provenance_of(self, field: str) -> Provenance:
        """Source and basis of one field."""
        return self.provenance.get(field) or _OWN_WORD


class FixedAxes(Record):
    """Axes of the layout that the user settles; the search chooses the others."""

    tp: int | None = Field(default=None, gt=0)
    pp: int | None = Field(default=None, gt=0)
    vpp: int | None = Field(default=None, gt=0)
    cp: int | None = Field(default=None, gt=0)
    ep: int | None = Field(default=None, gt=0)
    etp: int | None = Field(default=None, gt=0)
    dp: int | None = Field(default=None, gt=0)
    micro_batch: int | None = Field(default=None, gt=0)
    zero: int | None = Field(default=None, ge=0, le=3)
    recompute: Recompute | None = None
    schedule: Schedule | None = None

    def chosen(self) -> dict[str, object]:
        """The axes that are settled, by name."""
        return {name: value for name, value in self if value is not None}


class TrainingRun(Record):
    """A model to be trained, on how much, by when."""

    id: Id
    model: str
    """A catalogue id, or the path of a `config.json` (relative to the scenario)."""
    tokens: Tokens = Field(gt=0, le=1e18)
    seq_len: int = Field(gt=0, le=100_000_000)
    global_batch: int = Field(gt=0, le=100_000_000)
    """Sequences per optimizer step."""
    precision: Precision = "bf16"
    software: str = ""
    start: Day
    deadline: Day
    """The run has to be finished by the end of this day (UTC)."""
    layout: FixedAxes = FixedAxes()

    @model_validator(mode="after")
    def _deadline_after_start(self) -> Self:
        if self.deadline < self.start:
            raise ValueError(f"deadline {self.deadline} is before start {self.start}")
        return self


class Construction(Record):
    """What a cluster waits for: a block of capacity of a construction project."""

    project: str = Field(min_length=1)
    """Path of the project's file (`gigawatt contract schedule`), relative to the scenario."""
    block: Id


class Cluster(Stated):
    """Accelerators that the user owns.

    What an hour costs is stated outright (`price_usd_per_gpu_h`), or follows from capital (`capex_usd`,
    `lifetime_s`, ...) and the price of power. With neither, the cluster is planned but not priced.

    Its fabric is designed in any case where the catalogue knows one for its system; with a `site` its halls,
    power and cooling are designed as well, and their PUE is a result.
    """

    id: Id
    system: str
    num_accelerators: Accelerators
    available_from: Day | None = None
    """Known as one day; else `construction` says when, as a distribution."""
    construction: Construction | None = None
    fabric: str = ""
    """Kind of network between nodes, from the catalogue; blank: the one that its system is built with."""
    oversubscription: float | None = Field(default=None, ge=1, le=100)
    """Bandwidth within the fabric's pods over that between them, where it differs from the kind's."""
    site: str = ""
    """Where it stands, from the catalogue; blank: its halls are not designed."""
    price_usd_per_gpu_h: float | None = Field(default=None, gt=0, le=10_000)
    """Everything included, per accelerator."""
    capex_usd: float | None = Field(default=None, gt=0, le=1e8)
    """Per accelerator, with its share of what `capex_covers`."""
    capex_covers: Literal["everything", "systems"] = "everything"
    """Node, network and site; or nodes only, and the designed fabric and facility are added at their cost."""
    site_lifetime_s: float | None = Field(default=None, gt=0, le=3.2e9)
    """Over which the facility is paid off; the fabric goes with the systems."""
    lifetime_s: float | None = Field(default=None, gt=0, le=3.2e9)
    residual_frac: float = Field(default=0.0, ge=0, lt=1)
    discount_frac: float = Field(default=0.0, ge=0, le=1)
    """Cost of capital per year."""
    utilisation_frac: float = Field(default=1.0, gt=0, le=1)
    """Share of its life in which an accelerator is put to use."""
    upkeep_usd_per_year: float = Field(default=0.0, ge=0, le=1e7)
    """Per accelerator: staff, spares, rent of the site."""
    power_price_usd_per_mwh: float | None = Field(default=None, ge=-500, le=10_000)
    energy: str = ""
    """Path of the site's file (`gigawatt contract energy`), relative to the scenario: its hourly optimum then
    gives the price of power and its carbon."""
    pue: float | None = Field(default=None, ge=1, le=5)
    """Where it differs from the scenario's."""
    price_year: int | None = Field(default=None, ge=2000, le=2100)

    @model_validator(mode="after")
    def _one_date(self) -> Self:
        if self.construction is not None and self.available_from is not None:
            raise ValueError("construction says from when on it is there: leave out available_from")
        if self.construction is None and self.available_from is None:
            raise ValueError("give available_from, or `construction: {project: PROJECT.yaml, block: ID}`")
        return self

    @model_validator(mode="after")
    def _one_price(self) -> Self:
        if self.energy and self.power_price_usd_per_mwh is not None:
            raise ValueError("energy gives the price of power: leave out power_price_usd_per_mwh")
        power = self.power_price_usd_per_mwh if not self.energy else self.energy
        built_up = (self.capex_usd, self.lifetime_s, power)
        if self.price_usd_per_gpu_h is not None and any(value is not None for value in built_up):
            raise ValueError(
                "price_usd_per_gpu_h is all-in; leave out capex_usd, lifetime_s, "
                "power_price_usd_per_mwh and energy"
            )
        if any(value is not None for value in built_up) and any(value is None for value in built_up):
            raise ValueError(
                "capex_usd, lifetime_s and power_price_usd_per_mwh (or energy) are needed together"
            )
        return self

    @model_validator(mode="after")
    def _one_site(self) -> Self:
        if self.site and self.pue is not None:
            raise ValueError(f"a PUE follows from the design for site {self.site!r}: leave out pue")
        if self.capex_covers == "systems" and not (self.site and self.site_lifetime_s):
            raise ValueError("capex_covers: systems needs a `site` to be designed, and its site_lifetime_s")
        return self


class OfferFilter(Record):
    """Which of the catalogue's offers to look at. Every key given has to match."""

    accelerator: Texts = ()
    system: Texts = ()
    provider: Texts = ()
    region: Texts = ()
    term: Texts = ()


class Rental(Record):
    """Rental offers at one or more sizes: by catalogue id, or all that pass a filter."""

    offers: Texts = ()
    where: OfferFilter | None = None
    num_accelerators: Sizes
    price: Literal["on-demand", "spot"] = "on-demand"
    """Spot capacity may be taken away at any time; what that costs is not counted."""
    system: str = ""
    """The node kind to assume for offers that name none."""
    available_from: Day | None = None
    runs: Texts = ()
    """Only for these runs; all where blank."""

    @model_validator(mode="after")
    def _offers_or_filter(self) -> Self:
        if bool(self.offers) == (self.where is not None):
            raise ValueError("give either `offers` (catalogue ids) or `where` (a filter)")
        if not self.num_accelerators:
            raise ValueError("num_accelerators: give at least one size")
        return self


class Assumptions(Stated):
    """What holds for the whole plan."""

    pue: float | None = Field(default=None, ge=1, le=5)
    """Facility energy over IT energy, wherever no site is designed."""
    goodput_frac: float | None = Field(default=None, gt=0, le=1)
    """Share of wall-clock time that makes progress; without it the plan counts steps only, and says so."""
    carbon_kgco2_per_mwh: float | None = Field(default=None, ge=0, le=2000)


class Scenario(Record):
    """A whole planning question."""

    title: str = ""
    currency: Literal["USD"] = "USD"
    """The catalogue's prices are in US dollars; gigawatt carries no exchange rates."""
    price_year: int = Field(ge=2000, le=2100)
    """The year in whose prices the scenario's own costs are stated. Offers keep the year of their quote."""
    deadline_confidence: Literal["p50", "p90"] = "p90"
    """A run meets its deadline if this point of its finish date does."""
    seed: int = Field(default=0, ge=0)
    assumptions: Assumptions = Assumptions()
    runs: tuple[TrainingRun, ...]
    clusters: tuple[Cluster, ...] = ()
    rentals: tuple[Rental, ...] = ()
    portfolio: str = ""
    """Path of a roadmap (`gigawatt contract portfolio`), relative to the scenario."""

    @model_validator(mode="after")
    def _names_agree(self) -> Self:
        _refuse_repeats("run", (run.id for run in self.runs))
        _refuse_repeats("cluster", (cluster.id for cluster in self.clusters))
        known = {run.id for run in self.runs}
        for rental in self.rentals:
            for name in rental.runs:
                if name not in known:
                    runs = ", ".join(sorted(known))
                    raise ValueError(f"rentals speak of run {name!r}; the runs are {runs}")
        if not self.runs:
            raise ValueError("nothing to plan: give at least one of `runs`")
        if not self.clusters and not self.rentals:
            raise ValueError("nowhere to run: give at least one of `clusters` and `rentals`")
        undesigned = [one.id for one in self.clusters if not one.site and one.pue is None]
        if self.assumptions.pue is None and (undesigned or self.rentals):
            where = f"cluster {undesigned[0]}" if undesigned else "what is rented"
            raise ValueError(f"{where} has no site to be designed: state `assumptions: {{pue: 1.25}}`")
        return self


def _refuse_repeats(noun: str, ids: Iterable[str]) -> None:
    seen: set[str] = set()
    for one in ids:
        if one in seen:
            raise ValueError(f"two {noun}s are called {one!r}")
        seen.add(one)
