"""Figures as folds over the log of spells: what GPU-hours went to, by state, tenant, cause and time.

The log comes in blocks and may be as long as it likes. A live fleet writes the same spells.
"""

from __future__ import annotations

import numpy as np

from gigawatt.domain.twin import TimelineRow, TimeShares
from gigawatt.operate.tables import Floats, Ints, Table
from gigawatt.operate.world import (
    DOMAIN_OUT,
    DRAINING,
    MAINTENANCE,
    RUNNING,
    SAVING,
    STALLED,
    STANDING_BY,
    STARTING,
    WAITING,
)
from gigawatt.units import parse_quantity

HOUR_S = parse_quantity("1 h", "_s")
NUM_STATES = DOMAIN_OUT + 1
WORK, SAVE, SLOW, LOST, IDLE = range(NUM_STATES, NUM_STATES + 5)
"""Columns of the ledger beyond the states of spells."""
NUM_COLUMNS = IDLE + 1
NUM_CAUSES_BESIDE = 2
"""PLANNED and NONE."""


class Ledger:
    """Sums of GPU-seconds over a log, by group of jobs and by cause, and along the time.

    `group` [jobs] says which group (a tenant) each job belongs to.
    """

    def __init__(self, group: Ints, num_groups: int, num_hazards: int, lasts_s: float, num_bins: int) -> None:
        self.group, self.num_groups = group, num_groups
        self.causes = num_hazards + NUM_CAUSES_BESIDE
        self.by_group = np.zeros((num_groups, NUM_COLUMNS))
        self.by_cause = np.zeros((self.causes, NUM_COLUMNS))
        self.spells_by_cause = np.zeros((self.causes, NUM_STATES), np.int64)
        self.seconds_by_cause = np.zeros((self.causes, NUM_STATES))
        self.lasts_s, self.num_bins = lasts_s, num_bins
        self.bin_s = lasts_s / num_bins
        self.along = np.zeros((NUM_COLUMNS, num_bins + 2))
        self.rise = np.zeros((NUM_COLUMNS, num_bins + 2))
        self.stops = np.zeros(num_bins, np.int64)

    def add(self, rows: Table) -> None:
        """Take in a block of the log, in whatever order."""
        passed_s = rows.end_s - rows.begin_s
        is_job = rows.state < STANDING_BY
        working = (rows.gpus - rows.idle_gpus) * passed_s
        amounts = {
            WORK: rows.work_gpu_s,
            SAVE: np.where(rows.state == RUNNING, rows.save_gpu_s, 0.0),
            SLOW: rows.slow_gpu_s,
            LOST: rows.lost_gpu_s,
            IDLE: np.where(is_job & (rows.state != WAITING), rows.idle_gpus * passed_s, 0.0),
        }
        cause = np.where(
            rows.cause < -1, self.causes - 1, np.where(rows.cause < 0, self.causes - 2, rows.cause)
        )
        group = self.group[np.where(is_job, rows.subject, 0)]
        _sum_into(self.by_group, group[is_job], rows.state[is_job], working[is_job])
        _sum_into(self.by_cause, cause, rows.state, working)
        for column, amount in amounts.items():
            self.by_group[:, column] += np.bincount(group, np.where(is_job, amount, 0.0), self.num_groups)
            self.by_cause[:, column] += np.bincount(cause, amount, self.causes)
        np.add.at(self.spells_by_cause, (cause, rows.state), 1)
        _sum_into(self.seconds_by_cause, cause, rows.state, passed_s)
        self._spread(rows, working, passed_s)

    def _spread(self, rows: Table, working: Floats, passed_s: Floats) -> None:
        """Along the time: GPUs of each spell from its begin to its end."""
        long = passed_s > 0.0
        rate = np.where(long, working, 0.0) / np.where(long, passed_s, 1.0)
        self._ramp(rows.state, rows.begin_s, rate)
        self._ramp(rows.state, rows.end_s, -rate)
        held = np.where((rows.state < STANDING_BY) & (rows.state != WAITING), rows.idle_gpus, 0.0)
        idle = np.full(len(rows), IDLE)
        self._ramp(idle, rows.begin_s, held)
        self._ramp(idle, rows.end_s, -held)
        saving = np.where(long & (rows.state == RUNNING), rows.save_gpu_s, 0.0) / np.where(
            long, passed_s, 1.0
        )
        self._ramp(np.full(len(rows), SAVE), rows.begin_s, saving)
        self._ramp(np.full(len(rows), SAVE), rows.end_s, -saving)
        at = np.minimum(rows.begin_s[rows.state == STALLED] / self.bin_s, self.num_bins - 1).astype(np.int64)
        self.stops += np.bincount(at, minlength=self.num_bins)

    def _ramp(self, column: Ints, at_s: Floats, rate: Floats) -> None:
        """From a time on so many GPUs more: the rest of its bin, and all bins after it."""
        place = np.minimum(at_s / self.bin_s, self.num_bins).astype(np.int64)
        left_s = (place + 1) * self.bin_s - at_s
        flat = column * (self.num_bins + 2) + place
        size = self.along.size
        self.along += np.bincount(flat, rate * left_s, size).reshape(self.along.shape)
        self.rise += np.bincount(flat + 1, rate * self.bin_s, size).reshape(self.along.shape)

    def shares(self, group: int | None = None) -> TimeShares:
        """What the GPU-hours that jobs held went to, of a group or of all."""
        sums = self.by_group.sum(axis=0) if group is None else self.by_group[group]
        held = sums[[STARTING, RUNNING, STALLED, SAVING, IDLE]].sum()
        useful, saving = sums[WORK] - sums[LOST], sums[SAVE] + sums[SAVING]
        others = sums[[LOST, SLOW, STARTING, STALLED, IDLE]].sum()
        return TimeShares(
            held_gpu_h=float(held) / HOUR_S,
            useful_gpu_h=float(useful) / HOUR_S,
            lost_gpu_h=float(sums[LOST]) / HOUR_S,
            saving_gpu_h=float(saving) / HOUR_S,
            slow_gpu_h=float(sums[SLOW]) / HOUR_S,
            restart_gpu_h=float(sums[STARTING]) / HOUR_S,
            unnoticed_gpu_h=float(sums[STALLED]) / HOUR_S,
            idle_held_gpu_h=float(sums[IDLE]) / HOUR_S,
            residual_gpu_s=float(held - useful - saving - others),
        )

    def waiting_again_gpu_h(self, first_waits_gpu_s: float) -> float:
        """GPU-hours waited for by jobs that had run before."""
        return float(self.by_group[:, WAITING].sum() - first_waits_gpu_s) / HOUR_S

    def out_gpu_h(self, cause: int | None = None) -> float:
        """GPU-hours of assets out of service: in repair or maintenance, once their jobs have left."""
        sums = self.by_cause if cause is None else self.by_cause[cause : cause + 1]
        return float(sums[:, DRAINING + 1 : NUM_STATES].sum()) / HOUR_S

    def spare_gpu_h(self) -> float:
        """GPU-hours of nodes that stood by."""
        return float(self.by_cause[:, STANDING_BY].sum()) / HOUR_S

    def lost_gpu_h(self, cause: int) -> float:
        """Work undone, hanging and restarts that a cause brought about."""
        sums = self.by_cause[cause]
        return float(sums[LOST] + sums[STALLED] + sums[STARTING]) / HOUR_S

    def num_repairs(self, cause: int) -> int:
        """Assets taken out for a cause, and looked at."""
        return int(self.spells_by_cause[cause, DRAINING + 1])

    def mean_repair_s(self, cause: int) -> float:
        """From the discovery of a fault back to service."""
        repaired = self.num_repairs(cause)
        total_s = self.seconds_by_cause[cause, DRAINING : MAINTENANCE + 1].sum()
        return float(total_s / repaired) if repaired else 0.0

    def timeline(self, total_gpus: int) -> tuple[TimelineRow, ...]:
        """What the GPUs did over the time, bin by bin."""
        gpus = (self.along + np.cumsum(self.rise, axis=1))[:, : self.num_bins] / self.bin_s
        out = gpus[DRAINING + 1 : NUM_STATES].sum(axis=0)
        held = gpus[[STARTING, RUNNING, STALLED, SAVING, IDLE]].sum(axis=0)
        free = total_gpus - held - out - gpus[STANDING_BY]
        return tuple(
            TimelineRow(
                begin_s=n * self.bin_s,
                num_useful=_whole(gpus[RUNNING, n] - gpus[SAVE, n]),
                num_saving=_whole(gpus[SAVE, n] + gpus[SAVING, n]),
                num_restart=_whole(gpus[STARTING, n]),
                num_unnoticed=_whole(gpus[STALLED, n]),
                num_idle_held=_whole(gpus[IDLE, n]),
                num_spare=_whole(gpus[STANDING_BY, n]),
                num_out=_whole(out[n]),
                num_free=_whole(free[n]),
                num_waiting=_whole(gpus[WAITING, n]),
                num_interruptions=int(self.stops[n]),
            )
            for n in range(self.num_bins)
        )


def _sum_into(sums: Floats, row: Ints, column: Ints, amount: Floats) -> None:
    width = sums.shape[1]
    sums += np.bincount(row * width + column, amount, sums.size).reshape(sums.shape)


def _whole(gpus: float) -> float:
    """Rounded to what a picture can show; never below nothing."""
    return max(0.0, round(float(gpus), 3))
