"""The simulated world behind a fleet: jobs that make progress, assets that fail, hands that mend them.

Policies never see it. An asset is what can fail as one: a node, or a domain of nodes (a rack, a pod, the site
of a pool). Each job that holds GPUs has a slot; each asset, slot, part, skill, rack under maintenance and the
power cap have one thing that is due (`gigawatt.operate.due`). All times are whole multiples of `TICK_S`, so
that sums of GPU-seconds are exact in double precision and the books close to nothing.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gigawatt.operate.due import Due
from gigawatt.operate.tables import Floats, Ints, Table

TICK_S = 2.0**-10
"""s; 2^53 ticks are the GPU-seconds of 100,000 GPUs in 2.8 years."""
MOST_INTERVAL_S = 2.0**40
"""s; a checkpoint interval that no job lives to see."""

WAITING, STARTING, RUNNING, STALLED, SAVING, DONE = range(6)
"""What a job does: waits in line; loads; works; hangs, unnoticed; saves before it leaves; no more."""
STANDING_BY = 6
"""What a spare node does."""
SERVICE, FAULTY, DRAINING, TRIAGE, REBOOT = range(STANDING_BY + 1, STANDING_BY + 6)
PART_WAIT, HAND_WAIT, HANDS_ON, BURN_IN, MAINTENANCE = range(REBOOT + 1, REBOOT + 6)
"""What an asset does: serves; is broken, unnoticed; waits for its jobs to go; stages of its repair."""
DOMAIN_OUT = MAINTENANCE + 1
"""What the log says of a sound and empty node while a domain that it is in is out."""
RESTARTS, REBOOTS, REPAIRS = 0, 1, 2
"""What mends a fault: nothing but a restart of the job; a reset of the node; hands."""
STOPS, SLOWS, CORRUPTS = 0, 1, 2
GPU, NODE_SCOPE, RACK_SCOPE, POD_SCOPE, SITE_SCOPE = range(5)
PLANNED = -2
"""A cause: maintenance, preemption or a cap, not a fault."""

WORK = np.dtype(
    [
        ("submit_s", np.float64),
        ("total_gpu_s", np.float64),  # of work, at full speed
        ("saved_gpu_s", np.float64),  # of work that a checkpoint holds
        ("unsaved_gpu_s", np.float64),  # of work since, as of `since_s`
        ("clean_gpu_s", np.float64),  # of work before corruption began; infinity where none has
        ("interval_s", np.float64),  # of work between checkpoints
        ("planned_mttf_s", np.float64),  # between stops, as planned; infinity: its interval stays as it is
        ("write_s", np.float64),  # that a checkpoint stops the work for
        ("restart_s", np.float64),  # from all nodes at hand to the first step
        ("speed_frac", np.float64),  # of the slowest node, and of the spread over pods
        ("state", np.int64),
        ("since_s", np.float64),  # when the state, or the speed, began
        ("slot", np.int64),
        ("cause", np.int64),  # of the last stop: a hazard, PLANNED, or NONE
        ("hot_nodes", np.int64),  # of its nodes, idle ones kept to take the place of broken ones
        ("wanted_nodes", np.int64),  # of them when it started
        ("wanted_gpus", np.int64),  # with the idle ones
        ("min_gpus", np.int64),  # an elastic job goes on with
        ("first_start_s", np.float64),
        ("done_s", np.float64),
        ("num_starts", np.int64),
        ("num_faults", np.int64),
    ]
)
ASSET = np.dtype(
    [
        ("scope", np.int64),
        ("pool", np.int64),
        ("first_node", np.int64),  # of a domain; of a node itself
        ("end_node", np.int64),
        ("stage", np.int64),
        ("since_s", np.float64),
        ("cause", np.int64),  # the hazard it suffers from
        ("outcome", np.int64),  # RESTARTS, REBOOTS or REPAIRS
        ("frailty_ratio", np.float64),  # its rate over a sound one's
        ("new_since_s", np.float64),  # when what fails in it was put in
        ("speed_frac", np.float64),
        ("outages", np.int64),  # of domains that a node is in
        ("num_held", np.int64),  # jobs on a node
        ("is_spare", np.bool_),
        ("replaced", np.bool_),  # whether this repair puts in a new part
        ("is_replaced_whole", np.bool_),  # whether it puts in another node
        ("part", np.int64),  # that this repair takes, NONE where it takes none
        ("recent_faults", np.float64),  # counted with half of them forgotten every window
        ("recent_at_s", np.float64),
        ("num_candidates", np.int64),  # of faults drawn so far
        ("num_draws", np.int64),  # of numbers for its repairs
        ("num_faults", np.int64),
        ("next", np.int64),  # who waits behind it for a part or for hands
    ]
)
HAZARD = np.dtype(
    [
        ("scope", np.int64),
        ("effect", np.int64),
        ("speed_frac", np.float64),
        ("infant_ratio", np.float64),
        ("infant_s", np.float64),
        ("detection_s", np.float64),
        ("misdiagnosed_frac", np.float64),
        ("reboot_frac", np.float64),
        ("repair_frac", np.float64),
        ("part", np.int64),
        ("part_frac", np.float64),
        ("hands_on_s", np.float64),
        ("skill", np.int64),
        ("failed_repair_frac", np.float64),
    ]
)
PART = np.dtype(
    [
        ("num_stock", np.int64),
        ("num_ordered", np.int64),  # on their way, in the part's ring of arrivals
        ("ring_first", np.int64),
        ("lead_time_s", np.float64),
        ("queue_first", np.int64),
        ("queue_last", np.int64),
        ("num_used", np.int64),
        ("num_short", np.int64),  # demands that found none
    ]
)
SKILL = np.dtype(
    [
        ("on_duty", np.int64),
        ("num_busy", np.int64),
        ("response_s", np.float64),  # from the call to the begin of the work
        ("first_shift", np.int64),
        ("end_shift", np.int64),
        ("next_shift", np.int64),
        ("queue_first", np.int64),
        ("queue_last", np.int64),
        ("num_jobs", np.int64),
        ("busy_s", np.float64),  # worked, the way there included
        ("waited_s", np.float64),  # by assets, until somebody was free or all ended
        ("num_waiting", np.int64),  # assets, when all ended
    ]
)
SHIFT = np.dtype([("begin_s", np.float64), ("on_duty", np.int64)])  # in the week
CAP = np.dtype([("begin_s", np.float64), ("withheld_frac", np.float64)])
SPELL = np.dtype(
    [
        ("begin_s", np.float64),
        ("end_s", np.float64),
        ("subject", np.int64),  # a job, or an asset
        ("state", np.int64),
        ("cause", np.int64),
        ("gpus", np.int64),  # held, or out of service
        ("idle_gpus", np.int64),  # of them held for nothing but to take others' place
        ("work_gpu_s", np.float64),  # done
        ("save_gpu_s", np.float64),  # stood still to write checkpoints
        ("slow_gpu_s", np.float64),  # spent on being slower than at full speed
        ("lost_gpu_s", np.float64),  # of work, in this spell or before, undone by what ended it
    ]
)


class Conduct(NamedTuple):
    """Numbers by which the world and the fleet's handling of faults go."""

    seed: np.uint64
    swap_s: float
    in_job_restart_s: float
    triage_s: float
    reboot_s: float
    burn_in_s: float
    grace_s: float
    """For saving, of a job that has to give way."""
    adapts: bool
    """Whether jobs write checkpoints as often as the fleet's faults so far call for."""
    planned_mttf_s: float
    """Between faults of the whole fleet, as planned with."""
    spread_speed_frac: float
    """Speed of a gang over several pods, beside one within a pod."""
    takes_free_nodes: bool
    """Whether a gang takes a free node at once in the place of a broken one."""
    num_quarantine_faults: float
    """Recent faults of a node after which it is replaced as a whole; infinity: never."""
    quarantine_window_s: float
    node_part: int
    """The part that a whole node is; NONE where nobody replaces any."""
    node_hands_on_s: float
    node_skill: int
    maintenance_every_s: float
    maintenance_s: float
    week_s: float


