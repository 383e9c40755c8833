"""Write what a cluster is bought with as one bill of materials."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gigawatt.domain.fabric import BillLine
from gigawatt.exports.cluster import BuiltCluster
from gigawatt.exports.csv_lines import csv_lines

FORMAT_VERSION = "1"

COLUMNS = (
    "trade", "category", "part", "name", "network", "quantity", "unit", "power_w_each", "power_w",
    "price_usd_each", "price_usd", "basis", "source",
)  # fmt: skip


def write_bill(cluster: BuiltCluster) -> dict[str, Iterable[str]]:
    """`bill-of-materials.csv`: parts of the fabric, then of the facility.

    A price that is not known stays empty: it is not nothing.
    """
    return {"bill-of-materials.csv": csv_lines(COLUMNS, _rows(cluster))}


def _rows(cluster: BuiltCluster) -> Iterator[tuple[object, ...]]:
    for line in cluster.fabric.bill:
        yield _row("fabric", line)
    for line in cluster.facility.bill if cluster.facility else ():
        yield _row("facility", line)


def _row(trade: str, line: BillLine) -> tuple[object, ...]:
    power_w = None if line.power_w is None else line.power_w * line.quantity
    price_usd = None if line.price_usd is None else line.price_usd * line.quantity
    return (
        trade, line.category, line.part, line.name, line.network, _plain(line.quantity), line.unit,
        _plain(line.power_w), _plain(power_w), _plain(line.price_usd), _plain(price_usd), line.basis,
        line.source,
    )  # fmt: skip


def _plain(number: float | None) -> str | None:
    """Whole numbers without a point, others with nine digits."""
    if number is None:
        return None
    return str(int(number)) if number == int(number) else f"{number:.9g}"
