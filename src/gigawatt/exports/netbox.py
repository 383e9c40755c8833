"""Write a cluster as files that NetBox imports, numbered in the order in which it wants them.

Columns are those of NetBox's import forms, device types those of the community's library: release 4.2, but
`12-power-cables.csv`, for a cable may end at a power feed from 4.5 on. Each rack has a strip of outlets for
each side of its supply, and what stands in the rack is plugged into all of them.
(https://github.com/netbox-community/netbox, netbox/dcim/forms/bulk_import.py)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cached_property
from string import ascii_uppercase
from typing import Any

import yaml

from gigawatt.domain.fabric import Link
from gigawatt.domain.facility import FacilityDesign
from gigawatt.errors import InputError, Problem
from gigawatt.exports.cabling import cables
from gigawatt.exports.cluster import BuiltCluster, Device, Rack
from gigawatt.exports.csv_lines import csv_lines
from gigawatt.exports.netbox_types import INLET, DeviceKind, device_kinds, plugged, slug
from gigawatt.laws.power import three_phase_current_a

FORMAT_VERSION = "4.2"

PLANNED = "planned"
INTERFACE, OUTLET, POWER_PORT, FEED = "dcim.interface", "dcim.poweroutlet", "dcim.powerport", "dcim.powerfeed"
CABLE_TYPES = {
    "copper": "dac-passive",
    "active-copper": "dac-active",
    "active-optical": "aoc",
    "multimode": "mmf-om4",
    "singlemode": "smf-os2",
}
TWISTED_PAIRS = ("cat5e", "cat6", "cat6a", "cat7", "cat8")
COLOURS = ("2196f3", "4caf50", "ff9800", "9c27b0", "00bcd4", "f44336", "795548", "607d8b")
RACK_ROLES = ("compute", "network", "coolant", "power")
_MM_PER_M = 10**3
_INCHES = "19"
_IN_THE_RACK = ("shelf", "rack")

Rows = Iterator[tuple[Any, ...]]
_SIDES = "side_a_{0} side_a_type side_a_name side_b_device side_b_type side_b_name type status"
HEADERS = {
    "01-manufacturers": "name slug",
    "02-device-roles": "name slug color",
    "03-rack-roles": "name slug color",
    "04-sites": "name slug status",
    "05-locations": "site parent name slug status",
    "06-racks": "site location name status role form_factor width u_height outer_width outer_depth "
    "outer_unit",
    "07-devices": "name role manufacturer device_type status site location rack position face",
    "08-power-panels": "site location name",
    "09-power-feeds": "site power_panel location rack name status type supply phase voltage amperage "
    "max_utilization",
    "10-cables": _SIDES.format("device") + " label length length_unit",
    "11-outlet-cables": _SIDES.format("device"),
    "12-power-cables": _SIDES.format("power_panel"),
}


def write_netbox(cluster: BuiltCluster) -> dict[str, str | Iterable[str]]:
    """The files of a bundle; `device-types/` holds one YAML file for each type.

    Raises InputError where no facility is designed: NetBox wants every device in a rack.
    """
    if cluster.facility is None:
        raise InputError(Problem("NetBox wants every device in a rack: give the cluster a site", "site"))
    bundle = _Bundle(cluster, cluster.facility)
    kinds = {(kind.manufacturer, kind.model): kind for kind in bundle.kinds.values()}.values()
    types: dict[str, str | Iterable[str]] = {
        f"device-types/{kind.stated['slug']}.yaml": yaml.safe_dump(
            kind.stated, sort_keys=False, allow_unicode=True
        )
        for kind in kinds
    }
    return types | {
        f"{name}.csv": csv_lines(header.split(), rows)
        for (name, header), rows in zip(HEADERS.items(), bundle.tables(), strict=True)
    }


class _Bundle:
    """The rows of every file."""

    def __init__(self, cluster: BuiltCluster, facility: FacilityDesign) -> None:
        self.cluster, self.facility = cluster, facility
        self.site = facility.site
        self.sides = tuple(ascii_uppercase[: facility.power.feeds_per_rack])
        powered = [number for number, kind in enumerate(facility.floor.racks) if kind.power_w > 0]
        self.inputs = dict(zip(powered, facility.power.pieces_by_kind, strict=False))
        """Breakers of one rack, by the number of its kind."""

    @cached_property
    def kinds(self) -> dict[str, DeviceKind]:
        return device_kinds(self.cluster, self.sides)

    @cached_property
    def outlets(self) -> dict[str, int]:
        return plugged(self.cluster)

    @cached_property
    def halls(self) -> dict[str, str]:
        return {rack.name: f"hall-{rack.hall:02d}" for rack in self.cluster.racks}

    @cached_property
    def strips(self) -> dict[str, dict[str, list[str]]]:
        """Strips of outlets by rack and side; each hangs on a breaker of its own."""
        found = {}
        for rack in self.cluster.racks:
            per_side = max(1, self.inputs.get(rack.number, 1) // len(self.sides))
            if rack.name in self.outlets:
                found[rack.name] = {
                    side: [f"{side}{n}" for n in range(1, per_side + 1)] for side in self.sides
                }
        return found

    def tables(self) -> tuple[Rows, ...]:
        """In the order of `HEADERS`."""
        makers = sorted({kind.manufacturer for kind in self.kinds.values()})
        roles = sorted({kind.role for kind in self.kinds.values()})
        return (
            ((maker, slug(maker)) for maker in makers),
            _coloured(roles),
            _coloured(RACK_ROLES),
            iter([(self.site, slug(self.site), PLANNED)]),
            self.locations(),
            self.racks(),
            self.devices(),
            self.panels(),
            self.feeds(),
            self.cables(),
            self.outlet_cables(),
            self.feed_cables(),
        )

    def hall_names(self) -> list[str]:
        return sorted(set(self.halls.values()))

    def locations(self) -> Rows:
        floor = self.facility.floor
        for building in range(1, floor.num_buildings + 1):
            name = f"building-{building:02d}"
            yield self.site, "", name, name, PLANNED
        for hall in self.hall_names():
            building = (int(hall.removeprefix("hall-")) - 1) // floor.halls_per_building + 1
            yield self.site, f"building-{building:02d}", hall, hall, PLANNED

    def racks(self) -> Rows:
        floor = self.facility.floor
        size = (round(floor.rack_width_m * _MM_PER_M), round(floor.rack_depth_m * _MM_PER_M), "mm")
        for rack in self.cluster.racks:
            place = (self.site, self.halls[rack.name], rack.name, PLANNED, rack.kind.role, "4-post-cabinet")
            yield (*place, _INCHES, rack.kind.rack_units, *size)

    def devices(self) -> Rows:
        for device in self.placed():
            kind = self.kinds["node" if not device.network else f"{device.network} {device.role}"]
            yield self._device(device.name, kind, device.rack, device.position)
        for rack in self.cluster.racks:
            yield from self._fixtures(rack)

    def placed(self) -> Iterator[Device]:
        """Nodes and switches, each in its rack."""
        return (
            device for device in self.cluster.devices(self.cluster.in_the_hall) if device.part and device.rack
        )

    def _fixtures(self, rack: Rack) -> Rows:
        """What comes with a rack: the maker's own trays and shelves, and the strips of outlets."""
        count: Counter[str] = Counter()
        for item in rack.kind.items:
            for n in range(item.quantity if f"item {item.name}" in self.kinds else 0):
                count[item.name] += 1
                name = f"{rack.name}-{slug(item.name)}-{count[item.name]}"
                position = item.lowest_unit + int(n * item.rack_units)
                yield self._device(name, self.kinds[f"item {item.name}"], rack.name, position)
        if rack.name in self.outlets:
            kind = self.kinds[f"outlets {self.outlets[rack.name]}"]
            for strips in self.strips[rack.name].values():
                yield from (self._device(_strip(rack.name, strip), kind, rack.name, 0) for strip in strips)

    def _device(self, name: str, kind: DeviceKind, rack: str, position: int) -> tuple[Any, ...]:
        where = (self.site, self.halls[rack], rack, position or "", "front" if position else "")
        return (name, kind.role, kind.manufacturer, kind.model, PLANNED, *where)

    def panels(self) -> Rows:
        """The busways over each row of racks, one for each side."""
        over = {_busway(rack, side): self.halls[rack] for rack in self.strips for side in self.sides}
        return ((self.site, hall, panel) for panel, hall in over.items())

    def feeds(self) -> Rows:
        """The breakers that tap the busways, one for each strip."""
        volts, amperes, percent = rack_feed(self.cluster, self.facility)
        for rack, side, strip in self._hung():
            kind = "primary" if side == self.sides[0] else "redundant"
            yield (
                self.site, _busway(rack, side), self.halls[rack], rack, f"{rack}-{strip}", PLANNED, kind,
                "ac", "three-phase", volts, amperes, percent,
            )  # fmt: skip

    def _hung(self) -> Iterator[tuple[str, str, str]]:
        """Rack, side and strip of every strip of outlets."""
        for rack, sides in self.strips.items():
            for side, strips in sides.items():
                yield from ((rack, side, strip) for strip in strips)

    def cables(self) -> Rows:
        media = {link.id: cable_type(link) for link in self.cluster.parts.links}
        for cable in cables(self.cluster):
            if cable.from_rack and cable.to_rack and cable.network != "scale-up":
                length = "" if cable.length_m is None else f"{cable.length_m:.1f}"
                yield (
                    cable.from_device, INTERFACE, cable.from_port, cable.to_device, INTERFACE, cable.to_port,
                    media.get(cable.part, ""), PLANNED, cable.cable, length, "m" if length else "",
                )  # fmt: skip

    def outlet_cables(self) -> Rows:
        """Every device on each side, dealt out over the strips of its rack."""
        used: Counter[str] = Counter()
        for device in self.placed():
            rank = used[device.rack]
            used[device.rack] += 1
            for side, strips in self.strips[device.rack].items():
                outlet, strip = divmod(rank, len(strips))
                strip_name = _strip(device.rack, strips[strip])
                ends = (strip_name, OUTLET, outlet + 1, device.name, POWER_PORT, f"supply-{side}")
                yield (*ends, "power", PLANNED)

    def feed_cables(self) -> Rows:
        for rack, side, strip in self._hung():
            ends = (_busway(rack, side), FEED, f"{rack}-{strip}", _strip(rack, strip), POWER_PORT, INLET)
            yield (*ends, "power", PLANNED)


