"""The command line is frozen: what scripts rely on changes only when somebody decides it here.

`COMMANDS` is also the one table of which call of the Python API does the same as a command.
"""

from __future__ import annotations

from collections.abc import Iterator

import click
import pytest

import gigawatt
from gigawatt.cli.commands import ROOT

COMMANDS = {
    "calibrate collectives FILE... --collective --fabric --gpus --json --out --overlay --quiet --system "
    "--verbose": "calibrate_collectives",
    "calibrate device ID --date --index --json --out --overlay --quiet --verbose": "measure_device",
    "calibrate reliability FILE... --accelerator --date --json --out --overlay --quiet "
    "--verbose": "calibrate_reliability",
    "calibrate training FILE... --json --out --overlay --quiet --verbose": "calibrate_training",
    "catalog check --json --overlay --quiet --verbose": "load_catalog",
    "catalog list SECTION --json --out --overlay --quiet --verbose": "load_catalog",
    "catalog show ID --json --overlay --quiet --verbose": "load_catalog",
    "catalog sources --json --overlay --quiet --verbose": "load_catalog",
    "contract energy SITE.yaml --draw --frontier --json --out --overlay --quiet --verbose": "plan_energy",
    "contract schedule PROJECT.yaml --draw --futures --json --out --overlay --quiet --samples --seed "
    "--verbose --workers": "simulate_schedule",
    "contract import FILE --date --json --out --provider --quiet --verbose": "import_offers",
    "contract portfolio SCENARIO.yaml --audit --json --out --plan-only --quiet --save "
    "--verbose": "plan_portfolio",
    "design collective NAME --algorithm --bytes-total --captured --fabric --gpus --groups --json "
    "--overlay --planes --quiet --ranks-per-domain --sharing --straggler --system --top-k "
    "--verbose": "predict_collective",
    "design fabric --fabric --gpus --json --out --overlay --oversubscription --planes --quiet --site "
    "--system --verbose": "design_fabric",
    "design facility --draw --fabric --gpus --json --overlay --quiet --site --system "
    "--verbose": "design_facility",
    "design training MODEL --cp --dp --ep --etp --exhaustive --fabric --global-batch --gpus --json --layout "
    "--micro-batch --out --overlay --pp --precision --quiet --recompute --schedule --seq-len --system "
    "--tokens --top --tp --verbose --vpp --zero": "design_training",
    "diff DIR DIR --json --quiet --verbose": "compare_plans",
    "explain DIR FIGURE --json --quiet --verbose": "explain_figure",
    "export TARGET DIR --cluster --json --overlay --quiet --run --verbose -o": "export_plan",
    "import layout FILE --gpus --json --layers --quiet --verbose": "import_layout",
    "import pypsa FOLDER --json --quiet --verbose -o": "import_network",
    "init [DIR] --json --quiet --verbose": "write_template",
    "operate replay JOBS.csv --capacity --json --policy --quiet --scale --starts --verbose": "replay_jobs",
    "operate simulate FLEET.yaml --json --log --out --overlay --quiet --ray --replications --seed --timeline "
    "--trace --until --verbose --workers": "simulate_fleet",
    "plan SCENARIO.yaml --json --out --overlay --quiet --verbose": "plan_scenario",
    "report DIR --json --quiet --verbose": "draw_report",
    "schema NAME": "json_schema",
    "validate collectives FILE... --collective --cross-validate --fabric --gpus --json --overlay "
    "--predictions --quiet --require --system --verbose": "validate_collectives",
    "validate energy FILE... --json --predictions --quiet --require --verbose": "validate_energy",
    "validate fabric FILE... --json --overlay --predictions --quiet --require --verbose": "validate_fabric",
    "validate reliability FILE... --cross-validate --json --overlay --predictions --quiet --require "
    "--verbose": "validate_reliability",
    "validate training FILE... --cross-validate --json --overlay --predictions --quiet --require "
    "--verbose": "validate_training",
}


def signature(command: click.Command) -> str:
    """Arguments in order, then options by name, as they are typed."""
    arguments = [p.human_readable_name for p in command.params if isinstance(p, click.Argument)]
    options = sorted(max(p.opts, key=len) for p in command.params if isinstance(p, click.Option))
    return " ".join([*arguments, *options])


def runnable(
    command: click.Command, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command that can be run, by its words after `gigawatt`."""
    if not isinstance(command, click.Group):
        yield path, command
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        child = command.get_command(context, name)
        assert child is not None
        yield from runnable(child, (*path, name))


def test_the_commands_are_these() -> None:
    found = [" ".join([*path, signature(command)]) for path, command in runnable(ROOT)]
    assert sorted(found) == sorted(COMMANDS)


@pytest.mark.parametrize("name", sorted(set(COMMANDS.values())))
def test_every_command_is_a_call_of_the_python_api(name: str) -> None:
    assert name in gigawatt.__all__


@pytest.mark.parametrize("path", [path for path, _ in runnable(ROOT)], ids=" ".join)
def test_every_command_explains_itself(path: tuple[str, ...], run_gigawatt) -> None:
    done = run_gigawatt(*path, "--help")
    assert done.exit_code == 0
    assert done.output.startswith("Usage: gigawatt")


def test_every_option_says_what_it_does() -> None:
    silent = [
        f"{' '.join(path)} {option.opts[0]}"
        for path, command in runnable(ROOT)
        for option in command.params
        if isinstance(option, click.Option) and not option.help
    ]
    assert silent == []


def test_read_commands_offer_json() -> None:
    """`schema` prints JSON and nothing else, whatever is asked."""
    without = {
        " ".join(path)
        for path, command in runnable(ROOT)
        if not any("--json" in option.opts for option in command.params)
    }
    assert without <= {"schema"}


def test_an_unknown_command_is_wrong_usage(run_gigawatt) -> None:
    done = run_gigawatt("desing")
    assert done.exit_code == 2
    assert "design" in done.errors
