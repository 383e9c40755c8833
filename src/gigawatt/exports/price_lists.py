"""Price lists as others write them: SkyPilot's catalogue, gpuhunt's, FOCUS billing exports, and gigawatt's
own.

Columns are found by name, in any order. Every line becomes offers or is named with the reason why it did not:
what is read and what is remarked add up to what the file holds. A price of nothing is no price.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from gigawatt.documents import Row
from gigawatt.domain.market import Offer
from gigawatt.domain.price_list import LineOfPrices, ListKind, PriceList
from gigawatt.errors import InputError, Problem

SKYPILOT = frozenset({"InstanceType", "AcceleratorName", "AcceleratorCount", "Price"})
GPUHUNT = frozenset({"instance_name", "price", "gpu_count", "gpu_name"})
FOCUS = frozenset({"BilledCost", "ChargePeriodStart", "ProviderName"})
OWN = frozenset({"provider", "gpu_kind", "accelerators_per_instance"})
SHARED = frozenset({"provider", "gpu_kind", "gpus_per_instance"})
MEBIBYTE = 2**20
GIGABYTE = 10**9

Found = tuple[list[Offer], str]
"""Offers of a line, or why there are none."""


class _NoOffer(Exception):
    """Why a line is no offer."""


def read_price_list(rows: Sequence[Row], file: str, provider: str, date: str) -> PriceList:
    """Every line of a price list. `provider` and `date` hold where the file does not say.

    Raises InputError where the columns are those of no known list.
    """
    header = frozenset(rows[0]) if rows else frozenset()
    kind, reader = _reader_of(header, file)
    source = Path(file).name
    offers: list[Offer] = []
    remarks: list[LineOfPrices] = []
    used = 0
    for row in rows:
        try:
            found = list(reader(row, provider or Path(file).stem, date))
            offers += [_offer(one, source, row.line, n) for n, one in enumerate(found)]
            used += 1
        except _NoOffer as reason:
            remarks.append(LineOfPrices(line=row.line, message=str(reason)))
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"])
            remarks.append(LineOfPrices(line=row.line, message=f"{place}: {first['msg']}"))
    return PriceList(
        kind=kind,
        file=file,
        num_lines=len(rows),
        num_used=used,
        offers=tuple(offers),
        remarks=tuple(remarks),
        conflicts=tuple(_conflicts(offers)),
    )


Reader = Callable[[Row, str, str], Iterator[dict[str, Any]]]


def _reader_of(header: frozenset[str], file: str) -> tuple[ListKind, Reader]:
    known: tuple[tuple[ListKind, frozenset[str], Reader], ...] = (
        ("SkyPilot", SKYPILOT, _skypilot),
        ("gpuhunt", GPUHUNT, _gpuhunt),
        ("FOCUS", FOCUS, _focus),
        ("gigawatt", OWN, _own),
        ("gigawatt", SHARED, _own),
    )
    for name, columns, reader in known:
        if columns <= header:
            return name, reader
    lists = "; ".join(f"{name}: {', '.join(sorted(columns))}" for name, columns, _ in known)
    raise InputError(Problem(f"these columns are of no price list that is known. {lists}", file=file, line=1))


def _offer(found: dict[str, Any], source: str, line: int, number: int) -> Offer:
    said = {key: value for key, value in found.items() if value is not None}
    return Offer.model_validate(
        {
            "id": f"line-{line}" + (f"-{number}" if number else ""),
            "source": source,
            "basis": "published",
            **said,
        }
        | {"name": f"{said.get('provider', '')} {said.get('instance') or said.get('gpu_kind', '')}".strip()}
    )


def _number(row: Row, column: str) -> float | None:
    """A number; None where the cell is blank. Raises _NoOffer for anything else."""
    text = row.get(column, "").strip()
    if not text or text.lower() in ("nan", "none", "null"):
        return None
    try:
        return float(text)
    except ValueError:
        raise _NoOffer(f'{column}: expected a number, found "{text}"') from None


def _price(row: Row, column: str, count: float) -> float | None:
    """Dollars per accelerator and hour; None where none is stated, and nothing is not a price."""
    price = _number(row, column)
    if price is not None and price < 0:
        raise _NoOffer(f"{column}: a price below zero, {price:g}")
    return price / count if price else None


def _count(row: Row, column: str) -> int:
    count = _number(row, column)
    if not count:
        raise _NoOffer("no accelerators: a machine without them")
    if count != int(count) or count < 0:
        raise _NoOffer(f"{column}: {count:g} accelerators are no whole machine")
    return int(count)


def _priced(common: dict[str, Any], firm: float | None, spot: float | None) -> dict[str, Any]:
    if firm is None and spot is None:
        raise _NoOffer("no price stated: reservation only, or not offered (no price is not zero)")
    terms = {"term": "on-demand" if firm is not None else "spot"}
    return common | terms | {"on_demand_usd_per_gpu_h": firm, "spot_usd_per_gpu_h": spot}


def _skypilot(row: Row, provider: str, date: str) -> Iterator[dict[str, Any]]:
    """One line is an instance in a region or zone; prices are of the whole instance."""
    if not row["AcceleratorName"].strip():
        raise _NoOffer("no accelerators: a machine without them")
    count = _count(row, "AcceleratorCount")
    place = row.get("AvailabilityZone", "").strip() or row.get("Region", "").strip()
    common = {
        "provider": provider, "region": place, "instance": row["InstanceType"].strip(),
        "gpu_kind": row["AcceleratorName"].strip(), "accelerators_per_instance": count, "date": date,
        "note": _memory(row.get("GpuInfo", "")),
    }  # fmt: skip
    yield _priced(common, _price(row, "Price", count), _price(row, "SpotPrice", count))


def _memory(text: str) -> str:
    """Memory of each accelerator from GpuInfo, a Python literal or JSON; its stated total is of either
    meaning.
    """
    if not text.strip():
        return ""
    for read in (json.loads, ast.literal_eval):
        try:
            (gpu, *_) = read(text)["Gpus"]
            size = float(gpu["MemoryInfo"]["SizeInMiB"])
        except (ValueError, SyntaxError, KeyError, TypeError, IndexError):
            continue
        return f"{size * MEBIBYTE / GIGABYTE:.0f} GB each"
    raise _NoOffer("GpuInfo: neither JSON nor a Python literal with Gpus and their memory")


def _gpuhunt(row: Row, provider: str, date: str) -> Iterator[dict[str, Any]]:
    """One line is an offer; spot is a line of its own; the provider is the name of the file."""
    if not row["gpu_name"].strip():
        raise _NoOffer("no accelerators: a machine without them")
    count = _count(row, "gpu_count")
    spot = row.get("spot", "").strip().lower() in ("true", "1")
    price = _price(row, "price", count)
    default = "google" if row["gpu_name"].lower().startswith("tpu-") else "nvidia"
    vendor = row.get("gpu_vendor", "").strip() or default
    common = {
        "provider": provider, "region": row.get("location", "").strip(),
        "instance": row["instance_name"].strip(),
        "gpu_kind": row["gpu_name"].strip(), "accelerators_per_instance": count, "date": date,
        "note": f"{vendor}, {row.get('gpu_memory', '').strip()} GB each".replace(",  GB each", ""),
    }  # fmt: skip
    yield _priced(common, None if spot else price, price if spot else None)


def _focus(row: Row, provider: str, _date: str) -> Iterator[dict[str, Any]]:
    """One line is a charge: what was billed over what was consumed, by accelerator and hour."""
    billed, hours = _number(row, "BilledCost"), _number(row, "ConsumedQuantity")
    unit = row.get("ConsumedUnit", "").strip().lower()
    currency = row.get("BillingCurrency", "USD").strip() or "USD"
    if currency != "USD":
        raise _NoOffer(f"BillingCurrency: {currency}; currencies are never converted here")
    if row.get("ChargeCategory", "Usage").strip() not in ("Usage", ""):
        raise _NoOffer(f"a charge of category {row['ChargeCategory'].strip()}, not use")
    if unit not in ("hours", "hour", "hrs", "gpu hours", "gpu-hours", "instance hours"):
        raise _NoOffer(f'ConsumedUnit: expected hours, found "{row.get("ConsumedUnit", "")}"')
    kind = row.get("x_AcceleratorType", "").strip()
    if not kind:
        raise _NoOffer("x_AcceleratorType is blank: which accelerator was billed is not said")
    count = 1 if unit.startswith("gpu") else _count(row, "x_AcceleratorCount")
    if not hours or not billed or billed < 0:
        raise _NoOffer("nothing was billed or consumed, or it was a credit")
    term = {"committed": "reserved", "dynamic": "spot"}.get(
        row.get("PricingCategory", "").strip().lower(), "on-demand"
    )
    price = billed / hours / count
    common = {
        "provider": row["ProviderName"].strip() or provider, "region": row.get("RegionId", "").strip(),
        "instance": row.get("SkuId", "").strip(), "gpu_kind": kind, "accelerators_per_instance": count,
        "date": row["ChargePeriodStart"].strip()[:10], "basis": "measured",
    }  # fmt: skip
    firm, spot = (None, price) if term == "spot" else (price, None)
    yield _priced(common, firm, spot) | {"term": term}


def _own(row: Row, provider: str, date: str) -> Iterator[dict[str, Any]]:
    """gigawatt's own columns, and those of collected lists that name prices per accelerator and hour."""
    column = "accelerators_per_instance" if "accelerators_per_instance" in row else "gpus_per_instance"
    count = _count(row, column)
    firm = _price(
        row, _first(row, "on_demand_usd_per_gpu_h", "on_demand_usd_per_gpu_hour", "usd_per_gpu_hour"), 1
    )
    spot = _price(row, _first(row, "spot_usd_per_gpu_h", "spot_usd_per_gpu_hour"), 1)
    common: dict[str, Any] = {
        "provider": row["provider"].strip() or provider, "region": row.get("region", "").strip(),
        "instance": row.get("instance", "").strip(), "gpu_kind": row["gpu_kind"].strip(),
        "accelerator": row.get("accelerator", "").strip(), "system": row.get("system", "").strip(),
        "accelerators_per_instance": count, "note": row.get("note", "").strip(),
        "date": row.get(_first(row, "date", "snapshot_date", "first_seen_date"), "").strip() or date,
    }  # fmt: skip
    found = _priced(common, firm, spot)
    for name in ("source", "basis", "term"):
        if row.get(name, "").strip():
            found[name] = row[name].strip()
    yield found


def _first(row: Row, *names: str) -> str:
    return next((name for name in names if name in row), names[0])


def _conflicts(offers: Sequence[Offer]) -> Iterator[str]:
    """The same instance in the same place at the same term and date, at two prices."""
    seen: dict[tuple[str, ...], Offer] = {}
    for one in offers:
        key = (
            one.provider,
            one.region,
            one.instance,
            one.gpu_kind,
            one.term,
            one.date,
            str(one.accelerators_per_instance),
        )
        other = seen.setdefault(key, one)
        prices = (one.on_demand_usd_per_gpu_h, one.spot_usd_per_gpu_h)
        there = (other.on_demand_usd_per_gpu_h, other.spot_usd_per_gpu_h)
        if prices != there:
            whose = f"{one.id} and {other.id}: {one.provider} {one.instance}"
            yield f"{whose} at {_told(prices)} and {_told(there)}"


def _told(prices: tuple[float | None, float | None]) -> str:
    return "/".join("-" if price is None else f"{price:g}" for price in prices) + " USD/h"
