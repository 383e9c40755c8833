"""Finding, parsing and resolving the rows of the catalogue and of overlays laid over it."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from gigawatt.catalog.facts import read_facts
from gigawatt.catalog.offers import read_offers
from gigawatt.catalog.roots import (
    SECTIONS,
    SUFFIXES,
    Entry,
    Table,
    check_outline,
    data_files,
    entries_of,
    fit_subject,
    plain,
    read_sources,
    table_named,
)
from gigawatt.documents import (
    Document,
    digest,
    load_yaml,
    parse_record,
    parse_records,
    read_json,
    read_record,
    read_text,
)
from gigawatt.domain.deals import PublishedFact
from gigawatt.domain.energy import EnergyTechnology, Tariff
from gigawatt.domain.fabric import FabricKind, Link, Switch
from gigawatt.domain.facility import Climate, Equipment, Site
from gigawatt.domain.hardware import Accelerator, System
from gigawatt.domain.hazard import FrailNodes, Hazard, Part
from gigawatt.domain.huggingface import read_config
from gigawatt.domain.market import Offer
from gigawatt.domain.record import Record, Source, Sourced
from gigawatt.domain.reliability import FleetReliability
from gigawatt.domain.schedule import SchedulePrior
from gigawatt.errors import InputError, Problem, UnknownIdError

if TYPE_CHECKING:
    from gigawatt.catalog.checking import Finding
    from gigawatt.domain.calibration import TrainingCalibration
    from gigawatt.domain.calibration_collectives import CollectiveCalibration
    from gigawatt.domain.model import Model
    from gigawatt.domain.price_levels import PriceLevels
    from gigawatt.domain.published_failures import PublishedFailures

RowT = TypeVar("RowT", bound=Sourced)

_SHOWN_NEAR = 3
_NEEDED: Mapping[str, str] = {
    "usable_hbm_bytes": "the memory that a framework can allocate",
    "hbm_bytes_per_s": "memory bandwidth",
    "num_sms": "the number of multiprocessors",
    "scale_up_bytes_per_s": "the speed of the network within the scale-up domain",
    "scale_out_bytes_per_s": "the speed of the network between scale-up domains",
    "node_power_w": "the power of a node",
}
"""What a plan needs of an accelerator and of a system, in words."""


class ModelCard(Sourced):
    """What the catalogue says about a model beside its shape (the `_gigawatt` key of its config.json)."""

    published_params: str = ""
    """Total parameters with the digits that the source prints: "405B", "176,247,271,424"."""
    published_counts: str = ""
    """What the published total counts, where that is not everything: "layers", "with vision tower", ..."""
    published_active_params: str = ""
    published_active_counts: str = ""
    published_layer_params: str = ""


def load_catalog(overlays: Sequence[Path | str] = ()) -> Catalog:
    """The catalogue that is shipped, with overlays laid over it (later ones win).

    An overlay is a folder with the structure of `data/`, one YAML file with lists under `accelerators`,
    `systems`, `switches`, ... and a mapping under `sources`, or a fit that `gigawatt calibrate training`
    wrote. Only their outline is read yet. Raises InputError for an overlay that is none of these.
    """
    packaged = Path(str(resources.files("gigawatt") / "data"))
    roots = [Path(overlay) for overlay in overlays]
    for root in roots:
        check_outline(root)
    return Catalog((packaged, *roots))


@dataclass(frozen=True)
class Catalog:
    """An immutable view of the data files below `roots`; a section is read when it is first asked for."""

    roots: tuple[Path, ...]

    def accelerator(self, id: str) -> Accelerator:
        """The accelerator with this id or alias. Raises UnknownIdError with the nearest ids."""
        return self._row("accelerators", id, Accelerator)

    def system(self, id: str) -> System:
        """The node or rack kind with this id or alias. Raises UnknownIdError with the nearest ids."""
        return self._row("systems", id, System)

    def switch(self, id: str) -> Switch:
        """The network switch with this id or alias. Raises UnknownIdError with the nearest ids."""
        return self._row("switches", id, Switch)

    def link(self, id: str) -> Link:
        """The kind of cable with this id or alias. Raises UnknownIdError with the nearest ids."""
        return self._row("links", id, Link)

    def fabric(self, id: str) -> FabricKind:
        """The kind of fabric with this id or alias. Raises UnknownIdError with the nearest ids."""
        return self._row("fabrics", id, FabricKind)

    def equipment(self, id: str) -> Equipment:
        """Equipment (power, cooling) by its id or alias. Raises UnknownIdError with the nearest ids."""
        return self._row("equipment", id, Equipment)

    def climate(self, id: str) -> Climate:
        """The climate with this id or alias. Raises UnknownIdError with the nearest ids."""
        return self._row("climates", id, Climate)

    def site(self, id: str) -> Site:
        """The site with this id or alias. Raises UnknownIdError with the nearest ids."""
        return self._row("sites", id, Site)

    def hazard(self, id: str) -> Hazard:
        """One way to fail, by id or alias. Raises UnknownIdError with the nearest ids."""
        return self._row("hazards", id, Hazard)

    def part(self, id: str) -> Part:
        """What repairs take from the shelf, by id or alias. Raises UnknownIdError with the nearest ids."""
        return self._row("parts", id, Part)

    def reliability(self, id: str) -> FleetReliability:
        """What a fleet says of failures, by id or alias. Raises UnknownIdError with the nearest ids."""
        return self._row("reliability", id, FleetReliability)

    def schedule_prior(self, id: str) -> SchedulePrior:
        """How long an activity takes, by id or alias. Raises UnknownIdError with the nearest ids."""
        return self._row("schedule", id, SchedulePrior)

    def technology(self, id: str) -> EnergyTechnology:
        """A plant or battery by its id or alias. Raises UnknownIdError with the nearest ids."""
        return self._row("energy", id, EnergyTechnology)

    def tariff(self, id: str) -> Tariff:
        """A tariff of the grid by its id or alias. Raises UnknownIdError with the nearest ids."""
        return self._row("tariffs", id, Tariff)

    def offer(self, id: str) -> Offer:
        """The rental offer with this id. Raises UnknownIdError with the nearest ids."""
        by_id = self._offers_by_id
        if id not in by_id:
            raise self._unknown("offers", id, {offer: offer for offer in by_id})
        return by_id[id]

    def fact(self, id: str) -> PublishedFact:
        """The published fact with this id. Raises UnknownIdError with the nearest ids."""
        if id not in self._facts_by_id:
            raise self._unknown("deals", id, {fact: fact for fact in self._facts_by_id})
        return self._facts_by_id[id]

    def model(self, id_or_path: str | Path) -> Model:
        """The model with this id or alias, or the one in a Hugging Face config.json (or the folder of one).

        Raises UnknownIdError with the nearest ids, and InputError for a file that does not describe a model.
        """
        path = _model_file(id_or_path)
        if path is not None and str(id_or_path) not in self.entries("models"):
            return _read_model(path, id=path.stem if path.stem != "config" else path.resolve().parent.name)
        id = self._resolve("models", str(id_or_path))
        return _read_model(self.entries("models")[id].path, id)

    def model_card(self, id: str) -> ModelCard:
        """Name, aliases, source and published size of a model of the catalogue."""
        return self._row("models", id, ModelCard)

    def training_calibration(self) -> TrainingCalibration:
        """What measured training runs have taught: formats, software, memory, and the newest fit.

        Each part comes from the last root that has it. A job that names no software is planned with what the
        fit names, else with the newest.
        """
        from gigawatt.domain.calibration import (
            Architecture,
            AttentionKernels,
            NumberFormat,
            PhysicalParameter,
            RowRules,
            TrainingCalibration,
            TrainingFit,
            TrainingSoftware,
        )
        from gigawatt.domain.memory import MemoryAccounting

        software = parse_records(load_yaml(self._calibration_file("software.yaml")), TrainingSoftware)
        fit = read_record(self._calibration_file("training.json"), TrainingFit)
        (rows,) = parse_records(load_yaml(self._calibration_file("measured_rows.yaml")), RowRules)
        return TrainingCalibration(
            formats=parse_records(load_yaml(self._calibration_file("formats.yaml")), NumberFormat),
            software=software,
            parameters=parse_records(load_yaml(self._calibration_file("parameters.yaml")), PhysicalParameter),
            attention=parse_records(load_yaml(self._calibration_file("attention.yaml")), AttentionKernels),
            architectures=parse_records(
                load_yaml(self._calibration_file("architectures.yaml")), Architecture
            ),
            rows=rows,
            accounting=parse_records(load_yaml(self._calibration_file("memory.yaml")), MemoryAccounting),
            fit=fit,
            default_software=fit.default_software or max(software, key=lambda row: row.date).id,
        )

    def collective_calibration(self) -> CollectiveCalibration:
        """What moves collectives: transports, protocols, calibrated quantities, and the newest fit.

        Each part comes from the last root that has it.
        """
        from gigawatt.domain.calibration import PhysicalParameter
        from gigawatt.domain.calibration_collectives import (
            CollectiveCalibration,
            CollectiveFit,
            ExchangeKind,
            Harness,
            Protocol,
            ScaleOut,
            ScaleUp,
        )

        facts = load_yaml(self._calibration_file("collectives.yaml"))
        return CollectiveCalibration(
            scale_up=parse_records(facts, ScaleUp, ("scale_up",)),
            scale_out=parse_records(facts, ScaleOut, ("scale_out",)),
            protocols=parse_records(facts, Protocol, ("protocols",)),
            exchanges=parse_records(facts, ExchangeKind, ("exchanges",)),
            harnesses=parse_records(facts, Harness, ("harnesses",)),
            parameters=parse_records(facts, PhysicalParameter, ("parameters",)),
            fit=read_record(self._calibration_file("collectives.json"), CollectiveFit),
        )

    def frail_nodes(self) -> FrailNodes:
        """How many nodes are lemons and what they cause, from the last root that says so."""
        document = load_yaml(self._calibration_file("hazards.yaml"))
        return parse_record(document, FrailNodes, ("frail_nodes", 0))

    def published_failures(self) -> PublishedFailures:
        """How published figures of reliability follow from a fleet, from the last root that says so."""
        from gigawatt.domain.published_failures import PublishedFailures

        document = load_yaml(self._calibration_file("reliability.yaml"))
        return parse_record(document, PublishedFailures)

    def price_levels(self) -> PriceLevels:
        """What a dollar was worth year by year, from the last root that says so."""
        from gigawatt.domain.price_levels import PriceLevels

        return parse_record(load_yaml(self._calibration_file("price_levels.yaml")), PriceLevels)

    @property
    def published_collectives(self) -> Path:
        """Measurements of collectives that the shipped fit has seen beside those it is validated on."""
        return self._calibration_file("collectives_published.csv")

    def _calibration_file(self, name: str) -> Path:
        fits = [
            root
            for root in self.roots[1:]
            if not root.is_dir() and name == f"{fit_subject(root) or 'no fit'}.json"
        ]
        folders = [root / "calibration" / name for root in self.roots if root.is_dir()]
        found = [*(path for path in folders if path.is_file()), *fits]
        if not found:
            raise InputError(
                Problem("is missing from the catalogue and every overlay", file=f"calibration/{name}")
            )
        return found[-1]

    @cached_property
    def offers(self) -> tuple[Offer, ...]:
        """All rental offers, by file and line; of two with one id the later counts."""
        return tuple(self._offers_by_id.values())

    @cached_property
    def _offers_by_id(self) -> dict[str, Offer]:
        files = self.entries("offers").values()
        return {offer.id: offer for entry in files for offer in read_offers(entry.path)}

    @cached_property
    def facts(self) -> tuple[PublishedFact, ...]:
        """What has been published of deals and costs; of two rows with one id the later counts."""
        return tuple(self._facts_by_id.values())

    @cached_property
    def _facts_by_id(self) -> dict[str, PublishedFact]:
        files = self.entries("deals").values()
        return {fact.id: fact for entry in files for fact in read_facts(entry.path)}

    @cached_property
    def sources(self) -> dict[str, Source]:
        """The bibliography by key."""
        return {source.id: source for root in self.roots for source in read_sources(root)}

    @cached_property
    def digest(self) -> str:
        """ "sha256:..." over the content of every data file, shipped and overlaid, wherever it lies."""
        content = {
            f"{number}/{path.relative_to(root).as_posix()}": read_text(path).replace("\r\n", "\n")
            for number, root in enumerate(self.roots)
            for path in data_files(root)
        }
        return digest(content)

    @cached_property
    def notes(self) -> tuple[str, ...]:
        """Rows of an overlay that stand in for shipped ones, in words."""
        told: list[str] = []
        for section in SUFFIXES:
            owners: dict[str, Path] = {}
            for root in self.roots:
                for id, _ in entries_of(root, section):
                    if id in owners:
                        told.append(
                            f"{section}/{id} of {root} replaces the one of {_outside(owners[id], self.roots)}"
                        )
                    owners[id] = root
        return tuple(told)

    def ids(self, section: str) -> tuple[str, ...]:
        """All ids of a section, in order. Raises UnknownIdError for a section that does not exist."""
        if section not in SECTIONS:
            raise self._unknown("sections", section, {name: name for name in SECTIONS})
        if section == "offers":
            return tuple(self._offers_by_id)
        if section == "deals":
            return tuple(self._facts_by_id)
        if section == "sources":
            return tuple(sorted(self.sources))
        return tuple(sorted(self.entries(table_named(section))))

    def rows(self, section: str) -> tuple[Record, ...]:
        """All rows of a section in the order of `ids`: Accelerator, System, ModelCard, Offer or Source."""
        return tuple(self.row(section, id) for id in self.ids(section))

    def row(self, section: str, id: str) -> Record:
        """One row by section and id (or alias)."""
        readers: Mapping[str, Callable[[str], Record]] = {
            "accelerators": self.accelerator,
            "systems": self.system,
            "models": self.model_card,
            "offers": self.offer,
            "switches": self.switch,
            "links": self.link,
            "fabrics": self.fabric,
            "equipment": self.equipment,
            "climates": self.climate,
            "sites": self.site,
            "hazards": self.hazard,
            "parts": self.part,
            "reliability": self.reliability,
            "schedule": self.schedule_prior,
            "deals": self.fact,
            "energy": self.technology,
            "tariffs": self.tariff,
            "sources": self._source,
        }
        if section not in readers:
            raise self._unknown("sections", section, {name: name for name in SECTIONS})
        return readers[section](id)

    def check(self, count_params: Callable[[Model], float] | None = None) -> tuple[Finding, ...]:
        """Everything wrong with the catalogue, and what its reader should know; see `checking`."""
        from gigawatt.catalog.checking import check_catalog

        return check_catalog(self, count_params)

    def require_plannable(self, system: str, with_power: bool = True) -> tuple[System, Accelerator]:
        """A system and its accelerator, of which everything is known that a plan needs.

        `with_power=False` asks for what a step time needs only. Raises InputError that says what is missing,
        and how to state it; announced parts are refused.
        """
        found = self.system(system)
        accelerator = self.accelerator(found.accelerator)
        problems = [
            *_announced("systems", found),
            *_announced("accelerators", accelerator),
            *_lacking("systems", found, with_power),
            *_lacking("accelerators", accelerator, with_power),
        ]
        if problems:
            raise InputError(problems)
        return found, accelerator

    # -- rows by section and id ----------------------------------------------------------------------------

    def entries(self, section: Table) -> dict[str, Entry]:
        """Where each row of a section stands, by id; of price lists, each file."""
        if section not in self._entries:
            self._entries[section] = dict(entry for root in self.roots for entry in entries_of(root, section))
        return self._entries[section]

    def is_overlaid(self, section: Table, id: str) -> bool:
        """Whether an overlay has brought the row of this id."""
        return not self.entries(section)[id].path.is_relative_to(self.roots[0])

    @cached_property
    def _entries(self) -> dict[Table, dict[str, Entry]]:
        return {}

    @cached_property
    def _parsed(self) -> dict[tuple[Table, str], Sourced]:
        return {}

    @cached_property
    def _aliases(self) -> dict[Table, dict[str, str]]:
        return {}

    def _row(self, section: Table, id: str, kind: type[RowT]) -> RowT:
        id = self._resolve(section, id)
        row = self._parsed.get((section, id))
        if row is None:
            row = self._parsed[section, id] = parse_entry(self.entries(section)[id], id, kind)
        assert isinstance(row, kind)
        return row

    def _resolve(self, section: Table, name: str) -> str:
        entries = self.entries(section)
        key = plain(name)
        if key in entries:
            return key
        if section not in self._aliases:
            self._aliases[section] = {
                plain(alias): id
                for id in entries
                for row in [self.row(section, id)]
                if isinstance(row, Sourced)
                for alias in (*row.aliases, row.name)
            }
        aliases = self._aliases[section]
        if key not in aliases:
            raise self._unknown(section, name, {**aliases, **{id: id for id in entries}})
        return aliases[key]

    def _source(self, id: str) -> Source:
        if id not in self.sources:
            raise self._unknown("sources", id, {key: key for key in self.sources})
        return self.sources[id]

    def _unknown(self, section: str, name: str, known: Mapping[str, str]) -> UnknownIdError:
        close = difflib.get_close_matches(plain(name), known, n=2 * _SHOWN_NEAR, cutoff=0.5)
        near = list(dict.fromkeys(known[key] for key in close))[:_SHOWN_NEAR]
        hint = f": did you mean {' or '.join(near)}?" if near else ""
        more = "" if section == "sections" else f" (`gigawatt catalog list {section}` shows all)"
        return UnknownIdError(f'no {section.removesuffix("s")} "{name}" in the catalogue{hint}{more}')


def parse_entry(entry: Entry, id: str, kind: type[RowT]) -> RowT:
    """The row at an entry. Raises InputError with every problem in it."""
    if kind is ModelCard:
        config = read_json(entry.path)
        card = config.get("_gigawatt") if isinstance(config, dict) else None
        if not isinstance(card, dict):
            raise InputError(
                Problem("missing, expected name, source, basis and date", "_gigawatt", str(entry.path))
            )
        card = {key: tuple(value) if isinstance(value, list) else value for key, value in card.items()}
        return parse_record(
            Document(str(entry.path), {"_gigawatt": {"id": id, **card}}), kind, ("_gigawatt",)
        )
    document = load_yaml(entry.path)
    row = parse_record(document, kind, entry.at)
    if row.id != id:
        raise InputError(
            document.problem(f'the file is named "{id}", expected "{row.id}.yaml"', (*entry.at, "id"))
        )
    return row


def _model_file(id_or_path: str | Path) -> Path | None:
    """The file that is meant, where a path is meant rather than an id."""
    path = Path(id_or_path)
    if path.is_dir():
        return path / "config.json"
    is_path = isinstance(id_or_path, Path) or path.suffix == ".json" or path.is_file()
    return path if is_path else None


def _read_model(path: Path, id: str) -> Model:
    config = read_json(path)
    card = config.get("_gigawatt") if isinstance(config, dict) else None
    shape = {key: value for key, value in config.items() if key != "_gigawatt"} if card else config
    try:
        return read_config(shape, id, str(card["name"]) if card else id)
    except InputError as error:
        raise InputError([replace(problem, file=str(path)) for problem in error.problems]) from None


def _announced(section: Table, row: Accelerator | System) -> Iterator[Problem]:
    if row.status == "announced":
        remedy = f"state them with `status: available` in {section}/{row.id}.yaml of an overlay"
        yield Problem(
            f"{row.name}: its figures are pre-release; to plan with them all the same, {remedy}", row.id
        )


def _lacking(section: Table, row: Accelerator | System, with_power: bool) -> Iterator[Problem]:
    alone = isinstance(row, System) and row.num_accelerators_per_domain == 1
    for name, meaning in _NEEDED.items():
        spared = (alone and name == "scale_up_bytes_per_s") or (not with_power and name == "node_power_w")
        if not spared and getattr(row, name, row) is None:
            remedy = f"state it in {section}/{row.id}.yaml of an overlay, with its source"
            yield Problem(f"{row.name}: {meaning} is not known ({name}): {remedy}", row.id)


def _outside(root: Path, roots: Sequence[Path]) -> str:
    return "the catalogue" if root == roots[0] else str(root)
