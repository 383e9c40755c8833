"""The main job: a scenario file in, a plan directory out."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import gigawatt
from gigawatt.documents import canonical_json, digest, load_yaml, parse_record, read_record, read_text
from gigawatt.domain.blueprint import Blueprint
from gigawatt.domain.logbook import Logbook
from gigawatt.domain.scenario import Scenario
from gigawatt.project.annexes import read_annexes
from gigawatt.project.commitments import answer_annexes
from gigawatt.project.directory import (
    BLUEPRINT,
    LOGBOOK,
    PORTFOLIO,
    REPORT,
    SCENARIO,
    PlanDirectory,
    json_text,
    text_digest,
)
from gigawatt.project.planning import Designer, Progress, compose
from gigawatt.project.references import require_known_ids
from gigawatt.project.signing import sign_for

SOURCE = frozenset({".py", ".css", ".html", ".js", ".yaml"})
"""What artefacts are made with: code, style, behaviour and template of the report, template of a scenario."""


@dataclass(frozen=True)
class Plan:
    """A finished plan: where it is and what it says."""

    directory: Path
    artefacts: tuple[str, ...]
    blueprint: Blueprint
    skipped: bool
    """Whether the directory already held it."""

    @property
    def met(self) -> bool:
        """Whether every run has an option that meets its deadline, and the portfolio, where there is one, a
        plan that holds.
        """
        portfolio = self.blueprint.portfolio
        signed = portfolio is None or portfolio.audited
        return signed and all(run.decision.met for run in self.blueprint.runs)


def plan_scenario(
    scenario_path: str | Path,
    directory: str | Path | None = None,
    overlays: Sequence[Path] = (),
    design: Designer | None = None,
    progress: Progress | None = None,
) -> Plan:
    """Plan a scenario and write its directory (default: `plans/NAME` under the current folder).

    Nothing is done where the directory already holds the plan of the same inputs. Raises InputError with all
    problems of the scenario, UnknownIdError, and WriteError; nothing is then written.
    """
    from gigawatt.catalog import load_catalog

    scenario_path = Path(scenario_path)
    text = read_text(scenario_path)
    document = load_yaml(scenario_path)
    scenario = parse_record(document, Scenario)
    catalogue = load_catalog(overlays)
    named = _models(scenario, scenario_path.parent)
    ids = {run: model for run, model in named.items() if isinstance(model, str)}
    require_known_ids(document, scenario, ids, catalogue)
    models = {run: catalogue.model(model) for run, model in named.items()}
    place = PlanDirectory(Path(directory) if directory else default_directory(scenario_path))
    place.refuse_to_overwrite(text)
    inputs = {"scenario": text_digest(text)}
    inputs |= {f"model of {run}": digest(model) for run, model in models.items()}
    annexes = read_annexes(document, scenario, scenario_path.parent, overlays)
    inputs |= annexes.digests
    conditions = {"catalogue": catalogue.digest, "tool": gigawatt.__version__, "code": code_digest()}
    if place.holds(inputs | conditions):
        blueprint = read_record(place.path / BLUEPRINT, Blueprint)
        return Plan(place.path, place.artefacts(), blueprint, skipped=True)
    progress, version = progress or _silence, gigawatt.__version__
    answers = answer_annexes(annexes, scenario.seed, progress)
    composed, rehearsals = compose(
        scenario, catalogue, models, design or _designer(), inputs, version, progress, answers
    )
    contracts: dict[str, str] = dict(answers.artefacts())
    if answers.roadmap:
        composed, portfolio = sign_for(composed, answers.roadmap, answers.dates, scenario.portfolio, progress)
        contracts |= {PORTFOLIO: canonical_json(portfolio) + "\n"} if portfolio else {}
    blueprint, blueprint_text = sealed(composed)
    artefacts = {
        SCENARIO: text,
        BLUEPRINT: blueprint_text,
        REPORT: _report(blueprint),
        **contracts,
    }
    if rehearsals:
        logbook = Logbook(blueprint=blueprint.digest, rehearsals=rehearsals)
        artefacts[LOGBOOK] = json_text(logbook.model_dump(mode="json", by_alias=True))
    place.write(inputs | conditions, artefacts)
    return Plan(place.path, tuple(sorted(artefacts)), blueprint, skipped=False)


def default_directory(scenario_path: Path) -> Path:
    """`plans/` and the scenario's name; a file called scenario.yaml goes by the folder it lies in."""
    scenario_path = scenario_path.resolve()
    name = scenario_path.parent.name if scenario_path.stem == "scenario" else scenario_path.stem
    return Path("plans") / (name or "plan")


def sealed(blueprint: Blueprint) -> tuple[Blueprint, str]:
    """The blueprint with its own digest, and the text of its file."""
    content = blueprint.model_dump(mode="json", by_alias=True, exclude_none=True)
    seal = digest({key: value for key, value in content.items() if key != "digest"})
    return blueprint.model_copy(update={"digest": seal}), json_text(content | {"digest": seal})


@lru_cache(maxsize=1)
def code_digest() -> str:
    """The hash of gigawatt's own source: another version plans anew."""
    return source_digest(Path(gigawatt.__file__).parent)


def source_digest(root: Path) -> str:
    """The hash of all code, styles and templates below a folder; data has the catalogue's digest."""
    total = hashlib.sha256()
    for path in sorted(root.rglob("*")):
        inside = path.relative_to(root)
        if path.suffix in SOURCE and inside.parts[0] != "data":
            total.update(f"{inside.as_posix()}\0".encode())
            total.update(hashlib.sha256(path.read_bytes()).digest())
    return "sha256:" + total.hexdigest()


def _models(scenario: Scenario, folder: Path) -> dict[str, str | Path]:
    """The model of each run: an id, or a path that counts from the scenario's own folder."""
    models: dict[str, str | Path] = {}
    for run in scenario.runs:
        beside = folder / run.model
        is_path = run.model.endswith(".json") or beside.exists()
        models[run.id] = beside if is_path else run.model
    return models


def _silence(done: int, total: int, label: str) -> None:
    """Progress that nobody watches."""


def _designer() -> Designer:
    from gigawatt.design.training import design_training

    return design_training


def _report(blueprint: Blueprint) -> str:
    from gigawatt.report import render_report

    return render_report(blueprint)
