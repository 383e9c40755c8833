"""How long construction risk takes: 500 activities, 100,000 outcomes, ten milestones, on all processors.

A made-up programme from a seed: PERT, triangular and lognormal durations, two or three predecessors each
(finish-start with lags, start-start, finish-finish), twelve shared suppliers, ten discrete risks, calendars
of six and five days with holidays and a winter stop. Timed is everything from the records to the artefact:
tables, draws, dates, percentiles, criticality, drivers. Compiling the kernel is not: it is kept on disk.

Where `GIGAWATT_PEER_PYTHON` names an interpreter that has mcprojsim, it is run in turn on a network of the
same size (`peer_mcprojsim.py`).
"""

from __future__ import annotations

import json
import os
import random
import subprocess
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from measure import Figures, measured, report

from gigawatt.contract.schedule import draw, simulate_schedule
from gigawatt.contract.schedule_network import compile_project
from gigawatt.domain.schedule import (
    Activity,
    ConstructionProject,
    DiscreteRisk,
    Duration,
    Link,
    Milestone,
    SharedFactor,
    Stop,
    WorkCalendar,
)

NUM_ACTIVITIES, NUM_SAMPLES, NUM_MILESTONES, SEED = 500, 100_000, 10, 20261128
WEEK_S, HOUR_S, DAY_H = 604800.0, 3600.0, 24.0
WORKING = ("mon", "tue", "wed", "thu", "fri", "sat")


def duration(draw: random.Random) -> Duration:
    """One of three forms, some weeks long."""
    low = draw.uniform(2.0, 20.0)
    likely = low * draw.uniform(1.0, 1.8)
    high = likely * draw.uniform(1.1, 2.5)
    points = {"low_s": low * WEEK_S, "likely_s": likely * WEEK_S, "high_s": high * WEEK_S}
    form = draw.randrange(3)
    if form == 2:
        return Duration(p10_s=low * WEEK_S, p90_s=high * WEEK_S)
    return Duration(shape="pert" if form else "triangular", **points)


def programme(num_activities: int = NUM_ACTIVITIES, seed: int = SEED) -> ConstructionProject:
    """A programme of so many activities in layers, the same for a seed."""
    draw = random.Random(seed)
    kinds = ("finish-start", "finish-start", "finish-start", "start-start", "finish-finish")
    activities = []
    for number in range(num_activities):
        others = range(max(0, number - 40), number)
        chosen = draw.sample(others, min(len(others), draw.choice((2, 2, 3))))
        after = tuple(
            Link(activity=f"a{other}", kind=draw.choice(kinds), lag_s=draw.choice((0.0, 0.0, WEEK_S)))
            for other in sorted(chosen)
        )
        shares = (f"f{draw.randrange(12)}",) if draw.random() < 0.4 else ()
        calendar = draw.choice(("every-day", "builders", "northern"))
        activities.append(
            Activity(id=f"a{number}", duration=duration(draw), after=after, shares=shares, calendar=calendar)
        )
    step = num_activities // NUM_MILESTONES
    return ConstructionProject(
        title="made up",
        start=date(2027, 1, 4),
        price_year=2026,
        calendars=(
            WorkCalendar(id="builders", working_days=WORKING, holidays=(date(2027, 7, 5), date(2028, 7, 4))),
            WorkCalendar(id="northern", working_days=WORKING[:5], stops=(Stop(first="12-15", last="03-01"),)),
        ),
        factors=tuple(SharedFactor(id=f"f{number}", correlation_frac=0.5) for number in range(12)),
        activities=tuple(activities),
        risks=tuple(
            DiscreteRisk(
                id=f"r{number}",
                probability_frac=0.2,
                delay=duration(draw),
                activities=tuple(f"a{one}" for one in sorted(draw.sample(range(num_activities), 3))),
            )
            for number in range(10)
        ),
        milestones=tuple(
            Milestone(
                id=f"m{number}",
                after=(Link(activity=f"a{(number + 1) * step - 1}"),),
                power_w=1e8,
                target=date(2032, 1, 1),
            )
            for number in range(NUM_MILESTONES)
        ),
    )


