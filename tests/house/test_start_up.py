"""What is not needed is not imported: judged by the list of modules, never by a clock."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

HEAVY = ("numpy", "scipy", "numba", "llvmlite", "pydantic", "yaml", "torch", "transformers", "rich", "pandas")


def heavy_modules_after(statement: str) -> list[str]:
    report = f"import json, sys; print(json.dumps([name for name in {HEAVY!r} if name in sys.modules]))"
    script = f"{statement}\n{report}"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return list(json.loads(done.stdout.splitlines()[-1]))


def test_importing_the_package_imports_nothing_heavy() -> None:
    assert heavy_modules_after("import gigawatt") == []


@pytest.mark.parametrize("arguments", [["--help"], ["--version"]])
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    pytest.importorskip("gigawatt.cli", reason="the command line is not built yet")
    call = (
        "import sys\nfrom gigawatt.cli import main\n"
        f"sys.argv = ['gigawatt', *{arguments!r}]\n"
        "try:\n    main()\nexcept SystemExit as stopped:\n    assert not stopped.code, stopped.code"
    )
    assert heavy_modules_after(call) == []
