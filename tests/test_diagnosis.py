"""The diagnosis on arrays alone: every cause is recognized, and none where two would fit."""

import itertools

import numpy as np
import pytest

from nnscratch.gradient_check import CAUSES, CODES, Context, diagnose, diagnose_draws
from nnscratch.gradient_check.mistakes.causes import explain
from nnscratch.gradient_check.mistakes.context import summed_to

N, IN, OUT = 7, 5, 3


def draw(seed):
    """The arrays of y = x Wᵀ + b."""
    rng = np.random.default_rng(seed)
    x, W, b = rng.normal(size=(N, IN)), rng.normal(size=(OUT, IN)), rng.normal(size=OUT)
    dy = rng.normal(size=(N, OUT))
    grads = {"dx": dy @ W, "W": dy.T @ x, "b": dy.sum(0)}
    return x, W, b, dy, grads


def linear(array, wrong, **more):
    """Draws of (got, expected, context), with what `wrong` makes of the arrays."""
    for seed in range(3):
        x, W, b, dy, grads = draw(seed)
        others = {name: g for name, g in grads.items() if name != array}
        context = Context(
            array,
            (x,),
            dy,
            x @ W.T + b,
            {"W": W, "b": b},
            others,
            **{name: value(x, W, dy) for name, value in more.items()},
        )
        yield wrong(x, W, dy, grads[array]), grads[array], context


def function(wrong, f=np.tanh, slope=lambda x: 1 - np.tanh(x) ** 2):
    """Draws for an element-wise function."""
    for seed in range(3):
        rng = np.random.default_rng(seed)
        x, dy = rng.normal(size=(N, IN)), rng.normal(size=(N, IN))
        yield wrong(x, f(x), dy, slope(x)), dy * slope(x), Context("dx", (x,), dy, f(x))


def softmax_of(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def softmax(wrong):
    for seed in range(3):
        rng = np.random.default_rng(seed)
        x, dy = rng.normal(size=(N, IN)), rng.normal(size=(N, IN))
        y = softmax_of(x)
        expected = y * (dy - np.sum(dy * y, -1, keepdims=True))
        yield wrong(y, dy), expected, Context("dx", (x,), dy, y)


def normalized(wrong, axis=0):
    """Draws for y = gamma (x - mean) / deviation + beta over the batch."""
    for seed in range(3):
        rng = np.random.default_rng(seed)
        x, dy = rng.normal(size=(N, IN)), rng.normal(size=(N, IN))
        gamma, beta = rng.uniform(0.5, 1.5, IN), rng.normal(size=IN)
        deviation = np.sqrt(x.var(axis, keepdims=True) + 1e-5)
        normal = (x - x.mean(axis, keepdims=True)) / deviation
        g = dy * gamma
        mean = g.mean(axis, keepdims=True)
        variance = normal * np.mean(g * normal, axis, keepdims=True)
        context = Context("dx", (x,), dy, gamma * normal + beta, {"gamma": gamma, "beta": beta})
        got = wrong(g, mean, variance, deviation, gamma)
        yield got, (g - mean - variance) / deviation, context


def square(wrong, n=4):
    """Draws for Y = A B of square matrices, by A."""
    for seed in range(3):
        A, B, dY = np.random.default_rng(seed).normal(size=(3, n, n))
        context = Context("dx[0]", (A, B), dY, A @ B, others={"dx[1]": A.T @ dY})
        yield wrong(A, B, dY), dY @ B.T, context


def loss(wrong, maps=softmax_of):
    for seed in range(3):
        rng = np.random.default_rng(seed)
        x, labels, dy = rng.normal(size=(N, IN)), rng.integers(0, IN, N), np.array(0.7)
        target = np.eye(IN)[labels]
        expected = dy * (maps(x) - target) / N
        yield dy / N * wrong(x, maps(x), target), expected, Context("dx", (x, labels), dy)


def image(wrong):
    """Draws for a kernel (out, in, height, width)."""
    for seed in range(3):
        W = np.random.default_rng(seed).normal(size=(3, 4, 5, 6))
        yield wrong(W), W, Context("W")


def picture(array, wrong):
    """Draws for y = x + b, with b for each of 4 channels of pictures of 5 by 6."""
    for seed in range(3):
        rng = np.random.default_rng(seed)
        x, dy, b = rng.normal(size=(N, 4, 5, 6)), rng.normal(size=(N, 4, 5, 6)), rng.normal(size=4)
        y = x + b[:, None, None]
        expected = dy if array == "dx" else dy.sum((0, 2, 3))
        yield wrong(x, expected), expected, Context(array, (x,), dy, y, {"b": b})


def gates(wrong):
    """Draws for the weights of four gates, one below the other."""
    for seed in range(3):
        g = np.random.default_rng(seed).normal(size=(12, 5))
        yield wrong(g), g, Context("W_x")


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def elu(alpha, scale=1.0):
    return (
        lambda x: scale * np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0))),
        lambda x: scale * np.where(x > 0, 1, alpha * np.exp(np.minimum(x, 0))),
    )


