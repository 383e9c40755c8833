"""Halls, power and cooling: what a site offers, what equipment does, and the design that joins them.

As with fabrics, a design records rules and totals: where each rack stands is laid out again from a
`FloorPlan` by `gigawatt.design.facility.floor`, each breaker and pump from a `PowerChain` and `CoolingPlant`.
"""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict, Field

from gigawatt.domain.fabric import BillLine, FailureEffect
from gigawatt.domain.record import Basis, Record, Sourced
from gigawatt.domain.training import Binding

Redundancy = Literal["n", "n+1", "2n", "distributed", "block"]
"""How power reaches a rack when a part fails: not at all; one spare unit; two whole chains; several chains
that share load and spare; a standing reserve chain behind static switches."""
PowerLevel = Literal["site", "block", "lineup", "rack"]
"""For what a piece of the power chain stands: all of the site, a block, a lineup, or a rack."""
RackRole = Literal["compute", "network", "coolant", "power"]
EquipmentKind = Literal[
    "utility",
    "transformer",
    "switchgear",
    "generator",
    "ups",
    "busway",
    "pdu",
    "breaker",
    "shelf",
    "cdu",
    "crah",
    "fan wall",
    "pump",
    "dry cooler",
    "adiabatic cooler",
    "cooling tower",
    "chiller",
    "air-cooled chiller",
]
"""Power from the utility to the racks, then cooling from the racks to the outside."""
Trade = Literal["power", "cooling", "shell", "white space", "fabric", "systems"]


class RackItem(Record):
    """Things of one kind in a rack."""

    name: str
    part: str
    """Id in the catalogue, where it has one."""
    quantity: int
    """In the fullest rack of the kind; they stand one upon the other."""
    rack_units: int
    """Of one; 0: it takes no room of its own."""
    lowest_unit: int = 1
    """Where the first of them begins; 1 is the lowest unit of the rack."""


class RackKind(Record):
    """Racks that are alike, but that the last of them may be filled in part."""

    name: str
    role: RackRole
    num_racks: int
    num_accelerators: int = 0
    """In one full rack."""
    num_per_unit: int = 0
    """That stand with each scalable unit of the fabric; 0: they serve all units, and stand between them."""
    units_together: int = 1
    """Units of the fabric that are small, and count as one because they share their network racks."""
    power_w: float
    """Of one rack with all that is in it at full load: the mean over the racks of the kind."""
    liquid_frac: float = Field(default=0.0, ge=0, le=1)
    """Share of its heat that a coolant loop carries; the rest goes to the air."""
    weight_kg: float
    """Of the fullest."""
    rack_units: int
    items: tuple[RackItem, ...] = ()
    basis: Basis = "estimate"


class FloorPlan(Record):
    """Racks in rows, rows in halls, halls in buildings. All halls are filled alike, the last as needed.

    Rows run along x and stand in pairs, back to back across a hot aisle; pairs face each other across a cold
    aisle. A group (a scalable unit of the fabric, or an equal part of one too large for a hall) fills a block
    of a pair of rows with its network racks in the middle; racks that serve all stand amid the hall's groups.
    """

    num_buildings: int
    halls_per_building: int
    num_halls: int
    rows_per_hall: int
    racks_per_row: int
    num_units: int = 1
    """Scalable units of the fabric, small ones taken together."""
    units_together: int = 1
    groups_per_unit: int = 1
    groups_per_hall: int = 1
    rack_width_m: float
    rack_depth_m: float
    cold_aisle_m: float
    hot_aisle_m: float
    tray_height_m: float
    """From the top of the racks to the cable trays: down twice on every run."""
    hall_gap_m: float
    """Cable way between neighbouring halls."""
    building_gap_m: float = 0.0
    """Between neighbouring buildings."""
    gallery_m: float = 0.0
    """Along one side of each hall, where its coolant distribution units and air handlers stand."""
    coolant_units_per_hall: int = 0
    air_units_per_hall: int = 0
    hall_width_m: float
    """Its gallery included."""
    hall_depth_m: float
    hall_it_w: float
    """Of the fullest hall."""
    floor_load_kg_per_m2: float
    """What a rack's footprint and its share of the aisle put on the floor, the heaviest kind."""
    area_m2: float
    """White space of all halls."""
    racks: tuple[RackKind, ...]

    @property
    def num_groups(self) -> int:
        """Groups of racks that stand together."""
        return self.num_units * self.groups_per_unit

    @property
    def num_racks(self) -> int:
        """Racks of all kinds."""
        return sum(kind.num_racks for kind in self.racks)


