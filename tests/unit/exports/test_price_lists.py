"""Price lists of others, typed from their published formats: no line is lost."""
# ruff: noqa: E501 (lines of files as they are)

from __future__ import annotations

from pathlib import Path

import pytest

from gigawatt import import_offers
from gigawatt.errors import InputError

LAMBDA = """InstanceType,AcceleratorName,AcceleratorCount,vCPUs,MemoryGiB,Price,Region,GpuInfo,SpotPrice
gpu_8x_h100_sxm5,H100,8.0,208,1800,31.92,us-west-1,"{'Gpus': [{'Name': 'H100', 'Manufacturer': 'NVIDIA', 'Count': 8.0, 'MemoryInfo': {'SizeInMiB': 81920}}], 'TotalGpuMemoryInMiB': 81920}",
cpu_4x_general,,,4,16,0.2,us-west-1,,
gpu_1x_gh200,GH200,1.0,64,432,,us-east-3,,
"""
VERDA = """InstanceType,UpstreamCloudId,vCPUs,MemoryGiB,AcceleratorName,AcceleratorCount,GpuInfo,Region,Price,SpotPrice
8B200.240V,x,240,1480,B200,8,"{""Gpus"": [{""Name"": ""B200"", ""Count"": 8, ""MemoryInfo"": {""SizeInMiB"": 184320}}], ""TotalGpuMemoryInMiB"": 1474560}",FIN-03,,11.2
1H100.80S.30V,x,30,120,H100,1,nonsense,FIN-01,2.29,0.8
CPU.4V,x,4,16,,0,,FIN-01,0.03,0.01
1L40S.20V,x,20,60,L40S,one,,FIN-01,0.9,
"""
GPUHUNT = """instance_name,location,price,cpu,memory,gpu_count,gpu_name,gpu_memory,spot,disk_size,gpu_vendor,flags,cpu_arch,provider_data
a,eu-1,20.0,96,1024,8,H100,80,False,,nvidia,,x86,{}
a,eu-1,8.0,96,1024,8,H100,80,True,,nvidia,,x86,{}
b,eu-1,1.0,4,16,0,,,False,,,,x86,{}
c,eu-1,-1,4,16,1,H100,80,False,,nvidia,,x86,{}
"""
GPUHUNT_OLD = (
    "instance_name,location,price,cpu,memory,gpu_count,gpu_name,gpu_memory,spot,disk_size\n"
    "t,us,12.88,4,16,4,tpu-v5e,16,False,\n"
)
FOCUS = """BilledCost,BillingCurrency,ChargeCategory,ChargePeriodStart,ConsumedQuantity,ConsumedUnit,PricingCategory,ProviderName,RegionId,SkuId,x_AcceleratorType,x_AcceleratorCount
55.04,USD,Usage,2026-03-01T00:00:00Z,1,Hours,Standard,AWS,us-east-1,p5.48xlarge,H100,8
20.00,USD,Usage,2026-03-01T00:00:00Z,2,GPU Hours,Committed,AWS,us-east-1,x,H100,
9.99,EUR,Usage,2026-03-01T00:00:00Z,2,Hours,Standard,OVH,gra,x,H100,1
-5.00,USD,Credit,2026-03-01T00:00:00Z,2,Hours,Standard,AWS,us-east-1,x,H100,1
3.00,USD,Usage,2026-03-01T00:00:00Z,10,GB,Standard,AWS,us-east-1,s3,,
"""


def imported(tmp_path: Path, text: str, name: str = "lambda.csv"):
    path = tmp_path / name
    path.write_text(text)
    found = import_offers(path, date="2026-08-01")
    assert found.num_lines == len(text.strip().splitlines()) - 1
    assert found.num_used + len(found.remarks) == found.num_lines
    return found


def test_skypilot_prices_are_of_the_whole_instance(tmp_path: Path) -> None:
    found = imported(tmp_path, LAMBDA)
    (one,) = found.offers
    assert (found.kind, one.provider, one.region) == ("SkyPilot", "lambda", "us-west-1")
    assert one.on_demand_usd_per_gpu_h == pytest.approx(31.92 / 8)
    assert one.spot_usd_per_gpu_h is None
    assert one.note == "86 GB each"
    assert [remark.line for remark in found.remarks] == [3, 4]
    assert "no price" in found.remarks[1].message


def test_columns_in_any_order_and_either_dialect(tmp_path: Path) -> None:
    found = imported(tmp_path, VERDA, "verda.csv")
    (one,) = found.offers
    assert (one.term, one.on_demand_usd_per_gpu_h, one.spot_usd_per_gpu_h) == (
        "spot",
        None,
        pytest.approx(1.4),
    )
    assert one.note == "193 GB each"
    words = [remark.message for remark in found.remarks]
    assert "GpuInfo" in words[0]
    assert "no accelerators" in words[1]
    assert 'expected a number, found "one"' in words[2]


def test_gpuhunt_has_spot_in_lines_of_its_own(tmp_path: Path) -> None:
    found = imported(tmp_path, GPUHUNT, "vastai.csv")
    firm, spot = found.offers
    assert (firm.provider, firm.on_demand_usd_per_gpu_h, firm.spot_usd_per_gpu_h) == ("vastai", 2.5, None)
    assert (spot.on_demand_usd_per_gpu_h, spot.spot_usd_per_gpu_h) == (None, 1.0)
    assert ["below zero" in remark.message for remark in found.remarks] == [False, True]
    (old,) = imported(tmp_path, GPUHUNT_OLD, "gcp.csv").offers
    assert (old.on_demand_usd_per_gpu_h, old.note) == (pytest.approx(3.22), "google, 16 GB each")


def test_a_bill_is_what_was_paid_by_the_hour(tmp_path: Path) -> None:
    found = imported(tmp_path, FOCUS, "bill.csv")
    first, second = found.offers
    assert (first.on_demand_usd_per_gpu_h, first.basis, first.date) == (6.88, "measured", "2026-03-01")
    assert (second.on_demand_usd_per_gpu_h, second.term) == (10.0, "reserved")
    assert [remark.line for remark in found.remarks] == [4, 5, 6]
    assert "currencies are never converted" in found.remarks[0].message


def test_contradictions_are_told(tmp_path: Path) -> None:
    text = GPUHUNT + "a,eu-1,24.0,96,1024,8,H100,80,False,,nvidia,,x86,{}\n"
    (conflict,) = imported(tmp_path, text).conflicts
    assert "3/- USD/h and 2.5/- USD/h" in conflict


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match="no price list that is known"):
        import_offers(path)


@pytest.mark.parametrize(("name", "lines"), [("gpu_prices.csv", 335), ("aws_gpu_price_history.csv", 15)])
def test_collected_lists_are_read_whole(shared_data: Path, name: str, lines: int) -> None:
    found = import_offers(shared_data / name)
    assert found.num_lines == lines
    assert found.num_used + len(found.remarks) == lines


def test_what_is_written_can_be_read_again(tmp_path: Path, run_gigawatt) -> None:
    source, target = tmp_path / "vastai.csv", tmp_path / "own.csv"
    source.write_text(GPUHUNT)
    assert (
        run_gigawatt(
            "contract", "import", str(source), "--date", "2026-08-01", "--out", str(target)
        ).exit_code
        == 0
    )
    again = import_offers(target)
    assert (again.kind, [one.on_demand_usd_per_gpu_h for one in again.offers]) == ("gigawatt", [2.5, None])
