"""What training keeps in memory: the state of every parameter, and every tensor that the backward pass needs.

Tensors are counted one by one, never scaled from another model's total. Activation laws give bytes **per
token and per accelerator** for one block; the tokens of a micro-batch are `seq_len * micro_batch / cp`.
16-bit tensors take 2 bytes, masks 1, softmax statistics and router scores 4. Flags (`flash`, `dropout`,
`gated`) are 0 or 1.

`edge_tp` is over how many ranks the tensors between tensor-parallel regions are split: `tp` with sequence
parallelism, else 1. `linear_input_bytes` is what one element of a saved matrix-multiply input takes: 2 for
16-bit training, 1 where it is kept in 8 bits.

Source of the method: Korthikanti et al., "Reducing Activation Recomputation in Large Transformer Models",
arXiv 2205.05198, section 4. Its closed forms follow from these laws exactly (tests/unit/laws/test_memory.py).
"""

from __future__ import annotations

import numpy as np

from gigawatt.laws.numbers import Number

NONE, SELECTIVE, FULL = 0, 1, 2
"""Codes of the recompute policies, in the order in which they save memory."""


# --- state: weights, gradients, optimizer -----------------------------------------------------------------


def sharded_bytes(
    params: Number, bytes_per_param: Number, zero: Number, from_zero: Number, shard: Number
) -> Number:
    """Bytes per accelerator of one kind of state, which ZeRO splits `shard` ways from stage `from_zero` on.

    Optimizer states are split from stage 1, gradients from 2, weights from 3. `params` is what tensor,
    expert and pipeline parallelism leave on the accelerator.
    Source: Rajbhandari et al., "ZeRO", arXiv 1910.02054, figure 1: 7.5B parameters over 64 ranks.

    >>> state = lambda zero: sum(
    ...     sharded_bytes(7.5e9, size, zero, split_from, 64) for size, split_from in ((12, 1), (2, 2), (2, 3))
    ... )
    >>> [round(state(zero).item() / 1e9, 1) for zero in (0, 1, 2, 3)]
    [120.0, 31.4, 16.6, 1.9]
    """
    return params * bytes_per_param / np.where(zero >= from_zero, shard, 1.0)


def expert_replicas(tp: Number, cp: Number, dp: Number, ep: Number, etp: Number) -> Number:
    """Over how many replicas the state of one expert shard can be split.

    Experts take their ranks from all of one pipeline stage, tp * cp * dp; `ep * etp` of them hold one copy
    of all experts.
    Source: NVIDIA Megatron-Core, "MoE Parallel Folding", arXiv 2504.14960.

    >>> expert_replicas(8, 1, 16, 64, 1)
    2.0
    """
    return tp * cp * dp / (ep * etp)


def gathered_bytes(
    block_params: Number,
    root_params: Number,
    stage_params: Number,
    gather_bytes: Number,
    reduce_bytes: Number,
    zero: Number,
    pp: Number,
) -> Number:
    """Bytes per accelerator of whole parameters and gradients while ZeRO-3 (FSDP) computes; 0 below stage 3.

    The current block and the one being prefetched are gathered; so is the root group (embedding, final norm
    and head), which stays, with its gradient, to the end of the backward pass. One block's whole gradient
    stands as it is computed (`gather_bytes` each) and as it is reduced (`reduce_bytes` each). In a pipeline
    the stage's parameters stay gathered between micro-batches, and its gradients are reduced once, at the
    end.
    Source: Zhao et al., "PyTorch FSDP", arXiv 2304.11277, section 3.3; pytorch/torchtitan, parallelisation of
    Llama (no resharding after the forward pass of a pipeline stage).

    >>> gathered_bytes(218e6, 1050e6, 8030e6, 2, 4, 3, 1).item() / 1e9
    6.38
    """
    single = block_params * (3.0 * gather_bytes + reduce_bytes) + 2.0 * root_params * gather_bytes
    piped = stage_params * (gather_bytes + reduce_bytes)
    return np.where(zero >= 3, np.where(pp > 1, piped, single), 0.0)


# --- activations of one block, per token ------------------------------------------------------------------


def norm_and_mask_bytes(hidden: Number, edge_tp: Number, dropout: Number) -> Number:
    """Inputs of a block's two norms and masks of its two residual dropouts [bytes/token].

    >>> norm_and_mask_bytes(1, 1, 1)      # 4sbh + 2sbh, arXiv 2205.05198, section 4.1
    6.0
    """
    return (4.0 + 2.0 * dropout) * hidden / edge_tp


def attention_scores_bytes(
    num_heads: Number, seq_len: Number, tp: Number, flash: Number, dropout: Number
) -> Number:
    """What attention saves per pair of positions: softmax output, dropout mask and output [bytes/token].

    Nothing where a fused kernel (FlashAttention) rebuilds the scores from their statistics.
    Source: arXiv 2205.05198, section 4.1: 5as of equation 1.

    >>> attention_scores_bytes(96, 2048, 8, 0, 1) == 5 * 96 * 2048 / 8
    True
    """
    return (1.0 - flash) * (2.0 + 3.0 * dropout) * num_heads * seq_len / tp


