"""What every layer promises, run on every case of layer_cases.py."""

import copy
import itertools
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nnscratch as nn
from tests import numeric, sequence_cases, space_cases, test_operators
from tests.layer_cases import CASES as FLAT_CASES

CASES = FLAT_CASES + space_cases.CASES + sequence_cases.CASES


def cases(condition=lambda case: True):
    chosen = [case for case in CASES if condition(case)]
    names = [f"{i}-{case.build()!r}".split("\n")[0] for i, case in enumerate(chosen)]
    return pytest.mark.parametrize("case", chosen, ids=names)


every_case = cases()


def double(case):
    """The case's layer in float64, with parameters that no initializer made."""
    layer = case.build().astype("f8")
    rng = np.random.default_rng(11)
    for name, array in layer.params.items():
        layer.params[name] = rng.normal(size=array.shape)
    return layer


def run(layer, x, seed=5):
    """(y, dx, grads) under a random dy."""
    y = layer.forward(x)
    dx, grads = layer.backward(np.random.default_rng(seed).normal(size=y.shape).astype(y.dtype))
    return y, dx, grads


def test_every_exported_layer_has_a_case():
    operators = {type(case.layer).__name__ for case in test_operators.CASES}
    # no dx, several outputs, three inputs: tests of their own
    elsewhere = {"Embedding", "Where", "Split", "Attention"}
    covered = {case.name for case in CASES} | operators | elsewhere
    exported = {getattr(nn.layers, name).__name__ for name in nn.layers.__all__}
    assert exported - {"Layer"} <= covered


@every_case
def test_gradients_equal_central_differences(case):
    for seed in range(3):
        rng = np.random.default_rng(seed)
        numeric.check_layer(double(case), case.input(rng), seed=seed)


@pytest.mark.torch
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@cases(lambda case: case.torch is not None)
def test_values_and_gradients_agree_with_torch(case, dtype):
    torch = pytest.importorskip("torch")
    tolerance = 1e-10 if dtype == "float64" else case.float32

    @settings(max_examples=15, deadline=None)
    @given(batch=st.integers(0, 9), seed=st.integers(0, 2**31))
    def agrees(batch, seed):
        batch = max(batch, 1) if not case.batch_axis else batch
        rng = np.random.default_rng(seed)
        layer = double(case).astype(dtype)
        x = case.input(rng, batch).astype(dtype)
        y = layer.forward(x)
        dy = rng.normal(size=y.shape).astype(dtype)
        dx, grads = layer.backward(dy)
        tensors = {
            k: torch.tensor(np.array(v), requires_grad=True) for k, v in layer.params.items()
        }
        tx = torch.tensor(x, requires_grad=True)
        ty = case.torch(torch, tensors, tx)
        ty.backward(torch.tensor(dy))
        numeric.close(y, ty.detach().numpy(), tolerance)
        numeric.close(dx, tx.grad.numpy(), tolerance)
        for name, tensor in tensors.items():
            numeric.close(grads[name], tensor.grad.numpy(), tolerance)

    agrees()


@pytest.mark.torch
@cases(lambda case: not (case.name == "Dropout" and case.build().training))  # draws a mask
def test_gradcheck_of_torch_passes(case):
    torch = pytest.importorskip("torch")
    layer = double(case)

    class Wrapped(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, *params):
            for name, value in zip(layer.params, params, strict=True):
                layer.params[name] = value.detach().numpy()
            y, ctx.kept = layer.forward_pass(x.detach().numpy())
            return torch.tensor(y)

        @staticmethod
        @torch.autograd.function.once_differentiable
        def backward(ctx, dy):
            dx, grads = layer.backprop(dy.numpy(), ctx.kept)
            return torch.tensor(dx), *(torch.tensor(np.array(g)) for g in grads.values())

    values = [case.input(np.random.default_rng(0)), *layer.params.copy().values()]
    assert torch.autograd.gradcheck(
        Wrapped.apply, [torch.tensor(np.array(value), requires_grad=True) for value in values]
    )


@every_case
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_dtype_stays(case, dtype):
    layer = case.build().astype(dtype)
    y, dx, grads = run(layer, case.input(np.random.default_rng(0)).astype(dtype))
    assert {a.dtype for a in (y, dx, *grads.values())} == {np.dtype(dtype)}


@every_case
def test_parameters_decide_the_dtype_and_integers_become_float32(case):
    x = case.input(np.random.default_rng(0))
    layer = case.build()
    expected = np.float32 if layer.params else np.float64
    assert layer.forward(x).dtype == expected
    dx, grads = layer.backward(np.ones(layer.forward(x).shape, np.float64))
    assert {a.dtype for a in (dx, *grads.values())} == {np.dtype(expected)}
    if case.name != "Sequential" or layer.layers:
        assert layer.forward(x.astype(np.int64)).dtype == np.float32


