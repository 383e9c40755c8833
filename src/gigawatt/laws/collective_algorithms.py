"""What each algorithm of a collective moves and in how many steps, and what that takes.

Bandwidths are one direction. Bytes are those that the busiest port sends (or receives, whichever is more):
`near` through one accelerator's scale-up port, `far` through all network ports of one scale-up domain
together. `inside` ranks share a domain, `domains` of them are joined by the network.
"""

from __future__ import annotations

import numpy as np

from gigawatt.laws.numbers import Number


def bus_factor_all_reduce(ranks: Number) -> Number:
    """Bus bandwidth over algorithm bandwidth of an all-reduce: 2 (n-1)/n.

    Source: NVIDIA nccl-tests, doc/PERFORMANCE.md.

    >>> bus_factor_all_reduce(8), round(bus_factor_all_reduce(128), 3)
    (1.75, 1.984)
    """
    return 2.0 * (ranks - 1.0) / ranks


def bus_factor_gather(ranks: Number) -> Number:
    """Bus bandwidth over algorithm bandwidth of all-gather, reduce-scatter and all-to-all: (n-1)/n.

    Source: NVIDIA nccl-tests, doc/PERFORMANCE.md.

    >>> bus_factor_gather(16)
    0.9375
    """
    return (ranks - 1.0) / ranks


def ring_bytes(total_bytes: Number, ranks: Number) -> Number:
    """Bytes that each rank passes on in one turn of a ring: an all-gather or a reduce-scatter [bytes].

    An all-reduce is two turns. A ring that leaves its domain takes the same bytes through the domain's ports,
    for as many rings run side by side as there are ports. A turn of hierarchical (rail) rings round D domains
    takes `ring_bytes(S, D)` out of each.
    Source: Thakur, Rabenseifner, Gropp, IJHPCA 19(1), 2005.

    >>> ring_bytes(1024.0, 8)
    896.0
    """
    return total_bytes * (ranks - 1.0) / ranks


def tree_near_bytes(total_bytes: Number, inside: Number) -> Number:
    """Bytes through a scale-up port in a tree all-reduce: up and down the chain of a domain [bytes].

    Source: Jeaugey, "Massively scale your deep learning training with NCCL 2.4", NVIDIA, 2019 (double binary
    trees; half of the buffer in each, chains within nodes).

    >>> tree_near_bytes(1024.0, 8), tree_near_bytes(1024.0, 1)
    (2048.0, 0.0)
    """
    return 2.0 * total_bytes * np.minimum(inside - 1.0, 1.0)


def tree_far_bytes(total_bytes: Number, domains: Number) -> Number:
    """Bytes that the busiest domain sends in an all-reduce by double binary trees [bytes].

    It stands within one tree, half of the buffer up and to two children down, and at the foot of the other,
    half of the buffer up: 2 S. Three domains have too few for that, 1.5 S; two send S, where a ring sends
    nearly 2 S: that is how two nodes exceed their network's rate in bus bandwidth, and more do not.
    Source: Sanders, Speck, Traeff, "Two-tree algorithms for full bandwidth broadcast, reduction and scan",
    Parallel Computing 35, 2009; Jeaugey, NVIDIA/nccl-tests#196, for two nodes.

    >>> [float(tree_far_bytes(1024.0, domains)) for domains in (1, 2, 3, 4, 16)]
    [0.0, 1024.0, 1536.0, 2048.0, 2048.0]
    """
    return total_bytes * np.minimum(2.0, domains / 2.0) * np.minimum(domains - 1.0, 1.0)


def switch_all_reduce_bytes(total_bytes: Number, inside: Number) -> Number:
    """Bytes through a scale-up port when the switches reduce and multicast (NVLS) [bytes].

    Each rank has its whole buffer read by the switches once, and sends its reduced share for multicast:
    S (1 + 1/i). Measured bus bandwidths of 420, 440, 460 and 480 GB/s on 5, 6, 7 and 8 H100 are one rate of
    the port.
    Source: Klenk et al., "An in-network architecture for accelerating shared-memory multiprocessor
    collectives", ISCA 2020; NVIDIA/nccl#1455 for the measured rates.

    >>> measured = ((5, 420.0), (6, 440.0), (7, 460.0), (8, 480.0))
    >>> [round(bus / bus_factor_all_reduce(n) * switch_all_reduce_bytes(1.0, n)) for n, bus in measured]
    [315, 308, 307, 309]
    """
    return total_bytes * (1.0 + 1.0 / inside)


def sharp_far_bytes(total_bytes: Number, domains: Number) -> Number:
    """Bytes that a domain sends when the network's switches reduce (SHARP): the buffer, once [bytes].

    Source: Graham et al., "Scalable hierarchical aggregation protocol (SHArP)", COMHPC 2016.

    >>> sharp_far_bytes(1024.0, 16), sharp_far_bytes(1024.0, 1)
    (1024.0, 0.0)
    """
    return total_bytes * np.minimum(domains - 1.0, 1.0)