class PowerNode(Record):
    """A stage of the power chain: equipment that is alike, with what flows through it at full IT load.

    What it says of its losses and failures is of one piece, so that a chain can be laid out, loaded and
    broken again without the catalogue.
    """

    name: str
    kind: str
    """utility, transformer, switchgear, generator, ups, busway, pdu, breaker, shelf, rack, cooling"""
    equipment: str
    """Id in the catalogue; blank for what is not bought (racks, cooling)."""
    level: PowerLevel = "site"
    num_installed: int
    num_needed: int
    """To carry the load; the others are redundancy."""
    rating_w: float
    """Of one."""
    limit_w: float = 0.0
    """Of one, what it may carry for hours: for breakers less than the rating."""
    load_frac: float
    """Of the rating of one that carries load, nothing having failed."""
    worst_load_frac: float = 0.0
    """Of the limit of one, when all that is spare has failed."""
    input_w: float
    """Into all of them."""
    output_w: float
    loss_w: float
    input_v: float = 0.0
    output_v: float = 0.0
    voltage_frac: float = 1.0
    """Behind it at full IT load, of the nominal voltage."""
    no_load_loss_w: float = 0.0
    load_loss_w: float = 0.0
    """At its rating; goes with the square of the current."""
    impedance_frac: float = 0.0
    efficiency_by_load: dict[str, float] = Field(default={})
    mtbf_s: float = 0.0
    """0: does not fail."""
    mttr_s: float = 0.0


class PowerChain(Record):
    """From the utility to the racks. At every node watts in are watts out and losses.

    Racks are fed by lineups: a transformer, its switchgear and UPS, and what hangs on them. The lineups of
    a block stand in for each other; blocks are independent but for what stands at the level of the site.
    """

    redundancy: Redundancy
    concurrently_maintainable: bool
    """Any one piece can be taken out of service, and all racks keep their power."""
    num_blocks: int
    """Independent power blocks; each feeds its own halls or rows."""
    lineups_per_block: int = 1
    lineups_needed: int = 1
    """Of a block, to carry its load."""
    feeds_per_rack: int = 1
    """Busways that each rack hangs on; each of them carries it alone."""
    num_sides: int = 1
    """Separate ways from the utility to the lineups."""
    utility_w: float
    """Drawn at full IT load in the hottest hour."""
    it_w: float
    cooling_w: float = 0.0
    """Of the cooling plant in that hour, fed ahead of the UPS."""
    loss_w: float
    """From the utility to the racks' inputs; power supplies in the racks are part of the IT load."""
    nodes: tuple[PowerNode, ...]
    availability_frac: float
    """Of power at one rack, from the block diagram."""
    down_s_per_year: float
    longest_bridge_s: float = 0.0
    """For which the UPS carries the load until generators do."""
    rack_w: tuple[float, ...] = ()
    """Power of a rack, by kind."""
    racks_by_kind: tuple[int, ...] = ()
    pieces_by_kind: tuple[int, ...] = ()
    """Breakers, and shelves, of a rack."""
    compute_w: float = 0.0
    """Of `it_w`, what racks with accelerators take, which come first; 0: not told apart."""

    def node(self, kind: str, level: PowerLevel | None = None) -> PowerNode | None:
        """The stage of that kind, the one nearest to the utility unless a level is given."""
        return next((n for n in self.nodes if n.kind == kind and level in (None, n.level)), None)


class CoolingNode(Record):
    """A part of the cooling plant: what is installed, what it moves, what it draws."""

    name: str
    kind: str
    """cdu, crah, chiller, dry cooler, cooling tower, pump, ..."""
    equipment: str
    loop: Literal["liquid", "air"] = "liquid"
    """Whose heat it carries."""
    num_installed: int
    num_needed: int
    rating_w: float
    """Of the heat that one carries."""
    heat_w: float
    """Carried by all of them at full IT load in the hottest hour."""
    load_frac: float = Field(ge=0)
    """Of what those needed can do in the hottest hour; the others stand by."""
    flow_m3_per_s: float = 0.0
    peak_power_w: float
    """Drawn by all of them in the hottest hour."""


