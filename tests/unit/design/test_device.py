"""Measuring a device: refused plainly where there is none, and checked on a device that is only pretended."""

from __future__ import annotations

import importlib.util
import math
import sys
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gigawatt.catalog import load_catalog
from gigawatt.design.device import DeviceMeasurement, device_overlay, measure_device
from gigawatt.errors import ExternalError


def test_without_pytorch_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(
        ExternalError, match=r"PyTorch is not installed: pip install 'gigawatt\[device\]'"
    ) as caught:
        measure_device()
    assert caught.value.exit_code == 3


def test_without_a_device_it_says_where_to_run(monkeypatch: pytest.MonkeyPatch) -> None:
    torch = SimpleNamespace(cuda=SimpleNamespace(is_available=lambda: False))
    monkeypatch.setitem(sys.modules, "torch", torch)
    with pytest.raises(ExternalError, match="PyTorch finds no CUDA device"):
        measure_device()


class Event:
    """A clock on which everything takes two milliseconds."""

    def __init__(self, enable_timing: bool) -> None:
        assert enable_timing

    def record(self) -> None:
        """Nothing to do."""

    def elapsed_time(self, end: Event) -> float:
        return 2.0


class Tensor:
    def copy_(self, source: Tensor) -> None:
        assert source is not self

    def add_(self, amount: float) -> None:
        assert amount


def pretended() -> Any:
    properties = SimpleNamespace(name="Pretended", multi_processor_count=132, total_memory=85017493504)
    cuda = SimpleNamespace(
        is_available=lambda: True,
        device_count=lambda: 1,
        get_device_properties=lambda device: properties,
        device=lambda device: nullcontext(),
        Event=Event,
        synchronize=lambda: None,
    )
    make = lambda *shape, device, dtype=None: Tensor()  # noqa: E731
    functional = SimpleNamespace(scaled_dot_product_attention=lambda q, k, v, is_causal: None)
    return SimpleNamespace(
        __version__="2.9",
        version=SimpleNamespace(cuda="12.9"),
        cuda=cuda,
        device=lambda kind, index: (kind, index),
        bfloat16="bf16",
        float16="fp16",
        uint8="u8",
        randn=make,
        empty=make,
        zeros=make,
        empty_like=lambda tensor: Tensor(),
        matmul=lambda left, right: None,
        nn=SimpleNamespace(functional=functional),
    )


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> DeviceMeasurement:
    monkeypatch.setitem(sys.modules, "torch", pretended())
    return measure_device()


def test_an_index_beyond_the_devices_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", pretended())
    with pytest.raises(ExternalError, match="there is no CUDA device 3: PyTorch finds 1"):
        measure_device(3)


def test_rates_follow_from_work_and_time(measured: DeviceMeasurement) -> None:
    product = next(
        p for p in measured.products if (p.m, p.n, p.k, p.number_format) == (4096, 4096, 4096, "bf16")
    )
    assert math.isclose(product.flop_per_s, 2 * 4096**3 / 2e-3)
    # Causal attention: half of 4 x tokens x sequence x width, here 16,384 tokens and 32 heads of 128.
    for rate in measured.attention:
        assert math.isclose(rate.flop_per_s, 0.5 * 4 * 16384 * rate.seq_len * 4096 / 2e-3)
    assert math.isclose(measured.copy_bytes_per_s, 2 * 2**30 / 2e-3)
    assert math.isclose(measured.launch_s, 2e-3 / 1024)
    assert (measured.num_sms, measured.usable_hbm_bytes) == (132, 85017493504.0)


def test_the_overlay_replaces_the_row_and_says_so(measured: DeviceMeasurement, tmp_path: Path) -> None:
    products = tuple(p.model_copy(update={"flop_per_s": 7.5e14}) for p in measured.products)
    shipped = load_catalog().accelerator("h100-sxm-80gb")
    path = tmp_path / "device.yaml"
    path.write_text(device_overlay(measured.model_copy(update={"products": products}), shipped, "2026-11-20"))
    row = load_catalog([path]).accelerator("h100-sxm-80gb")
    assert row.achievable_flop_per_s == {**shipped.achievable_flop_per_s, "bf16": 7.5e14, "fp16": 7.5e14}
    assert row.usable_hbm_bytes == pytest.approx(85017493504, rel=1e-8)
    assert row.peak_flop_per_s == pytest.approx(shipped.peak_flop_per_s)
    assert row.hbm_bytes_per_s == shipped.hbm_bytes_per_s
    told = row.provenance_of("achievable_flop_per_s")
    assert (told.basis, told.source, told.date) == ("measured", "measured-h100-sxm-80gb", "2026-11-20")
    assert row.provenance_of("hbm_bytes_per_s").source == shipped.provenance_of("hbm_bytes_per_s").source
    assert "launch" in row.note
    assert load_catalog([path]).sources["measured-h100-sxm-80gb"].title.startswith("Pretended")


def test_a_real_device() -> None:
    if importlib.util.find_spec("torch") is None:
        pytest.skip("PyTorch is not installed (extra: device)")
    torch = importlib.import_module("torch")
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device on this machine")
    measured = measure_device()
    assert measured.best_flop_per_s("bf16") > measured.attention[0].flop_per_s > 0
    assert measured.copy_bytes_per_s > 0
    assert 0 < measured.launch_s < 1e-3