@every_case
def test_inputs_of_any_memory_order_are_only_read(case):
    rng = np.random.default_rng(0)
    x = case.input(rng)
    state = copy.deepcopy(double(case))
    expected = run(copy.deepcopy(state), x)
    spread = np.repeat(x, 2, axis=-1)[..., ::2]
    for same in (x, np.asfortranarray(x), spread):
        layer = copy.deepcopy(state)
        same.flags.writeable = False
        y = layer.forward(same)
        dy = np.random.default_rng(5).normal(size=y.shape)
        dy.flags.writeable = False
        dx, grads = layer.backward(dy)
        for found, wanted in zip((y, dx), expected, strict=False):
            np.testing.assert_allclose(found, wanted, rtol=1e-13, atol=1e-15)
        for name in grads:
            np.testing.assert_allclose(grads[name], expected[2][name], rtol=1e-12, atol=1e-14)


@every_case
def test_returned_arrays_are_never_overwritten(case):
    layer = double(case)
    rng = np.random.default_rng(0)
    y, dx, grads = run(layer, case.input(rng))
    kept = [a.copy() for a in (y, dx, *grads.values())]
    for seed in (1, 2):
        run(layer, case.input(rng), seed=seed)
    for array, before in zip((y, dx, *grads.values()), kept, strict=True):
        np.testing.assert_array_equal(array, before)


@every_case
def test_a_second_backward_is_equal(case):
    layer = double(case)
    y, dx, grads = run(layer, case.input(np.random.default_rng(0)))
    again, grads_again = layer.backward(np.random.default_rng(5).normal(size=y.shape))
    np.testing.assert_array_equal(dx, again)
    for name in grads:
        np.testing.assert_array_equal(grads[name], grads_again[name])


@cases(lambda case: case.batch_axis)
def test_a_smaller_batch_after_a_larger_leaves_nothing_behind(case):
    layer = double(case)
    large = case.input(np.random.default_rng(0), 7)
    y, dx, _ = run(layer, large)
    dy = np.random.default_rng(5).normal(size=y.shape)
    small_y = layer.forward(large[:3])
    small_dx, small = layer.backward(dy[:3])
    numeric.close(small_y, y[:3], 1e-13)
    numeric.close(small_dx, dx[:3], 1e-13)
    _, rest = (layer.forward(large[3:]), layer.backward(dy[3:]))[1]
    layer.forward(large)
    _, whole = layer.backward(dy)
    for name in whole:  # a batch sums over its samples
        numeric.close(small[name] + rest[name], whole[name], 1e-12)


@cases(lambda case: case.batch_axis and case.single)
def test_one_sample_equals_a_batch_of_one(case):
    layer = double(case)
    x = case.input(np.random.default_rng(0), 1)
    y, dx, grads = run(layer, x)
    one_y, one_dx, one_grads = run(layer, x[0])
    numeric.close(one_y, y[0], 1e-13)
    numeric.close(one_dx, dx[0], 1e-13)
    for name in grads:
        numeric.close(one_grads[name], grads[name], 1e-13)


def fits_twice(case):
    """Whether its output, by a Linear if need be, fits its input again."""
    x = case.input(np.random.default_rng(0))
    return x.ndim == 2 or case.build().forward(x).shape == x.shape


@cases(fits_twice)
def test_used_twice_the_gradients_add_up(case):
    layer = double(case)
    x = case.input(np.random.default_rng(0))
    if layer.forward(x).shape != x.shape:  # let its output fit its input again
        size = (layer.forward(x).shape[-1], x.shape[-1])
        between = nn.Linear(*size, rng=3).astype("f8")
        model = nn.Sequential(layer, between, layer)
    else:
        model = nn.Sequential(layer, layer)
    assert len(model.params) == len(layer.params) + (2 if len(model) == 3 else 0)
    if "ReLU" in repr(layer):
        x = np.abs(x)
    numeric.check_layer(model, x, tolerance=1e-6)


