"""FLOPs per token against closed forms and sums over every query; groups of parameters against each other."""

from __future__ import annotations

import pytest

from gigawatt.design.model_counts import (
    attention_flop_per_token,
    forward_flop_per_token,
    parameter_count,
    train_flop_per_token,
)
from gigawatt.domain.model import Attention, Block, Experts, FeedForward, Model

HEADS = Attention(num_heads=8, num_kv_heads=2, head_dim=16, v_head_dim=16)


def dense(**keys):
    block = Block(count=4, attention=HEADS, feed_forward=FeedForward(hidden=256))
    return Model(id="m", name="M", hidden=128, vocab=1000, blocks=(block,), **keys)


def sparse(num_experts, per_token, **keys):
    experts = Experts(num_experts=num_experts, num_experts_per_token=per_token, hidden=64, shared_hidden=32)
    block = Block(count=4, attention=HEADS, experts=experts)
    return Model(id="m", name="M", hidden=128, vocab=1000, blocks=(block,), **keys)


def test_groups_add_up_to_the_total():
    count = parameter_count(sparse(8, 2))
    mlps = count.feed_forward + count.experts + count.router
    assert count.embedding + count.head + count.attention + mlps + count.norms == count.total


def test_active_is_the_total_of_the_model_with_only_the_visited_experts():
    idle_router_rows = 4 * 6 * 128
    assert parameter_count(sparse(8, 2)).active == parameter_count(sparse(2, 2)).total + idle_router_rows


def test_tying_the_head_saves_one_vocabulary():
    assert parameter_count(dense()).total - parameter_count(dense(tied_head=True)).total == 128_000


def test_multi_token_prediction_is_counted_apart():
    plain, with_module = parameter_count(dense()), parameter_count(dense(num_mtp_layers=1))
    layer = (plain.total - plain.embedding - plain.head - 128) // 4
    assert with_module.total == plain.total
    assert with_module.mtp == layer + 2 * 128 * 128 + 3 * 128


@pytest.mark.parametrize(("window", "chunked"), [(0, False), (5, False), (64, False), (8, True)])
def test_causal_attention_counts_the_keys_that_each_query_sees(window, chunked):
    """Brute force over queries; the law counts half of each query's own key, hence the two bounds."""
    seq_len = 64
    attention = HEADS.model_copy(update={"window_tokens": window, "chunked": chunked})
    span = window or seq_len
    seen = [min(i % span if chunked else i, span) for i in range(seq_len)]
    least, most = (2 * 8 * 32 * (sum(seen) / seq_len + extra) for extra in (0, 1))
    assert least <= attention_flop_per_token(attention, seq_len, causal=True) <= most


def test_full_attention_counts_every_key():
    assert attention_flop_per_token(HEADS, 64, causal=False) == 4 * 64 * 8 * 16


def test_linear_flop_is_two_per_weight_that_a_token_passes():
    """Without the embedding lookup and the norms, at a sequence of no length."""
    model = sparse(8, 2)
    count = parameter_count(model)
    weights = count.active - count.embedding - count.norms
    core = 4 * attention_flop_per_token(HEADS, 1, causal=True)
    assert forward_flop_per_token(model, 1, causal=True) - core == 2 * weights


def test_training_costs_three_forwards_and_modules_cost_a_layer_a_projection_and_a_head():
    plain, module = dense(), dense(num_mtp_layers=1)
    assert train_flop_per_token(plain, 64, causal=True) == 3 * forward_flop_per_token(plain, 64, causal=True)
    assert forward_flop_per_token(module, 64, True, with_mtp=False) == forward_flop_per_token(plain, 64, True)
    head = 2 * 128 * 1000
    layer = (forward_flop_per_token(plain, 64, True) - head) / 4
    extra = forward_flop_per_token(module, 64, True) - forward_flop_per_token(plain, 64, True)
    assert extra == pytest.approx(layer + 2 * 2 * 128 * 128 + head)
