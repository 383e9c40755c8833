"""Vocabulary of construction risk: what has to be done before capacity is there, and when it then is.

A project is activities, what waits for what, and what they have in common: suppliers, utilities, weather. Its
answer is never one date: `ScheduleRisk` holds a distribution for each milestone.
"""

from __future__ import annotations

import re
from datetime import date
from itertools import pairwise
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from gigawatt.domain.ownership import Ownership, ProjectMoney
from gigawatt.domain.record import Basis, Record, Sourced
from gigawatt.domain.scenario import Day, Id, Texts

ActivityKind = Literal[
    "land",
    "permits",
    "interconnection",
    "substation",
    "transformers",
    "switchgear",
    "generators",
    "turbines",
    "shell",
    "mep",
    "racks",
    "network",
    "commissioning",
    "other",
]
Shape = Literal["fixed", "pert", "triangular", "lognormal", "fitted"]
LinkKind = Literal["finish-start", "start-start", "finish-finish"]
DriverKind = Literal["activity", "factor", "risk"]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
EVERY_DAY = "every-day"
"""The calendar that needs no telling."""
MIN_OBSERVED = 3
_MOST_ACTIVITIES = 20_000
_MOST_MILESTONES = 1_000
_MAX_YEARS_S = 60 * 31557600.0
_MONTH_DAY = re.compile(r"(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])")

Span = Annotated[float, Field(ge=0, le=_MAX_YEARS_S)]


class Duration(Record):
    """How long something takes, in one of five forms: `fixed_s`; `low_s`, `likely_s` and `high_s` (PERT, or
    triangular); `p10_s` and `p90_s` (lognormal); `observed_s` (lognormal, fitted); or `prior`, a row of the
    catalogue's schedule section.

    Counted as the clock counts, in a week without holidays: "6 weeks" are six weeks on any calendar; holidays
    and stops come on top.
    """

    shape: Shape = "pert"
    """Read from the keys that are given; `triangular` has to be said."""
    fixed_s: Span | None = None
    low_s: Span | None = None
    likely_s: Span | None = None
    high_s: Span | None = None
    p10_s: Span | None = Field(default=None, gt=0)
    p90_s: Span | None = Field(default=None, gt=0)
    observed_s: tuple[Annotated[float, Field(gt=0, le=_MAX_YEARS_S)], ...] = ()
    prior: str = ""
    source: str = "project"
    basis: Basis = "estimate"
    note: str = ""

    @model_validator(mode="before")
    @classmethod
    def _shape_of_keys(cls, value: Any) -> Any:
        if not isinstance(value, dict) or "shape" in value:
            return value
        keys = {"fixed_s": "fixed", "p10_s": "lognormal", "p90_s": "lognormal", "observed_s": "fitted"}
        found = next((shape for key, shape in keys.items() if key in value), "pert")
        return {"shape": found, **value}

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        wanted = _KEYS[self.shape]
        given = {name for names in _KEYS.values() for name in names if getattr(self, name) not in (None, ())}
        if self.prior:
            if given:
                raise ValueError(f"prior and {', '.join(sorted(given))} are two answers: keep one")
            return self
        if given != set(wanted):
            found = ", ".join(sorted(given)) or "nothing"
            raise ValueError(f"a {self.shape} duration takes {', '.join(wanted)}, found {found}")
        _check_order([(name, getattr(self, name)) for name in wanted])
        if self.shape == "fitted" and len(self.observed_s) < MIN_OBSERVED:
            raise ValueError(f"observed_s: a fit takes {MIN_OBSERVED} or more, found {len(self.observed_s)}")
        return self


_KEYS: dict[Shape, tuple[str, ...]] = {
    "fixed": ("fixed_s",),
    "pert": ("low_s", "likely_s", "high_s"),
    "triangular": ("low_s", "likely_s", "high_s"),
    "lognormal": ("p10_s", "p90_s"),
    "fitted": ("observed_s",),
}


def _check_order(points: list[tuple[str, Any]]) -> None:
    for (low, first), (high, second) in pairwise(points):
        if first > second:
            raise ValueError(f"{low} is longer than {high}: put them in order")


def _as_link(value: Any) -> Any:
    return {"activity": value} if isinstance(value, str) else value


class Link(Record):
    """What an activity waits for: the end of another (finish-start), or its start or end plus a lag."""

    activity: Id
    """An activity or a milestone."""
    kind: LinkKind = "finish-start"
    lag_s: Span = 0.0
    """By the clock, every day counted."""


Links = Annotated[
    tuple[Annotated[Link, BeforeValidator(_as_link)], ...],
    WithJsonSchema({"type": "array", "items": {"type": ["string", "object"]}}),
]


class Activity(Record):
    """Something that takes time before capacity is there."""

    id: Id
    name: str = ""
    kind: ActivityKind = "other"
    site: Id = ""
    phase: str = ""
    duration: Duration
    calendar: Id = ""
    """Blank: that of its site, else every day ("every-day")."""
    after: Links = ()
    shares: Texts = ()
    """Suppliers, utilities or other factors that it has in common with others, by id."""
    not_before: Day | None = None
    started: Day | None = None
    finished: Day | None = None

    @model_validator(mode="after")
    def _dates_in_order(self) -> Self:
        if self.finished and not self.started:
            raise ValueError(f"finished {self.finished} without started: give both")
        if self.started and self.finished and self.finished < self.started:
            raise ValueError(f"finished {self.finished} is before started {self.started}")
        return self


class SharedFactor(Record):
    """A supplier, a utility, a market: when it is late, it is late for all who depend on it."""

    id: Id
    name: str = ""
    correlation_frac: float = Field(ge=0, lt=1)
    """Between the durations of any two activities that share it (of their normal scores)."""
    source: str = "project"
    basis: Basis = "estimate"
    note: str = ""


