"""A PyPSA network of a campus as an energy site: its file, its hours, and the rows that it names.

The least cost of the site is that of the network, but for what the remarks list. Costs of a year become
capital by the life and the rate given, and come back as they were.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

import numpy as np

from gigawatt.contract.energy_hours import Stamps
from gigawatt.contract.energy_program import Megawatts, Values
from gigawatt.contract.energy_tariff import MW_W
from gigawatt.errors import InputError, Problem
from gigawatt.exports.csv_lines import csv_lines
from gigawatt.exports.hour_csv import COLUMNS, STAMP
from gigawatt.exports.pypsa_network import TONNE_KG
from gigawatt.exports.pypsa_read import Folder
from gigawatt.exports.pypsa_supply import Battery, Campus, Source
from gigawatt.laws.finance import HOUR_S, capital_recovery_frac
from gigawatt.laws.progress import YEAR_S
from gigawatt.units import parse_quantity

HOURS_PER_YEAR = parse_quantity("365 days", "_s") / HOUR_S
"""As PyPSA counts years."""
DISCOUNT_FRAC = parse_quantity("8 %", "_frac")
LIFE_YEARS = parse_quantity("25 years", "_s") / YEAR_S
_GRID = re.compile(r"\b(grid|market|import|spot|electricity|day.?ahead)\b")
_SHEDDING = re.compile(r"shed|unserved|lost.?load|\bvoll\b|slack")
_NEARLY = 1.0 - 1e-9
_DEAREST = 10
"""Times the next dearest: what sheds load rather than makes power."""
_AMPLE = 10
"""Times the highest load: more than any plan builds of what costs nothing."""
_SOURCE = "pypsa-network"


@dataclass(frozen=True, slots=True)
class ImportedSite:
    """Three files by what they are, and what differs from the network."""

    site: str
    hours: Iterable[str]
    catalogue: str
    notes: tuple[str, ...]


def energy_site(folder: Folder, stem: str) -> ImportedSite:
    """The site of a network. `stem` is what its files are called after.

    Errors: InputError for networks that are not one campus, or whose snapshots are not of one length.
    """
    return _Writing(folder, stem).site()


@dataclass
class _Writing:
    folder: Folder
    stem: str
    notes: list[str] = field(default_factory=list)
    columns: dict[str, Values] = field(default_factory=dict)
    technologies: list[dict[str, Any]] = field(default_factory=list)
    build: list[dict[str, Any]] = field(default_factory=list)
    said: dict[str, Any] = field(default_factory=dict)
    tariff: dict[str, Any] = field(default_factory=dict)

    def site(self) -> ImportedSite:
        """Everything."""
        self._clock()
        campus = Campus(self.folder, float(self.folder.objective_weight.sum()) / HOURS_PER_YEAR)
        campus.read()
        count = len(self.folder.stamps) * self.repeat
        self.columns = {name: np.zeros(count) for name in COLUMNS.values()}
        self._load(campus)
        for source in self._without_grid(campus):
            self._plant(source)
        for battery in campus.batteries:
            self._battery(battery)
        self._cap(float(campus.load.sum()) * self.repeat)
        self.notes += [*campus.notes, *campus.left_out()]
        return ImportedSite(self._site_text(), self._hours(), self._catalogue_text(), tuple(self.notes))

    def _clock(self) -> None:
        """How many hours a snapshot is, and how often each hour counts."""
        folder = self.folder
        for name, weights in (("objective", folder.objective_weight), ("stores", folder.store_h)):
            if np.ptp(weights) > 0.0:
                self._refuse_weights("snapshots of different weight are no year of hours: expected one", name)
        self.repeat = max(1, round(float(folder.store_h[0])))
        if self.repeat != folder.store_h[0]:
            self._refuse_weights(f"{folder.store_h[0]:g} hours: expected whole ones", "stores")
        self.times = float(folder.objective_weight[0]) / self.repeat
        self.sum_times = float(folder.energy_weight[0]) / self.repeat
        if self.times != 1.0:
            self.notes.append(
                f"Every hour counts {self.times:g} times in the network's objective: the site's cost is that "
                "of its hours once."
            )
        self._calendar(folder.stamps.astype("datetime64[h]"))

    def _refuse_weights(self, message: str, column: str) -> NoReturn:
        raise InputError(Problem(message, column, str(self.folder.path / "snapshots.csv")))

    def _calendar(self, stamps: Stamps) -> None:
        if not self.folder.named_by_time:
            self.notes.append(f"Snapshots have no times: they are taken as hours from {stamps[0]}:00.")
        elif np.any(np.diff(stamps).astype(int) != self.repeat):
            self.notes.append("Snapshots are not in a row: they are taken as if they were.")
        self.year = int(str(stamps[0])[:4])
        self.notes.append(
            f"A network does not say in what money it is: dollars of {self.year} are written as price_year."
        )

    def _each_hour(self, values: Values) -> Values:
        return np.repeat(values, self.repeat)

    def _load(self, campus: Campus) -> None:
        load = self._each_hour(campus.load)
        if np.any(load < 0.0):
            raise InputError(
                Problem("is negative in some hour", "p_set", str(self.folder.path / "loads.csv"))
            )
        mean = float(load.mean())
        self.peak: Megawatts = float(load.max())
        self.said["load"] = {"rated_w": f"{mean!r} MW"}
        if np.ptp(load) > 0.0:
            self.columns["load_pu"] = load / mean
            self.said["load"]["profile"] = "load_pu"
        shedding, usd = self._shedding(campus)
        self.shedding = shedding
        self.said["load"]["unserved_usd_per_mwh"] = f"{usd!r} USD/MWh"

    def _shedding(self, campus: Campus) -> tuple[Source | None, float]:
        """The source that stands for load which is not served, and its price."""
        plants = [one for one in campus.sources if one.profile_frac.max() > 0.0]
        dearest = max(plants, key=lambda one: float(one.usd_per_mwh.max()), default=None)
        if dearest is not None and _sheds(dearest, plants, campus.load):
            return dearest, float(dearest.usd_per_mwh.max())
        costs = [float(one.usd_per_mwh.max()) + one.yearly_usd / self.times for one in plants]
        usd = _DEAREST * (max(costs, default=0.0) + 1.0)
        self.notes.append(
            f"No generator sheds load: what is not served is written at {usd:,.0f} USD/MWh, so that all is."
        )
        return None, usd

    def _without_grid(self, campus: Campus) -> list[Source]:
        """Sources but for load shedding, what is fed in, and the grid, which are written."""
        rest = [one for one in campus.sources if one is not self.shedding]
        sinks = [one for one in rest if one.profile_frac.max() <= 0.0]
        rest = [one for one in rest if one not in sinks]
        plain = [one for one in rest if _kind(one) == "dispatchable"]
        named = [one for one in plain if _GRID.search(one.words)]
        varying = [one for one in plain if np.ptp(one.usd_per_mwh) > 0.0 or np.ptp(one.kgco2_per_mwh) > 0.0]
        grid = next((one for one in named if one in varying), None) or next(iter(named or varying), None)
        if grid is not None:
            self._grid(grid)
            rest = [one for one in rest if one is not grid]
        for sink in sinks:
            self._feed_in(sink, grid)
        return rest

    def _grid(self, source: Source) -> None:
        limit = min(source.limit, _AMPLE * self.peak)
        self.columns["price_usd_mwh"] = self._each_hour(source.usd_per_mwh)
        self.columns["avg_co2_g_kwh"] = self._each_hour(source.kgco2_per_mwh)
        self.said["grid"] = {"limit_w": f"{limit!r} MW", "tariff": "pypsa-grid"}
        self.tariff = {"wholesale": True}
        if source.extendable and source.yearly_usd:
            num_months = len(np.unique(self._stamps().astype("datetime64[M]")))
            usd = source.yearly_usd / self.times / num_months
            self.tariff["demand"] = [{"usd_per_w_month": f"{usd / MW_W!r} USD/W/month", "ratchet_frac": 1.0}]
        up = self._each_hour(source.profile_frac)
        if not np.all(np.isin(up, (0.0, 1.0))):
            self.notes.append(
                f"{source.name}: the grid is there or not: shares of it in between are taken as whole."
            )
        self.said["outages"] = [
            {"first_hour": int(first), "hours": int(last - first)} for first, last in _stretches(up <= 0.0)
        ]
        if np.isfinite(source.most_in_year):
            self.notes.append(f"{source.name}: a limit on what is drawn in the year is left out.")

    def _feed_in(self, sink: Source, grid: Source | None) -> None:
        """What is sold at the market's price less a fee."""
        fee = np.ptp(grid.usd_per_mwh - sink.usd_per_mwh) if grid is not None else np.inf
        amount = float((grid.usd_per_mwh - sink.usd_per_mwh).mean()) if grid is not None else -1.0
        if fee > 1e-6 or amount < -1e-9 or "grid" not in self.said:
            self.notes.append(
                f"{sink.name}: takes power at a price that is not the grid's less a fee: left out."
            )
            return
        sink.component.used.add("p_min_pu")
        self.said["grid"]["feed_in_w"] = f"{sink.limit!r} MW"
        self.said["grid"]["feed_in_fee_usd_per_mwh"] = f"{max(amount, 0.0)!r} USD/MWh"

    def _plant(self, source: Source) -> None:
        kind, name = _kind(source), source.name
        usd, kgco2 = float(source.usd_per_mwh.mean()), float(source.kgco2_per_mwh.mean())
        if np.ptp(source.usd_per_mwh) > 0.0 or np.ptp(source.kgco2_per_mwh) > 0.0:
            self.notes.append(f"{name}: cost or carbon changes by the hour: its mean of the year is taken.")
        if usd < 0.0:
            self.notes.append(f"{name}: a marginal cost below nothing is taken as nothing.")
        if kgco2 and kind != "dispatchable":
            kind = "dispatchable"
        row: dict[str, Any] = {"kind": kind, "variable_usd_per_mwh": f"{max(usd, 0.0)!r} USD/MWh"}
        row |= self._capital(source.yearly_usd, source.life_years)
        if kgco2:
            row["fuel_kgco2_per_mwh"] = f"{kgco2!r} kgCO2/MWh"
        option: dict[str, Any] = {"name": name} | self._plant_size(source, row)
        if np.ptp(source.profile_frac) > 0.0 or source.profile_frac[0] != 1.0 or kind != "dispatchable":
            option["profile"] = f"{name} pu"
            self.columns[option["profile"]] = self._each_hour(np.clip(source.profile_frac, 0.0, 1.0))
        self._add(name, row, option)

    def _plant_size(self, source: Source, row: dict[str, Any]) -> dict[str, Any]:
        """What stands and what may be built; hours of full load where a sum of energy is given."""
        ample = _AMPLE * self.peak
        if not source.extendable:
            standing = min(source.limit, ample)
            if np.isfinite(source.most_in_year):
                self._full_load(source, row, standing)
            return {"existing_w": f"{standing!r} MW", "limit_w": "0 MW"}
        size: dict[str, Any] = {}
        if source.least:
            size["existing_w"] = f"{source.least!r} MW"
            self.notes.append(
                f"{source.name}: {source.least:g} MW are built in any case: they stand, and their "
                f"{source.least * source.yearly_usd / self.times:,.2f} USD are not in the site's cost."
            )
        if np.isfinite(source.limit) or not source.yearly_usd:
            size["limit_w"] = (
                f"{min(source.limit, ample if not source.yearly_usd else np.inf) - source.least!r} MW"
            )
        if np.isfinite(source.most_in_year):
            self.notes.append(f"{source.name}: a sum of energy for all that is built is left out.")
        return size

    def _full_load(self, source: Source, row: dict[str, Any], standing: Megawatts) -> None:
        if row["kind"] == "dispatchable" and standing:
            row["most_hours"] = source.most_in_year / self.sum_times / standing
        else:
            self.notes.append(f"{source.name}: the most that it gives in the year is left out.")

    def _battery(self, battery: Battery) -> None:
        one, ample = battery.component, _AMPLE * self.peak
        row: dict[str, Any] = {
            "kind": "storage",
            "efficiency_frac": battery.each_way_frac,
            "standing_loss_frac": battery.loss_frac,
            "variable_usd_per_mwh": f"{battery.wear_usd_per_mwh!r} USD/MWh",
            **self._capital(battery.yearly_usd, one.number("lifetime")),
        }
        capital_frac = self._repaid_frac(one.number("lifetime"))
        cells = battery.energy_usd / self.times / capital_frac
        row["energy_capex_usd_per_mwh"] = f"{cells!r} USD/MWh"
        option: dict[str, Any] = {"name": one.name}
        limit = battery.limit if battery.yearly_usd else min(battery.limit, ample)
        if np.isfinite(limit):
            option["limit_w"] = f"{limit!r} MW"
        if battery.full_power_s is not None:
            row["full_power_s"] = f"{battery.full_power_s!r} s"
        elif np.isfinite(battery.most) or not battery.energy_usd:
            most = battery.most if battery.energy_usd else min(battery.most, ample * len(self.folder.stamps))
            option["limit_j"] = f"{most!r} MWh"
        if battery.loss_frac and self.repeat > 1:
            self.notes.append(
                f"{one.words}: loses {battery.loss_frac:g} an hour, as PyPSA reads standing_loss."
            )
        self._add(one.name, row, option)

    def _life(self, life_years: float) -> float:
        return life_years if np.isfinite(life_years) and life_years <= 100 else LIFE_YEARS

    def _repaid_frac(self, life_years: float) -> float:
        return float(capital_recovery_frac(DISCOUNT_FRAC, self._life(life_years)))

    def _capital(self, yearly_usd: float, life_years: float) -> dict[str, Any]:
        """Capital whose annuity is the yearly cost."""
        capex = yearly_usd / self.times / self._repaid_frac(life_years) / MW_W
        return {"capex_usd_per_w": f"{capex!r} USD/W", "life_years": self._life(life_years)}

    def _add(self, name: str, row: dict[str, Any], option: dict[str, Any]) -> None:
        slug = "pypsa-" + re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
        while any(known["id"] == slug for known in self.technologies):
            slug += "-more"
        common = {"source": _SOURCE, "basis": "quoted", "date": str(self.year), "price_year": self.year}
        self.technologies.append({"id": slug, "name": name, **common, **row})
        self.build.append({"technology": slug, **option})

    def _cap(self, load_mwh: float) -> None:
        for one in self.folder.all("global_constraints"):
            counted = one.text("type") in ("", "primary_energy")
            carbon = one.text("carrier_attribute") in ("", "co2_emissions")
            sense = one.text("sense") or "=="
            if not (counted and carbon and sense in ("<=", "==")):
                self.notes.append(
                    f"{one.words} is left out: the site knows a cap on emissions, and none of its kind."
                )
                continue
            if sense == "==":
                self.notes.append(f"{one.words}: emissions may also be below what it says.")
            cap = one.number("constant") * TONNE_KG / self.sum_times / load_mwh
            if "carbon" in self.said:
                self.notes.append(f"{one.words}: a second cap on emissions; the lower one holds.")
                cap = min(cap, float(self.said["carbon"]["cap_kgco2_per_mwh"].split()[0]))
            self.said["carbon"] = {"cap_kgco2_per_mwh": f"{cap!r} kgCO2/MWh"}

    def _stamps(self) -> Any:
        first = self.folder.stamps[0].astype("datetime64[h]")
        return first + np.arange(len(self.folder.stamps) * self.repeat)

    def _hours(self) -> Iterator[str]:
        values = zip(*(column.tolist() for column in self.columns.values()), strict=True)
        rows = ((f"{stamp}:00Z", *row) for stamp, row in zip(self._stamps(), values, strict=True))
        return csv_lines((STAMP, *self.columns), rows)

    def _site_text(self) -> str:
        head = {
            "title": self.folder.name,
            "price_year": self.year,
            "discount_frac": DISCOUNT_FRAC,
            "hours": f"{self.stem}-hours.csv",
            "catalogue": f"{self.stem}-catalogue.yaml",
        }
        return _yaml(head | self.said | {"build": self.build})

    def _catalogue_text(self) -> str:
        source = {
            "title": f"PyPSA network {self.folder.name}",
            "publisher": "whoever made the network",
            "url": "https://pypsa.org",
            "date": str(self.year),
            "accessed": str(self.year),
            "licence": "that of the network",
        }
        tables: dict[str, Any] = {"sources": {_SOURCE: source}, "energy": self.technologies}
        if self.tariff:
            row = {"id": "pypsa-grid", "name": "grid of the network", "source": _SOURCE, "basis": "quoted"}
            tables["tariffs"] = [row | {"date": str(self.year), "price_year": self.year} | self.tariff]
        return _yaml(tables)


