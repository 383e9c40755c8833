"""Measure the CUDA device at hand: matrix products, attention, memory bandwidth, launch overhead.

PyTorch does the work and is imported only here, when asked for; it is the optional extra `device`.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from statistics import median
from typing import Any

from gigawatt.domain.hardware import Accelerator
from gigawatt.domain.record import Record
from gigawatt.errors import ExternalError
from gigawatt.units import format_quantity, parse_quantity, suffix_of

FORMATS = {"bf16": "bfloat16", "fp16": "float16"}
"""Number format -> torch's name of it."""
PRODUCTS = (
    (1024, 1024, 1024),
    (4096, 4096, 4096),
    (8192, 8192, 8192),
    (16384, 8192, 1024),
    (8192, 16384, 8192),
)
"""Rows, columns and depth of the matrix products tried: square ones, and shapes of a layer cut by TP."""
SEQUENCES_TOKENS = (1024, 2048, 4096, 8192, 16384)

_ATTENTION_HEADS, _HEAD_DIM = 32, 128
_COPY_BYTES = 1024**3
_NUM_LAUNCHES = 1024
_NUM_WARM_UPS, _NUM_REPEATS = 4, 16
_MEASURED = ("achievable_flop_per_s", "num_sms", "usable_hbm_bytes")


class ProductRate(Record):
    """A matrix product [m, k] x [k, n], and how fast it ran (2 m n k over the median time)."""

    m: int
    n: int
    k: int
    number_format: str
    flop_per_s: float


class AttentionRate(Record):
    """Causal attention forward over one sequence length, and how fast it ran (the lower triangle counted)."""

    seq_len: int
    flop_per_s: float


class DeviceMeasurement(Record):
    """What one device was measured to do. Times are medians; rates follow from them."""

    device: str
    software: str
    num_sms: int
    usable_hbm_bytes: float
    """What PyTorch sees as total memory."""
    products: tuple[ProductRate, ...]
    attention: tuple[AttentionRate, ...]
    copy_bytes_per_s: float
    """Device memory to itself: bytes read plus bytes written."""
    launch_s: float
    """Between two kernels too small to matter, launched one after the other."""

    def best_flop_per_s(self, number_format: str) -> float:
        """The fastest matrix product in one number format; 0 where none was measured."""
        rates = (rate.flop_per_s for rate in self.products if rate.number_format == number_format)
        return max(rates, default=0.0)


def measure_device(index: int = 0) -> DeviceMeasurement:
    """Measure one CUDA device; it takes seconds, and the device should be idle.

    Raises ExternalError where PyTorch is not installed or finds no such device.
    """
    torch = _torch(index)
    device = torch.device("cuda", index)
    properties = torch.cuda.get_device_properties(device)
    with torch.cuda.device(device):
        return DeviceMeasurement(
            device=str(properties.name),
            software=f"torch {torch.__version__}, CUDA {torch.version.cuda}",
            num_sms=int(properties.multi_processor_count),
            usable_hbm_bytes=float(properties.total_memory),
            products=tuple(_product(torch, device, *shape, name) for name in FORMATS for shape in PRODUCTS),
            attention=tuple(_attention(torch, device, seq_len) for seq_len in SEQUENCES_TOKENS),
            copy_bytes_per_s=_copy_bytes_per_s(torch, device),
            launch_s=_launch_s(torch, device),
        )


def _torch(index: int) -> Any:
    try:
        torch = importlib.import_module("torch")
    except ImportError as error:
        message = "PyTorch is not installed: pip install 'gigawatt[device]', on the machine with the device"
        raise ExternalError(message) from error
    if not torch.cuda.is_available():
        raise ExternalError("PyTorch finds no CUDA device: run this on the machine to be measured")
    if index >= torch.cuda.device_count():
        raise ExternalError(f"there is no CUDA device {index}: PyTorch finds {torch.cuda.device_count()}")
    return torch


def _time_s(torch: Any, work: Callable[[], object]) -> float:
    """Median time of one call, by the device's own clock."""
    for _ in range(_NUM_WARM_UPS):
        work()
    times_ms = []
    for _ in range(_NUM_REPEATS):
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        start.record()
        work()
        end.record()
        torch.cuda.synchronize()
        times_ms.append(float(start.elapsed_time(end)))
    return parse_quantity(f"{median(times_ms)} ms", "_s")


