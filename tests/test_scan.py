"""The scanned layer against the literal loop over time, its correlations, and torch."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nnscratch as nn
from nnscratch.layers.scan import Scan
from tests import numeric
from tests.passes import double, normal, run
from tests.scan_cases import BATCH, FEATURES, STRIDES, TIME, WINDOW, every_stride, mlp

# The gradients -------------------------------------------------------------------------------


@pytest.mark.parametrize("stride", [*STRIDES, 6])
@pytest.mark.parametrize(
    "layer",
    [
        lambda: nn.Linear(12, 2),
        lambda: nn.Linear(12, 2, bias=False),
        lambda: nn.Sequential(nn.Linear(12, 7), nn.Tanh(), nn.Linear(7, 2)),
        lambda: nn.Softmax(),
        lambda: nn.Softmax(axis=0),  # over all windows of all samples
    ],
    ids=["linear", "no-bias", "mlp", "softmax", "softmax-of-the-batch"],
)
def test_gradients_equal_central_differences(layer, stride):
    numeric.check_layer(double(Scan(layer(), WINDOW, stride)), normal(BATCH, 11, FEATURES))


def test_the_gradient_checker_finds_nothing():
    nn.assert_gradients(Scan(nn.Linear(12, 2, rng=1), WINDOW, stride=3), normal(5, 11, 3))


def test_gradient_of_overlapping_windows_counts_them():
    scan = Scan(nn.Identity(), window=3)
    scan.forward(np.zeros((1, 6, 1)))
    dx, grads = scan.backward(np.ones((1, 4, 3)))
    np.testing.assert_array_equal(dx[0, :, 0], [1, 2, 3, 3, 2, 1])
    assert grads == {}


@pytest.mark.parametrize(
    ("window", "stride", "counts"),
    [
        (3, 2, [1, 1, 2, 1, 2, 1, 1, 0]),
        (3, 3, [1, 1, 1, 1, 1, 1, 0, 0]),
        (2, 3, [1, 1, 0, 1, 1, 0, 1, 1]),
        (5, 4, [1, 1, 1, 1, 1, 0, 0, 0]),
        (8, 9, [1] * 8),
    ],
)
def test_time_that_no_window_sees_has_gradient_zero(window, stride, counts):
    scan = Scan(nn.Identity(), window, stride)
    y = scan.forward(normal(2, 8, 3))
    dx, _ = scan.backward(np.ones_like(y))
    np.testing.assert_array_equal(dx, np.broadcast_to(np.array(counts)[:, None], (2, 8, 3)))


def test_windows_are_flattened_time_first():
    x = np.arange(12.0).reshape(1, 4, 3)
    y = Scan(nn.Identity(), window=2, stride=2).forward(x)
    np.testing.assert_array_equal(y, [[[0, 1, 2, 3, 4, 5], [6, 7, 8, 9, 10, 11]]])


@settings(max_examples=60, deadline=None)
@given(
    batch=st.integers(0, 3),
    features=st.integers(1, 3),
    window=st.integers(1, 5),
    stride=st.integers(1, 6),
    extra=st.integers(0, 7),
)
def test_any_size_equals_the_windows_one_by_one(batch, features, window, stride, extra):
    layer = double(nn.Linear(window * features, 2))
    x = normal(batch, window + extra, features)
    y, dx, grads = run(Scan(layer, window, stride), x)
    positions = extra // stride + 1
    assert y.shape == (batch, positions, 2)
    dy = normal(*y.shape, seed=5)
    expected_dx = np.zeros(x.shape)
    expected = {name: np.zeros(array.shape) for name, array in layer.params.items()}
    for t in range(positions):
        window_of_t = slice(t * stride, t * stride + window)
        rows = x[:, window_of_t].reshape(batch, window * features)
        numeric.close(y[:, t], layer.forward(rows), 1e-12)
        dx_of_t, grads_of_t = layer.backward(dy[:, t])
        expected_dx[:, window_of_t] += dx_of_t.reshape(batch, window, features)
        for name in expected:
            expected[name] += grads_of_t[name]
    numeric.close(dx, expected_dx, 1e-12)
    for name in expected:
        numeric.close(grads[name], expected[name], 1e-12)


@every_stride
@pytest.mark.parametrize("order", [(0, 1, 2), (1, 2, 0), (2, 1, 0)])
def test_inputs_of_any_memory_order_are_only_read(stride, order):
    scan, x = double(Scan(mlp(), WINDOW, stride)), normal(BATCH, TIME, FEATURES)
    expected = run(scan, x)
    same = np.ascontiguousarray(x.transpose(order)).transpose(np.argsort(order))
    dy = np.asfortranarray(normal(*expected[0].shape, seed=5))
    for array in (same, dy):
        array.flags.writeable = False
    numeric.close(scan.forward(same), expected[0], 1e-13)
    dx, grads = scan.backward(dy)
    numeric.close(dx, expected[1], 1e-13)
    for name in grads:
        numeric.close(grads[name], expected[2][name], 1e-13)


def test_nothing_is_computed_for_dx_where_it_is_not_needed():
    scan = double(Scan(mlp(), WINDOW, 2))
    y, cache = scan.forward_pass(normal(BATCH, TIME, FEATURES))
    dy = normal(*y.shape, seed=5)
    dx, grads = scan.backprop(dy, cache)
    np.testing.assert_array_equal(scan.backward_pass(dy, cache), dx)
    called = []
    first = scan.layers[0][0]
    first.backward_pass = lambda dy, cache: called.append(1)
    none, same = scan.backprop(dy, cache, need_dx=False)
    assert none is None
    assert scan.gradient_pass(dy, cache).keys() == grads.keys()
    assert called == []
    for name in grads:
        np.testing.assert_array_equal(same[name], grads[name])


def test_gradients_are_written_where_out_says():
    scan = double(Scan(mlp(), WINDOW, 3))
    y, cache = scan.forward_pass(normal(BATCH, TIME, FEATURES))
    dy = normal(*y.shape, seed=5)
    expected = scan.gradient_pass(dy, cache)
    out = {name: np.full_like(array, np.nan) for name, array in scan.params.items()}
    for found in (scan.gradient_pass(dy, cache, out), scan.backprop(dy, cache, out)[1]):
        for name in out:
            assert found[name] is out[name]
            numeric.close(out[name], expected[name], 1e-13)  # BLAS sums in out's memory order


def test_gradient_of_a_layer_inside_and_outside_of_the_scan_adds_up():
    shared = nn.Linear(6, 6)
    model = double(nn.Sequential(Scan(shared, window=3, stride=2), nn.Mean(1), nn.Tanh(), shared))
    assert list(model.params) == ["0.W", "0.b"]
    numeric.check_layer(model, normal(5, 8, 2))


def test_a_scan_of_a_scan_looks_further():
    inner = Scan(nn.Linear(6, 5), window=2, stride=2)
    model = double(nn.Sequential(inner, nn.Tanh(), Scan(nn.Linear(15, 2), window=3)))
    assert model.forward(normal(7, 13, 3)).shape == (7, 4, 2)
    numeric.check_layer(model, normal(7, 13, 3))


# A container like the others -----------------------------------------------------------------


def test_params_have_the_names_of_the_scanned_layer(tmp_path):
    linear = nn.Linear(12, 2, rng=1)
    scan = Scan(linear, WINDOW)
    assert list(scan.params) == ["W", "b"]
    assert scan.params["W"] is linear.params["W"]
    assert scan.layers == (linear,)
    nn.save(scan, tmp_path / "scan.npz")
    other = Scan(nn.Linear(12, 2, rng=2), WINDOW)
    nn.load(other, tmp_path / "scan.npz")
    np.testing.assert_array_equal(other.params["W"], linear.params["W"])
    nn.load(nn.Linear(12, 2), tmp_path / "scan.npz")  # the names are the layer's own


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_dtype_is_that_of_the_parameters(dtype):
    scan = Scan(mlp(), WINDOW).astype(dtype)
    for x in (normal(5, 6, 3), np.ones((5, 6, 3), int), normal(5, 6, 3).astype("f4")):
        y, dx, grads = run(scan, x)
        assert {a.dtype for a in (y, dx, *grads.values())} == {np.dtype(dtype)}
    assert {a.dtype for a in scan.layers[0].params.values()} == {np.dtype(dtype)}


def test_after_forward_the_layer_inside_has_all_windows_as_one_batch():
    scan = double(Scan(nn.Linear(12, 2), WINDOW, 2))
    y, dx, grads = run(scan, normal(BATCH, TIME, FEATURES))
    (linear,) = scan.layers
    rows, same = linear.backward(normal(*y.shape, seed=5).reshape(-1, 2))
    assert rows.shape == (BATCH * 6, 12)
    np.testing.assert_array_equal(same["W"], grads["W"])
    twice = scan.backward(normal(*y.shape, seed=5))
    np.testing.assert_array_equal(twice[0], dx)


def test_a_layer_that_looks_at_its_batch_has_all_windows_for_it():
    class Centre(nn.Layer):
        def __init__(self):
            self.buffers = {"mean": np.zeros(6)}

        def forward_pass(self, x):
            self.buffers["mean"] = x.mean(0)
            return x - x.mean(0), None

        def backward_pass(self, dy, cache):
            return dy - dy.mean(0)

    scan, x = Scan(Centre(), window=3, stride=2), normal(5, 8, 2)
    windows = np.stack([x[:, t : t + 3].reshape(5, 6) for t in (0, 2, 4)], axis=1)
    numeric.close(scan.forward(x), windows - windows.mean((0, 1)), 1e-13)
    assert list(scan.buffers) == ["mean"]
    numeric.close(scan.buffers["mean"], windows.mean((0, 1)), 1e-13)
    numeric.check_layer(scan, x)


def test_dropout_draws_for_each_window_and_rests_in_evaluation():
    scan = Scan(nn.Dropout(0.5, rng=0), window=3)
    x = np.ones((1, 200, 1))
    y = scan.forward(x)[0]
    assert not np.array_equal(y[:-1, 1], y[1:, 0])  # one place of x in two windows
    dx, _ = scan.backward(np.ones_like(y)[np.newaxis])
    assert dx[0, 5, 0] == y[5, 0] + y[4, 1] + y[3, 2]  # each window with its own mask
    assert scan.eval().layers[0].training is False
    np.testing.assert_array_equal(scan.forward(x), np.ones((1, 198, 3)))


def test_a_layer_that_reads_indices_has_no_dx():
    class Lookup(nn.Layer):
        def __init__(self):
            self.params = {"W": np.arange(8.0).reshape(4, 2)}

        def forward_pass(self, x):
            return self.params["W"][x], x

        def backward_pass(self, dy, x):
            return None

        def gradient_pass(self, dy, x):
            W = np.zeros((4, 2))
            np.add.at(W, x, dy)
            return {"W": W}

    model = Scan(nn.Sequential(Lookup(), nn.Flatten(), nn.Linear(6, 5)), window=3)
    y = model.forward(np.array([[[0], [1], [2], [3], [0]]]))
    assert y.shape == (1, 3, 5)
    dx, grads = model.backward(np.ones_like(y))
    assert dx is None
    assert grads["0.W"].shape == (4, 2)
    y = Scan(Lookup(), window=3).forward(np.array([[[0], [1], [2], [3]]]))
    assert y.shape == (1, 2, 3, 2)  # what the layer returns for a row, whatever its shape


def test_the_repr_says_what_is_scanned():
    assert repr(Scan(nn.Linear(12, 3), 4)) == "Scan(Linear(12, 3), window=4)"
    assert repr(Scan(nn.Linear(12, 3), 4, 2)) == "Scan(Linear(12, 3), window=4, stride=2)"


# Errors --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((nn.Tanh, 3), r"the argument of Scan is not a layer .* write Tanh\(\) with parentheses"),
        ((np.tanh, 3), "the argument of Scan is not a layer but ufunc"),
        ((nn.Tanh(), 0), "Scan expected window to be a positive int, received 0"),
        ((nn.Tanh(), 2.5), r"Scan expected window to be a positive int, received 2\.5"),
        ((nn.Tanh(), (3,)), r"Scan expected window to be a positive int, received \(3,\)"),
        ((nn.Tanh(), 3, -1), "Scan expected stride to be a positive int, received -1"),
        ((nn.Tanh(), 3, None), "Scan expected stride to be a positive int, received None"),
    ],
)
def test_wrong_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        Scan(*arguments)


@pytest.mark.parametrize("shape", [(), (8,), (8, 3), (5, 8, 3, 1)])
def test_an_input_of_another_rank_is_refused(shape):
    message = r"Scan\(Linear\(12, 2\), window=4\) expected \(batch, time, features\), received .*;"
    with pytest.raises(ValueError, match=message + r" one sequence is a batch of one, x\[np.newax"):
        Scan(nn.Linear(12, 2), 4).forward(np.zeros(shape))


def test_time_shorter_than_the_window_is_refused():
    with pytest.raises(ValueError, match=r"time of at least 4, received \(5, 3, 3\); pass longer"):
        Scan(nn.Linear(12, 2), 4).forward(np.zeros((5, 3, 3)))
    assert Scan(nn.Linear(12, 2), 4).forward(np.zeros((5, 4, 3))).shape == (5, 1, 2)


def test_a_layer_of_another_width_says_what_a_window_is():
    with pytest.raises(ValueError, match=r"make it Linear\(20, 2\)") as error:
        Scan(nn.Linear(12, 2), 4).forward(np.zeros((7, 9, 5)))
    assert str(error.value).startswith("Linear(12, 2) expected (12,) or (batch, 12), received")
    (note,) = error.value.__notes__
    assert note == "in Scan: a window of 4 steps with 5 features each is a row of 20"


def test_a_layer_that_mixes_the_windows_into_another_number_of_rows_is_refused():
    for layer in (nn.Sum(), nn.Sum(0), nn.Transpose()):
        with pytest.raises(ValueError, match="expected its layer to return 30 rows, one for each"):
            Scan(layer, 4).forward(np.ones((5, 9, 3)))


def test_a_dy_of_another_shape_is_refused():
    scan = Scan(nn.Linear(12, 2), 4)
    y = scan.forward(np.zeros((5, 9, 3)))
    for wrong in (y[:, :1], y.reshape(-1, 2), y.transpose(0, 2, 1)):
        with pytest.raises(ValueError, match=r"expected dy of the shape of y \(5, 6, 2\)"):
            scan.backward(wrong)


# Agreement with torch ------------------------------------------------------------------------


@pytest.mark.torch
@every_stride
def test_values_and_gradients_agree_with_torch(stride):
    torch = pytest.importorskip("torch")
    scan, x = double(Scan(nn.Linear(12, 2), WINDOW, stride)), normal(BATCH, TIME, FEATURES)
    y, dx, grads = run(scan, x)
    dy = torch.tensor(normal(*y.shape, seed=5))

    def unfolded(x, W, b):
        windows = x.unfold(1, WINDOW, stride).transpose(2, 3).flatten(2)
        return torch.nn.functional.linear(windows, W, b)

    def correlated(x, W, b):
        kernel = W.reshape(2, WINDOW, FEATURES).transpose(1, 2)
        return torch.nn.functional.conv1d(x.transpose(1, 2), kernel, b, stride).transpose(1, 2)

    for function in (unfolded, correlated):
        tensors = [
            torch.tensor(np.array(a), requires_grad=True)
            for a in (x, scan.params["W"], scan.params["b"])
        ]
        theirs = function(*tensors)
        theirs.backward(dy)
        numeric.close(y, theirs.detach().numpy(), 1e-12)
        for found, tensor in zip((dx, grads["W"], grads["b"]), tensors, strict=True):
            numeric.close(found, tensor.grad.numpy(), 1e-12)
