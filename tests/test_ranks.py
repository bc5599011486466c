"""Training on MPI ranks: the same result as on one, and an end to all of them whatever happens."""

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import nnscratch as nn

pytestmark = pytest.mark.mpi
pytest.importorskip("mpi4py")

HERE = Path(__file__).parent
BESIDE = Path(sys.executable).with_name("mpiexec")  # where pip puts that of its mpich
MPIEXEC = str(BESIDE) if BESIDE.exists() else shutil.which("mpiexec")
if MPIEXEC is None:
    pytest.skip("mpi4py is here, but no mpiexec: pip install mpich", allow_module_level=True)
LONGEST = 120  # seconds; a job that hangs is ended and fails


def mpiexec(ranks, *command, **options):
    return subprocess.run(
        [MPIEXEC, "-n", str(ranks), sys.executable, *map(str, command)],
        capture_output=True,
        text=True,
        timeout=LONGEST,
        **options,
    )


def train(ranks, *options, folder):
    return mpiexec(ranks, "-m", "nnscratch", "train", *options, cwd=folder)


@pytest.mark.parametrize("ranks", [2, 3])
def test_ranks_end_where_one_process_ends(ranks):
    job = mpiexec(ranks, HERE / "ranks_against_one.py")
    lines = job.stdout.splitlines()
    assert len(lines) == 17, job.stdout + job.stderr
    assert [line for line in lines if not line.endswith("  equal")] == []
    assert job.returncode == 0, job.stderr


@pytest.mark.parametrize(
    ("case", "kind", "says"),
    [
        ("content", "ValueError", r"x is float32\(40, 6\) #\w+ on rank 0 and .* on rank 1"),
        ("length", "ValueError", r"y is int64\(40,\) #\w+ on rank 0 and int64\(39,\) .* on rank 1"),
        ("rows", "ValueError", r"\[40, 39\] rows"),
        ("settings", "ValueError", "batch_size is 10 on rank 0 and 11 on rank 1"),
        ("stream", "ValueError", "minibatch 3 is .* on rank 0 and none on rank 1"),
        ("nan", "RuntimeError", "epoch 1, step 4.*the input itself holds NaN, first in sample 33 "),
        ("resume", "ValueError", r"failing_ranks\.py is damaged"),
        ("folder", r"\w+Error", "the checkpoint's folder /proc/nowhere does not exist"),
        ("diagnose", "ValueError", "diagnose looks at a single process"),
    ],
)
def test_an_error_of_all_is_raised_on_all(case, kind, says):
    job = mpiexec(2, HERE / "failing_ranks.py", case)
    for rank in range(2):
        assert re.search(f"rank {rank} raised {kind}: .*{says}", job.stdout), job.stdout
    assert job.returncode == 0, job.stderr


@pytest.mark.parametrize(
    ("case", "rank", "says"),
    [
        ("label", 2, "ValueError: SoftmaxCrossEntropy.* expected labels in 0..2"),
        ("augment", 1, "KeyError: 'the third batch'"),
        ("callback", 0, "ZeroDivisionError: in a callback"),
    ],
)
def test_an_error_of_one_is_written_out_and_ends_the_job(case, rank, says):
    job = mpiexec(3, HERE / "failing_ranks.py", case)
    assert f"rank {rank} of 3 failed and ends the job:" in job.stderr
    assert re.search(says, job.stderr), job.stderr
    assert job.returncode != 0
    assert "finished" not in job.stdout and "raised" not in job.stdout


def test_without_a_seed_all_draw_as_rank_0():
    job = mpiexec(3, HERE / "failing_ranks.py", "unseeded")
    ends = re.findall(r"rank \d: finished after 8 steps, ([0-9a-f]{8})", job.stdout)
    assert len(ends) == 3 and len(set(ends)) == 1, job.stdout + job.stderr


def test_a_killed_rank_ends_the_job():
    job = mpiexec(3, HERE / "failing_ranks.py", "killed")
    assert job.returncode != 0
    assert "finished" not in job.stdout


def test_interrupted_ranks_stop_behind_the_same_step():
    command = [MPIEXEC, "-n", "2", sys.executable, str(HERE / "failing_ranks.py"), "interrupted"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as job:
        try:
            for line in job.stdout:
                if line.startswith("step 5"):
                    break
            os.kill(job.pid, signal.SIGINT)
            said, _ = job.communicate(timeout=LONGEST)
        finally:
            job.kill()
    found = re.findall(r"rank (\d): interrupted after (\d+) steps", said)
    assert sorted(rank for rank, _ in found) == ["0", "1"], said
    assert found[0][1] == found[1][1]


def test_command_line_trains_on_ranks_as_on_one_and_goes_on(tmp_path):
    settings = "--quiet", "--dropout", "0.1", "--hidden", "32"
    ranks = train(2, "--mpi", *settings, "--epochs", "2", "--out", "two", folder=tmp_path)
    assert re.fullmatch(r"test accuracy 0\.\d{4}\n", ranks.stdout), ranks.stdout + ranks.stderr
    assert {path.name for path in (tmp_path / "two").iterdir()} == {
        *("checkpoint.npz", "config.json", "history.csv"),
        *("loss.png", "model.npz", "results.json"),
    }
    again = train(
        2, "--mpi", "--quiet", "--epochs", "3", "--resume", "two", "--threads", "1", folder=tmp_path
    )
    assert again.returncode == 0, again.stderr
    alone = train(1, "--quiet", "--epochs", "4", "--resume", "two", folder=tmp_path)
    one = train(1, *settings, "--epochs", "4", "--out", "one", folder=tmp_path)
    assert one.stdout == alone.stdout
    models = [nn.load_model(tmp_path / name / "model.npz") for name in ("one", "two")]
    for name, array in models[0].params.items():
        np.testing.assert_allclose(models[1].params[name], array, atol=1e-4)
    histories = [nn.History.from_csv(tmp_path / name / "history.csv") for name in ("one", "two")]
    np.testing.assert_allclose(*(of["train_loss"] for of in histories), rtol=1e-4)


@pytest.mark.parametrize(
    ("options", "status", "says"),
    [
        ((), 2, "mpiexec started this 2 times.*add --mpi"),
        (("--mpi", "--workers", "2"), 2, "leave out --workers"),
        (("--mpi", "--out", "."), 1, "already holds a run"),
        (("--mpi", "--learning-rate", "1e30"), 1, "step 2: the loss is nan: the first layer"),
    ],
)
def test_command_line_says_once_what_is_wrong(tmp_path, options, status, says):
    if "--out" in options:
        (tmp_path / "config.json").write_text("{}")
    job = train(2, *options, "--quiet", folder=tmp_path)
    assert job.returncode == status
    assert len(re.findall(r"nnscratch.*: error: ", job.stderr)) == 1, job.stderr
    assert re.search(says, job.stderr)
    assert "Traceback" not in job.stderr and job.stdout == ""


def test_what_is_no_communicator_is_refused():
    model = nn.Linear(2, 1)
    with pytest.raises(ValueError, match="one of mpi4py, received int; pass MPI"):
        nn.Trainer(model, nn.MSELoss(), nn.SGD(model), communicator=3)
