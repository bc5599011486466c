"""What a run is computed on, and whether its threads wait for one another."""

import time

import pytest

from nnscratch.commands import machine
from tests.command_line import caller

QUICK = ["--epochs", "1", "--hidden", "8"]


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    return caller(capsys)


def test_threads_are_compared_by_the_sums_of_rounds_in_turn():
    quiet = [1.0, 1.1, 1.0, 1.2, 1.0, 1.1]
    one = [2.0] * 6
    assert machine.ratio_of_sums(quiet, one) < 1
    assert machine.ratio_of_sums([*quiet[1:], 500.0], one) < 1  # one hiccup
    assert machine.ratio_of_sums([*quiet[2:], 80.0, 500.0], one) > 5  # that is no hiccup


def test_comparing_threads_takes_no_time_to_speak_of_and_gives_one_for_one(monkeypatch):
    pytest.importorskip("threadpoolctl")
    monkeypatch.setattr(machine, "threads", lambda: 2)  # in tests it is one
    start = time.process_time()
    assert machine.slowdown() > 0
    assert time.process_time() - start < 2
    monkeypatch.setattr(machine, "threads", lambda: 1)
    assert machine.slowdown() == 1


def test_train_says_once_that_threads_wait_and_what_to_do(run, monkeypatch, tmp_path):
    monkeypatch.setattr(machine, "slowdown", lambda: 4.2)
    monkeypatch.setattr(machine, "threads", lambda: 2)
    _, _, err = run("train", *QUICK, "--out", tmp_path / "run")
    assert err.count("the cores are busy: products take 4.2 times as long on 2 threads") == 1
    assert "--threads 1 is faster" in err
    for told in (["--threads", "1"], ["--quiet"]):
        _, _, err = run("train", *QUICK, "--out", tmp_path / told[0], *told)
        assert "busy" not in err


def test_train_is_silent_where_threads_pay(run, monkeypatch, tmp_path):
    monkeypatch.setattr(machine, "slowdown", lambda: 0.6)
    assert "busy" not in run("train", *QUICK, "--out", tmp_path / "run")[2]
