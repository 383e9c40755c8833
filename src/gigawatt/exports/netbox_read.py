"""Read a NetBox bundle as NetBox's import forms do: known columns, resolved names, each port cabled once.

The rules are those of netbox/dcim/forms/bulk_import.py and of the device-type library's schema; NetBox itself
is no package that a test could install.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import ceil
from typing import Any

from gigawatt.documents import parse_yaml
from gigawatt.errors import InputError, Problem

Row = dict[str, str]

REQUIRED = {
    "manufacturers": "name slug",
    "device-roles": "name slug color",
    "rack-roles": "name slug color",
    "sites": "name slug status",
    "locations": "site name slug status",
    "racks": "site name status width u_height",
    "devices": "name role manufacturer device_type status site",
    "power-panels": "site name",
    "power-feeds": "site power_panel name status type supply phase",
    "cables": "side_a_device side_a_type side_a_name side_b_device side_b_type side_b_name",
    "outlet-cables": "side_a_device side_a_type side_a_name side_b_device side_b_type side_b_name",
    "power-cables": "side_a_power_panel side_a_type side_a_name side_b_device side_b_type side_b_name",
}
OPTIONAL = {
    "manufacturers": "description",
    "device-roles": "description",
    "rack-roles": "description",
    "sites": "facility description",
    "locations": "parent description",
    "racks": "location role form_factor outer_width outer_depth outer_unit weight weight_unit description",
    "devices": "location rack position face airflow description",
    "power-panels": "location description",
    "power-feeds": "location rack voltage amperage max_utilization description",
    "cables": "type status label length length_unit description",
    "outlet-cables": "type status label length length_unit description",
    "power-cables": "type status label description",
}
CHOICES = {
    "status": {"active", "planned", "connected"},
    "width": {"10", "19", "21", "23"},
    "face": {"front", "rear", ""},
    "supply": {"ac", "dc"},
    "phase": {"single-phase", "three-phase"},
    "outer_unit": {"mm", "in", ""},
    "weight_unit": {"kg", "g", "lb", "oz", ""},
    "length_unit": {"km", "m", "cm", "mi", "ft", "in", ""},
}
TYPES = {
    "power-feeds": {"primary", "redundant"},
    "cables": {"dac-passive", "dac-active", "aoc", "mmf", "mmf-om4", "smf", "smf-os2", "cat6", "cat6a", ""},
    "outlet-cables": {"power"},
    "power-cables": {"power"},
}
NAMED = {
    "racks": {"site": "sites", "location": "locations", "role": "rack-roles"},
    "locations": {"site": "sites", "parent": "locations"},
    "devices": {
        "site": "sites",
        "location": "locations",
        "rack": "racks",
        "role": "device-roles",
        "manufacturer": "manufacturers",
    },
    "power-panels": {"site": "sites", "location": "locations"},
    "power-feeds": {
        "site": "sites",
        "location": "locations",
        "power_panel": "power-panels",
        "rack": "racks",
    },
}
"""Which column names a row of which file."""
DEVICE_TYPE_KEYS = {"manufacturer", "model", "slug", "u_height", "is_full_depth"}
SLUG = re.compile(r"[-a-z0-9_]+")
MAX_NAME_LETTERS = 100
_FILE = re.compile(r"(?:\d+-)?([a-z-]+)\.csv")


@dataclass
class NetBoxBundle:
    """What NetBox would hold after importing every file of a bundle."""

    tables: dict[str, list[Row]] = field(default_factory=dict)
    device_types: dict[tuple[str, str], Mapping[str, Any]] = field(default_factory=dict)
    """By manufacturer and model."""

    def named(self, table: str) -> dict[str, Row]:
        """The rows of a table by name."""
        return {row["name"]: row for row in self.tables.get(table, [])}

    def type_of(self, device: Row) -> Mapping[str, Any] | None:
        """The device type of a device, if the bundle has it."""
        return self.device_types.get((device["manufacturer"], device["device_type"]))


def read_netbox(files: Mapping[str, str]) -> NetBoxBundle:
    """A bundle by file name. Raises InputError with every row that NetBox would refuse."""
    bundle = NetBoxBundle()
    problems: list[Problem] = []
    for name, text in files.items():
        if name.startswith("device-types/"):
            problems += _take_device_type(bundle, name, text)
        elif found := _FILE.fullmatch(name):
            problems += _take_table(bundle, found.group(1), name, text)
    for check in (_names, _places, _cabled):
        problems += [Problem(message, file=file) for file, message in check(bundle)]
    if problems:
        raise InputError(problems)
    return bundle


def _take_device_type(bundle: NetBoxBundle, name: str, text: str) -> Iterator[Problem]:
    stated = parse_yaml(text, name).value
    if missing := DEVICE_TYPE_KEYS - set(stated):
        yield Problem(f"missing: {', '.join(sorted(missing))}", file=name)
        return
    bundle.device_types[(stated["manufacturer"], stated["model"])] = stated
    if not SLUG.fullmatch(stated["slug"]) or len(stated["model"]) > MAX_NAME_LETTERS:
        yield Problem(f"found {stated['slug']!r} and {stated['model']!r}; expected short names", file=name)
    for kind in ("interfaces", "power-ports", "power-outlets"):
        ports = [port["name"] for port in stated.get(kind, ())]
        if len(set(ports)) < len(ports):
            yield Problem("two ports of one name", kind, file=name)


def _take_table(bundle: NetBoxBundle, table: str, name: str, text: str) -> Iterator[Problem]:
    rows = csv.DictReader(io.StringIO(text))
    header = set(rows.fieldnames or ())
    required = set(REQUIRED.get(table, "").split())
    for column in header - required - set(OPTIONAL.get(table, "").split()):
        yield Problem(f"NetBox has no column {column} here", file=name)
    for column in required - header:
        yield Problem(f"the column {column} is missing", file=name)
    bundle.tables[table] = list(rows)
    if required - header:
        bundle.tables[table] = []
    for line, row in enumerate(bundle.tables[table], start=2):
        for key, message in _faults_of_row(table, row, required):
            yield Problem(message, key, file=name, line=line)


def _faults_of_row(table: str, row: Row, required: set[str]) -> Iterator[tuple[str, str]]:
    for key, value in row.items():
        if key in required and not value:
            yield key, "expected a value"
        allowed = TYPES.get(table) if key == "type" else CHOICES.get(key)
        if allowed is not None and value not in allowed:
            yield key, f"found {value!r}; expected one of {', '.join(sorted(allowed))}"
        if key == "slug" and not SLUG.fullmatch(value):
            yield key, f"found {value!r}; expected small letters, digits and hyphens"
        if key in ("u_height", "voltage", "amperage", "position") and value and not value.isdecimal():
            yield key, f"found {value!r}; expected a whole number"


def _names(bundle: NetBoxBundle) -> Iterator[tuple[str, str]]:
    """Every name is there once, and whatever names a row of another file finds it."""
    for table, rows in bundle.tables.items():
        if "name" in REQUIRED[table].split():
            times = Counter((row["name"], row.get("power_panel", "")) for row in rows)
            yield from ((table, f"{name} is there twice") for (name, _), n in times.items() if n > 1)
        for column, other in NAMED.get(table, {}).items():
            known = bundle.named(other)
            lost = {row[column] for row in rows if row.get(column) and row[column] not in known}
            yield from ((table, f"{column} {name} is in no row of {other}") for name in sorted(lost))


def _places(bundle: NetBoxBundle) -> Iterator[tuple[str, str]]:
    """Every device has a type and stands in a rack, where no other device stands."""
    racks = bundle.named("racks")
    taken: dict[tuple[str, int], str] = {}
    for device in bundle.tables.get("devices", []):
        kind = bundle.type_of(device)
        if kind is None:
            yield "devices", f"{device['name']}: there is no device type {device['device_type']}"
            continue
        rack = racks.get(device.get("rack", ""))
        if rack is None:
            yield "devices", f"{device['name']} stands in no rack"
        elif rack.get("location", "") != device.get("location", ""):
            yield "devices", f"{device['name']} stands in another location than its rack"
        elif device.get("position"):
            for unit in range(int(device["position"]), int(device["position"]) + ceil(kind["u_height"])):
                other = taken.setdefault((rack["name"], unit), device["name"])
                if other != device["name"] or not 1 <= unit <= int(rack["u_height"]):
                    yield (
                        "devices",
                        f"{device['name']} does not fit at unit {unit} of {rack['name']} ({other})",
                    )


def _cabled(bundle: NetBoxBundle) -> Iterator[tuple[str, str]]:
    """Every cable ends twice in a port that there is, and no port has two cables."""
    devices = bundle.named("devices")
    ports = {
        key: {
            "dcim.interface": {port["name"] for port in kind.get("interfaces", ())},
            "dcim.powerport": {port["name"] for port in kind.get("power-ports", ())},
            "dcim.poweroutlet": {port["name"] for port in kind.get("power-outlets", ())},
        }
        for key, kind in bundle.device_types.items()
    }
    feeds = {(row["power_panel"], row["name"]) for row in bundle.tables.get("power-feeds", [])}
    taken: set[tuple[str, str]] = set()
    for table in ("cables", "outlet-cables", "power-cables"):
        for row in bundle.tables.get(table, []):
            for side in ("side_a", "side_b"):
                holder = row.get(f"{side}_device") or row.get(f"{side}_power_panel") or ""
                end = (holder, row[f"{side}_name"])
                if row[f"{side}_type"] == "dcim.powerfeed":
                    known = end in feeds
                else:
                    device = devices.get(holder)
                    key = (device["manufacturer"], device["device_type"]) if device else ("", "")
                    known = end[1] in ports.get(key, {}).get(row[f"{side}_type"], ())
                if not known:
                    yield table, f"there is no {row[f'{side}_type']} {end[1]} of {holder}"
                if end in taken:
                    yield table, f"{end[1]} of {holder} has two cables"
                taken.add(end)
