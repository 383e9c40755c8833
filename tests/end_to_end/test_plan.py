"""From a scenario to a plan, through the command line and with the real search."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gigawatt.project import PlanDirectory, explain_figure

RUN = "import sys\nfrom gigawatt.cli import main\nsys.exit(main())"
SMALL = """\
title: small
price_year: 2026
assumptions: {pue: 1.2}
runs:
  - {id: base, model: llama-3.1-8b, tokens: 100B tokens, seq_len: 8192, global_batch: 128,
     start: 2027-01-01, deadline: 2027-02-01}
clusters:
  - {id: own, system: hgx-h100, num_accelerators: 16, available_from: 2027-01-01,
     price_usd_per_gpu_h: $2/GPU/h}
rentals:
  - {offers: aws-p5-48xlarge-us-east-1, num_accelerators: 16}
"""


def gigawatt(*arguments: object, code: str = RUN, **options: Any) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own."""
    words = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(words, capture_output=True, text=True, check=False, **options)


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    path = tmp_path / "scenario.yaml"
    path.write_text(SMALL, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Path:
    """The shipped example, planned."""
    folder = tmp_path_factory.mktemp("llama")
    shutil.copy(repository / "examples" / "llama-405b" / "scenario.yaml", folder)
    done = gigawatt("plan", folder / "scenario.yaml", "--out", folder / "plan", "--json")
    assert done.returncode in (0, 1), done.stderr
    (folder / "answer.json").write_text(done.stdout, encoding="utf-8")
    return folder


def test_the_example_answers_with_the_keys_that_scripts_rely_on(llama: Path) -> None:
    answer = json.loads((llama / "answer.json").read_text())
    assert answer["schema"] == "gigawatt.plan/1"
    assert set(answer["decision"]["runs"]) == {"llama-405b", "llama-70b"}
    assert sorted(answer["artefacts"]) == [
        "blueprint.json",
        "logbook.json",
        "report.html",
        "scenario.yaml",
    ]
    for path in answer["artefacts"].values():
        assert Path(path).is_file()


def test_the_example_lands_where_meta_did(llama: Path) -> None:
    """Meta's model card counts 30.84 million H100 hours for the 405B, restarts and idle time included.

    The plan counts failures and restarts, and neither evaluation nor smaller batches at the begin: it lies
    below that, and above what 55 % of the H100's peak would need: more than any published run of this size
    has reached (43 % in Meta's own report).
    """
    blueprint = PlanDirectory(llama / "plan").record()
    run = blueprint.runs[0]
    own = run.option_named("own-h100")
    assert own is not None
    assert own.gpu_hours is not None
    at_peak_hours = 3.8e25 / 989e12 / 3600  # the report's 3.8e25 FLOPs
    assert at_peak_hours / 0.55 < own.gpu_hours < 30.84e6
    prediction = run.prediction_of(own)
    assert prediction is not None
    assert prediction.fits
    assert sum(part.time_s for part in prediction.parts) == pytest.approx(prediction.step_s)
    assert max(stage.total_bytes for stage in prediction.memory) == pytest.approx(prediction.memory_bytes)


def test_the_second_run_waits_for_the_first(llama: Path) -> None:
    blueprint = PlanDirectory(llama / "plan").record()
    first, second = blueprint.calendar
    assert (first.run, second.run) == ("llama-405b", "llama-70b")
    assert second.start == first.finish
    waiting = blueprint.runs[1].option_named("own-h100")
    assert waiting is not None
    assert waiting.waits_for == ("llama-405b",)


def test_every_printed_figure_of_the_example_can_be_traced(llama: Path) -> None:
    blueprint = PlanDirectory(llama / "plan").blueprint()
    figures = ("cost_usd", "finish", "train_s", "goodput_frac", "step_s", "energy_j", "gpu_hours")
    for number, run in enumerate(blueprint["runs"]):
        for index, option in enumerate(run["options"]):
            for figure in figures:
                if figure in option:
                    assert explain_figure(blueprint, f"/runs/{number}/options/{index}/{figure}").inputs
        for index, design in enumerate(run["designs"]):
            for part in range(len(design["best"][0]["parts"])):
                pointer = f"/runs/{number}/designs/{index}/best/0/parts/{part}/time_s"
                (law,) = explain_figure(blueprint, pointer).laws
                assert law.summary, law.name


def test_the_report_of_the_example_needs_no_network(llama: Path) -> None:
    page = (llama / "plan" / "report.html").read_text(encoding="utf-8")
    for fetching in ('src="http', 'href="http', "url(http", "@import"):
        assert fetching not in page.replace('<a href="http', "")
    assert "Llama 3.1 405B" in page


def test_the_chosen_layout_survives_export_and_import(scenario: Path, tmp_path: Path) -> None:
    assert gigawatt("plan", scenario, "--out", tmp_path / "plan").returncode == 0
    exported = gigawatt("export", "megatron-lm", tmp_path / "plan", "-o", tmp_path / "launch.sh")
    assert exported.returncode == 0, exported.stderr
    imported = json.loads(gigawatt("import", "layout", tmp_path / "launch.sh", "--json").stdout)
    run = PlanDirectory(tmp_path / "plan").record().runs[0]
    prediction = run.prediction_of(run.options[0])
    assert prediction is not None
    assert imported["layout"] == prediction.layout.model_dump()


def test_two_processes_write_the_same_bytes(scenario: Path, tmp_path: Path) -> None:
    for name, seed in (("a", "1"), ("b", "2")):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        assert gigawatt("plan", scenario, "--out", tmp_path / name, env=environment).returncode == 0
    for file in (tmp_path / "a").iterdir():
        assert file.read_bytes() == (tmp_path / "b" / file.name).read_bytes(), file.name


def test_a_second_run_says_that_it_did_nothing(scenario: Path, tmp_path: Path) -> None:
    first = gigawatt("plan", scenario, "--out", tmp_path / "plan")
    second = gigawatt("plan", scenario, "--out", tmp_path / "plan")
    assert "unchanged" not in first.stderr
    assert "unchanged" in second.stderr
    assert first.stdout == second.stdout


def test_output_to_a_pipe_has_no_colours_and_no_progress(scenario: Path, tmp_path: Path) -> None:
    done = gigawatt("plan", scenario, "--out", tmp_path / "plan")
    assert "\x1b" not in done.stdout + done.stderr
    assert done.stderr == ""


def test_a_missed_deadline_ends_with_1(scenario: Path, tmp_path: Path) -> None:
    scenario.write_text(SMALL.replace("deadline: 2027-02-01", "deadline: 2027-01-02"))
    done = gigawatt("plan", scenario, "--out", tmp_path / "plan")
    assert done.returncode == 1
    assert "nearest" in done.stdout
    assert (tmp_path / "plan" / "manifest.json").is_file()


INTERRUPTED = """\
import os, signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job inherits SIGINT ignored
import gigawatt.design.training.search as search
def stopped(*arguments, **options):
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(60)
search.design_training = stopped
from gigawatt.cli import main
sys.exit(main())
"""


def test_an_interrupted_plan_leaves_nothing(scenario: Path, tmp_path: Path) -> None:
    done = gigawatt("plan", scenario, "--out", tmp_path / "plan", code=INTERRUPTED)
    assert done.returncode == 128 + signal.SIGINT
    assert "Traceback" not in done.stderr
    assert [file.name for file in tmp_path.iterdir()] == ["scenario.yaml"]


def test_a_disk_that_is_too_small_leaves_nothing(scenario: Path, tmp_path: Path) -> None:
    """A limit on file size stands in for a full disk: the system refuses the write half-way."""

    def small_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))

    done = gigawatt("plan", scenario, "--out", tmp_path / "plan", preexec_fn=small_files)
    assert done.returncode == 3
    assert "cannot be written" in done.stderr
    assert "Traceback" not in done.stderr
    assert [file.name for file in tmp_path.iterdir()] == ["scenario.yaml"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\x89PNG\r\n\x1a\n\x00\x00", "scenario.yaml"),
        (b"", "is empty"),
        (b"runs: [", "scenario.yaml:2:1"),
        (b"- a\n- b\n", "expected a mapping"),
        (SMALL.replace("llama-3.1-8b", "config.json").encode(), "config.json"),
        (SMALL.replace("hgx-h100", "hgx-h101").encode(), "hgx-h100"),
        (SMALL.replace("aws-p5-48xlarge-us-east-1", "aws-p5").encode(), "aws-p5"),
        (SMALL.replace("global_batch: 128", "global_batch: 7, layout: {dp: 16}").encode(), "batch"),
        (SMALL.replace("global_batch: 128", "global_batch: 128, layout: {tp: 3}").encode(), "heads"),
    ],
)
def test_bad_input_is_one_clear_message(scenario: Path, tmp_path: Path, content: bytes, said: str) -> None:
    scenario.write_bytes(content)
    done = gigawatt("plan", scenario, "--out", tmp_path / "plan")
    assert done.returncode in (1, 2)
    assert said in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    if done.returncode == 2:
        assert not (tmp_path / "plan").exists()


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ('{"model_type": "llama", "hidden_size": 40', "truncated"),
        ('{"model_type": "bert", "hidden_size": 768}', "bert"),
        ('{"name": "my-app", "version": "1.0.0"}', "config.json"),
        ('{"model_type": "llama", "hidden_size": -1}', "hidden_size"),
    ],
)
def test_a_foreign_config_is_refused(scenario: Path, tmp_path: Path, config: str, said: str) -> None:
    (tmp_path / "config.json").write_text(config)
    scenario.write_text(SMALL.replace("llama-3.1-8b", "config.json"))
    done = gigawatt("plan", scenario, "--out", tmp_path / "plan")
    assert done.returncode == 2
    assert said in done.stderr
    assert "config.json" in done.stderr
    assert "Traceback" not in done.stderr
