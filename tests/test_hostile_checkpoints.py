"""Checkpoints that somebody else made: read whole, or refused with nothing changed."""

import json
import resource
import subprocess
import sys
import textwrap
import zipfile

import numpy as np
import pytest

import nnscratch as nn
from nnscratch.checkpoint import read_arrays, write_arrays


def make(schedule=False, **options):
    model = nn.Sequential(nn.Linear(6, 8, rng=0), nn.Dropout(0.5, rng=1), nn.Linear(8, 3, rng=2))
    optimizer = nn.SGD(model, 0.1, momentum=0.9)
    made = nn.CosineDecay(optimizer, 40) if schedule else None
    return nn.Trainer(model, nn.SoftmaxCrossEntropy(), optimizer, made, progress=False, **options)


def problem():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 6)).astype(np.float32)
    return x, (x @ rng.normal(size=(6, 3))).argmax(1)


@pytest.fixture
def written(tmp_path):
    path = tmp_path / "checkpoint.npz"
    options = {"checkpoint": path, "early_stopping": 5, "checkpoint_every": 3}
    make(schedule=True, **options).fit(*problem(), 0.2, epochs=2, batch_size=16, rng=0)
    return path


def facts_of(path):
    arrays = read_arrays(path)
    return json.loads(str(arrays.pop("run"))), arrays


def rewrite(path, facts, arrays):
    write_arrays(path, {**arrays, "run": np.array(json.dumps(facts))})


def everything(trainer):
    slots = {f"v/{k}": v.copy() for k, v in trainer.optimizer.slots["velocity"].items()}
    numbers = [trainer.optimizer.steps, trainer.optimizer.learning_rate]
    numbers += [trainer.schedule.steps_taken, str(trainer.model[1].rng.bit_generator.state)]
    return trainer.model.params.copy() | slots, numbers


def refused(path, match=r"not the checkpoint of this run|does not fit|damaged|other settings"):
    trainer = make(schedule=True)
    arrays, numbers = everything(trainer)
    with pytest.raises(ValueError, match=match) as error:
        trainer.resume(path)
    assert str(error.value).isprintable()
    after, now = everything(trainer)
    assert numbers == now
    for name, array in arrays.items():
        np.testing.assert_array_equal(array, after[name], err_msg=name)


WRONG = [None, "text\x1b[31m", -1, 1e400, 2.5, True, [], [1], {}, {"a": 1}, [[1, 2]], 10**30]
KEYS = ["rng", "layer_rngs", "best", "split", "begun", "progress", "schedule", "made_with"]
KEYS += ["computed_on"]


@pytest.mark.parametrize("key", KEYS)
def test_facts_of_any_other_kind_are_refused_and_change_nothing(written, key):
    facts, arrays = facts_of(written)
    for wrong in WRONG:
        allowed = key in ("split", "begun") and wrong is None
        allowed |= key == "computed_on" and wrong == []
        if not allowed:
            rewrite(written, facts | {key: wrong}, arrays)
            refused(written)
    del facts[key]
    rewrite(written, facts, arrays)
    if key == "computed_on":  # which older ones do not say
        assert make(schedule=True).resume(written) == 2
    else:
        refused(written)


@pytest.mark.parametrize("place", ["best", "progress"])
def test_each_entry_of_a_fact_is_looked_at(written, place):
    facts, arrays = facts_of(written)
    for i in range(len(facts[place])):
        for wrong in ("text", [1], {"a": 1}, -1.5 if i else float("nan")):
            entries = [wrong if j == i else entry for j, entry in enumerate(facts[place])]
            rewrite(written, facts | {place: entries}, arrays)
            refused(written)


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("model/0.W", np.zeros((8, 7), np.float32)),
        ("model/9.W", np.zeros((8, 6), np.float32)),
        ("optimizer/velocity/0.W", np.zeros((8, 6), complex)),
        ("best/0.W", np.zeros((9, 6), np.float32)),
        ("best/unknown", np.zeros(3)),
        ("history/train_loss", np.zeros((2, 2))),
        ("history/train_loss", np.zeros(3)),
        ("history/anything", np.zeros(2)),
        ("steps/loss", np.array(["a", "b"])),
        ("elsewhere", np.zeros(3)),
        ("run", np.zeros(3)),
        ("run", np.array("[" * 100_000)),
        ("run", np.array("[]")),
        ("run", np.array("{}")),
    ],
)
def test_arrays_that_do_not_belong_there_are_refused_and_change_nothing(written, name, array):
    write_arrays(written, {**read_arrays(written), name: array})
    refused(written, match=None)


def test_what_would_unpack_far_beyond_the_file_is_not_unpacked(written, tmp_path):
    arrays = read_arrays(written)
    bomb = tmp_path / "bomb.npz"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w") as member:
                np.lib.format.write_array(member, np.asarray(array), allow_pickle=False)
        with archive.open("steps/more.npy", "w", force_zip64=True) as member:
            header = {"descr": "<f8", "fortran_order": False, "shape": (1 << 27,)}
            np.lib.format.write_array_header_1_0(member, header)
            for _ in range(1 << 10):
                member.write(bytes(1 << 20))
    code = f"""
        import resource
        from tests.test_hostile_checkpoints import make
        trainer = make(schedule=True)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        try:
            trainer.resume({str(bomb)!r})
        except ValueError as error:
            print(error)
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
    """
    command = [sys.executable, "-c", textwrap.dedent(code)]
    limit = lambda: resource.setrlimit(resource.RLIMIT_CPU, (20, 20))  # noqa: E731
    told = subprocess.run(command, capture_output=True, text=True, check=True, preexec_fn=limit)
    message, kilobytes = told.stdout.splitlines()
    assert "unpacks to more than the file" in message
    assert int(kilobytes) < 50_000
