"""`nnscratch datasets`, and training on the sets that it lists."""

import gzip
import sys

import numpy as np
import pytest

from nnscratch.checkpoint import read_arrays
from nnscratch.data import files
from nnscratch.data.catalogue import NAMES, SOURCES
from nnscratch.data.idx import save_idx
from tests.command_line import caller
from tests.test_datasets_cifar import ARCHIVE, BATCHES, pack


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Run a command in an empty folder, with an empty cache and nothing in the system."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(files, "SYSTEM", tmp_path / "system")
    return caller(capsys)


def idx_set(folder, train=60, test=20, seed=0):
    """Four files of the right form: an image of class k has a bright row 2 k."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(seed)
    for prefix, count in (("train", train), ("t10k", test)):
        labels = np.arange(count, dtype=np.uint8) % 10
        images = rng.integers(0, 50, (count, 28, 28), dtype=np.uint8)
        images[np.arange(count), 2 * labels] = 255
        save_idx(folder / f"{prefix}-images-idx3-ubyte.gz", images)
        save_idx(folder / f"{prefix}-labels-idx1-ubyte", labels)
    return folder


def test_the_list_has_every_set_with_size_licence_origin_and_state(run, tmp_path):
    idx_set(tmp_path / "cache" / "nnscratch" / "kmnist")
    status, out, err = run("datasets")
    assert (status, err) == (0, "")
    entries = dict(zip(NAMES, zip(*[iter(out.splitlines())] * 3, strict=True), strict=True))
    for source in SOURCES.values():
        assert entries[source.name][0].startswith(source.name)
        assert source.page in entries[source.name][1]
        assert source.licence in entries[source.name][1]
    assert "11.6 MB, licence CC BY-SA 3.0, http://yann" in entries["mnist"][1]
    assert entries["mnist"][2].strip() == "not here; nnscratch datasets mnist downloads it"
    assert entries["kmnist"][2].strip() == f"here, in {tmp_path}/cache/nnscratch/kmnist"
    assert entries["moons"][2].strip() == "always here"
    assert "no licence stated" in entries["cifar10"][1]


def test_a_set_that_is_here_is_described(run, tmp_path):
    idx_set(tmp_path / "data" / "mnist")
    status, out, _ = run("datasets", "mnist", "--root", "data")
    assert status == 0
    assert "10 classes: 0, 1, 2" in out
    assert out.splitlines()[-1] == "here, in data/mnist"


def test_a_wrong_name_is_one_line_with_the_right_one(run):
    status, out, err = run("datasets", "kminst")
    assert (status, out) == (2, "")
    assert err.count("\n") == 1
    assert "did you mean 'kmnist'?" in err


@pytest.mark.parametrize("name", ["mnist", "kmnist", "fashion-mnist"])
@pytest.mark.parametrize("model", ["mlp", "cnn"])
def test_every_idx_set_trains_and_evaluates(run, tmp_path, name, model):
    idx_set(tmp_path / "data" / name)
    options = ["--epochs", 6, "--batch-size", 10, "--quiet", "--out", "run"]
    options += ["--hidden", 16] if model == "mlp" else []
    status, trained, _ = run("train", "--data", name, "--root", "data", "--model", model, *options)
    assert status == 0
    if model == "mlp":
        assert trained == "test accuracy 1.0000\n"
    assert run("evaluate", "run")[1].endswith(trained)


def test_cifar10_trains_in_colour(run, tmp_path):
    pack(tmp_path / "data" / ARCHIVE, BATCHES)
    for model in ("mlp", "cnn"):
        command = ["train", "--data", "cifar10", "--root", "data", "--model", model, "--shift", 1]
        options = ["--epochs", 1, "--batch-size", 8, "--quiet", "--out", model]
        options += ["--hidden", 4] if model == "mlp" else []
        assert run(*command, *options)[0] == 0
    assert read_arrays("mlp/model.npz")["1.W"].shape == (4, 3072)
    status, out, _ = run("plot", "mlp", "--weights")
    assert (status, out) == (0, "wrote mlp/weights.png\n")


@pytest.mark.parametrize(("name", "least"), [("spirals", 0.97), ("moons", 0.93)])
def test_points_train_well_without_any_option(run, name, least):
    status, out, _ = run("train", "--data", name, "--quiet", "--out", "run")
    assert status == 0
    assert float(out.split()[-1]) >= least
    assert run("plot", "run", "--confusion")[0] == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--model", "cnn"], "--model cnn is for images, moons has none; leave it out"),
        (["--shift", "1"], "--shift is for images"),
        (["--flip"], "--flip is for images"),
    ],
)
def test_what_is_for_images_is_refused_for_points(run, tmp_path, options, message):
    status, _, err = run("train", "--data", "moons", "--out", "run", *options)
    assert status == 1
    assert err.count("\n") == 1
    assert message in err
    assert not (tmp_path / "run").exists()


def test_a_set_that_is_not_here_trains_nothing_and_makes_no_run(run, tmp_path):
    status, _, err = run("train", "--data", "mnist", "--root", "nowhere", "--out", "run")
    assert status == 1
    assert "mnist is not here; looked in nowhere/mnist (no such folder)" in err
    assert not (tmp_path / "run").exists()


def test_a_damaged_set_is_one_line(run, tmp_path):
    folder = idx_set(tmp_path / "data" / "mnist")
    path = folder / "t10k-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-100])
    status, _, err = run("train", "--data", "mnist", "--root", "data", "--out", "run")
    assert status == 1
    assert "t10k-images-idx3-ubyte.gz" in err
    path.write_bytes(gzip.compress(b"<html>"))
    assert "this is no IDX file" in run("train", "--data", "mnist", "--root", "data")[2]


def test_nothing_heavy_is_loaded_to_list_and_to_help(run):
    import subprocess

    for command in (["datasets"], ["predict", "--help"], ["plot", "--help"], ["train", "--help"]):
        code = "import sys, atexit; from nnscratch.cli import main;"
        code += "atexit.register(lambda: print(*sys.modules)); main(sys.argv[1:])"
        done = subprocess.run(
            [sys.executable, "-c", code, *command], capture_output=True, text=True, check=True
        )
        loaded = set(done.stdout.splitlines()[-1].split())
        assert (
            not {"scipy", "matplotlib", "tqdm", "ssl", "tarfile", "pooch", "requests", "PIL"}
            & loaded
        )
