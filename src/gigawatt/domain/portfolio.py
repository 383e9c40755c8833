"""What is asked of a portfolio: a roadmap, the sites and kinds it may run on, and every offer with its
rights.

Months are calendar months written 2027-03; a contract's own months count from its signature. Prices are in US
dollars of the scenario's `price_year`. A price that was not stated is absent, never zero.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal, Self

from pydantic import Field, model_validator

from gigawatt.domain.contract_terms import (
    Cancellation,
    Month,
    PriceStep,
    Renewal,
    ServiceLevel,
    Swap,
    Tier,
)
from gigawatt.domain.ranges import require_ranges
from gigawatt.domain.record import Record
from gigawatt.domain.scenario import Id, Stated, Texts

Prices = dict[str, float]
Form = Literal["owned", "lease", "reserved", "on-demand", "spot", "block"]
PowerForm = Literal["build", "colocation"]


def month_index(month: str) -> int:
    """Months since the year 0, so that two of them can be subtracted."""
    year, _, number = month.partition("-")
    return int(year) * 12 + int(number) - 1


def month_text(index: int) -> str:
    """The month of an index: the inverse of `month_index`."""
    return f"{index // 12:04d}-{index % 12 + 1:02d}"


class PowerStep(Record):
    """From this month on, so much power is energised in all."""

    month: Month
    power_w: float = Field(ge=0, le=1e12)


def _require_rising(steps: tuple[PowerStep, ...]) -> None:
    months = [step.month for step in steps]
    if months != sorted(set(months)):
        raise ValueError(f"energised: the months {', '.join(months)} must rise")


class Place(Stated):
    """A site or a provider's region. Without `energised` its power is the provider's concern, not a limit."""

    id: Id
    region: str = ""
    energised: tuple[PowerStep, ...] | None = None
    """What is there before anything in `power` is signed."""
    schedule: str = ""
    """Path of a construction project (`gigawatt contract schedule`), relative to the roadmap: its `blocks`
    are energised here when they are ready, beyond what `energised` says.
    """
    blocks: Texts = ()
    """In the order in which they come."""
    pue: float = Field(default=1.0, ge=1, le=5)
    power_price_usd_per_mwh: float = Field(default=0.0, ge=-500, le=10_000)
    """Paid for hardware of one's own; a rented hour has its power in its price."""
    low_power_price_usd_per_mwh: float | None = Field(default=None, ge=-500, le=10_000)
    """10 % point, and 90 % point: of this and of every range below."""
    high_power_price_usd_per_mwh: float | None = Field(default=None, ge=-500, le=10_000)
    petabyte_egress_usd: float = Field(default=0.0, ge=0, le=1e8)
    """What taking a petabyte away from here costs."""

    @model_validator(mode="after")
    def _steps_in_order(self) -> Self:
        _require_rising(self.energised or ())
        if bool(self.schedule) != bool(self.blocks):
            raise ValueError("schedule and blocks go together: a project, and its blocks of capacity")
        require_ranges(self, ("power_price_usd_per_mwh",))
        return self


class Chip(Stated):
    """A kind of accelerator: what it draws, what it counts for, what it fetches second-hand."""

    id: Id
    power_w: float = Field(gt=0, le=1e6)
    """Of IT per accelerator, with its share of node and network."""
    equivalents_per_gpu: float = Field(default=1.0, gt=0, le=1000)
    """Reference accelerators that one of these is worth, where limits speak of shares of capacity."""
    available_from: Month = "2000-01"
    resale_frac: tuple[float, ...] = (1.0, 0.0)
    """Of its price, after 0, 1, 2, ... years; linear in between, the last holds for ever."""
    low_resale_frac: tuple[float, ...] | None = None
    high_resale_frac: tuple[float, ...] | None = None
    book_life_s: float | None = Field(default=None, gt=0, le=3.2e9)
    """Over which it is written off in the accounts; blank: the lives that others use are tried."""

    @model_validator(mode="after")
    def _ranges_hold(self) -> Self:
        require_ranges(self, ("resale_frac",))
        return self


class Needs(Record):
    """What a contract must give before this work may run on it: never traded against money."""

    single_tenant: bool = False
    confidential: bool = False
    regions: Texts = ()


