"""A roadmap by name in, a portfolio out; and portfolios as files."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from gigawatt.catalog import Catalog, load_catalog
from gigawatt.contract.accounts import accounts_of
from gigawatt.contract.audit import PlanLists, audit_plan
from gigawatt.contract.portfolio import Clock, Progress, plan_portfolio
from gigawatt.documents import (
    Document,
    canonical_json,
    load_csv,
    load_yaml,
    parse_record,
    read_record,
    write_atomic,
)
from gigawatt.domain.accounts import BookLives
from gigawatt.domain.market import Offer
from gigawatt.domain.portfolio import ContractOffer, Roadmap
from gigawatt.domain.portfolio_plan import Audit, Portfolio
from gigawatt.domain.price_list import PriceList
from gigawatt.domain.record import Provenance
from gigawatt.errors import InputError, Problem
from gigawatt.exports.price_lists import read_price_list
from gigawatt.laws.progress import YEAR_S
from gigawatt.project.dates import RoadmapFile, read_projects, spelt_alike


def read_roadmap(path: Path, overlays: Sequence[Path] = ()) -> Roadmap:
    """The roadmap in a YAML file as it is planned for: with the catalogue's prices where it names them, and
    with the dates of the construction projects that it names, as futures.

    Raises InputError with everything that is wrong with it.
    """
    return open_roadmap(path, overlays).dated()[0]


def open_roadmap(path: Path, overlays: Sequence[Path] = ()) -> RoadmapFile:
    """The roadmap in a YAML file with its prices and its construction projects; no date is drawn yet.

    Raises InputError with everything that is wrong with any of these files.
    """
    document = load_yaml(path)
    roadmap = spelt_alike(_priced(document, parse_record(document, Roadmap), overlays))
    return RoadmapFile(path, document, roadmap, read_projects(document, roadmap, path.parent, overlays))


def _priced(document: Document, roadmap: Roadmap, overlays: Sequence[Path]) -> Roadmap:
    """With the catalogue's prices."""
    if not any(offer.catalogue for offer in roadmap.offers):
        return roadmap
    catalog = load_catalog(overlays)
    problems: list[Problem] = []
    offers = []
    for number, offer in enumerate(roadmap.offers):
        prices = dict(offer.price_usd_per_gpu_h or {})
        provenance = dict(offer.provenance)
        for kind, row in offer.catalogue.items():
            try:
                listed = catalog.offer(row)
                price, origin = _listed_price(offer, listed)
            except InputError as error:
                at = ("offers", number, "catalogue", kind)
                problems += [document.problem(one.message, at) for one in error.problems]
                continue
            prices[kind] = price
            provenance[f"price_usd_per_gpu_h.{kind}"] = origin
        changed = {"price_usd_per_gpu_h": prices, "provenance": provenance, "catalogue": {}}
        offers.append(offer.model_copy(update=changed))
    if problems:
        raise InputError(problems)
    return roadmap.model_copy(update={"offers": tuple(offers)})


def _listed_price(offer: ContractOffer, listed: Offer) -> tuple[float, Provenance]:
    """The price of a catalogue row that fits the form of an offer, and where it comes from."""
    spot = offer.form == "spot"
    price = listed.spot_usd_per_gpu_h if spot else listed.on_demand_usd_per_gpu_h
    if price is None:
        asked = "spot" if spot else "firm"
        raise InputError(f"{listed.id} states no {asked} price: no list price is not zero")
    field = "spot_usd_per_gpu_h" if spot else "on_demand_usd_per_gpu_h"
    origin = listed.provenance_of(field)
    note = f"{listed.id}, {listed.term}" + (f"; {origin.note}" if origin.note else "")
    return price, origin.model_copy(update={"note": note, "date": origin.date or listed.date})


def plan_roadmap(
    path: Path, questions: bool = True, progress: Progress = lambda _done, _total, _label: None
) -> tuple[Portfolio, Clock]:
    """What to sign, from the roadmap at `path`; without `questions` only the plan and its proof."""
    file = open_roadmap(path)
    if file.projects:
        progress(0, 0, "drawing dates")
    roadmap, dates = file.dated()
    plan, clock = plan_portfolio(roadmap, questions, progress, dates)
    if questions:
        accounts = accounts_of(roadmap, plan, published_lives(load_catalog()))
        plan = plan.model_copy(update={"accounts": accounts})
    return plan, clock


LIVES_OF_SERVERS = ("life-microsoft-alphabet", "life-amazon", "life-gpu-bear")
LIFE_OF_BUILDINGS = "life-building"


def published_lives(catalog: Catalog) -> BookLives:
    """Lives in the accounts by published facts: of servers from the longest to the shortest, of buildings."""

    def life_s(fact: str) -> float:
        return catalog.fact(fact).ends[0] * YEAR_S

    return BookLives(
        servers_s=tuple(life_s(fact) for fact in LIVES_OF_SERVERS), building_s=life_s(LIFE_OF_BUILDINGS)
    )


def save_portfolio(path: Path, portfolio: Portfolio) -> None:
    """Write an artefact: the same plan gives the same bytes."""
    write_atomic(path, canonical_json(portfolio) + "\n")


def audit_file(scenario: Path, portfolio: Path) -> Audit:
    """Add a stored portfolio up again, from its roadmap; dates by the seed that it was planned with."""
    plan = read_record(portfolio, Portfolio)
    roadmap, _dates = open_roadmap(scenario).dated(plan.dates.seed if plan.dates else None)
    lists = PlanLists(plan.signed, plan.used, plan.taken, plan.waiting, plan.unmet)
    return audit_plan(roadmap, lists, plan.certificate.objective_usd)


def import_offers(path: Path, provider: str = "", date: str = "") -> PriceList:
    """Read a price list: SkyPilot, gpuhunt, FOCUS or gigawatt's own columns. No line is lost.

    `provider` and `date` hold where the file does not say; they default to the file's name and its last
    change.
    """
    rows = load_csv(path)
    changed = datetime.fromtimestamp(path.stat().st_mtime, UTC).strftime("%Y-%m-%d")
    return read_price_list(rows, str(path), provider, date or changed)


def offers_csv(offers: Sequence[Offer]) -> str:
    """Offers in gigawatt's own columns, as an overlay takes them."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    names = [
        name for name in Offer.model_fields if name not in ("aliases", "missing", "provenance", "currency")
    ]
    writer.writerow(names)
    for offer in offers:
        cells = [getattr(offer, name) for name in names]
        writer.writerow(["" if cell is None else cell for cell in cells])
    return text.getvalue()
