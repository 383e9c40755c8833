"""A campus and its energy: what may be built, bought and switched, under which tariff and limits on carbon.

The hours themselves (prices, wind, sun) come from files that a site names; a year here is the hours given.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Literal, Self

from pydantic import Field, model_validator

from gigawatt.domain.energy_dispatch import EnergyDispatch
from gigawatt.domain.record import Record, Sourced

TechnologyKind = Literal["solar", "wind", "dispatchable", "storage"]
PurchaseShape = Literal["pay-as-produced", "baseload", "matched"]
Days = Literal["all", "weekdays", "weekends"]

HOURS_OF_DAY = 2 * 12
MONTHS = tuple(range(1, 13))


class EnergyTechnology(Sourced):
    """A kind of plant or battery that a campus can build: what it costs and gives."""

    kind: TechnologyKind
    price_year: int = Field(ge=2000, le=2100)
    """The year whose dollars the costs are in."""
    capex_usd_per_w: float = Field(ge=0)
    """Of a battery: of its inverter."""
    energy_capex_usd_per_mwh: float | None = Field(default=None, ge=0)
    """Of a battery: of its cells, per MWh that they hold."""
    upkeep_frac: float = Field(default=0.0, ge=0, le=1)
    """Fixed operation and maintenance in a year, of the capex."""
    life_years: float = Field(gt=0, le=100)
    variable_usd_per_mwh: float = Field(default=0.0, ge=0)
    """Beside fuel."""
    efficiency_frac: float = Field(default=1.0, gt=0, le=1)
    """Of a plant: electricity out of heat in. Of a battery: each way."""
    fuel_usd_per_mwh: float = Field(default=0.0, ge=0)
    """Of heat."""
    fuel_kgco2_per_mwh: float = Field(default=0.0, ge=0)
    """Of heat."""
    most_hours: float | None = Field(default=None, gt=0, le=8784)
    """Of full load in a year, where a permit says so."""
    full_power_s: float | None = Field(default=None, gt=0)
    """Of a battery that is sold as one piece: how long its cells last at full power."""
    standing_loss_frac: float = Field(default=0.0, ge=0, lt=1)
    """Of a battery: what its level loses in each hour."""

    def contradictions(self) -> Iterator[str]:
        """What in this row cannot be true, in words."""
        if (self.kind == "storage") != (self.energy_capex_usd_per_mwh is not None):
            yield "energy_capex_usd_per_mwh: storage has it, and nothing else"
        if self.kind in ("solar", "wind") and (self.fuel_usd_per_mwh or self.fuel_kgco2_per_mwh):
            yield f"fuel: {self.kind} burns none"
        if self.kind != "dispatchable" and self.most_hours is not None:
            yield "most_hours: only dispatchable plant is limited in its hours"
        if self.kind != "storage" and (self.full_power_s is not None or self.standing_loss_frac):
            yield "full_power_s, standing_loss_frac: only storage has them"


class TariffWindow(Record):
    """Hours of which a tariff speaks: months, days, and hours of the day on the tariff's clock."""

    months: tuple[int, ...] = MONTHS
    days: Days = "all"
    from_hour: int = Field(default=0, ge=0, le=23)
    to_hour: int = Field(default=HOURS_OF_DAY, ge=1, le=24)
    """The window ends where this hour begins; before `from_hour`, it goes on past midnight."""

    @model_validator(mode="after")
    def _is_a_window(self) -> Self:
        if not self.months or not set(self.months) <= set(MONTHS):
            raise ValueError(f"months: expected numbers from 1 to 12, found {list(self.months)}")
        if self.from_hour == self.to_hour:
            raise ValueError("from_hour and to_hour are the same: the window is empty")
        return self


class EnergyCharge(TariffWindow):
    """A price of energy in a window; windows of one tariff add up."""

    usd_per_mwh: float


class DemandCharge(TariffWindow):
    """A price, each month, of the highest power drawn in a window."""

    usd_per_w_month: float = Field(ge=0)
    ratchet_frac: float = Field(default=0.0, ge=0, le=1)
    """At least this share of the year's highest is billed in every month."""


class Tariff(Sourced):
    """What drawing from the grid costs: the market's hourly price or none, charges on energy and on peaks."""

    price_year: int = Field(ge=2000, le=2100)
    wholesale: bool = True
    """Whether the hourly price of the market is passed on."""
    hours_from_utc: int = Field(default=0, ge=-12, le=14)
    """The tariff's clock, all year round."""
    energy: tuple[EnergyCharge, ...] = ()
    demand: tuple[DemandCharge, ...] = ()
    fixed_usd_per_year: float = Field(default=0.0, ge=0)

    def contradictions(self) -> Iterator[str]:
        """What in this row cannot be true, in words."""
        if not self.wholesale and not self.energy:
            yield "energy: neither the market's price nor a price of its own"


