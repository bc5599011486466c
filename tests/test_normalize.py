"""Normalize: mean and spread of the training data, which the model carries with it."""

import numpy as np
import pytest

import nnscratch as nn
from nnscratch.data import Images


def problem(samples=300, seed=0):
    """Rows whose features differ in size by powers of ten, and three classes."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(samples, 6))
    y = (x @ rng.normal(size=(6, 3))).argmax(1)
    return x * 10.0 ** np.arange(-2, 4) + 5.0 ** np.arange(6), y


def model_for(rng=0):
    return nn.Sequential(nn.Normalize(6), *nn.mlp([6, 16, 3], rng=rng)[1:])


def trained(x, y, **options):
    model = model_for()
    trainer = nn.Trainer(model, nn.SoftmaxCrossEntropy(), nn.Adam(model, 0.01), progress=False)
    return trainer, trainer.fit(x, y, epochs=20, batch_size=32, rng=0, **options)


@pytest.mark.parametrize(
    ("axis", "shape"), [(1, (50, 3)), (1, (50, 3, 4, 5)), (-1, (50, 7, 3)), (2, (50, 7, 3, 2))]
)
def test_the_fitted_data_have_mean_0_and_deviation_1_per_feature(axis, shape):
    x = 3 * np.random.default_rng(0).normal(size=shape) + 7
    layer = nn.Normalize(3, axis).fit(x)
    y = layer.astype("f8").fit(x).forward(x)
    others = tuple(i for i in range(x.ndim) if i != axis % x.ndim)
    np.testing.assert_allclose(y.mean(others), 0, atol=1e-12)
    np.testing.assert_allclose(y.std(others), 1, rtol=1e-12)


def test_statistics_are_those_of_all_data_at_once_far_from_zero_too():
    x = 1e6 + np.random.default_rng(0).normal(size=(5000, 4))  # looked at in five parts
    layer = nn.Normalize(4).astype("f8").fit(x)
    np.testing.assert_allclose(layer.buffers["mean"], x.mean(0), rtol=1e-14)
    np.testing.assert_allclose(layer.buffers["std"], x.std(0), rtol=1e-9)


def test_a_feature_that_never_changes_becomes_zero():
    x = np.random.default_rng(0).normal(size=(50, 3))
    x[:, 1] = 0.1
    y = nn.Normalize(3).fit(x).forward(x)
    np.testing.assert_allclose(y[:, 1], 0, atol=1e-7)
    assert np.isfinite(y).all()


def test_images_kept_as_bytes_are_fitted():
    pixels = np.random.default_rng(0).integers(0, 256, (2000, 3, 4, 4), np.uint8)
    layer = nn.Normalize(3).fit(Images(pixels))
    expected = (pixels / 255).mean((0, 2, 3))
    np.testing.assert_allclose(layer.buffers["mean"], expected, rtol=1e-5)


def test_the_trainer_fits_it_to_what_it_trains_on_alone():
    x, y = problem()
    trainer, history = trained(x, y, validation=(1000 * x, y))
    buffers = trainer.model.buffers
    np.testing.assert_allclose(buffers["0.mean"], x.mean(0), rtol=1e-5)
    np.testing.assert_allclose(buffers["0.std"], x.std(0), rtol=1e-5)
    assert history["train_accuracy"][-1] > 0.9


def test_what_is_fitted_stays():
    x, y = problem()
    trainer, _ = trained(x, y)
    before = trainer.model.buffers.copy()
    trainer.fit(x + 100, y, epochs=1)
    for name, array in before.items():
        np.testing.assert_array_equal(trainer.model.buffers[name], array)
    assert trainer.model[0].fit(x + 100).buffers["mean"][0] != before["0.mean"][0]


@pytest.mark.parametrize("kind", ["stacked", "beside"])
def test_several_are_fitted_each_to_what_reaches_it(kind):
    x, y = problem()
    if kind == "stacked":
        model = nn.Sequential(nn.Normalize(6), nn.Exp(), nn.Normalize(6), nn.Linear(6, 3, rng=0))
        data = x
    else:
        u, v = nn.Input("u"), nn.Input("v")
        halves = nn.Normalize(2)(u, name="left"), nn.Normalize(4)(v, name="right")
        joined = nn.Concatenate(-1)(*halves, name="joined")
        model = nn.Graph([u, v], nn.Linear(6, 3, rng=0)(joined, name="out"))
        data = (x[:, :2], x[:, 2:])
    run = nn.Trainer(model, nn.SoftmaxCrossEntropy(), nn.SGD(model), progress=False)
    run.fit(data, y, epochs=1)
    if kind == "stacked":
        z = np.exp((x - x.mean(0)) / x.std(0))
        np.testing.assert_allclose(model.buffers["2.mean"], z.mean(0), rtol=1e-4)
    else:
        np.testing.assert_allclose(model.buffers["right.mean"], x[:, 2:].mean(0), rtol=1e-5)


def test_it_is_saved_with_the_model_and_loaded_without_the_script(tmp_path):
    x, y = problem()
    trainer, _ = trained(x, y)
    expected = nn.predict(trainer.model, x)
    for ending in ("npz", "safetensors"):
        if ending == "safetensors":
            pytest.importorskip("safetensors")
        path = tmp_path / f"model.{ending}"
        nn.save(trainer.model, path)
        model = nn.load_model(path)
        assert "Normalize(6)" in repr(model)
        np.testing.assert_array_equal(nn.predict(model, x), expected)
        loss, _ = nn.evaluate(model, nn.SoftmaxCrossEntropy(), x, y)
        assert loss == nn.evaluate(trainer.model, nn.SoftmaxCrossEntropy(), x, y)[0]


def test_a_resumed_run_has_the_statistics_of_the_checkpoint(tmp_path):
    x, y = problem()
    path = tmp_path / "run.npz"

    def run(epochs, resume=False):
        model = model_for()
        trainer = nn.Trainer(
            model, nn.SoftmaxCrossEntropy(), nn.Adam(model), progress=False, checkpoint=path
        )
        if resume:
            trainer.resume()
        trainer.fit(x, y, epochs=epochs, validation=0.2, rng=0)
        return model.params.copy() | model.buffers.copy()

    run(2)
    part = run(4, resume=True)
    for name, array in run(4).items():
        np.testing.assert_array_equal(array, part[name])


def test_text_builds_it_unfitted_and_it_says_so():
    model = nn.build("Sequential(Normalize(6), Linear(6, 3))")
    assert not model[0].fitted
    with pytest.raises(RuntimeError, match=r"Normalize\(6\) knows no mean and std yet; call fit"):
        model.forward(np.ones((2, 6)))
    assert repr(nn.Normalize(5, -1)) == "Normalize(5, axis=-1)"


def test_shapes_can_be_looked_at_before_it_is_fitted():
    model = model_for()
    assert "(7, 3)" in str(nn.summary(model, np.ones((7, 6), "f4")))
    assert not model[0].fitted


def test_a_run_of_the_command_line_keeps_it_in_its_folder(tmp_path, capsys):
    from nnscratch.cli import main

    text = "Sequential(Normalize(1), Flatten(), Linear(64, 10))"
    folder = tmp_path / "run"
    options = ["--model", text, "--epochs", "3", "--quiet", "--out", str(folder)]
    assert main(["train", *options]) == 0
    said = capsys.readouterr().out.splitlines()[-1]
    model = nn.load_model(folder / "model.npz")
    digits = nn.load_dataset("digits")
    assert model[0].buffers["mean"] == pytest.approx(digits.x_train.mean(), rel=0.02)
    right = nn.accuracy(nn.predict(model, digits.x_test), digits.y_test)
    assert said == f"test accuracy {right:.4f}"
    assert main(["evaluate", str(folder)]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == said
    with np.load(folder / "checkpoint.npz") as checkpoint:
        assert checkpoint["model/0.std"] == model[0].buffers["std"]


def test_onnx_computes_the_same(tmp_path):
    runtime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnx")
    x, y = problem()
    model = trained(x.astype("f4"), y)[0].model
    nn.interop.onnx.export(model, tmp_path / "model.onnx", x[:2].astype("f4"))
    session = runtime.InferenceSession(tmp_path / "model.onnx")
    (found,) = session.run(None, {session.get_inputs()[0].name: x.astype("f4")})
    np.testing.assert_allclose(found, nn.predict(model, x.astype("f4")), atol=1e-4)


def test_workers_may_share_its_batches():
    from nnscratch.training.ranks import refuse_whole_batches

    pytest.importorskip("threadpoolctl")
    refuse_whole_batches(model_for())
    x, y = problem()
    models = []
    for workers in (1, 2):
        model = model_for().astype("f8")
        nn.Trainer(
            model, nn.SoftmaxCrossEntropy(), nn.Adam(model), progress=False, workers=workers
        ).fit(x, y, epochs=2, batch_size=32, rng=0)
        models.append({**model.params, **model.buffers})
    for name, array in models[0].items():
        np.testing.assert_allclose(array, models[1][name], rtol=1e-9)


def test_data_that_are_not_finite_are_named_before_anything_is_fitted():
    x, y = problem()
    x[13, 2] = np.nan
    with pytest.raises(
        RuntimeError, match=r"before the first epoch .*from sample 0.* in sample 13"
    ):
        trained(x, y)
    layer = nn.Normalize(6)
    with pytest.raises(ValueError, match="NaN or infinity in feature 2"):
        layer.fit(x)
    assert not layer.fitted


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: nn.Normalize(0), "features of at least 1"),
        (lambda: nn.Normalize(3, axis=0), "not on axis 0"),
        (lambda: nn.Normalize(3).fit(np.ones((0, 3))), "expected samples to be fitted to"),
        (lambda: nn.Normalize(3).fit(7), r"pass one sample as a batch of one"),
        (lambda: nn.Normalize(3).fit(np.ones(3)), r"pass one sample as a batch of one"),
        (lambda: nn.Normalize(3).fit(np.ones((5, 4))), r"make it Normalize\(4\)"),
        (lambda: nn.Normalize(3).fit(np.ones((5, 7, 3))), r"make it Normalize\(3, axis=-1\)"),
        (lambda: nn.Normalize(3, axis=2).fit(np.ones((5, 3))), r"make it Normalize\(3\)"),
        (lambda: nn.Normalize(1).fit([["a"]]), "expected real numbers"),
    ],
)
def test_misuse_is_refused_with_a_remedy(call, message):
    with pytest.raises(ValueError, match=message):
        call()
