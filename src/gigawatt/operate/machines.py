"""Where GPUs stand: nodes in racks in pods, what is free on each, and which job holds what.

A gang larger than a node takes whole nodes; a smaller one a part of one node. Nodes that are whole and free
hang in a list of their rack, those that are partly free in a list of their pool by how much is. Only nodes
that are open (in service, not set aside) are listed. Numbers of nodes, racks and pods run on from pool to
pool. Plain functions in numba's subset.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from gigawatt.operate.tables import NODE, NONE, POD, RACK, Ints, Table, table

PACK, SPREAD = 0, 1
"""Rules of placement: out of the smallest hole that is large enough; out of the largest."""


class Machines(NamedTuple):
    """Every table of the floor."""

    nodes: Table
    racks: Table
    pods: Table
    holder: Ints
    """[nodes, GPUs of a node] the job that holds each GPU."""
    part_first: Ints
    """[pools, GPUs of a node] first of the open nodes with so many free, but not all."""


class PoolShape(NamedTuple):
    """The nodes of a pool, rack by rack; the last rack and the last pod may be smaller."""

    num_nodes: int
    gpus_per_node: int
    nodes_per_rack: int
    racks_per_pod: int


def no_machines() -> Machines:
    """GPUs that stand nowhere; not compiled."""
    nothing = np.zeros((0, 0), np.int64)
    return Machines(table(NODE, 0), table(RACK, 0), table(POD, 0), nothing, nothing)


def new_machines(shapes: Sequence[PoolShape], pools: Table) -> Machines:
    """Idle, closed nodes for these pools, which learn where theirs are; `open_node` puts them into service.

    Not compiled.
    """
    widest = max(shape.gpus_per_node for shape in shapes)
    nodes, racks, pods = [], [], []
    first_rack = first_pod = 0
    for number, shape in enumerate(shapes):
        num_racks = -(-shape.num_nodes // shape.nodes_per_rack)
        num_pods = -(-num_racks // shape.racks_per_pod)
        rack = first_rack + np.arange(shape.num_nodes) // shape.nodes_per_rack
        ends = first_rack + np.minimum(np.arange(num_pods + 1) * shape.racks_per_pod, num_racks)
        empty = {"behind": NONE, "front": NONE, "next": NONE}
        nodes.append(table(NODE, shape.num_nodes, rack=rack, pool=number, free=shape.gpus_per_node, **empty))
        in_pod = first_pod + np.arange(num_racks) // shape.racks_per_pod
        racks.append(table(RACK, num_racks, pod=in_pod, first=NONE))
        pods.append(table(POD, num_pods, pool=number, first_rack=ends[:-1], end_rack=ends[1:]))
        pools[number].gpus_per_node = shape.gpus_per_node
        pools[number].first_pod, pools[number].end_pod = first_pod, first_pod + num_pods
        first_rack, first_pod = first_rack + num_racks, first_pod + num_pods
    return Machines(
        nodes=np.concatenate(nodes).view(np.recarray),
        racks=np.concatenate(racks).view(np.recarray),
        pods=np.concatenate(pods).view(np.recarray),
        holder=np.full((sum(map(len, nodes)), widest), NONE, np.int64),
        part_first=np.full((len(shapes), widest), NONE, np.int64),
    )


def has_room(machines: Machines, pool: Any, number: int, gpus: int) -> bool:
    """Whether open nodes of a pool (its row and number) have room for a gang, however few GPUs are free."""
    each = pool.gpus_per_node
    if each == 0:
        return True
    if gpus >= each:
        return bool(pool.num_whole * each >= gpus)
    return bool(pool.num_whole > 0 or smallest_hole(machines, number, gpus, each) < each)


def smallest_hole(machines: Machines, pool: int, gpus: int, each: int) -> int:
    """The least that is free on a partly free node with room for so many; `each` where none has it."""
    hole = gpus
    while hole < each and machines.part_first[pool, hole] == NONE:
        hole += 1
    return int(hole)


def take(machines: Machines, jobs: Table, pools: Table, job: int, placement: int) -> None:
    """Give a job its GPUs; there must be room."""
    one = jobs[job]
    each = pools[one.pool].gpus_per_node
    if each == 0:
        return
    one.first_node = NONE
    if one.num_gpus < each:
        take_part(machines, jobs, pools, job)
        return
    left = one.num_gpus // each
    while left > 0:
        pod = choose_pod(machines, pools, one.pool, left, placement)
        here = min(left, machines.pods[pod].num_whole)
        left -= here
        take_in_pod(machines, jobs, pools, job, pod, here)


def take_in_pod(machines: Machines, jobs: Table, pools: Table, job: int, pod: int, nodes: int) -> None:
    """Give a gang so many whole nodes of a pod, in as few racks as there can be."""
    while nodes > 0:
        rack = choose_rack(machines, pod, nodes)
        number = min(nodes, machines.racks[rack].num_whole)
        nodes -= number
        for _ in range(number):
            take_whole(machines, jobs, pools, job, machines.racks[rack].first)


def choose_pod(machines: Machines, pools: Table, pool: int, nodes: int, placement: int) -> int:
    """The pod to take nodes from: the fullest with room for all of them, else the emptiest."""
    best, best_whole = NONE, 0
    for pod in range(pools[pool].first_pod, pools[pool].end_pod):
        whole = machines.pods[pod].num_whole
        if placement == PACK and best_whole >= nodes:
            better = nodes <= whole < best_whole
        else:
            better = whole > best_whole
        if better:
            best, best_whole = pod, whole
    return best


def choose_rack(machines: Machines, pod: int, nodes: int) -> int:
    """The rack of a pod: the fullest with room for all, else the emptiest."""
    best, best_whole = NONE, 0
    for rack in range(machines.pods[pod].first_rack, machines.pods[pod].end_rack):
        whole = machines.racks[rack].num_whole
        better = nodes <= whole < best_whole if best_whole >= nodes else whole > best_whole
        if better:
            best, best_whole = rack, whole
    return best


def take_whole(machines: Machines, jobs: Table, pools: Table, job: int, node: int) -> None:
    """Add a wholly free open node to a job's gang."""
    unlist(machines, pools, node)
    hold(machines, jobs, pools, job, node)