def _sheds(dearest: Source, plants: Sequence[Source], load: Values) -> bool:
    """Whether it can stand in for all load at one price: by its name, or by a price far above all others."""
    ample = bool(np.all(dearest.limit * dearest.profile_frac >= load * _NEARLY))
    if dearest.extendable or not ample or np.ptp(dearest.usd_per_mwh) > 0.0:
        return False
    others = [float(one.usd_per_mwh.max()) for one in plants if one is not dearest]
    far = float(dearest.usd_per_mwh[0]) >= _DEAREST * max(1.0, *others, 0.0)
    return far or _SHEDDING.search(dearest.words) is not None


def _kind(source: Source) -> str:
    if re.search(r"solar|\bpv\b|photovolt", source.words):
        return "solar"
    return "wind" if "wind" in source.words else "dispatchable"


def _stretches(mask: Any) -> list[tuple[int, int]]:
    """First, and one after the last, of every run of true values."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(int), [0]])))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def _yaml(said: Mapping[str, Any]) -> str:
    """Keys a line each; what lies deeper in the flow style."""
    lines = []
    for key, value in said.items():
        if isinstance(value, list) and not value:
            continue
        if isinstance(value, list):
            lines += [f"{key}:", *(f"  - {json.dumps(row, ensure_ascii=False)}" for row in value)]
        else:
            lines.append(f"{key}: {json.dumps(value, ensure_ascii=False)}")
    return "\n".join(lines) + "\n"
