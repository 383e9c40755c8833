"""A PyPSA folder of CSV files read in, with an account of each attribute: what was used, and what was not."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from gigawatt.contract.energy_hours import Stamps
from gigawatt.contract.energy_program import Values
from gigawatt.documents import read_text
from gigawatt.errors import InputError, Problem
from gigawatt.laws.finance import HOUR_S, capital_recovery_frac

DEFAULTS: Mapping[str, float] = {
    "p_nom": 0.0, "p_nom_min": 0.0, "p_nom_max": np.inf, "p_min_pu": 0.0, "p_max_pu": 1.0, "e_nom": 0.0,
    "e_nom_min": 0.0, "e_nom_max": np.inf, "efficiency": 1.0, "efficiency_store": 1.0,
    "efficiency_dispatch": 1.0, "marginal_cost": 0.0, "capital_cost": 0.0, "overnight_cost": np.nan,
    "discount_rate": np.nan, "fom_cost": 0.0, "lifetime": np.inf, "standing_loss": 0.0,
    "e_sum_max": np.inf, "e_sum_min": -np.inf, "max_hours": 1.0, "p_set": 0.0, "co2_emissions": 0.0,
    "constant": 0.0, "sign": 1.0,
}  # fmt: skip
"""What PyPSA takes for an attribute that a file leaves out."""
_SILENT = {
    "name", "bus", "bus0", "bus1", "carrier", "control", "type", "v_nom", "x", "y", "unit", "location",
    "color",
    "nice_name", "country", "build_year", "weight", "p_nom_opt", "e_nom_opt", "v_mag_pu_set", "v_mag_pu_min",
    "v_mag_pu_max", "generator", "sub_network", "length", "terrain_factor", "lifetime", "discount_rate", "mu",
    "p_init", "up_time_before", "maintenance_pu", "maintenance_events", "cyclic_delay", "e_initial",
    "state_of_charge_initial", "max_growth", "srid", "crs", "q_set",
}  # fmt: skip
"""Attributes that change no optimum of one campus: places, names, power flow, results of a solve."""
_RESULTS = {
    "p", "q", "p0", "p1", "e", "state_of_charge", "p_dispatch", "p_store", "spill", "status", "start_up",
    "shut_down", "marginal_price", "v_ang", "v_mag_pu",
}  # fmt: skip
_NEUTRAL = {"", "0", "0.0", "inf", "-inf", "nan", "NaN", "False", "false"}
_ONES = {"sign", "e_max_pu", "p_max_pu", "efficiency", "active"}
_LABEL = "2022-01-01T00:00:00"
TABLES = (
    "generators", "loads", "links", "stores", "storage_units", "lines", "transformers", "global_constraints",
    "carriers", "buses", "processes", "shunt_impedances",
)  # fmt: skip


@dataclass
class Component:
    """One component: its attributes, and which of them have been asked for."""

    table: str
    name: str
    place: str
    """File and line."""
    fixed: Mapping[str, str]
    count: int
    series: dict[str, Values] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)

    @property
    def words(self) -> str:
        """What it is called in a remark."""
        return f"{self.table}/{self.name}"

    def text(self, attribute: str) -> str:
        """An attribute as it stands, blank where it is left out."""
        self.used.add(attribute)
        return self.fixed.get(attribute, "")

    def flag(self, attribute: str, otherwise: bool = False) -> bool:
        """A switch."""
        found = self.text(attribute).lower()
        return otherwise if not found else found in ("true", "1", "1.0")

    def number(self, attribute: str) -> float:
        """A static attribute, or the mean of a series."""
        if self.varies(attribute):
            return float(self.values(attribute).mean())
        found = self.text(attribute)
        if not found or found.lower() == "nan":
            return -1.0 if (self.table, attribute) == ("loads", "sign") else DEFAULTS[attribute]
        try:
            return float(found)
        except ValueError:
            message = f'{self.name}: "{found}" is not a number'
            raise InputError(Problem(message, attribute, self.place)) from None

    def values(self, attribute: str) -> Values:
        """[snapshots] an attribute hour by hour."""
        self.used.add(attribute)
        if attribute in self.series:
            return self.series[attribute]
        return np.full(self.count, self.number(attribute))

    def peek(self, attribute: str) -> Values:
        """[snapshots] the same, without counting as used."""
        before = set(self.used)
        found = self.values(attribute)
        self.used = before
        return found

    def varies(self, attribute: str) -> bool:
        """Whether it differs from hour to hour."""
        return attribute in self.series and float(np.ptp(self.series[attribute])) > 0.0

    def yearly_usd(self, num_years: float) -> float:
        """What a unit costs over the snapshots: `capital_cost`, or an annuity of `overnight_cost`; upkeep.

        `num_years` is how long the snapshots last; `capital_cost` is of all of them, whatever they last.
        """
        overnight, upkeep = self.number("overnight_cost"), self.number("fom_cost")
        if np.isnan(overnight):
            return self.number("capital_cost") + upkeep
        self.used.add("capital_cost")
        rate, life = self.number("discount_rate"), self.number("lifetime")
        if not np.isfinite(life) or np.isnan(rate):
            message = f"{self.name}: overnight_cost needs discount_rate and a finite lifetime beside it"
            raise InputError(Problem(message, "overnight_cost", self.place))
        return overnight * float(capital_recovery_frac(rate, life)) * num_years + upkeep

    def left(self) -> Iterator[str]:
        """Attributes that say something and were not asked for."""
        for attribute, text in self.fixed.items():
            neutral = _NEUTRAL | ({"1", "1.0", "True", "true"} if attribute in _ONES else set())
            if attribute not in self.used | _SILENT and text not in neutral:
                yield f"{attribute} {text}"
        for attribute in self.series:
            if attribute not in self.used | _SILENT | _RESULTS:
                yield f"{attribute} hour by hour"


@dataclass
class Folder:
    """A network as its files hold it."""

    path: Path
    name: str
    stamps: Stamps
    objective_weight: Values
    """[snapshots]"""
    energy_weight: Values
    """[snapshots] of generators, in sums over the year."""
    store_h: Values
    """[snapshots] how long each lasts for a store."""
    named_by_time: bool
    tables: dict[str, dict[str, Component]] = field(default_factory=dict)

    def all(self, table: str) -> list[Component]:
        """The active components of a list."""
        return [one for one in self.tables.get(table, {}).values() if one.flag("active", True)]


def read_folder(path: Path) -> Folder:
    """A folder that PyPSA's `export_to_csv_folder` wrote, or one like it.

    Errors: InputError for files that are no network, and for networks of several periods or scenarios.
    """
    if not (path / "buses.csv").is_file():
        raise InputError(Problem("holds no buses.csv: is this PyPSA's folder of CSV files?", file=str(path)))
    for name, what in (
        ("investment_periods.csv", "several investment periods"),
        ("scenarios.csv", "scenarios"),
    ):
        if (path / name).exists():
            raise InputError(Problem(f"a network of {what}: export one of them", file=str(path / name)))
    for piecewise in sorted(path.glob("*-pw.csv")):
        raise InputError(Problem("piecewise attributes are not read: give a number", file=str(piecewise)))
    folder = _snapshots(path)
    for table in TABLES:
        folder.tables[table] = _components(path, table, len(folder.stamps))
    return folder


def _rows(file: Path) -> tuple[list[str], list[list[str]]]:
    """Header and lines; the first column may have no name."""
    lines = list(csv.reader(io.StringIO(read_text(file), newline="")))
    if not lines:
        raise InputError(Problem("is empty", file=str(file)))
    header = [cell.strip() for cell in lines[0]]
    for number, cells in enumerate(lines[1:], 2):
        if cells and len(cells) != len(header):
            message = f"expected {len(header)} cells as in the header, found {len(cells)}"
            raise InputError(Problem(message, file=str(file), line=number))
    return header, [cells for cells in lines[1:] if cells]


def _snapshots(path: Path) -> Folder:
    file = path / "snapshots.csv"
    if not file.is_file():
        raise InputError(
            Problem("holds no snapshots.csv: a network of one instant has no year", file=str(path))
        )
    header, rows = _rows(file)
    at = header.index("snapshot") if "snapshot" in header else 0
    weights = [
        _column(file, header, rows, name) if name in header else np.ones(len(rows))
        for name in ("objective", "generators", "stores")
    ]
    stamps, named_by_time = _times([cells[at] for cells in rows])
    return Folder(path, _title(path), stamps, weights[0], weights[1], weights[2], named_by_time)


def _title(path: Path) -> str:
    file = path / "network.csv"
    if file.is_file():
        header, rows = _rows(file)
        if rows and rows[0][0]:
            return rows[0][header.index("name") if "name" in header else 0]
    return path.name


def _times(labels: list[str]) -> tuple[Stamps, bool]:
    """Snapshots as times, or as hours in a row where they are named otherwise."""
    try:
        stamps = np.array(
            [np.datetime64(label.strip().replace(" ", "T")[: len(_LABEL)], "s") for label in labels]
        )
    except ValueError:
        stamps = np.array([], dtype="datetime64[s]")
    if len(stamps) and not any(label.strip().isdigit() for label in labels):
        return stamps, True
    return np.datetime64("2022-01-01T00", "s") + np.arange(len(labels)) * np.timedelta64(
        int(HOUR_S), "s"
    ), False


def _column(file: Path, header: list[str], rows: list[list[str]], name: str) -> Values:
    at = header.index(name)
    found = np.empty(len(rows))
    for number, cells in enumerate(rows):
        try:
            found[number] = float(cells[at])
        except ValueError:
            message = f'"{cells[at]}" is not a number'
            raise InputError(Problem(message, name, str(file), number + 2, at + 1)) from None
    return found


def _components(path: Path, table: str, count: int) -> dict[str, Component]:
    file = path / f"{table}.csv"
    if not file.is_file():
        return {}
    header, rows = _rows(file)
    at = header.index("name") if "name" in header else 0
    found = {}
    for number, cells in enumerate(rows, 2):
        fixed = {key: cell.strip() for key, cell in zip(header, cells, strict=True) if key}
        found[cells[at]] = Component(table, cells[at], f"{file}:{number}", fixed, count)
    for series in sorted(path.glob(f"{table}-*.csv")):
        _read_series(series, series.stem.removeprefix(f"{table}-"), found, count)
    return found


def _read_series(file: Path, attribute: str, known: Mapping[str, Component], count: int) -> None:
    if attribute in _RESULTS or attribute.startswith("mu_"):
        return
    header, rows = _rows(file)
    if len(rows) != count:
        message = f"holds {len(rows):,} snapshots, and snapshots.csv {count:,}"
        raise InputError(Problem(message, file=str(file)))
    for name in header[1:]:
        if name in known:
            known[name].series[attribute] = _column(file, header, rows, name)
