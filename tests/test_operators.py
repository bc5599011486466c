import itertools
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, mutually_broadcastable_shapes

from nnscratch.layers.base import Layer
from nnscratch.layers.operators.arithmetic import Add, Div, Mul, Sub
from nnscratch.layers.operators.elementwise import Cos, Exp, Log, Power, Sin, Sqrt, Square
from nnscratch.layers.operators.indexing import Index
from nnscratch.layers.operators.joining import Concatenate, Split, Stack
from nnscratch.layers.operators.matmul import MatMul
from nnscratch.layers.operators.matrix_functions import Determinant, Inverse, Trace
from nnscratch.layers.operators.piecewise import Abs, Clip, Maximum, Minimum, Where
from nnscratch.layers.operators.reductions import LogSumExp, Max, Mean, Sum
from nnscratch.layers.operators.shapes import Flip, Reshape, Tile, Transpose
from tests import numeric


def signed(rng, shape):
    return np.asarray(rng.uniform(0.5, 2, shape) * rng.choice([-1, 1], shape))


def positive(rng, shape):
    return rng.uniform(0.5, 2, shape)


def regular(rng, shape):  # diagonally dominant
    return rng.uniform(-1, 1, shape) + (shape[-1] + 1) * np.eye(shape[-1])


def alone(shapes):
    return shapes.map(lambda shape: [shape])


def joined(sizes):  # three inputs that differ in axis 1
    a, b, *parts = sizes
    return [(a, n, b) for n in parts]


SIZE = st.integers(0, 4)
ANY = alone(array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4))
CUBE = alone(st.tuples(SIZE, SIZE, SIZE))
FULL = alone(array_shapes(min_dims=3, max_dims=3, min_side=1, max_side=4))
HALVES = alone(st.tuples(SIZE, st.just(2)))
SQUARE = alone(st.builds(lambda a, n: (a, n, n), SIZE, SIZE))
LONG = alone(array_shapes(min_dims=2, max_dims=3, min_side=2, max_side=4))
EQUAL = array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=4).map(lambda shape: [shape] * 3)
PARTS = st.tuples(SIZE, SIZE, SIZE, SIZE, SIZE).map(joined)
PAIR = mutually_broadcastable_shapes(num_shapes=2, min_side=0, max_side=4, max_dims=3).map(
    lambda drawn: drawn.input_shapes
)
PRODUCT = mutually_broadcastable_shapes(
    signature=np.matmul.signature, min_side=0, max_side=4, max_dims=2
).map(lambda drawn: drawn.input_shapes)


def two_lists(t, x):
    return x[t.tensor([0, 1, 0]), t.tensor([[1], [-1]])]


class Case(NamedTuple):
    layer: Layer
    torch: Any  # the same function of torch tensors
    shapes: list[tuple[int, ...]]  # of sizes that tell the axes apart
    drawn: Any  # a strategy for others
    sample: Any = signed


