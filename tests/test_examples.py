"""Every example runs as a module in an empty folder, tells what it found and draws its picture."""

import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

import nnscratch.examples

# As a user runs them where that takes seconds; else `main` with less to do
WHOLE = ["recitation_mlp", "overfit_ten_samples", "spirals", "regression", "train_mlp"]
WHOLE += ["decay_without_biases", "tied_autoencoder", "transfer"]
SMALL = {
    "addition": {"epochs": 1, "samples": 600},
    "autoencoder": {"epochs": 10},
    "batchnorm_effect": {"steps": 100},
    "char_rnn": {"epochs": 2},
    "compare_optimizers": {"epochs": 2, "seeds": 2},
    "ctc_digits": {"epochs": 1, "count": 100},
    "digits_by_rows": {"epochs": 3},
    "fashion_mnist": {"epochs": 1, "samples": 2000},
    "lenet": {"epochs": 1, "samples": 1000},
    "tiny_transformer": {"epochs": 1},
    "truncated_backpropagation": {"epochs": 2},
}
FASHION = Path("/usr/share/datasets/fashion-mnist")


def run(arguments, folder):
    done = subprocess.run(
        [sys.executable, "-W", "error", *arguments], cwd=folder, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def drawn(output, folder):
    """What the output says was drawn, found to be pictures and all that there is."""
    said = [name for names in re.findall(r"drawn: (.*)", output) for name in names.split(", ")]
    assert sorted(said) == sorted(path.name for path in folder.iterdir())
    for name in said:
        assert (folder / name).read_bytes().startswith(b"\x89PNG")
    return said


def test_every_example_is_run_here():
    folder = Path(nnscratch.examples.__file__).parent
    there = {path.stem for path in folder.glob("*.py")} - {"__init__"}
    assert there == {*WHOLE, *SMALL}


@pytest.mark.parametrize("name", WHOLE)
def test_an_example_runs_as_a_module(name, tmp_path):
    output = run(["-m", f"nnscratch.examples.{name}"], tmp_path)
    assert output
    assert drawn(output, tmp_path) or name in ("recitation_mlp", "train_mlp")


@pytest.mark.parametrize("name", SMALL)
def test_a_longer_example_runs_with_less_to_do(name, tmp_path):
    if name in ("fashion_mnist", "lenet") and not FASHION.exists():
        pytest.skip("fashion-mnist is not installed")
    code = f"from nnscratch.examples import {name}; {name}.main(**{SMALL[name]})"
    assert drawn(run(["-c", code], tmp_path), tmp_path)


@pytest.mark.parametrize("name", [*WHOLE, *SMALL])
def test_an_example_fits_on_a_screen_and_says_how_to_run_it(name):
    module = importlib.import_module(f"nnscratch.examples.{name}")
    source = Path(module.__file__).read_text("utf-8")
    if name not in ("recitation_mlp",):
        assert len(source.splitlines()) <= 75
    if name not in ("recitation_mlp", "train_mlp"):
        assert f"python -m nnscratch.examples.{name}  " in module.__doc__


def test_a_right_net_overfits_ten_samples_and_the_broken_ones_do_not(tmp_path, monkeypatch):
    from nnscratch.examples import overfit_ten_samples

    monkeypatch.chdir(tmp_path)
    last = overfit_ten_samples.main()
    assert last["right"] < 0.01
    assert min(last["relu behind the logits"], last["starts at zero"]) > 1


def test_the_net_parts_the_spirals_and_the_linear_classifier_does_not(tmp_path, monkeypatch):
    from nnscratch.examples import spirals

    monkeypatch.chdir(tmp_path)
    found = spirals.main()
    assert found["net"] > 0.95 and found["linear"] < 0.65


def test_the_regression_comes_closer_to_the_sine_than_its_samples(tmp_path, monkeypatch):
    from nnscratch.examples import regression

    monkeypatch.chdir(tmp_path)
    assert regression.main() < regression.NOISE / 3


def test_a_frozen_body_serves_the_new_digits_and_forgets_none_of_the_old(tmp_path, monkeypatch):
    from nnscratch.examples import transfer

    monkeypatch.chdir(tmp_path)
    found = transfer.main()
    new, old = found["a frozen body, a new head"]
    assert new > 0.95 and old > 0.97
    assert found["the body learns on"][1] < old
    assert found["a body drawn anew"][1] < 0.5


def test_a_matrix_used_twice_takes_half_the_weights(tmp_path, monkeypatch):
    from nnscratch.examples import tied_autoencoder

    monkeypatch.chdir(tmp_path)
    found = tied_autoencoder.main()
    (few, error), (many, least) = found["tied"], found["two matrices"]
    assert many - few == 64 * tied_autoencoder.CODE
    assert error < 1.25 * least


def test_decay_that_spares_the_biases_is_ridge_regression(tmp_path, monkeypatch):
    from nnscratch.examples import decay_without_biases

    monkeypatch.chdir(tmp_path)
    found = decay_without_biases.main()
    assert found["apart"] < 1e-10
    assert found["biases spared"] < 0.75 < 1 < found["no decay"] < found["decay of everything"]
