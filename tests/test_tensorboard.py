"""What TensorBoard's own reader finds of a run."""

import sys

import numpy as np
import pytest

import nnscratch as nn
from tests.test_trainer_options import problem, trainer


def read(folder):
    """(curves by tag, as lists of (step, value); the reader)."""
    pytest.importorskip("tensorboardX")
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    reader = accumulator.EventAccumulator(str(folder)).Reload()
    return {
        tag: [(event.step, event.value) for event in reader.Scalars(tag)]
        for tag in reader.Tags()["scalars"]
    }, reader


def run(folder, epochs, resume=False, **options):
    x, y = problem()
    writer = nn.interop.tensorboard.Writer(folder / "board", **options)
    one = trainer(
        callbacks=[writer], checkpoint=folder / "run.npz", metrics={"f1": lambda p, t: 0.5}
    )
    if resume:
        one.resume()
    return one, one.fit(x, y, validation=0.2, epochs=epochs, batch_size=16, rng=0)


def assert_curve(found, first, values):
    assert [step for step, _ in found] == list(range(first, first + len(values)))
    np.testing.assert_allclose([value for _, value in found], values, rtol=1e-6)


def test_every_column_and_the_loss_of_every_step_are_read_back(tmp_path):
    pytest.importorskip("tensorboardX")
    one, history = run(tmp_path, 3, weights=True)
    curves, reader = read(tmp_path / "board")
    names = {
        "train_loss": "loss/train",
        "valid_loss": "loss/validation",
        "train_accuracy": "accuracy/train",
        "valid_accuracy": "accuracy/validation",
        "train_f1": "f1/train",
        "valid_f1": "f1/validation",
        "learning_rate": "run/learning_rate",
        "seconds": "run/seconds",
    }
    assert set(names) == set(history)
    assert set(curves) == {*names.values(), "loss/step"}
    for column, tag in names.items():
        assert_curve(curves[tag], 1, history[column])
    assert_curve(curves["loss/step"], 1, history.steps["loss"])
    assert reader.Tags()["histograms"] == [f"weights/{name}" for name in one.model.params]
    (text,) = reader.Tensors("model/text_summary")
    assert "Linear(6, 8)" in text.tensor_proto.string_val[0].decode()


def test_a_resumed_run_goes_on_in_the_same_folder(tmp_path):
    pytest.importorskip("tensorboardX")
    run(tmp_path, 2)
    _, history = run(tmp_path, 5, resume=True)
    curves, _ = read(tmp_path / "board")
    assert_curve(curves["loss/train"], 1, history["train_loss"])
    assert_curve(curves["loss/step"], 1, history.steps["loss"])


def test_a_missing_package_is_named_with_the_command_that_installs_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    monkeypatch.delitem(sys.modules, "nnscratch.interop.tensorboard", raising=False)
    monkeypatch.delattr(nn.interop, "tensorboard", raising=False)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'nnscratch\[tensorboard\]'"):
        nn.interop.tensorboard.Writer(tmp_path)
