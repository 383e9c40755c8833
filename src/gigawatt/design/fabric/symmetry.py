"""Which devices and cables of a fabric are alike, so that each kind is worked out once.

Two tools, both exact. `alike` finds devices and cables that a symmetry maps onto each other: rotations of
pods, units, planes, rails and switches are proposed, each is checked link by link, and only what passes
counts. A proposal that fails costs time, never truth. `refined` finds the coarsest equitable partition
(colour refinement): within a class, every device has equally much capacity to every other class. A maximum
flow between classes is then the same in the graph folded to one vertex for each class, because an optimum
averaged over each class is an optimum.

Neighbourhoods are compared by 64-bit sums; that two different ones agree is as likely as one in 10^19.

Source: Grohe, Kersting, Mladenov, Selman, Dimension Reduction via Colour Refinement, ESA 2014.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from gigawatt.design.fabric.graph import CORE, LEAF, NODE, SPINE
from gigawatt.design.fabric.wiring import OUT, Array, Mesh, Wiring, mixed, surroundings


def refined(mesh: Mesh, count: Array, colour: Array) -> Array:
    """The coarsest equitable partition that refines `colour`, with `count` links in each bundle."""
    num_classes = -1
    while num_classes != (num_classes := int(colour.max()) + 1):
        labels = mixed(colour)
        colour = np.unique(mixed(surroundings(mesh, labels, count) + labels), return_inverse=True)[1]
    return colour


class Alike(NamedTuple):
    """Class numbers; the failure of any member of a class does the same."""

    device: Array
    bundle: Array
    cable: Array
    """Of each kind of cable."""


def alike(wiring: Wiring) -> Alike:
    """What is alike in a fabric.

    A link out of a group (dragonfly) is, to either group, a way out, wherever it leads: groups are compared
    with such links cut in the middle, and a link or a switch is told by what it touches at both ends.
    """
    out = wiring.way == OUT
    if not out.any():
        return _images(wiring, _kinds(wiring, np.zeros(wiring.num_devices, np.uint64)))
    stubs: Array = np.zeros(wiring.num_devices, np.uint64)
    for end in (wiring.low[out], wiring.high[out]):
        np.add.at(stubs, end, mixed(wiring.sort_of[out]) * wiring.count[out].astype(np.uint64))
    if _reach_over_groups(wiring):  # which two groups a link joins then counts: no group is like another
        stubs = mixed(stubs) ^ mixed(wiring.pod + 1)
    inner, kept = _without(wiring, out)
    near = _images(inner, _kinds(wiring, stubs))
    ends = np.sort(np.stack((near.device[wiring.low], near.device[wiring.high])), axis=0)
    bundle = mixed(mixed(ends[0]) + np.uint64(2) * mixed(ends[1]) + np.uint64(4) * mixed(wiring.sort_of))
    bundle[~out] = mixed(near.bundle + len(out)) + np.uint64(1)
    cable = bundle[wiring.cable_bundles[:, -1]]
    cable[kept] = mixed(near.cable + len(out)) + np.uint64(1)
    device = _touching(wiring, out, near.device, _components(inner))
    return Alike(*(np.unique(each, return_inverse=True)[1] for each in (device, bundle, cable)))


def _without(wiring: Wiring, out: Array) -> tuple[Wiring, Array]:
    """The wiring inside groups, and which kinds of cable are left."""
    number = np.cumsum(~out) - 1
    rows = wiring.cable_bundles
    kept = ~np.any((rows >= 0) & out[rows], axis=1)
    inside = replace(
        wiring, low=wiring.low[~out], high=wiring.high[~out],
        capacity=wiring.capacity[~out], count=wiring.count[~out],
        cable_bundles=np.where(rows[kept] < 0, -1, number[rows[kept]]),
        cable_count=wiring.cable_count[kept], cable_number=wiring.cable_number[kept],
    )  # fmt: skip
    return inside, kept


def _components(wiring: Wiring) -> Array:
    shape = (wiring.num_devices, wiring.num_devices)
    joined = coo_matrix((np.ones(len(wiring.low), np.int8), (wiring.low, wiring.high)), shape=shape)
    return np.asarray(connected_components(joined, directed=False)[1])


def _touching(wiring: Wiring, out: Array, near: Array, group: Array) -> Array:
    """Devices by what they are and by what their links out of the group touch.

    Two ends in one other group may stand to each other in any way: a device with such links is like no other.
    """
    here = np.concatenate((wiring.low[out], wiring.high[out]))
    there = np.concatenate((wiring.high[out], wiring.low[out]))
    sort, count = np.tile(wiring.sort_of[out], 2), np.tile(wiring.count[out], 2)
    touched = np.zeros(wiring.num_devices, np.uint64)
    np.add.at(touched, here, mixed(mixed(near[there]) ^ mixed(sort)) * count.astype(np.uint64))
    pairs, times = np.unique(here * (int(group.max()) + 1) + group[there], return_counts=True)
    alone = np.zeros(wiring.num_devices, np.int64)
    twice = pairs[times > 1] // (int(group.max()) + 1)
    alone[twice] = 1 + twice
    return mixed(mixed(near) + touched) + mixed(alone)


def _kinds(wiring: Wiring, marks: Array) -> Array:
    """A class number by what a device is, whatever it is wired to."""
    number = np.unique(marks, return_inverse=True)[1]
    labels = np.stack((wiring.role, wiring.num_accelerators, wiring.size, number))
    return np.asarray(np.unique(labels, axis=1, return_inverse=True)[1]).reshape(-1)


def _images(wiring: Wiring, kinds: Array) -> Alike:
    """Classes whose members are images of each other under symmetries that keep `kinds`."""
    of_first = np.searchsorted(wiring.key, wiring.key_of(wiring.first[wiring.low], wiring.first[wiring.high]))
    images = [(wiring.first, of_first, _cables_with(wiring, of_first))]
    for image in _proposals(wiring, refined(wiring.mesh, wiring.count, kinds)):
        bundles = _bundle_image(wiring, image) if (kinds[image] == kinds).all() else None
        cables = None if bundles is None else _cable_image(wiring, bundles)
        if bundles is not None and cables is not None and _keeps_domains(wiring, image):
            images.append((image, bundles, cables))
    return Alike(*(_orbits(each) for each in zip(*images, strict=True)))


def _cables_with(wiring: Wiring, bundles: Array) -> Array:
    """For each kind of cable, the kind whose links are in these bundles instead; -1 where there is none."""
    known = _row_sums(wiring.cable_bundles)
    wanted = _row_sums(np.where(wiring.cable_bundles < 0, -1, bundles[wiring.cable_bundles]))
    order = np.argsort(known)
    found = order[np.minimum(np.searchsorted(known, wanted, sorter=order), len(known) - 1)]
    return np.where(known[found] == wanted, found, -1)


def _row_sums(rows: Array) -> Array:
    return np.asarray(mixed(rows).sum(axis=1, dtype=np.uint64))


def _orbits(images: Sequence[Array]) -> Array:
    size = len(images[0])
    here, there = np.tile(np.arange(size), len(images)), np.concatenate(images)
    joined = coo_matrix((np.ones(len(here), np.int8), (here, there)), shape=(size, size))
    return np.asarray(connected_components(joined, directed=False)[1])


def _bundle_image(wiring: Wiring, image: Array) -> Array | None:
    """Where each bundle goes when the devices are permuted; None where that is no symmetry."""
    wanted = wiring.key_of(image[wiring.low], image[wiring.high])
    found = np.minimum(np.searchsorted(wiring.key, wanted), len(wiring.key) - 1)
    same = (wiring.key[found] == wanted) & (wiring.count[found] == wiring.count)
    return found if same.all() else None


def _cable_image(wiring: Wiring, bundles: Array) -> Array | None:
    """Where each kind of cable goes with its bundles; None where cables are torn."""
    found = _cables_with(wiring, bundles)
    same = (found >= 0) & (wiring.cable_count[found] == wiring.cable_count)
    return found if same.all() else None


def _keeps_domains(wiring: Wiring, image: Array) -> bool:
    """Whether nodes of one domain go to nodes of one domain."""
    row, device, num = wiring.domains
    moved, still = (np.zeros(int(row.max(initial=-1)) + 1, np.uint64) for _ in range(2))
    np.add.at(moved, row, mixed(image[device]) * num.astype(np.uint64))
    np.add.at(still, row, mixed(device) * num.astype(np.uint64))
    return bool(np.array_equal(np.sort(moved), np.sort(still)))


def _reach_over_groups(wiring: Wiring) -> bool:
    """Whether a domain has nodes in several groups."""
    row, device, _ = wiring.domains
    pairs = np.unique(np.stack((row, wiring.pod[device])), axis=1)
    return bool(pairs.shape[1] > len(np.unique(row)))


def _proposals(wiring: Wiring, stable: Array) -> Iterator[Array]:
    """Permutations that are likely to be symmetries, from the labels of pods, units and planes."""
    nodes = np.flatnonzero(wiring.role == NODE)
    unit = wiring.pod * (int(wiring.unit.max()) + 2) + wiring.unit
    above = mixed(surroundings(wiring.mesh, mixed(np.arange(wiring.num_devices)), wiring.count))
    for block, parent in ((wiring.pod, np.zeros_like(unit)), (unit, wiring.pod), (above, unit)):
        yield from _completed(wiring, _turned_blocks(nodes, block, parent, stable), LEAF)
    for role in (LEAF, SPINE, CORE):
        members = np.flatnonzero(wiring.role == role)
        below = mixed(
            surroundings(wiring.mesh, _labels_below(wiring, role), wiring.count) ^ mixed(wiring.size)
        )
        family = mixed(below ^ mixed(wiring.plane))
        start = np.arange(wiring.num_devices)
        start[members] = _turned(members, family[members])
        yield from _completed(wiring, start, role + 1)
        yield from _completed(wiring, _turned_blocks(members, wiring.plane, below, stable), role + 1)


def _labels_below(wiring: Wiring, role: int) -> Array:
    """Distinct labels of the devices below a tier; those above and beside it look all the same."""
    return np.where(wiring.role < role, mixed(np.arange(wiring.num_devices)), np.uint64(0))


def _turned(members: Array, family: Array) -> Array:
    """Each member's successor within its family, the last one's being the first."""
    order = np.lexsort((members, family))
    ordered = family[order]
    begins, ends = np.searchsorted(ordered, ordered), np.searchsorted(ordered, ordered, side="right") - 1
    place = np.arange(len(members))
    image = np.empty_like(members)
    image[order] = members[order[np.where(place == ends, begins, place + 1)]]
    return image


def _turned_blocks(members: Array, block: Array, parent: Array, stable: Array) -> Array:
    """Every member goes to the same place of the next block, of those alike in its parent."""
    image = np.arange(len(block))
    rows = members[np.lexsort((members, block[members], parent[members]))]
    edges = np.flatnonzero((np.diff(block[rows]) != 0) | (parent[rows][1:] != parent[rows][:-1])) + 1
    shapes: dict[tuple[int, bytes], list[Array]] = {}
    for part in np.split(rows, edges):
        if len(part):
            shapes.setdefault((int(parent[part[0]]), stable[part].tobytes()), []).append(part)
    for parts in shapes.values():
        for here, there in zip(parts, [*parts[1:], parts[0]], strict=True):
            image[here] = there
    return image


def _completed(wiring: Wiring, image: Array, role: int) -> Iterator[Array]:
    """The permutation with the tiers from `role` on following what they are wired to, if they can."""
    if (image == np.arange(wiring.num_devices)).all():
        return
    labels = mixed(np.arange(wiring.num_devices))
    for tier in range(role, CORE + 1):
        members = np.flatnonzero(wiring.role == tier)
        below = wiring.role < tier
        moved = surroundings(wiring.mesh, np.where(below, labels[image], np.uint64(0)), wiring.count)[members]
        still = surroundings(wiring.mesh, np.where(below, labels, np.uint64(0)), wiring.count)[members]
        from_order, to_order = np.lexsort((members, moved)), np.lexsort((members, still))
        if not (moved[from_order] == still[to_order]).all():
            return
        image[members[from_order]] = members[to_order]
    yield image
