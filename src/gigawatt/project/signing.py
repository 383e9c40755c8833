"""The portfolio of a plan: its roadmap with the work that the plan's runs take, solved; what to sign now."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from gigawatt.domain.blueprint import (
    Assumption,
    Blueprint,
    Derivation,
    HandedWork,
    Option,
    PortfolioAnswer,
    RunPlan,
    Signature,
)
from gigawatt.domain.portfolio import month_index, month_text
from gigawatt.domain.training import Binding
from gigawatt.errors import InfeasibleError, InputError

if TYPE_CHECKING:
    from gigawatt.domain.dates import PortfolioDates
    from gigawatt.domain.portfolio import Roadmap
    from gigawatt.domain.portfolio_plan import Portfolio, Signed

Progress = Callable[[int, int, str], None]


def sign_for(
    blueprint: Blueprint, roadmap: Roadmap, dates: PortfolioDates | None, file: str, progress: Progress
) -> tuple[Blueprint, Portfolio | None]:
    """The plan with its portfolio, and the portfolio whole; None where nothing meets the roadmap.

    `dates` are those behind the roadmap's futures.

    Raises InputError for work outside the roadmap's horizon.
    """
    from gigawatt.contract.portfolio import plan_portfolio

    handed = tuple(_handed(blueprint, roadmap))
    head: dict[str, Any] = {
        "title": roadmap.title,
        "price_year": roadmap.price_year,
        "handed": handed,
        "dates": dates,
    }
    progress(0, 0, f"portfolio of {file}")
    try:
        portfolio, _clock = plan_portfolio(_with_work(roadmap, handed), False, progress, dates)
    except InputError as error:
        raise InputError([replace(one, file=one.file or file) for one in error.problems]) from None
    except InfeasibleError as error:
        binding = (Binding(constraint="portfolio", message=str(error)),)
        return _noted(blueprint, PortfolioAnswer(**head, binding=binding), file), None
    head["dates"] = portfolio.dates
    answer = PortfolioAnswer(**head, **_proof(portfolio), **_decided(portfolio, roadmap))
    return _noted(blueprint, answer, file), portfolio


def _handed(blueprint: Blueprint, roadmap: Roadmap) -> Iterator[HandedWork]:
    """What runs take by the plan that the roadmap calls by the same name, by kinds that it knows."""
    for number, run in enumerate(blueprint.runs):
        asked = next((one for one in roadmap.training if one.id == run.id), None)
        for kind, stated in asked.work_gpu_h.items() if asked else ():
            position = _least(run, kind)
            if position is not None:
                yield HandedWork(
                    run=run.id,
                    kind=kind,
                    option=run.options[position].id,
                    pointer=f"/runs/{number}/options/{position}/gpu_hours",
                    work_gpu_h=run.options[position].gpu_hours or 0.0,
                    stated_gpu_h=stated,
                )


def _least(run: RunPlan, kind: str) -> int | None:
    """The option of a kind that the run decided for, else the one that takes the fewest accelerator-hours."""

    def rank(position: int) -> tuple[bool, float, int]:
        option = run.options[position]
        return option.id != run.decision.option, option.gpu_hours or 0.0, position

    of_kind = [number for number, option in enumerate(run.options) if _is_of(option, kind)]
    return min(of_kind, key=rank, default=None)


def _is_of(option: Option, kind: str) -> bool:
    return option.planned and option.accelerator == kind and option.gpu_hours is not None


def _with_work(roadmap: Roadmap, handed: tuple[HandedWork, ...]) -> Roadmap:
    training = tuple(
        run.model_copy(
            update={
                "work_gpu_h": run.work_gpu_h
                | {one.kind: one.work_gpu_h for one in handed if one.run == run.id}
            }
        )
        for run in roadmap.training
    )
    return roadmap.model_copy(update={"training": training})


def _proof(portfolio: Portfolio) -> dict[str, Any]:
    proof = portfolio.certificate
    return {
        "objective_usd": proof.objective_usd,
        "bound_usd": proof.bound_usd,
        "gap_frac": proof.gap_frac,
        "complete": proof.complete,
        "audited": portfolio.audit.holds,
    }


def _decided(portfolio: Portfolio, roadmap: Roadmap) -> dict[str, Any]:
    soon = month_text(month_index(roadmap.start) + roadmap.now_months)
    every = len(portfolio.audit.futures)
    sure = [one for one in portfolio.signed if len(one.futures) == every and not one.right]
    now = tuple(_signature(one) for one in sure if one.decided < soon)
    return {"now_until": soon, "sign_now": now, "num_later": len(portfolio.signed) - len(now)}


def _signature(one: Signed) -> Signature:
    return Signature(**{name: getattr(one, name) for name in Signature.model_fields})


def _noted(blueprint: Blueprint, answer: PortfolioAnswer, file: str) -> Blueprint:
    """The plan with the answer and the way back from it."""
    assumption = Assumption(
        key="portfolio",
        label="roadmap of what to own, rent and sign",
        value=answer.title,
        source=file,
        basis="estimate",
        note=f"dollars of {answer.price_year}",
    )
    derived = _derived(answer, f"/assumptions/{len(blueprint.assumptions)}")
    return blueprint.model_copy(
        update={
            "portfolio": answer,
            "assumptions": (*blueprint.assumptions, assumption),
            "derivations": tuple(sorted((*blueprint.derivations, *derived), key=lambda one: one.figure)),
        }
    )


def _derived(answer: PortfolioAnswer, roadmap: str) -> Iterator[Derivation]:
    """How the answer came about from the assumption `roadmap`, the work that is handed over, and dates."""
    blocks = answer.dates.blocks if answer.dates else ()
    dated = {f"/portfolio/dates/blocks/{number}": one.owner for number, one in enumerate(blocks)}
    yield Derivation(
        figure="/portfolio",
        law="contract.portfolio.plan_portfolio",
        inputs=(roadmap, *(one.pointer for one in answer.handed), *dated),
        note="all of it is in portfolio.json",
    )
    for number, handed in enumerate(answer.handed):
        figure = f"/portfolio/handed/{number}"
        yield Derivation(figure=figure, law="", inputs=(handed.pointer,), note="as planned")
    for number, cost in enumerate(answer.dates.costs if answer.dates else ()):
        fed = (pointer for pointer, owner in dated.items() if owner == cost.owner)
        figure, of = f"/portfolio/dates/costs/{number}", ("/portfolio/objective_usd", *fed)
        yield Derivation(figure=figure, law="contract.dates.priced", inputs=of)