CASES = [
    Case(Add(), lambda t, u, v: u + v, [(4, 1, 3), (2, 3)], PAIR),
    Case(Sub(), lambda t, u, v: u - v, [(3,), (4, 2, 1)], PAIR),
    Case(Mul(), lambda t, u, v: u * v, [(4, 1, 3), (2, 1)], PAIR),
    Case(Div(), lambda t, u, v: u / v, [(2, 3), (4, 1, 3)], PAIR),
    Case(Div(), lambda t, u, v: u / v, [(4, 2, 3), ()], PAIR),
    Case(MatMul(), lambda t, a, b: a @ b, [(2, 3), (3, 4)], PRODUCT),
    Case(MatMul(), lambda t, a, b: a @ b, [(3,), (5, 1, 3, 4)], PRODUCT),
    Case(MatMul(), lambda t, a, b: a @ b, [(5, 1, 2, 3), (6, 3, 4)], PRODUCT),
    Case(MatMul(), lambda t, a, b: a @ b, [(5, 2, 3), (3,)], PRODUCT),
    Case(MatMul(), lambda t, a, b: a @ b, [(3,), (3,)], PRODUCT),
    Case(Sin(), lambda t, x: t.sin(x), [(2, 3)], ANY),
    Case(Cos(), lambda t, x: t.cos(x), [(2, 3)], ANY),
    Case(Exp(), lambda t, x: t.exp(x), [(2, 3)], ANY),
    Case(Log(), lambda t, x: t.log(x), [(2, 3)], ANY, positive),
    Case(Sqrt(), lambda t, x: t.sqrt(x), [(2, 3)], ANY, positive),
    Case(Square(), lambda t, x: x * x, [(2, 3)], ANY),
    Case(Power(0), lambda t, x: x**0, [(2, 3)], ANY),
    Case(Power(1), lambda t, x: x**1, [(2, 3)], ANY),
    Case(Power(3), lambda t, x: x**3, [(2, 3)], ANY),
    Case(Power(-2), lambda t, x: x**-2, [(2, 3)], ANY),
    Case(Power(0.3), lambda t, x: x**0.3, [(2, 3)], ANY, positive),
    Case(Sum(), lambda t, x: x.sum(), [(2, 3)], ANY),
    Case(Sum(1), lambda t, x: x.sum(1), [(2, 3, 4)], CUBE),
    Case(Sum((0, -1)), lambda t, x: x.sum((0, -1)), [(2, 3, 4)], CUBE),
    Case(Mean(), lambda t, x: x.mean(), [(2, 3)], FULL),
    Case(Mean(-2), lambda t, x: x.mean(-2), [(2, 3, 4)], FULL),
    Case(Mean((2, 0)), lambda t, x: x.mean((2, 0)), [(2, 3, 4)], FULL),
    Case(Sum((1, 0), True), lambda t, x: x.sum((1, 0), True), [(2, 3, 4)], CUBE),
    Case(Mean(1, keepdims=True), lambda t, x: x.mean(1, True), [(2, 3, 4)], FULL),
    Case(Max(), lambda t, x: x.amax(), [(2, 3)], FULL),
    Case(Max(-2), lambda t, x: x.amax(-2), [(2, 3, 4)], FULL),
    Case(Max((0, 2), keepdims=True), lambda t, x: x.amax((0, 2), True), [(2, 3, 4)], FULL),
    Case(LogSumExp(), lambda t, x: x.logsumexp(tuple(range(x.ndim))), [(2, 3)], FULL),
    Case(LogSumExp(1), lambda t, x: x.logsumexp(1), [(2, 3, 4)], FULL),
    Case(LogSumExp((2, 0), True), lambda t, x: x.logsumexp((2, 0), True), [(2, 3, 4)], FULL),
    Case(Abs(), lambda t, x: x.abs(), [(2, 3)], ANY),
    Case(Clip(-1.1, 1.3), lambda t, x: x.clamp(-1.1, 1.3), [(4, 3)], ANY),
    Case(Clip(None, 0.7), lambda t, x: x.clamp(None, 0.7), [(4, 3)], ANY),
    Case(Maximum(), lambda t, u, v: t.maximum(u, v), [(4, 1, 3), (2, 3)], PAIR),
    Case(Minimum(), lambda t, u, v: t.minimum(u, v), [(3,), (4, 2, 1)], PAIR),
    Case(Index(1), lambda t, x: x[1], [(2, 3)], LONG),
    Case(Index(np.s_[:, -1]), lambda t, x: x[:, -1], [(2, 3, 4)], LONG),
    Case(Index(np.s_[..., None, 1:]), lambda t, x: x[..., None, 1:], [(2, 3, 4)], LONG),
    Case(Index([1, 0, 1]), lambda t, x: x[[1, 0, 1]], [(2, 3)], LONG),
    Case(Index(([0, 1, 0], [[1], [-1]])), two_lists, [(2, 3, 4)], LONG),
    Case(Tile(3), lambda t, x: x.tile(3), [(2, 4)], ANY),
    Case(Tile((2, 3, 1, 2)), lambda t, x: x.tile(2, 3, 1, 2), [(2, 3, 4)], ANY),
    Case(Flip(1), lambda t, x: x.flip(1), [(2, 3, 4)], CUBE),
    Case(Flip((0, -1)), lambda t, x: x.flip(0, -1), [(2, 3, 4)], CUBE),
    Case(Flip(None), lambda t, x: x.flip(tuple(range(x.ndim))), [(2, 3, 4)], CUBE),
    Case(Stack(0), lambda t, *x: t.stack(x), [(2, 3)] * 3, EQUAL),
    Case(Stack(-2), lambda t, *x: t.stack(x, -2), [(2, 3, 4)] * 2, EQUAL),
    Case(Transpose(), lambda t, x: x.permute(tuple(range(x.ndim)[::-1])), [(2, 3, 4)], ANY),
    Case(Transpose((1, -1, 0)), lambda t, x: x.permute(1, -1, 0), [(2, 3, 4)], CUBE),
    Case(Reshape((2, -1)), lambda t, x: x.reshape(2, -1), [(3, 4)], HALVES),
    Case(Reshape(-1), lambda t, x: x.reshape(-1), [(3, 4)], ANY),
    Case(Concatenate(1), lambda t, *x: t.cat(x, 1), joined((5, 6, 2, 3, 4)), PARTS),
    Case(Concatenate(-2), lambda t, *x: t.cat(x, -2), joined((5, 6, 2, 3, 4)), PARTS),
    Case(Trace(), lambda t, x: x.diagonal(0, -2, -1).sum(-1), [(2, 3, 3)], SQUARE),
    Case(Determinant(), lambda t, x: t.linalg.det(x), [(2, 3, 3)], SQUARE, regular),
    Case(Inverse(), lambda t, x: t.linalg.inv(x), [(2, 3, 3)], SQUARE, regular),
]


