"""Launch files as people write them, read by hand once and by gigawatt ever after."""

from __future__ import annotations

from textwrap import dedent

import pytest

from gigawatt.domain.training import Layout
from gigawatt.errors import InputError, Problem
from gigawatt.exports import ImportedLayout, import_layout


def megatron(options: str, gpus: int = 8) -> ImportedLayout:
    return import_layout(f"--num-layers 24 --num-attention-heads 16 {options}", "run.sh", gpus)


def problems(text: str, filename: str = "run.sh", gpus: int = 0, num_layers: int = 0) -> tuple[Problem, ...]:
    with pytest.raises(InputError) as caught:
        import_layout(text, filename, gpus, num_layers)
    return caught.value.problems


def test_a_slurm_script_with_variables_and_strings() -> None:
    script = dedent(
        """\
        #!/bin/bash
        #SBATCH --nodes=16 --exclusive
        #SBATCH --ntasks-per-node=8
        export CUDA_DEVICE_MAX_CONNECTIONS=1
        TP=4; PP=8
        GLOBAL_BATCH=1536
        DISTRIBUTED_ARGS="--nproc_per_node 8 --nnodes 16 --node_rank $SLURM_PROCID --master_addr $MASTER"
        GPT_ARGS="
            --tensor-model-parallel-size ${TP} \\
            --pipeline-model-parallel-size ${PP} \\
            --num-layers-per-virtual-pipeline-stage 3 \\
            --sequence-parallel \\
            --num-layers 96 --hidden-size 12288 --num-attention-heads 96 \\
            --seq-length 2048 --max-position-embeddings 2048 \\
            --micro-batch-size 1 --global-batch-size $GLOBAL_BATCH \\
            --recompute-activations \\
            --fp16 --use-distributed-optimizer
        "
        DATA_ARGS="--data-path $DATA_PATH --split 949,50,1"
        srun torchrun $DISTRIBUTED_ARGS pretrain_gpt.py \\
            $GPT_ARGS \\
            $DATA_ARGS --distributed-backend nccl
        """
    )
    found = import_layout(script, "train.sh")
    # 128 GPUs = 4 x 8 x 4; 96 layers / 8 stages / 3 layers = 4 virtual stages.
    assert found.layout == Layout(
        tp=4, pp=8, vpp=4, dp=4, zero=1, recompute="selective", schedule="interleaved"
    )
    assert found.job == {"seq_len": 2048, "global_batch": 1536, "precision": "fp16"}
    assert found.model == {
        "num_layers": 96,
        "hidden": 12288,
        "num_heads": 96,
        "num_kv_heads": 96,
        "max_positions": 2048,
        "attention": "gqa",
        "gated": False,
        "norm": "layer",
        "tied_head": True,
    }
    assert found.notes == ("not part of a layout, ignored: --data-path --split --distributed-backend",)


def test_a_mixture_of_experts_in_arrays() -> None:
    script = dedent(
        """\
        GPUS_PER_NODE=8
        NNODES=${SLURM_NNODES:-"128"}
        MOE_ARGS=(
            --num-experts 256
            --expert-model-parallel-size 64
            --moe-router-topk 8
            --moe-ffn-hidden-size 2048
            --moe-shared-expert-intermediate-size 2048
        )
        MLA_ARGS=( --multi-latent-attention --q-lora-rank 1536 --kv-lora-rank 512 --qk-head-dim 128 )
        torchrun --nproc_per_node $GPUS_PER_NODE --nnodes $NNODES pretrain_gpt.py \\
            --num-layers 61 --hidden-size 7168 --num-attention-heads 128 ${MOE_ARGS[@]} ${MLA_ARGS[@]} \\
            --pipeline-model-parallel-layout "Et*3|(tt|)*29,m|L" --pipeline-model-parallel-size 16 \\
            --tensor-model-parallel-size 1 --expert-tensor-parallel-size 1 \\
            --swiglu --normalization RMSNorm --untie-embeddings-and-output-weights --mtp-num-layers 1 \\
            --bf16 --fp8-format e4m3 --fp8-recipe blockwise \\
            --recompute-granularity selective --recompute-modules mla_up_proj moe_act \\
            --micro-batch-size 1 --global-batch-size 8192 --seq-length 4096
        """
    )
    found = import_layout(script, "deepseek.sh")
    # 1,024 GPUs = 16 x 64; the layout string has 1 + 29 + 2 = 32 stages, two for each of 16 ranks.
    assert found.layout == Layout(
        pp=16, vpp=2, ep=64, dp=64, zero=0, recompute="selective", schedule="interleaved"
    )
    assert found.job == {"seq_len": 4096, "global_batch": 8192, "precision": "fp8"}
    assert found.model["attention"] == "mla"
    assert found.model["head_dim"] == 192
    assert found.notes[0] == "recomputed modules mla_up_proj moe_act; taken as selective (core attention)"


