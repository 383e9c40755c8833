"""Where no layout is legal or none fits: the nearest question that has an answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from gigawatt.design.training.axes import Space
from gigawatt.domain.training import Binding, TrainingJob

MOST_STEPS = 256
"""How far to look for a number of accelerators or a batch that works."""
MOST_DOUBLINGS = 6
"""How often to double the accelerators where memory is short."""


class Remedy(NamedTuple):
    """A changed question, and in words what was changed."""

    num_accelerators: int
    job: TrainingJob
    fixed: Mapping[str, Any]
    message: Binding


def remedies(space: Space) -> Iterator[Remedy]:
    """For a space without layouts: a fixed axis let go; else other accelerators, and another batch."""
    unfixed = list(_unfixed(space))
    yield from unfixed
    if unfixed:
        return
    n, job = space.num_accelerators, space.job
    for number in _around(n, lambda m: has_layouts(replace(space, num_accelerators=m))):
        words = Binding(
            constraint="nearest", message=f"{number:,} accelerators instead of {n:,} have legal layouts"
        )
        yield Remedy(number, job, space.fixed, words)
    for batch in _around(job.global_batch, lambda b: has_layouts(replace(space, job=_with_batch(job, b)))):
        words = Binding(
            constraint="nearest",
            message=f"a global batch of {batch:,} instead of {job.global_batch:,} has legal layouts",
        )
        yield Remedy(n, _with_batch(job, batch), space.fixed, words)


def more_accelerators(space: Space) -> Iterator[Space]:
    """For a space in which nothing fits: the same question on twice as many accelerators, again and again."""
    for doubling in range(1, MOST_DOUBLINGS + 1):
        yield replace(space, num_accelerators=space.num_accelerators << doubling)


def has_layouts(space: Space) -> bool:
    """Whether any layout is legal."""
    for mesh in space.meshes:
        tail, sizes = space.tail(mesh), space.micro_batches(mesh)
        whole = any(space.job.global_batch // (mesh.dp * size) % mesh.pp == 0 for size in sizes)
        if (
            space.experts(mesh)
            and sizes
            and tail.zero.size
            and tail.vpp.size
            and (whole or tail.vpp.min() == 1)
        ):
            return True
    return False


def _unfixed(space: Space) -> Iterator[Remedy]:
    for axis, value in space.fixed.items():
        fixed = {name: kept for name, kept in space.fixed.items() if name != axis}
        if has_layouts(replace(space, fixed=fixed)):
            words = Binding(
                constraint="fixed", message=f"without {axis} fixed at {value} there are legal layouts"
            )
            yield Remedy(space.num_accelerators, space.job, fixed, words)


def _around(number: int, works: Callable[[int], bool]) -> Iterator[int]:
    """The nearest number that works, the smaller of two at one distance; nothing where none is near."""
    for distance in range(1, MOST_STEPS + 1):
        for other in (number - distance, number + distance):
            if other >= 1 and works(other):
                yield other
                return


def _with_batch(job: TrainingJob, global_batch: int) -> TrainingJob:
    return job.model_copy(update={"global_batch": global_batch})
