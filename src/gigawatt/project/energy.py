"""A site file and the hours it names in, its energy out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from gigawatt.catalog import load_catalog
from gigawatt.contract.energy import Progress, energy_frontier, plan_energy
from gigawatt.contract.energy_hours import YearOfHours
from gigawatt.documents import load_yaml, parse_record, write_atomic
from gigawatt.domain.energy import EnergyFrontier, EnergyPlan, EnergySite, EnergyTechnology, Tariff
from gigawatt.domain.price_levels import PriceLevels
from gigawatt.errors import InputError, Problem, UnknownIdError
from gigawatt.exports.hour_csv import read_hours, read_price_years
from gigawatt.project.price_years import in_dollars_of, restatement

if TYPE_CHECKING:
    from gigawatt.exports.pypsa import PypsaFolder


@dataclass(frozen=True, slots=True)
class EnergyQuestion:
    """A site with everything that its file names."""

    site: EnergySite
    technologies: dict[str, EnergyTechnology]
    tariff: Tariff | None
    years: tuple[YearOfHours, ...]
    notes: tuple[str, ...] = ()
    """What was done to the rows."""


def plan_site(path: Path, overlays: Sequence[Path] = ()) -> EnergyPlan:
    """The energy of the campus that a site file describes, at least cost.

    Errors: InputError with every problem of the files; InfeasibleError with what binds.
    """
    return plan_question(read_question(path, overlays))


def plan_question(asked: EnergyQuestion) -> EnergyPlan:
    """The plan of a site that is read. Errors: as `plan_energy`."""
    plan = plan_energy(asked.site, asked.technologies, asked.tariff, asked.years)
    return plan.model_copy(update={"notes": (*plan.notes, *asked.notes)})


def site_frontier(
    path: Path,
    num_points: int,
    overlays: Sequence[Path] = (),
    progress: Progress = lambda _done, _total, _label: None,
) -> EnergyFrontier:
    """Cost against carbon of the same campus, from no cap down."""
    asked = read_question(path, overlays)
    rows = (asked.site, asked.technologies, asked.tariff, asked.years)
    frontier = energy_frontier(*rows, num_points, progress)
    return frontier.model_copy(update={"notes": (*frontier.notes, *asked.notes)})


def draw_energy(plan: EnergyPlan, path: Path) -> Path:
    """Writes the hours of a plan as SVG; the path written. Raises WriteError."""
    from gigawatt.drawings.dispatch import dispatch_svg

    write_atomic(path, dispatch_svg(plan) + "\n")
    return path


def export_site(path: Path, overlays: Sequence[Path] = ()) -> PypsaFolder:
    """The same campus as a PyPSA network, with notes on what it cannot say.

    Errors: InputError as `plan_site`, and where `path` is a folder.
    """
    from gigawatt.exports.pypsa import write_pypsa

    if path.is_dir():
        message = "is a folder: name the site file; a plan keeps the answer to it, not its hours"
        raise InputError(Problem(message, file=str(path)))
    asked = read_question(path, overlays)
    return write_pypsa(asked.site, asked.technologies, asked.tariff, asked.years, asked.notes)


def import_network(folder: Path, out: Path) -> tuple[tuple[Path, ...], tuple[str, ...]]:
    """A PyPSA folder as a site file `out`, with its hours and its catalogue beside it: paths, and remarks.

    Errors: InputError for a folder that is no network of one campus, and for a name that is not .yaml.
    """
    from gigawatt.exports.pypsa_read import read_folder
    from gigawatt.exports.pypsa_site import energy_site

    if out.suffix != ".yaml":
        raise InputError(Problem("expected a name that ends in .yaml", "-o", str(out)))
    found = energy_site(read_folder(folder), out.stem)
    hours, catalogue = (out.with_name(f"{out.stem}-{name}") for name in ("hours.csv", "catalogue.yaml"))
    for path, text in ((hours, found.hours), (catalogue, found.catalogue), (out, found.site)):
        write_atomic(path, text)
    return (out, hours, catalogue), found.notes


def read_question(path: Path, overlays: Sequence[Path] = ()) -> EnergyQuestion:
    """The site file, its hours (beside it), and the rows of the catalogue that it names."""
    document = load_yaml(path)
    site = parse_record(document, EnergySite)
    own = (path.parent / site.catalogue,) if site.catalogue else ()
    catalogue = load_catalog((*overlays, *own))
    problems: list[Problem] = []
    technologies = {}
    for number, option in enumerate(site.build):
        try:
            technologies[option.technology] = catalogue.technology(option.technology)
        except UnknownIdError as error:
            problems.append(document.problem(str(error), ("build", number, "technology")))
    tariff = None
    if site.grid is not None:
        try:
            tariff = catalogue.tariff(site.grid.tariff)
        except UnknownIdError as error:
            problems.append(document.problem(str(error), ("grid", "tariff")))
    if problems:
        raise InputError(problems)
    return _restated(EnergyQuestion(site, technologies, tariff, _years(path, site)), catalogue.price_levels())


def _restated(asked: EnergyQuestion, levels: PriceLevels) -> EnergyQuestion:
    """With rows of the catalogue in dollars of the site's year, as far as that year and theirs are known."""
    year, tariff = asked.site.price_year, asked.tariff
    rows = {key: in_dollars_of(row, year, levels) for key, row in asked.technologies.items()}
    done = [restatement(asked.technologies[key], row) for key, row in rows.items()]
    if tariff is not None:
        restated = in_dollars_of(tariff, year, levels)
        done.append(restatement(tariff, restated))
        tariff = restated
    said = ", ".join(filter(None, done))
    note = f"Restated in dollars of {year} by consumer prices ({levels.source}): {said}."
    return replace(asked, technologies=rows, tariff=tariff, notes=(note,) if said else ())


def _years(path: Path, site: EnergySite) -> tuple[YearOfHours, ...]:
    hours = read_hours(path.parent / site.hours, site.columns)
    if site.prices is None:
        return (hours,)
    prices = site.prices
    return tuple(read_price_years(path.parent / prices.file, prices.column, prices.years, hours))
