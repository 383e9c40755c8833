"""Proving the catalogue: every file readable, units and ranges right, ids unique, sources named and used."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from gigawatt import units
from gigawatt.catalog.conflicts import compare_facts
from gigawatt.catalog.reading import Catalog, ModelCard, parse_entry
from gigawatt.catalog.roots import LISTS, Table, data_files, plain, source_files
from gigawatt.documents import load_yaml, read_text
from gigawatt.domain.deals import PublishedFact
from gigawatt.domain.energy import EnergyTechnology, Tariff
from gigawatt.domain.fabric import SCALE_UP, FabricKind, Link, NetworkName, Switch
from gigawatt.domain.facility import Climate, Equipment, Site
from gigawatt.domain.hardware import Accelerator, NumberFormat, System
from gigawatt.domain.hazard import Hazard, Part
from gigawatt.domain.market import Offer
from gigawatt.domain.model import Model
from gigawatt.domain.record import Sourced
from gigawatt.domain.reliability import FleetReliability
from gigawatt.domain.schedule import SchedulePrior
from gigawatt.errors import InputError, Problem

RANGES = "ranges.yaml"
CountParams = Callable[[Model], float]
"""Total parameters of a model. Counting is laid out above the catalogue, so whoever asks brings it."""

_KINDS: Mapping[Table, type[Sourced]] = {
    "accelerators": Accelerator,
    "systems": System,
    "models": ModelCard,
    "offers": Offer,
    "switches": Switch,
    "links": Link,
    "fabrics": FabricKind,
    "equipment": Equipment,
    "climates": Climate,
    "sites": Site,
    "hazards": Hazard,
    "parts": Part,
    "reliability": FleetReliability,
    "energy": EnergyTechnology,
    "tariffs": Tariff,
    "schedule": SchedulePrior,
    "deals": PublishedFact,
}
_ID = re.compile(r"[a-z0-9]+([.-][a-z0-9]+)*")
_DATE = re.compile(r"20\d\d(-\d\d(-\d\d)?)?")
_PRINTED = re.compile(r"(?P<digits>[\d,]+)(?:\.(?P<decimals>\d+))?(?P<scale>[MBT]?)")
_SCALES = {"": 0, "M": 6, "B": 9, "T": 12}
_OPTIONAL: Mapping[Table, tuple[str, ...]] = {
    "accelerators": ("hbm_bytes", "usable_hbm_bytes", "hbm_bytes_per_s", "num_sms", "tdp_w"),
    "systems": ("scale_up_bytes_per_s", "scale_out_bytes_per_s", "node_power_w"),
    "switches": ("forwarding_s", "power_w", "price_usd", "rack_units", "weight_kg"),
    "links": ("end_power_w", "cable_usd", "end_usd"),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that `gigawatt catalog check` has to say about one row (or about the whole, where blank)."""

    kind: Literal["error", "note"]
    row: str
    """Section and id: "accelerators/h100-sxm-80gb"."""
    message: str

    def __str__(self) -> str:
        return ": ".join(part for part in (self.kind, self.row, self.message) if part)


def check_catalog(catalog: Catalog, count_params: CountParams | None = None) -> tuple[Finding, ...]:
    """Everything wrong with the catalogue (errors), and what its reader should know (notes).

    With `count_params`, published sizes that count every parameter are compared to their printed digits.
    """
    rows: dict[Table, list[Any]] = {}
    findings: list[Finding] = []
    for section, kind in _KINDS.items():
        rows[section] = list(_readable(catalog, section, kind, findings))
    for section in rows:
        findings += _named(section, rows[section])
    findings += [Finding("error", row, message) for row, message in _referring(catalog, rows)]
    findings += [Finding("error", row, message) for row, message in _plausible(catalog, rows)]
    findings += [Finding("error", row, message) for row, message in _consistent(rows)]
    findings += _sourced(catalog, rows)
    findings += _models(catalog, rows["models"], count_params)
    findings += [Finding("note", "", note) for note in catalog.notes]
    findings += _unmapped(rows["offers"])
    findings += _disputed(catalog) if rows["deals"] else ()
    return tuple(findings)