@pytest.mark.parametrize(
    ("options", "layout"),
    [
        ("", Layout(dp=8)),
        ("--tensor-model-parallel-size 2 --context-parallel-size 2", Layout(tp=2, cp=2, dp=2)),
        ("--model-parallel-size 2 --batch-size 4", Layout(tp=2, dp=4, micro_batch=4)),
        ("--use_distributed_optimizer", Layout(dp=8, zero=1)),
        (
            "--use-distributed-optimizer --num-distributed-optimizer-instances 2",
            Layout(dp=8, zero=1, dp_shard=4),
        ),
        ("--use-megatron-fsdp --data-parallel-sharding-strategy optim", Layout(dp=8, zero=1)),
        ("--use-megatron-fsdp --data-parallel-sharding-strategy optim_grads", Layout(dp=8, zero=2)),
        ("--use-custom-fsdp --data-parallel-sharding-strategy optim_grads_params", Layout(dp=8, zero=3)),
        ("--use-torch-fsdp2", Layout(dp=8, zero=3)),
        ("--use-torch-fsdp2 --torch-fsdp2-no-reshard-after-forward", Layout(dp=8, zero=2)),
        ("--deepspeed --zero-stage=2", Layout(dp=8, zero=2)),
        ("--recompute-granularity full --recompute-method uniform", Layout(dp=8, recompute="full")),
        ("--recompute-granularity selective", Layout(dp=8, recompute="selective")),
        ("--checkpoint-activations", Layout(dp=8, recompute="full")),
        (
            "--pipeline-model-parallel-size 4 --num-layers-per-virtual-pipeline-stage 2",
            Layout(pp=4, vpp=3, dp=2, schedule="interleaved"),
        ),
        (
            "--pipeline-model-parallel-size 4 --num-virtual-stages-per-pipeline-rank 3",
            Layout(pp=4, vpp=3, dp=2, schedule="interleaved"),
        ),
        (
            "--pipeline-model-parallel-size 2 --num-layers-per-virtual-pipeline-stage 13 --num-layers 102 "
            "--account-for-embedding-in-pipeline-split --account-for-loss-in-pipeline-split",
            Layout(pp=2, vpp=4, dp=4, schedule="interleaved"),
        ),
        ("--pipeline-model-parallel-size 2 --enable-zero-bubble", Layout(pp=2, dp=4, schedule="zero-bubble")),
        ("--tensor-model-parallel-size 4 --num-experts 8", Layout(tp=4, etp=4, dp=2)),
        (
            "--tensor-model-parallel-size 4 --num-experts 8 --expert-model-parallel-size 8 "
            "--expert-tensor-parallel-size 1",
            Layout(tp=4, ep=8, dp=2),
        ),
    ],
)
def test_megatron_options_of_several_years(options: str, layout: Layout) -> None:
    sharded = "zero" in layout.model_fields_set  # Megatron-LM shards nothing unless told to
    assert megatron(options).layout == (layout if sharded else layout.model_copy(update={"zero": 0}))


@pytest.mark.parametrize(
    ("options", "precision"),
    [
        ("", "fp32"),
        ("--fp16", "fp16"),
        ("--bf16", "bf16"),
        ("--bf16 --fp8-format hybrid", "fp8"),
        ("--bf16 --fp8-hybrid", "fp8"),
        ("--bf16 --fp8-format e4m3 --fp8-recipe mxfp8", "mxfp8"),
        ("--bf16 --fp4-format e2m1", "nvfp4"),
    ],
)
def test_megatron_number_formats(options: str, precision: str) -> None:
    assert megatron(options).job["precision"] == precision