def cable_type(link: Link) -> str:
    """NetBox's name of a cable: by its category where it is twisted pair, else by its medium."""
    category = link.id.partition("-")[0]
    return category if category in TWISTED_PAIRS else CABLE_TYPES[link.medium]


def rack_feed(cluster: BuiltCluster, facility: FacilityDesign) -> tuple[int | str, int | str, int | str]:
    """Volts and amperes of the breaker that feeds a rack, and the percentage that it may carry for hours.

    Blank where the chain does not say.
    """
    rows = (cluster.equipment.get(node.equipment) for node in facility.power.nodes)
    before = [row for row in rows if row and row.kind not in _IN_THE_RACK and row.output_v]
    if not before or not before[-1].output_v:
        return "", "", ""
    last, volts = before[-1], before[-1].output_v
    percent = "" if last.continuous_frac is None else round(100 * last.continuous_frac)
    return round(volts), round(float(three_phase_current_a(last.rating_w, volts, 1.0))), percent


def _coloured(names: Iterable[str]) -> Rows:
    return ((name, slug(name), COLOURS[n % len(COLOURS)]) for n, name in enumerate(names))


def _strip(rack: str, strip: str) -> str:
    return f"{rack}-outlets-{strip}"


def _busway(rack: str, side: str) -> str:
    """Over the row of the rack: "h01-r03-busway-A"."""
    return f"{rack.rpartition('-')[0]}-busway-{side}"
