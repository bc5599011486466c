"""Scan against the literal loop over time."""

import numpy as np
import pytest

from nnscratch.layers.scan import Scan
from tests import numeric
from tests.passes import double, normal, run
from tests.scan_cases import BATCH, FEATURES, OUT, STRIDES, TIME, WINDOW, every_stride, mlp

# The loop over t of [Recitation] Example 2 -----------------------------------------------------


def forward_at(p, x):
    """Every z of one window: steps 1 to 8, in unary and binary operations."""
    z = {0: x.reshape(-1)}
    z[1] = p["0.W"] @ z[0]
    z[2] = z[1] + p["0.b"]
    z[3] = np.maximum(z[2], 0)
    z[4] = p["2.W"] @ z[3]
    z[5] = z[4] + p["2.b"]
    z[6] = np.maximum(z[5], 0)
    z[7] = p["4.W"] @ z[6]
    return z, z[7] + p["4.b"]


def backward_at(p, z, dy, grads):
    """dx(t), with the gradients of the parameters added to `grads`: steps 1 to 14."""
    grads["4.b"] += dy
    grads["4.W"] += np.outer(dy, z[6])
    dz5 = (dy @ p["4.W"]) * (z[5] > 0)
    grads["2.b"] += dz5
    grads["2.W"] += np.outer(dz5, z[3])
    dz2 = (dz5 @ p["2.W"]) * (z[2] > 0)
    grads["0.b"] += dz2
    grads["0.W"] += np.outer(dz2, z[0])
    return (dz2 @ p["0.W"]).reshape(WINDOW, FEATURES)


def loop(p, x, stride, order, seed=5):
    """(y, dx, grads, the dx(t) of every window), t in the order given."""
    positions = (x.shape[1] - WINDOW) // stride + 1
    y = np.zeros((len(x), positions, OUT))
    dy = normal(*y.shape, seed=seed)
    rows = np.zeros((len(x), positions, WINDOW, FEATURES))
    dx = np.zeros(x.shape)
    grads = {name: np.zeros(array.shape) for name, array in p.items()}
    for n in range(len(x)):
        for t in order(positions):
            window = slice(t * stride, t * stride + WINDOW)
            z, y[n, t] = forward_at(p, x[n, window])
            rows[n, t] = backward_at(p, z, dy[n, t], grads)
            dx[n, window] += rows[n, t]
    return y, dx, grads, rows


def descending(positions):
    return reversed(range(positions))


def shuffled(positions):
    return np.random.default_rng(3).permutation(positions)


@every_stride
@pytest.mark.parametrize("order", [range, descending, shuffled], ids=lambda o: o.__name__)
def test_scan_equals_the_loop_over_time_in_any_order(stride, order):
    scan, x = double(Scan(mlp(), WINDOW, stride)), normal(BATCH, TIME, FEATURES)
    expected = loop(scan.params, x, stride, order)
    y, dx, grads = run(scan, x)
    numeric.close(y, expected[0], 1e-12)
    numeric.close(dx, expected[1], 1e-12)
    assert list(grads) == list(scan.params) == ["0.W", "0.b", "2.W", "2.b", "4.W", "4.b"]
    for name, grad in grads.items():
        numeric.close(grad, expected[2][name], 1e-12)


def restricted_form(rows, stride, order, unset):
    """dX by the printed steps 15 and 16: "=" for the first window and for each last column."""
    dx = np.full((BATCH, TIME, FEATURES), unset)
    first, *rest = order(rows.shape[1])
    dx[:, first * stride : first * stride + WINDOW] = rows[:, first]
    for t in rest:
        last = t * stride + WINDOW - 1
        dx[:, t * stride : last] += rows[:, t, :-1]
        dx[:, last] = rows[:, t, -1]
    return dx


def test_the_printed_equals_sign_holds_for_stride_1_ascending_only():
    x = normal(BATCH, TIME, FEATURES)

    def both(stride, order, unset):
        scan = double(Scan(mlp(), WINDOW, stride))
        rows = loop(scan.params, x, stride, range)[3]
        return restricted_form(rows, stride, order, unset), run(scan, x)[1]

    printed, right = both(1, range, unset=np.nan)  # no zeros are needed: "=" comes first
    numeric.close(printed, right, 1e-12)
    for stride in STRIDES[1:]:  # += meets places that nothing has set
        printed, right = both(stride, range, unset=np.nan)
        assert np.isnan(printed[:, WINDOW]).all()
        assert np.isfinite(right).all()
    for order in (descending, shuffled):  # "=" wipes out what was added before
        for stride in (1, 2, 3):
            printed, right = both(stride, order, unset=0.0)
            assert np.abs(printed - right).max() > 0.1