def plain_programme() -> ConstructionProject:
    """The same network with triangular durations and finish-start links alone, as the peer understands it."""
    draw = random.Random(SEED)
    activities = []
    for number in range(NUM_ACTIVITIES):
        others = range(max(0, number - 40), number)
        low = round(draw.uniform(2.0, 20.0), 1) * WEEK_S
        points = {"low_s": low, "likely_s": 1.5 * low, "high_s": 3.0 * low}
        chosen = sorted(draw.sample(others, min(len(others), draw.choice((2, 2, 3)))))
        after = tuple(Link(activity=f"a{other}") for other in chosen)
        activities.append(
            Activity(id=f"a{number}", duration=Duration(shape="triangular", **points), after=after)
        )
    end = Milestone(id="end", after=tuple(Link(activity=one.id) for one in activities))
    return ConstructionProject(
        title="plain",
        start=date(2027, 1, 4),
        price_year=2026,
        activities=tuple(activities),
        milestones=(end,),
    )


MCPROJSIM = {
    "name": "mcprojsim 0.15.2, dependencies only, one process",
    "work": {"activities": 500, "samples": 2000},
    "cpu_s": 6.5,
    "rates": {"durations_per_cpu_s": 153_000.0},
    "p50_hours": 257_465.0,
    "p90_hours": 266_245.0,
    "ours": {
        "samples": 100_000,
        "durations_per_cpu_s": 40_400_000.0,
        "p50_hours": 257_542.0,
        "p90_hours": 266_774.0,
    },
    "source": "measured on one core of a 2-core x86-64 machine by peer_mcprojsim.py",
}


def peer() -> dict[str, Any]:
    """mcprojsim where it can be run, with our end of the same network beside its own; else what it took."""
    python = os.environ.get("GIGAWATT_PEER_PYTHON")
    if not python:
        return MCPROJSIM
    project = plain_programme()
    network = [
        [
            one.id,
            *(
                float(point) / HOUR_S
                for point in (one.duration.low_s, one.duration.likely_s, one.duration.high_s)
            ),
            [link.activity for link in one.after],
        ]
        for one in project.activities
    ]
    script = Path(__file__).with_name("peer_mcprojsim.py")
    done = subprocess.run(
        [python, str(script)], input=json.dumps(network), capture_output=True, text=True, check=True
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    with measured() as spent:
        ends = draw(compile_project(project), NUM_SAMPLES, SEED).reached_days[:, 0] * DAY_H
    found["ours"] = {
        "samples": NUM_SAMPLES,
        "cpu_s": spent.cpu_s,
        "durations_per_cpu_s": NUM_ACTIVITIES * NUM_SAMPLES / spent.cpu_s,
        "p50_hours": float(np.quantile(ends, 0.5)),
        "p90_hours": float(np.quantile(ends, 0.9)),
    }
    return found


def run() -> Figures:
    """Simulate once, the kernel compiled."""
    project = programme()
    simulate_schedule(programme(20), 1024)
    with measured() as spent:
        risk = simulate_schedule(project, NUM_SAMPLES, SEED)
    drawn = NUM_ACTIVITIES * NUM_SAMPLES
    links = sum(len(one.after) for one in project.activities)
    last = risk.milestones[-1]
    return Figures(
        name="schedule",
        work={
            "activities": NUM_ACTIVITIES,
            "links": links,
            "samples": NUM_SAMPLES,
            "milestones": NUM_MILESTONES,
            "durations_drawn": drawn,
        },
        spent=spent,
        rates={"durations_per_cpu_s": drawn / spent.cpu_s, "samples_per_cpu_s": NUM_SAMPLES / spent.cpu_s},
        peer=peer(),
        notes={"last_milestone": f"{last.p10} {last.p50} {last.p90}", "processors": os.cpu_count()},
    )


if __name__ == "__main__":
    report(run, __doc__ or "")
