"""The command line as its user meets it: exit status, last line, messages of one line."""

import json
import os
import re
import signal
import subprocess
import sys

import numpy as np
import pytest

import nnscratch as nn
from nnscratch import compiled
from nnscratch.checkpoint import read_arrays
from nnscratch.commands.choices import ACTIVATIONS, OPTIMIZERS, SCHEDULES
from nnscratch.commands.settings import Config
from nnscratch.commands.training_run import Run
from tests.command_line import caller

QUICK = ["--hidden", "16", "--epochs", "2", "--batch-size", "64"]


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run(here, capsys):
    """Run a command in an empty folder: (exit status, standard output, standard error)."""
    return caller(capsys)


def one_line(text):
    return text.count("\n") == 1 and "Traceback" not in text


def test_train_without_options_learns_the_digits(run, here):
    status, out, err = run("train")
    assert status == 0
    assert re.fullmatch(r"test accuracy 0\.\d{4}", out.splitlines()[-1])
    assert float(out.split()[-1]) >= 0.97
    assert len(err.splitlines()) == 30
    folder = here / "runs" / "digits-mlp-1"
    names = ["checkpoint.npz", "config.json", "history.csv", "loss.png", "model.npz"]
    names.append("results.json")
    assert sorted(path.name for path in folder.iterdir()) == names
    assert (folder / "loss.png").read_bytes().startswith(b"\x89PNG")
    assert len(nn.History.from_csv(folder / "history.csv")) == 30


def test_the_version_is_printed(run):
    version = f"nnscratch {nn.__version__}, kernels: {compiled.kernels()}\n"
    assert run("--version") == (0, version, "")


def test_workers_are_a_number_or_found_by_trying(run, here):
    status, _, err = run("train", *QUICK, "--workers", "auto", "--out", "one")
    assert status == 0
    assert "workers: 1; " in err
    status, _, err = run("train", "--workers", "two")
    assert status == 2 and one_line(err.splitlines()[-1] + "\n")


def test_quiet_prints_the_last_line_alone(run):
    status, out, err = run("train", "--quiet", *QUICK)
    assert status == 0
    assert re.fullmatch(r"test accuracy \d\.\d{4}\n", out)
    assert err == ""


def test_evaluate_ends_with_the_line_of_train(run):
    _, trained, _ = run("train", *QUICK, "--out", "one")
    status, out, _ = run("evaluate", "one")
    assert status == 0
    assert out.splitlines()[-1] == trained.splitlines()[-1]


def test_the_same_seed_gives_the_same_model_bit_for_bit(run):
    for out in ("one", "two"):
        run("train", *QUICK, "--dropout", 0.2, "--seed", 3, "--out", out)
    run("train", *QUICK, "--dropout", 0.2, "--seed", 4, "--out", "three")
    one, two, three = (read_arrays(f"{out}/model.npz") for out in ("one", "two", "three"))
    for name in one:
        np.testing.assert_array_equal(one[name], two[name])
    assert not np.array_equal(one["1.W"], three["1.W"])


@pytest.mark.parametrize(
    "options",
    [
        *(["--activation", name] for name in ACTIVATIONS),
        *(["--optimizer", name] for name in OPTIMIZERS),
        *(["--schedule", name] for name in SCHEDULES),
        ["--momentum", "0.5"],
        ["--optimizer", "rmsprop", "--momentum", "0.5"],
        ["--weight-decay", "0.001"],
        ["--dropout", "0.2"],
        ["--validation", "0"],
        ["--learning-rate", "0.02"],
        ["--hidden", "8", "8", "8"],
    ],
    ids=" ".join,
)
def test_every_choice_trains(run, options):
    status, out, _ = run("train", "--quiet", *QUICK, *options)
    assert status == 0
    assert float(out.split()[-1]) > 0.15


def test_options_reach_the_run(run, here):
    options = ["--optimizer", "rmsprop", "--learning-rate", 0.005, "--momentum", 0.5]
    run("train", *QUICK, *options, "--weight-decay", 0.01, "--validation", 0.2, "--out", "one")
    config = Config.read("one")
    assert config.hidden == (16,)
    optimizer = Run(config)._optimizer()
    assert isinstance(optimizer, nn.RMSprop)
    assert (optimizer.learning_rate, optimizer.momentum, optimizer.weight_decay) == (
        0.005,
        0.5,
        0.01,
    )