@cases(lambda case: not (case.name == "Dropout" and case.build().training))  # draws a mask
def test_the_passes_have_no_hidden_state(case):
    layer = double(case)
    rng = np.random.default_rng(0)
    first, second = case.input(rng), case.input(rng)
    y, cache = layer.forward_pass(first)
    assert layer.cache is None
    dy = rng.normal(size=y.shape)
    dx, grads = layer.backward_pass(dy, cache), layer.gradient_pass(dy, cache)
    layer.forward_pass(second)
    layer.forward(second)
    np.testing.assert_array_equal(layer.backward_pass(dy, cache), dx)
    both_dx, both = layer.backprop(dy, cache)
    np.testing.assert_allclose(both_dx, dx, rtol=1e-14)
    assert layer.backprop(dy, cache, need_dx=False)[0] is None
    for name, grad in layer.gradient_pass(dy, cache).items():
        np.testing.assert_array_equal(grad, grads[name])
        np.testing.assert_array_equal(both[name], grads[name])


@cases(lambda case: case.name in ("Linear", "Bias", "Sequential", "Residual", "Scan"))
def test_gradients_are_written_where_out_says(case):
    layer = double(case)
    y, cache = layer.forward_pass(case.input(np.random.default_rng(0)))
    dy = np.random.default_rng(1).normal(size=y.shape)
    expected = layer.gradient_pass(dy, cache)
    out = {name: np.full_like(array, np.nan) for name, array in layer.params.items()}
    found = layer.gradient_pass(dy, cache, out)
    for name in out:
        assert found[name] is out[name]
        numeric.close(out[name], expected[name], 1e-13)


@every_case
@pytest.mark.parametrize("copied", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_copies_compute_the_same_on_their_own(case, copied):
    layer = double(case)
    x = case.input(np.random.default_rng(0))
    twin = copied(layer)
    for found, expected in zip(run(twin, x)[:2], run(layer, x)[:2], strict=True):
        np.testing.assert_array_equal(found, expected)
    for name in twin.params:
        twin.params[name] += 1
        assert not np.array_equal(twin.params[name], layer.params[name])


@every_case
def test_backward_before_forward_names_the_layer(case):
    layer = case.build()
    with pytest.raises(RuntimeError, match=r"backward came before forward; call forward") as error:
        layer.backward(np.zeros(3))
    assert case.name in str(error.value)


@every_case
def test_a_dy_of_another_shape_is_refused_even_if_it_would_broadcast(case):
    layer = case.build()
    y = layer.forward(case.input(np.random.default_rng(0)))
    for wrong in (y[..., :1], y[:1], y[0], y.T, np.float32(1)):
        with pytest.raises(ValueError, match="expected dy of the shape of y"):
            layer.backward(wrong)


# Single layers -------------------------------------------------------------------------------


def test_linear_on_one_sample_is_the_formula_to_the_letter():
    layer = nn.Linear(4, 3, rng=0).astype("f8")
    rng = np.random.default_rng(0)
    x, dy = rng.normal(size=4), rng.normal(size=3)
    W, b = layer.params["W"], layer.params["b"]
    np.testing.assert_allclose(layer.forward(x), W @ x + b)
    dx, grads = layer.backward(dy)
    np.testing.assert_allclose(dx, W.T @ dy)
    np.testing.assert_array_equal(grads["W"], np.outer(dy, x))
    np.testing.assert_array_equal(grads["b"], dy)


@pytest.mark.parametrize(
    ("size", "shape", "message"),
    [
        (
            (784, 100),
            (32, 28, 28),
            r"\(784,\) or \(batch, 784\), received \(32, 28, 28\); put Flatten\(\) before it$",
        ),
        ((100, 10), (32, 28, 28), r"put Flatten\(\) before it and make it Linear\(784, 10\)"),
        ((100, 10), (32, 64), r"received \(32, 64\); make it Linear\(64, 10\)"),
        ((100, 10), (100, 32), "or transpose x"),
        ((100, 10), (), r"received \(\)"),
    ],
)
def test_linear_says_what_would_fit(size, shape, message):
    with pytest.raises(ValueError, match=message):
        nn.Linear(*size).forward(np.zeros(shape))


@pytest.mark.parametrize(
    "wrong", [lambda: nn.Linear(0, 3), lambda: nn.Linear(3, -1), lambda: nn.Bias(0)]
)
def test_sizes_are_positive(wrong):
    with pytest.raises(ValueError, match="at least 1"):
        wrong()


@pytest.mark.parametrize("wrong", [np.array(["a"]), np.array([1j]), np.array([None])])
def test_what_is_no_real_number_is_refused(wrong):
    with pytest.raises(ValueError, match="expected real numbers"):
        nn.ReLU().forward(wrong)


def test_relu_passes_nothing_at_zero():
    layer = nn.ReLU()
    layer.forward(np.array([-1.0, 0.0, 1.0]))
    np.testing.assert_array_equal(layer.backward(np.ones(3))[0], [0, 0, 1])


@pytest.mark.parametrize("layer", [nn.LeakyReLU(0.2), nn.ELU(0.2)], ids=repr)
def test_at_zero_the_slope_is_that_of_the_left_side(layer):
    layer.forward(np.array([0.0, 1.0]))
    np.testing.assert_array_equal(layer.backward(np.array([3.0, 3.0]))[0], [3 * 0.2, 3])


@pytest.mark.torch
@settings(max_examples=60, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 9), min_size=2, max_size=5),
    batch=st.integers(0, 9),
    bias=st.booleans(),
    seed=st.integers(0, 2**31),
)
def test_perceptrons_of_any_sizes_agree_with_torch(sizes, batch, bias, seed):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(seed)
    linears = [nn.Linear(*pair, bias=bias, rng=rng) for pair in itertools.pairwise(sizes)]
    model = nn.Sequential(
        *itertools.chain(*zip(linears, (nn.Tanh() for _ in linears), strict=True))
    )
    model.astype("f8")
    for array in model.params.values():
        array[...] = rng.normal(size=array.shape)
    x = rng.normal(size=(batch, sizes[0]))
    y = model.forward(x)
    dy = rng.normal(size=y.shape)
    dx, grads = model.backward(dy)
    tensors = {k: torch.tensor(np.array(v), requires_grad=True) for k, v in model.params.items()}
    tx = ty = torch.tensor(x, requires_grad=True)
    for i in range(0, len(model), 2):
        ty = torch.tanh(torch.nn.functional.linear(ty, tensors[f"{i}.W"], tensors.get(f"{i}.b")))
    ty.backward(torch.tensor(dy))
    numeric.close(y, ty.detach().numpy(), 1e-10)
    numeric.close(dx, tx.grad.numpy(), 1e-10)
    for name, tensor in tensors.items():
        numeric.close(grads[name], tensor.grad.numpy(), 1e-10)