def named(cases):
    names = [f"{case.layer}-{case.shapes}" for case in cases]
    return pytest.mark.parametrize("case", cases, ids=names)


@pytest.fixture
def torch():
    torch = pytest.importorskip("torch")
    torch.set_num_threads(1)
    return torch


def inputs_of(case, shapes=None, seed=0):
    rng = np.random.default_rng(seed)
    return [case.sample(rng, shape) for shape in shapes or case.shapes]


def dy_for(y, seed=1):
    return np.random.default_rng(seed).standard_normal(y.shape).astype(y.dtype)


def gradients(layer, inputs, dy=None):
    """y, and dx always as a tuple; dy is random unless given."""
    y = layer.forward(*inputs)
    dx, grads = layer.backward(dy_for(y) if dy is None else dy)
    assert grads == {}
    return y, dx if isinstance(dx, tuple) else (dx,)


def dtypes(*arrays):
    return "".join(sorted({a.dtype.char for a in arrays}))


def numerical(f, inputs, dy, h=1e-5):
    """The central differences of <dy, f(inputs)> by every element of every input."""
    return [numeric.gradient(lambda: np.sum(dy * f(*inputs)), x, h) for x in inputs]


@pytest.mark.torch
@named(CASES)
def test_values_and_gradients_agree_with_torch(torch, case):
    @settings(max_examples=30, deadline=None, derandomize=True)
    @given(case.drawn, st.integers(0, 99))
    @example(case.shapes, 0)
    def agree(shapes, seed):
        inputs = inputs_of(case, shapes, seed)
        y, dx = gradients(case.layer, inputs)
        tensors = [torch.tensor(x, requires_grad=True) for x in inputs]
        expected = case.torch(torch, *tensors)
        expected.backward(torch.tensor(dy_for(y)))
        np.testing.assert_allclose(y, expected.detach().numpy(), 1e-12, 1e-12, strict=True)
        for found, tensor in zip(dx, tensors, strict=True):
            np.testing.assert_allclose(found, tensor.grad.numpy(), 1e-12, 1e-12, strict=True)

    agree()


