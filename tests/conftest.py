"""What every test may ask for: the repository, and the measurements that lie beside it."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the checkout under test."""
    return REPOSITORY


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of published measurements, which is not part of the repository.

    `GIGAWATT_SHARED_DATA` names it; otherwise it is looked for beside the checkout, as `../shared/data`.
    A test that needs it and finds none is skipped with that reason.
    """
    named = os.environ.get("GIGAWATT_SHARED_DATA")
    folder = Path(named) if named else REPOSITORY.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"published measurements not found at {folder}; GIGAWATT_SHARED_DATA can name them")
    return folder


@pytest.fixture(scope="session")
def example() -> ModuleType:
    """The module that makes up plans for the report's tests."""
    return _module(REPOSITORY / "tests" / "unit" / "report" / "example_plan.py")


@pytest.fixture(scope="session")
def plain_replay() -> ModuleType:
    """The rules of `operate replay` once more, in plain Python."""
    return _module(REPOSITORY / "tests" / "plain_replay.py")


@pytest.fixture(scope="session")
def plain_energy() -> ModuleType:
    """A campus's energy as one plain linear program."""
    return _module(REPOSITORY / "tests" / "plain_energy.py")


@pytest.fixture(scope="session")
def plain_pypsa() -> ModuleType:
    """A PyPSA folder as one plain linear program."""
    return _module(REPOSITORY / "tests" / "plain_pypsa.py")


@pytest.fixture(scope="session")
def campuses() -> ModuleType:
    """The made-up campuses of the energy tests."""
    return _module(REPOSITORY / "tests" / "unit" / "contract" / "test_energy.py")


@pytest.fixture(scope="session")
def made_up_fleets() -> ModuleType:
    """Small fleets at random, with every feature on."""
    return _module(REPOSITORY / "tests" / "made_up_fleets.py")


@pytest.fixture(scope="session")
def fleet_recount() -> ModuleType:
    """A recount of a simulated fleet's state from first principles."""
    return _module(REPOSITORY / "tests" / "fleet_recount.py")


def _module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@dataclass(frozen=True)
class Finished:
    """How a `gigawatt` command ended, and what it wrote."""

    exit_code: int
    output: str
    errors: str


@pytest.fixture
def run_gigawatt(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Callable[..., Finished]:
    """Calls the installed command's own entry point, in this process: `run_gigawatt("catalog", "list")`."""

    def run(*arguments: str) -> Finished:
        from gigawatt.cli import main

        monkeypatch.setattr(sys, "argv", ["gigawatt", *arguments])
        capfd.readouterr()
        try:
            code = main()
        except SystemExit as stopped:
            code = stopped.code
        written = capfd.readouterr()
        exit_code = code if isinstance(code, int) else int(code is not None)
        return Finished(exit_code, written.out, written.err)

    return run
