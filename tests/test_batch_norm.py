"""BatchNorm by hand, its running statistics, modes and files."""

import copy
import itertools

import numpy as np
import pytest

import nnscratch as nn
from nnscratch.layers.normalization.batch_norm import BatchNorm
from nnscratch.layers.normalization.group_norm import GroupNorm, InstanceNorm
from nnscratch.layers.normalization.layer_norm import LayerNorm, RMSNorm
from tests import numeric
from tests.normalization_cases import drawn, layers_for, passes_of

# BatchNorm -----------------------------------------------------------------------------------


def test_values_by_hand():
    layer = BatchNorm(1, momentum=0.5, epsilon=0.0).astype("f8")
    layer.params["gamma"], layer.params["beta"] = [10], [1]
    # mean 4, biased variance (9 + 1 + 16) / 3 = 26/3, unbiased 13
    y = layer.forward([[1.0], [3.0], [8.0]])
    np.testing.assert_allclose(y[:, 0], 1 + 10 * np.array([-3, -1, 4]) / (26 / 3) ** 0.5, rtol=1e-6)
    np.testing.assert_allclose(layer.buffers["running_mean"], [0.5 * 0 + 0.5 * 4])
    np.testing.assert_allclose(layer.buffers["running_var"], [0.5 * 1 + 0.5 * 13])
    np.testing.assert_allclose(
        layer.eval().forward([[2.0]]), [[1]], rtol=1e-6
    )  # at the running mean


def test_a_uniform_dy_moves_nothing_in_training():
    layer = drawn(BatchNorm(5), np.random.default_rng(0))
    x = np.random.default_rng(1).normal(size=(7, 5, 3))
    layer.forward(x)
    numeric.close(layer.backward(np.ones(x.shape))[0], np.zeros(x.shape), 1e-13)
    numeric.close(layer.backward(layer.forward(x))[0], np.zeros(x.shape), 1e-4)  # dy along xhat
    layer.eval().forward(x)
    assert np.abs(layer.backward(np.ones(x.shape))[0]).min() > 0.01


def test_without_momentum_the_running_statistics_are_means_over_the_batches():
    rng = np.random.default_rng(0)
    layer = BatchNorm(3, momentum=None).astype("f8")
    batches = [rng.normal(i, 1 + i, (4 + i, 3)) for i in range(5)]
    for i, batch in enumerate(batches, 1):
        layer.forward(batch)
        assert int(layer.buffers["batches"]) == i
        means = np.mean([b.mean(0) for b in batches[:i]], axis=0)
        variances = np.mean([b.var(0, ddof=1) for b in batches[:i]], axis=0)
        np.testing.assert_allclose(layer.buffers["running_mean"], means)
        np.testing.assert_allclose(layer.buffers["running_var"], variances)
    assert set(BatchNorm(3).buffers) == {"running_mean", "running_var"}


@pytest.mark.parametrize("momentum", [0.3, None])
def test_the_variance_that_is_kept_is_the_unbiased_one_unless_told(momentum):
    rng = np.random.default_rng(0)
    batches = [rng.normal(2, 3, (n, 3, 4)) for n in (5, 2, 7)]
    for unbiased in (True, False):
        layer = BatchNorm(3, momentum, unbiased=unbiased).astype("f8")
        expected = np.ones(3)
        for i, x in enumerate(batches, 1):
            layer.forward(x)
            variance = x.var((0, 2), ddof=int(unbiased))
            expected += (momentum or 1 / i) * (variance - expected)
        numeric.close(layer.buffers["running_var"], expected, 1e-13)


def test_float16_is_computed_in_float32():
    rng = np.random.default_rng(0)
    x = rng.normal(200, 300, (64, 6, 5)).astype("f2")  # whose squares overflow
    layers = [BatchNorm(6), GroupNorm(2, 6), InstanceNorm(6), LayerNorm((6, 5)), RMSNorm(5)]
    for layer in [*layers, BatchNorm(6, affine=False), BatchNorm(6).eval()]:
        dy = rng.normal(size=x.shape).astype("f2")
        found = passes_of(copy.deepcopy(layer).astype("f2"), x, dy)
        expected = passes_of(copy.deepcopy(layer).astype("f8"), x.astype("f8"), dy.astype("f8"))
        for one, other in zip(found, expected, strict=True):
            assert one.dtype == np.float16
            numeric.close(one, other, 2e-3)


def test_running_statistics_of_float16_are_kept_in_float32(tmp_path):
    x = np.random.default_rng(0).normal(0, 500, (64, 3)).astype("f2")  # of variance 250 000
    model = nn.Sequential(BatchNorm(3)).astype("f2")
    for _ in range(100):
        model.forward(x)
    variance = x.astype("f8").var(0, ddof=1)
    np.testing.assert_allclose(model.buffers["0.running_var"], variance, rtol=1e-3)
    y = model.eval().forward(x)
    assert y.dtype == np.float16
    np.testing.assert_allclose(y.astype("f8").std(0), 1, rtol=0.02)
    nn.save(model, tmp_path / "model.npz")
    twin = nn.load_model(tmp_path / "model.npz").eval()
    assert twin.params["0.gamma"].dtype == np.float16
    np.testing.assert_array_equal(twin.forward(x), y)
    assert model.astype("f8").buffers["0.running_var"].dtype == np.float64


