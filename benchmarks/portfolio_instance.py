"""Made-up roadmaps of any size by a seed: prices, terms, sites and demand in the ranges of the catalogue's
offers.

A fifth of the offers are month by month, the others for one to five years with leads, ramps, least amounts
and limits; some prices are lower at some sites. Sites have energised power that grows. Demand is two
training runs a year, two services that grow, and a research pool.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gigawatt.domain.portfolio import (
    Change,
    Chip,
    ContractOffer,
    Future,
    Limits,
    Place,
    PlannedRun,
    PowerStep,
    ResearchPool,
    Risk,
    Roadmap,
    Solving,
    Traffic,
    month_index,
    month_text,
)

START = "2027-01"
AVAILABLE_FRAC = 0.3
TERMS = (12, 12, 36, 36, 60)


def _month(number: int) -> str:
    return month_text(month_index(START) + number)


def _chips(rng: np.random.Generator, kinds: int) -> tuple[Chip, ...]:
    speed = np.sort(rng.uniform(1.0, 6.0, kinds))
    return tuple(
        Chip(
            id=f"kind{n}",
            power_w=float(1000.0 + 350.0 * speed[n]),
            equivalents_per_gpu=float(speed[n] / speed[0]),
        )
        for n in range(kinds)
    )


def _places(rng: np.random.Generator, sites: int, months: int, total_mw: float) -> tuple[Place, ...]:
    places = []
    for n in range(sites):
        share_mw = total_mw / sites * rng.uniform(0.6, 1.4)
        grows = [
            PowerStep(month=_month(m), power_w=1e6 * share_mw * (0.5 + 0.5 * m / months))
            for m in range(0, months, 12)
        ]
        places.append(Place(id=f"site{n}", energised=tuple(grows), pue=float(rng.uniform(1.08, 1.3))))
    return tuple(places)


def _offer(
    rng: np.random.Generator, number: int, chips: tuple[Chip, ...], sites: int, providers: int, peak: float
) -> ContractOffer:
    flexible = number % 5 == 0
    term = 1 if flexible else int(rng.choice(TERMS))
    discount = {1: 1.0, 12: 0.65, 36: 0.5, 60: 0.42}[term] * rng.uniform(0.85, 1.15)
    share = np.sqrt(AVAILABLE_FRAC)
    kinds = [chip for chip in chips if rng.random() < share] or [chips[int(rng.integers(len(chips)))]]
    places = [f"site{n}" for n in range(sites) if rng.random() < share] or [f"site{int(rng.integers(sites))}"]
    price = {
        chip.id: float(2.6 * chip.equivalents_per_gpu**0.9 * discount * rng.uniform(0.9, 1.1))
        for chip in kinds
    }
    spread = {name: float(rng.uniform(-0.08, 0.08)) for name in places}
    block = 8 if flexible else int(rng.choice([64, 72, 144]))
    least = 0 if flexible or rng.random() < 0.7 else 4 * block
    return ContractOffer(
        id=f"offer{number}",
        provider=f"provider{number % providers}",
        form="on-demand" if flexible else "reserved",
        price_usd_per_gpu_h=price,
        sites=tuple(places),
        site_change_frac=spread,
        term_months=term,
        lead_months=0 if flexible else int(rng.integers(0, 9)),
        block_accelerators=block,
        least_accelerators=least,
        most_accelerators=int(peak * rng.uniform(0.05, 0.3)),
        ramp_frac=(0.5, 1.0) if not flexible and rng.random() < 0.3 else (1.0,),
        goodput_frac=float(rng.uniform(0.88, 0.99)),
    )


def instance(
    months: int, offers: int, kinds: int, sites: int, seed: int = 1, providers: int = 9, **changed: Any
) -> Roadmap:
    """A roadmap with the asked number of each."""
    rng = np.random.default_rng(seed)
    chips = _chips(rng, kinds)
    peak = 30_000.0 * (offers / 40) ** 0.5
    speeds = {chip.id: chip.equivalents_per_gpu for chip in chips}
    runs = tuple(
        PlannedRun(
            id=f"run{n}",
            work_gpu_h={
                kind: peak * 730.5 * 1.2 * rng.uniform(0.7, 1.3) / speed for kind, speed in speeds.items()
            },
            start=_month(6 * n),
            deadline=_month(min(6 * n + 5, months - 1)),
            undone_usd=5.0 * peak * 730.5 * 4,
        )
        for n in range(months // 6)
    )
    services = tuple(
        Traffic(
            id=f"service{n}",
            tokens_per_s=peak * 0.12 * 1000.0,
            growth_frac=0.35,
            start=START,
            tokens_per_s_per_gpu={
                kind: 1000.0 * speed * rng.uniform(0.8, 1.2) for kind, speed in speeds.items()
            },
            unserved_usd_per_million_output_tokens=2.5,
        )
        for n in range(2)
    )
    research = ResearchPool(
        id="research", num_equivalents=peak * 0.1, growth_frac=0.2, start=START, unmet_usd_per_gpu_h=6.0
    )
    settings: dict[str, Any] = {
        "price_year": 2026,
        "discount_frac": 0.08,
        "limits": Limits(provider_frac=0.4),
        "solving": Solving(gap_frac=1e-3, time_limit_s=600.0),
    }
    return Roadmap(
        start=START,
        months=months,
        places=_places(rng, sites, months, peak * 3.0 * 1.5e-3),
        chips=chips,
        training=runs,
        serving=services,
        research=(research,),
        offers=tuple(_offer(rng, n, chips, sites, providers, peak) for n in range(offers)),
        **(settings | changed),
    )


def futures(months: int, count: int, seed: int = 2, reveal: int = 12) -> dict[str, Any]:
    """Futures of demand and prices that part after `reveal` months, with CVaR in the objective."""
    rng = np.random.default_rng(seed)
    made = []
    for n in range(count):
        demand = float(np.clip(rng.normal(0.0, 0.3), -0.6, 1.0))
        price = float(np.clip(rng.normal(0.0, 0.25), -0.5, 0.8))
        late = reveal + int(rng.integers(0, months - reveal))
        jump = float(rng.choice([-0.4, 0.0, 0.38], p=[0.25, 0.5, 0.25]))
        made.append(
            Future(
                id=f"f{n}",
                probability_frac=1.0 / count,
                changes=(
                    Change(month=_month(reveal), demand_change_frac=demand, price_change_frac=price),
                    Change(month=_month(late), price_change_frac=jump),
                ),
            )
        )
    return {
        "futures": tuple(made),
        "reveals": (_month(reveal),),
        "risk": Risk(cvar_weight_frac=0.3, cvar_level_frac=0.9),
    }
