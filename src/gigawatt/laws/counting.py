"""How many parameters a transformer's tensors hold, and how many FLOPs a token costs in them.

Counts are exact for integers and broadcast over arrays. A matrix product of m x k with k x n is 2 m n k
FLOPs, so a token costs 2 FLOPs per weight that it passes, forward. Whether attention counts as causal or full
is said by the caller; nothing here is halved silently.
"""

from __future__ import annotations

from gigawatt.laws.numbers import Number

VALIDITY = {
    "grouped_query_params": "kv_heads divides heads; weights only, without biases",
    "latent_attention_params": "q_lora_rank 0 means a full query projection",
    "full_attention_flop_per_token": "keys: the sequence length, or the window where that is shorter",
}


def grouped_query_params(
    hidden: Number, heads: Number, kv_heads: Number, head_dim: Number, v_head_dim: Number
) -> Number:
    """Weights of query, key, value and output projections of one layer.

    Source: Ainslie et al., GQA, arXiv 2305.13245, section 2; Llama 3: arXiv 2407.21783, table 3.

    >>> grouped_query_params(16384, 128, 8, 128, 128)   # Llama 3.1 405B
    570425344
    """
    return hidden * (heads * head_dim + kv_heads * (head_dim + v_head_dim)) + heads * v_head_dim * hidden


def latent_attention_params(
    hidden: Number,
    heads: Number,
    head_dim: Number,
    v_head_dim: Number,
    rope_dim: Number,
    q_lora_rank: Number,
    kv_lora_rank: Number,
) -> Number:
    """Weights of multi-head latent attention of one layer, without the norms of the latents.

    Queries pass a bottleneck of q_lora_rank, keys and values one of kv_lora_rank; all heads share a rotary
    key of rope_dim. head_dim includes the rotary part.
    Source: DeepSeek-AI, DeepSeek-V2, arXiv 2405.04434, section 2.1 and appendix B.

    >>> latent_attention_params(7168, 128, 192, 128, 64, 1536, 512)   # DeepSeek-V3
    187105280
    """  # fmt: skip
    narrow = 1 * (q_lora_rank > 0)
    queries = narrow * q_lora_rank * (hidden + heads * head_dim) + (1 - narrow) * hidden * heads * head_dim
    latents = hidden * (kv_lora_rank + rope_dim)
    keys_values = kv_lora_rank * heads * (head_dim - rope_dim + v_head_dim)
    return queries + latents + keys_values + heads * v_head_dim * hidden


def mlp_params(hidden: Number, width: Number, gated: Number) -> Number:
    """Weights of one MLP: two matrices, or three where a gate multiplies the inner activations.

    Source: Shazeer, GLU Variants Improve Transformer, arXiv 2002.05202, section 2.

    >>> mlp_params(4096, 14336, True), mlp_params(12288, 49152, False)   # Llama 3 8B, GPT-3
    (176160768, 1207959552)
    """
    return (2 + gated) * hidden * width


def mlp_bias_params(hidden: Number, width: Number, gated: Number) -> Number:
    """Biases of one MLP: of the inner matrices, and of the output.

    Source: the dense layers of Radford et al., GPT-2 (4 h and h).

    >>> mlp_bias_params(768, 3072, False)   # GPT-2 small
    3840
    """
    return (1 + gated) * width + hidden


def experts_params(hidden: Number, width: Number, gated: Number, num_experts: Number) -> Number:
    """Weights of `num_experts` expert MLPs, the router not included.

    Source: Fedus et al., Switch Transformers, arXiv 2101.03961, section 2; Mixtral: arXiv 2401.04088.

    >>> round(32 * experts_params(4096, 14336, True, 8) / 1e9, 1)   # Mixtral 8x7B: 45.1 of its 46.7 billion
    45.1
    """
    return num_experts * mlp_params(hidden, width, gated)


def vocabulary_params(hidden: Number, vocab: Number) -> Number:
    """Weights of an embedding, or of an untied output head.

    Source: GPT-3, arXiv 2005.14165, table 2.1 (n_vocab of GPT-2 x d_model).

    >>> vocabulary_params(18432, 256000) * 2 / 1e9   # Nemotron-4 340B states 9.4 billion embedding parameters
    9.437184
    """
    return vocab * hidden


def mtp_projection_params(hidden: Number) -> Number:
    """Weights that join a token's state with the next token's embedding in a multi-token-prediction module.

    Source: DeepSeek-AI, DeepSeek-V3, arXiv 2412.19437, section 2.2, equation 21 (M_k of d x 2 d).

    >>> mtp_projection_params(7168)
    102760448
    """
    return 2 * hidden * hidden


def linear_flop_per_token(params: Number) -> Number:
    """FLOPs of a token through `params` weights, forward [FLOP].

    Source: Kaplan et al., Scaling Laws for Neural Language Models, arXiv 2001.08361, section 2.1 (2 N).

    >>> linear_flop_per_token(175e9) / 1e9
    350.0
    """
    return 2 * params


def full_attention_flop_per_token(keys: Number, heads: Number, qk_dim: Number, v_dim: Number) -> Number:
    """FLOPs of scores and mixing for one query over `keys` keys, none masked, forward [FLOP].

    Source: Korthikanti et al., arXiv 2205.05198, appendix A (4 s h per token and layer, heads x dim = h).

    >>> full_attention_flop_per_token(2048, 96, 128, 128) == 4 * 2048 * 12288
    True
    """
    return 2 * keys * heads * (qk_dim + v_dim)


def training_flop(forward_flop: Number) -> Number:
    """Forward and backward FLOPs without recomputation: backward costs twice the forward [FLOP].

    Source: Kaplan et al., arXiv 2001.08361, section 2.1 (6 N of 2 N).

    >>> training_flop(350e9) / 1e9
    1050.0
    """
    return 3 * forward_flop