class Curtailment(Record):
    """Load that may be dropped for a price: training that waits for another year."""

    most_frac: float = Field(gt=0, le=1)
    """Of the load of an hour."""
    usd_per_mwh: float = Field(ge=0)
    """What the lost work is worth."""
    year_frac: float | None = Field(default=None, gt=0, le=1)
    """The most that may be dropped of the energy of a year."""


class Shifting(Record):
    """Training load that may be put off and caught up with."""

    most_frac: float = Field(gt=0, le=1)
    """Of the load of an hour, that may be put off."""
    catch_up_frac: float = Field(gt=0, le=1)
    """Of the highest load, that may run on top of the load of an hour."""
    window_s: float = Field(gt=0)
    """How long all that is put off at once could last at `most_frac`."""


class CampusLoad(Record):
    """What the campus draws, and what work that is."""

    rated_w: float = Field(gt=0)
    """On average; at this power `tokens_per_s` are made."""
    swing_frac: float = Field(default=0.0, ge=0, le=1)
    """Of a daily cosine about the average."""
    peak_hour: int = Field(default=0, ge=0, le=23)
    """When it is highest, in UTC."""
    profile: str = ""
    """Column of the hours' file that says what is drawn, of `rated_w`, in place of the daily swing."""
    tokens_per_s: float | None = Field(default=None, gt=0)
    unserved_usd_per_mwh: float = Field(gt=0)
    """What an hour without power costs."""
    curtailment: Curtailment | None = None
    shifting: Shifting | None = None

    @model_validator(mode="after")
    def _has_one_shape(self) -> Self:
        if self.profile and self.swing_frac:
            raise ValueError("profile: the column says what is drawn: leave out swing_frac")
        return self


class GridConnection(Record):
    """How much the campus may draw and feed in, and under which tariff."""

    limit_w: float = Field(gt=0)
    tariff: str
    """Id in the catalogue."""
    feed_in_w: float = Field(default=0.0, ge=0)
    """What may be sold at the market's price."""
    feed_in_fee_usd_per_mwh: float = Field(default=0.0, ge=0)


class BuildOption(Record):
    """A technology that may be built on the campus, behind the meter."""

    technology: str
    """Id in the catalogue."""
    name: str = ""
    existing_w: float = Field(default=0.0, ge=0)
    """Already there, and paid for."""
    limit_w: float | None = Field(default=None, ge=0)
    """The most that may be built; none for no limit."""
    limit_j: float | None = Field(default=None, ge=0)
    """Of a battery: the most energy."""
    profile: str = ""
    """Column of the hours' file that says what the plant can give, of its rated power."""

    @property
    def label(self) -> str:
        """What it is called in the answer."""
        return self.name or self.technology


class PowerPurchase(Record):
    """A contract for power that the grid delivers: paid whether it is needed or not."""

    name: str
    shape: PurchaseShape
    """As the plant produces; the same in every hour; or as the load goes."""
    source: Literal["solar", "wind"] | None = None
    """The plant, of a contract that pays as produced."""
    usd_per_mwh: float = Field(ge=0)
    limit_w: float = Field(gt=0)
    """Of the plant, or of the delivery."""
    resale_frac: float = Field(default=0.0, ge=0, le=1)
    """Of the market's price, that surplus earns."""

    @model_validator(mode="after")
    def _has_its_source(self) -> Self:
        if (self.shape == "pay-as-produced") != (self.source is not None):
            raise ValueError("source: solar or wind, for a contract that pays as produced and for no other")
        return self


class CarbonRules(Record):
    """Limits on emissions, and how those of the grid are counted."""

    cap_kgco2_per_mwh: float | None = Field(default=None, ge=0)
    """Of the year's load, on average."""
    usd_per_kgco2: float = Field(default=0.0, ge=0)
    annual_frac: float | None = Field(default=None, ge=0, le=1)
    """Clean energy produced in the year, of the year's load."""
    hourly_frac: float | None = Field(default=None, ge=0, le=1)
    """Load that clean energy of the same hour serves; what is bought on the market counts as not clean."""
    grid: Literal["average", "marginal"] = "average"


class GridOutage(Record):
    """Hours in which the grid gives nothing."""

    first_hour: int = Field(ge=0, le=8783)
    """Of the year, counted from 0."""
    hours: int = Field(gt=0, le=8784)


class PriceYears(Record):
    """Market prices of several years, each as likely as the others, on the weather of the site's hours."""

    file: str
    column: str
    years: tuple[int, ...] = Field(min_length=1)


