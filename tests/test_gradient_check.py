"""check_gradients on right and wrong objects of all kinds, and on the sources' printed mistakes."""

import subprocess
import sys

import numpy as np
import pytest

import nnscratch as nn
from nnscratch.gradient_check import CODES, assert_gradients, check_gradients


def numbers(*shape, seed=0):
    rng = np.random.default_rng(seed)
    return rng.uniform(0.4, 1.6, shape) * rng.choice([-1, 1], shape)


X = numbers(7, 5)


def verdicts(report):
    return {finding.array: (finding.verdict, finding.code) for finding in report.findings}


def codes(layer, *inputs, **options):
    report = check_gradients(layer, *inputs, **options)
    return {finding.array: finding.code for finding in report.findings if finding.verdict == "fail"}


def layer(forward, backward):
    """A layer of two functions: (y, cache) of the inputs, dx of dy and the cache."""

    class Given(nn.Layer):
        def forward_pass(self, *inputs):
            return forward(*inputs)

        def backward_pass(self, dy, cache):
            return backward(dy, cache)

    return Given()


# Objects of other courses ------------------------------------------------------------------


class Affine:
    """CS231n: a tuple in the order of params."""

    def __init__(self):
        self.params = {"W": numbers(5, 3).astype(np.float32), "b": np.zeros(3, np.float32)}

    def forward(self, x):
        self.x = x
        return x @ self.params["W"] + self.params["b"]

    def backward(self, dy):
        return dy @ self.params["W"].T, self.x.T @ dy, dy.sum(0)


class Bare:
    """The same with attributes, in no particular order."""

    def __init__(self):
        self.b, self.W = np.zeros(3), numbers(5, 3)

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, dy):
        return dy @ self.W.T, self.x.T @ dy, dy.sum(0)


class Mytorch:
    """CMU: gradients are left on the object."""

    def __init__(self, n=5, m=3):
        self.W, self.b = numbers(m, n), numbers(m, 1)

    def forward(self, A):
        self.A = A
        return A @ self.W.T + self.b.T

    def backward(self, dLdZ):
        self.dLdW = dLdZ.T @ self.A
        self.dLdb = dLdZ.sum(0)[:, None]
        return dLdZ @ self.W


class Sigmoid:
    def forward(self, Z):
        self.A = 1 / (1 + np.exp(-Z))
        return self.A

    def backward(self, dLdA):
        return dLdA * self.A * (1 - self.A)


class Stack:
    """CMU: a list of layers, called one after the other."""

    def __init__(self):
        self.layers = [Mytorch(5, 4), Sigmoid(), Mytorch(4, 3)]

    def forward(self, A):
        for inner in self.layers:
            A = inner.forward(A)
        return A

    def backward(self, dLdA):
        for inner in reversed(self.layers):
            dLdA = inner.backward(dLdA)
        return dLdA


class ListOfParams:
    """Deep Learning from Scratch: params and grads are lists."""

    def __init__(self):
        self.params = [numbers(5, 3), numbers(3)]
        self.grads = [np.zeros((5, 3)), np.zeros(3)]

    def forward(self, x):
        self.x = x
        return x @ self.params[0] + self.params[1]

    def backward(self, dout):
        self.grads[0][...] = self.x.T @ dout
        self.grads[1][...] = dout.sum(0)
        return dout @ self.params[0].T


class DictOfGrads(Affine):
    def backward(self, dy):
        dx, dW, db = super().backward(dy)
        return dx, {"dW": dW, "db": db}


class Functional:
    """out, cache = forward(x); dx = backward(dout, cache)."""

    def forward(self, x):
        return np.tanh(x), x

    def backward(self, dout, cache):
        return dout * (1 - np.tanh(cache) ** 2)


class MeanSquares:
    """A loss whose backward takes no dy."""

    def forward(self, A, Y):
        self.A, self.Y = A, Y
        return np.mean((A - Y) ** 2)

    def backward(self):
        return 2 * (self.A - self.Y) / self.A.size


class CrossEntropy:
    scale = 1.0

    def forward(self, A, labels):
        e = np.exp(A - A.max(1, keepdims=True))
        self.p, self.labels = e / e.sum(1, keepdims=True), labels
        return float(-np.log(self.p[np.arange(len(A)), labels]).mean())

    def backward(self):
        dA = self.p.copy()
        dA[np.arange(len(dA)), self.labels] -= 1
        return dA / (len(dA) if self.scale else 1)


