"""Find the launch in a shell script: the program's own arguments, and how many processes are started."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gigawatt.errors import InputError, Problem
from gigawatt.exports.imported import Setting
from gigawatt.exports.shell import Script, Word, read_script

_PROGRAM = re.compile(r"(.*/)?((pretrain_\w+|train\w*|finetune\w*|main)\.py|run_train\.sh)|torchtitan\.train")
_SBATCH = re.compile(r"^#SBATCH[ \t]+(--?[\w-]+)[= \t]*(\S+)", re.MULTILINE)
_FLAG = re.compile(r"--?[A-Za-z]")
_SUBCOMMAND = re.compile(r"[a-z][a-z_-]*:[a-z-]+")
_TALK = frozenset({"echo", "printf", "mkdir", "cd", "source", "test", "["})


@dataclass(frozen=True, slots=True)
class Launch:
    """One launch: arguments of the program, processes started (0 where the script does not say), remarks."""

    program: str
    arguments: tuple[Word, ...]
    num_processes: int
    variables: dict[str, str]
    notes: tuple[str, ...]


def find_launch(text: str, file: str) -> Launch:
    """The training launch in a script or bare command line. Raises InputError where there is none."""
    script = read_script(text, file)
    commands = (command for command in script.commands if command[0].text not in _TALK)
    candidates = [command for command in commands if _num_flags(command)]
    launches = [command for command in candidates if _program_index(command) is not None] or candidates
    if not launches:
        raise InputError(Problem("no command with training options such as --seq-length", file=file))
    command = max(reversed(launches), key=_num_flags)
    notes = list(script.notes)
    if len({_texts(launch) for launch in launches}) > 1:
        notes.append(f"line {command[0].line}: of several launches the one with the most options was read")
    index = _program_index(command)
    start = _first_flag(command) if index is None else index + 1
    launcher = command[: index or 0]
    num_processes = _num_processes(launcher, script, dict(_SBATCH.findall(text)))
    program = "" if index is None else command[index].text
    return Launch(program, command[start:], num_processes, script.variables, tuple(notes))


def options(arguments: Sequence[Word]) -> tuple[dict[str, Setting], tuple[Word, ...]]:
    """Options by name without leading dashes (the last one counts), and the words that belong to none.

    Reads `--name value`, `--name=value` and `--name` (whose value is True); joins several values by a space.
    """
    found: dict[str, Setting] = {}
    loose: list[Word] = []
    name = ""
    for word in arguments:
        if _FLAG.match(word.text):
            name, _, value = word.text.partition("=")
            found[name.lstrip("-")] = Setting(name, value or True, word.line, word.column)
            name = "" if value else name.lstrip("-")
        elif name and not _SUBCOMMAND.fullmatch(word.text):
            before = found[name]
            joined = word.text if before.value is True else f"{before.value} {word.text}"
            found[name] = Setting(before.name, joined, before.line, before.column)
        else:
            loose.append(word)
    return found, tuple(loose)


def _texts(command: Iterable[Word]) -> tuple[str, ...]:
    return tuple(word.text for word in command)


def _num_flags(command: Sequence[Word]) -> int:
    return sum(word.text.startswith("--") for word in command)


def _first_flag(command: Sequence[Word]) -> int:
    return next(index for index, word in enumerate(command) if word.text.startswith("--"))


def _program_index(command: Sequence[Word]) -> int | None:
    return next((index for index, word in enumerate(command) if _PROGRAM.fullmatch(word.text)), None)


def _num_processes(launcher: Sequence[Word], script: Script, batch: dict[str, str]) -> int:
    """By torchrun, else by srun, mpirun or the batch header, else by WORLD_SIZE or NGPU; 0 if unsaid."""
    given, _ = options(launcher)
    said = {name.replace("_", "-"): str(setting.value) for name, setting in given.items()}
    per_node = _count(said, "nproc-per-node")
    if per_node:
        return per_node * (_count(said, "nnodes") or 1)
    slurm = {name.lstrip("-"): value for name, value in batch.items()} | said
    total = _count(slurm, "ntasks", "n", "np")
    per_node = _count(slurm, "ntasks-per-node", "gpus-per-node", "gres")
    nodes = _count(slurm, "nodes", "N")
    return total or per_node * nodes or _count(script.variables, "WORLD_SIZE", "NGPU")


def _count(said: dict[str, str], *names: str) -> int:
    for name in names:
        found = re.match(r"(?:\S*:)?(\d+)(?:\s|$)", said.get(name, ""))
        if found:
            return int(found.group(1))
    return 0