def attention_saved_bytes(
    hidden: Number,
    num_heads: Number,
    num_kv_heads: Number,
    head_dim: Number,
    v_head_dim: Number,
    latent_width: Number,
    tp: Number,
    edge_tp: Number,
    flash: Number,
    linear_input_bytes: Number,
) -> Number:
    """What attention saves besides its scores [bytes/token]: projection inputs, Q, K, V, softmax statistics.

    KV heads are copied where there are fewer than `tp`. `latent_width` is the summed rank of MLA's
    down-projections (0 otherwise): each latent is kept as input of its norm and of its up-projection, and
    is not cut by `tp`; training expands K and V to all heads, so `num_kv_heads` is then `num_heads`. A
    fused kernel needs its own output in 16 bits for the backward pass; where the output projection keeps an
    8-bit copy, both stand.
    Source: arXiv 2205.05198, section 4.1 (11sbh less the mask); Dao et al., arXiv 2205.14135, for the
    statistics.

    >>> attention_saved_bytes(1, 1, 1, 1, 1, 0, 1, 1, 0, 2).item()    # 2 + 6 (Q, K, V) + 2
    10.0
    """
    heads = num_heads / tp
    kv_heads = np.maximum(num_kv_heads / tp, 1.0)
    own_output = np.where(linear_input_bytes < 2.0, 2.0, 0.0) * flash
    edges = (linear_input_bytes * hidden + (2.0 + linear_input_bytes) * latent_width) / edge_tp
    core = 2.0 * (heads * head_dim + kv_heads * (head_dim + v_head_dim)) + 4.0 * flash * heads
    return edges + core + (linear_input_bytes + own_output) * heads * v_head_dim


def mlp_saved_bytes(
    hidden: Number, ffn_hidden: Number, gated: Number, tp: Number, edge_tp: Number, linear_input_bytes: Number
) -> Number:
    """What a dense MLP saves: input, activation function's input (two when gated), its product [bytes/token].

    A gate fused with its activation function, as all current trainers have it, saves no SiLU output.
    Source: arXiv 2205.05198, section 4.1 (19sbh less the mask).

    >>> mlp_saved_bytes(1, 4, 0, 1, 1, 2)
    18.0
    """
    inner = (2.0 * (1.0 + gated) + linear_input_bytes) * ffn_hidden / tp
    return linear_input_bytes * hidden / edge_tp + inner


def routed_copies(experts_per_token: Number, tp: Number, etp: Number, imbalance: Number) -> Number:
    """Expert inputs that an accelerator holds per token of its micro-batch, `imbalance` times the mean.

    Each of `tp` ranks routes its own 1/tp of the tokens; the `etp` ranks that share an expert all see its
    tokens.
    Source: NVIDIA Megatron-Core, arXiv 2504.14960, section 3 (all-to-all, then all-gather over expert TP).

    >>> routed_copies(8, 4, 1, 1.0)
    2.0
    """
    return experts_per_token * imbalance * etp / tp


def experts_saved_bytes(
    hidden: Number,
    expert_hidden: Number,
    gated: Number,
    num_experts: Number,
    copies: Number,
    shared_hidden: Number,
    tp: Number,
    edge_tp: Number,
    etp: Number,
    linear_input_bytes: Number,
) -> Number:
    """What a mixture-of-experts MLP saves [bytes/token]; `copies` from `routed_copies`.

    Its input for the router and the shared expert (16 bits), router scores and probabilities (32 bits), and
    for each routed copy what a dense MLP of that width would save. Weighting with the probabilities before
    the second matrix is assumed, so that no expert's output has to be kept.
    Source: NVIDIA Megatron-Core MoE (probabilities applied in the activation function); counted tensor by
    tensor.

    >>> experts_saved_bytes(7168, 2048, 1, 256, 8.0, 2048, 1, 1, 1, 2)
    241664.0
    """
    inner_bytes = 2.0 * (1.0 + gated) + linear_input_bytes
    routed = copies * (linear_input_bytes * hidden + inner_bytes * expert_hidden / etp)
    return routed + inner_bytes * shared_hidden / tp + 2.0 * hidden / edge_tp + 8.0 * num_experts / tp


def checkpoint_bytes(hidden: Number, edge_tp: Number) -> Number:
    """What full recomputation saves of a block: its input [bytes/token].

    Source: arXiv 2205.05198, section 5: 2sbh.

    >>> checkpoint_bytes(12288, 1)
    24576.0
    """
    return 2.0 * hidden / edge_tp


