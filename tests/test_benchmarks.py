"""The benchmarks compare like with like: every contestant trains a few steps to the same loss."""

import gzip
import importlib.util
import io
import json
import os
import shutil
import struct
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from nnscratch import compiled
from tests.benchmarks import nets, predictions, time_to_accuracy
from tests.benchmarks.__main__ import Contest
from tests.benchmarks.contestants import CONTESTANTS, ours
from tests.benchmarks.contestants.products import matrices_of
from tests.benchmarks.disturbance import Disturbance
from tests.benchmarks.growth import SIZES, case_of, powers, row
from tests.benchmarks.measuring import Runner
from tests.benchmarks.nets import Case, Net
from tests.benchmarks.table import show
from tests.benchmarks.threads import VARIABLES, limited_threads

ROOT = Path(__file__).parents[1]
VECTORS = nets.mlp("vectors", 20, 16, 12, 10)
IMAGES = Net(
    "images",
    (2, 13, 13),
    (
        ("conv", 2, 3, 4, 0),
        ("relu",),
        ("pool",),
        ("conv", 3, 4, 3, 1),
        ("relu",),
        ("flatten",),
        ("linear", 100, 10),
    ),
)
SEQUENCES = [Net(kind, (7, 6), ((kind, 6, 9), ("last",), ("linear", 9, 10))) for kind in nets.GATES]
COMPUTING = [name for name in CONTESTANTS if name not in ("nnscratch", "its products alone")]


def need(package):
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"needs {package}")


@pytest.fixture
def start():
    """Start Runners that end with the test."""
    runners = []

    def one(name):
        need(CONTESTANTS[name].package)
        runners.append(Runner(name))
        return runners[-1]

    yield one
    for runner in runners:
        runner.close()


def loss_here(case, samples, epochs):
    train = ours.nnscratch(case, *nets.data(case), nets.weights(case.net))
    return train(samples, epochs)


@pytest.mark.parametrize("name", COMPUTING)
def test_a_contestant_trains_to_the_loss_of_ours(name, start):
    slow = name in ("torch.compile", "tinygrad")  # compiling takes a while
    if name == "torch.compile" and not any(map(shutil.which, ("g++", "clang++"))):
        pytest.skip("needs a C++ compiler")
    if name == "tinygrad" and not shutil.which("clang"):
        pytest.skip("needs clang")
    runner = start(name)
    cases = [
        Case(net, 32, rule, samples=96)
        for net in (VECTORS, IMAGES, *SEQUENCES)
        for rule in ("sgd", "adam")
    ]
    cases = [case for case in cases if CONTESTANTS[name].takes(case.net)]
    for case in cases[:1] if slow else cases:
        # scikit-learn has orders of its own, and Adam's epsilon in another place
        samples, tolerance = (32, 2e-3) if name == "scikit-learn" else (96, 2e-5)
        runner.load(case)
        loss = runner.train(samples, 3)
        assert loss == pytest.approx(loss_here(case, samples, 3), rel=tolerance), case.name
        assert loss < loss_here(case, samples, 1), case.name


def test_a_second_call_goes_on_with_the_weights_of_the_first():
    case = Case(VECTORS, 32, samples=96)
    for make in (ours.nnscratch, CONTESTANTS["plain NumPy"].make):
        train = make(case, *nets.data(case), nets.weights(case.net))
        losses = [train(96, 1) for _ in range(3)]
        assert losses[0] > losses[1] > losses[2]


def multiplications(net, batch_size):
    return [out.size * a.shape[-1] for a, _, out in matrices_of(net, batch_size)]


def test_the_products_of_an_mlp_are_those_of_three_passes_but_the_first_dx():
    first, second, third = (32 * i * o for i, o in ((784, 256), (256, 128), (128, 10)))
    expected = [first, second, third, third, third, second, second, first]
    assert multiplications(nets.MLP, 32) == expected


