"""Spirals and moons: where the points lie, and that the same seed gives the same ones."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnscratch.data import load_dataset, moons, spirals


@given(classes=st.integers(1, 5), extra=st.integers(0, 40), seed=st.integers(0, 9))
def test_the_classes_of_a_spiral_are_as_even_as_they_divide(classes, extra, seed):
    x, y = spirals(classes + extra, classes, rng=seed)
    assert (x.dtype, y.dtype, x.shape) == (np.float32, np.int64, (classes + extra, 2))
    sizes = np.bincount(y, minlength=classes)
    assert sizes.max() - sizes.min() <= 1
    assert np.linalg.norm(x, axis=1).max() <= 1 + 1e-6


def test_an_arm_without_noise_is_the_curve_of_its_formula():
    x, y = spirals(303, classes=3, noise=0)
    for k in range(3):
        s = np.linspace(0, 1, 102)[1:]
        angle = 4 * s + 2 * np.pi * k / 3
        curve = np.stack([s * np.cos(angle), s * np.sin(angle)], axis=1)
        np.testing.assert_allclose(x[y == k], curve, atol=1e-6)


def test_moons_without_noise_lie_on_their_half_circles():
    x, y = moons(101, noise=0)
    upper, lower = x[y == 0], x[y == 1]
    np.testing.assert_allclose(np.hypot(*upper.T), 1, rtol=1e-6)
    assert (upper[:, 1] >= -1e-6).all()
    np.testing.assert_allclose(np.hypot(lower[:, 0] - 1, lower[:, 1] - 0.5), 1, rtol=1e-6)
    assert (lower[:, 1] <= 0.5 + 1e-6).all()
    np.testing.assert_allclose([upper[0], upper[-1]], [[1, 0], [-1, 0]], atol=1e-6)
    np.testing.assert_allclose([lower[0], lower[-1]], [[0, 0.5], [2, 0.5]], atol=1e-6)


def test_noise_is_a_standard_deviation():
    exact, _ = moons(20_000, noise=0)
    noisy, _ = moons(20_000, noise=0.3, rng=0)
    assert abs((noisy - exact).std() - 0.3) < 0.01
    angle = [np.arctan2(*spirals(20_000, 1, noise, rng=0)[0].T[::-1]) for noise in (0, 0.3)]
    turned = np.angle(np.exp(1j * (angle[1] - angle[0])))
    assert abs(turned.std() - 0.3) < 0.01


@pytest.mark.parametrize("draw", [spirals, moons])
def test_a_seed_repeats_the_points_and_a_generator_moves_on(draw):
    np.testing.assert_array_equal(draw(rng=3)[0], draw(rng=3)[0])
    assert not np.array_equal(draw(rng=3)[0], draw(rng=4)[0])
    rng = np.random.default_rng(3)
    np.testing.assert_array_equal(draw(rng=rng)[0], draw(rng=3)[0])
    assert not np.array_equal(draw(rng=rng)[0], draw(rng=3)[0])
    assert not np.array_equal(draw()[0], draw()[0])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: spirals(2, classes=3), "received 2 samples of 3 classes"),
        (lambda: spirals(0, classes=0), "received 0 samples of 0 classes"),
        (lambda: spirals(9, noise=-1), "noise of at least 0, received -1"),
        (lambda: moons(9, noise=float("nan")), "noise of at least 0, received nan"),
        (lambda: moons(1), "moons expected at least one sample for each class"),
    ],
)
def test_points_that_cannot_be_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize(("name", "train", "test"), [("spirals", 600, 300), ("moons", 400, 200)])
def test_the_named_sets_are_always_the_same_points(name, train, test):
    first, second = load_dataset(name), load_dataset(name, root="nowhere")
    assert (first.x_train.shape, first.x_test.shape) == ((train, 2), (test, 2))
    np.testing.assert_array_equal(first.x_train, second.x_train)
    np.testing.assert_array_equal(first.x_test, second.x_test)
    assert len(set(np.bincount(first.y_train))) == len(set(np.bincount(first.y_test))) == 1
    assert len(first.class_names) == first.y_train.max() + 1
    assert not set(map(bytes, first.x_train)) & set(map(bytes, first.x_test))
    first.x_train[...] = 0
    assert load_dataset(name).x_train.any()
