"""A rehearsal can be replayed from its log, whatever stopped the writing of it."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from gigawatt.catalog import load_catalog
from gigawatt.errors import InputError
from gigawatt.exports.perfetto import written_trace
from gigawatt.exports.spells import COLUMNS, STATES, read_spells, written_spells
from gigawatt.operate import world
from gigawatt.operate.cast import SCOPES, Cast, cast_of
from gigawatt.operate.ledger import Ledger
from gigawatt.operate.rehearse import TIMELINE_BINS, Inputs, Outcome, rehearse
from gigawatt.project.fleet import read_fleet

FLEET = """
name: small
system: hgx-h100
lasts_s: 40 days
sites:
  - {name: east, num_nodes: 24, num_spares: 1}
  - {name: west, num_nodes: 16}
tenants: [{name: research}, {name: pretraining}]
runs:
  - {name: model, tenant: pretraining, num_gpus: 96, work_s: 20 days, priority: 5, checkpoint_write_s: 1 min}
  - {name: many, tenant: research, num_gpus: 16, work_s: 3 days, count: 4, checkpoint_write_s: 1 min}
mixes:
  - name: small
    tenant: research
    site: west
    jobs_per_s: 30 events/day
    sizes: {1: 3, 4: 2, 8: 2}
    median_work_s: 1 h
    mean_work_s: 4 h
