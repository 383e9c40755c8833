"""The catalogue against what the makers print, typed here from the datasheet that each row names.

Rates are dense. Where a page prints them with 2:4 sparsity, the page's figure stands here, halved.
"""

from __future__ import annotations

import pytest

from gigawatt.catalog import Catalog, load_catalog

TERA = 1e12
GIB = 2**30

# id, bf16 Tflop/s, fp8 Tflop/s, memory as sold, bandwidth TB/s, maximum power W, datasheet
DATASHEETS = [
    ("a100-sxm-40gb", 624 / 2, None, 40, 1.555, 400, "NVIDIA A100 datasheet, 2020"),
    ("a100-sxm-80gb", 624 / 2, None, 80, 2.039, 400, "NVIDIA A100 80GB datasheet, 2021"),
    ("a100-pcie-80gb", 624 / 2, None, 80, 1.935, 300, "NVIDIA A100 80GB datasheet, 2021"),
    ("h100-sxm-80gb", 1979 / 2, 3958 / 2, 80, 3.35, 700, "NVIDIA H100 datasheet, 2023"),
    ("h100-pcie-80gb", 1513 / 2, 3026 / 2, 80, 2.0, 350, "NVIDIA H100 datasheet, 2023"),
    ("h200-sxm-141gb", 1979 / 2, 3958 / 2, 141, 4.8, 700, "NVIDIA H200 datasheet, 2024"),
    ("b200-sxm-180gb", 36_000 / 8 / 2, 72_000 / 8 / 2, 1440 / 8, 64 / 8, 1000, "NVIDIA HGX B200, DGX B200"),
    ("b300-sxm-288gb", 36_000 / 8 / 2, 72_000 / 8 / 2, 288, 8.0, 1100, "NVIDIA HGX B300"),
    ("gb200-186gb", 360_000 / 72 / 2, 720_000 / 72 / 2, 13_400 / 72, 576 / 72, 1200, "NVIDIA GB200 NVL72"),
    ("gb300-288gb", 360_000 / 72 / 2, 720_000 / 72 / 2, 288, 576 / 72, 1400, "NVIDIA GB300 NVL72"),
    ("l40s-48gb", 733 / 2, 1466 / 2, 48, 0.864, 350, "NVIDIA L40S datasheet, 2023"),
    ("mi250x-128gb", 383, None, 128, 3.2, 560, "AMD Instinct MI250X, 2021"),
    ("mi300x-192gb", 1307.4, 2614.9, 192, 5.3, 750, "AMD Instinct MI300X data sheet, 2023"),
    ("mi325x-256gb", 1307.4, 2614.9, 256, 6.0, 1000, "AMD Instinct MI325X data sheet, 2024"),
    ("mi350x-288gb", 2300, 4600, 288, 8.0, 1000, "AMD Instinct MI350X data sheet, 2025"),
    ("mi355x-288gb", 2500, 5000, 288, 8.0, 1400, "AMD Instinct MI355X data sheet, 2025"),
    ("tpu-v4", 275, None, 32, 1.2, 192, "Google Cloud, TPU v4"),
    ("tpu-v5e", 197, None, 16, 0.819, None, "Google Cloud, TPU v5e"),
    ("tpu-v5p", 459, 459, 95, 2.765, None, "Google Cloud, TPU v5p"),
    ("tpu-v6e", 918, 918, 32, 1.638, None, "Google Cloud, TPU v6e"),
    ("tpu-v7", 2307, 4614, 192, 7.38, None, "Google Cloud, TPU7x"),
    ("trainium2-96gb", 667, 1299, 96, 2.9, None, "AWS Neuron, Trainium2"),
    ("gaudi2-96gb", 432, 865, 96, 2.45, 600, "Intel Gaudi 2 whitepaper"),
]


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog()


@pytest.mark.parametrize(
    ("id", "bf16", "fp8", "memory_gb", "bandwidth", "power_w", "datasheet"),
    DATASHEETS,
    ids=[row[0] for row in DATASHEETS],
)
def test_rates_memory_and_power_are_those_of_the_datasheet(
    catalog: Catalog, id, bf16, fp8, memory_gb, bandwidth, power_w, datasheet
) -> None:
    accelerator = catalog.accelerator(id)
    # Datasheets round: 989 and 989.4, 3.2 and 3.28. B200's "8 TB/s" is of eight full stacks, not as shipped.
    loose = 0.05 if id == "b200-sxm-180gb" else 0.03
    assert accelerator.peak_flop_per_s["bf16"] == pytest.approx(bf16 * TERA, rel=0.015)
    if fp8 is not None:
        assert accelerator.peak_flop_per_s["fp8"] == pytest.approx(fp8 * TERA, rel=0.015)
    assert accelerator.hbm_bytes_per_s == pytest.approx(bandwidth * TERA, rel=loose)
    # "80 GB" is sold in powers of two; nobody's own byte count is less than the decimal reading.
    assert memory_gb * 1e9 * 0.99 <= accelerator.hbm_bytes <= memory_gb * GIB * 1.005
    if power_w is None:
        assert "tdp_w" in accelerator.missing
    else:
        assert accelerator.tdp_w == power_w