@pytest.mark.parametrize(
    "layer",
    [kind() for kind in (nn.Softmax, nn.LogSoftmax, nn.Sigmoid, nn.Softplus, nn.ELU, nn.SELU)]
    + [kind() for kind in (nn.SiLU, nn.GELU, nn.Mish, nn.HardSwish, nn.HardSigmoid)],
    ids=repr,
)
def test_large_inputs_stay_finite_in_float32(layer):
    x = np.array([[-1000, 0, 1000]], np.float32)
    y = layer.forward(x)
    dx, _ = layer.backward(np.ones_like(y))
    assert np.isfinite(y).all()
    assert np.isfinite(dx).all()


def test_nan_is_not_hidden():
    x = np.array([np.nan, 1.0])
    for activation in (
        nn.ReLU,
        nn.LeakyReLU,
        nn.ELU,
        nn.Sigmoid,
        nn.Tanh,
        nn.GELU,
        nn.SiLU,
        nn.Softplus,
        nn.HardSigmoid,
        nn.HardSwish,
        nn.Mish,
        nn.SELU,
        nn.PReLU,
    ):
        assert np.isnan(activation().forward(x)[0])


def test_softmax_refuses_an_axis_that_is_not_there():
    with pytest.raises(ValueError, match=r"Softmax\(axis=2\) expected an array with an axis 2"):
        nn.Softmax(axis=2).forward(np.zeros((3, 4)))


def test_flatten_asks_for_a_batch():
    with pytest.raises(ValueError, match="batch of one"):
        nn.Flatten().forward(np.zeros(4))


def test_dropout_drops_its_share_and_keeps_the_mean():
    layer = nn.Dropout(0.3, rng=0)
    y = layer.forward(np.ones((200, 500)))
    assert np.mean(y == 0) == pytest.approx(0.3, abs=0.01)
    assert set(np.unique(y)) == {0.0, 1 / 0.7}
    np.testing.assert_array_equal(layer.backward(np.ones_like(y))[0], y)


def test_dropout_follows_its_seed_and_rests_in_evaluation():
    x = np.ones((50, 40))
    first = nn.Dropout(0.5, rng=7).forward(x)
    np.testing.assert_array_equal(first, nn.Dropout(0.5, rng=7).forward(x))
    assert not np.array_equal(first, nn.Dropout(0.5, rng=8).forward(x))
    np.testing.assert_array_equal(nn.Dropout(0.5).eval().forward(x), x)
    np.testing.assert_array_equal(nn.Dropout(0.0).forward(x), x)
    np.testing.assert_array_equal(nn.Dropout(1.0).forward(x), 0 * x)
    for wrong in (-0.1, 1.1, np.nan):
        with pytest.raises(ValueError, match=r"p in \[0, 1\]"):
            nn.Dropout(wrong)