class EnergySite(Record):
    """The question of `gigawatt contract energy`."""

    title: str
    currency: Literal["USD"] = "USD"
    price_year: int = Field(ge=2000, le=2100)
    """Of everything that the site says and the plan answers; rows of the catalogue are restated."""
    discount_frac: float = Field(ge=0, le=1)
    hours: str
    """CSV with timestamp_utc, wind_cf, solar_cf, price_usd_mwh and avg_co2_g_kwh for each hour of a year."""
    catalogue: str = ""
    """Overlay beside the site, with technologies and tariffs of its own."""
    prices: PriceYears | None = None
    load: CampusLoad
    grid: GridConnection | None = None
    build: tuple[BuildOption, ...] = ()
    purchases: tuple[PowerPurchase, ...] = ()
    carbon: CarbonRules = CarbonRules()
    outages: tuple[GridOutage, ...] = ()

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        if self.purchases and self.grid is None:
            raise ValueError("purchases: power that is bought comes over the grid, and there is no grid")
        if self.grid is None and not self.build:
            raise ValueError("neither a grid nor anything to build: expected one of them")
        names = Counter([o.label for o in self.build] + [p.name for p in self.purchases])
        if twice := sorted(name for name, count in names.items() if count > 1):
            raise ValueError(f'"{twice[0]}" is given twice: give each a name of its own')
        return self

    @property
    def columns(self) -> tuple[str, ...]:
        """What the hours' file has to hold beside the columns of every such file."""
        return tuple(dict.fromkeys(filter(None, (self.load.profile, *(o.profile for o in self.build)))))


class EnergyCapacity(Record):
    """What is built or signed."""

    kind: str
    power_w: float
    energy_j: float | None = None
    usd_per_year: float
    """Annuity and upkeep; of a purchase, what it costs in the year."""
    at_limit: bool = False


class EnergyFlow(Record):
    """What one source gave, or one use took, in the year."""

    energy_j_per_year: float
    usd_per_year: float
    kgco2_per_year: float


class EnergyPlan(Record):
    """The energy of a campus at least cost, with the bound that proves it."""

    title: str
    currency: str = "USD"
    price_year: int
    usd_per_year: float
    lower_bound_usd_per_year: float
    gap_frac: float
    capacities: dict[str, EnergyCapacity]
    flows: dict[str, EnergyFlow]
    charges_usd_per_year: dict[str, float] = Field(default={})
    """What is no capacity's and no flow's: peaks, fixed charges."""
    load_j_per_year: float
    served_j_per_year: float
    kgco2_per_year: float
    average_usd_per_mwh: float
    mean_price_usd_per_mwh: float
    """What one more MWh of load costs, the mean of all hours."""
    carbon_price_usd_per_kgco2: float | None = None
    """What the cap costs, per kilogram at its margin."""
    clean_frac: float
    """Load that clean energy of the same hour serves."""
    tokens_per_mwh: float | None = None
    usd_per_million_tokens: float | None = None
    kgco2_per_million_tokens: float | None = None
    num_hours: int
    num_years: int
    num_iterations: int
    most_missing_w: float
    """The largest amount by which a balance of any hour is missed."""
    dispatch: EnergyDispatch | None = None
    """Its hours, as a picture needs them."""
    notes: tuple[str, ...] = ()


class FrontierPoint(Record):
    """The least cost under one cap."""

    cap_kgco2_per_mwh: float
    kgco2_per_mwh: float
    usd_per_year: float
    lower_bound_usd_per_year: float
    carbon_price_usd_per_kgco2: float
    capacities: dict[str, EnergyCapacity]


class EnergyFrontier(Record):
    """Cost against carbon, from no cap down."""

    title: str
    currency: str = "USD"
    price_year: int
    points: tuple[FrontierPoint, ...]
    notes: tuple[str, ...] = ()


class EnergyCaseRow(Record):
    """A reference case: what it says, and what we find."""

    case: str
    cap_kgco2_per_mwh: float | None
    reference_usd_per_year: float
    predicted_usd_per_year: float | None = None
    lower_bound_usd_per_year: float | None = None
    wall_s: float | None = None
    status: Literal["predicted", "inexpressible"]
    reason: str = ""

    @property
    def error_frac(self) -> float | None:
        """How far ours is from the reference."""
        if self.predicted_usd_per_year is None:
            return None
        return self.predicted_usd_per_year / self.reference_usd_per_year - 1.0

    @property
    def gap_frac(self) -> float | None:
        """How far our cost is above our bound."""
        if self.predicted_usd_per_year is None or self.lower_bound_usd_per_year is None:
            return None
        return 1.0 - self.lower_bound_usd_per_year / self.predicted_usd_per_year


class EnergyCaseReport(Record):
    """All results of all cases."""

    rows: tuple[EnergyCaseRow, ...]

    def figures(self) -> dict[str, float | None]:
        """The worst error, gap and time of all rows, and the share of rows that could be expressed."""
        done = [row for row in self.rows if row.status == "predicted"]
        errors = [abs(row.error_frac) for row in done if row.error_frac is not None]
        gaps = [row.gap_frac for row in done if row.gap_frac is not None]
        return {
            "error": max(errors, default=None),
            "gap": max(gaps, default=None),
            "wall": max((row.wall_s for row in done if row.wall_s is not None), default=None),
            "coverage": len(done) / len(self.rows) if self.rows else None,
        }
