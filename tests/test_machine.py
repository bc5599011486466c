"""What a run is computed on, whether threads wait for one another, and whose a folder is."""

import json
import multiprocessing
import os
import time
import warnings

import numpy as np
import pytest

import nnscratch as nn
from nnscratch import machine
from nnscratch.checkpoint import read_arrays
from nnscratch.commands import slowdown
from nnscratch.commands.run_folder import claim_folder
from nnscratch.commands.settings import Config
from tests.command_line import caller

QUICK = ["--epochs", "1", "--hidden", "8"]


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    return caller(capsys)


def test_threads_are_compared_by_the_sums_of_rounds_in_turn():
    quiet = [1.0, 1.1, 1.0, 1.2, 1.0, 1.1]
    one = [2.0] * 6
    assert slowdown.ratio_of_sums(quiet, one) < 1
    assert slowdown.ratio_of_sums([*quiet[1:], 500.0], one) < 1  # one hiccup
    assert slowdown.ratio_of_sums([*quiet[2:], 80.0, 500.0], one) > 5  # that is no hiccup


def test_comparing_threads_takes_no_time_to_speak_of_and_gives_one_for_one(monkeypatch):
    pytest.importorskip("threadpoolctl")
    monkeypatch.setattr(slowdown, "threads", lambda: 2)  # in tests it is one
    start = time.process_time()
    assert slowdown.slowdown() > 0
    assert time.process_time() - start < 2
    monkeypatch.setattr(slowdown, "threads", lambda: 1)
    assert slowdown.slowdown() == 1


def test_train_says_once_that_threads_wait_and_what_to_do(run, monkeypatch, tmp_path):
    monkeypatch.setattr(slowdown, "slowdown", lambda: 4.2)
    monkeypatch.setattr(machine, "threads", lambda: 2)
    _, _, err = run("train", *QUICK, "--out", tmp_path / "run")
    assert err.count("the cores are busy: products take 4.2 times as long on 2 threads") == 1
    assert "--threads 1 is faster" in err
    for told in (["--threads", "1"], ["--quiet"]):
        _, _, err = run("train", *QUICK, "--out", tmp_path / told[0], *told)
        assert "busy" not in err


def test_train_is_silent_where_threads_pay(run, monkeypatch, tmp_path):
    monkeypatch.setattr(slowdown, "slowdown", lambda: 0.6)
    assert "busy" not in run("train", *QUICK, "--out", tmp_path / "run")[2]


# What is recorded, and what is said where it is something else --------------------------------


def test_a_run_and_its_checkpoint_say_on_what_they_were_computed(run, tmp_path):
    threadpoolctl = pytest.importorskip("threadpoolctl")
    run("train", *QUICK, "--out", tmp_path / "run")
    settings = json.loads((tmp_path / "run" / "config.json").read_text())
    blas = next(of for of in threadpoolctl.threadpool_info() if of["user_api"] == "blas")
    assert settings["products"] == f"{blas['internal_api']} {blas['architecture']}"
    assert settings["threads"] == blas["num_threads"]
    assert machine.vectors() in settings["processor"]
    facts = json.loads(str(read_arrays(tmp_path / "run" / "checkpoint.npz")["run"]))
    assert facts["computed_on"] == [machine.order_of_sums(1)]
    assert facts["computed_on"][0]["threads"] == str(blas["num_threads"])


def train(epochs, folder, resume=False, **options):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(60, 4)), np.arange(60) % 3
    model = nn.mlp([4, 5, 3], rng=0)
    loss, optimizer = nn.SoftmaxCrossEntropy(), nn.SGD(model)
    trainer = nn.Trainer(model, loss, optimizer, checkpoint=folder / "run.npz", **options)
    if resume:
        trainer.resume()
    trainer.fit(x, y, epochs=epochs, rng=0)


def places(folder):
    return json.loads(str(read_arrays(folder / "run.npz")["run"]))["computed_on"]


def test_who_resumes_elsewhere_hears_once_what_is_other_there(tmp_path, monkeypatch, capsys):
    train(1, tmp_path)
    train(2, tmp_path, resume=True)
    assert "other sums" not in capsys.readouterr().err
    here = machine.order_of_sums(1)
    other = here | {"products": "openblas Zen", "threads": "64"}
    monkeypatch.setattr("nnscratch.training.elsewhere.order_of_sums", lambda _: other)
    train(3, tmp_path, resume=True)
    said = capsys.readouterr().err
    told = f"threads {here['threads']} then, 64 now), and need not end bit for bit"
    assert said.count("the run goes on with other sums") == said.count(told) == 1
    assert places(tmp_path) == [here, other]
    train(4, tmp_path, resume=True)
    assert "other sums" not in capsys.readouterr().err
    monkeypatch.undo()
    train(5, tmp_path, resume=True, progress=False)
    assert capsys.readouterr().err == ""
    assert places(tmp_path) == [here, other, here]


def test_what_is_not_known_is_no_difference():
    there = machine.order_of_sums(1)
    assert machine.differences(there | {"products": machine.UNKNOWN}, there) == []
    assert machine.differences({}, there) == []


# Folders ----------------------------------------------------------------------------------------


def claim(meet, out, told):
    """One of many that claim a folder at once."""
    try:
        meet.wait(60)
        told.put(str(claim_folder(out, Config(seed=os.getpid()))))
    except Exception as error:
        told.put(f"{type(error).__name__}: {error}")


def claimed_at_once(out, many=20):
    fork = multiprocessing.get_context("fork")
    meet, told = fork.Barrier(many), fork.Queue()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
        started = [fork.Process(target=claim, args=(meet, out, told)) for _ in range(many)]
        for process in started:
            process.start()
    answers = [told.get(timeout=60) for _ in started]
    for process in started:
        process.join()
    return answers


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked")
def test_of_twenty_that_claim_one_name_one_wins(run, tmp_path):
    answers = claimed_at_once("one")
    assert answers.count("one") == 1
    assert sum("one already holds a run" in answer for answer in answers) == 19
    assert Config.read("one").seed > 0
    assert [path.name for path in (tmp_path / "one").iterdir()] == ["config.json"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked")
def test_twenty_that_ask_for_no_name_have_a_folder_each(run, tmp_path):
    (tmp_path / "runs" / "digits-mlp-1").mkdir(parents=True)  # killed before its settings were
    (tmp_path / "runs" / "digits-mlp-2").mkdir()
    (tmp_path / "runs" / "digits-mlp-2" / "mine.txt").touch()
    answers = claimed_at_once(None)
    assert {answer.rpartition("-")[0] for answer in answers} == {"runs/digits-mlp"}
    assert len(set(answers)) == 20
    assert {Config.read(folder).seed for folder in answers} == {
        json.loads((tmp_path / folder / "config.json").read_text())["seed"] for folder in answers
    }
    assert len({Config.read(folder).seed for folder in answers}) == 20
    assert "runs/digits-mlp-1" in answers and "runs/digits-mlp-2" not in answers


def test_an_empty_config_that_an_older_version_left_is_explained(run, tmp_path):
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "config.json").touch()
    for asked in (["--out", "old"], ["--resume", "old"]):
        status, _, err = run("train", *(QUICK if "--out" in asked else []), *asked)
        assert (status, err.count("\n")) == (1, 1)
        assert "config.json is empty, of a run that was killed as it began; remove the file" in err
