"""How long the command line takes to answer: `gigawatt --help`, and the first answer of `gigawatt design
training`.

Each is a process of its own, started and ended. Kernels are on disk already, as after anyone's first
search; a first run, which compiles them, is reported beside it where the cache was empty.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from statistics import median

from measure import Figures, Measured, report

HELP = ("--help",)
DESIGN = ("design", "training", "llama-3.1-70b", "--system", "hgx-h100", "--gpus", "512", "--seq-len", "8192",
          "--global-batch", "1024")  # fmt: skip
REPEATS = 5


def once(arguments: tuple[str, ...]) -> Measured:
    """One process: CPU seconds of it and its children, and wall seconds."""
    call = f"import sys; sys.argv[1:] = {list(arguments)!r}; from gigawatt.cli import main; sys.exit(main())"
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begun_s = time.perf_counter()
    subprocess.run([sys.executable, "-c", call], check=True, capture_output=True)
    wall_s = time.perf_counter() - begun_s
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Measured(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall_s)


def run() -> Figures:
    """The median of several starts of each."""
    first = once(DESIGN)
    answers = [once(DESIGN) for _ in range(REPEATS)]
    helps = [once(HELP) for _ in range(REPEATS)]
    spent = Measured(median(one.cpu_s for one in answers), median(one.wall_s for one in answers))
    help_cpu_s, help_wall_s = median(one.cpu_s for one in helps), median(one.wall_s for one in helps)
    return Figures(
        name="start_up",
        work={"design_training_answers": 1},
        spent=spent,
        rates={"helps_per_cpu_s": 1 / help_cpu_s, "answers_per_cpu_s": 1 / spent.cpu_s},
        peer={
            "name": "Calculon",
            "wall_s": 0.83,
            "source": "one call of its command line on one layout, measured",
        },
        notes={
            "help_cpu_s": help_cpu_s,
            "help_wall_s": help_wall_s,
            "first_design_training_wall_s": first.wall_s,
            "command": " ".join(DESIGN),
        },
    )


if __name__ == "__main__":
    report(run, __doc__ or "")
