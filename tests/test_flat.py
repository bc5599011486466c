"""One flat vector of views: laid out in order, shared, found again."""

import gc
import weakref

import numpy as np
import pytest

import nnscratch as nn
from nnscratch.layers.flat import FlatArrays


def test_views_keep_order_shape_and_memory_order():
    arrays = {
        "W": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        "K": np.arange(24.0).reshape(2, 3, 4).transpose(1, 2, 0),
        "b": np.arange(3.0),
        "s": np.array(7.0),
        "none": np.zeros((0, 3)),
    }
    flat = FlatArrays(arrays, values=arrays)
    for name, array in arrays.items():
        np.testing.assert_array_equal(flat[name], array)
        assert flat[name].strides == array.strides or array.size == 0
    (vector,) = flat.vectors.values()
    assert vector.size == 6 + 24 + 3 + 1
    np.testing.assert_array_equal(vector[:6], arrays["W"].T.ravel())
    vector[:] = 0
    assert not any(array.any() for array in flat.values())


def test_flatten_is_stable_until_the_arrays_are_replaced():
    model = nn.Sequential(nn.Linear(3, 4, rng=0), nn.Linear(4, 2, rng=1))
    values = {name: array.copy() for name, array in model.params.items()}
    flat = nn.flatten(model)
    assert nn.flatten(model) is flat
    for name, array in model.params.items():
        np.testing.assert_array_equal(array, values[name])
        assert array is flat[name]
    model.astype("f8")
    assert not flat.attached(model)
    again = nn.flatten(model)
    assert again is not flat
    assert again.attached(model)
    outer = nn.Sequential(model, nn.Bias(2))
    nn.flatten(outer)
    assert not again.attached(model)


def test_a_model_is_freed_with_its_vector():
    model = nn.Linear(3, 4)
    nn.SGD(model)
    gone = weakref.ref(model)
    del model
    gc.collect()
    assert gone() is None


def test_clipping_keeps_the_direction_and_the_arrays():
    rng = np.random.default_rng(0)
    grads = {"W": rng.normal(size=(3, 4)), "b": rng.normal(size=4)}
    norm = np.sqrt(sum(np.sum(g**2) for g in grads.values()))
    clipped, found = nn.clip_norm(grads, norm / 2)
    assert found == pytest.approx(norm)
    for name, grad in grads.items():
        np.testing.assert_allclose(clipped[name], grad / 2)
    same, _ = nn.clip_norm(grads, norm * 1.001)
    assert all(same[name] is grads[name] for name in grads)


@pytest.mark.torch
def test_clipping_agrees_with_torch():
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    grads = {"W": rng.normal(size=(3, 4)), "b": rng.normal(size=4)}
    tensors = [torch.zeros(g.shape, dtype=torch.float64) for g in grads.values()]
    for tensor, grad in zip(tensors, grads.values(), strict=True):
        tensor.grad = torch.tensor(grad)
    torch.nn.utils.clip_grad_norm_(tensors, 0.7)
    clipped, _ = nn.clip_norm(grads, 0.7)
    for tensor, grad in zip(tensors, clipped.values(), strict=True):
        np.testing.assert_allclose(grad, tensor.grad.numpy(), rtol=1e-5)  # torch adds 1e-6


def test_clipping_survives_squares_that_overflow():
    grads = {"W": np.full(4, 1e30, np.float32)}
    with np.errstate(over="ignore"):
        clipped, norm = nn.clip_norm(grads, 1.0)
    assert norm == pytest.approx(2e30)
    np.testing.assert_allclose(clipped["W"], 0.5, rtol=1e-6)
    assert clipped["W"].dtype == np.float32


@pytest.mark.parametrize("size", [1e4, 300.0, 1e-5])
def test_clipping_float16_neither_overflows_nor_loses_what_is_small(size):
    grads = {"W": np.full((25, 40), size, np.float16)}
    true = float(grads["W"][0, 0]) * np.sqrt(1000)
    clipped, norm = nn.clip_norm(grads, true / 100)
    assert norm == pytest.approx(true, rel=1e-5)
    assert clipped["W"].dtype == np.float16
    np.testing.assert_allclose(clipped["W"], grads["W"] / 100, rtol=2e-3, atol=6e-8)


def test_a_share_of_float16_gradients_may_be_smaller_than_float16():
    clipped, _ = nn.clip_norm({"W": np.full(4, 3e4, np.float16)}, 1e-3)
    np.testing.assert_allclose(clipped["W"], 5e-4, rtol=1e-3)


def test_squares_below_the_smallest_float32_count():
    assert nn.clip_norm({"W": np.full(4, 1e-30, np.float32)}, 1.0)[1] == pytest.approx(2e-30)


@pytest.mark.parametrize("value", [np.inf, np.nan])
def test_gradients_whose_norm_is_no_number_come_back_as_they_are(value):
    grads = {"W": np.array([value, 1.0])}
    clipped, norm = nn.clip_norm(grads, 1.0)
    assert not np.isfinite(norm)
    assert clipped["W"] is grads["W"]


def test_zero_gradients_are_left_alone():
    clipped, norm = nn.clip_norm({"W": np.zeros(3)}, 1.0)
    assert norm == 0
    np.testing.assert_array_equal(clipped["W"], 0)


@pytest.mark.parametrize("largest", [0, -1, np.nan])
def test_the_largest_norm_is_positive(largest):
    with pytest.raises(ValueError, match="positive"):
        nn.clip_norm({"W": np.zeros(3)}, largest)


@pytest.mark.parametrize("kind", [float, np.float64, np.float32])
def test_clipping_keeps_the_dtypes_whatever_number_the_limit_is(kind):
    grads = {"W": np.ones((3, 4), np.float32), "b": np.ones(5)}
    clipped, norm = nn.clip_norm(grads, kind(0.5))
    assert norm == pytest.approx(np.sqrt(17))
    assert (clipped["W"].dtype, clipped["b"].dtype) == (np.float32, np.float64)


def test_clipping_takes_the_optimizers_vectors_too_and_writes_nothing():
    model = nn.Sequential(nn.Linear(4, 3, rng=0), nn.Bias(3).astype("f8"))
    grads = nn.SGD(model).grads
    for seed, array in enumerate(grads.values()):
        array[...] = np.random.default_rng(seed).normal(size=array.shape)
    before = {name: array.copy() for name, array in grads.items()}
    clipped, norm = nn.clip_norm(grads, 0.5)
    plain, plain_norm = nn.clip_norm(dict(grads), 0.5)
    assert norm == pytest.approx(plain_norm)
    for name, array in grads.items():
        np.testing.assert_array_equal(array, before[name])
        np.testing.assert_allclose(clipped[name], plain[name], rtol=1e-6)


def test_clipping_survives_float64_squares_that_overflow():
    grads = {"W": np.array([3e200, 0.0]), "b": np.array([-4e200])}
    with np.errstate(over="ignore"):
        clipped, norm = nn.clip_norm(grads, 1.0)
    assert norm == pytest.approx(5e200)
    np.testing.assert_allclose(clipped["W"], [0.6, 0])