class World(NamedTuple):
    """Every table and array behind the fleet."""

    work: Table
    """[jobs] WORK"""
    assets: Table
    """[nodes, racks, pods, pools] ASSET"""
    hazards: Table
    """[hazards] HAZARD"""
    rate_per_s: Floats
    """[hazards, pools] events per second of one asset of the hazard's scope, as a new part has them."""
    parts: Table
    part_rings_s: Floats
    """[parts, ring] s: when what was ordered arrives, in order."""
    skills: Table
    shifts: Table
    caps: Table
    spares: Ints
    """[pools, spares] nodes that stand by."""
    num_spares: Ints
    """[pools, 2] how many stand by, and how many shall."""
    due: Due
    slot_job: Ints
    """[slots]"""
    free_slots: Ints
    """[slots] a stack of those that no job has."""
    log: Table
    """[rows] SPELL"""
    counts: Ints
    """As the numbers below say."""
    touched: NDArray[np.bool_]
    """[pools] whether something has happened that lets a job start."""
    conduct: Conduct


ARRIVED, FINISHED, FAULTS, ROWS, FREE_SLOTS, EVENTS, PASSES, CAP_AT, NUM_COUNTS = range(9)


def on_tick(when_s: float) -> float:
    """The nearest whole tick."""
    return float(np.floor(when_s / TICK_S + 0.5) * TICK_S)


def whole_ticks(amount: float) -> float:
    """The whole ticks within an amount."""
    return float(np.floor(amount / TICK_S) * TICK_S)


def slot_thing(world: World, slot: int) -> int:
    """What is due of a slot, after the assets."""
    return int(world.assets.shape[0] + slot)


def part_thing(world: World, part: int) -> int:
    """What is due of a part, after the slots."""
    return slot_thing(world, world.slot_job.shape[0]) + part


def skill_thing(world: World, skill: int) -> int:
    """What is due of a skill, after the parts."""
    return part_thing(world, world.parts.shape[0]) + skill


def cap_thing(world: World) -> int:
    """What is due of the power cap, after the skills."""
    return skill_thing(world, world.skills.shape[0])


def rack_thing(world: World, rack: int) -> int:
    """What is due of a rack's maintenance, last."""
    return cap_thing(world) + 1 + rack
