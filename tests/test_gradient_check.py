"""The gradient checker on what is right, its verdicts, and its report."""

import numpy as np
import pytest

import nnscratch as nn
from nnscratch.gradient_check import assert_gradients, check_gradients
from tests.checked_objects import (
    Affine,
    Bare,
    BatchNorm,
    CrossEntropy,
    DictOfGrads,
    Embedding,
    Float32Sine,
    Functional,
    ListOfParams,
    MeanSquares,
    Mytorch,
    Plain,
    Stack,
    X,
    changed,
    codes,
    layer,
    linear,
    numbers,
    verdicts,
)

RIGHT = [
    (Affine(), X, ["dx", "W", "b"]),
    (Bare(), X, ["dx", "W", "b"]),
    (Mytorch(), X, ["dx", "W", "b"]),
    (Stack(), X, ["dx", "0.W", "0.b", "2.W", "2.b"]),
    (ListOfParams(), X, ["dx", "params[0]", "params[1]"]),
    (DictOfGrads(), X, ["dx", "W", "b"]),
    (Functional(), X, ["dx"]),
    (BatchNorm(), X, ["dx", "gamma", "beta"]),
    (Embedding(), np.array([3, 1, 4, 1, 5]), ["dx", "W"]),
]


@pytest.mark.parametrize(("right", "x", "names"), RIGHT, ids=lambda v: type(v).__name__)
def test_objects_of_other_courses_pass(right, x, names):
    report = check_gradients(right, x)
    assert [f.array for f in report.findings if f.verdict == "pass"] == names, str(report)


def test_losses_have_one_gradient():
    labels = np.arange(7) % 5
    for loss, target in (
        (MeanSquares(), numbers(7, 5, seed=1)),
        (CrossEntropy(), labels),
        (nn.SoftmaxCrossEntropy(), labels),
        (nn.MSELoss(), numbers(7, 5, seed=1)),
    ):
        assert verdicts(check_gradients(loss, X, target)) == {"dx": ("pass", "")}


def test_a_mean_that_backward_forgets_is_named():
    wrong = CrossEntropy()
    wrong.scale = None
    assert codes(wrong, X, np.arange(7) % 5) == {"dx": "factor_n"}


def test_graphs_and_several_inputs():
    u, v = nn.Input("u"), nn.Input("v")
    graph = nn.Graph(inputs=[u, v], output=nn.Tanh()(u @ v) + v)
    report = check_gradients(graph, numbers(5, 5), numbers(5, 5, seed=1))
    assert verdicts(report) == {"dx[0]": ("pass", ""), "dx[1]": ("pass", "")}


def test_scalar_outputs():
    assert check_gradients(nn.Sum(), X).ok
    assert check_gradients(nn.Mul(), np.array(2.0), np.array(3.0)).ok
    assert check_gradients(nn.MatMul(), numbers(5), numbers(5, seed=1)).ok


def test_empty_and_single_batches():
    assert check_gradients(nn.Linear(5, 3, rng=0), X[:0]).ok
    assert check_gradients(nn.Linear(5, 3, rng=0), X[0]).ok
    assert check_gradients(nn.Linear(5, 3, rng=0), X[:1]).ok


# Verdicts ----------------------------------------------------------------------------------


def test_kinks_are_undecidable_and_the_other_elements_decide():
    assert verdicts(check_gradients(nn.ReLU(), np.zeros((3, 4)))) == {"dx": ("undecidable", "kink")}
    x = X.copy()
    x[0] = 0
    assert verdicts(check_gradients(nn.ReLU(), x)) == {"dx": ("pass", "")}
    wrong = layer(lambda x: (np.maximum(x, 0), x), lambda dy, x: dy * (x >= -10))
    assert codes(wrong, x) == {"dx": "missing_derivative"}


def one_maximum(dy, x):
    dx = np.zeros_like(x)
    dx[np.arange(len(x)), x.argmax(1)] = dy
    return dx


def test_ties_of_a_maximum_are_undecidable_where_one_of_them_gets_the_gradient():
    first = layer(lambda x: (x.max(1), x), one_maximum)
    assert check_gradients(first, X).findings[0].verdict == "pass"
    assert check_gradients(first, np.ones((3, 4))).findings[0].verdict == "undecidable"


