"""NetBox device types of a cluster: nodes, switches by tier, rack outlets, and what else is in its racks."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from gigawatt.design.fabric.graph import NODE, ROLES
from gigawatt.domain.fabric import Network, Technology
from gigawatt.domain.facility import RackItem
from gigawatt.exports.cabling import role_ports
from gigawatt.exports.cluster import BuiltCluster

INFINIBAND = {"100": "edr", "200": "hdr", "400": "ndr", "800": "xdr"}
ETHERNET = {
    "1": "1000base-t",
    "10": "10gbase-x-sfpp",
    "25": "25gbase-x-sfp28",
    "100": "100gbase-x-qsfp28",
    "200": "200gbase-x-qsfp56",
    "400": "400gbase-x-osfp",
    "800": "800gbase-x-osfp",
}
"""NetBox's names of ports, by Gbit/s."""
OUTLETS, INLET = "Rack outlets", "inlet"
GENERIC = "Generic"
_MAX_LETTERS = 100
_BITS_PER_BYTE = 8


@dataclass(frozen=True)
class DeviceKind:
    """A device type: whose it is, what it is called, which NetBox role it has, and its file."""

    manufacturer: str
    model: str
    role: str
    stated: dict[str, Any]


def slug(name: str) -> str:
    """A name in small letters, digits and hyphens.

    >>> slug("Quantum-2 QM9700, compute leaf")
    'quantum-2-qm9700-compute-leaf'
    """
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def device_kinds(cluster: BuiltCluster, sides: tuple[str, ...]) -> dict[str, DeviceKind]:
    """Every device type by what it stands for: "node", "compute leaf", "item NVLink switch tray", ...

    The outlets of a rack are "outlets" and how many there are. `sides` are those of the power supply.
    """
    kinds = {"node": _node_kind(cluster, sides)}
    for network in cluster.in_the_hall:
        kinds |= dict(_switch_kinds(cluster, network, sides))
    for item in other_items(cluster).values():
        stated = _stated(GENERIC, item.name, item.rack_units)
        kinds[f"item {item.name}"] = DeviceKind(GENERIC, stated["model"], "rack-part", stated)
    for count in set(plugged(cluster).values()):
        kinds[f"outlets {count}"] = _outlets(count)
    return kinds


def plugged(cluster: BuiltCluster) -> dict[str, int]:
    """How many devices that take power stand in each rack, where there are any."""
    return dict(
        Counter(device.rack for device in cluster.devices(cluster.in_the_hall) if device.part and device.rack)
    )


def other_items(cluster: BuiltCluster) -> dict[str, RackItem]:
    """What else the floor plan puts into racks, by name: switch trays, power shelves, coolant units."""
    if cluster.floor is None:
        return {}
    known = {cluster.system.id, *cluster.parts.switches}
    return {
        item.name: item
        for kind in cluster.floor.racks
        for item in kind.items
        if item.part not in known and item.rack_units
    }


def _node_kind(cluster: BuiltCluster, sides: tuple[str, ...]) -> DeviceKind:
    system, maker = cluster.system, cluster.accelerator.vendor
    items = (item for kind in (cluster.floor.racks if cluster.floor else ()) for item in kind.items)
    height = next((item.rack_units for item in items if item.part == system.id), system.node_rack_units or 1)
    stated = _stated(maker, system.name, height)
    stated["power-ports"] = _power_ports(sides, system.node_power_w)
    ports = [
        {"name": name, "type": _node_interface(network)}
        for network in cluster.in_the_hall
        for name in role_ports(cluster, network)[NODE]
    ]
    return DeviceKind(maker, stated["model"], "node", stated | {"interfaces": ports})


def _node_interface(network: Network) -> str:
    group = next(group for group in network.cables if group.lower == "node")
    return interface_type(network.technology, group.bytes_per_s / group.links_per_cable)


def _switch_kinds(
    cluster: BuiltCluster, network: Network, sides: tuple[str, ...]
) -> Iterator[tuple[str, DeviceKind]]:
    ports = role_ports(cluster, network)
    node_type = _node_interface(network)
    for tier in network.tiers:
        switch = cluster.parts.switches[tier.switch]
        use = f"{network.name} {tier.role}"
        stated = _stated(switch.vendor, f"{switch.name}, {use}", switch.rack_units or 1)
        stated["power-ports"] = _power_ports(sides, switch.power_w)
        own = interface_type(network.technology, tier.bytes_per_s)
        stated["interfaces"] = [
            {"name": name, "type": node_type if tier.role == "leaf" and link < tier.num_down_ports else own}
            for link, name in enumerate(ports[ROLES.index(tier.role)])
        ]
        yield use, DeviceKind(switch.vendor, stated["model"], use.replace(" ", "-"), stated)


def _outlets(count: int) -> DeviceKind:
    stated = _stated(GENERIC, f"{OUTLETS}, {count}", 0)
    stated["power-ports"] = [{"name": INLET}]
    stated["power-outlets"] = [{"name": str(n), "power_port": INLET} for n in range(1, count + 1)]
    return DeviceKind(GENERIC, stated["model"], "rack-outlets", stated)


def _stated(manufacturer: str, model: str, rack_units: float) -> dict[str, Any]:
    model = model[:_MAX_LETTERS]
    height = int(rack_units) if rack_units == int(rack_units) else rack_units
    return {
        "manufacturer": manufacturer,
        "model": model,
        "slug": slug(model if model.startswith(manufacturer) else f"{manufacturer} {model}")[:_MAX_LETTERS],
        "u_height": height,
        "is_full_depth": bool(rack_units),
    }


def _power_ports(sides: tuple[str, ...], power_w: float | None) -> list[dict[str, Any]]:
    """One for each side; each has to carry everything when the other fails."""
    draw = {} if power_w is None else {"maximum_draw": round(power_w)}
    return [{"name": f"supply-{side}", **draw} for side in sides]


def interface_type(technology: Technology, bytes_per_s: float) -> str:
    """NetBox's name of a port by its speed, "other" where it has none."""
    gbit = str(round(bytes_per_s * _BITS_PER_BYTE / 10**9))
    if technology == "infiniband":
        return f"infiniband-{INFINIBAND[gbit]}" if gbit in INFINIBAND else "other"
    return ETHERNET.get(gbit, "other")
