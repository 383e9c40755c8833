"""Reading config.json: what is refused, and that every problem is told at once."""

from __future__ import annotations

import pytest

from gigawatt.domain.huggingface import read_config
from gigawatt.errors import InputError

LLAMA = {
    "model_type": "llama", "hidden_size": 4096, "intermediate_size": 14336, "num_hidden_layers": 32,
    "num_attention_heads": 32, "num_key_value_heads": 8, "vocab_size": 128256,
}  # fmt: skip
DEEPSEEK = {
    "model_type": "deepseek_v3", "hidden_size": 7168, "intermediate_size": 18432, "num_hidden_layers": 61,
    "num_attention_heads": 128, "vocab_size": 129280, "q_lora_rank": 1536, "kv_lora_rank": 512,
    "qk_nope_head_dim": 128, "qk_rope_head_dim": 64, "v_head_dim": 128, "n_routed_experts": 256,
    "n_shared_experts": 1, "num_experts_per_tok": 8, "moe_intermediate_size": 2048,
    "first_k_dense_replace": 3, "num_nextn_predict_layers": 1,
}  # fmt: skip


def read(**keys):
    return read_config(LLAMA | keys, "mine", "Mine")


def problems(config):
    with pytest.raises(InputError) as caught:
        read_config(config, "mine", "Mine")
    return {problem.key: problem.message for problem in caught.value.problems}


def without(config, *keys):
    return {key: value for key, value in config.items() if key not in keys}


def test_llama_3_shape():
    model = read()
    attention = model.blocks[0].attention
    assert (model.num_layers, model.hidden, model.vocab) == (32, 4096, 128256)
    assert (attention.num_heads, attention.num_kv_heads, attention.head_dim) == (32, 8, 128)
    assert not model.tied_head


def test_rotary_dtype_quantisation_and_private_keys_change_nothing():
    extra = {
        "rope_scaling": {"rope_type": "llama3", "factor": 8.0}, "rope_theta": 5e5, "torch_dtype": "bfloat16",
        "dtype": "bfloat16", "quantization_config": {"quant_method": "fp8"}, "_gigawatt": {"name": "x"},
    }  # fmt: skip
    assert read(**extra) == read()


def test_head_dim_may_differ_from_hidden_over_heads_and_may_be_null():
    assert read(head_dim=64).blocks[0].attention.head_dim == 64
    assert read(head_dim=None).blocks[0].attention.head_dim == 128


def test_missing_key_value_heads_mean_multi_head_attention_only_where_the_class_says_so():
    plain = without(LLAMA, "num_key_value_heads")
    assert read_config(plain, "a", "A").blocks[0].attention.num_kv_heads == 32
    assert "num_key_value_heads" in problems(plain | {"model_type": "qwen2"})


@pytest.mark.parametrize(("model_type", "tied"), [("llama", False), ("gemma", True), ("qwen2", False)])
def test_tied_head_defaults_are_those_of_the_class(model_type, tied):
    assert read(model_type=model_type).tied_head is tied


def test_text_config_is_read_and_inherits_the_tied_head():
    text = without(LLAMA, "model_type")
    text["sliding_window"] = 1024
    outer = {"model_type": "gemma3", "text_config": text, "tie_word_embeddings": False}
    model = read_config(outer, "mine", "Mine")
    assert not model.tied_head
    assert model.blocks[0].attention.qk_norm
    assert "text_config.hidden_size" in problems(outer | {"text_config": without(text, "hidden_size")})


def test_five_windows_to_one_full_layer_are_two_kinds_in_their_order():
    model = read(model_type="gemma3_text", sliding_window=1024, num_hidden_layers=12)
    assert [block.count for block in model.blocks] == [10, 2]
    assert model.layer_kinds == (0, 0, 0, 0, 0, 1) * 2
    assert [block.attention.window_tokens for block in model.layers[4:6]] == [1024, 0]


def test_window_of_qwen_is_ignored_unless_switched_on():
    window = {"model_type": "qwen2", "sliding_window": 4096, "max_window_layers": 28}
    assert all(block.attention.window_tokens == 0 for block in read(**window).blocks)
    late = read(**window, use_sliding_window=True)
    assert [(block.count, block.attention.window_tokens) for block in late.blocks] == [(28, 0), (4, 4096)]


def test_deepseek_has_three_dense_layers_and_latent_attention():
    model = read_config(DEEPSEEK, "deepseek-v3", "DeepSeek-V3")
    dense, sparse = model.blocks
    assert (dense.count, sparse.count, model.num_mtp_layers) == (3, 58, 1)
    assert (dense.attention.kind, dense.attention.head_dim, dense.attention.v_head_dim) == ("mla", 192, 128)
    assert sparse.experts is not None
    assert (sparse.experts.num_experts, sparse.experts.shared_hidden) == (256, 2048)