class Work(Stated):
    """What every kind of demand has."""

    id: Id
    needs: Needs = Needs()
    interruptible_frac: float = Field(default=1.0, ge=0, le=1)
    """Greatest share that may run on capacity which can be taken away."""
    survive_frac: float = Field(default=0.0, ge=0, le=1)
    """Share that must still be served in any month when any one provider is lost."""
    data_bytes: float = Field(default=0.0, ge=0, le=1e21)
    """What moves along when it moves to another site."""
    move_usd: float = Field(default=0.0, ge=0, le=1e12)
    """Engineering and downtime when all of it moves."""


class PlannedRun(Work):
    """A training run: so many accelerator-hours of each kind that can do it, between start and deadline."""

    work_gpu_h: dict[str, float]
    """By kind: productive hours, as the training design has them; interruptions come on top."""
    start: Month
    deadline: Month
    """The last month in which it may run."""
    most_accelerators: int | None = Field(default=None, gt=0, le=100_000_000)
    undone_usd: float | None = Field(default=None, gt=0, le=1e15)
    """What it costs not to do it; without it the run must be done."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if month_index(self.deadline) < month_index(self.start):
            raise ValueError(f"deadline {self.deadline} is before start {self.start}")
        if not self.work_gpu_h or min(self.work_gpu_h.values()) <= 0:
            raise ValueError("work_gpu_h: give the accelerator-hours for at least one kind, each above 0")
        return self


class Traffic(Work):
    """Serving: a token rate that grows by the month."""

    tokens_per_s: float = Field(gt=0, le=1e15)
    """To be served in the first month, at the peak that capacity is bought for."""
    growth_frac: float = Field(default=0.0, ge=-1, le=100)
    """Per year, compounded by the month."""
    start: Month
    end: Month | None = None
    tokens_per_s_per_gpu: dict[str, float]
    """By kind, within the latency that is promised."""
    unserved_usd_per_million_output_tokens: float | None = Field(default=None, gt=0, le=1e6)
    """What a million tokens not served cost; without it all must be served."""


class ResearchPool(Work):
    """Accelerators held for whoever needs them, in equivalents of the reference kind."""

    num_equivalents: float = Field(gt=0, le=1e8)
    growth_frac: float = Field(default=0.0, ge=-1, le=100)
    start: Month
    end: Month | None = None
    kinds: Texts = ()
    """Only these; all where blank."""
    unmet_usd_per_gpu_h: float | None = Field(default=None, gt=0, le=1e6)


class ContractOffer(Stated):
    """Capacity that can be signed for: one algebra of cash flows and rights for owned and rented alike."""

    id: Id
    provider: str = Field(min_length=1)
    suppliers: Texts = ()
    """Shared behind it: landlord, chip vendor, balancing authority."""
    form: Form
    currency: Literal["USD"] = "USD"
    price_usd_per_gpu_h: Prices | None = None
    """By kind: rent, or what an owned accelerator costs by the hour besides power."""
    catalogue: dict[str, str] = Field(default={})
    """By kind: the catalogue's offer whose price this is, instead of a price stated here."""
    capex_usd: Prices | None = None
    """By kind, per accelerator with its share of node and network; owned capacity only."""
    low_price_usd_per_gpu_h: Prices | None = None
    high_price_usd_per_gpu_h: Prices | None = None
    low_capex_usd: Prices | None = None
    high_capex_usd: Prices | None = None
    spend_frac: tuple[float, ...] = (1.0,)
    """Share of the capital spent in each month from the signature on."""
    sites: Texts
    site_change_frac: dict[str, float] = Field(default={})
    """By site: how the price differs there."""
    steps: tuple[PriceStep, ...] = ()
    price_locked: bool = True
    """The price of the month of signature holds for the term; else the bill follows the list."""
    sign_from: Month | None = None
    sign_until: Month | None = None
    lead_months: int = Field(default=0, ge=0, le=240)
    low_lead_months: int | None = Field(default=None, ge=0, le=240)
    high_lead_months: int | None = Field(default=None, ge=0, le=240)
    term_months: int = Field(ge=1, le=600)
    """For owned capacity, the life of the hardware."""
    block_accelerators: int = Field(default=1, gt=0, le=10_000_000)
    whole_blocks: bool = True
    least_accelerators: int = Field(default=0, ge=0, le=100_000_000)
    """In one signature."""
    most_accelerators: int | None = Field(default=None, gt=0, le=100_000_000)
    """Under contract at one time, over all kinds and sites."""
    fee_usd: float = Field(default=0.0, ge=0, le=1e12)
    """At each signature, whatever its size."""
    ramp_frac: tuple[float, ...] = (1.0,)
    """Share of the volume that is there in the first, second, ... month; the last holds."""
    take_frac: float = Field(default=1.0, ge=0, le=1)
    """Share that is paid whether used or not (take or pay)."""
    make_up_months: int = Field(default=0, ge=0, le=120)
    """For so long, what was paid and not used may be taken later without paying again, the oldest first."""
    prepay_frac: float = Field(default=0.0, ge=0, le=1)
    """Share of all payments that falls due at the signature."""
    tiers: tuple[Tier, ...] = ()
    cancel: Cancellation | None = None
    renew: Renewal | None = None
    swap: Swap | None = None
    exclusive: str = ""
    """Of all offers with this word, at most one provider's may be signed."""
    availability_frac: float = Field(default=1.0, gt=0, le=1)
    interruptions_per_s: float = Field(default=0.0, ge=0, le=1)
    """How often the capacity is taken away."""
    checkpoint_s: float = Field(default=0.0, ge=0, le=86_400)
    restart_s: float = Field(default=0.0, ge=0, le=604_800)
    goodput_frac: float | None = Field(default=None, gt=0, le=1)
    """Delivered over paid, where it was measured; else by closed form from the interruptions."""
    service_level: ServiceLevel | None = None
    single_tenant: bool = False
    confidential: bool = False

    @property
    def interruptible(self) -> bool:
        """Whether it may be taken away at any time."""
        return self.form == "spot"

    @property
    def kinds(self) -> tuple[str, ...]:
        """Every kind that it has a price for."""
        stated = (self.capex_usd or {}, self.price_usd_per_gpu_h or {}, self.catalogue)
        return tuple(dict.fromkeys(kind for prices in stated for kind in prices))

    @model_validator(mode="after")
    def _terms_agree(self) -> Self:
        if problems := list(_contradictions(self)):
            raise ValueError("; ".join(problems))
        require_ranges(self, ("price_usd_per_gpu_h", "capex_usd", "lead_months"))
        return self