# code: draws that deserve it
TABLE = [
    ("none", linear("W", lambda x, W, dy, g: None)),
    ("type", linear("W", lambda x, W, dy, g: list(g))),
    ("type", linear("W", lambda x, W, dy, g: g.astype(object))),
    ("dtype", linear("W", lambda x, W, dy, g: g.astype(int))),
    ("sum_over_batch", linear("b", lambda x, W, dy, g: dy)),
    ("sum_over_batch", linear("W", lambda x, W, dy, g: dy[:, :, None] * x[:, None, :])),
    ("keepdims", linear("b", lambda x, W, dy, g: g[None])),
    ("broadcast_not_summed", linear("dx", lambda x, W, dy, g: np.stack([g / 2, g / 2]))),
    ("not_reshaped", linear("W", lambda x, W, dy, g: g.ravel())),
    ("summed_too_far", linear("W", lambda x, W, dy, g: g.sum(0))),
    ("shape", linear("W", lambda x, W, dy, g: np.ones((2, 2)))),
    ("zero", linear("W", lambda x, W, dy, g: 0 * g)),
    ("sign", linear("W", lambda x, W, dy, g: -g)),
    ("factor_2", linear("W", lambda x, W, dy, g: 2 * g)),
    ("factor_half", linear("W", lambda x, W, dy, g: g / 2)),
    ("factor_n", linear("W", lambda x, W, dy, g: g * N)),
    ("factor_1_n", linear("W", lambda x, W, dy, g: g / N)),
    ("factor_minus_n", linear("W", lambda x, W, dy, g: -g * N)),
    ("factor_minus_1_n", linear("W", lambda x, W, dy, g: -g / N)),
    ("factor", linear("W", lambda x, W, dy, g: 1.25 * g)),
    ("transposed", linear("W", lambda x, W, dy, g: x.T @ dy)),
    ("transposed", square(lambda A, B, dY: B @ dY.T)),
    ("reshape_for_transpose", linear("W", lambda x, W, dy, g: g.T.reshape(g.shape))),
    ("flipped_kernel", image(lambda W: W[:, :, ::-1, ::-1])),
    ("flipped_kernel", image(lambda W: W[:, :, :, ::-1])),
    ("shifted_kernel", image(lambda W: np.roll(W, 1, -1))),
    ("stale_cache", linear("W", lambda x, W, dy, g: dy.T @ x**2,
                           previous=lambda x, W, dy: dy.T @ x**2)),
    ("accumulated", linear("W", lambda x, W, dy, g: g + 3 * x[:3],
                           previous=lambda x, W, dy: 3 * x[:3])),
    ("not_accumulated", linear("W", lambda x, W, dy, g: g - x[:3],
                               alternatives=lambda x, W, dy: {
                                   "not_accumulated": [dy.T @ x - x[:3]]})),
    ("swapped", linear("W", lambda x, W, dy, g: dy.sum(0))),
    ("missing_derivative", function(lambda x, y, dy, slope: dy)),
    ("dy_ignored", function(lambda x, y, dy, slope: slope)),
    ("reciprocal", function(lambda x, y, dy, slope: dy / slope)),
    ("path_missing", function(lambda x, y, dy, slope: dy * slope - dy)),
    ("path_added", function(lambda x, y, dy, slope: dy * slope + dy)),
    ("inverted_mask", function(lambda x, y, dy, slope: dy * (x <= 0),
                               lambda x: np.maximum(x, 0), lambda x: 1.0 * (x > 0))),
    ("wrong_place", function(lambda x, y, dy, slope: dy * (1 - x * x))),
    ("wrong_place", function(lambda x, y, dy, slope: dy * (1 - np.tanh(y) ** 2))),
    ("wrong_place", function(lambda x, y, dy, slope: dy * np.cos(y), np.sin, np.cos)),
    ("wrong_derivative", function(lambda x, y, dy, slope: dy * (1 - y))),
    ("wrong_derivative", function(lambda x, y, dy, slope: dy * (1 + y * y))),
    ("wrong_derivative", function(lambda x, y, dy, slope: dy * y * (1 + y), sigmoid,
                                  lambda x: sigmoid(x) * (1 - sigmoid(x)))),
    ("wrong_derivative", function(lambda x, y, dy, slope: dy * y,
                                  lambda x: np.maximum(x, 0), lambda x: 1.0 * (x > 0))),
    ("wrong_derivative", function(lambda x, y, dy, slope: dy * np.where(x > 0, 1, y), *elu(1.3))),
    ("wrong_derivative", function(lambda x, y, dy, slope: dy * np.where(x > 0, 1, np.exp(x)),
                                  *elu(1.3))),
    ("wrong_derivative", function(lambda x, y, dy, slope: dy * np.where(x > 0, 1.05, y),
                                  *elu(1.67, 1.05))),
    ("sum_added", softmax(lambda y, dy: y * (dy + np.sum(dy * y, -1, keepdims=True)))),
    ("padding_not_cropped", picture("dx", lambda x, g: np.pad(g, [(0, 0)] * 2 + [(2, 2), (1, 1)]))),
    ("averaged_over_space", picture("b", lambda x, g: g / 30)),
    ("averaged_over_space", picture("b", lambda x, g: g / 30 / N)),
    ("gates_exchanged", gates(lambda g: g.reshape(4, 3, 5)[[0, 2, 1, 3]].reshape(12, 5))),
    ("gates_exchanged", gates(lambda g: g.reshape(4, 3, 5)[[3, 1, 2, 0]].reshape(12, 5))),
    ("transpose_missing", square(lambda A, B, dY: dY @ B)),
    ("operands_swapped", square(lambda A, B, dY: B.T @ dY)),
    ("wrong_operand", square(lambda A, B, dY: dY @ A.T)),
    ("elementwise_product", square(lambda A, B, dY: dY * B)),
    ("wrong_axis", linear("b", lambda x, W, dy, g: dy.sum(1))),
    ("one_sample", linear("b", lambda x, W, dy, g: dy[0])),
    ("one_sample", linear("b", lambda x, W, dy, g: dy[-1])),
    ("diagonal_jacobian", softmax(lambda y, dy: dy * y * (1 - y))),
    ("sum_missing", softmax(lambda y, dy: dy * y)),
    ("wrong_axis", softmax(lambda y, dy: y * (dy - np.sum(dy * y, 0)))),
    ("mean_path_missing", normalized(lambda g, m, v, s, gamma: (g - v) / s)),
    ("variance_path_missing", normalized(lambda g, m, v, s, gamma: (g - m) / s)),
    ("mean_and_variance_paths_missing", normalized(lambda g, m, v, s, gamma: g / s)),
    ("mean_and_variance_paths_missing", normalized(lambda g, m, v, s, gamma: g / s, -1)),
    ("scale_missing", normalized(lambda g, m, v, s, gamma: (g - m - v) / s / gamma)),
    ("deviation_missing", normalized(lambda g, m, v, s, gamma: g - m - v)),
    ("target_missing", loss(lambda x, p, t: p)),
    ("target_added", loss(lambda x, p, t: p + t)),
    ("prediction_missing", loss(lambda x, p, t: -t)),
    ("activation_missing", loss(lambda x, p, t: x - t)),
    ("non_finite", linear("W", lambda x, W, dy, g: g / 0 * [np.inf, 1, 1, 1, 1])),
    ("values_differ", linear("W", lambda x, W, dy, g: g + x[:3])),
]  # fmt: skip
BY_CALLS = {  # need an object, so they are reached in the tests of the checker
    "missing", "not_implemented", "exception", "state_leak", "second_backward", "mutated_input",
    "mutated_dy", "mutated_params", "kink", "precision", "random_forward", "not_understood",
    "not_compared", "updated_too_early", "every_maximum", "outside_kink", "windows_not_added",
    "window_off_by_one", "stride_forgotten", "stale_params", "output_ignored", "time_cut",
}  # fmt: skip