@pytest.mark.parametrize(
    ("options", "note"),
    [
        ("--tensor-model-parallel-size 2", "--sequence-parallel is absent"),
        ("--optimizer-cpu-offload", "--optimizer-cpu-offload cannot be expressed"),
        (
            "--recompute-granularity full --recompute-method block --recompute-num-layers 2",
            "only 2 layers of each stage are recomputed",
        ),
        ("--moe-expert-capacity-factor 1.5", "tokens are taken not to be dropped"),
        ("--never-heard-of 3", "ignored: --never-heard-of"),
    ],
)
def test_what_cannot_be_expressed_is_said(options: str, note: str) -> None:
    assert any(note in found for found in megatron(options).notes)


def test_torchtitan_on_top_of_its_own_config() -> None:
    script = (
        "NGPU=64 ./run_train.sh --module llama3 --config llama3_70b \\\n"
        "  --parallelism.pipeline-parallel-degree=4 \\\n"
        "  --parallelism.pipeline_parallel_schedule Interleaved1F1B \\\n"
        "  --parallelism.pipeline_parallel_layers_per_stage 7"
    )
    found = import_layout(script, "run.sh")
    # llama3_70b presets tp 8, 8 x 8192 tokens, full recompute; ceil((80 + 1 + 1)/7) = 12 stages, 3 a rank.
    # FSDP keeps gathered parameters by default where there is a pipeline: ZeRO-2.
    assert found.layout == Layout(tp=8, pp=4, vpp=3, dp=2, zero=2, recompute="full", schedule="interleaved")
    assert found.job == {"seq_len": 8192, "global_batch": 16, "precision": "bf16"}
    assert found.model["num_layers"] == 80


def test_torchtitan_with_a_config_of_ones_own() -> None:
    command = (
        "torchrun --nproc_per_node=8 --nnodes=2 -m torchtitan.train --module mine --config mine_13b "
        "--parallelism.data_parallel_replicate_degree 2 --parallelism.tensor_parallel_degree 2 "
        "--training.local_batch_size 4 --training.seq_len 4096 --training.global_batch_size 64 "
        "activation-checkpoint:none"
    )
    found = import_layout(command, "run.sh")
    assert found.layout == Layout(tp=2, dp=8, micro_batch=4, zero=3, dp_shard=4)
    assert found.job == {"seq_len": 4096, "global_batch": 64, "precision": "bf16"}
    assert any("`mine_13b` is not one of torchtitan's own" in note for note in found.notes)


def test_a_torchtitan_job_file_of_2024() -> None:
    text = dedent(
        """\
        [model]
        name = "llama3"
        flavor = "405B"
        converters = ["float8"]

        [training]
        batch_size = 2
        seq_len = 8192
        data_parallel_shard_degree = -1   # the rest
        tensor_parallel_degree = 8

        [experimental]
        pipeline_parallel_degree = 16
        pipeline_parallel_microbatches = 2
        context_parallel_degree = 1

        [activation_checkpoint]
        mode = "selective"
        selective_ac_option = "2"
        """
    )
    found = import_layout(text, "llama3_405b.toml", 512)
    assert found.layout == Layout(tp=8, pp=16, dp=4, micro_batch=1, zero=2, recompute="selective")
    assert found.job == {"seq_len": 8192, "global_batch": 8, "precision": "fp8"}
    assert "every 2. layer is recomputed in full; taken as selective recompute" in found.notes


def test_stages_listed_one_by_one() -> None:
    parts = ", ".join(f'["layers.{index}"]' for index in range(8))
    text = (
        "[parallelism]\npipeline_parallel_degree = 2\ndata_parallel_shard_degree = 4\n"
        f'pipeline_parallel_schedule = "Interleaved1F1B"\nmodule_fqns_per_model_part = [{parts}]\n'
    )
    assert import_layout(text, "job.toml").layout == Layout(
        pp=2, vpp=4, dp=4, zero=2, recompute="selective", schedule="interleaved"
    )


def test_every_mistake_is_reported_at_its_place() -> None:
    script = dedent(
        """\
        TP=eight
        torchrun --nproc-per-node 8 pretrain_gpt.py \\
          --tensor-model-parallel-size $TP \\
          --pipeline-model-parallel-size $PP \\
          --recompute-granularity some \\
          --micro-batch-size 0
        """
    )
    assert [str(problem) for problem in problems(script, "bad.sh")] == [
        "bad.sh:3:3: --tensor-model-parallel-size: found `eight`; expected a whole number of at least 1",
        "bad.sh:4:3: --pipeline-model-parallel-size: found `$PP`, which the file does not set; "
        "expected a whole number of at least 1",
        "bad.sh:6:3: --micro-batch-size: found `0`; expected a whole number of at least 1",
        "bad.sh:5:3: --recompute-granularity: found `some`; expected one of full, selective",
    ]