def test_the_products_of_a_convolution_look_at_every_window_and_at_no_zeros_of_dx():
    first = (10 * 10 * 5) * 3 * (4 * 4 * 2)  # windows of 5 samples, kernels, weights of one
    second = (5 * 5 * 5) * 4 * (3 * 3 * 3)
    third = 5 * 100 * 10
    windows_of_rows = (2, 3, 3, 3, 2)  # rows of windows that each row of x is in
    dx = [(5 * 5) * 4 * (3 * 3) * rows for rows in windows_of_rows]
    expected = [first, second, third, third, third, second, *dx, first]
    assert multiplications(IMAGES, 5) == expected


def test_memory_orders_of_the_products_are_those_of_ours():
    model = ours.model_of(nets.MLP, nets.weights(nets.MLP))
    _, W, _ = matrices_of(nets.MLP, 32)[0]
    assert W.strides == model[0].params["W"].T.strides


def test_a_contestant_that_is_missing_or_fails_is_named_and_the_others_go_on(monkeypatch):
    broken = Net("broken", (5,), (("linear", 6, 10),))
    absent = CONTESTANTS["jax.jit"].__class__(ours.nnscratch, "no_such_package")
    monkeypatch.setitem(CONTESTANTS, "absent", absent)
    case = Case(broken, 8, torch=0.5, samples=32)
    with Contest(["absent", "nnscratch", "its products alone"]) as contest:
        figures, _ = contest.measure(case, 1, 0.3)
    assert figures["absent"] == "missing: no_such_package is not installed"
    assert figures["nnscratch"].startswith("failed: ValueError: Linear(6, 10) expected")
    assert len(figures["its products alone"]["steps"]) == 1
    out = io.StringIO()
    show(case, figures, out)
    assert "absent                  missing: no_such_package is not installed" in out.getvalue()


def test_the_table_has_medians_ratios_of_the_same_round_and_targets():
    case = Case(nets.LENET, 64, torch=0.6)
    figures = {
        "nnscratch": {"steps": [0.004, 0.003, 0.002], "megabytes": 19.6},
        "nnscratch, workers=2": {"steps": [0.002, 0.002, 0.001], "megabytes": None},
        "torch": {"steps": [0.005, 0.004, 0.001], "megabytes": 40.0},
    }
    out = io.StringIO()
    show(case, figures, out)
    lines = [" ".join(line.split()) for line in out.getvalue().splitlines()]
    assert lines[1:] == [
        "conv 8@5x5, pool, conv 16@5x5, pool, linear 10, batch 64, SGD with momentum",
        "a step memory nnscratch / nnscratch, workers=2 /",
        "nnscratch 3.000 ms 20 MB 0.50 (0.50 to 0.67)",
        "nnscratch, workers=2 2.000 ms - 2.00 (1.50 to 2.00)",
        "torch 4.000 ms 40 MB 0.80 (0.75 to 2.00) 0.50 (0.40 to 1.00) target 0.6: reached",
    ]