class DiscreteRisk(Record):
    """Something that happens or does not, and then makes each of its activities longer by one delay."""

    id: Id
    name: str = ""
    probability_frac: float = Field(ge=0, le=1)
    delay: Duration
    activities: Annotated[Texts, Field(min_length=1)]
    source: str = "project"
    basis: Basis = "estimate"
    note: str = ""


class Stop(Record):
    """Days without work, first and last included: every year ("12-20" to "01-05"), or once (full dates)."""

    first: str
    last: str

    @model_validator(mode="after")
    def _dates(self) -> Self:
        yearly = [bool(_MONTH_DAY.fullmatch(text)) for text in (self.first, self.last)]
        if all(yearly):
            return self
        ends = [_full_date(text) for text in (self.first, self.last)]
        if ends[0] > ends[1]:
            raise ValueError(f"last {self.last} is before first {self.first}")
        return self

    @property
    def yearly(self) -> bool:
        """Whether it comes every year."""
        return _MONTH_DAY.fullmatch(self.first) is not None


def _full_date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(
            f'"{text}" is not a day: write "12-20" (every year, at both ends) or 2027-12-20'
        ) from None


class WorkCalendar(Record):
    """When people work. Durations are those of its normal week; holidays and stops make them longer."""

    id: Id
    working_days: tuple[Weekday, ...] = Field(default=WEEKDAYS, min_length=1)
    holidays: tuple[Day, ...] = ()
    stops: tuple[Stop, ...] = ()


class BuildSite(Record):
    """Where activities take place, and by which calendar."""

    id: Id
    name: str = ""
    calendar: Id = ""


class Milestone(Record):
    """A date that matters: all of `after` done. With `power_w` (of IT) it is a capacity block, ready then."""

    id: Id
    name: str = ""
    site: Id = ""
    phase: str = ""
    after: Annotated[Links, Field(min_length=1)]
    power_w: float | None = Field(default=None, gt=0)
    target: Day | None = None
    """The day by the end of which it is promised."""
    delay_usd_per_year: float | None = Field(default=None, gt=0)
    """What each week after the target costs, as a rate ("$2M/week")."""


class ConstructionProject(Record):
    """What `gigawatt contract schedule` reads."""

    title: str = Field(min_length=1)
    start: Day
    """The day from which on everything happens that has not happened yet."""
    price_year: int = Field(ge=2000, le=2100)
    currency: Literal["USD"] = "USD"
    calendars: tuple[WorkCalendar, ...] = ()
    sites: tuple[BuildSite, ...] = ()
    factors: tuple[SharedFactor, ...] = ()
    activities: tuple[Activity, ...] = Field(min_length=1, max_length=_MOST_ACTIVITIES)
    risks: tuple[DiscreteRisk, ...] = ()
    milestones: tuple[Milestone, ...] = Field(min_length=1, max_length=_MOST_MILESTONES)
    ownership: Ownership | None = None
    """What the blocks of capacity cost and earn; blank: only dates are told."""


class SchedulePrior(Sourced):
    """How long an activity of a kind has been said to take: 10 %, 50 % and 90 % points, by source."""

    kind: ActivityKind
    p10_s: float = Field(gt=0)
    p50_s: float | None = Field(default=None, gt=0)
    """As published; the distribution goes by the two ends."""
    p90_s: float = Field(gt=0)


class MonthShare(Record):
    """The probability that a date falls into a month."""

    month: str
    """ "2027-06"."""
    share_frac: float


class MilestoneRisk(Record):
    """When a milestone is reached: the day by the end of which it is, with 10, 50 and 90 % probability."""

    id: str
    name: str
    site: str
    phase: str
    power_w: float | None
    p10: date
    p50: date
    p90: date
    planned: date
    """With every duration at its median and no risk come true: what a plan of single dates would say."""
    target: date | None
    meets_target_frac: float | None
    delay_s: float | None
    """Expected delay beyond the target, on-time outcomes counted as none."""
    delay_usd: float | None
    delay_usd_per_year: float | None
    deviation_s: float
    months: tuple[MonthShare, ...]


class ActivityRisk(Record):
    """When an activity starts and ends, and how often capacity waits for it."""

    id: str
    name: str
    kind: ActivityKind
    site: str
    phase: str
    start_p10: date
    start_p50: date
    start_p90: date
    finish_p10: date
    finish_p50: date
    finish_p90: date
    criticality_frac: dict[str, float]
    """By milestone: share of outcomes in which it is on the longest path to it."""
    week_usd: float | None
    """Expected cost of a week more in it: over milestones, criticality times the cost of a week."""
    done: bool


class Driver(Record):
    """What moves a milestone's date: its mean if the driver comes out at its best and at its worst tenth."""

    milestone: str
    driver: str
    """Id of an activity, a shared factor or a risk."""
    kind: DriverKind
    variance_frac: float
    """Share of the date's variance that would go if this were known (to the tenth)."""
    best: date
    worst: date
    swing_s: float


class UsedDuration(Record):
    """A duration that an answer rests on, and where it comes from."""

    owner: str
    text: str
    source: str
    basis: Basis
    note: str


class ScheduleRisk(Record):
    """Construction risk of a project: dates as distributions, what is critical, what drives them."""

    schema_id: Literal["gigawatt.schedule-risk/1"] = "gigawatt.schedule-risk/1"
    title: str
    start: date
    price_year: int
    currency: str
    num_samples: int
    seed: int
    milestones: tuple[MilestoneRisk, ...]
    activities: tuple[ActivityRisk, ...]
    drivers: tuple[Driver, ...]
    durations: tuple[UsedDuration, ...]
    money: ProjectMoney | None = None
    notes: tuple[str, ...]
