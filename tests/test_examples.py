"""Every example runs in an empty folder, once, tells what it found and draws its picture."""

import importlib
import io
import re
import subprocess
import sys
from contextlib import chdir, redirect_stdout
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

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
NAMES = [*WHOLE, *SMALL]
FASHION = Path("/usr/share/datasets/fashion-mnist")


class Run(NamedTuple):
    found: Any
    output: str
    folder: Path


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    @cache
    def run(name):
        if name in ("fashion_mnist", "lenet") and not FASHION.exists():
            pytest.skip("fashion-mnist is not installed")
        folder, output = tmp_path_factory.mktemp(name), io.StringIO()
        example = importlib.import_module(f"nnscratch.examples.{name}")
        with chdir(folder), redirect_stdout(output):
            found = example.main(**SMALL.get(name, {}))
        return Run(found, output.getvalue(), folder)

    return run


def test_every_example_is_run_here():
    folder = Path(nnscratch.examples.__file__).parent
    there = {path.stem for path in folder.glob("*.py")} - {"__init__"}
    assert there == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_an_example_draws_what_it_says_and_nothing_else(name, ran):
    _, output, folder = ran(name)
    said = [name for names in re.findall(r"drawn: (.*)", output) for name in names.split(", ")]
    assert sorted(said) == sorted(path.name for path in folder.iterdir())
    assert output and (said or name in ("recitation_mlp", "train_mlp"))
    for picture in said:
        assert picture.startswith(name)  # by which the documentation knows whose it is
        assert (folder / picture).read_bytes().startswith(b"\x89PNG")


def test_an_example_runs_as_a_module(tmp_path):
    command = [sys.executable, "-W", "error", "-m", "nnscratch.examples.regression"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["regression.png"]


@pytest.mark.parametrize("name", NAMES)
def test_an_example_fits_on_a_screen_and_says_how_to_run_it(name):
    module = importlib.import_module(f"nnscratch.examples.{name}")
    source = Path(module.__file__).read_text("utf-8")
    assert source.endswith('\n\nif __name__ == "__main__":\n    main()\n')
    if name not in ("recitation_mlp",):
        assert len(source.splitlines()) <= 75
    if name not in ("recitation_mlp", "train_mlp"):
        assert f"python -m nnscratch.examples.{name}  " in module.__doc__


def test_a_right_net_overfits_ten_samples_and_the_broken_ones_do_not(ran):
    last = ran("overfit_ten_samples").found
    assert last["right"] < 0.01
    assert min(last["relu behind the logits"], last["starts at zero"]) > 1


def test_the_net_parts_the_spirals_and_the_linear_classifier_does_not(ran):
    found = ran("spirals").found
    assert found["net"] > 0.95 and found["linear"] < 0.65


def test_the_regression_comes_closer_to_the_sine_than_its_samples(ran):
    from nnscratch.examples import regression

    assert ran("regression").found < regression.NOISE / 3


def test_a_frozen_body_serves_the_new_digits_and_forgets_none_of_the_old(ran):
    found = ran("transfer").found
    new, old = found["a frozen body, a new head"]
    assert new > 0.95 and old > 0.97
    assert found["the body learns on"][1] < old
    assert found["a body drawn anew"][1] < 0.5


def test_a_matrix_used_twice_takes_half_the_weights(ran):
    from nnscratch.examples import tied_autoencoder

    found = ran("tied_autoencoder").found
    (few, error), (many, least) = found["tied"], found["two matrices"]
    assert many - few == 64 * tied_autoencoder.CODE
    assert error < 1.25 * least


def test_decay_that_spares_the_biases_is_ridge_regression(ran):
    found = ran("decay_without_biases").found
    assert found["apart"] < 1e-10
    assert found["biases spared"] < 0.75 < 1 < found["no decay"] < found["decay of everything"]
