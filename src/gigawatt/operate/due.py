"""What is due when: a heap of things, each with one time, that can be moved and taken out.

Things are numbered; at one time the lower number comes first. In numba's subset.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from gigawatt.operate.tables import NONE, Floats, Ints


class Due(NamedTuple):
    """Who is waited for."""

    when_s: Floats
    """[things] s"""
    heap: Ints
    """[things]"""
    place: Ints
    """[things] where each stands in the heap, NONE where nothing is due."""
    size: Ints
    """[1]"""


def new_due(num_things: int) -> Due:
    """Nothing is due; not compiled."""
    return Due(
        when_s=np.full(num_things, np.inf),
        heap=np.zeros(num_things, np.int64),
        place=np.full(num_things, NONE, np.int64),
        size=np.zeros(1, np.int64),
    )


def first_due_s(due: Due) -> float:
    """When the next thing is due; infinity where nothing is."""
    return float(due.when_s[due.heap[0]]) if due.size[0] > 0 else np.inf


def set_due(due: Due, thing: int, when_s: float) -> None:
    """The thing is due then, and at no other time."""
    due.when_s[thing] = when_s
    at = due.place[thing]
    if at == NONE:
        at = due.size[0]
        due.size[0] += 1
    rise(due, thing, at)
    sink(due, thing, due.place[thing])


def not_due(due: Due, thing: int) -> None:
    """The thing is no longer due at all."""
    at = due.place[thing]
    if at == NONE:
        return
    due.place[thing] = NONE
    due.size[0] -= 1
    last = due.heap[due.size[0]]
    if last != thing:
        rise(due, last, at)
        sink(due, last, due.place[last])


def comes_first(due: Due, one: int, other: int) -> bool:
    """Whether one is due before the other."""
    first_s, second_s = due.when_s[one], due.when_s[other]
    return bool(first_s < second_s or (first_s == second_s and one < other))


def rise(due: Due, thing: int, at: int) -> None:
    """Put a thing at a place, or above it."""
    while at > 0:
        above = (at - 1) // 2
        if not comes_first(due, thing, due.heap[above]):
            break
        put(due, due.heap[above], at)
        at = above
    put(due, thing, at)


def sink(due: Due, thing: int, at: int) -> None:
    """Move a thing from its place downwards, as far as it must."""
    size = due.size[0]
    while True:
        below = 2 * at + 1
        if below >= size:
            break
        if below + 1 < size and comes_first(due, due.heap[below + 1], due.heap[below]):
            below += 1
        if not comes_first(due, due.heap[below], thing):
            break
        put(due, due.heap[below], at)
        at = below
    put(due, thing, at)


def put(due: Due, thing: int, at: int) -> None:
    """A thing stands at a place."""
    due.heap[at] = thing
    due.place[thing] = at