@pytest.mark.torch
@named(CASES)
def test_gradcheck_of_torch_passes(torch, case):
    class Operator(torch.autograd.Function):
        @staticmethod
        def forward(ctx, *tensors):
            y, ctx.kept = case.layer.forward_pass(*(x.detach().numpy() for x in tensors))
            return torch.tensor(np.array(y))  # a copy: torch knows no negative strides

        @staticmethod
        @torch.autograd.function.once_differentiable
        def backward(ctx, dy):
            dx = case.layer.backward_pass(dy.numpy(), ctx.kept)
            return tuple(torch.tensor(np.array(d)) for d in (dx if type(dx) is tuple else [dx]))

    inputs = [torch.tensor(x, requires_grad=True) for x in inputs_of(case)]
    assert torch.autograd.gradcheck(Operator.apply, inputs)


@named(CASES)
def test_gradients_equal_central_differences(case):
    inputs = inputs_of(case)
    dy = dy_for(case.layer.forward(*inputs))
    _, dx = gradients(case.layer, inputs, dy)
    expected = numerical(case.layer.forward, inputs, dy)
    for found, wanted in zip(dx, expected, strict=True):
        np.testing.assert_allclose(found, wanted, 1e-7, 1e-7)


@named(CASES)
@pytest.mark.parametrize("dtype", "efd")
def test_floating_dtypes_are_kept(case, dtype):
    if dtype == "e" and isinstance(case.layer, (Determinant, Inverse)):
        return  # refused below
    y, dx = gradients(case.layer, [x.astype(dtype) for x in inputs_of(case)])
    assert dtypes(y, *dx) == dtype


@named(CASES)
def test_integers_become_float32(case):
    inputs = [np.ceil(x).astype(np.int64) + 3 for x in inputs_of(case)]
    y, dx = gradients(case.layer, inputs)
    assert dtypes(y, *dx) == "f"


@named([case for case in CASES if len(case.shapes) == 2])
@pytest.mark.parametrize("first, second", list(itertools.permutations("efdq", 2)))
def test_two_floating_dtypes_meet_as_in_numpy_and_integers_follow(case, first, second):
    u, v = (np.ceil(x) + 3 for x in inputs_of(case))
    y, (du, dv) = gradients(case.layer, (u.astype(first), v.astype(second)))
    floats = [t for t in (first, second) if t != "q"]
    assert y.dtype == np.result_type(*floats)
    assert du.dtype == (floats[0] if first == "q" else first)
    assert dv.dtype == (floats[0] if second == "q" else second)


@pytest.mark.parametrize("number", [2, 2.5, True])
def test_python_numbers_do_not_decide_the_dtype(number):
    for dtype, expected in {"e": "e", "f": "f", "q": "f"}.items():
        for inputs in itertools.permutations([np.ones(3, dtype), number]):
            y, dx = gradients(Mul(), inputs)
            assert dtypes(y, *dx) == expected
    assert Add().forward(number, 1.0).dtype == np.float64
    assert Add().forward(np.ones(3, np.float32), np.float64(1)).dtype == np.float64


@named(CASES)
def test_read_only_inputs_stay_as_they_were_and_backward_repeats(case):
    inputs = inputs_of(case)
    dy = dy_for(case.layer.forward(*inputs))
    before = [x.copy() for x in (*inputs, dy)]
    for x in (*inputs, dy):
        x.setflags(write=False)
    y, dx = gradients(case.layer, inputs, dy)
    kept = [np.copy(a) for a in (y, *dx)]
    again = case.layer.backward(dy)[0]
    gradients(case.layer, inputs_of(case, seed=7))
    for a, b in zip((*inputs, dy, y, *dx), before + kept, strict=True):
        np.testing.assert_array_equal(a, b, strict=True)
    np.testing.assert_array_equal(again[0] if isinstance(again, tuple) else again, dx[0])


