"""A PyPSA network as tables: components by kind and name, series by hour, and its folder of CSV files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gigawatt.contract.energy_hours import Stamps
from gigawatt.contract.energy_program import Values
from gigawatt.exports.csv_lines import csv_lines
from gigawatt.units import parse_quantity

FORMAT_VERSION = "1.4.0"
"""The release of PyPSA whose attributes are written and read."""
CAMPUS, GRID = "campus", "grid"
TONNE_KG = parse_quantity("1 tCO2", "_kgco2")


@dataclass
class Network:
    """Components with their attributes; an array that varies is a series."""

    name: str
    stamps: Stamps
    weight_frac: Values
    """[hours] of each snapshot, in the objective and in sums over the year."""
    tables: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    """Attributes by name, by list of components ("buses", "generators")."""
    series: dict[tuple[str, str], dict[str, Values]] = field(default_factory=dict)
    """[hours] by name, by list and attribute."""

    def add(self, table: str, name: str, **attributes: Any) -> None:
        """One component. What is infinite or None is PyPSA's default and left out."""
        fixed: dict[str, Any] = {}
        for key, value in attributes.items():
            if isinstance(value, np.ndarray) and np.ptp(value) > 0.0:
                self.series.setdefault((table, key), {})[name] = value
            elif (plain := _plain(value)) is not None:
                fixed[key] = plain
        self.tables.setdefault(table, {})[name] = fixed

    def files(self) -> dict[str, Iterable[str]]:
        """The CSV files by name, a line at a time."""
        head = ("name", "pypsa_version")
        found: dict[str, Iterable[str]] = {"network.csv": csv_lines(head, [(self.name, FORMAT_VERSION)])}
        found["snapshots.csv"] = csv_lines(("snapshot", "objective", "stores", "generators"), self._weights())
        for table, components in self.tables.items():
            found[f"{table}.csv"] = _static(components)
        for (table, attribute), columns in self.series.items():
            found[f"{table}-{attribute}.csv"] = self._varying(columns)
        return found

    def _weights(self) -> Iterator[tuple[Any, ...]]:
        for label, weight in zip(_labels(self.stamps), self.weight_frac.tolist(), strict=True):
            yield label, weight, 1.0, weight

    def _varying(self, columns: dict[str, Values]) -> Iterator[str]:
        values = zip(*(column.tolist() for column in columns.values()), strict=True)
        rows = ((label, *row) for label, row in zip(_labels(self.stamps), values, strict=True))
        return csv_lines(("snapshot", *columns), rows)


def _plain(value: Any) -> Any:
    """A value as it is written, None for what is left out."""
    if isinstance(value, np.ndarray):
        return _plain(float(value[0]))
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value


def _labels(stamps: Stamps) -> list[str]:
    return [str(stamp).replace("T", " ") for stamp in stamps.astype("datetime64[s]")]


def _static(components: dict[str, dict[str, Any]]) -> Iterator[str]:
    keys = list(dict.fromkeys(key for attributes in components.values() for key in attributes))
    rows = ((name, *(attributes.get(key) for key in keys)) for name, attributes in components.items())
    return csv_lines(("name", *keys), rows)
