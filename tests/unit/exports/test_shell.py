"""The shell reader against bash itself, and what it says about scripts that it cannot follow."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gigawatt.errors import InputError
from gigawatt.exports.launch import find_launch, options
from gigawatt.exports.shell import read_script

SNIPPETS = {
    "plain": "run --tp 8 --flag",
    "continuation": "run --tp \\\n  8 \\\n  --pp 4",
    "variables": "TP=8\nPP=4\nrun --tp $TP --pp ${PP} --both $TP-${PP}x",
    "defaults": "TP=${TP:-8}\nrun --tp $TP --pp ${PP:-$TP} --cp ${CP:=2} --again $CP",
    "default of a default": 'run --rank "${NO_SUCH_A:-${NO_SUCH_B:-3}}"',
    "quotes": """A='$TP "x"'\nTP=8\nB="a $TP \\"q\\""\nrun "$A" "$B" 'it is' a"b c"d""",
    "string of options": 'TP=8\nARGS="\n  --tp $TP \\\n  --pp 4\n"\nrun $ARGS --last',
    "joined strings": 'A="--a 1"\nA+=" --b 2"\nA="$A --c 3"\nrun $A',
    "array": 'TP=8\nARGS=(\n  --tp $TP   # tensor\n  --name "two words"\n  --pp 4\n)\nrun "${ARGS[@]}" --end',
    "comments in an array": "A=(\n  --a 1  # it's (\"\n#  --b 2 \\\n  #--c 3\n  --d 4\n)\nrun ${A[@]}",
    "backticks": "N=`echo '8 (gpus)'`\nrun --x 1",
    "options quoted in pairs": 'A=(\n  "--format hybrid"\n  "--split \'1,2\'"\n)\nrun ${A[@]}',
    "tests": 'if [[ "$A" == "x" ]] || [ -z "$B" ]; then\n  C=1\nfi\nrun --c $C',
    "appended array": "ARGS=(--a 1)\nARGS+=(--b 2)\nrun ${ARGS[@]}",
    "array in the middle": 'A=(--x 1 --y)\nrun "--pre" "${A[@]}" --post',
    "arithmetic": "N=4\nG=8\nW=$((N * G))\nrun --world $W --half $(( ($N*${G}) / 2 )) --rest $((W % 5))",
    "exports": "export TP=8\nexport PP=2 CP=4\nrun $TP $PP $CP",
    "prefix": "TP=8; A=1 run --tp $TP",
    "separators": "TP=8; PP=4 && run --tp $TP",
    "comments": "# run --not\nTP=8 # eight\nrun --tp $TP # the end\n",
    "hash inside a word": "run a#b '#c'",
    "empty expansions": 'E=""\nrun a $E b "$NO_SUCH_VARIABLE_HERE"c'.replace(
        '"$NO_SUCH_VARIABLE_HERE"c', "c"
    ),
    "arguments": 'run --a 1 "$@" --b',
    "pattern": 'F="([0]*3+[1]*58)"\nrun --freq "$F" --layout "E|(t|)*3,m|L"',
    "eval": 'TP=8\nCMD="run --tp $TP --pp 4"\neval $CMD',
    "nested command": 'D="$(dirname "/a/b c")"\nrun --x 1',
    "redirections": "run --a 1 > /dev/stdout 2>&1\nrun --b 2 2>/dev/null < /dev/null | cat",
    "heredoc": "cat > /dev/null << EOF\nit's not a quote --x\nEOF\nrun --x 1",
}


@pytest.mark.parametrize("name", SNIPPETS)
def test_words_reach_the_program_as_bash_hands_them_over(name: str) -> None:
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("bash is not installed")
    spy = 'run() { printf "%s\\n" "$@"; }\n' + SNIPPETS[name]
    done = subprocess.run(
        [bash, "-c", spy], capture_output=True, text=True, check=True, env={"PATH": "/usr/bin:/bin"}
    )
    commands = [
        command for command in read_script(SNIPPETS[name], "x.sh").commands if command[0].text == "run"
    ]
    assert [word.text for command in commands for word in command[1:]] == done.stdout.splitlines()


def test_line_ends_of_windows_are_read_as_line_ends() -> None:
    (command,) = read_script("run --tp \\\r\n  8\r\n", "x.sh").commands
    assert [word.text for word in command] == ["run", "--tp", "8"]


@given(
    st.lists(
        st.sampled_from([*"'\"$(){}#;|&>=\\ \n1A", "$((", "${A[@]}", "A=(", "A+=", "--num-layers ", "<<E\n"])
    ),
)
def test_any_text_is_read_or_refused(pieces: list[str]) -> None:
    try:
        script = read_script("".join(pieces), "x.sh")
    except InputError as refusal:
        assert all("never closed" in problem.message for problem in refusal.problems)  # noqa: PT017
    else:
        assert all(word.line >= 1 and word.column >= 1 for command in script.commands for word in command)


def test_a_word_keeps_the_place_where_it_was_written() -> None:
    script = 'ARGS="\n  --tp 8\n   --pp 4"\nrun $ARGS'
    words = read_script(script, "x.sh").commands[-1]
    assert [(word.text, word.line, word.column) for word in words[1:]] == [
        ("--tp", 2, 3),
        ("8", 2, 8),
        ("--pp", 3, 4),
        ("4", 3, 9),
    ]


@pytest.mark.parametrize("script", ['run --tp "8', "run --tp '8", "A=(--tp 8", "run $((1+", "run ${A"])
def test_what_is_never_closed_is_reported_where_it_opens(script: str) -> None:
    with pytest.raises(InputError) as caught:
        read_script("\n" + script, "x.sh")
    (problem,) = caught.value.problems
    assert (problem.file, problem.line) == ("x.sh", 2)
    assert "never closed" in problem.message


def test_what_the_script_does_not_set_stays_visible() -> None:
    words = read_script("run --tp $TP --pp ${PP%x} --when $(date +%s)", "x.sh").commands[0]
    assert [word.text for word in words] == ["run", "--tp", "$TP", "--pp", "${PP%x}", "--when", "$(date+%s)"]


def test_conditions_are_not_followed_and_the_notes_say_so() -> None:
    script = read_script("if [ $A = 1 ]; then\n  TP=4\nelse\n  TP=8\nfi\nrun --tp $TP", "x.sh")
    assert script.commands[-1][2].text == "8"
    assert script.notes == (
        "line 1: conditions and loops are not followed; the last assignment of a variable counts",
    )


@pytest.mark.parametrize(
    ("script", "processes"),
    [
        ("torchrun --nproc-per-node 8 --nnodes 4 pretrain_gpt.py --num-layers 2", 32),
        ("torchrun --nproc_per_node=8 --nnodes=4 pretrain_gpt.py --num-layers 2", 32),
        ("torchrun --nproc_per_node 8 pretrain_gpt.py --num-layers 2", 8),
        ("python -m torch.distributed.launch --nproc_per_node 4 pretrain_gpt.py --num-layers 2", 4),
        ('G=8\nN=2\nD="--nproc_per_node $G --nnodes $N"\ntorchrun $D pretrain_gpt.py --num-layers 2', 16),
        ("#SBATCH --nodes=16\n#SBATCH --ntasks-per-node=8\nsrun python pretrain_gpt.py --num-layers 2", 128),
        ("#SBATCH -N 2\n#SBATCH --gres=gpu:h100:8\nsrun python pretrain_gpt.py --num-layers 2", 16),
        ("srun -N 3 --ntasks-per-node 8 python pretrain_gpt.py --num-layers 2", 24),
        ("mpirun -np 24 -x MASTER_PORT=1 --npernode 8 python pretrain_gpt.py --num-layers 2", 24),
        ("srun --ntasks=24 python pretrain_gpt.py --num-layers 2", 24),
        ("WORLD_SIZE=$((4*8))\npython pretrain_gpt.py --num-layers 2", 32),
        ("NGPU=8 ./run_train.sh --parallelism.tensor_parallel_degree 2", 8),
        ("torchrun --nproc-per-node $GPUS pretrain_gpt.py --num-layers 2", 0),
        ("--num-layers 2 --hidden-size 4", 0),
    ],
)
def test_the_number_of_processes(script: str, processes: int) -> None:
    assert find_launch(script, "x.sh").num_processes == processes


def test_the_launch_is_found_among_other_commands() -> None:
    script = (
        "mkdir -p --mode 755 out\necho torchrun pretrain_gpt.py --num-layers 1\n"
        "python tools/preprocess.py --input a --workers 8\n"
        "torchrun --nproc-per-node 8 /opt/megatron/pretrain_gpt.py --num-layers 2 2>&1 | tee --append log\n"
    )
    launch = find_launch(script, "x.sh")
    assert launch.program == "/opt/megatron/pretrain_gpt.py"
    assert options(launch.arguments)[0]["num-layers"].value == "2"


def test_a_script_without_a_launch() -> None:
    with pytest.raises(InputError, match=r"x\.sh: no command with training options"):
        find_launch("echo hello\nls", "x.sh")


def test_the_last_of_two_equal_options_counts() -> None:
    found, loose = options(find_launch("train.py --a 1 --b=2 --a 3 4 --c", "x.sh").arguments)
    assert {name: setting.value for name, setting in found.items()} == {"a": "3 4", "b": "2", "c": True}
    assert loose == ()