def _contradictions(offer: ContractOffer) -> Iterator[str]:
    owned = offer.form == "owned"
    if owned and not offer.capex_usd:
        yield "capex_usd is missing: owned capacity has a price"
    if both := set(offer.catalogue) & set(offer.price_usd_per_gpu_h or {}):
        yield f"a price and a catalogue offer for {', '.join(sorted(both))}: give one of them"
    if not owned and not offer.price_usd_per_gpu_h and not offer.catalogue:
        yield 'price_usd_per_gpu_h is missing: "no list price" is not zero'
    if not owned and offer.capex_usd:
        yield f'capex_usd with form "{offer.form}": only owned capacity has capital'
    for prices in (offer.price_usd_per_gpu_h or {}, offer.capex_usd or {}):
        if any(price <= 0 for price in prices.values()):
            yield "a price of zero or less: leave the kind out where no price is stated"
    if offer.sign_from and offer.sign_until and offer.sign_until < offer.sign_from:
        yield f"sign_until {offer.sign_until} is before sign_from {offer.sign_from}"
    if any(later.month <= first.month for first, later in zip(offer.steps, offer.steps[1:], strict=False)):
        yield "steps: the months must rise"
    if offer.most_accelerators is not None and offer.least_accelerators > offer.most_accelerators:
        yield f"least_accelerators {offer.least_accelerators} is above most {offer.most_accelerators}"
    if any(two.accelerators <= one.accelerators or two.discount_frac <= one.discount_frac
           for one, two in zip(offer.tiers, offer.tiers[1:], strict=False)):  # fmt: skip
        yield "tiers: accelerators and discounts must rise"
    if offer.make_up_months and offer.take_frac == 0:
        yield "make_up_months with take_frac 0: nothing is paid unused, so nothing can be made up"
    if offer.interruptions_per_s and offer.goodput_frac is None and not offer.checkpoint_s:
        yield "checkpoint_s is missing: what an interruption costs follows from it (or state goodput_frac)"
    if offer.cancel and offer.cancel.after_months >= offer.term_months:
        yield f"cancel: after_months {offer.cancel.after_months} is not before the term ends"
    if offer.swap and offer.swap.after_months >= offer.term_months:
        yield f"swap: after_months {offer.swap.after_months} is not before the term ends"
    if abs(sum(offer.spend_frac) - 1) > MOST_SPEND_ERROR:
        yield f"spend_frac: the shares add up to {sum(offer.spend_frac):g}, not 1"
    if list(offer.ramp_frac) != sorted(offer.ramp_frac) or offer.ramp_frac[-1] != 1:
        yield "ramp_frac: shares must rise and end at 100 %"


