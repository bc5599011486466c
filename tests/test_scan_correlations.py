"""Scan as correlations."""

import numpy as np
import pytest

import nnscratch as nn
from nnscratch.layers import activations
from nnscratch.layers.operators import elementwise
from nnscratch.layers.scan import Scan
from nnscratch.layers.spatial.correlation import Correlation1d
from tests import numeric
from tests.passes import double, normal, run
from tests.scan_cases import BATCH, FEATURES, TIME, WINDOW, every_stride, mlp

# As correlations -----------------------------------------------------------------------------

SCANNED = {
    "linear": lambda: nn.Linear(12, 2),
    "no bias": lambda: nn.Linear(12, 2, bias=False),
    "mlp": mlp,
    "nested": lambda: nn.Sequential(
        nn.Flatten(),
        nn.Sequential(nn.Linear(12, 7), nn.Sequential(nn.Tanh()), nn.Dropout(0.4).eval()),
        nn.Linear(7, 2, bias=False),
        nn.Identity(),
    ),
    "softmax": lambda: nn.Sequential(nn.Linear(12, 7), nn.Softmax(), nn.Linear(7, 2)),
    "log-softmax": lambda: nn.Sequential(nn.Tanh(), nn.Linear(12, 2), nn.LogSoftmax(axis=1)),
}


@every_stride
@pytest.mark.parametrize("name", SCANNED)
def test_scan_equals_its_correlations(name, stride):
    scan, x = double(Scan(SCANNED[name](), WINDOW, stride)), normal(BATCH, TIME, FEATURES)
    correlations = scan.as_correlation()
    y, dx, grads = run(scan, x)
    dy = normal(*y.shape, seed=5)
    numeric.close(correlations.forward(x.transpose(0, 2, 1)).transpose(0, 2, 1), y, 1e-12)
    other_dx, others = correlations.backward(dy.transpose(0, 2, 1))
    numeric.close(other_dx.transpose(0, 2, 1), dx, 1e-12)
    assert len(others) == len(grads)
    for found, expected in zip(others.values(), grads.values(), strict=True):
        if found.ndim == 3:  # (hidden, features, window), as Linear's rows: time first
            found = found.transpose(0, 2, 1).reshape(expected.shape)
        numeric.close(found, expected, 1e-12)


def test_a_bias_behind_a_linear_becomes_the_bias_of_the_correlation():
    layers = [nn.Linear(12, 7, bias=False), nn.Bias(7), nn.ReLU(), nn.Linear(7, 2), nn.Bias(2)]
    scan, x = double(Scan(nn.Sequential(*layers), WINDOW, 2)), normal(BATCH, TIME, FEATURES)
    correlations = scan.as_correlation()
    assert list(correlations.params) == ["0.W", "0.b", "2.W", "2.b"]
    y, _, grads = run(scan, x)
    found = correlations.forward(x.transpose(0, 2, 1)).transpose(0, 2, 1)
    numeric.close(found, y, 1e-12)
    _, others = correlations.backward(normal(*y.shape, seed=5).transpose(0, 2, 1))
    numeric.close(others["0.b"], grads["1.b"], 1e-12)
    numeric.close(others["2.b"], grads["4.b"], 1e-12)


def element_wise():
    found = [*vars(activations).values(), *vars(elementwise).values()]
    layers = {c for c in found if isinstance(c, type) and getattr(c, "element_wise", False)}
    return sorted(layers, key=lambda c: c.__name__)


@pytest.mark.parametrize("kind", element_wise(), ids=lambda c: c.__name__)
def test_every_element_wise_layer_is_kept(kind):
    layer = kind(3) if kind is nn.Power else kind()
    scan = double(Scan(nn.Sequential(layer, nn.Linear(12, 2)), WINDOW, 2))
    x = np.random.default_rng(0).uniform(0.5, 2, (BATCH, TIME, FEATURES))
    correlations = scan.as_correlation()
    assert [type(inner) for inner in correlations] == [kind, Correlation1d]
    assert repr(correlations[0]) == repr(layer)
    found = correlations.forward(x.transpose(0, 2, 1)).transpose(0, 2, 1)
    numeric.close(found, scan.forward(x), 1e-12)


def test_the_correlations_have_their_own_weights_and_layers():
    dropout = nn.Dropout(0.5, rng=1).eval()
    scan = Scan(nn.Sequential(nn.Linear(12, 7), dropout, nn.Linear(7, 2)), WINDOW, 2)
    kept = scan.params.copy()
    correlations = scan.as_correlation()
    assert repr(correlations[0]) == "Correlation1d(3, 7, 4, stride=2)"
    assert repr(correlations[2]) == "Correlation1d(7, 2, 1)"
    assert correlations[1] is not dropout
    assert correlations[1].training is False
    for array in correlations.params.values():
        array += 1
    correlations.train()
    for name, array in scan.params.items():
        np.testing.assert_array_equal(array, kept[name])
    assert dropout.training is False


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_correlations_have_the_dtype_of_the_weights(dtype):
    layers = [nn.Linear(12, 7, bias=False), nn.Bias(7), nn.Tanh(), nn.Linear(7, 2)]
    correlations = Scan(nn.Sequential(*layers), WINDOW).astype(dtype).as_correlation()
    assert {a.dtype for a in correlations.params.values()} == {np.dtype(dtype)}


class Wider(nn.Linear):
    """A subclass that may compute anything."""


@pytest.mark.parametrize(
    ("layers", "named"),
    [
        ([nn.Linear(12, 7), nn.Residual(nn.Tanh())], r"Residual\(Tanh\(\)\)"),
        ([nn.Linear(12, 7), nn.Softmax(axis=0)], r"Softmax\(axis=0\)"),
        ([nn.Softmax(), nn.Linear(12, 7)], r"Softmax\(axis=-1\)"),
        ([nn.Linear(12, 7), nn.Tanh(), nn.Bias(7)], r"Bias\(7\)"),
        ([nn.Bias(12), nn.Linear(12, 7)], r"Bias\(12\)"),
        ([nn.Linear(12, 7), nn.Sum(1)], r"Sum\("),
        ([Wider(12, 7)], r"Linear\(12, 7\)"),
        ([Scan(nn.Linear(12, 7), 4)], r"Scan\("),
    ],
    ids=lambda value: value[:6] if isinstance(value, str) else "",
)
def test_what_is_no_mlp_is_named(layers, named):
    message = rf"as_correlation expected Linear and element-wise .* received {named}.*; keep the"
    with pytest.raises(ValueError, match=message):
        Scan(nn.Sequential(*layers), 4).as_correlation()


def test_a_scan_without_weights_has_no_correlations():
    with pytest.raises(ValueError, match=r"with a Linear inside, received Tanh\(\)"):
        Scan(nn.Tanh(), 4).as_correlation()


def test_a_linear_that_no_window_fits_has_no_correlations():
    with pytest.raises(ValueError, match=r"window=5, received Linear\(12, 2\); .* multiple of 5"):
        Scan(nn.Linear(12, 2), 5).as_correlation()
