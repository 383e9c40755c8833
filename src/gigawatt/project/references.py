"""What a scenario names, looked up in the catalogue before anything is planned."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from gigawatt.documents import Document, KeyPath
from gigawatt.errors import Problem, UnknownIdError

if TYPE_CHECKING:
    from gigawatt.catalog import Catalog
    from gigawatt.domain.market import Offer
    from gigawatt.domain.scenario import Rental, Scenario

_Named = Iterator[tuple[str, str, KeyPath]]


def require_known_ids(
    document: Document, scenario: Scenario, models: dict[str, str], catalogue: Catalog
) -> None:
    """Raises UnknownIdError with all that the catalogue does not have, each with its line and column.

    `models` are the catalogue's ids among the runs' models, by run.
    """
    problems = list(_problems(document, scenario, models, catalogue))
    if problems:
        raise UnknownIdError(sorted(problems, key=lambda problem: (problem.line, problem.column)))


def _problems(
    document: Document, scenario: Scenario, models: dict[str, str], catalogue: Catalog
) -> Iterator[Problem]:
    for section, name, at in _named(scenario, models):
        try:
            catalogue.row(section, name)
        except UnknownIdError as error:
            yield document.problem(str(error), _written(document, at))
    for number, rental in enumerate(scenario.rentals):
        for message, at in _never_offered(rental, catalogue.offers):
            yield document.problem(message, _written(document, ("rentals", number, "where", *at)))


def _never_offered(rental: Rental, offers: Sequence[Offer]) -> Iterator[tuple[str, KeyPath]]:
    """Words of a filter that stand in no offer at all."""
    for field in ("provider", "region", "term"):
        known = sorted({getattr(offer, field) for offer in offers} - {""})
        for number, word in enumerate(getattr(rental.where, field, ())):
            if word not in known:
                near = difflib.get_close_matches(word, known, n=1)
                hint = f'did you mean "{near[0]}"?' if near else f"known are {', '.join(known)}"
                yield f'no offer has the {field} "{word}": {hint}', (field, number)


def _named(scenario: Scenario, models: dict[str, str]) -> _Named:
    """Section, id and place of everything that the scenario calls by the catalogue's name."""
    for number, run in enumerate(scenario.runs):
        if run.id in models:
            yield "models", models[run.id], ("runs", number, "model")
    for number, cluster in enumerate(scenario.clusters):
        yield "systems", cluster.system, ("clusters", number, "system")
        if cluster.fabric:
            yield "fabrics", cluster.fabric, ("clusters", number, "fabric")
        if cluster.site:
            yield "sites", cluster.site, ("clusters", number, "site")
    for number, rental in enumerate(scenario.rentals):
        yield from _named_in(rental, ("rentals", number))


def _named_in(rental: Rental, at: KeyPath) -> _Named:
    if rental.system:
        yield "systems", rental.system, (*at, "system")
    for number, name in enumerate(rental.offers):
        yield "offers", name, (*at, "offers", number)
    if rental.where is None:
        return
    for number, name in enumerate(rental.where.accelerator):
        yield "accelerators", name, (*at, "where", "accelerator", number)
    for number, name in enumerate(rental.where.system):
        yield "systems", name, (*at, "where", "system", number)


def _written(document: Document, at: KeyPath) -> KeyPath:
    """The path as the file has it: where a list may be given as one value, without an index."""
    return at[:-1] if isinstance(at[-1], int) and isinstance(document.part(at[:-1]), str) else at
