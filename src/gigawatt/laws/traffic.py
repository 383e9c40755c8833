"""Memory traffic of all that is not a matrix product, tensor by tensor, at the 2 bytes of 16-bit activations.

Every count is the least that a kernel per operation must move: what it reads and what it writes, each once.
"""

from __future__ import annotations

from gigawatt.laws.numbers import Number


def norm_and_residual_bytes(hidden: Number, dropout: Number) -> Number:
    """Forward traffic per token of a layer's two norms and two residual additions [bytes].

    A norm reads and writes `hidden` elements (4 h bytes); an addition reads two and writes one (6 h); dropout
    writes a one-byte mask for each addition.
    Source: Ivanov et al., "Data Movement Is All You Need", arXiv 2007.00072, table 1 (operators of an encoder
    layer).

    >>> norm_and_residual_bytes(4096, 0)
    81920
    """
    return hidden * (20 + 2 * dropout)


def rotary_bytes(num_heads: Number, head_dim: Number) -> Number:
    """Forward traffic per token of rotating the queries in place [bytes].

    Source: Su et al., "RoFormer", arXiv 2104.09864, equation 34: one read and one write of half of the
    elements each.

    >>> rotary_bytes(32, 128)
    8192
    """
    return 2 * num_heads * head_dim


def activation_bytes(width: Number, gated: Number) -> Number:
    """Forward traffic per token of a feed-forward's activation over `width` channels [bytes].

    Plain: read and write (4 bytes a channel). Gated: read both halves, write one (6).
    Source: Shazeer, "GLU Variants Improve Transformer", arXiv 2002.05202, for the operands.

    >>> activation_bytes(11008, 1)
    66048
    """
    return width * (4 + 2 * gated)


def biased_expert_bytes(hidden: Number, width: Number, gated: Number) -> Number:
    """Forward traffic that biases and a clamped activation add per routed copy, a kernel each [bytes].

    A bias reads and writes each output of both products (4 bytes); clamping, scaling and shifting take five
    passes (20).
    Source: OpenAI, gpt-oss reference implementation, MLPBlock: the operators in order.

    >>> biased_expert_bytes(2880, 2880, 1)
    92160
    """
    return 4 * (hidden + (1 + gated) * width) + 20 * width


def routing_bytes(hidden: Number, num_experts: Number, copies: Number) -> Number:
    """Forward traffic of routing per token: every copy permuted there and back, 32-bit router scores [bytes].

    Permutation reads and writes `hidden` elements on the way out and again on the way back (8 h); logits,
    probabilities and the top-k pass over `num_experts` 4-byte scores three times.
    Source: Gale et al., "MegaBlocks", arXiv 2211.15841, section 5 (permutation and un-permutation kernels).

    >>> routing_bytes(7168, 256, 8)
    461824
    """
    return copies * hidden * 8 + num_experts * 12


def scores_bytes(dropout: Number) -> Number:
    """Forward traffic of a softmax per materialised attention score, besides that of the products [bytes].

    The fused scale-mask-softmax reads and writes (4); dropout reads, writes, and writes a one-byte mask (5).
    Source: Korthikanti et al., arXiv 2205.05198, section 4.1 (softmax and dropout of the attention scores).

    >>> scores_bytes(1)
    9
    """
    return 4 + 5 * dropout


def scores_backward_bytes(dropout: Number) -> Number:
    """Backward traffic of the same softmax per score [bytes].

    Its gradient reads the saved output and the incoming gradient and writes one (6); that of dropout reads
    gradient and mask and writes (5).
    Source: Ivanov et al., "Data Movement Is All You Need", arXiv 2007.00072, table 1 (operators of the
    backward pass).

    >>> scores_backward_bytes(1)
    11
    """
    return 6 + 5 * dropout


def loss_bytes() -> Number:
    """Traffic per logit of a vocabulary-parallel cross entropy, forward and backward [bytes].

    Read 16 bit, write and read 32 bit, write the 16-bit gradient and read it twice for the two products: 18
    with the maximum and the sum in passes of their own.
    Source: Shoeybi et al., "Megatron-LM", arXiv 1909.08053, section 3 (parallel cross entropy).

    >>> loss_bytes()
    18
    """
    return 18


def accumulate_bytes(gradient_bytes: Number) -> Number:
    """Traffic per parameter of adding a gradient to the accumulated one in a kernel of its own [bytes].

    The 16-bit gradient is read and afterwards cleared (2 + 2), the accumulated one read and written.
    Source: Narayanan et al., arXiv 2104.04473, section 4.2 and Megatron-LM's gradient-accumulation fusion,
    which saves it.

    >>> accumulate_bytes(4)
    12
    """
    return 4 + 2 * gradient_bytes


def adam_bytes(shard_params: Number, local_params: Number) -> Number:
    """Traffic of one Adam step with 32-bit master weights on the parameters that a rank owns [bytes].

    Gradient, master weight and two moments are read, the last three written, the 16-bit weight written (30),
    and the gradient read once more for its norm (4). Gradients of all local parameters are zeroed and read
    for reduction (8).
    Source: Rajbhandari et al., "ZeRO", arXiv 1910.02054, section 3.1 (the states of mixed-precision Adam).

    >>> adam_bytes(1e9, 8e9) / 1e9
    98.0
    """
    return 34 * shard_params + 8 * local_params


BACKWARD_NORM = 1.5
"""Backward over forward traffic of norms, additions and permutation: the saved input is read again."""

BACKWARD_ACTIVATION = 1.7
"""The same of an activation: inputs and gradient read, gradients of both inputs written (10 bytes for 6)."""