@pytest.mark.parametrize(
    ("code", "draws"), TABLE, ids=lambda value: value if value in CODES else ""
)
def test_a_mistake_gets_its_name(code, draws):
    with np.errstate(all="ignore"):
        draws = list(draws)
    found, message = diagnose_draws(draws)
    assert found == code, message
    assert message


def test_every_code_is_reached():
    # by numbers given here, by calls, and by layers (tests/test_checker_strangers.py)
    of_layers = {"bias_correction_missing", "cropped_to_nothing", "scale_too_late"}
    of_layers |= {"windows_left_out"}
    assert {code for code, _ in TABLE} | BY_CALLS | of_layers == set(CODES)


def test_every_code_has_words():
    for code in CODES:
        assert all(CAUSES[code])
        assert "{" not in explain(code, "dW", "axis 0")


def test_equal_arrays_need_no_name():
    expected = draw(0)[-1]["W"]
    assert diagnose(expected * (1 + 1e-9), expected) == ("", "")


def test_a_factor_that_only_fits_one_draw_is_not_named():
    rng = np.random.default_rng(0)
    draws = [(c * g, g, Context()) for c, g in zip((2, 3), rng.normal(size=(2, 4, 5)), strict=True)]
    assert diagnose_draws(draws)[0] == "values_differ"


