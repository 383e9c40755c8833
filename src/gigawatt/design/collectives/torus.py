"""The block of a torus that a group of ranks fills: its sides, the links and hops that follow."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from gigawatt.laws.torus import axis_hops, axis_links, axis_load_frac


@dataclass(frozen=True)
class Block:
    """Accelerators in a block of a torus."""

    extents: tuple[int, ...]
    ring_multiple: int
    """An axis is closed where its extent is a multiple of this."""

    @property
    def num_links(self) -> float:
        """Links that the worst placed accelerator has within the block."""
        return sum(float(axis_links(extent, closed)) for extent, closed in self._axes())

    @property
    def num_hops(self) -> float:
        """Links on the longest of the shortest paths."""
        return sum(float(axis_hops(extent, closed)) for extent, closed in self._axes())

    @property
    def load_frac(self) -> float:
        """Bytes over the busiest link, over what each accelerator sends to others in an all-to-all."""
        ranks = 1
        for extent in self.extents:
            ranks *= extent
        return (
            max(float(axis_load_frac(extent, closed)) for extent, closed in self._axes())
            * ranks
            / (ranks - 1)
        )

    def _axes(self) -> Iterator[tuple[int, int]]:
        return ((extent, int(extent % self.ring_multiple == 0)) for extent in self.extents)


@lru_cache(maxsize=1024)
def block_of(num_ranks: int, num_axes: int, ring_multiple: int) -> Block:
    """The block of so many ranks whose longest side is shortest: 16 x 16, 16 x 20 x 28; of a prime a line."""
    return Block(min(_shapes(num_ranks, num_axes), key=lambda shape: (max(shape), shape)), ring_multiple)


def _shapes(num_ranks: int, num_axes: int) -> Iterator[tuple[int, ...]]:
    if num_axes == 1:
        yield (num_ranks,)
        return
    for extent in range(1, int(num_ranks ** (1 / num_axes) + 1e-9) + 1):
        if num_ranks % extent == 0:
            for rest in _shapes(num_ranks // extent, num_axes - 1):
                yield (extent, *rest)