hazards: {rate_ratio: 20}
policy: {quarantine_after: 3}
maintenance: {every_s: 20 days, lasts_s: 4 h}
"""


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    path = tmp_path_factory.mktemp("fleet") / "fleet.yaml"
    path.write_text(FLEET)
    return read_fleet(path, load_catalog())


@pytest.fixture(scope="module")
def cast(inputs: Inputs) -> Cast:
    return cast_of(inputs, 3)


@pytest.fixture(scope="module")
def written(inputs: Inputs, cast: Cast) -> tuple[Outcome, bytes, bytes]:
    """What became of the fleet, its log as CSV, and its trace."""
    log, trace = io.BytesIO(), io.BytesIO()
    with written_spells(log, ".csv", cast) as keep, written_trace(trace, cast) as writing:

        def both(rows) -> None:
            keep(rows)
            writing.add(rows)

        outcome = rehearse(inputs, 3, keep=both)
        writing.add_timeline(outcome.timeline)
    return outcome, log.getvalue(), trace.getvalue()


def folded(path: Path, lasts_s: float) -> tuple[Ledger, tuple[str, ...]]:
    log = read_spells(str(path))
    ledger = Ledger(log.tenant, len(log.tenants), len(log.hazards), lasts_s, TIMELINE_BINS)
    ledger.add(log.rows)
    return ledger, log.tenants


def test_the_log_alone_gives_the_same_shares_to_the_last_bit(inputs, written, tmp_path: Path) -> None:
    outcome, log, _ = written
    path = tmp_path / "log.csv"
    path.write_bytes(log)
    ledger, tenants = folded(path, inputs.plan.lasts_s)
    assert ledger.shares() == outcome.figures.shares
    assert outcome.figures.shares.lost_gpu_h > 0
    for one in outcome.figures.tenants:
        assert ledger.shares(tenants.index(one.tenant)) == one.shares
    assert ledger.out_gpu_h() == outcome.figures.out_gpu_h
    assert ledger.spare_gpu_h() == outcome.figures.spare_gpu_h


def test_causes_are_those_of_the_rehearsal(written, tmp_path: Path) -> None:
    outcome, log, _ = written
    path = tmp_path / "log.csv"
    path.write_bytes(log)
    rows = [line.split(",") for line in log.decode().splitlines()[1:]]
    stalled = [row[6] for row in rows if row[5] == "stalled"]
    counted = {one.hazard: one.num_interruptions for one in outcome.figures.causes if one.hazard != "planned"}
    assert {name: stalled.count(name) for name in counted} == counted


def test_a_log_that_breaks_off_is_read_up_to_its_last_whole_line(written, tmp_path: Path) -> None:
    _, log, _ = written
    path = tmp_path / "log.csv"
    path.write_bytes(log)
    whole = read_spells(str(path))
    path.write_bytes(log[:-7])
    broken = read_spells(str(path))
    assert (whole.is_whole, broken.is_whole) == (True, False)
    assert len(broken.rows) == len(whole.rows) - 1
    assert (broken.rows.begin_s == whole.rows.begin_s[:-1]).all()


def test_lines_that_are_no_spells_are_named(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    header = ",".join(COLUMNS)
    path.write_text(f"{header}\n0.0,1.0,job,a,t,running,,8,0,8.0,0.0,0.0,0.0\n0.0,x,job,a,t,running,,8,0\n")
    with pytest.raises(InputError, match=r"log\.csv:3:\d+: is no spell"):
        read_spells(str(path))
    path.write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match="expected the columns begin_s"):
        read_spells(str(path))


def test_parquet_holds_the_same(inputs, cast, written) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    file = io.BytesIO()
    with written_spells(file, ".parquet", cast) as keep:
        rehearse(inputs, 3, keep=keep)
    rows = parquet.read_table(io.BytesIO(file.getvalue())).to_pylist()
    lines = written[1].decode().splitlines()[1:]
    assert [",".join(str(value) for value in row.values()) for row in rows] == lines


def test_another_kind_of_log_is_refused(cast) -> None:
    with (
        pytest.raises(InputError, match=r"a log is written as \.csv or \.parquet"),
        written_spells(io.BytesIO(), ".txt", cast),
    ):
        pass


def test_every_state_has_its_name() -> None:
    named = {
        world.WAITING: "waiting",
        world.RUNNING: "running",
        world.STALLED: "stalled",
        world.STANDING_BY: "standing-by",
        world.FAULTY: "faulty",
        world.PART_WAIT: "waits-for-part",
        world.BURN_IN: "burn-in",
        world.MAINTENANCE: "maintenance",
    }
    assert {number: STATES[number] for number in named} == named
    assert len(STATES) == world.DOMAIN_OUT + 1


def test_who_is_who(cast) -> None:
    """24 + 16 nodes, in racks of 4, in pods of 8 racks, on two sites."""
    places = {0: "east/node-0", 23: "east/node-23", 24: "west/node-0", 40: "east/rack-0", 46: "west/rack-0"}
    places |= {49: "west/rack-3", 50: "east/pod-0", 51: "west/pod-0", 52: "east", 53: "west"}
    assert {number: cast.asset(number) for number in places} == places
    assert [SCOPES[cast.scope(number)] for number in (0, 40, 50, 53)] == ["node", "rack", "pod", "site"]
    names = [cast.job(number) for number in range(len(cast.kind))]
    assert len(set(names)) == len(names)
    assert names[:5] == ["model", "many[0]", "many[1]", "many[2]", "many[3]"]


def test_the_trace_is_one_that_chrome_opens(inputs, written) -> None:
    """Each slice has its times in microseconds; those of one row follow each other."""
    outcome, _, trace = written
    events = json.loads(trace)
    processes = {e["pid"]: e["args"]["name"] for e in events if e["name"] == "process_name"}
    assert list(processes.values()) == [
        "fleet",
        "jobs of research",
        "jobs of pretraining",
        "repairs at east",
        "repairs at west",
    ]
    slices = [event for event in events if event["ph"] == "X"]
    ends: dict[tuple[int, int], float] = {}
    for event in sorted(slices, key=lambda one: one["ts"]):
        row = (event["pid"], event["tid"])
        assert event["ts"] >= ends.get(row, 0.0)
        ends[row] = event["ts"] + event["dur"]
    assert max(ends.values()) <= inputs.plan.lasts_s * 1e6
    counters = [event for event in events if event["ph"] == "C" and event["name"] == "interruptions"]
    assert sum(event["args"]["jobs"] for event in counters) == outcome.figures.num_interruptions - sum(
        one.num_interruptions for one in outcome.figures.causes if one.hazard == "planned"
    )


def test_a_trace_that_breaks_off_lacks_its_bracket_alone(cast) -> None:
    file = io.BytesIO()
    with pytest.raises(KeyboardInterrupt), written_trace(file, cast):
        raise KeyboardInterrupt
    assert json.loads(file.getvalue() + b"]")