def test_two_that_fit_are_both_said_and_none_is_named():
    g = np.random.default_rng(0).normal(size=(2, 5))
    code, message = diagnose(2 * g, g, Context("dx", (g,)))
    assert code == "values_differ"
    assert "factor_2, factor_n" in message


def test_another_batch_size_tells_n_from_2():
    draws = [
        (n * g, g, Context("dx", (g,)))
        for n, g in ((n, np.random.default_rng(n).normal(size=(n, 5))) for n in (2, 3))
    ]
    assert diagnose_draws(draws)[0] == "factor_n"


def test_a_draw_that_agrees_speaks_against_a_mistake_that_would_show_in_it():
    g = np.random.default_rng(0).normal(size=(4, 5))
    assert diagnose_draws([(-g, g, Context()), (g, g, Context())])[0] == "values_differ"


def test_the_message_shows_the_element_that_differs_most():
    expected = np.zeros((2, 3))
    got = expected.copy()
    got[1, 2] = 5
    message = diagnose(got, expected, Context("W"))[1]
    assert "dW[1, 2] is 5, expected 0; 1 of 6 elements differ" in message


@pytest.mark.parametrize("seed", range(20))
def test_noise_gets_no_name(seed):
    x, W, b, dy, grads = draw(seed)
    rng = np.random.default_rng(seed + 100)
    context = Context("W", (x,), dy, x @ W.T + b, {"W": W, "b": b}, {"b": grads["b"]})
    noise = rng.normal(size=W.shape)
    assert diagnose(noise, grads["W"], context)[0] == "values_differ"
    assert diagnose(grads["W"] * (1 + 0.01 * noise), grads["W"], context)[0] == "values_differ"


def test_unknown_elements_are_left_out():
    expected = np.random.default_rng(0).normal(size=(4, 5))
    got = -expected
    expected[1, 2] = np.nan
    assert diagnose(got, expected)[0] == "sign"


def test_sums_undo_broadcasting():
    for shape in itertools.product((1, 4), (1, 3)):
        small = np.ones(shape)
        assert summed_to(np.ones((2, 4, 3)), shape).sum() == 24
        assert summed_to(np.broadcast_to(small, (4, 3)), shape).shape == shape
    assert summed_to(np.ones(3), (2, 3)) is None
    assert summed_to(np.ones((2, 3)), (2,)) is None