def _product(torch: Any, device: Any, m: int, n: int, k: int, number_format: str) -> ProductRate:
    dtype = getattr(torch, FORMATS[number_format])
    left = torch.randn(m, k, device=device, dtype=dtype)
    right = torch.randn(k, n, device=device, dtype=dtype)
    time_s = _time_s(torch, lambda: torch.matmul(left, right))
    return ProductRate(m=m, n=n, k=k, number_format=number_format, flop_per_s=2.0 * m * n * k / time_s)


def _attention(torch: Any, device: Any, seq_len: int) -> AttentionRate:
    batch = max(SEQUENCES_TOKENS) // seq_len
    shape = (batch, _ATTENTION_HEADS, seq_len, _HEAD_DIM)
    query, key, value = (torch.randn(*shape, device=device, dtype=torch.bfloat16) for _ in range(3))
    attend = torch.nn.functional.scaled_dot_product_attention
    time_s = _time_s(torch, lambda: attend(query, key, value, is_causal=True))
    return AttentionRate(
        seq_len=seq_len, flop_per_s=2.0 * batch * _ATTENTION_HEADS * seq_len**2 * _HEAD_DIM / time_s
    )


def _copy_bytes_per_s(torch: Any, device: Any) -> float:
    source = torch.empty(_COPY_BYTES, device=device, dtype=torch.uint8)
    target = torch.empty_like(source)
    return 2.0 * _COPY_BYTES / _time_s(torch, lambda: target.copy_(source))


def _launch_s(torch: Any, device: Any) -> float:
    one = torch.zeros(1, device=device)

    def launches() -> None:
        for _ in range(_NUM_LAUNCHES):
            one.add_(1.0)

    return _time_s(torch, launches) / _NUM_LAUNCHES


def device_overlay(measured: DeviceMeasurement, accelerator: Accelerator, date: str) -> str:
    """A catalogue overlay (YAML text): the accelerator's row with what was measured, basis `measured`.

    Best matrix rates, multiprocessors and memory are the device's; the rest and its sources stay. Attention,
    copy and launch figures are kept in the row's note.
    `date` is the day of the measurement, as the row's other dates: "2026-11-20".
    """
    source = f"measured-{accelerator.id}"
    own = {"source": source, "basis": "measured", "date": date}
    best = {name: measured.best_flop_per_s(name) for name in FORMATS}
    achieved = {**accelerator.achievable_flop_per_s, **{name: rate for name, rate in best.items() if rate}}
    kept = accelerator.model_dump(exclude_defaults=True, mode="json")
    row = {name: _with_unit(name, value) for name, value in kept.items()}
    row["provenance"] = {**kept.get("provenance", {}), **dict.fromkeys(_MEASURED, own)}
    row["achievable_flop_per_s"] = _with_unit("achievable_flop_per_s", achieved)
    row["num_sms"] = measured.num_sms
    row["usable_hbm_bytes"] = _with_unit("usable_hbm_bytes", measured.usable_hbm_bytes)
    row["note"] = " ".join(filter(None, (accelerator.note, _remarks(measured))))
    about = {
        "title": f"{measured.device}, measured with {measured.software}",
        "publisher": "gigawatt calibrate device",
        "url": "",
        "date": date,
        "accessed": date,
        "licence": "own measurement",
    }
    lines = [f"    {key}: {json.dumps(value, ensure_ascii=False)}" for key, value in row.items()]
    lines[0] = lines[0].replace("    ", "  - ", 1)
    return "\n".join([f"sources: {json.dumps({source: about})}", "accelerators:", *lines, ""])


def _with_unit(name: str, value: object) -> object:
    """Quantities as files want them: with their unit."""
    suffix = suffix_of(name)
    if isinstance(value, dict) and suffix:
        return {key: format_quantity(each, suffix, digits=9) for key, each in value.items()}
    return format_quantity(value, suffix, digits=9) if isinstance(value, float) and suffix else value


def _remarks(measured: DeviceMeasurement) -> str:
    rates = ((rate.seq_len, format_quantity(rate.flop_per_s, "_flop_per_s")) for rate in measured.attention)
    attention = ", ".join(f"{seq_len} tokens {rate}" for seq_len, rate in rates)
    copy = format_quantity(measured.copy_bytes_per_s, "_bytes_per_s")
    launch = format_quantity(measured.launch_s, "_s")
    return f"Measured: causal attention forward {attention}; copy {copy}; launch {launch}."