class Embedding:
    def __init__(self):
        self.params = {"W": numbers(9, 4)}

    def forward(self, index):
        self.index = index
        return self.params["W"][index]

    def backward(self, dy):
        dW = np.zeros_like(self.params["W"])
        np.add.at(dW, self.index, dy)
        return None, {"W": dW}


class Float32Sine:
    def forward(self, x):
        self.x = np.asarray(x, np.float32)
        return np.sin(self.x)

    def backward(self, dy):
        return dy * np.cos(self.x)


class BatchNorm:
    def __init__(self):
        self.training = True
        self.params = {"gamma": np.ones(5), "beta": np.zeros(5)}
        self.mean, self.var = np.zeros(5), np.ones(5)

    def forward(self, x):
        mean, var = self.mean, self.var
        if self.training:
            mean, var = x.mean(0), x.var(0)
            self.mean, self.var = 0.9 * self.mean + 0.1 * mean, 0.9 * self.var + 0.1 * var
        self.deviation = np.sqrt(var + 1e-5)
        self.normal = (x - mean) / self.deviation
        return self.params["gamma"] * self.normal + self.params["beta"]

    def backward(self, dy):
        g = dy * self.params["gamma"]
        grads = {"gamma": (dy * self.normal).sum(0), "beta": dy.sum(0)}
        if self.evaluates():
            return g / self.deviation, grads
        through = g.mean(0) + self.normal * (g * self.normal).mean(0)
        return (g - through) / self.deviation, grads

    def evaluates(self):
        return not self.training


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


# Wrong ones ---------------------------------------------------------------------------------


def changed(cls, **methods):
    return type(cls.__name__, (cls,), methods)()


def linear(**methods):
    return type("Wrong", (nn.Linear,), methods)(5, 3, rng=0)


def raising(error):
    def backward(self, *_):
        raise error

    return backward


def adds_up(self, dy):
    self.dLdW = getattr(self, "dLdW", 0) + dy.T @ self.A
    self.dLdb = getattr(self, "dLdb", 0) + dy.sum(0)[:, None]
    return dy @ self.W


def trains(self, dy):
    dx, dW, db = dy @ self.W.T, self.x.T @ dy, dy.sum(0)
    self.W = self.W - 0.1 * dW
    return dx, dW, db


def halves_its_cache(self, dy):
    dx = dy @ self.params["W"].T
    self.x = self.x / 2
    return dx, 2 * self.x.T @ dy, dy.sum(0)


def scales_dy(self, dy):
    dy *= 1 - np.tanh(self.x) ** 2
    return dy


def keeps_x(self, x):
    self.x = x
    return np.tanh(x)


def clips_x(self, x):
    self.x = np.maximum(x, 0, out=x)
    return self.x * 1.0


def keeps_the_first(self, x):
    self.x = getattr(self, "x", x)
    return np.tanh(x)


def lags(self, x):
    self.x, self.next = getattr(self, "next", x), x
    return np.tanh(x)


def tanh_slope(self, dy):
    return dy * (1 - np.tanh(self.x) ** 2)


def naive_softmax(self, x):
    e = np.exp(x)
    self.y = e / e.sum(-1, keepdims=True)
    return self.y


def softmax_gradient(self, dy):
    return self.y * (dy - np.sum(dy * self.y, -1, keepdims=True))


class Plain:
    pass


WRONG = [
    ("missing", changed(Affine, backward=lambda s, dy: (dy @ s.params["W"].T, s.x.T @ dy)), "b"),
    ("missing", linear(gradient_pass=lambda s, dy, x: {"W": dy.T @ x}), "b"),
    ("missing", changed(Mytorch, backward=lambda s, dy: dy @ s.W), "W"),
    ("not_implemented", changed(Affine, backward=raising(NotImplementedError())), "dx"),
    ("exception", changed(Affine, backward=raising(IndexError("out of range"))), "dx"),
    ("none", changed(Affine, backward=lambda s, dy: None), "dx"),
    ("swapped", changed(Bare, backward=lambda s, dy: (dy @ s.W.T, dy.sum(0), s.x.T @ dy)), "W"),
    ("transposed", linear(gradient_pass=lambda s, dy, x: {"W": x.T @ dy, "b": dy.sum(0)}), "W"),
    ("accumulated", changed(Mytorch, backward=adds_up), "W"),
    ("mutated_params", changed(Bare, backward=trains), "W"),
    ("second_backward", changed(Affine, backward=halves_its_cache), "W"),
    ("mutated_dy", changed(Plain, forward=keeps_x, backward=scales_dy), "dx"),
    ("mutated_input", changed(Plain, forward=clips_x, backward=lambda s, dy: dy * (s.x > 0)), "dx"),
    ("stale_cache", changed(Plain, forward=keeps_the_first, backward=tanh_slope), "dx"),
    ("stale_cache", changed(Plain, forward=lags, backward=tanh_slope), "dx"),
    ("non_finite", changed(Plain, forward=naive_softmax, backward=softmax_gradient), "dx"),
    ("dtype", linear(backward_pass=lambda s, dy, x: np.float32(dy @ s.params["W"])), "dx"),
]


