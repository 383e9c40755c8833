"""How long the proof of the best layout takes where the space is large: DeepSeek-V3 (671B) on 16,384 H100.

Every axis is free: tensor, pipeline, virtual, context, expert and expert-tensor parallelism, replicas,
micro-batch, ZeRO 0 to 3 with groups of replicas, recomputation, schedule. `layouts_raw` is the cross
product of all values of the axes with tp x pp x cp x dp = 16,384; `layouts_legal` those that break no
rule, each of which is either priced and weighed (`layouts_evaluated`) or ruled out by a bound from below.
The search is run twice: over the space that `gigawatt design training` takes, and over all that is legal,
ZeRO-2 and ZeRO-3 in pipelines included. An exhaustive run of the first then confirms the winner; it is
not part of the time.
"""

from __future__ import annotations

from collections.abc import Mapping

from measure import Figures, measured, report

from gigawatt.catalog import load_catalog
from gigawatt.design.training import context_of
from gigawatt.design.training.axes import ZEROS, Space
from gigawatt.design.training.context import Context
from gigawatt.design.training.search import Search
from gigawatt.domain.training import TrainingJob

NUM_ACCELERATORS = 16_384
JOB = TrainingJob(seq_len=4096, global_batch=15_360, precision="fp8")
TOP = 5


def question() -> Context:
    """The model, the machines, the job."""
    catalog = load_catalog()
    system, accelerator = catalog.require_plannable("hgx-h100", with_power=False)
    model = catalog.model("deepseek-v3")
    return context_of(model, system, accelerator, NUM_ACCELERATORS, JOB, catalog.training_calibration())


def searched(context: Context, fixed: Mapping[str, object] = {}, exhaustive: bool = False) -> Search:
    """One search, run."""
    search = Search(context, Space(context.model, NUM_ACCELERATORS, JOB, fixed), TOP)
    search.run(exhaustive)
    return search


def run() -> Figures:
    """Prove the winner of both spaces, then confirm that of the first."""
    context = question()
    searched(context, {"tp": 8, "pp": 8, "cp": 1})
    with measured() as spent:
        usual = searched(context)
        whole = [searched(context, {"zero": zero}) for zero in ZEROS]
    with measured() as checking:
        everything = searched(context, exhaustive=True)
    assert [found.key for found in everything.best] == [found.key for found in usual.best]
    runs = [usual, *whole]
    legal = sum(one.evaluated + one.bounded for one in whole)
    best = min(one.best[0] for one in whole if one.best)
    return Figures(
        name="moe_proof",
        work={
            "layouts_raw": usual.space.num_raw,
            "layouts_legal": legal,
            "layouts_legal_usual_space": usual.evaluated + usual.bounded,
            "layouts_evaluated": sum(one.evaluated for one in runs),
            "layouts_bounded": sum(one.bounded for one in runs),
            "bounds_found_wrong": sum(one.wrong_bounds for one in runs),
        },
        spent=spent,
        rates={"layouts_decided_per_cpu_s": sum(one.evaluated + one.bounded for one in runs) / spent.cpu_s},
        peer={"name": "none: no public tool searches expert and context parallelism to a proof"},
        notes={
            "best": str(usual.best[0].layout),
            "best_step_s": usual.best[0].figure,
            "best_of_all_legal": str(best.layout),
            "exhaustive_confirms": True,
            "exhaustive_cpu_s": checking.cpu_s,
            "exhaustive_layouts": everything.evaluated,
        },
    )


if __name__ == "__main__":
    report(run, __doc__ or "")