# What the driver told programs on real machines, in MiB (nvidia-smi) or GiB (PyTorch).
SEEN_BY_THE_DRIVER_MIB = {
    "a100-sxm-40gb": 40_960,
    "a100-sxm-80gb": 81_920,
    "h100-sxm-80gb": 81_559,
    "h200-sxm-141gb": 143_771,
    "b200-sxm-180gb": 183_359,
    "b300-sxm-288gb": 275_040,
    "gb200-186gb": 189_471,
    "gb300-288gb": 284_208,
    "l40s-48gb": 46_068,
}


@pytest.mark.parametrize("id", SEEN_BY_THE_DRIVER_MIB)
def test_usable_memory_is_a_little_less_than_what_the_driver_shows(catalog: Catalog, id: str) -> None:
    """CUDA keeps 0.3 to 4 % of what nvidia-smi shows for itself."""
    shown_bytes = SEEN_BY_THE_DRIVER_MIB[id] * 2**20
    assert 0.96 * shown_bytes <= catalog.accelerator(id).usable_hbm_bytes < shown_bytes


MULTIPROCESSORS = {
    "a100-sxm-80gb": 108,  # NVIDIA Ampere whitepaper
    "h100-sxm-80gb": 132,  # NVIDIA Hopper whitepaper
    "h100-pcie-80gb": 114,
    "h200-sxm-141gb": 132,
    "b200-sxm-180gb": 148,  # cudaGetDeviceProperties
    "gb200-186gb": 152,
    "l40s-48gb": 142,  # NVIDIA Ada whitepaper
    "mi300x-192gb": 304,  # AMD CDNA 3 whitepaper
    "mi355x-288gb": 256,  # AMD CDNA 4 whitepaper
}


@pytest.mark.parametrize("id", MULTIPROCESSORS)
def test_multiprocessors(catalog: Catalog, id: str) -> None:
    assert catalog.accelerator(id).num_sms == MULTIPROCESSORS[id]


# id, accelerators per node, per scale-up domain, GB/s per accelerator each way within it and out of it, kW
SYSTEMS = [
    ("hgx-a100", 8, 8, 600 / 2, 25, 6.5),  # DGX A100: 600 GB/s NVLink 3, 8 x HDR 200, 6.5 kW
    ("hgx-h100", 8, 8, 900 / 2, 50, 10.2),  # DGX H100: 900 GB/s NVLink 4, 8 x NDR 400, 10.2 kW
    ("hgx-h200", 8, 8, 900 / 2, 50, 10.2),
    ("hgx-b200", 8, 8, 1800 / 2, 50, 14.3),  # DGX B200: 14.4 TB/s over eight, 14.3 kW
    ("hgx-b300", 8, 8, 1800 / 2, 100, 14.0),  # DGX B300: ConnectX-8, about 14 kW
    ("gb200-nvl72", 4, 72, 1800 / 2, 50, 120 / 18),  # 130 TB/s over 72, 120 kW over 18 trays
    ("gb300-nvl72", 4, 72, 1800 / 2, 100, 142 / 18),
    ("hgx-h800", 8, 8, 400 / 2, 50, 10.2),
    ("hgx-mi300x", 8, 8, 7 * 128 / 2, 50, None),  # seven Infinity Fabric links of 128 GB/s both ways
    ("hgx-mi355x", 8, 8, 7 * 153 / 2, 50, None),
    ("tpu-v5p-pod", 4, 8960, 1200 / 2, 50 / 8, None),
    ("trn2-ultraserver", 16, 64, 640, 12_800 / 64 / 8, None),  # 12.8 Tbit/s of EFA for 64 chips
]


@pytest.mark.parametrize(
    ("id", "per_node", "per_domain", "up", "out", "power_kw"), SYSTEMS, ids=[row[0] for row in SYSTEMS]
)
def test_systems_are_joined_and_draw_as_printed(
    catalog: Catalog, id, per_node, per_domain, up, out, power_kw
) -> None:
    system = catalog.system(id)
    assert (system.num_accelerators_per_node, system.num_accelerators_per_domain) == (per_node, per_domain)
    assert system.scale_up_bytes_per_s == pytest.approx(up * 1e9, rel=0.001)
    assert system.scale_out_bytes_per_s == pytest.approx(out * 1e9, rel=0.001)
    if power_kw is not None:
        assert system.node_power_w == pytest.approx(power_kw * 1e3, rel=0.001)


def test_switches_that_reduce_are_those_of_the_third_nvswitch_and_later(catalog: Catalog) -> None:
    reducing = {system.id for system in catalog.rows("systems") if system.in_network_reduction}
    assert reducing == {
        "hgx-h100", "hgx-h100-96gb", "hgx-h200", "hgx-h800", "hgx-b200", "hgx-b300",
        "gb200-nvl72", "gb300-nvl72",
    }  # fmt: skip


def test_the_price_of_a_p5_is_that_of_the_price_list(catalog: Catalog) -> None:
    """AWS lists p5.48xlarge at $55.04 an hour in us-east-1 (since June 2025): eight H100."""
    offer = catalog.offer("aws-p5-48xlarge-us-east-1")
    assert offer.accelerators_per_instance * offer.on_demand_usd_per_gpu_h == pytest.approx(55.04)
    assert (offer.accelerator, offer.system, offer.price_year) == ("h100-sxm-80gb", "hgx-h100", 2026)
    assert offer.spot_usd_per_gpu_h is None
