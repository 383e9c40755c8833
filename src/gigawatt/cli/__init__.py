"""The command line: parse, call the project, print a view. Commands are loaded when they are used."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import click

from gigawatt.cli.commands import ROOT
from gigawatt.errors import GigawattError

_INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `gigawatt` and return its exit code: 0 done, 1 the answer is no, 2 wrong input, 3 no connection."""
    try:
        return _run(arguments)
    except (KeyboardInterrupt, click.Abort):
        print("\ninterrupted; nothing was left half-written", file=sys.stderr)
        return _INTERRUPTED
    except click.ClickException as error:
        error.show(sys.stderr)
        return error.exit_code
    except GigawattError as error:
        print(_paragraph(error), file=sys.stderr)
        return error.exit_code
    except BrokenPipeError:
        # Whoever read our output has seen enough; the interpreter must not try to flush the rest.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        print(f"error: {error.strerror or error}", file=sys.stderr)
        return GigawattError.exit_code


def _run(arguments: Sequence[str] | None) -> int:
    code = ROOT.main(args=arguments, prog_name="gigawatt", standalone_mode=False)
    sys.stdout.flush()
    return code if isinstance(code, int) else 0


def _paragraph(error: GigawattError) -> str:
    return "\n".join(f"error: {line}" for line in str(error).splitlines())