@named(CASES)
def test_memory_order_does_not_matter(case):
    inputs = inputs_of(case)
    dy = dy_for(case.layer.forward(*inputs))
    strided = [np.repeat(x.T, 2).reshape(*x.T.shape, 2)[..., 0].T for x in (*inputs, dy)]
    y, dx = gradients(case.layer, inputs, dy)
    y_again, dx_again = gradients(case.layer, strided[:-1], strided[-1])
    for a, b in zip((y, *dx), (y_again, *dx_again), strict=True):
        np.testing.assert_allclose(a, b, 1e-14, 1e-14, strict=True)


def test_the_jacobians_of_a_product_are_kronecker_products():
    A, B = signed(np.random.default_rng(0), (2, 3)), signed(np.random.default_rng(1), (3, 4))
    (m, n), p = A.shape, B.shape[1]
    units = np.eye(m * p).reshape(m * p, m, p)  # one dy for each element of Y, row-major
    rows = [gradients(MatMul(), (A, B), dy)[1] for dy in units]
    by_A, by_B = (np.stack([dx[i].ravel() for dx in rows]) for i in (0, 1))
    assert by_A.shape == (m * p, m * n)
    np.testing.assert_array_equal(by_A, np.kron(np.eye(m), B.T))
    np.testing.assert_array_equal(by_B, np.kron(A, np.eye(p)))


def test_the_gradient_of_a_product_is_the_column_and_not_its_sum():
    A, B = np.arange(6.0).reshape(2, 3), np.arange(12.0).reshape(3, 4)
    dy = np.zeros((2, 4))
    dy[1, 2] = 1
    _, (dA, dB) = gradients(MatMul(), (A, B), dy)
    np.testing.assert_array_equal(dA, [np.zeros(3), B[:, 2]])
    np.testing.assert_array_equal(dB[:, 2], A[1])
    assert not np.isclose(dA[1], B[:, 2].sum()).any()


def test_the_derivative_of_cos_is_minus_sin():
    _, (dx,) = gradients(Cos(), [np.array([0.5, -2.0])], np.array([1.0, 10.0]))
    np.testing.assert_allclose(dx, [-np.sin(0.5), -10 * np.sin(-2.0)])


def test_whole_powers_have_their_derivative_at_zero_without_a_warning():
    x, dy = np.array([0.0, -2.0]), np.array([3.0, 5.0])
    for exponent, expected in {0: [0, 0], 1: [3, 5], 2: [0, -20], 3: [0, 60]}.items():
        np.testing.assert_array_equal(gradients(Power(exponent), [x], dy)[1][0], expected)


def test_a_numpy_exponent_does_not_widen_float32():
    assert Power(np.float64(3)).forward(np.ones(2, np.float32)).dtype == np.float32


def test_the_quotient_does_not_square_its_divisor():
    _, (_, dv) = gradients(Div(), [np.array([1e-200]), np.array([1e-200])], np.ones(1))
    np.testing.assert_allclose(dv, -1e200)