MOST_SPEND_ERROR = 1e-6


class PowerOffer(Stated):
    """Energised power that can be signed for: a building phase of one's own, or colocation."""

    id: Id
    provider: str = Field(min_length=1)
    form: PowerForm
    site: str
    block_w: float = Field(gt=0, le=1e11)
    """Of facility power (IT times PUE), in one phase."""
    most_blocks: int = Field(default=1, gt=0, le=10_000)
    capex_usd_per_w: float | None = Field(default=None, gt=0, le=1000)
    low_capex_usd_per_w: float | None = Field(default=None, gt=0, le=1000)
    high_capex_usd_per_w: float | None = Field(default=None, gt=0, le=1000)
    spend_frac: tuple[float, ...] = (1.0,)
    rent_usd_per_w_month: float | None = Field(default=None, gt=0, le=100)
    upkeep_usd_per_w_month: float = Field(default=0.0, ge=0, le=100)
    sign_from: Month | None = None
    sign_until: Month | None = None
    lead_months: int = Field(default=0, ge=0, le=240)
    """One date; else `schedule` says how long, as a distribution."""
    schedule: str = ""
    """Path of a construction project, relative to the roadmap: a phase takes as long as its block in `blocks`
    takes from the project's start.
    """
    blocks: Texts = ()
    term_months: int = Field(ge=1, le=600)
    """For a building, its life."""
    book_life_s: float | None = Field(default=None, gt=0, le=3.2e9)
    """Of a building of one's own, in the accounts; blank: what is usual for buildings."""

    @model_validator(mode="after")
    def _one_lead(self) -> Self:
        stated = "lead_months" in self.model_fields_set
        if stated and self.schedule:
            raise ValueError("schedule says how long a phase takes: leave out lead_months")
        if not stated and not self.schedule:
            raise ValueError("give lead_months, or `schedule` and `blocks` of a construction project")
        if bool(self.schedule) != (len(self.blocks) == 1):
            raise ValueError(
                "schedule and blocks go together, and a phase takes as long as one block: name one"
            )
        return self

    @model_validator(mode="after")
    def _one_price(self) -> Self:
        wanted = "capex_usd_per_w" if self.form == "build" else "rent_usd_per_w_month"
        other = "rent_usd_per_w_month" if self.form == "build" else "capex_usd_per_w"
        if getattr(self, wanted) is None or getattr(self, other) is not None:
            raise ValueError(f"form {self.form}: give {wanted}, and not {other}")
        if abs(sum(self.spend_frac) - 1) > MOST_SPEND_ERROR:
            raise ValueError(f"spend_frac: the shares add up to {sum(self.spend_frac):g}, not 1")
        require_ranges(self, ("capex_usd_per_w",))
        return self