def test_a_gradient_for_each_of_several_maxima_is_named():
    each = layer(
        lambda x: (x.max(1), x), lambda dy, x: dy[:, None] * (x == x.max(1, keepdims=True))
    )
    assert check_gradients(each, X).ok
    for x in (np.ones((3, 4)), np.array([[0, 0, -1.0], [1, 2, 3]])):
        assert codes(each, x) == {"dx": "every_maximum"}
    shared = layer(
        lambda x: (x.max(1), x),
        lambda dy, x: (lambda m: dy[:, None] * m / m.sum(1, keepdims=True))(
            x == x.max(1, keepdims=True)
        ),
    )
    assert check_gradients(shared, np.array([[0, 0, -1.0], [1, 2, 3]])).ok


def test_near_a_kink_the_steps_are_short_enough():
    assert verdicts(check_gradients(nn.ReLU(), np.full((3, 4), 1e-6))) == {"dx": ("pass", "")}


def test_float32_alone_is_no_mistake():
    report = check_gradients(Float32Sine(), X)
    assert report.ok
    assert "float32" in str(report)
    coarse = changed(Float32Sine, forward=lambda s, x: Float32Sine.forward(s, x) + np.float32(1e6))
    assert verdicts(check_gradients(coarse, X)) == {"dx": ("undecidable", "precision")}


def test_float32_hides_no_large_mistake():
    wrong = changed(Float32Sine, backward=lambda s, dy: dy * np.sin(s.x))
    assert not check_gradients(wrong, X).ok


def test_a_forward_that_cannot_be_repeated_is_undecidable():
    noisy = changed(
        Plain, forward=lambda s, x: x + np.random.default_rng().random(x.shape),
        backward=lambda s, dy: dy,
    )  # fmt: skip
    assert verdicts(check_gradients(noisy, X)) == {"dx": ("undecidable", "random_forward")}


def test_dropout_is_checked_under_one_mask():
    assert check_gradients(nn.Dropout(0.4, rng=0), X).ok

    class Legacy:
        def forward(self, x):
            self.mask = np.random.rand(*x.shape) > 0.4  # noqa: NPY002
            return x * self.mask

        def backward(self, dy):
            return dy * self.mask

    np.random.seed(0)  # noqa: NPY002
    expected = np.random.rand()  # noqa: NPY002
    np.random.seed(0)  # noqa: NPY002
    assert check_gradients(Legacy(), X).ok
    assert np.random.rand() == expected  # noqa: NPY002


def test_integers_have_no_gradient():
    index = np.array([3, 1, 4])
    assert check_gradients(Embedding(), index).ok
    zeros = changed(
        Embedding, backward=lambda s, dy: (np.zeros(s.index.shape), Embedding.backward(s, dy)[1])
    )
    assert check_gradients(zeros, index).ok
    twice = changed(Embedding, backward=lambda s, dy: (None, {"W": np.eye(9)[:, s.index] @ dy * 2}))
    assert codes(twice, index) == {"W": "factor_2"}


def test_a_repeated_index_must_add_up():
    def backward(self, dy):
        dW = np.zeros_like(self.params["W"])
        dW[self.index] = dy
        return None, {"W": dW}

    wrong = changed(Embedding, backward=backward)
    assert codes(wrong, np.array([3, 1, 3, 4])) == {"W": "not_accumulated"}


def test_integers_for_numbers_are_taken_as_numbers():
    report = check_gradients(nn.Linear(3, 2, rng=0), np.arange(12).reshape(4, 3))
    assert report.ok
    assert any("integers" in warning for warning in report.warnings)


# The report --------------------------------------------------------------------------------


def test_weak_inputs_are_warned_of():
    assert not check_gradients(nn.Linear(5, 3, rng=0), X).warnings
    for words, report in (
        ("dy is uniform", check_gradients(nn.Tanh(), X, dy=np.ones((7, 5)))),
        ("the batch is 1", check_gradients(nn.Tanh(), X[:1])),
        ("coincide", check_gradients(nn.Tanh(), X[:5])),
        ("coincide", check_gradients(nn.Linear(5, 5, rng=0), X)),
    ):
        assert any(words in warning for warning in report.warnings), words