@pytest.mark.parametrize(
    "layer, inputs, y, dx",
    [
        (Log(), [[0.0, -1.0]], [-np.inf, np.nan], [[np.inf, -1]]),
        (Sqrt(), [[0.0, -1.0]], [0, np.nan], [[np.inf, np.nan]]),
        (Div(), [[1.0, 0.0], [0.0, 0.0]], [np.inf, np.nan], [[np.inf] * 2, [-np.inf, np.nan]]),
        (Power(-1), [[0.0, 2.0]], [np.inf, 0.5], [[-np.inf, -0.25]]),
        (Power(0.5), [[0.0, -1.0]], [0, np.nan], [[np.inf, np.nan]]),
        (Exp(), [[0.0, 1e4]], [1, np.inf], [[1, np.inf]]),
        (Mean(), [[]], np.nan, [[]]),
        (Mean(0), [np.ones((0, 3))], [np.nan] * 3, [np.ones((0, 3))]),
    ],
    ids=str,
)
def test_outside_the_domain_numpy_warns_and_its_values_pass(layer, inputs, y, dx):
    with pytest.warns(RuntimeWarning):
        found = layer.forward(*map(np.array, inputs))
    np.testing.assert_array_equal(found, y)
    with np.errstate(all="ignore"):
        slopes, _ = layer.backward(np.ones_like(found))
    for a, b in zip(slopes if isinstance(slopes, tuple) else [slopes], dx, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("layer", [Sqrt(), Power(0.5)], ids=str)
def test_an_infinite_slope_warns_in_backward(layer):
    layer.forward([0.0, 1.0])
    with pytest.warns(RuntimeWarning, match="divide by zero"):
        np.testing.assert_array_equal(layer.backward([2.0, 2.0])[0], [np.inf, 1])


@pytest.mark.parametrize("rank", [0, 1, 2, 3, 4])
def test_the_gradient_of_a_singular_determinant_is_its_cofactors(rank):
    rng = np.random.default_rng(rank)
    x = rng.standard_normal((2, 4, rank)) @ rng.standard_normal((2, rank, 4))
    dy = np.array([1.0, -3.0])
    _, (dx,) = gradients(Determinant(), [x], dy)
    (expected,) = numerical(Determinant().forward, [x], dy, 1e-3)  # det is linear in each element
    np.testing.assert_allclose(dx, expected, 1e-9, 1e-9)
    assert (np.abs(dx).max() > 0.1) == (rank >= 3)


def test_a_long_mean_in_float16_still_has_a_gradient():
    _, (dx,) = gradients(Mean(), [np.ones(100_000, np.float16)], np.float16(1))
    np.testing.assert_allclose(dx, 1e-5, rtol=0.01)


@pytest.mark.parametrize("layer", [Sum(), Mean()], ids=str)
def test_the_gradient_of_a_reduction_is_no_view_of_one_number(layer):
    _, (dx,) = gradients(layer, [np.ones(4)], 8.0)
    dx[0] = -1
    assert len(set(dx[1:])) == 1 and dx[1] > 0


def test_concatenating_one_array_gives_one_gradient():
    layer = Concatenate(0)
    layer.forward(np.ones(2))
    np.testing.assert_array_equal(layer.backward([1.0, 2.0])[0], [1, 2])


# Ties, conditions and parts -----------------------------------------------------------------


@pytest.mark.torch
def test_at_ties_bounds_and_nan_the_slopes_are_those_of_torch(torch):
    u = np.array([[1.0, 2.0, 2.0, np.nan, -np.inf], [0.0, -1.0, 0.0, 0.0, 0.0]])
    v = np.array([[1.0, 2.0, 3.0, 1.0, np.inf], [0.0, -1.0, -2.0, np.nan, 0.0]])
    pairs = [
        (Maximum(), torch.maximum, [u, v]),
        (Minimum(), torch.minimum, [u, v]),
        (Abs(), torch.abs, [u[:, :3]]),
        (Clip(-1, 2), lambda x: x.clamp(-1, 2), [u]),
        (Max(1), lambda x: x.amax(1), [u]),
        (Max(), lambda x: x.amax(), [v[:, :3]]),
        (LogSumExp(0), lambda x: x.logsumexp(0), [u[:, :4]]),
    ]
    for layer, function, inputs in pairs:
        y, dx = gradients(layer, inputs)
        tensors = [torch.tensor(x, requires_grad=True) for x in inputs]
        expected = function(*tensors)
        expected.backward(torch.tensor(dy_for(y)))
        np.testing.assert_allclose(y, expected.detach().numpy(), 1e-14)
        for found, tensor in zip(dx, tensors, strict=True):
            np.testing.assert_allclose(found, tensor.grad.numpy(), 1e-14)


@pytest.mark.torch
@pytest.mark.parametrize("make", [np.asarray, lambda c: c.astype(np.float32)], ids=["bool", "0, 1"])
def test_where_agrees_with_torch_and_its_condition_has_no_gradient(torch, make):
    rng = np.random.default_rng(0)
    for shapes in [((4, 1), (3,), (2, 1, 1)), ((), (2, 3), (3,)), ((2, 3), (), ()), ((3,),) * 3]:
        condition = rng.random(shapes[0]) < 0.5
        u, v = (rng.normal(size=shape) for shape in shapes[1:])
        layer = Where()
        y = layer.forward(make(condition), u, v)
        tu, tv = (torch.tensor(x, requires_grad=True) for x in (u, v))
        expected = torch.where(torch.tensor(condition), tu, tv)
        expected.backward(torch.tensor(dy_for(y)))
        nothing, du, dv = layer.backward(dy_for(y))[0]
        assert nothing is None
        found, wanted = (y, du, dv), (expected.detach(), tu.grad, tv.grad)
        for a, b in zip(found, wanted, strict=True):
            np.testing.assert_allclose(a, b.numpy(), 1e-14, strict=True)


def test_the_branch_that_where_leaves_out_gets_zero_even_beside_infinity():
    layer = Where()
    layer.forward([True, False], np.array([1.0, np.inf]), np.array([np.nan, 2.0]))
    _, du, dv = layer.backward(np.array([np.inf, np.nan]))[0]
    np.testing.assert_array_equal(du, [np.inf, 0])
    np.testing.assert_array_equal(dv, [0, np.nan])


@pytest.mark.parametrize("sections", [3, 1, [1, 4], [0, 2, 2], []], ids=str)
@pytest.mark.parametrize("axis", [0, 1, -2])
def test_split_cuts_as_numpy_does_and_joins_the_gradients(sections, axis):
    x = np.random.default_rng(0).normal(size=(6, 6, 5)).astype("f4")
    layer = Split(sections, axis)
    parts = layer.forward(x)
    assert layer.output_count == len(parts)
    expected = np.split(x, sections, axis)
    for part, wanted in zip(parts, expected, strict=True):
        np.testing.assert_array_equal(part, wanted, strict=True)
    dy = np.random.default_rng(1).normal(size=x.shape).astype("f4")
    dparts = tuple(np.split(dy, sections, axis))
    dx, grads = layer.backward(dparts)
    assert grads == {}
    np.testing.assert_array_equal(dx, dy, strict=True)
    dx, _ = layer.backward((None, *dparts[1:]))
    np.testing.assert_array_equal(np.split(dx, sections, axis)[0], 0 * dparts[0])


def test_what_is_printed_builds_the_operator_again():
    for text in (
        "Index(-1)",
        "Index((slice(None), -1))",
        "Index((slice(1, None), slice(2), slice(None, None, -1), ..., None))",
        "Index(([0, 2], [[1], [-1]]))",
        "Index([True, False])",
        "Index((2,))",
        "Max(axis=(0, 2), keepdims=True)",
        "Sum()",
        "Clip(None, 2.0)",
        "Split(3, 1)",
        "Split((1, 4), -1)",
        "Tile((2, 1))",
        "Flip(None)",
        "Stack(axis=1)",
    ):
        again = eval(text)
        assert repr(again) == text
        assert repr(eval(repr(again))) == text


def test_a_key_is_copied():
    key = np.array([0, 1])
    layer = Index(key)
    key[:] = 2
    np.testing.assert_array_equal(layer.forward(np.array([5.0, 6.0, 7.0])), [5, 6])


X = np.ones((2, 3))


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: Add().forward(X), r"Add\(\) expected 2 inputs, received 1; call forward\(u, v\)"),
        (lambda: MatMul().forward(X, X, X), r"MatMul\(\) expected 2 inputs, received 3"),
        (lambda: Div().forward(X, X.T), r"Div\(\) .*, received \(2, 3\) and \(3, 2\); .* axis"),
        (lambda: MatMul().forward(X, X), r"MatMul\(\) .*received \(2, 3\) and \(2, 3\); .*transp"),
        (lambda: MatMul().forward(2, X), r"MatMul\(\) .*received \(\) and \(2, 3\); Mul\(\)"),
        (lambda: MatMul().forward(np.ones((2, 3, 4)), np.ones((5, 4, 6))), "must broadcast"),
        (lambda: Sum(2).forward(X), r"Sum\(axis=2\) expected .* axis 2, received \(2, 3\)"),
        (lambda: Mean((0, -2)).forward(X), r"Mean\(axis=\(0, -2\)\) .*received \(2, 3\); .*once"),
        (lambda: Transpose((0,)).forward(X), r"Transpose\(\(0,\)\) expected an array of 1 axes"),
        (lambda: Transpose((1, 1)).forward(X), r"Transpose\(\(1, 1\)\) .*each named once"),
        (lambda: Reshape((4, -1)).forward(X), r"expected a multiple of 4 .*received \(2, 3\)"),
        (lambda: Reshape((3, 3)).forward(X), r"expected 9 elements, received .*Flatten\(\)"),
        (lambda: Reshape((-1, -1)), "Reshape expected .* -1 at most once"),
        (lambda: Power(np.nan), "Power expected a finite exponent, received nan"),
        (lambda: Concatenate(0).forward(), r"Concatenate\(axis=0\) expected at least 1 input"),
        (lambda: Concatenate(0).forward([X, X]), "put a star before it"),
        (lambda: Concatenate(2).forward(X, X), r"an axis 2 .*received \(2, 3\) and \(2, 3\)"),
        (lambda: Concatenate(0).forward(X, X.T), r"received \(2, 3\) and \(3, 2\); reshape"),
        (lambda: Index(2).forward(X), r"Index\(2\) expected .*received \(2, 3\); index 2 is out"),
        (lambda: Index("a"), "Index expected integers, slices, .*received 'a'"),
        (lambda: Index(1.5), "received 1.5"),
        (lambda: Max(1).forward(np.ones((2, 0))), r"Max\(axis=1\) expected numbers .*\(2, 0\)"),
        (lambda: LogSumExp().forward([]), r"LogSumExp\(\) expected numbers to sum over"),
        (lambda: Flip(2).forward(X), r"Flip\(2\) expected .* axis 2"),
        (lambda: Clip(2, 1), "low at most as large as high, received 2 and 1"),
        (lambda: Clip(np.nan, 1), "received nan and 1"),
        (lambda: Where().forward(X, X), "expected 3 inputs, received 2"),
        (lambda: Where().forward(X > 0, X, X.T), r"received \(2, 3\) and \(2, 3\) and \(3, 2\)"),
        (lambda: Split(2, 1).forward(X), r"2 equal parts, received \(2, 3\); .*Split\(\[1\], 1\)"),
        (lambda: Split(2, 2).forward(X), "an axis 2"),
        (lambda: Split(0, 1), "number of parts or the places to cut at, received 0"),
        (lambda: Stack(0).forward(X, X.T), r"received \(2, 3\) and \(3, 2\); Concatenate\(axis\)"),
        (lambda: Tile(-1), "Tile expected an int of at least 0"),
        (lambda: Tile("a"), "Tile expected an int of at least 0"),
        (lambda: Trace().forward(X), r"Trace\(\) expected square matrices .*received \(2, 3\)"),
        (lambda: Determinant().forward(np.ones(3)), r"Determinant\(\) expected square"),
        (lambda: Determinant().forward(np.eye(2, dtype="e")), r"received float16.*astype"),
        (lambda: Inverse().forward(np.eye(2, dtype="e")), r"Inverse\(\) .*received float16"),
    ],
)
def test_misuse_names_the_layer_and_the_remedy(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_singular_matrix_has_no_inverse():
    with pytest.raises(np.linalg.LinAlgError, match=r"Inverse\(\) .*received \(2, 3, 3\) with"):
        Inverse().forward(np.zeros((2, 3, 3)))