class Change(Record):
    """What a future does to demand, prices, dates or a provider. Words select; blank selects all."""

    month: Month
    """From when on."""
    work: Texts = ()
    demand_change_frac: float = Field(default=0.0, ge=-1, le=100)
    offers: Texts = ()
    price_change_frac: float = Field(default=0.0, gt=-1, le=100)
    """Of list prices; what is signed at a locked price keeps it."""
    sites: Texts = ()
    slip_months: int = Field(default=0, ge=0, le=240)
    """How much later than agreed building phases at `sites`, signed before this month, are energised."""
    energised: tuple[PowerStep, ...] | None = None
    """What is there at `sites` from this month on without signing anything, in place of their own steps."""
    lost_provider: str = ""
    """Delivers nothing from this month on, and is paid nothing."""

    def delays(self, offer: PowerOffer) -> bool:
        """Whether phases of an offer, signed before this month, come late."""
        here = not self.sites or offer.site in self.sites
        return self.slip_months > 0 and here and (not self.offers or offer.id in self.offers)

    @model_validator(mode="after")
    def _steps_in_order(self) -> Self:
        _require_rising(self.energised or ())
        return self


class Future(Stated):
    """One course that things may take. Futures that share the first words of `path` cannot be told apart
    until the month in `Roadmap.reveals` that belongs to the next one."""

    id: Id
    probability_frac: float = Field(gt=0, le=1)
    path: tuple[str, ...] = ()
    changes: tuple[Change, ...] = ()


class Limits(Record):
    """What a plan must keep to."""

    budget_usd_per_year: dict[str, float] = Field(default={})
    """By calendar year: all cash that leaves."""
    provider_frac: float | None = Field(default=None, gt=0, le=1)
    """Most of all capacity in any month that one provider may supply (own capacity apart)."""
    supplier_frac: dict[str, float] = Field(default={})
    """By shared supplier: most of all capacity in any month that may depend on it."""
    own_providers: Texts = ()
    """Whose share is not limited, and whose loss is not looked at: oneself."""


class Risk(Record):
    """How the tail of cost is weighed: (1 - weight) mean + weight CVaR."""

    cvar_weight_frac: float = Field(default=0.0, ge=0, le=1)
    cvar_level_frac: float = Field(default=0.9, ge=0, lt=1)
    """0.9: the mean of the worst tenth."""


class Solving(Record):
    """When to stop."""

    gap_frac: float = Field(default=1 / 1024, gt=0, lt=1)
    time_limit_s: float = Field(default=512.0, gt=0, le=1e6)


class Roadmap(Record):
    """The whole question of what to own, rent and sign, and when."""

    title: str = ""
    currency: Literal["USD"] = "USD"
    price_year: int = Field(ge=2000, le=2100)
    start: Month
    months: int = Field(gt=0, le=600)
    now_months: int = Field(default=3, gt=0, le=600)
    """Signatures within so many months of the start are what is decided now."""
    discount_frac: float = Field(default=0.0, ge=0, le=1)
    """Cost of capital per year."""
    seed: int = Field(default=0, ge=0)
    places: tuple[Place, ...] = Field(min_length=1)
    chips: tuple[Chip, ...] = Field(min_length=1)
    training: tuple[PlannedRun, ...] = ()
    serving: tuple[Traffic, ...] = ()
    research: tuple[ResearchPool, ...] = ()
    offers: tuple[ContractOffer, ...]
    power: tuple[PowerOffer, ...] = ()
    limits: Limits = Limits()
    reveals: tuple[Month, ...] = ()
    """When futures part: one month for a two-stage question, several for more stages."""
    futures: tuple[Future, ...] = ()
    most_futures: int = Field(default=16, gt=0, le=1000)
    """To which these and the dates of construction projects are thinned out together."""
    dates_known: Month | None = None
    """From when on the dates of projects are known; blank: from the first month in which they may differ."""
    risk: Risk = Risk()
    solving: Solving = Solving()
    stale_after: Month | None = None
    """Prices older than this are named as stale."""

    @property
    def signable(self) -> tuple[ContractOffer | PowerOffer, ...]:
        """Everything on offer, accelerators first."""
        return (*self.offers, *self.power)

    @property
    def undated(self) -> tuple[Place | PowerOffer, ...]:
        """What waits for a construction project whose dates are still to be drawn."""
        places = [place for place in self.places if place.schedule]
        return (*places, *(offer for offer in self.power if offer.schedule))

    @property
    def work(self) -> tuple[PlannedRun | Traffic | ResearchPool, ...]:
        """All demand, runs first."""
        return (*self.training, *self.serving, *self.research)

    @model_validator(mode="after")
    def _names_agree(self) -> Self:
        if problems := [*_disagreements(self), *_branching(self)]:
            raise ValueError("; ".join(problems))
        return self