class CoolingPlant(Record):
    """Air and liquid loops, and where the heat goes, hour by hour."""

    climate: str
    liquid_heat_w: float
    air_heat_w: float
    rejected_w: float
    """To the outside in the hottest hour: all that came in."""
    supply_c: float
    """Of the coolant to the racks."""
    num_blocks: int = 1
    """Halls that have their own plant, each with its own spares."""
    design_outside_c: float
    design_wet_bulb_c: float
    """Of the hottest hour, which sizes the plant."""
    nodes: tuple[CoolingNode, ...]
    peak_power_w: float
    energy_j_per_year: float
    water_m3_per_year: float
    peak_water_m3_per_s: float = 0.0
    num_free_hours: int
    """In which no compressor runs."""
    notes: tuple[str, ...] = ()


class TradeCost(Record):
    """Cost of one trade."""

    trade: Trade
    cost_usd: float
    usd_per_w: float
    """Per watt of critical IT power."""
    basis: Basis
    source: str


class Phase(Record):
    """What is handed over together."""

    name: str
    num_halls: int
    it_w: float
    num_accelerators: int
    months: float
    """From the start of works to power on the floor."""
    cost_usd: float


class FacilityDesign(Record):
    """The artefact of `gigawatt design facility`: where the racks stand, and how power and heat move."""

    model_config = ConfigDict(populate_by_name=True)

    schema_id: Literal["gigawatt.facility/1"] = Field(default="gigawatt.facility/1", alias="schema")
    site: str
    system: str
    num_accelerators: int
    it_w: float
    """Critical load: racks at full load, network included."""
    peak_w: float
    """At the utility's meter in the hottest hour."""
    pue: float
    """Energy of the whole facility over energy of its IT, a year at full load: a result, never an input."""
    peak_pue: float
    wue_m3_per_j: float
    energy_j_per_year: float
    floor: FloorPlan
    power: PowerChain
    cooling: CoolingPlant
    costs: tuple[TradeCost, ...]
    cost_usd: float
    price_year: int
    phases: tuple[Phase, ...]
    bill: tuple[BillLine, ...] = ()
    failures: tuple[FailureEffect, ...] = ()
    notes: tuple[str, ...] = ()
    binding: tuple[Binding, ...] = ()


class Equipment(Sourced):
    """A piece of the power chain or of the cooling plant, by its kind's own figures."""

    kind: EquipmentKind
    rating_w: float = Field(gt=0)
    """Of what it passes on: electrical power or heat."""
    rating_va: float | None = Field(default=None, gt=0)
    input_v: float | None = Field(default=None, gt=0)
    output_v: float | None = Field(default=None, gt=0)
    efficiency_by_load: dict[str, float] = Field(default={})
    """Output over input at shares of the rating: keys such as "25%"."""
    no_load_loss_w: float | None = Field(default=None, ge=0)
    load_loss_w: float | None = Field(default=None, ge=0)
    """At the rating; load losses go with the square of the load."""
    design_flow_m3_per_s: float | None = Field(default=None, gt=0)
    design_power_w: float | None = Field(default=None, ge=0)
    """Of fans or pumps at the design flow; it falls with the cube of the flow."""
    min_flow_frac: float | None = Field(default=None, gt=0, le=1)
    """Share of the design flow below which their drives do not turn."""
    approach_k: float | None = Field(default=None, gt=0)
    """Closest that the leaving stream comes to what cools it, at the rating."""
    rise_k: float | None = Field(default=None, gt=0)
    """Of the stream that the rating is stated for: air through a fan wall, water through a cooling tower."""
    delivery_c: float | None = None
    """Air that a fan wall delivers to the racks."""
    carnot_frac: float | None = Field(default=None, gt=0, lt=1)
    """COP of a chiller as a share of Carnot's, between leaving chilled water and entering air or water."""
    min_lift_k: float | None = Field(default=None, gt=0)
    """Which a compressor keeps however cool it is outside."""
    effectiveness_frac: float | None = Field(default=None, gt=0, le=1)
    """Of wetted pads: how near the air comes to its wet bulb."""
    latent_frac: float | None = Field(default=None, gt=0, le=1)
    """Share of a cooling tower's heat that evaporation carries."""
    num_cycles: float | None = Field(default=None, gt=1)
    """To which the salts of evaporating water may concentrate before it is blown down."""
    coolant_m3: float | None = Field(default=None, gt=0)
    """That circulates behind one unit, racks included."""
    mtbf_s: float | None = Field(default=None, gt=0)
    mttr_s: float | None = Field(default=None, gt=0)
    impedance_frac: float | None = Field(default=None, gt=0, lt=1)
    """Short-circuit impedance of a transformer, of its rating."""
    continuous_frac: float | None = Field(default=None, gt=0, le=1)
    """Share of the rating that a load may take for hours; None: all of it."""
    start_s: float | None = Field(default=None, gt=0)
    """Of a generator, from the failure of the utility until it carries the load."""
    autonomy_s: float | None = Field(default=None, gt=0)
    """For which a UPS carries its full rating from its batteries."""
    price_usd: float | None = Field(default=None, gt=0)
    lead_time_s: float | None = Field(default=None, gt=0)
    area_m2: float | None = Field(default=None, gt=0)
    weight_kg: float | None = Field(default=None, gt=0)