def alternate_matmuls_bytes(
    hidden: Number,
    num_heads: Number,
    num_kv_heads: Number,
    head_dim: Number,
    v_head_dim: Number,
    ffn_width: Number,
    tp: Number,
    edge_tp: Number,
) -> Number:
    """What PyTorch's selective checkpointing by operator saves of a block [bytes/token].

    Its input, attention output with statistics, and the output of every other matrix multiplication: of Q,
    V, the first MLP matrix and the last. `ffn_width` is the width of all MLPs that a token visits on this
    accelerator, before `tp`.
    Source: pytorch/torchtitan, per-operator activation checkpointing ("op"), default of its Llama 3 8B
    configuration.

    >>> alternate_matmuls_bytes(4096, 32, 8, 128, 128, 14336, 1, 1).item()
    63616.0
    """
    heads = num_heads / tp
    kv_heads = np.maximum(num_kv_heads / tp, 1.0)
    attention = 2.0 * (heads * (head_dim + v_head_dim) + kv_heads * v_head_dim) + 4.0 * heads
    return attention + 2.0 * ffn_width / tp + 4.0 * hidden / edge_tp


def recompute_saved_bytes(
    all_bytes: Number, scores_bytes: Number, selective_bytes: Number, input_bytes: Number, recompute: Number
) -> Number:
    """What a block saves under a recompute policy (codes NONE, SELECTIVE, FULL) [bytes/token].

    `all_bytes` includes `scores_bytes`. Selective recomputation drops the scores (Megatron-LM) where
    `selective_bytes` is 0, else keeps `selective_bytes`.

    >>> [float(recompute_saved_bytes(114.0, 80.0, 0.0, 2.0, code)) for code in (0, 1, 2)]
    [114.0, 34.0, 2.0]
    """
    selective = np.where(
        selective_bytes > 0.0, np.minimum(selective_bytes, all_bytes), all_bytes - scores_bytes
    )
    return np.where(recompute >= FULL, input_bytes, np.where(recompute >= SELECTIVE, selective, all_bytes))


def backward_bytes(
    hidden: Number,
    attention_width: Number,
    scores_bytes: Number,
    ffn_width: Number,
    gated: Number,
    copies: Number,
    tp: Number,
) -> Number:
    """Gradients of activations that stand at once while a block goes backward [bytes/token].

    The wider of attention (gradients of Q, K, V and the output, `attention_width` elements on this
    accelerator; two of the score tensors where they are materialised) and MLP (gradients of the activation
    function's output and input; in and out buffers of routed copies), each with its gathered input and that
    input's gradient. `ffn_width` is before `tp`.

    >>> backward_bytes(4096, 14336, 0.0, 14336, 1, 0.0, 1).item()
    102400.0
    """
    attention = 2.0 * attention_width + scores_bytes
    mlp = (2.0 * (1.0 + gated) + 2.0) * ffn_width / tp + 4.0 * copies * hidden
    return 4.0 * hidden + np.maximum(attention, mlp)


# --- a pipeline stage -------------------------------------------------------------------------------------


def chunks_in_flight(pp: Number, vpp: Number, stage: Number, num_microbatches: Number) -> Number:
    """Model chunks whose activations a stage holds at its peak (one chunk is 1/vpp of the stage's layers).

    1F1B: stage i holds min(m, p - i). Interleaved: the warm-up of Megatron-LM, 2(p - i - 1) + (v - 1)p, and
    one more. Of stage 0 that is p(1 + (p - 1)/(pv)) stages' worth (arXiv 2205.05198, section 4.2.3). ZB-H1
    holds what 1F1B holds (Qi et al., arXiv 2401.10241, section 2.3).

    >>> int(chunks_in_flight(8, 1, 0, 64)), int(chunks_in_flight(8, 3, 0, 64)), 8 * (1 + 7 / 24) * 3
    (8, 31, 31.0)
    """
    interleaved = 2.0 * (pp - stage - 1.0) + (vpp - 1.0) * pp + 1.0
    return np.minimum(np.where(vpp > 1, interleaved, pp - stage), num_microbatches * vpp)


def embedding_saved_bytes(hidden: Number, edge_tp: Number, dropout: Number) -> Number:
    """What the embedding saves: the mask of its dropout [bytes/token]. Source: arXiv 2205.05198, section 4.3.

    >>> embedding_saved_bytes(12288, 8, 1)
    1536.0
    """
    return dropout * hidden / edge_tp


def head_saved_bytes(hidden: Number, edge_tp: Number) -> Number:
    """Inputs of the final norm and of the head [bytes/token]. Source: arXiv 2205.05198, section 4.3.

    >>> head_saved_bytes(12288, 8)
    6144.0
    """
    return 4.0 * hidden / edge_tp


def logits_bytes(vocab: Number, tp: Number, bytes_per_logit: Number) -> Number:
    """What the loss holds at its peak [bytes/token].

    `bytes_per_logit` depends on the loss: 4 (32-bit logits alone, arXiv 2205.05198, section 4.3; also a
    compiled loss that keeps 16-bit logits and their gradient), 6 (16-bit logits and one 32-bit copy, in
    place), 12 (PyTorch's unfused backward: log-probabilities, their gradient and the logits' gradient, 32
    bits each).

    >>> logits_bytes(51200, 8, 4)
    25600.0
    """
    return vocab * bytes_per_logit / tp