@pytest.mark.parametrize(("code", "wrong", "array"), WRONG, ids=[w[0] for w in WRONG])
def test_a_wrong_object_fails_with_its_name(code, wrong, array):
    report = check_gradients(wrong, X)
    assert not report.ok
    assert verdicts(report)[array] == ("fail", code), str(report)


def test_a_state_that_is_no_cache_is_found():
    def forward(self, x):
        self.calls = getattr(self, "calls", 0) + len(np.unique(x))
        self.x = x
        return x * 1.0

    def backward(self, dy):
        return dy * (1 if self.calls <= 40 else 0.5)

    assert codes(changed(Plain, forward=forward, backward=backward), X) == {"dx": "state_leak"}


def test_zero_grad_makes_adding_up_right():
    def zero_grad(self):
        self.dLdW, self.dLdb = 0, 0

    assert check_gradients(changed(Mytorch, backward=adds_up, zero_grad=zero_grad), X).ok


def test_a_layer_used_twice_must_add_its_gradients():
    class Last(nn.Sequential):
        def backprop(self, dy, cache, out=None, need_dx=True):
            grads = {}
            for i in reversed(range(len(self.layers))):
                dy, found = self.layers[i].backprop(dy, cache[i][0])
                grads |= {self._names[i][key]: grad for key, grad in found.items()}
            return dy, grads

    shared = nn.Linear(5, 5, rng=0)
    assert codes(Last(shared, nn.Tanh(), shared), X) == {
        "0.W": "not_accumulated",
        "0.b": "not_accumulated",
    }


def test_a_mistake_in_evaluation_alone_is_found():
    report = check_gradients(changed(BatchNorm, evaluates=lambda self: False), X)
    assert not report.ok
    assert "in evaluation mode" in str(report)


def test_batchnorm_without_a_path_is_named():
    for code, wrong in (
        ("mean_path_missing", lambda g, n: n * (g * n).mean(0)),
        ("variance_path_missing", lambda g, n: g.mean(0)),
        ("mean_and_variance_paths_missing", lambda g, n: 0),
    ):

        def backward(self, dy, wrong=wrong):
            _, grads = BatchNorm.backward(self, dy)
            g = dy * self.params["gamma"]
            return (g - wrong(g, self.normal) * self.training) / self.deviation, grads

        assert codes(changed(BatchNorm, backward=backward), X) == {"dx": code}


# Verdicts ----------------------------------------------------------------------------------


def test_kinks_are_undecidable_and_the_other_elements_decide():
    assert verdicts(check_gradients(nn.ReLU(), np.zeros((3, 4)))) == {"dx": ("undecidable", "kink")}
    x = X.copy()
    x[0] = 0
    assert verdicts(check_gradients(nn.ReLU(), x)) == {"dx": ("pass", "")}
    wrong = layer(lambda x: (np.maximum(x, 0), x), lambda dy, x: dy * (x >= -10))
    assert codes(wrong, x) == {"dx": "missing_derivative"}


def test_ties_of_a_maximum_are_undecidable():
    maximum = layer(
        lambda x: (x.max(1), x), lambda dy, x: dy[:, None] * (x == x.max(1, keepdims=True))
    )
    assert check_gradients(maximum, X).findings[0].verdict == "pass"
    assert check_gradients(maximum, np.ones((3, 4))).findings[0].verdict == "undecidable"


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
    with pytest.raises(TypeError, match="forward and backward"):
        check_gradients(np.tanh, X)
    with pytest.raises(TypeError, match=r"write Tanh"):
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