def _readable(
    catalog: Catalog, section: Table, kind: type[Sourced], findings: list[Finding]
) -> Iterator[Sourced]:
    def refused(row: str, error: InputError) -> None:
        findings.extend(Finding("error", row, str(problem)) for problem in error.problems)

    if section in LISTS:
        try:
            yield from catalog.offers if section == "offers" else catalog.facts
        except InputError as error:
            refused(section, error)
        return
    for id, entry in catalog.entries(section).items():
        try:
            yield parse_entry(entry, id, kind)
        except InputError as error:
            refused(f"{section}/{id}", error)


def _named(section: Table, rows: Iterable[Sourced]) -> Iterator[Finding]:
    owners: dict[str, str] = {}
    for row in rows:
        here = f"{section}/{row.id}"
        if not _ID.fullmatch(row.id):
            yield Finding("error", here, "an id is lower case with hyphens")
        for name in {plain(name) for name in (row.id, *row.aliases)}:
            if owners.setdefault(name, row.id) != row.id:
                yield Finding("error", here, f'"{name}" already names {owners[name]}')
        for field in ("", *row.provenance):
            date = row.provenance[field].date if field else row.date
            if date and not _DATE.fullmatch(date):
                yield Finding("error", here, f'{field or "row"}: "{date}" is not a date such as "2026-05"')


def _referring(catalog: Catalog, rows: Mapping[Table, list[Any]]) -> Iterator[tuple[str, str]]:
    accelerators, systems = ({row.id for row in rows[name]} for name in ("accelerators", "systems"))
    for row in rows["accelerators"]:
        if row.same_chip_as and row.same_chip_as not in accelerators:
            yield f"accelerators/{row.id}", f'same_chip_as "{row.same_chip_as}" is not in the catalogue'
    for system in rows["systems"]:
        if system.accelerator not in accelerators:
            yield f"systems/{system.id}", f'accelerator "{system.accelerator}" is not in the catalogue'
    for offer in rows["offers"]:
        for name, known in ((offer.accelerator, accelerators), (offer.system, systems)):
            if name and name not in known:
                yield f"offers/{offer.id}", f'"{name}" is not in the catalogue'
        if offer.system in systems and catalog.system(offer.system).accelerator != offer.accelerator:
            yield f"offers/{offer.id}", f"{offer.system} does not hold {offer.accelerator}"
    for fleet in rows["reliability"]:
        if fleet.accelerator and fleet.accelerator not in accelerators:
            yield f"reliability/{fleet.id}", f'accelerator "{fleet.accelerator}" is not in the catalogue'
    parts = {row.id for row in rows["parts"]}
    for hazard in rows["hazards"]:
        if hazard.part and hazard.part not in parts:
            yield f"hazards/{hazard.id}", f'part "{hazard.part}" is not in the catalogue'
    yield from _sites_refer(rows)
    yield from _fabrics_refer(rows)


def _sites_refer(rows: Mapping[Table, list[Any]]) -> Iterator[tuple[str, str]]:
    """A site's climate, power chain and cooling plant are in the catalogue."""
    known = {
        table: {plain(name) for row in rows[table] for name in (row.id, *row.aliases)}
        for table in ("climates", "equipment")
    }
    for site in rows["sites"]:
        asked = (("climates", site.climate), *(("equipment", id) for id in (*site.chain, *site.plant)))
        for table, name in asked:
            if plain(name) not in known[table]:
                yield f"sites/{site.id}", f'"{name}" is not among the {table} of the catalogue'


