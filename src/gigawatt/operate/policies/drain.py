"""Drain and quarantine: a node that fails again and again is replaced as a whole.

Its faults are counted with half of them forgotten every window; once the count, rounded, is reached, a reset
or another repair is not tried again: after two within a window, say. Meta found 40 such nodes among 3,000
(arXiv:2410.21680).
"""

from __future__ import annotations

from typing import Any


def note_fault(asset: Any, now_s: float, window_s: float) -> None:
    """One more fault of an asset (a row of `world.ASSET`)."""
    asset.recent_faults = asset.recent_faults * 0.5 ** ((now_s - asset.recent_at_s) / window_s) + 1.0
    asset.recent_at_s = now_s


def is_due(asset: Any, num_faults: float) -> bool:
    """Whether the asset has failed often enough of late to be replaced."""
    return bool(asset.recent_faults + 0.5 >= num_faults)


def forget(asset: Any) -> None:
    """The asset is another one now."""
    asset.recent_faults = 0.0