def test_the_report_says_what_why_and_how_to_see_it_again():
    wrong = linear(gradient_pass=lambda s, dy, x: {"W": x.T @ dy, "b": dy.sum(0)})
    text = str(check_gradients(wrong, X, rng=3))
    for words in (
        "1 of 3 gradients wrong", "transposed", "dW has shape (5, 3), expected (3, 5)",
        "dW is the transpose of what it should be", "check_gradients(layer, x, rng=3)", "(7, 5)",
    ):  # fmt: skip
        assert words in text
    assert "\033" not in text
    assert "\033[31m" in check_gradients(wrong, X).text(colour=True)


def test_assert_gradients_raises_with_the_report():
    assert_gradients(nn.Tanh(), X)
    cosine = layer(lambda x: (np.cos(x), x), lambda dy, x: dy * np.sin(x))
    with pytest.raises(AssertionError, match="wrong sign"):
        assert_gradients(cosine, X)


def test_what_cannot_be_checked_is_refused():
    with pytest.raises(ValueError, match="forward and backward"):
        check_gradients(np.tanh, X)
    with pytest.raises(ValueError, match=r"write Tanh"):
        check_gradients(nn.Tanh, X)


def test_a_dy_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match=r"dy has shape \(7,\), expected that of y, \(7, 3\)"):
        check_gradients(nn.Linear(5, 3, rng=0), X, dy=np.ones(7))


def test_a_backward_for_one_batch_size_alone_fails():
    fixed = layer(lambda x: (np.tanh(x), x), lambda dy, x: dy * (1 - np.tanh(x).reshape(7, 5) ** 2))
    assert codes(fixed, X) == {"dx": "exception"}


def test_an_undecidable_gradient_stays_so_in_the_other_mode():
    class Rectified:
        training = True

        def forward(self, x):
            self.positive = np.where(self.training, x > 0, 1)
            return x * self.positive

        def backward(self, dy):
            return dy * self.positive

    report = check_gradients(Rectified(), np.zeros((3, 4)))
    assert report.findings[0].verdict == "undecidable"


def test_the_callers_object_and_arrays_are_untouched():
    model = nn.Sequential(nn.Linear(5, 3, rng=0), nn.Dropout(0.5, rng=1), nn.Tanh())
    y = model.forward(X.astype(np.float32))
    cache, state = model.cache, model[1].rng.bit_generator.state
    before = {name: array.copy() for name, array in model.params.items()}
    x = X.copy()
    assert check_gradients(model, x).ok
    assert model.cache is cache
    assert model[1].rng.bit_generator.state == state
    assert np.array_equal(x, X)
    assert y.dtype == model.params["0.W"].dtype == np.float32
    assert all(np.array_equal(before[name], array) for name, array in model.params.items())


def test_the_same_seed_gives_the_same_report():
    wrong = layer(lambda x: (np.tanh(x), x), lambda dy, x: dy * np.cos(x))
    assert str(check_gradients(wrong, X, rng=5)) == str(check_gradients(wrong, X, rng=5))


def test_arrays_of_another_memory_order_are_checked():
    big = numbers(6, 10, 8)
    x = big[2, ::-1, 1::2].T[::-1]
    assert check_gradients(nn.Linear(10, 3, rng=0), x).ok
    affine = Affine()
    affine.params["W"] = numbers(3, 10).T[::2]
    assert check_gradients(affine, X).ok


def test_a_large_array_is_sampled_and_still_named():
    wrong = type("Wrong", (nn.Linear,), {
        "gradient_pass": lambda s, dy, x: {"W": -dy.T @ x, "b": dy.sum(0)}
    })(80, 50, rng=0)  # fmt: skip
    assert codes(wrong, numbers(7, 80)) == {"W": "sign"}


def test_one_wrong_element_of_a_large_array_is_found():
    def gradient_pass(self, dy, x):
        dW = dy.T @ x
        dW[37, 41] *= 1.5
        return {"W": dW, "b": dy.sum(0)}

    wrong = type("Wrong", (nn.Linear,), {"gradient_pass": gradient_pass})(80, 50, rng=0)
    report = check_gradients(wrong, numbers(7, 80))
    assert verdicts(report)["W"] == ("fail", "values_differ")
    assert "dW[37, 41]" in str(report)
