"""A power cap: GPUs that may not be handed out while it holds; who runs beyond it gives way."""

from __future__ import annotations

import numpy as np

from gigawatt.operate.policies.preemption import next_victim
from gigawatt.operate.state import NOBODY, Fleet, ask_to_give_way


def change_cap(fleet: Fleet, pool: int, withheld_before_gpus: int, withheld_gpus: int, now_s: float) -> None:
    """So many GPUs of a pool are withheld from now on; the least of those that run make room for that."""
    here = fleet.pools[pool]
    here.free_gpus += withheld_before_gpus - withheld_gpus
    everybody = np.iinfo(np.int64).max
    missing = -here.free_gpus - here.coming_gpus
    victim = next_victim(fleet, pool, everybody, now_s) if missing > 0 else NOBODY
    while missing > 0 and victim != NOBODY:
        ask_to_give_way(fleet, victim)
        missing -= fleet.jobs[victim].num_gpus
        victim = next_victim(fleet, pool, everybody, now_s)