@pytest.mark.parametrize("momentum", [0.1, None])
def test_a_saved_layer_goes_on_as_if_unbroken(momentum, tmp_path):
    rng = np.random.default_rng(0)

    def build():
        return nn.Sequential(nn.Linear(4, 3, rng=1), BatchNorm(3, momentum=momentum), nn.ReLU())

    model, twin = build(), build()
    batches = [rng.normal(2, 3, (8, 4)) for _ in range(4)]
    for batch in batches[:3]:
        model.forward(batch)
    nn.save(model, tmp_path / "model.npz")
    nn.load(twin, tmp_path / "model.npz")
    for name, array in model.buffers.items():
        assert array.any()
        assert array.dtype == twin.buffers[name].dtype
        np.testing.assert_array_equal(array, twin.buffers[name])
    copies = [model, twin, copy.deepcopy(model)]
    values = [m.forward(batches[3]) for m in copies] + [
        m.eval().forward(batches[3]) for m in copies
    ]
    for one, other in itertools.pairwise(values[:3]):
        np.testing.assert_array_equal(one, other)
    for one, other in itertools.pairwise(values[3:]):
        np.testing.assert_array_equal(one, other)
    assert not np.allclose(values[0], values[3])


def test_the_kinds_of_momentum_do_not_fit_into_each_other(tmp_path):
    nn.save(BatchNorm(3), tmp_path / "model.npz")
    with pytest.raises(ValueError, match="missing batches"):
        nn.load(BatchNorm(3, momentum=None), tmp_path / "model.npz")


def test_conversion_takes_the_statistics_along_and_counts_on():
    layer = BatchNorm(3, momentum=None).astype("f8")
    layer.forward(np.random.default_rng(0).normal(size=(5, 3)))
    before = layer.buffers.copy()
    layer.astype("f4")
    assert layer.buffers["running_mean"].dtype == layer.buffers["running_var"].dtype == np.float32
    numeric.close(layer.buffers["running_mean"], before["running_mean"], 1e-6)
    layer.buffers["batches"] = 2**24
    layer.forward(np.ones((5, 3)))
    assert int(layer.buffers["batches"]) == 2**24 + 1  # which float32 could not count


def test_forward_pass_changes_nothing_but_the_running_statistics():
    layer = BatchNorm(3)
    params = layer.params.copy()
    x = np.random.default_rng(0).normal(2, 1, (5, 3)).astype("f4")
    kept = x.copy()
    y, _ = layer.forward_pass(x)
    again, _ = layer.forward_pass(x)
    np.testing.assert_array_equal(y, again)
    np.testing.assert_array_equal(x, kept)
    assert layer.cache is None
    for name in params:
        np.testing.assert_array_equal(layer.params[name], params[name])


def test_backward_belongs_to_the_mode_of_its_forward():
    rng = np.random.default_rng(0)
    x, dy = rng.normal(size=(5, 3)), rng.normal(size=(5, 3))
    layer = drawn(BatchNorm(3), rng)
    layer.forward(x)
    expected = layer.backward(dy)[0]
    np.testing.assert_array_equal(layer.eval().backward(dy)[0], expected)
    layer.forward(x)
    constant = layer.backward(dy)[0]
    scale = layer.params["gamma"] / np.sqrt(layer.buffers["running_var"] + layer.epsilon)
    np.testing.assert_allclose(constant, dy * scale)
    np.testing.assert_array_equal(layer.train().backward(dy)[0], constant)


@pytest.mark.parametrize("shape", [(1, 3), (1, 3, 1), (1, 3, 1, 1)])
def test_a_single_value_per_feature_is_refused_in_training_only(shape):
    layer = BatchNorm(3)
    before = layer.buffers.copy()
    with pytest.raises(ValueError, match=r"BatchNorm\(3\) expected more than one value.*eval\(\)"):
        layer.forward(np.ones(shape))
    np.testing.assert_array_equal(layer.buffers["running_mean"], before["running_mean"])
    numeric.close(layer.eval().forward(np.ones(shape)), np.ones(shape), 1e-4)
    assert layer.train().forward(np.ones((1, 3, 2))).shape == (1, 3, 2)


def test_a_constant_feature_gives_beta_and_large_gradients_that_are_finite():
    for constant in (0.0, 7.3, 1e4):
        layer = BatchNorm(2)
        layer.params["beta"] = [1, 2]
        x = np.stack([np.full(50, constant), np.arange(50)], axis=1).astype("f4")
        y = layer.forward(x)
        np.testing.assert_allclose(y[:, 0], 1, atol=1e-3)
        assert np.isfinite(layer.backward(np.random.default_rng(0).normal(size=x.shape))[0]).all()
        assert (layer.buffers["running_var"] >= 0).all()


def test_far_from_zero_the_variance_survives_in_float32():
    rng = np.random.default_rng(0)
    for shape in ((2000, 3), (20, 3, 10, 10)):
        x = rng.normal(10_000, 1, shape).astype("f4")
        layer = BatchNorm(3, momentum=1.0)
        y = layer.forward(x)
        axes = (0, 2, 3)[: len(shape) - 1]
        exact = x.astype("f8")
        numeric.close(layer.buffers["running_var"], exact.var(axes, ddof=1), 1e-3)
        middle, deviation = exact.mean(axes, keepdims=True), exact.std(axes, keepdims=True)
        numeric.close(y, (exact - middle) / deviation, 1e-4)


def test_nan_is_not_hidden():
    for layer in layers_for((4, 3)):
        x = np.ones((4, 3))
        x[1, 1] = np.nan
        assert np.isnan(layer.forward(x)[1, 1])
