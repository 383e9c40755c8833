"""What is installed is pinned, hashed and complete, and the checks run what the README says."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

PYTHONS = ("3.11", "3.12", "3.13", "3.14")
Pins = list[tuple[Requirement, list[str]]]


def read_pins(path: Path) -> Pins:
    """Requirements with their hashes; a line that is neither fails."""
    text = re.sub(r"\\\n\s+", " ", path.read_text(encoding="utf-8"))
    pins = []
    for line in text.splitlines():
        if line.strip() and not line.lstrip().startswith("#"):
            requirement, *hashes = line.split(" --hash=")
            pins.append((Requirement(requirement.strip()), [text.strip() for text in hashes]))
    return pins


def pinned_version(pins: Pins, name: str, python: str) -> Version | None:
    environment = {"python_version": python, "python_full_version": f"{python}.9"}
    for requirement, _ in pins:
        same = canonicalize_name(requirement.name) == canonicalize_name(name)
        if same and (requirement.marker is None or requirement.marker.evaluate(environment)):
            return Version(str(requirement.specifier).removeprefix("=="))
    return None


@pytest.fixture(scope="module")
def project(repository: Path) -> dict[str, Any]:
    return tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", ["constraints.txt", "constraints-dev.txt"])
def test_every_pin_is_exact_and_hashed(repository: Path, name: str) -> None:
    pins = read_pins(repository / name)
    assert pins
    for requirement, hashes in pins:
        assert re.fullmatch(r"==[\w.+!]+", str(requirement.specifier)), requirement
        assert requirement.url is None
        assert hashes, f"{requirement} has no hash"
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", text) for text in hashes), requirement


@pytest.mark.parametrize("python", PYTHONS)
def test_pins_meet_what_the_project_asks_for(repository: Path, project: dict[str, Any], python: str) -> None:
    run, dev = read_pins(repository / "constraints.txt"), read_pins(repository / "constraints-dev.txt")
    needed = [*project["project"]["dependencies"], *project["build-system"]["requires"]]
    wanted = [(run, text) for text in needed]
    wanted += [(dev, text) for text in needed + project["project"]["optional-dependencies"]["dev"]]
    for pins, text in wanted:
        requirement = Requirement(text)
        if requirement.marker is not None and not requirement.marker.evaluate({"python_version": python}):
            continue
        version = pinned_version(pins, requirement.name, python)
        assert version is not None, f"{requirement.name} is not pinned for Python {python}"
        assert requirement.specifier.contains(version), f"{version} does not meet {requirement}"


def test_both_files_pin_the_same_versions(repository: Path) -> None:
    run, dev = (
        {str(requirement) for requirement, _ in read_pins(repository / name)}
        for name in ("constraints.txt", "constraints-dev.txt")
    )
    assert run <= dev


def readme_commands(repository: Path) -> list[str]:
    return [
        line
        for line in (repository / "README.md").read_text().splitlines()
        if line.startswith("python3 -m venv")
    ]


def test_the_readme_has_one_line_to_run_and_one_line_to_test(repository: Path) -> None:
    run, test = readme_commands(repository)
    assert run.endswith("/bin/gigawatt plan examples/llama-405b/scenario.yaml")
    assert "--require-hashes -r constraints.txt" in run
    assert test.endswith("/bin/pytest")
    assert "--require-hashes -r constraints-dev.txt" in test
    for command in (run, test):
        assert "pip install --no-deps --no-build-isolation ." in command
        assert not re.search(r"://|index|export|\w+=", command), "a command does all of its own set-up"
        environment = re.match(r"python3 -m venv (?:--clear )?(\S+) ", command)
        assert environment
        assert all(part.split()[0].startswith(f"{environment[1]}/bin/") for part in command.split(" && ")[1:])


def test_the_checks_run_exactly_the_readmes_test_command(repository: Path) -> None:
    script = (repository / ".ci" / "run").read_text(encoding="utf-8")
    taken = re.search(r"^test_command=\$\(grep -E '(.+)' README\.md\)$", script, re.MULTILINE)
    assert taken, ".ci/run takes its test command from the README"
    lines = (repository / "README.md").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if re.search(taken[1], line)] == [readme_commands(repository)[1]]
    assert 'bash -euo pipefail -c "$test_command"' in script
    assert "pip install" not in script
    assert "--clear" in readme_commands(repository)[1], "the virtual environment is fresh each time"


@pytest.mark.skipif(sys.platform == "win32", reason="bash is not there")
def test_the_check_script_is_executable_and_parses(repository: Path) -> None:
    script = repository / ".ci" / "run"
    assert script.stat().st_mode & 0o111
    assert subprocess.run(["bash", "-n", str(script)], check=False).returncode == 0