def test_importing_the_checker_loads_numpy_alone():
    script = (
        "import sys, nnscratch.gradient_check\n"
        "assert not {'scipy', 'matplotlib'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_all_codes_of_findings_are_documented():
    for _, wrong, _ in WRONG:
        assert {f.code for f in check_gradients(wrong, X).findings} <= {"", *CODES}


# The printed mistakes of the sources -------------------------------------------------------


def correlate(x, w):
    """Valid correlation of rows with a kernel."""
    windows = np.lib.stride_tricks.sliding_window_view(x, len(w), axis=-1)
    return windows @ w


def full(dy, w):
    return np.pad(dy, ((0, 0), (len(w) - 1, len(w) - 1)))


KERNEL = np.array([0.5, -1.0, 2.0])


def scan(stride, window=3):
    def forward(x):
        starts = range(0, x.shape[1] - window + 1, stride)
        return np.stack([np.tanh(x[:, t : t + window]) @ KERNEL for t in starts], 1), x

    return forward


def scanned(backward, stride, window=3):
    """dX from the gradient of each window, put together by `backward`."""

    def together(dy, x):
        dX = np.zeros_like(x)
        for k in range(dy.shape[1]):
            t = k * stride
            part = dy[:, k, None] * KERNEL * (1 - np.tanh(x[:, t : t + window]) ** 2)
            backward(dX, t, part, window)
        return dX

    return layer(scan(stride), together)


def assign(dX, t, part, window):
    dX[:, t : t + window] = part


def last_column(dX, t, part, window):
    dX[:, t + window - 1] = part[:, -1]
    if t:
        dX[:, t : t + window - 1] += part[:, :-1]


def from_one(dX, t, part, window):
    if t >= 1:
        dX[:, t : t + window] += part


def mlp_with_mask(wrong):
    """y = W2 relu(W1 x), with the mask of the first ReLU as printed or right."""
    W1, W2 = numbers(4, 5, seed=1), numbers(4, 4, seed=2)

    def forward(x):
        z2 = x @ W1.T
        z5 = np.maximum(z2, 0) @ W2.T
        return np.maximum(z5, 0), (z2, z5)

    def backward(dy, cache):
        z2, z5 = cache
        return (dy * (z5 > 0)) @ W2 * ((z5 if wrong else z2) > 0) @ W1

    return layer(forward, backward)


def example(wrong):
    """sqrt(c) + cos(c) of [MatrixGradients]."""

    def backward(dy, c):
        if wrong:
            return dy * (1 / (2 * np.sqrt(c)) + 1) * -np.sin(c)
        return dy * (1 / (2 * np.sqrt(c)) - np.sin(c))

    return layer(lambda c: (np.sqrt(c) + np.cos(c), c), backward)


A5 = numbers(5, 5, seed=3)
POSITIVE = np.abs(X)

PRINTED = [
    (
        "[Operators] 3", "d/dx cos x = sin x",
        layer(lambda x: (np.cos(x), x), lambda dy, x: dy * np.sin(x)), (X,), {"sign"},
    ),
    (
        "[Operators] 5", "gradient of AB: the sum of the elements",
        layer(
            lambda A, B: (A @ B, (A, B)),
            lambda dy, c: (
                np.broadcast_to(c[1].sum(1), c[0].shape).copy(),
                np.broadcast_to(c[0].sum(0)[:, None], c[1].shape).copy(),
            ),
        ), (X, numbers(5, 3)), {"dy_ignored"},
    ),
    (
        "[Operators] 2", "sums over i, that is over the features",
        changed(BatchNorm, backward=lambda s, dy: (
            (lambda g: (g - (g.mean(1, keepdims=True)
                             + s.normal * (g * s.normal).mean(1, keepdims=True))
                        * s.training) / s.deviation)(dy * s.params["gamma"]),
            {"gamma": (dy * s.normal).sum(0), "beta": dy.sum(0)},
        )), (X,), set(),
    ),
    (
        "[Operators] 2", "sums to n, where they mean n - 1",
        layer(lambda x: (x.mean(0), x),
              lambda dy, x: np.broadcast_to(dy / (len(x) + 1), x.shape).copy()), (X,), set(),
    ),
    (
        "[Operators] 10", "softmax, element by element",
        layer(lambda x: (lambda e: (e / e.sum(-1, keepdims=True),) * 2)(
                  np.exp(x - x.max(-1, keepdims=True))),
              lambda dy, y: dy * y * (1 - y)), (X,), {"diagonal_jacobian"},
    ),
    (
        "[MatrixGradients] example", "the two branches multiplied",
        example(wrong=True), (POSITIVE,), set(),
    ),
    (
        "[MatrixGradients] chain rule", "f_K / f_K-1 without the d",
        layer(lambda x: (np.exp(x), x), lambda dy, x: dy * np.exp(x) / x), (X,), set(),
    ),
    (
        "[MatrixGradients] formalization", "the node's own derivative for its children's",
        layer(lambda x: (np.exp(x * x), x), lambda dy, x: dy * (2 * x) * (2 * x)), (X,), set(),
    ),
    (
        "[MatrixGradients] K = B'B", "rows of B for columns",
        layer(lambda B: (B.T @ B, B), lambda dy, B: (dy + dy.T) @ B), (A5,), set(),
    ),
    (
        "[Recitation] scanning", "= for += in overlapping windows",
        scanned(assign, 1), (X,), {"not_accumulated"},
    ),
    (
        "[Recitation] scanning", "assigns the last column, with a stride of 2",
        scanned(last_column, 2), (numbers(7, 9),), set(),
    ),
    (
        "[Recitation] scanning", "starts at t = 1",
        scanned(from_one, 1), (X,), set(),
    ),
    (
        "[Recitation] MLP step 10", "the mask 1(z5) for 1(z2)",
        mlp_with_mask(wrong=True), (X,), set(),
    ),
    (
        "[Recitation] element-wise", "L = f(y) for z = x o y",
        layer(lambda x, y: (np.tanh(x * y), (x, y)),
              lambda dy, c: ((1 - np.tanh(c[1]) ** 2) * dy * c[1],
                             (1 - np.tanh(c[1]) ** 2) * dy * c[0])),
        (X, numbers(7, 5, seed=4)), set(),
    ),
    (
        "[Recitation] rule 6", "a row and transposed as well",
        layer(lambda x: (x @ A5.T, x), lambda dy, x: dy @ A5.T), (X,), set(),
    ),
    (
        "[Proofs] 3", "(x - y*)'(y_m - y*): one factor for both",
        layer(lambda x: (((x - A5[0]) ** 2).sum(1) / 2, x),
              lambda dy, x: dy[:, None] * (x - A5[0]) / 2), (X,), {"factor_half"},
    ),
    (
        "[Proofs] 7.2", "dx = dy corr w for dy conv w",
        layer(lambda x: (correlate(x, KERNEL), x),
              lambda dy, x: correlate(full(dy, KERNEL), KERNEL)), (X,), set(),
    ),
]  # fmt: skip


def test_printed_mistakes_of_the_sources_are_caught(capsys):
    """The table: python -m pytest tests/test_gradient_check.py -k printed -s"""
    rows = []
    for source, mistake, wrong, inputs, names in PRINTED:
        report = check_gradients(wrong, *inputs)
        found = {f.code for f in report.findings if f.verdict == "fail"}
        rows.append(f"{source:<32} {mistake:<50} {'caught' if found else 'MISSED'}  "
                    f"{', '.join(sorted(found))}")  # fmt: skip
        assert not report.ok, rows[-1]
        assert not names or found == names, rows[-1]
    print("\n".join(rows))


def test_the_right_forms_of_the_printed_mistakes_pass():
    def add(dX, t, part, window):
        dX[:, t : t + window] += part

    for right, x in (
        (scanned(add, 1), X),
        (scanned(add, 2), numbers(7, 9)),
        (mlp_with_mask(wrong=False), X),
        (example(wrong=False), POSITIVE),
        (
            layer(
                lambda x: (correlate(x, KERNEL), x),
                lambda dy, x: correlate(full(dy, KERNEL), KERNEL[::-1]),
            ),
            X,
        ),
    ):
        assert check_gradients(right, x).ok


class Correlation:
    """[Proofs] 7 with channels: y[n, o] = sum over c of x[n, c] corr W[o, c]."""

    flip_x = flip_w = shift = 0

    def __init__(self):
        self.params = {"W": numbers(3, 4, 5)}

    def forward(self, x):
        self.windows = np.lib.stride_tricks.sliding_window_view(x, 5, axis=2)
        return np.einsum("ncpk,ock->nop", self.windows, self.params["W"])

    def backward(self, dy):
        dW = np.einsum("nop,ncpk->ock", dy, self.windows)
        W = self.params["W"]
        padded = np.pad(dy, ((0, 0), (0, 0), (4, 4)))
        spread = np.lib.stride_tricks.sliding_window_view(padded, 5, axis=2)
        dx = np.einsum("nopk,ock->ncp", spread, W if self.flip_x else W[:, :, ::-1])
        dW = dW[:, :, ::-1] if self.flip_w else np.roll(dW, self.shift, 2)
        return dx, {"W": np.ascontiguousarray(dW)}


def test_kernels_that_are_flipped_or_shifted_are_named():
    images = numbers(7, 4, 11)
    assert check_gradients(Correlation(), images).ok
    assert codes(changed(Correlation, flip_w=True), images) == {"W": "flipped_kernel"}
    assert codes(changed(Correlation, flip_x=True), images) == {"dx": "flipped_kernel"}
    assert codes(changed(Correlation, shift=1), images) == {"W": "shifted_kernel"}