def _fabrics_refer(rows: Mapping[Table, list[Any]]) -> Iterator[tuple[str, str]]:
    """What a kind of fabric names is in the catalogue, and no system has two usual kinds of one sort."""
    known = {
        table: {plain(name) for row in rows[table] for name in (row.id, *row.aliases)}
        for table in ("switches", "systems", "fabrics")
    }
    usual: dict[tuple[str, bool], str] = {}
    for kind in rows["fabrics"]:
        here = f"fabrics/{kind.id}"
        switches = (kind.leaf_switch, kind.spine_switch, kind.core_switch)
        asked = [("switches", id) for id in switches if id] + [("systems", id) for id in kind.systems]
        asked += [("fabrics", id) for id in kind.other_networks.values()]
        for table, name in asked:
            if plain(name) not in known[table]:
                yield here, f'"{name}" is not among the {table} of the catalogue'
        if unknown := sorted(set(kind.other_networks) - set(get_args(NetworkName))):
            yield here, f"other_networks: {', '.join(unknown)} are not known"
        for system in kind.systems:
            other = usual.setdefault((system, kind.technology in SCALE_UP), kind.id)
            if other != kind.id:
                yield here, f"{system} is already usually built with {other}"


def _plausible(catalog: Catalog, rows: Mapping[Table, list[Any]]) -> Iterator[tuple[str, str]]:
    """Values outside `ranges.yaml`."""
    for section in load_yaml(catalog.roots[0] / RANGES).value:
        yield from implausible(catalog, section, rows[section])


def require_plausible(catalog: Catalog, section: str, rows: Sequence[Any]) -> None:
    """Raises InputError that names every value of these rows outside what is plausible, with its range."""
    if problems := [Problem(text, place) for place, text in implausible(catalog, section, rows)]:
        raise InputError(problems)


def implausible(catalog: Catalog, section: str, rows: Sequence[Any]) -> Iterator[tuple[str, str]]:
    """Values of rows of one section that are a slip of a unit, not a machine: where, and what is expected."""
    fields = load_yaml(catalog.roots[0] / RANGES).value.get(section, {})
    for field, bounds in fields.items():
        suffix = units.suffix_of(field)
        low, high = (units.read(bounds[end], suffix) if suffix else bounds[end] for end in ("low", "high"))
        for row in rows:
            for part in _parts(getattr(row, field)):
                if part is not None and not low <= part <= high:
                    shown = units.format_quantity(part, suffix) if suffix else str(part)
                    between = f"{bounds['low']} to {bounds['high']}"
                    yield f"{section}/{row.id}", f"{field}: {shown} is not plausible (expected {between})"


def _parts(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, tuple) else (value,)


def _consistent(rows: Mapping[Table, list[Any]]) -> Iterator[tuple[str, str]]:
    accelerators = {row.id: row for row in rows["accelerators"]}
    for accelerator in accelerators.values():
        here = f"accelerators/{accelerator.id}"
        yield from ((here, message) for message in accelerator.contradictions())
        rates = {**accelerator.peak_flop_per_s, **accelerator.achievable_flop_per_s}
        if unknown := sorted(set(rates) - set(get_args(NumberFormat))):
            yield here, f"number formats {', '.join(unknown)} are not known"
        if "bf16" not in accelerator.peak_flop_per_s:
            yield here, "peak_flop_per_s: bf16 is missing"
    for system in rows["systems"]:
        if system.accelerator in accelerators:
            messages = system.contradictions(accelerators[system.accelerator])
            yield from ((f"systems/{system.id}", message) for message in messages)
    for offer in rows["offers"]:
        yield from ((f"offers/{offer.id}", message) for message in offer.contradictions())
    for fact in rows["deals"]:
        yield from ((f"deals/{fact.id}", message) for message in fact.contradictions())
    for section in ("hazards", "parts", "reliability", "energy", "tariffs"):
        for row in rows[section]:
            yield from ((f"{section}/{row.id}", message) for message in row.contradictions())
    for section, fields in _OPTIONAL.items():
        yield from _told_missing(section, rows[section], fields)


