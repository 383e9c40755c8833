"""What is written, against files typed by hand from each upstream release."""

from __future__ import annotations

import shutil
import subprocess
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest

from gigawatt.domain.hardware import System
from gigawatt.domain.model import Model
from gigawatt.domain.training import Layout, TrainingJob
from gigawatt.exports import TARGETS, export_layout

GOLDEN = Path(__file__).parent / "golden"

LLAMA = TrainingJob(seq_len=8192, global_batch=288, precision="fp8")
DEEPSEEK = TrainingJob(seq_len=4096, global_batch=512)

SCRIPTS = {
    "megatron-lm_core_v0.16.1_llama-405b": (
        Layout(tp=8, pp=18, vpp=7, cp=2, dp=4, recompute="full", schedule="interleaved"),
        LLAMA,
    ),
    "megatron-lm_core_v0.16.1_deepseek-v3": (
        Layout(tp=2, pp=4, ep=64, dp=32, zero=3, dp_shard=16, recompute="selective"),
        DEEPSEEK,
    ),
    "torchtitan_0.3.0_llama-405b": (
        Layout(
            tp=8,
            pp=9,
            vpp=2,
            dp=8,
            micro_batch=2,
            zero=3,
            dp_shard=4,
            recompute="full",
            schedule="interleaved",
        ),
        LLAMA,
    ),
}


def started_with(script: str, folder: Path) -> list[str]:
    """What torchrun is given when bash itself runs the script: one line per option with its value."""
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("bash is not installed")
    path = folder / "launch.sh"
    path.write_text(script)
    spy = f'torchrun() {{ printf "%s\\n" "$@"; }}; export -f torchrun; {bash} {path}'
    done = subprocess.run([bash, "-c", spy], capture_output=True, text=True, check=True)
    words = done.stdout.splitlines()
    program = next(
        index for index, word in enumerate(words) if word in {"pretrain_gpt.py", "torchtitan.train"}
    )
    lines: list[str] = []
    for word in words[program + 1 :]:
        if word.startswith(("--", "activation-checkpoint:")):
            lines.append(word)
        else:
            lines[-1] += f" {word}"
    return lines


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_starts_the_program_with_the_documented_options(
    name: str, models: Mapping[str, Model], hgx: System, tmp_path: Path
) -> None:
    target, model = name.split("_")[0], name.split("_")[-1]
    layout, job = SCRIPTS[name]
    (script,) = export_layout(target, models[model], hgx, layout, job).values()
    golden = (GOLDEN / f"{name}.txt").read_text().splitlines()
    expected = [line for line in golden if not line.startswith("#")]
    assert sorted(started_with(script, tmp_path)) == sorted(expected)
    assert f"_{TARGETS[target].format_version}_" in name


def test_a_job_file_holds_the_documented_settings(models: Mapping[str, Model], hgx: System) -> None:
    layout = Layout(tp=8, ep=16, etp=8, dp=32, micro_batch=2, zero=2, recompute="selective")
    job = DEEPSEEK.model_copy(update={"precision": "fp8"})
    files = export_layout("torchtitan-toml", models["deepseek-v3"], hgx, layout, job)
    golden = (GOLDEN / "torchtitan_0.2.2_deepseek-v3.toml").read_text()
    assert tomllib.loads(files["torchtitan.toml"]) == tomllib.loads(golden)
    assert TARGETS["torchtitan-toml"].format_version == "0.2.2"
