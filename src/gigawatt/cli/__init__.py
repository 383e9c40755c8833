"""The command line: parse, call the project, print a view. Commands are loaded when they are used."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from gigawatt.cli.commands import ROOT
from gigawatt.errors import GigawattError, WriteError

INTERRUPTED = 130
_MOST_PROBLEMS = 20
"""So many of a file's problems are printed; a file of another kind altogether has thousands."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `gigawatt` and return its exit code: 0 done, 1 the answer is no, 2 wrong input, 3 no connection."""
    if sys.stdout is None:  # closed by the shell: gigawatt ... >&-
        sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115
    try:
        return _run(arguments)
    except (KeyboardInterrupt, click.Abort):
        print("interrupted; nothing was left half-written", file=sys.stderr)
        return INTERRUPTED
    except click.ClickException as error:
        error.show(sys.stderr)
        return error.exit_code
    except GigawattError as error:
        print(_paragraph(error), file=sys.stderr)
        return error.exit_code
    except BrokenPipeError:
        # Whoever read our output has seen enough.
        _discard_output()
        return 0
    except OSError as error:
        _discard_output()
        where = error.filename or "output: cannot be written"
        print(f"error: {where}: {(error.strerror or str(error)).lower()}", file=sys.stderr)
        return WriteError.exit_code


def _run(arguments: Sequence[str] | None) -> int:
    # `main` of click would turn a broken pipe into exit code 1, which here means that the answer is no.
    words = sys.argv[1:] if arguments is None else list(arguments)
    try:
        with ROOT.make_context("gigawatt", words) as context:
            code = ROOT.invoke(context)
    except click.exceptions.Exit as done:
        code = done.exit_code
    sys.stdout.flush()
    return code if isinstance(code, int) else 0


def _discard_output() -> None:
    """Keep the interpreter from flushing on its way out what cannot be written."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _paragraph(error: GigawattError) -> str:
    lines = str(error).splitlines()
    more = [f"and {len(lines) - _MOST_PROBLEMS:,} more"] if len(lines) > _MOST_PROBLEMS else []
    return "\n".join(f"error: {line}" for line in lines[:_MOST_PROBLEMS] + more)