def _told_missing(section: str, rows: Iterable[Any], fields: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """`missing` has to say what is missing, no more and no less."""
    for row in rows:
        alone = isinstance(row, System) and row.num_accelerators_per_domain == 1
        empty = {name for name in fields if getattr(row, name) is None}
        empty -= {"scale_up_bytes_per_s"} if alone else set()
        if told := sorted(empty ^ set(row.missing)):
            yield (
                f"{section}/{row.id}",
                f"missing: {', '.join(told)} is listed and present, or absent and not listed",
            )


def _sourced(catalog: Catalog, rows: Mapping[Table, list[Any]]) -> Iterator[Finding]:
    """Every source is a key of the bibliography, and every key is used."""
    try:
        known = set(catalog.sources)
    except InputError as error:
        yield from (Finding("error", "sources", str(problem)) for problem in error.problems)
        return
    learnt = catalog.training_calibration()
    taught = [*learnt.formats, *learnt.software, *learnt.parameters, *learnt.attention, *learnt.accounting]
    taught += [*learnt.architectures, learnt.rows]
    moved = catalog.collective_calibration()
    taught += [*moved.scale_up, *moved.scale_out, *moved.protocols, *moved.exchanges, *moved.harnesses]
    failures = catalog.published_failures()
    taught += [*moved.parameters, catalog.frail_nodes(), *failures.parameters, *failures.evidence]
    taught.append(catalog.price_levels())
    for section, section_rows in (*rows.items(), ("calibration", taught)):
        for row in section_rows:
            named = {row.source, *(value.source for value in row.provenance.values())}
            for source in sorted(named - known):
                yield Finding("error", f"{section}/{row.id}", f'source "{source}" is not in the bibliography')
    texts = [
        read_text(path)
        for root in catalog.roots
        for path in data_files(root)
        if path not in source_files(root)
    ]
    words = set(re.findall(r"[a-z0-9][a-z0-9.-]*[a-z0-9]", "\n".join(texts)))
    yield from (Finding("error", f"sources/{key}", "nothing refers to it") for key in sorted(known - words))


def _models(
    catalog: Catalog, cards: Iterable[ModelCard], count_params: CountParams | None
) -> Iterator[Finding]:
    for card in cards:
        here = f"models/{card.id}"
        try:
            model = catalog.model(card.id)
        except InputError as error:
            yield from (Finding("error", here, str(problem)) for problem in error.problems)
            continue
        if count_params is None or not card.published_params or card.published_counts:
            continue
        printed = _PRINTED.fullmatch(card.published_params)
        if printed is None:
            yield Finding(
                "error", here, f'published_params: "{card.published_params}" is not a size such as "405B"'
            )
        elif not _agrees(count_params(model), printed):
            found = f"{count_params(model):,.0f} parameters by its shape"
            yield Finding("error", here, f"{found}, published {card.published_params}")


def _agrees(count: float, printed: re.Match[str]) -> bool:
    """Whether a count is the printed figure, rounded or cut off at its last digit but padding zeros."""
    decimals = printed["decimals"] or ""
    text = printed["digits"].replace(",", "") + decimals
    figure = text if decimals else text.rstrip("0")
    digit = 10.0 ** (_SCALES[printed["scale"]] - len(decimals) + len(text) - len(figure))
    return abs(count / digit - float(figure)) < 1


def _disputed(catalog: Catalog) -> Iterator[Finding]:
    """Published facts that do not agree."""
    for one in compare_facts(catalog):
        if not one.agrees:
            row = f"deals/{one.claims[0].facts[0]}"
            yield Finding("note", row, f"{one.subject}: sources do not agree: {', '.join(one.texts())}")


def _unmapped(offers: Iterable[Offer]) -> Iterator[Finding]:
    """Offers of accelerators that the catalogue does not have: kept, but they cannot be planned with."""
    ids: dict[str, list[str]] = defaultdict(list)
    for offer in offers:
        if not offer.accelerator:
            ids[offer.gpu_kind].append(offer.id)
    for gpu_kind, of_kind in sorted(ids.items()):
        some = f"{of_kind[0]} and {len(of_kind) - 1} more" if len(of_kind) > 1 else of_kind[0]
        yield Finding(
            "note", f"offers/{of_kind[0]}", f'"{gpu_kind}" is no accelerator of the catalogue ({some})'
        )
