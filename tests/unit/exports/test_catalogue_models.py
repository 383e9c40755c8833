"""Every model of the catalogue is written and reads back, or is refused for a reason that holds."""

from __future__ import annotations

import pytest

from gigawatt.catalog import Catalog, load_catalog
from gigawatt.domain.training import Layout, TrainingJob
from gigawatt.errors import InputError
from gigawatt.exports import export_layout, import_layout

LAYOUT = Layout(dp=8, zero=1)

REFUSED = {
    "embedding_norm",
    "num_norms_per_block",
    "blocks.attention",
    "blocks.feed_forward.bias",
    "blocks.attention.v_head_dim",
    "blocks.attention.window_tokens",
    "blocks.experts",
    "blocks.feed_forward.hidden",
}
"""What Megatron-LM has no option for."""


@pytest.fixture(scope="module")
def catalogue() -> Catalog:
    return load_catalog()


def test_megatron(catalogue: Catalog) -> None:
    job = TrainingJob(seq_len=2048, global_batch=64)
    written = []
    for name in catalogue.ids("models"):
        model = catalogue.model(name)
        try:
            (script,) = export_layout(
                "megatron-lm", model, catalogue.system("hgx-h100"), LAYOUT, job
            ).values()
        except InputError as refusal:
            assert {problem.key for problem in refusal.problems} <= REFUSED, name  # noqa: PT017
            continue
        found = import_layout(script, "launch.sh")
        assert found.layout == LAYOUT, name
        expected = {"num_layers": model.num_layers, "hidden": model.hidden, "vocab": model.vocab}
        assert {key: found.model[key] for key in expected} == expected, name
        written.append(name)
    assert {"llama-3.1-405b", "deepseek-v3", "mixtral-8x7b", "gpt-oss-120b", "gpt-3-175b"} <= set(written)


@pytest.mark.parametrize(
    "name",
    [
        "llama-3.1-8b",
        "llama-3.1-70b",
        "llama-3.1-405b",
        "qwen3-32b",
        "qwen3-30b-a3b",
        "deepseek-v3",
        "gpt-oss-120b",
    ],
)
@pytest.mark.parametrize("target", ["torchtitan", "torchtitan-toml"])
def test_torchtitan_has_the_models_that_it_ships(target: str, name: str, catalogue: Catalog) -> None:
    model = catalogue.model(name)
    job = TrainingJob(seq_len=2048, global_batch=64)
    layout = Layout(dp=8, zero=3)
    files = export_layout(target, model, catalogue.system("hgx-h100"), layout, job)
    filename = next(filename for filename in files if not filename.endswith(".py"))
    found = import_layout(files[filename], filename)
    assert (found.layout, found.model["num_layers"]) == (layout, model.num_layers)