def test_the_command_prints_a_table_and_writes_the_figures_behind_it(tmp_path):
    file = tmp_path / "figures.json"
    command = [sys.executable, "-m", "tests.benchmarks", "mlp-32-sgd", "--rounds", "2"]
    command += ["--seconds", "0.3", "--only", "nnscratch", "--json", str(file)]
    command += ["--threads", "1", "--processor-time", "--append", str(tmp_path / "history.jsonl")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "784-256-128-10, batch 32, SGD with momentum" in done.stdout
    figures = json.loads(file.read_text())
    steps = figures["cases"]["mlp-32-sgd"]["contestants"]["nnscratch"]["steps"]
    assert len(steps) == 2 and 1e-5 < min(steps) <= max(steps) < 1
    assert figures["numpy"] == np.__version__
    line = json.loads((tmp_path / "history.jsonl").read_text())
    assert line["ratios"] == {"mlp-32-sgd": {"nnscratch": [1.0, None]}}
    assert line["clock"] == "processor" and line["loops"] == compiled.kernels()


@pytest.mark.parametrize("arguments", [["resnet"], ["--only", "tensorflow"]])
def test_an_unknown_name_is_answered_with_those_that_there_are(arguments):
    command = [sys.executable, "-m", "tests.benchmarks", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert arguments[-1] in done.stderr and "there are" in done.stderr
    assert "Traceback" not in done.stderr


def test_growth_has_a_case_for_every_size():
    for what, sizes in SIZES.items():
        if what == "time":  # no net of those that contestants read
            continue
        cases = [case_of(what, size) for size in sizes]
        assert len({(case.net, case.batch_size) for case in cases}) == len(sizes)
    assert nets.describe(case_of("depth", 3).net) == "784-128-128-128-10"
    assert nets.describe(case_of("width", 64).net) == "784-64-64-10"


def test_predictions_of_both_are_equal():
    need("torch")
    logits, times, _ = predictions.measure(["nnscratch", "torch"], (784,), 1, 0.05)
    assert logits["nnscratch"] == pytest.approx(logits["torch"], rel=1e-5, abs=1e-5)
    assert [len(taken) for taken in times.values()] == [1, 1]


@pytest.fixture(scope="module")
def easy_fashion(tmp_path_factory):
    """Files like those of Fashion-MNIST, with ten kinds of stripes that are easy to tell apart."""
    folder = tmp_path_factory.mktemp("fashion")
    rng = np.random.default_rng(0)
    for part, samples in (("train", 3000), ("t10k", 500)):
        labels = rng.integers(0, 10, samples).astype(np.uint8)
        images = rng.integers(0, 100, (samples, 28, 28)).astype(np.uint8)
        for image, label in zip(images, labels, strict=True):
            image[2 * label + 4 : 2 * label + 6] += 150
        for kind, array in (("images-idx3", images), ("labels-idx1", labels)):
            header = struct.pack(f">I{array.ndim}I", 0x800 + array.ndim, *array.shape)
            file = folder / f"{part}-{kind}-ubyte.gz"
            file.write_bytes(gzip.compress(header + array.tobytes(), 1))
    return str(folder)


@pytest.mark.parametrize(
    ("name", "net"),
    [(name, net) for name, one in time_to_accuracy.CONTESTANTS.items() for net in one[2]],
)
def test_a_script_trains_until_the_accuracy_is_reached(name, net, easy_fashion):
    script, package, _, further = time_to_accuracy.CONTESTANTS[name]
    need(package)
    arguments = (net, easy_fashion, "0", *further)
    seconds, megabytes, accuracies = time_to_accuracy.run(script, arguments, forks=bool(further))
    assert max(accuracies[:-1], default=0) < 0.88 <= accuracies[-1]
    assert seconds > 0 and 20 < megabytes < 10_000


def test_a_script_that_fails_says_why(tmp_path):
    with pytest.raises(RuntimeError, match=r"FileNotFoundError: .*fashion-mnist"):
        time_to_accuracy.run("with_nnscratch.py", ("mlp", str(tmp_path), "0"))


@pytest.mark.skipif(not Path("/proc/stat").exists(), reason="needs Linux")
def test_other_processes_are_noticed():
    busy = [sys.executable, "-c", "while True: pass"]
    with subprocess.Popen(busy) as process:
        try:
            alone, disturbed = Disturbance([process.pid]), Disturbance([])
            time.sleep(1.0)
            mine, theirs = alone.share(), disturbed.share()
        finally:
            process.kill()
    assert theirs > mine  # by what the process took, be the machine busy or not
    assert theirs <= 1.05


def test_threads_are_limited_for_what_is_started_and_not_after():
    before = dict(os.environ)
    with limited_threads():
        assert {os.environ[name] for name in VARIABLES} == {"2"}
    assert dict(os.environ) == before


def test_growth_is_told_as_powers():
    times = {n: {"nnscratch": [1e-3 * n] * 3, "torch": [2e-3 * n**2] * 3} for n in (1, 2, 4, 8)}
    first = " ".join(row(1, {1: times[1]}).split())
    assert first == "1 nnscratch 1.000 ms torch 2.000 ms 0.50 (0.50 to 0.50)"
    last = " ".join(row(8, times).split())
    assert last == "8 nnscratch 8.000 ms 1.00 torch 128.000 ms 2.00 0.06 (0.06 to 0.06)"
    assert powers(times) == "power of the upper half: nnscratch 1.00, torch 2.00"


def test_single_layers_are_compared_on_one_thread():
    need("torch")
    command = [sys.executable, "-m", "tests.benchmarks.layers", "LayerNorm, rows", "--rounds", "1"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "1 threads each" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("LayerNorm, rows")
