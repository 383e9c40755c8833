"""A construction project by name in, its risk out: what is wrong with the file is named all at once."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from gigawatt.documents import Document, KeyPath, load_yaml, parse_record, write_atomic
from gigawatt.domain.record import Basis
from gigawatt.domain.schedule import EVERY_DAY, ConstructionProject, Duration, SchedulePrior, ScheduleRisk
from gigawatt.errors import InputError, Problem


def read_project(path: Path, overlays: Sequence[Path] = ()) -> ConstructionProject:
    """The project in a YAML file, with its priors looked up in the catalogue.

    Raises InputError with everything that is wrong: keys, units, dates and points out of order, names that
    are not there, and circles.
    """
    from gigawatt.catalog import load_catalog

    document = load_yaml(path)
    problems = list(_references(document))
    project = None
    try:
        project = parse_record(document, ConstructionProject)
    except InputError as error:
        problems += error.problems
    rows = load_catalog(overlays).rows("schedule")
    priors = {row.id: row for row in rows if isinstance(row, SchedulePrior)}
    problems += _unknown_priors(document, tuple(priors))
    if problems or project is None:
        raise InputError(sorted(problems, key=lambda one: (one.line, one.column)))

    def looked_up(duration: Duration) -> Duration:
        if not duration.prior:
            return duration
        prior = priors[duration.prior]
        return Duration(
            shape="lognormal",
            p10_s=prior.p10_s,
            p90_s=prior.p90_s,
            source=prior.source,
            basis=_weaker(prior),
            note=f"prior {prior.id}" + (f": {prior.note}" if prior.note else ""),
        )

    activities = [one.model_copy(update={"duration": looked_up(one.duration)}) for one in project.activities]
    risks = [one.model_copy(update={"delay": looked_up(one.delay)}) for one in project.risks]
    return project.model_copy(update={"activities": tuple(activities), "risks": tuple(risks)})


def schedule_risk(
    path: Path,
    num_samples: int,
    seed: int = 1,
    workers: int | None = None,
    overlays: Sequence[Path] = (),
) -> ScheduleRisk:
    """Construction risk of the project in a file. Raises InputError as `read_project`."""
    project = read_project(path, overlays)
    from gigawatt.contract.schedule import simulate_schedule

    return simulate_schedule(project, num_samples, seed, workers)


def write_futures(
    path: Path,
    out: Path,
    num_futures: int,
    num_samples: int,
    seed: int = 1,
    workers: int | None = None,
    overlays: Sequence[Path] = (),
) -> Path:
    """Writes the dates of the project in a file as `futures` of a roadmap; the path written.

    Raises InputError as `read_project` and where a block has no site, WriteError.
    """
    from gigawatt.contract.schedule_scenarios import slip_futures

    futures = slip_futures(read_project(path, overlays), num_futures, num_samples, seed, workers)
    lines = [f"# Dates of {path.name} as futures of a roadmap: {num_samples:,} outcomes, seed {seed}."]
    lines.append("futures:")
    for one in futures:
        changes = ", ".join(
            f"{{month: {change.month}, sites: [{site}], slip_months: {change.slip_months}}}"
            for change in one.changes
            for site in change.sites
        )
        lines.append(
            f"  - {{id: {one.id}, probability_frac: {one.probability_frac!r}, changes: [{changes}]}}"
        )
    write_atomic(out, "\n".join(lines) + "\n")
    return out


def draw_schedule(risk: ScheduleRisk, path: Path) -> Path:
    """Writes the Gantt chart as SVG; the path written. Raises WriteError."""
    from gigawatt.drawings.gantt import gantt_svg

    write_atomic(path, gantt_svg(risk) + "\n")
    return path


def _weaker(prior: SchedulePrior) -> Basis:
    """A distribution of which one end is an estimate is one."""
    ends = [prior.provenance_of(name).basis for name in ("p10_s", "p90_s")]
    return "estimate" if "estimate" in ends else ends[0]


def _rows(document: Document, section: str) -> Iterator[tuple[KeyPath, Mapping[str, Any]]]:
    """The rows of a list of the file that are mappings, each with its place, before anything is checked."""
    rows = document.value.get(section, ()) if isinstance(document.value, dict) else ()
    for number, row in enumerate(rows if isinstance(rows, tuple) else ()):
        if isinstance(row, dict):
            yield (section, number), row


def _ids(document: Document, *sections: str) -> list[str]:
    return [str(row["id"]) for section in sections for _, row in _rows(document, section) if "id" in row]


def _texts(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,) if isinstance(value, str) else ()


def _references(document: Document) -> Iterator[Problem]:
    yield from _twice(document)
    asked: tuple[tuple[str, str, tuple[str, ...], str], ...] = (
        ("activities", "site", ("sites",), "site"),
        ("activities", "calendar", ("calendars",), "calendar"),
        ("activities", "shares", ("factors",), "factor"),
        ("milestones", "site", ("sites",), "site"),
        ("sites", "calendar", ("calendars",), "calendar"),
        ("risks", "activities", ("activities",), "activity"),
    )
    for section, key, known, noun in asked:
        names = _ids(document, *known) + [EVERY_DAY] * (noun == "calendar")
        for at, row in _rows(document, section):
            for path, name in _named(at, key, row.get(key)):
                if name not in names:
                    yield document.problem(_unknown(noun, name, names), path)
    yield from _links(document)
    yield from _future_past(document)


def _future_past(document: Document) -> Iterator[Problem]:
    """What is said to have been, and lies ahead of the day from which on everything is drawn."""
    start = document.value.get("start") if isinstance(document.value, dict) else None
    for at, row in _rows(document, "activities"):
        for name in ("started", "finished"):
            day = row.get(name)
            if isinstance(day, str) and isinstance(start, str) and _is_day(day) and day > start:
                yield document.problem(f"{day} is after the start of the project, {start}", (*at, name))


def _is_day(text: str) -> bool:
    return re.fullmatch(r"\d{4}-\d\d-\d\d", text) is not None


def _named(at: KeyPath, key: str, value: Any) -> Iterator[tuple[KeyPath, str]]:
    if isinstance(value, str) and value:
        yield (*at, key), value
    for number, name in enumerate(value if isinstance(value, tuple) else ()):
        if isinstance(name, str):
            yield (*at, key, number), name


def _unknown(noun: str, name: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    hint = f'did you mean "{near[0]}"?' if near else f"there are {', '.join(known) or 'none'}"
    return f'no {noun} "{name}" in this file: {hint}'


def _twice(document: Document) -> Iterator[Problem]:
    for sections in (("activities", "milestones"), ("sites",), ("calendars",), ("factors",), ("risks",)):
        seen: set[str] = set()
        for section in sections:
            for at, row in _rows(document, section):
                name = str(row.get("id", ""))
                if name and name in seen:
                    yield document.problem(f'"{name}" is an id given twice', (*at, "id"))
                seen.add(name)


def _links(document: Document) -> Iterator[Problem]:
    """Predecessors that are not there, and circles."""
    from gigawatt.contract.schedule_network import find_cycle

    names = _ids(document, "activities", "milestones")
    waits_for: dict[str, list[str]] = {}
    places: dict[tuple[str, str], KeyPath] = {}
    for section in ("activities", "milestones"):
        for at, row in _rows(document, section):
            after = row.get("after", ())
            for number, link in enumerate(after if isinstance(after, tuple) else ()):
                name = link.get("activity") if isinstance(link, dict) else link
                path = (*at, "after", number, *(("activity",) if isinstance(link, dict) else ()))
                if not isinstance(name, str):
                    continue
                if name not in names:
                    yield document.problem(_unknown("activity or milestone", name, names), path)
                owner = str(row.get("id", ""))
                waits_for.setdefault(owner, []).append(name)
                places[owner, name] = path
    while cycle := find_cycle(waits_for):
        text = " -> ".join(cycle)
        yield document.problem(f"a circle, each waits for the next: {text}", places[cycle[0], cycle[1]])
        waits_for[cycle[0]] = [name for name in waits_for[cycle[0]] if name != cycle[1]]


def _unknown_priors(document: Document, known: Sequence[str]) -> Iterator[Problem]:
    for section, key in (("activities", "duration"), ("risks", "delay")):
        for at, row in _rows(document, section):
            duration = row.get(key)
            name = duration.get("prior") if isinstance(duration, dict) else None
            if isinstance(name, str) and name not in known:
                near = difflib.get_close_matches(name, known, n=1)
                hint = f': did you mean "{near[0]}"?' if near else ""
                message = f'no prior "{name}" in the catalogue{hint} (`gigawatt catalog list schedule`)'
                yield document.problem(message, (*at, key, "prior"))
