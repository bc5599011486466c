"""The mistakes that the sources print: each is caught."""

import numpy as np

from nnscratch.gradient_check import check_gradients
from tests.checked_objects import BatchNorm, X, changed, codes, layer, numbers

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
    """The table: python -m pytest tests/test_printed_mistakes.py -k printed -s"""
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