def test_experts_in_every_second_layer():
    model = read(
        model_type="qwen3_moe", num_experts=128, num_experts_per_tok=8, moe_intermediate_size=768,
        decoder_sparse_step=2, mlp_only_layers=[31],
    )  # fmt: skip
    assert [layer.experts is not None for layer in model.layers] == [False, True] * 15 + [False, False]


def test_every_problem_is_told_at_once():
    broken = without(LLAMA, "vocab_size") | {
        "hidden_size": -4096, "num_hidden_layers": "32", "num_key_value_heads": 5,
        "tie_word_embeddings": "no",
    }  # fmt: skip
    found = problems(broken)
    assert set(found) >= {
        "hidden_size", "num_hidden_layers", "num_key_value_heads", "tie_word_embeddings", "vocab_size",
    }  # fmt: skip
    assert found["hidden_size"].startswith("found -4096, expected a whole number")
    assert found["num_hidden_layers"] == "found '32', expected a whole number"
    assert "missing" in found["vocab_size"]


def test_misspelt_key_is_pointed_out():
    found = problems(without(LLAMA, "hidden_size") | {"hiden_size": 4096})
    assert "did you mean it by 'hiden_size'" in found["hidden_size"]


@pytest.mark.parametrize(
    ("keys", "key"),
    [
        ({"num_attention_heads": 33, "num_key_value_heads": 33}, "num_attention_heads"),
        ({"num_key_value_heads": 7}, "num_key_value_heads"),
        ({"num_hidden_layers": 0}, "num_hidden_layers"),
        ({"num_hidden_layers": True}, "num_hidden_layers"),
        ({"hidden_size": 4096.5}, "hidden_size"),
        ({"hidden_size": 10**12}, "hidden_size"),
        ({"hidden_size": float("nan")}, "hidden_size"),
        ({"attention_bias": "yes"}, "attention_bias"),
        ({"n_routed_experts": 64}, "n_routed_experts"),
        ({"kv_lora_rank": 512}, "kv_lora_rank"),
    ],
)
def test_absurd_and_contradictory_values_are_refused(keys, key):
    assert key in problems(LLAMA | keys)


def test_a_token_cannot_visit_more_experts_than_there_are():
    assert "num_experts_per_tok" in problems(DEEPSEEK | {"num_experts_per_tok": 300})


def test_contradicting_numbers_of_experts_are_refused():
    found = problems(DEEPSEEK | {"num_experts": 128})
    assert found["n_routed_experts"] == "found 256, but another key says 128 experts"


def test_layer_types_must_name_every_layer_and_only_attention():
    window = {"model_type": "gemma2", "sliding_window": 128}
    few = problems(LLAMA | window | {"layer_types": ["full_attention"] * 3})
    assert few["layer_types"] == "found 3 layers, expected 32"
    odd = problems(LLAMA | window | {"layer_types": ["linear_attention"] * 32})
    assert "linear_attention" in odd["layer_types"]


def test_a_window_that_the_class_would_default_must_be_said():
    assert "sliding_window" in problems(LLAMA | {"model_type": "gemma2"})


@pytest.mark.parametrize("listed", [[[1]], [{}], ["1"], [32], [-1], "1"])
def test_lists_of_layers_hold_numbers_of_layers(listed):
    experts = {
        "model_type": "qwen3_moe", "num_experts": 8, "num_experts_per_tok": 2, "moe_intermediate_size": 64,
    }  # fmt: skip
    assert "mlp_only_layers" in problems(LLAMA | experts | {"mlp_only_layers": listed})


@pytest.mark.parametrize("model_type", ["nemotron_h", "mamba", "jamba", "qwen3_next"])
def test_hybrids_are_refused_with_a_remedy(model_type):
    message = problems({"model_type": model_type})["model_type"]
    assert "state-space" in message
    assert "choose a model" in message


@pytest.mark.parametrize("config", [{"model_type": "bert"}, {"model_type": "x", "is_encoder_decoder": True}])
def test_encoders_are_refused_with_a_remedy(config):
    assert "causal language model" in problems(config)["model_type"]


def test_unknown_type_names_the_nearest():
    assert "did you mean 'mixtral'" in problems({"model_type": "mixtrall"})["model_type"]


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({}, "missing"),
        ({"peft_type": "LORA", "r": 8}, "base model"),
        ({"_class_name": "UNet2DConditionModel"}, "is this a model's config.json?"),
        ({"model_type": 7}, "found 7"),
        ({"model_type": ["llama"]}, "expected a text"),
    ],
)
def test_foreign_files_are_refused(config, words):
    assert words in problems(config)["model_type"]


@pytest.mark.parametrize("config", [[], "llama", None, 3])
def test_what_is_no_mapping_is_refused(config):
    with pytest.raises(InputError, match=r"expected a config\.json"):
        read_config(config, "mine", "Mine")