@pytest.mark.parametrize(
    ("options", "key", "message"),
    [
        ("--tensor-model-parallel-size 3", "--tensor-model-parallel-size", "= 3 does not divide the 8 GPUs"),
        (
            "--num-query-groups 6 --group-query-attention --tensor-model-parallel-size 4",
            "--tensor-model",
            "6 key-value",
        ),
        (
            "--micro-batch-size 3 --global-batch-size 64",
            "--micro-batch-size",
            "dp x micro_batch = 24 does not divide",
        ),
        (
            "--context-parallel-size 4 --seq-length 4100",
            "--context-parallel-size",
            "8 does not divide the sequence",
        ),
        ("--expert-model-parallel-size 2", "--expert-model-parallel-size", "the model has no experts"),
        (
            "--num-experts 6 --expert-model-parallel-size 4",
            "--expert-model-parallel-size",
            "4 does not divide the 6",
        ),
        (
            "--num-experts 16 --expert-model-parallel-size 16",
            "--expert-model",
            "does not divide tp x cp x dp = 8",
        ),
        (
            "--pipeline-model-parallel-size 4 --num-layers-per-virtual-pipeline-stage 5",
            "--num-layers-per-virtual-pipeline-stage",
            "pp x 5 layers = 20 does not divide the 24 layers",
        ),
        (
            "--pipeline-model-parallel-size 2 --pipeline-model-parallel-layout 'Ett|tt|ttL'",
            "--pipeline-model-parallel-layout",
            "3 stages do not divide by the pipeline-model-parallel-size, 2",
        ),
        (
            "--num-virtual-stages-per-pipeline-rank 2",
            "--num-virtual-stages",
            "need pipeline parallelism, found pp 1",
        ),
        (
            "--use-distributed-optimizer --num-distributed-optimizer-instances 3",
            "--num-distributed",
            "3 does not divide",
        ),
    ],
)
def test_degrees_that_do_not_fit_together(options: str, key: str, message: str) -> None:
    found = problems(f"--num-layers 24 --num-attention-heads 24 {options}", gpus=8)
    assert any(
        problem.key.startswith(key) and message in problem.message and problem.line == 1 for problem in found
    )


def test_the_number_of_gpus_must_come_from_somewhere() -> None:
    (problem,) = problems("--num-layers 24 --tensor-model-parallel-size 2")
    assert "the number of GPUs is not in the file" in problem.message
    (problem,) = problems("[parallelism]\ntensor_parallel_degree = 2", "job.toml")
    assert "the file does not say how many there are" in problem.message


@pytest.mark.parametrize(
    ("text", "key", "message"),
    [
        ("data_parallel_shard_degree = 3", "data_parallel_shard_degree", "= 3, but 8 GPUs are started"),
        ("tensor_parallel_degree = 3", "data_parallel_shard_degree", "= 3 does not divide the 8 GPUs"),
        ('tensor_parallel_degree = "two"', "tensor_parallel_degree", "found `two`"),
        ('pipeline_parallel_schedule = "GPipe"', "pipeline_parallel_schedule", "expected one of 1F1B"),
        (
            'pipeline_parallel_degree = 2\npipeline_parallel_schedule = "Interleaved1F1B"\n'
            "pipeline_parallel_layers_per_stage = 4",
            "pipeline_parallel_layers_per_stage",
            "stages follow from the model's layers",
        ),
    ],
)
def test_mistakes_in_a_job_file(text: str, key: str, message: str) -> None:
    found = problems(f"[parallelism]\n{text}\n", "job.toml", gpus=8)
    assert any(problem.key == f"parallelism.{key}" and message in problem.message for problem in found)


def test_the_layers_of_ones_own_model_can_be_given() -> None:
    text = (
        '[parallelism]\npipeline_parallel_degree = 2\npipeline_parallel_schedule = "Interleaved1F1B"\n'
        "pipeline_parallel_layers_per_stage = 4\n"
    )
    assert import_layout(text, "job.toml", 8, num_layers=30).layout.vpp == 4


def test_files_of_another_kind_are_refused() -> None:
    (problem,) = problems("python train.py --lr 1e-4 --epochs 3")
    assert problem.message.startswith("neither Megatron-LM nor torchtitan")
    (problem,) = problems("[parallelism\n", "job.toml")
    assert problem.message.startswith("not TOML")