def test_a_resumed_run_ends_like_an_unbroken_one(run):
    common = [*QUICK, "--dropout", 0.2]
    run("train", *common, "--epochs", 5, "--out", "whole")
    run("train", *common, "--epochs", 2, "--out", "part")
    status, _, err = run("train", "--resume", "part", "--epochs", 5)
    assert status == 0
    assert len(err.splitlines()) == 3
    whole, part = read_arrays("whole/model.npz"), read_arrays("part/model.npz")
    for name in whole:
        np.testing.assert_array_equal(whole[name], part[name])
    assert (
        nn.History.from_csv("part/history.csv")["valid_loss"]
        == nn.History.from_csv("whole/history.csv")["valid_loss"]
    )


def test_a_run_killed_before_its_first_checkpoint_starts_anew(run, here):
    run("train", *QUICK, "--out", "one")
    (here / "one" / "checkpoint.npz").unlink()
    status, _, err = run("train", "--resume", "one")
    assert status == 0
    assert err.startswith("epoch 1/2")


def test_a_finished_run_resumed_only_tests_again(run):
    _, first, _ = run("train", *QUICK, "--out", "one")
    status, again, err = run("train", "--resume", "one")
    assert status == 0
    assert err == "all 2 epochs of the run in one are done; --epochs asks for more\n"
    assert again.splitlines()[-1] == first.splitlines()[-1]


def test_a_run_is_never_overwritten(run, here):
    for _ in range(2):
        run("train", *QUICK)
    assert sorted(p.name for p in (here / "runs").iterdir()) == ["digits-mlp-1", "digits-mlp-2"]
    run("train", *QUICK, "--out", "one")
    before = (here / "one" / "model.npz").read_bytes()
    status, _, err = run("train", *QUICK, "--seed", 1, "--out", "one")
    assert status == 1
    assert one_line(err)
    assert "already holds a run; continue it with --resume one" in err
    assert (here / "one" / "model.npz").read_bytes() == before


def test_plot_draws_one_run_or_several(run, here):
    for name in ("one", "two"):
        run("train", *QUICK, "--out", name)
    (here / "one" / "loss.png").unlink()
    assert run("plot", "one")[0] == 0
    assert (here / "one" / "loss.png").exists()
    status, out, _ = run("plot", "one", "two", "--out", "both.png", "--log")
    assert (status, out) == (0, "wrote both.png\n")
    assert (here / "both.png").stat().st_size > 10_000


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "which command?"),
        (["trian"], "invalid choice: 'trian'"),
        (["trian"], "(did you mean train?)"),
        (["train", "--epoch-size", "3"], "unrecognized arguments: --epoch-size 3"),
        (["train", "--epochs", "0"], "expected a whole number of at least 1, received '0'"),
        (["train", "--epochs", "1.5"], "expected a whole number of at least 1"),
        (["train", "--learning-rate", "-1"], "expected a positive number"),
        (["train", "--learning-rate", "nan"], "expected a positive number"),
        (["train", "--dropout", "1.5"], "expected a share from 0 to below 1"),
        (["train", "--hidden", "0"], "expected a whole number of at least 1"),
        (["train", "--optimizer", "sdg"], "invalid choice: 'sdg'"),
        (
            ["train", "--optimizer", "adam", "--momentum", "0.5"],
            "--momentum does nothing for adam; it is for rmsprop and sgd",
        ),
        (["train", "--optimizer", "adam", "--momentum", "0"], "--momentum does nothing for adam"),
        (["train", "--model", "cnn", "--hidden", "64"], "--hidden does nothing for cnn"),
        (["train", "--model", "cnn", "--activation", "gelu"], "--activation does nothing for cnn"),
        (["train", "--lr", "0.1"], "--lr 0.1 (did you mean --learning-rate?); see nnscratch train"),
        (["homework"], "which command?; see nnscratch homework --help"),
        (["homework", "chekc"], "(did you mean check?); see nnscratch homework --help"),
        (
            ["homework", "check", "--sed", "3"],
            "(did you mean --seed?); see nnscratch homework check",
        ),
        (["evaluate", "x", "--quiet"], "unrecognized arguments: --quiet; see nnscratch evaluate"),
        (["train", "--epoch", "3"], "(did you mean --epochs?)"),
        (["train", "--data", "digit"], "(did you mean digits?)"),
        (["train", "--data", "no/folder"], "there is no file or folder no/folder"),
        (["train", "--optimizer", "adamm"], "(did you mean adam?)"),
        (["plot", "--wieghts", "x"], "(did you mean --weights?); see nnscratch plot --help"),
        (["train", "--resume", "x", "--hidden", "3"], "leave out --hidden"),
        (["train", "--resume", "x", "--out", "y"], "leave out --out"),
        (["evaluate"], "required: DIR"),
        (["plot"], "required: DIR"),
    ],
)
def test_wrong_usage_is_one_line_and_status_2(run, arguments, message):
    status, out, err = run(*arguments)
    assert (status, out) == (2, "")
    assert one_line(err)
    assert message in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "--data", "fashion-mnist", "--root", "nowhere"], "train-images-idx3-ubyte"),
        (["train", "--out", "a-file/run"], "a-file/run: Not a directory"),
        (["train", "--resume", "nowhere"], "nowhere holds no run"),
        (["evaluate", "nowhere"], "nowhere holds no run"),
        (["evaluate", "a-file"], "a-file holds no run"),
        (["plot", "nowhere"], "nowhere holds no run"),
        (["train", *QUICK, "--learning-rate", "1e30"], "clip the gradients (--clip-norm 1.0)"),
        (["train", "--validation", "0.9999"], "no sample"),
    ],
)
def test_a_failed_job_is_one_line_and_status_1(run, here, arguments, message):
    (here / "a-file").write_text("")
    status, _, err = run(*arguments)
    assert status == 1
    assert one_line(err)
    assert err.startswith("nnscratch: error: ")
    assert message in err