def _disagreements(roadmap: Roadmap) -> Iterator[str]:
    chips = {chip.id for chip in roadmap.chips}
    places = {place.id for place in roadmap.places}
    yield from _repeats("place", (one.id for one in roadmap.places))
    yield from _repeats("chip", (one.id for one in roadmap.chips))
    yield from _repeats("offer", (one.id for one in roadmap.signable))
    yield from _repeats("work", (one.id for one in roadmap.work))
    if not roadmap.work:
        yield "nothing is asked for: give training, serving or research"
    for offer in roadmap.offers:
        swapped = (offer.swap.to,) if offer.swap else ()
        yield from _unknown(f"offer {offer.id}", "chip", (*offer.kinds, *swapped), chips)
        yield from _unknown(f"offer {offer.id}", "place", (*offer.sites, *offer.site_change_frac), places)
    for power in roadmap.power:
        yield from _unknown(f"power {power.id}", "place", (power.site,), places)
    for run in roadmap.training:
        yield from _unknown(f"run {run.id}", "chip", run.work_gpu_h, chips)
    for traffic in roadmap.serving:
        yield from _unknown(f"traffic {traffic.id}", "chip", traffic.tokens_per_s_per_gpu, chips)
    for pool in roadmap.research:
        yield from _unknown(f"research {pool.id}", "chip", pool.kinds, chips)


def _branching(roadmap: Roadmap) -> Iterator[str]:
    ids = {one.id for one in roadmap.signable}
    work = {one.id for one in roadmap.work}
    places = {place.id for place in roadmap.places}
    if list(roadmap.reveals) != sorted(set(roadmap.reveals)):
        yield f"reveals: the months {', '.join(roadmap.reveals)} must rise"
    if not roadmap.futures:
        return
    yield from _repeats("future", (one.id for one in roadmap.futures))
    total = sum(future.probability_frac for future in roadmap.futures)
    if abs(total - 1) > MOST_SPEND_ERROR:
        yield f"futures: the probabilities add up to {total:g}, not 1"
    if not roadmap.reveals:
        yield "reveals: say from which month on the futures can be told apart"
    for future in roadmap.futures:
        if len(future.path) not in (0, len(roadmap.reveals)):
            yield f"future {future.id}: path needs one word for each of the {len(roadmap.reveals)} reveals"
        for change in future.changes:
            yield from _unknown(f"future {future.id}", "work", change.work, work)
            yield from _unknown(f"future {future.id}", "offer", change.offers, ids)
            yield from _unknown(f"future {future.id}", "place", change.sites, places)
            yield from _moving_nothing(roadmap, future, change)


def _moving_nothing(roadmap: Roadmap, future: Future, change: Change) -> Iterator[str]:
    """Changes of dates that meet nothing whose dates they could change."""
    named = {one.id for one in roadmap.power} & set(change.offers)
    if change.slip_months and change.offers and not named:
        yield f"future {future.id}: slip_months of {', '.join(change.offers)}, of which none is power"
    limited = {one.id for one in roadmap.places if one.energised is not None}
    limited |= {one.site for one in roadmap.power}
    for place in roadmap.places if change.energised is not None else ():
        if (not change.sites or place.id in change.sites) and place.id not in limited:
            yield (
                f"future {future.id}: energised at {place.id}, whose power is its provider's concern: "
                "state what it has at first (`energised: []`), or name other sites"
            )


def _unknown(owner: str, noun: str, names: Iterable[str], known: set[str]) -> Iterator[str]:
    for name in names:
        if name not in known:
            yield f'{owner} speaks of {noun} "{name}"; known are {", ".join(sorted(known)[:SHOWN_NAMES])}'


SHOWN_NAMES = 12


def _repeats(noun: str, ids: Iterable[str]) -> Iterator[str]:
    seen: set[str] = set()
    for one in ids:
        if one in seen:
            yield f'two {noun}s are called "{one}"'
        seen.add(one)
