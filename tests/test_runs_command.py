"""Tables of runs, sweeps over settings, and the page that shows a run."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from html.parser import HTMLParser

import numpy as np
import pytest

import nnscratch as nn
from nnscratch import compiled
from nnscratch.commands.run_folder import Summary, kept_epoch, read_results, summary_of
from nnscratch.commands.settings import Config
from nnscratch.commands.sweep_jobs import alone_in
from nnscratch.commands.training_run import Run
from tests.command_line import caller

QUICK = ["--hidden", "16", "--epochs", "2", "--batch-size", "64"]


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    return caller(capsys)


def column(table, name):
    """The cells of a column whose cells have no blanks, by position from the right or left."""
    header, *lines = table.splitlines()
    place = header.split().index(name) - len(header.split())
    return [line.split()[place] for line in lines]


# --- results and what is recorded ---


def test_a_finished_run_has_its_results_and_on_what_it_was_computed(run, tmp_path):
    status, out, _ = run("train", *QUICK, "--out", "one")
    assert status == 0
    results = json.loads((tmp_path / "one" / "results.json").read_text())
    assert set(results) == {"test_accuracy", "test_loss", "epochs", "seconds"}
    assert out.splitlines()[-1] == f"test accuracy {results['test_accuracy']:.4f}"
    history = nn.History.from_csv(tmp_path / "one" / "history.csv")
    assert results["epochs"] == len(history) == 2
    assert results["seconds"] == pytest.approx(sum(history["seconds"]))
    job = Run(Config.read(tmp_path / "one"))
    job.restore(tmp_path / "one")
    assert job.test() == (results["test_loss"], results["test_accuracy"])
    config = json.loads((tmp_path / "one" / "config.json").read_text())
    assert config["versions"]["numpy"] == np.__version__
    assert config["versions"]["nnscratch"] == nn.__version__
    assert config["threads"] >= 1
    assert config["processor"]
    assert config["kernels"] == compiled.kernels()


@pytest.mark.parametrize(
    "content", ["", "{}", "[1]", '{"test_accuracy": "x"}', "[" * 100_000, "nan"]
)
def test_results_that_are_none_are_named(tmp_path, content):
    assert read_results(tmp_path) is None
    (tmp_path / "results.json").write_text(content)
    with pytest.raises(ValueError, match=r"results\.json is not the results of a run"):
        read_results(tmp_path)


def test_early_stopping_keeps_the_weights_of_the_lowest_validation_loss(run, tmp_path):
    options = ["--early-stopping", 2, "--epochs", 200, "--seed", 1, "--learning-rate", 0.2]
    run("train", *QUICK, *options, "--quiet", "--out", "one")
    history = nn.History.from_csv(tmp_path / "one" / "history.csv")
    best = int(np.argmin(history["valid_loss"]))
    assert len(history) == best + 3 < 200
    config = Config.read(tmp_path / "one")
    assert kept_epoch(history, config) == best
    assert summary_of(tmp_path / "one").valid_accuracy == history["valid_accuracy"][best]
    assert read_results(tmp_path / "one").epochs == len(history)


def test_clip_norm_reaches_the_trainer(run):
    wild = ["--learning-rate", 1e30, "--epochs", 1, "--quiet"]
    assert run("train", *QUICK, *wild, "--clip-norm", 1e-30, "--out", "a")[0] == 0
    status, _, err = run("train", *QUICK, *wild, "--out", "b")
    assert (status, "the loss is" in err) == (1, True)


@pytest.mark.parametrize(
    ("rate", "words"),
    [
        ("1", "most likely too large: lower --learning-rate (1 now) or add --clip-norm 1"),
        ("1e-9", "most likely too small or too few: raise --learning-rate (1e-09 now)"),
    ],
)
def test_a_run_whose_loss_became_constant_failed_and_says_why(run, rate, words):
    status, out, err = run("train", "--quiet", "--epochs", 8, "--learning-rate", rate)
    assert (status, err.count("\n")) == (1, 1)
    assert err.startswith("nnscratch: the loss became constant, 2.")
    assert "no better than guessing: to say 1 always is right for 0.1028" in err
    assert words in err
    assert out.startswith("test accuracy 0.")


def test_a_run_whose_gradients_vanish_failed_and_says_so(run):
    layers = ["Flatten()", "Linear(64, 32)", *["Sigmoid()", "Linear(32, 32)"] * 12]
    text = f"Sequential({', '.join(layers)}, Sigmoid(), Linear(32, 10))"
    status, _, err = run("train", "--model", text, "--quiet", "--epochs", 4)
    assert (status, err.count("\n")) == (1, 1)
    assert err.startswith("nnscratch: the loss became constant, 2.3")
    assert "The gradients vanish on the way back to the first layer: take fewer layers" in err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--dropout", 0.95], "Little is left of what is dropped: lower --dropout (0.95 now)"),
        (["--hidden", 1, 1, 1], "A layer of 1 is narrow for 10 classes: widen --hidden"),
        (["--clip-norm", 1e-9], "raise --learning-rate (0.02 now), --clip-norm (1e-09 now) or"),
        (["--weight-decay", 1], "The weights have decayed to nearly 0: lower --weight-decay (1 no"),
    ],
)
def test_a_setting_that_lets_nothing_be_learned_is_named(run, options, words):
    _, _, err = run("train", "--quiet", "--epochs", 8, *options)
    assert err.count("\n") == 1
    assert words in err


def test_a_run_that_learns_says_nothing(run):
    assert run("train", "--quiet", "--epochs", 3)[2] == ""


# --- resuming ---


def test_resuming_to_fewer_epochs_is_refused_and_changes_nothing(run, tmp_path):
    run("train", *QUICK, "--epochs", 3, "--out", "one")
    before = {path.name: path.read_bytes() for path in (tmp_path / "one").iterdir()}
    status, _, err = run("train", "--resume", "one", "--epochs", 2)
    assert (status, err.count("\n")) == (1, 1)
    assert "the run in one has 3 epochs; --epochs 2 would take some away" in err
    assert {path.name: path.read_bytes() for path in (tmp_path / "one").iterdir()} == before


@pytest.mark.parametrize("schedule", ["cosine", "step"])
def test_a_planned_schedule_is_not_stretched(run, tmp_path, schedule):
    run("train", *QUICK, "--schedule", schedule, "--out", "one")
    before = (tmp_path / "one" / "config.json").read_bytes()
    status, _, err = run("train", "--resume", "one", "--epochs", 4)
    assert status == 2
    assert f"the {schedule} schedule was planned for 2 epochs" in err
    assert (tmp_path / "one" / "config.json").read_bytes() == before


def test_what_a_killed_run_left_half_written_is_removed(run, tmp_path):
    run("train", *QUICK, "--out", "one")
    (tmp_path / "one" / ".0123456789abcdef.tmp").write_bytes(b"half")
    (tmp_path / "one" / ".mine.tmp").write_bytes(b"kept")
    run("train", "--resume", "one", "--epochs", 3)
    assert {path.name for path in (tmp_path / "one").glob(".*")} == {".mine.tmp"}


# --- runs ---


def test_epochs_stand_twice_in_the_table_only_where_a_run_ended_before_its_last(run):
    for epochs in (2, 3):
        run("train", *QUICK, "--epochs", epochs)
    head = run("runs")[1].splitlines()[0].split()
    assert head.count("epochs") == 1 and "learning_rate" not in head
    run("train", *QUICK, "--epochs", 50, "--early-stopping", 1, "--learning-rate", 3)
    assert run("runs")[1].splitlines()[0].split().count("epochs") == 2


def test_runs_are_in_the_order_of_their_validation_with_what_differs(run, tmp_path):
    for rate in (0.0001, 0.1, 0.01):
        run("train", *QUICK, "--learning-rate", rate)
    (tmp_path / "runs" / "digits-mlp-2" / "results.json").unlink()
    status, out, err = run("runs")
    assert (status, err) == (0, "")
    assert column(out, "learning_rate") == ["0.01", "0.0001", "0.1"]
    assert "not finished" in out.splitlines()[-1]
    assert "momentum" not in out
    valid = [float(cell) for cell in column(out, "valid")[:2]]
    assert valid[0] > valid[1]
    assert column(run("runs", "--where", "learning-rate=0.1")[1], "epochs") == ["-"]
    status, _, err = run("runs", "--where", "optimizer=lion")
    assert (status, err.count("\n")) == (1, 1) and "no run has optimizer=lion; there is " in err


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["runs"], 1, "there is no folder runs; nnscratch train makes runs/"),
        (["runs", "."], 1, "there is no run in ."),
        (["runs", ".", "--where", "epochs"], 2, "--where expects NAME=VALUE"),
        (["runs", ".", "--where", "epoch=3"], 2, "(did you mean epochs?)"),
        (["runs", ".", "--where", "epochs=3"], 1, "there is no run in ."),
        (["report", "nowhere"], 1, "nowhere holds no run"),
        (["sweep", "--learning-rate", "-1"], 2, "expected a positive number"),
        (["sweep", "--hidden", "3,x"], 2, "expected a whole number of at least 1"),
        (["sweep", "--model", "cnn", "--hidden", "3"], 2, "--hidden does nothing for cnn"),
        (["sweep", "--flip", "maybe"], 2, "expected yes or no"),
    ],
)
def test_mistakes_are_one_line(run, arguments, status, message):
    found, out, err = run(*arguments)
    assert (found, out, err.count("\n")) == (status, "", 1)
    assert message in err


def test_a_run_that_cannot_be_read_is_named_beside_the_others(run, tmp_path):
    run("train", *QUICK)
    (tmp_path / "runs" / "odd").mkdir()
    (tmp_path / "runs" / "odd" / "config.json").write_text('{"\x1b[31m": 1}')
    status, out, err = run("runs")
    assert status == 1
    assert len(out.splitlines()) == 2
    assert "odd/config.json is not the settings of a run" in err
    assert "\x1b" not in err


def test_runs_without_a_measure_stand_last(tmp_path):
    def line(valid):
        return Summary(tmp_path, Config(), valid, None)

    assert line(0.9).order == line(float("nan")).order


def test_curves_of_different_data_say_so(run):
    run("train", *QUICK, "--out", "a")
    run("train", "--data", "moons", *QUICK, "--out", "b")
    status, _, err = run("plot", "a", "b")
    assert status == 0
    assert err == "nnscratch: these runs are on different data (digits, moons)\n"


# --- sweep ---


GRID = ["--learning-rate", "0.01", "0.1", "--hidden", "8,8", "16", "--epochs", "2"]


def test_a_sweep_trains_each_combination_once(run, tmp_path):
    status, out, _ = run("sweep", *GRID)
    assert status == 0
    folders = sorted(path for path in (tmp_path / "sweep").iterdir() if path.is_dir())
    found = {(c.learning_rate, c.hidden) for c in map(Config.read, folders)}
    assert found == {(rate, hidden) for rate in (0.01, 0.1) for hidden in ((8, 8), (16,))}
    valid = [float(cell) for cell in column(out.rpartition("saved")[0].strip(), "valid")]
    assert valid == sorted(valid, reverse=True)
    assert (tmp_path / "sweep" / "sweep.png").read_bytes().startswith(b"\x89PNG")
    times = {folder: (folder / "model.npz").stat().st_mtime_ns for folder in folders}
    status, again, err = run("sweep", *GRID)
    assert (status, again) == (0, out)
    assert "4 of 4 runs are finished" in err
    assert {f: (f / "model.npz").stat().st_mtime_ns for f in folders} == times


def test_a_combination_that_is_given_twice_is_trained_once(run, tmp_path):
    status, out, _ = run("sweep", "--seed", 3, 3, "--hidden", "8", "8", "--epochs", 1)
    assert (status, out.count("digits: mlp 8")) == (0, 1)
    assert "1 runs" in out


def test_a_sweeps_run_is_the_run_that_train_gives(run, tmp_path):
    run("sweep", "--seed", 3, 4, "--hidden", "16", "--epochs", 2, "--batch-size", 64, "-j", 2)
    run("train", *QUICK, "--seed", 3, "--out", "one")
    (folder,) = (tmp_path / "sweep").glob("seed=3_*")
    one, other = Run(Config.read("one")).model, Run(Config.read(folder)).model
    nn.load(one, "one/model.npz")
    nn.load(other, folder / "model.npz")
    for name, array in one.params.items():
        np.testing.assert_array_equal(array, other.params[name])


def test_failed_runs_are_listed_with_their_reason_and_tried_again(run, tmp_path):
    command = ["sweep", "--learning-rate", "1e30", "0.1", "--hidden", "8", "--epochs", 2]
    for _ in range(2):
        status, out, err = run(*command)
        assert status == 1
        assert "1 runs" in out
        assert re.search(r"learning-rate=1e\+30_\w+ failed: epoch 1, step \d", err)


def test_only_some_combinations_are_drawn_and_always_the_same(run, tmp_path):
    for _ in range(2):
        run("sweep", *GRID, "--seed", 0, 1, 2, "--draw", 3)
    assert len([path for path in (tmp_path / "sweep").iterdir() if path.is_dir()]) == 3


SWEEP = [sys.executable, "-m", "nnscratch", "sweep", "--epochs", "15", "--hidden", "32"]
SWEEP += ["--seed", "0", "1", "--learning-rate", "0.02", "0.05"]


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    """The folder of a sweep that nothing has disturbed."""
    folder = tmp_path_factory.mktemp("unbroken")
    subprocess.run(SWEEP, cwd=folder, check=True, capture_output=True)
    return folder


def ended(group):
    """Wait until the processes of a group have ended by themselves."""
    end = time.monotonic() + 20
    while time.monotonic() < end:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize(
    ("end", "jobs"), [(signal.SIGINT, 2), (signal.SIGKILL, 1), (signal.SIGKILL, 2)]
)
def test_a_sweep_that_was_ended_goes_on_where_it_was(tmp_path, unbroken, end, jobs):
    command = [*SWEEP, "-j", str(jobs)]
    process = subprocess.Popen(
        command, cwd=tmp_path, start_new_session=True, stderr=subprocess.PIPE, text=True
    )
    limit = time.monotonic() + 60
    while not list(tmp_path.glob("sweep/*/results.json")):
        assert time.monotonic() < limit
        time.sleep(0.01)
    if end == signal.SIGINT:  # as a terminal sends it: to all of them
        os.killpg(process.pid, end)
    else:
        process.send_signal(end)
    _, said = process.communicate(timeout=60)
    assert ended(process.pid)  # the processes of a killed sweep do not train on
    finished = {path: path.stat().st_mtime_ns for path in tmp_path.glob("sweep/*/results.json")}
    assert 1 <= len(finished) < 4
    if end == signal.SIGINT:
        assert process.returncode == 1
        assert said == (
            f"nnscratch: interrupted; {len(finished)} of 4 runs are finished, the same command "
            "goes on\n"
        )
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.count("digits: mlp") == 4
    assert f"{len(finished)} of 4 runs are finished" in done.stderr
    assert all(path.stat().st_mtime_ns == when for path, when in finished.items())
    for folder in (unbroken / "sweep").glob("*/"):
        whole = nn.load_model(folder / "model.npz").params
        found = nn.load_model(tmp_path / "sweep" / folder.name / "model.npz").params
        for name, array in whole.items():
            np.testing.assert_array_equal(found[name], array)


def test_a_run_that_was_killed_while_it_was_begun_is_begun_again(run, tmp_path):
    command = ["sweep", "--seed", 0, *QUICK]
    assert run(*command)[0] == 0
    (folder,) = (tmp_path / "sweep").glob("*/")
    for path in folder.iterdir():
        path.unlink()
    (folder / "config.json").touch()
    status, out, _ = run(*command)
    assert status == 0 and "1 runs" in out


def test_a_second_sweep_in_the_same_folder_is_refused(run, tmp_path):
    (tmp_path / "sweep").mkdir()
    with alone_in(tmp_path / "sweep"):
        status, out, err = run("sweep", "--seed", 0, 1, *QUICK)
    assert (status, out, err.count("\n")) == (1, "", 1)
    assert "another sweep is at work in sweep; wait for it, or choose another --out" in err
    assert run("sweep", "--seed", 0, *QUICK)[0] == 0


def test_sweep_needs_its_extra(run, monkeypatch):
    monkeypatch.setitem(sys.modules, "joblib", None)
    status, _, err = run("sweep", "--seed", 0, 1, "--epochs", 1)
    assert (status, err.count("\n")) == (1, 1)
    assert "pip install 'nnscratch[sweep]'" in err


# --- report ---


class Page(HTMLParser):
    """What a page would load, and whether its elements are closed."""

    def __init__(self, text):
        super().__init__()
        self.loaded, self.open, self.headings = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.loaded += [v for k, v in attrs if k in ("src", "href") and not v.startswith("data:")]
        if tag not in ("img", "meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] == "h2":
            self.headings.append(data)


@pytest.mark.parametrize(
    ("options", "sections"),
    [
        (["--model", "mlp"], ["Confusion", "Surest mistakes", "What the first layer looks for"]),
        (["--model", "cnn", "--epochs", 1], ["Surest mistakes", "What the first layer looks for"]),
        (["--data", "spirals"], ["Confusion", "What it says of every place of the plane"]),
    ],
)
def test_a_report_is_one_page_that_loads_nothing(run, tmp_path, options, sections):
    run("train", "--epochs", 2, "--quiet", *options, "--out", "one")
    status, out, err = run("report", "one")
    assert (status, out, err) == (0, "wrote one/report.html\n", "")
    page = Page((tmp_path / "one" / "report.html").read_text("utf-8"))
    assert (page.loaded, page.open) == ([], [])
    assert {"Curves", "Classes", "Settings", "Model", "Epochs", *sections} <= set(page.headings)


def test_a_report_escapes_what_a_stranger_named(run, tmp_path):
    rng = np.random.default_rng(0)
    names = np.array(["<script>alert(1)</script>", "b\x1b[31m"])
    x, y = rng.normal(size=(40, 3)), np.arange(40) % 2
    np.savez(tmp_path / "<b>.npz", x=x, y=y, class_names=names)
    run("train", "--data", "<b>.npz", "--epochs", 1, "--quiet", "--out", "one")
    assert run("report", "one")[0] == 0
    text = (tmp_path / "one" / "report.html").read_text("utf-8")
    assert "<script>" not in text
    assert "<b>.npz" not in text
    assert "\x1b" not in text


def test_a_run_that_ended_before_its_first_epoch_says_so(run):
    assert run("train", "--learning-rate", 1e30, *QUICK, "--out", "r", "--quiet")[0] == 1
    commands = [("evaluate",), ("report",), ("plot",), ("plot", "--weights"), ("export", "m.npz")]
    for command, *rest in commands:
        status, out, err = run(command, "r", *rest)
        assert (status, out, err.count("\n")) == (1, "", 1)
        assert "the run in r has no " in err and "no epoch of it was finished" in err


def test_a_report_shows_the_test_beside_the_curves(run, tmp_path):
    run("train", *QUICK, "--out", "r", "--quiet")
    assert run("report", "r")[0] == 0
    page = (tmp_path / "r" / "report.html").read_text()
    assert page.count('<div class="fit"><img') >= 2
    assert page.index('alt="loss"') < page.index('alt="accuracy"')


def test_a_report_of_a_run_that_was_interrupted(run, tmp_path):
    run("train", *QUICK, "--out", "one")
    (tmp_path / "one" / "results.json").unlink()
    assert run("report", "one", "--out", "page.html")[0] == 0
    assert "Not finished: 2 of 2 epochs." in (tmp_path / "page.html").read_text("utf-8")
