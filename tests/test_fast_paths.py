"""What training does for speed changes no result.

The fast way writes gradients into the optimizer's vector, leaves out the first layer's dx, updates
in blocks of one long vector, and takes memory that the step before has freed. The plain way makes
new arrays for everything and updates them one by one.
"""

import numpy as np
import pytest

import nnscratch as nn
from nnscratch.training import trainer

MOMENTUM, LEARNING_RATE = 0.9, 0.05


def mlp():
    return nn.mlp([36, 70, 11, 5], rng=0), (60, 36)


def convolutional():
    layers = [
        nn.Conv2d(1, 4, 3, padding="same", bias=False, rng=0),
        nn.BatchNorm(4),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(4, 7, 2, stride=2, rng=1),
        nn.Tanh(),
        nn.AvgPool2d(2, stride=1, padding=1),
        nn.Flatten(),
        nn.Linear(7 * 4 * 5, 5, rng=2),
    ]
    return nn.Sequential(*layers), (60, 1, 12, 16)


def large_kernels():
    """By spectra."""
    layers = [nn.Conv2d(3, 8, 15, padding="same", rng=0), nn.ReLU(), nn.GlobalAvgPool()]
    return nn.Sequential(*layers, nn.Linear(8, 5, rng=1)), (60, 3, 20, 24)


nets = pytest.mark.parametrize("build", [mlp, convolutional, large_kernels])


def samples(shape):
    rng = np.random.default_rng(1)
    return rng.normal(size=shape).astype(np.float32), rng.integers(0, 5, shape[0])


def trained(build, epochs=2):
    """Weights, running statistics and losses after `Trainer.fit`."""
    model, shape = build()
    x, y = samples(shape)
    optimizer = nn.SGD(model, LEARNING_RATE, momentum=MOMENTUM)
    fit = nn.Trainer(model, nn.SoftmaxCrossEntropy(), optimizer, progress=False).fit
    history = fit(x, y, epochs=epochs, batch_size=17, rng=3)
    return model.params.copy(), model.buffers.copy(), history["train_loss"]


def agree(fast, plain):
    """To 1e-5 of the largest element of each array, in float32."""
    assert fast.keys() == plain.keys()
    for name, array in fast.items():
        limit = 1e-5 * np.abs(plain[name]).max()
        np.testing.assert_allclose(array, plain[name], rtol=0, atol=limit, err_msg=name)


@nets
def test_training_agrees_with_the_plain_formulas(build):
    model, shape = build()
    x, y = samples(shape)
    loss, rng = nn.SoftmaxCrossEntropy(), np.random.default_rng(3)
    velocity = {name: np.zeros_like(w) for name, w in model.params.items()}
    for _ in range(2):
        for x_batch, y_batch in nn.minibatches(x, y, 17, rng):
            loss.forward(model.forward(x_batch), y_batch)
            dx, grads = model.backward(loss.backward())
            assert dx.shape == x_batch.shape
            for name, w in model.params.items():
                velocity[name] = MOMENTUM * velocity[name] + grads[name]
                model.params[name] = w - LEARNING_RATE * velocity[name]
    weights, statistics, _ = trained(build)
    agree(weights, model.params)
    agree(statistics, model.buffers)


@nets
def test_results_do_not_depend_on_what_freed_memory_holds(build, monkeypatch):
    """An array that is not set holds what the step before left there; here it is NaN."""
    expected = trained(build)

    def poisoned(make):
        def filled(*arguments, **options):
            array = make(*arguments, **options)
            if array.dtype.kind == "f":
                array.fill(np.nan)
            return array

        return filled

    monkeypatch.setattr(np, "empty", poisoned(np.empty))
    monkeypatch.setattr(np, "empty_like", poisoned(np.empty_like))
    np.testing.assert_equal(trained(build), expected)


@nets
def test_results_do_not_depend_on_freed_memory_staying(build, monkeypatch):
    expected = trained(build)
    monkeypatch.setattr(trainer, "keep_freed_memory", lambda: False)
    np.testing.assert_equal(trained(build), expected)


@nets
def test_gradients_are_the_same_in_new_arrays_and_in_given_ones(build):
    model, shape = build()
    x, y = samples(shape)
    loss = nn.SoftmaxCrossEntropy()
    prediction, cache = model.forward_pass(x)
    dy = loss.backward_pass(1.0, loss.forward_pass(prediction, y)[1])
    _, fresh = model.backprop(dy, cache)
    out = {name: np.full_like(w, np.nan) for name, w in model.params.items()}
    dx, given = model.backprop(dy, cache, out, need_dx=False)
    assert dx is None
    linear = [str(i) for i, layer in enumerate(model) if isinstance(layer, nn.Linear)]
    assert all(given[name] is out[name] for name in out if name.split(".")[0] in linear)
    agree(given, fresh)  # to rounding: they may lie in memory in another order
