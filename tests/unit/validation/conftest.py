"""Files of measured runs, made up for one test at a time."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from gigawatt.catalog import Catalog, load_catalog

COLUMNS = (
    "id", "source", "framework", "software", "model", "params_b", "layers", "hidden", "ffn_hidden", "heads",
    "kv_heads", "head_dim", "vocab", "seq_len", "global_batch_seqs", "micro_batch", "gpus", "gpu_kind",
    "inter_node_network_GBps", "tp", "cp", "ep", "pp", "vpp", "dp", "zero", "recompute", "precision",
    "measured_step_s", "measured_tflops_per_gpu", "measured_mfu", "measured_peak_mem_gib", "notes",
)  # fmt: skip

LLAMA_ON_H100 = {
    "source": "ours", "framework": "Megatron-Core (NeMo)", "software": "NeMo container 25.02",
    "model": "llama3-70b", "seq_len": "8192", "global_batch_seqs": "128", "micro_batch": "1", "gpus": "64",
    "gpu_kind": "H100-SXM-80GB",
    "tp": "4", "cp": "2", "pp": "4", "vpp": "5", "dp": "2", "zero": "1", "precision": "bf16",
    "measured_step_s": "15.0",
}  # fmt: skip
"""A full layout: Llama 3 70B on 64 H100."""

Rows = Sequence[Mapping[str, str]]


@pytest.fixture(scope="session")
def catalogue() -> Catalog:
    return load_catalog()


@pytest.fixture
def runs_file(tmp_path: Path) -> Callable[[Rows, str], Path]:
    """Write rows, each `LLAMA_ON_H100` with some cells changed, and number those without an id."""

    def write(rows: Rows, name: str = "runs.csv") -> Path:
        path = tmp_path / name
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, COLUMNS, restval="")
            writer.writeheader()
            for number, row in enumerate(rows):
                writer.writerow({"id": f"run-{number}", **LLAMA_ON_H100, **row})
        return path

    return write