class Climate(Sourced):
    """A place's weather as climate normals of twelve months; `laws.cooling` makes the hours of a year."""

    latitude: float
    mean_high_c: tuple[float, ...] = Field(min_length=12, max_length=12)
    """Mean daily maximum by month."""
    mean_low_c: tuple[float, ...] = Field(min_length=12, max_length=12)
    mean_relative_humidity_frac: tuple[float, ...] = Field(min_length=12, max_length=12)
    hot_c: tuple[float, ...] | None = Field(default=None, min_length=12, max_length=12)
    """Which 5 % of the hours of each month exceed; None: days differ as far as the record says."""
    record_high_c: float
    """The design day's maximum: on record, or once in 20 years."""
    record_wet_bulb_c: float | None = None
    """The same of the wet bulb; None: that of the record's hour."""


class Site(Sourced):
    """A place to build on: what it can feed, carry and hold, and how it is built."""

    climate: str
    utility_v: float = Field(gt=0)
    available_w: float | None = Field(default=None, gt=0)
    """From the utility; None: whatever the design needs."""
    floor_area_m2: float | None = Field(default=None, gt=0)
    floor_limit_kg_per_m2: float = Field(gt=0)
    redundancy: Redundancy = "n+1"
    hall_it_w: float = Field(gt=0)
    """Most critical IT power of one hall."""
    rows_per_hall: int = Field(gt=1)
    racks_per_row: int = Field(gt=0)
    halls_per_building: int = Field(gt=0)
    rack_width_m: float = Field(gt=0)
    rack_depth_m: float = Field(gt=0)
    rack_units: int = Field(gt=0)
    rack_empty_kg: float = Field(gt=0)
    """With its cables and power strips."""
    rack_limit_w: float = Field(gt=0)
    """Most that the power taps of one rack feed."""
    rack_air_limit_w: float = Field(gt=0)
    """Most heat that the air takes from one rack."""
    network_rack_fill_frac: float = Field(gt=0, le=1)
    """Share of a network rack's height that switches take; the rest is for patch panels and cables."""
    switch_units: int = Field(gt=0)
    """Height, and (per unit of height) weight and power, of switches of which it is not known."""
    switch_unit_kg: float = Field(gt=0)
    switch_unit_w: float = Field(gt=0)
    cold_aisle_m: float = Field(gt=0)
    hot_aisle_m: float = Field(gt=0)
    tray_height_m: float = Field(gt=0)
    gallery_m: float = Field(default=0.0, ge=0)
    """Along one side of a hall, for coolant distribution units and air handlers."""
    hall_gap_m: float = Field(gt=0)
    building_gap_m: float = Field(gt=0)
    chain: tuple[str, ...]
    """Equipment of the power chain, from the utility to the racks."""
    plant: tuple[str, ...]
    """Equipment of the cooling plant."""
    supply_c: float
    """Coolant to the racks."""
    rise_k: float = Field(gt=0)
    """Of the coolant through the racks."""
    costs_usd_per_w: dict[str, float]
    """By trade, per watt of critical IT power, where parts are not priced one by one."""
    costs_redundancy: Redundancy = "n+1"
    """Of what those costs are; more or fewer pieces than that takes are added or taken off at their price."""
    liquid_premium_frac: float = Field(default=0.0, ge=0)
    """What a hall costs more where liquid carries all the heat; in proportion where it carries part."""
    build_months: float = Field(gt=0)
    """From the start of works to power on the floor of the first phase."""
    phase_months: float = Field(gt=0)
    """Between one phase and the next."""
    phase_it_w: float = Field(gt=0)
    """Handed over together."""
