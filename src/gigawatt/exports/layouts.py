"""Read a training layout out of the files that other systems are launched with."""

from __future__ import annotations

from gigawatt.errors import InputError, Problem
from gigawatt.exports.imported import ImportedLayout
from gigawatt.exports.launch import find_launch
from gigawatt.exports.megatron_read import read_megatron
from gigawatt.exports.torchtitan_read import read_torchtitan, read_torchtitan_toml


def import_layout(text: str, filename: str, num_accelerators: int = 0, num_layers: int = 0) -> ImportedLayout:
    """The layout in a Megatron-LM or torchtitan command line, shell script or TOML job file.

    `filename` is for messages, and `.toml` tells a job file. `num_accelerators` and `num_layers` supply what
    the file leaves to its surroundings (0: it must be in the file); `num_accelerators` overrides the file.
    Raises InputError with every problem: file, line, option, what was found, what is expected.
    """
    if filename.endswith(".toml"):
        return read_torchtitan_toml(text, filename, num_accelerators, num_layers)
    launch = find_launch(text, filename)
    world = num_accelerators or launch.num_processes
    names = [word.text for word in launch.arguments]
    if "torchtitan" in launch.program or any(name.startswith("--parallelism.") for name in names):
        return read_torchtitan(launch, filename, world, num_layers)
    if any(
        name.replace("_", "-").startswith(("--num-layers", "--micro-batch-size", "--tensor-model-"))
        for name in names
    ):
        return read_megatron(launch, filename, world)
    message = "neither Megatron-LM nor torchtitan: expected options such as --tensor-model-parallel-size, or "
    raise InputError(Problem(message + "--parallelism.tensor_parallel_degree", file=filename))