def test_a_damaged_or_foreign_run_folder_is_named(run, here):
    run("train", *QUICK, "--out", "one")
    (here / "one" / "model.npz").write_bytes(b"garbage")
    status, _, err = run("evaluate", "one")
    assert status == 1
    assert one_line(err)
    assert "model.npz is damaged" in err
    settings = json.loads((here / "one" / "config.json").read_text())
    settings["hidden"] = [17]
    (here / "one" / "config.json").write_text(json.dumps(settings))
    _, _, err = run("train", "--resume", "one")
    assert "does not fit the model" in err
    (here / "one" / "config.json").write_text('{"hidden": 3}')
    status, _, err = run("evaluate", "one")
    assert status == 1
    assert "config.json is not the settings of a run" in err


def test_threads_needs_its_extra(run, monkeypatch):
    monkeypatch.setitem(sys.modules, "threadpoolctl", None)
    status, _, err = run("train", *QUICK, "--threads", 1)
    assert status == 1
    assert "pip install 'nnscratch[fast]'" in err


def _train_until(prefix):
    """A long run in a process of its own that has just printed a line."""
    command = [sys.executable, "-m", "nnscratch", "train", "--epochs", "100000", "--out", "one"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    process = subprocess.Popen(command, text=True, **pipes)
    for line in process.stderr:
        if line.startswith(prefix):
            break
    return process


def test_ctrl_c_saves_what_is_finished_and_says_how_to_go_on(here):
    process = _train_until("epoch      3/")
    process.send_signal(signal.SIGINT)
    rest = process.communicate()[1]
    assert process.returncode == 1
    assert "Traceback" not in rest
    assert "go on with: nnscratch train --resume one" in rest
    history = nn.History.from_csv("one/history.csv")
    assert len(history) >= 3
    twin = Run(Config.read("one"))
    twin.restore("one")
    saved = read_arrays("one/checkpoint.npz")
    np.testing.assert_array_equal(twin.model.params["1.W"], saved["model/1.W"])


def test_a_killed_run_goes_on_from_its_last_finished_epoch(here):
    process = _train_until("epoch      5/")
    process.kill()
    process.communicate()
    done = len(read_arrays("one/checkpoint.npz")["history/train_loss"])
    assert done >= 4
    command = [sys.executable, "-m", "nnscratch", "train", "--resume", "one"]
    result = subprocess.run(
        [*command, "--epochs", str(done + 2)], capture_output=True, text=True, check=True
    )
    assert len(result.stderr.splitlines()) == 2
    assert result.stdout.splitlines()[-1].startswith("test accuracy 0.9")


def _python(*arguments):
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, check=True, env=os.environ
    )


def test_commands_that_compute_nothing_start_quickly():
    # no time is asserted: what makes a start slow is not imported
    code = "import sys; from nnscratch.cli import main; import atexit;"
    code += "atexit.register(lambda: print(*sys.modules)); main(['--help'])"
    loaded = _python("-c", code).stdout.split()
    assert not {"scipy", "matplotlib", "tqdm"} & set(loaded)


def test_the_example_trains():
    result = _python("-m", "nnscratch.examples.train_mlp")
    assert re.search(r"test accuracy 0\.9[5-9]\d\d\n$", result.stdout)