def hold(machines: Machines, jobs: Table, pools: Table, job: int, node: int) -> None:
    """A job holds all of a node that stands in no list."""
    here = machines.nodes[node]
    here.free = 0
    for gpu in range(pools[here.pool].gpus_per_node):
        machines.holder[node, gpu] = job
    here.next = jobs[job].first_node
    jobs[job].first_node = node


def take_part(machines: Machines, jobs: Table, pools: Table, job: int) -> None:
    """A part of the node with the smallest hole, else of a whole one in the fullest pod and rack."""
    one = jobs[job]
    each = pools[one.pool].gpus_per_node
    hole = smallest_hole(machines, one.pool, one.num_gpus, each)
    if hole < each:
        node = machines.part_first[one.pool, hole]
    else:
        pod = choose_pod(machines, pools, one.pool, 1, PACK)
        node = machines.racks[choose_rack(machines, pod, 1)].first
    unlist(machines, pools, node)
    here, left = machines.nodes[node], one.num_gpus
    here.free -= left
    here.next = NONE
    one.first_node = node
    for gpu in range(each):
        if left > 0 and machines.holder[node, gpu] == NONE:
            machines.holder[node, gpu] = job
            left -= 1
    enlist(machines, pools, node)


def let_go(machines: Machines, jobs: Table, pools: Table, job: int) -> int:
    """Take a job's GPUs back; returns how many of them others may have now."""
    one = jobs[job]
    if pools[one.pool].gpus_per_node == 0:
        return int(one.num_gpus)
    usable, node = 0, one.first_node
    while node != NONE:
        behind = machines.nodes[node].next
        usable += leave_node(machines, pools, job, node)
        node = behind
    one.first_node = NONE
    return usable


def leave_node(machines: Machines, pools: Table, job: int, node: int) -> int:
    """A job gives back what it holds of a node; returns how much of it others may have now."""
    here = machines.nodes[node]
    if here.is_open:
        unlist(machines, pools, node)
    given = 0
    for gpu in range(pools[here.pool].gpus_per_node):
        if machines.holder[node, gpu] == job:
            machines.holder[node, gpu] = NONE
            given += 1
    here.free += given
    here.next = NONE
    if not here.is_open:
        return 0
    enlist(machines, pools, node)
    return given


def drop_node(machines: Machines, jobs: Table, pools: Table, job: int, node: int) -> int:
    """A gang goes on without one of its nodes; returns how much of it others may have now."""
    behind, front = machines.nodes[node].next, jobs[job].first_node
    if front == node:
        jobs[job].first_node = behind
    else:
        while machines.nodes[front].next != node:
            front = machines.nodes[front].next
        machines.nodes[front].next = behind
    return leave_node(machines, pools, job, node)


def open_node(machines: Machines, pools: Table, node: int) -> int:
    """Jobs may start on it; returns the GPUs that are free on it."""
    machines.nodes[node].is_open = True
    pools[machines.nodes[node].pool].num_open += 1
    enlist(machines, pools, node)
    return int(machines.nodes[node].free)


def close_node(machines: Machines, pools: Table, node: int) -> int:
    """No job starts on it any more; returns the GPUs that could have been handed out."""
    unlist(machines, pools, node)
    machines.nodes[node].is_open = False
    pools[machines.nodes[node].pool].num_open -= 1
    return int(machines.nodes[node].free)


def enlist(machines: Machines, pools: Table, node: int) -> None:
    """Put an open node where those with as much free are."""
    here = machines.nodes[node]
    if here.free == 0:
        return
    rack, is_whole = machines.racks[here.rack], here.free == pools[here.pool].gpus_per_node
    head = rack.first if is_whole else machines.part_first[here.pool, here.free]
    here.behind = head
    here.front = NONE
    if head != NONE:
        machines.nodes[head].front = node
    if is_whole:
        rack.first = node
        count_whole(machines, pools, here.rack, 1)
    else:
        machines.part_first[here.pool, here.free] = node


def unlist(machines: Machines, pools: Table, node: int) -> None:
    """Take an open node out of its list."""
    here = machines.nodes[node]
    if here.free == 0:
        return
    is_whole = here.free == pools[here.pool].gpus_per_node
    if here.behind != NONE:
        machines.nodes[here.behind].front = here.front
    if here.front != NONE:
        machines.nodes[here.front].behind = here.behind
    elif is_whole:
        machines.racks[here.rack].first = here.behind
    else:
        machines.part_first[here.pool, here.free] = here.behind
    if is_whole:
        count_whole(machines, pools, here.rack, -1)


def count_whole(machines: Machines, pools: Table, rack: int, number: int) -> None:
    """So many more open nodes of a rack are wholly free."""
    pod = machines.pods[machines.racks[rack].pod]
    machines.racks[rack].num_whole += number
    pod.num_whole += number
    pools[pod.pool].num_whole += number