def all_to_all_near_bytes(rank_bytes: Number, ranks: Number, inside: Number) -> Number:
    """Of a rank's all-to-all, what stays in its domain [bytes].

    Source: Thakur, Rabenseifner, Gropp, IJHPCA 19(1), 2005 (pairwise exchange).

    >>> all_to_all_near_bytes(1024.0, 16, 8)
    448.0
    """
    return rank_bytes * (inside - 1.0) / ranks


def all_to_all_far_bytes(rank_bytes: Number, ranks: Number, inside: Number) -> Number:
    """Of the all-to-all of a domain's ranks, what leaves it [bytes].

    Each rank's part leaves by its own port: an all-to-all cannot use another's.
    Source: Jeaugey, NVIDIA/nccl-tests#267.

    >>> all_to_all_far_bytes(1024.0, 16, 8)
    4096.0
    """
    return inside * rank_bytes * (ranks - inside) / ranks


def levels_of(domains: Number) -> Number:
    """Levels of a binary tree over so many domains, whole.

    Source: NVIDIA NCCL, src/graph/tuning.cc (log2 of the number of nodes), rounded up for other numbers.

    >>> [int(levels_of(d)) for d in (1, 2, 3, 16, 17)]
    [0, 1, 2, 4, 5]
    """
    return np.ceil(np.log2(domains) - 1e-9)


def beside_s(one_s: Number, other_s: Number, sharpness: Number) -> Number:
    """Time of two stages that a stream of chunks passes at once: little more than the slower [s].

    (a^q + b^q)^(1/q); the larger q, the better they hide each other. q infinite is the maximum, 1 the sum.
    Source: Churchill, Usagi, "A general expression for the correlation of rates of transfer and other
    phenomena", AIChE Journal 18, 1972 (two limits joined by one exponent).

    >>> [round(float(beside_s(3.0, 4.0, sharpness)), 9) for sharpness in (1.0, 2.0)]
    [7.0, 5.0]
    """
    most = np.maximum(np.maximum(one_s, other_s), 1e-15)
    return most * ((one_s / most) ** sharpness + (other_s / most) ** sharpness) ** (1.0 / sharpness)


def ramped_s(latency_s: Number, wire_s: Number, refills: Number, onset: Number) -> Number:
    """Time of a collective from its latency and its time on the wire [s].

    L + W + r L W / (W + c L). What fits into the buffers of the pipeline pays the latency once; beyond,
    rounds of chunks expose up to r further latencies, half of them once the wire takes c times the latency.
    r = 0 is the latency-bandwidth model of Hockney. Rates at middle sizes fall to 0.4 to 0.7 of those at
    large ones, as NCCL's own correction of trees has it.
    Source: Hockney, "The communication challenge for MPP", Parallel Computing 20, 1994; NVIDIA NCCL,
    src/graph/tuning.cc (trees at middle sizes).

    >>> round(1e6 * ramped_s(20e-6, 80e-6, 0.0, 3.0))
    100
    >>> round(1e6 * ramped_s(20e-6, 60e-6, 2.0, 3.0))
    100
    """
    return latency_s + wire_s * (1.0 + refills * latency_s / (wire_s + onset * latency_s + 1e-12))


def filled_s(wire_s: Number, total_bytes: Number, fill_bytes: Number) -> Number:
    """Time on the wire of a pipeline that holds `fill_bytes` at once: filling it counts too [s].

    W (1 + F / (S + F)). Every rank works on a chunk per channel at a time; a buffer smaller than all chunks
    together passes at half rate, a larger one pays one filling.
    Source: NVIDIA NCCL, environment variables (NCCL_NVLS_CHUNKSIZE: 128 KiB), times 16 channels and eight
    ranks: 16 MiB.

    >>> filled_s(100.0, 16.0, 16.0), round(filled_s(1600.0, 256.0, 16.0))
    (150.0, 1694)
    """
    return wire_s * (1.0 + fill_bytes / (total_bytes + fill_bytes))


def exchange_s(
    near_bytes: Number,
    far_bytes: Number,
    near_bytes_per_s: Number,
    far_bytes_per_s: Number,
    latency_s: Number,
) -> Number:
    """Time of a mixture-of-experts dispatch or combine by kernels that send tokens directly [s].

    The slower of what stays in the domain and what leaves it, per rank, after a fixed latency.
    Source: DeepEP, docs/legacy.md: 128 tokens of 7168 in FP8 with scales to 8 of 32 ranks, three quarters of
    which are elsewhere, take 155 us over a port that reaches 48 GB/s.

    >>> sent = 128 * 8 * 7168 * (1 + 4 / 128)
    >>> round(1e6 * exchange_s(sent / 4, sent * 3 / 4, 160e9, 48e9, 37e-6))
    155
    """
    return latency_s + np.maximum(near_bytes / near_bytes_per_s, far_bytes / far_bytes_per_s)
