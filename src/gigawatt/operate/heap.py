"""A binary heap in a stretch of an array: numbers of things, least key first, ties by the lower number.

`heap[base : base + size]` holds the numbers, `keys` [things] what they are ordered by. The caller keeps the
size. In numba's subset.
"""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray


def goes_before(keys: NDArray[Any], one: int, other: int) -> bool:
    """Whether `one` leaves the heap before `other`."""
    return bool(keys[one] < keys[other] or (keys[one] == keys[other] and one < other))


def push(heap: NDArray[Any], base: int, size: int, keys: NDArray[Any], thing: int) -> None:
    """Put `thing` into a heap that holds `size`."""
    at = size
    while at > 0:
        above = (at - 1) // 2
        if not goes_before(keys, thing, heap[base + above]):
            break
        heap[base + at] = heap[base + above]
        at = above
    heap[base + at] = thing


def pop(heap: NDArray[Any], base: int, size: int, keys: NDArray[Any]) -> int:
    """Take the first out of a heap that holds `size`."""
    first = heap[base]
    remove(heap, base, size, keys, 0)
    return int(first)


def remove(heap: NDArray[Any], base: int, size: int, keys: NDArray[Any], at: int) -> None:
    """Take what stands at place `at` (0 is the first) out of a heap that holds `size`."""
    left = size - 1
    last = heap[base + left]
    while True:
        below = 2 * at + 1
        if below >= left:
            break
        if below + 1 < left and goes_before(keys, heap[base + below + 1], heap[base + below]):
            below += 1
        if not goes_before(keys, heap[base + below], last):
            break
        heap[base + at] = heap[base + below]
        at = below
    if at < left:
        push(heap, base, at, keys, last)
