"""Index, Split and Where against torch, for keys, cuts and conditions of every kind."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nnscratch as nn
from tests import numeric
from tests.passes import random_dy, run, several

many = settings(max_examples=300, deadline=None, derandomize=True)
SHAPES = st.lists(st.integers(1, 5), min_size=1, max_size=4).map(tuple)
SEED = st.integers(0, 999)


def normal(shape, seed=0):
    return np.asarray(np.random.default_rng(seed).normal(size=shape))


@st.composite
def keys(draw, shape):
    """A key for an array of this shape; at most one list, as torch and NumPy place two apart."""
    parts, lists = [], 0
    for n in shape[: draw(st.integers(0, len(shape)))]:
        kind = draw(st.sampled_from(["int", "slice", "slice", "list", "mask"]))
        if kind == "int" and not lists:
            parts.append(draw(st.integers(-n, n - 1)))
        elif kind in ("list", "mask") and not lists:
            lists += 1
            some = draw(st.lists(st.integers(-n, n - 1), min_size=1, max_size=6))
            mask = draw(st.lists(st.booleans(), min_size=n, max_size=n))
            parts.append(some if kind == "list" else mask)
        else:
            bounds = st.none() | st.integers(-n - 1, n + 1)
            step = draw(st.none() | st.integers(1, 3))
            parts.append(slice(draw(bounds), draw(bounds), step))
    if any(isinstance(part, int) for part in parts) and lists:
        parts = [slice(part, part + 1 or None) if isinstance(part, int) else part for part in parts]
    if draw(st.booleans()):
        parts.append(...)
    if draw(st.booleans()):
        parts.insert(draw(st.integers(0, len(parts))), None)
    return tuple(parts)


@pytest.mark.torch
def test_index_agrees_with_torch_for_any_key():
    torch = pytest.importorskip("torch")

    @many
    @given(st.data(), SHAPES, SEED)
    def agrees(data, shape, seed):
        key = data.draw(keys(shape))
        x = normal(shape, seed)
        layer = nn.Index(key)
        assert repr(eval(repr(layer), vars(nn).copy())) == repr(layer)
        y = layer.forward(x)
        dy = normal(y.shape, seed + 1)
        tx = torch.tensor(x, requires_grad=True)
        parts = [torch.tensor(part) if isinstance(part, list) else part for part in key]
        expected = tx[tuple(parts)]
        expected.backward(torch.tensor(dy))
        np.testing.assert_array_equal(y, expected.detach().numpy())
        numeric.close(layer.backward(dy)[0], tx.grad.numpy(), 1e-14)

    agrees()


def test_a_step_backwards_leads_the_gradient_back():
    layer = nn.Index(np.s_[::-2, 1:0:-1])
    numeric.check_layer(layer, normal((5, 3)))


@pytest.mark.torch
def test_split_agrees_with_torch_for_any_cuts():
    torch = pytest.importorskip("torch")

    @many
    @given(SHAPES, st.integers(-4, 3), st.integers(1, 4), st.booleans(), SEED)
    def agrees(shape, axis, count, equal, seed):
        axis = axis % len(shape) - (len(shape) if axis < 0 else 0)
        rng = np.random.default_rng(seed)
        shape = list(shape)
        if equal:
            shape[axis] *= count
        sections = count if equal else sorted(rng.integers(0, shape[axis] + 1, count).tolist())
        x = normal(shape, seed)
        layer = nn.Split(sections, axis)
        y = layer.forward(x)
        tx = torch.tensor(x, requires_grad=True)
        expected = torch.tensor_split(tx, sections, axis)
        dy = [normal(part.shape, seed + i) for i, part in enumerate(y)]
        used = rng.random(len(y)) < 0.7
        used[rng.integers(len(y))] = True
        total = sum(
            (part * torch.tensor(d)).sum()
            for part, d, use in zip(expected, dy, used, strict=True)
            if use
        )
        total.backward()
        for part, wanted in zip(y, expected, strict=True):
            np.testing.assert_array_equal(part, wanted.detach().numpy())
        dx, _ = layer.backward([d if use else None for d, use in zip(dy, used, strict=True)])
        numeric.close(dx, tx.grad.numpy(), 1e-14)

    agrees()


@pytest.mark.torch
def test_where_agrees_with_torch_for_shapes_that_broadcast():
    torch = pytest.importorskip("torch")

    @many
    @given(SHAPES, st.lists(st.booleans(), min_size=12, max_size=12), SEED)
    def agrees(shape, stretched, seed):
        shapes = [
            tuple(1 if one else n for n, one in zip(shape, stretched[4 * i :], strict=False))
            for i in range(3)
        ]
        condition = normal(shapes[0], seed) > 0
        u, v = normal(shapes[1], seed + 1), normal(shapes[2], seed + 2)
        layer = nn.Where()
        y = layer.forward(condition, u, v)
        dy = normal(y.shape, seed + 3)
        tu, tv = (torch.tensor(x, requires_grad=True) for x in (u, v))
        torch.where(torch.tensor(condition), tu, tv).backward(torch.tensor(dy))
        _, du, dv = layer.backward(dy)[0]
        np.testing.assert_array_equal(y, np.where(condition, u, v))
        numeric.close(du, tu.grad.numpy(), 1e-14)
        numeric.close(dv, tv.grad.numpy(), 1e-14)

    agrees()


# Ties, bounds, what is printed ----------------------------------------------------------------


@pytest.mark.torch
def test_at_ties_bounds_and_nan_the_slopes_are_those_of_torch():
    torch = pytest.importorskip("torch")
    u = np.array([[1.0, 2.0, 2.0, np.nan, -np.inf], [0.0, -1.0, 0.0, 0.0, 0.0]])
    v = np.array([[1.0, 2.0, 3.0, 1.0, np.inf], [0.0, -1.0, -2.0, np.nan, 0.0]])
    pairs = [
        (nn.Maximum(), torch.maximum, [u, v]),
        (nn.Minimum(), torch.minimum, [u, v]),
        (nn.Abs(), torch.abs, [u[:, :3]]),
        (nn.Clip(-1, 2), lambda x: x.clamp(-1, 2), [u]),
        (nn.Max(1), lambda x: x.amax(1), [u]),
        (nn.Max(), lambda x: x.amax(), [v[:, :3]]),
        (nn.LogSumExp(0), lambda x: x.logsumexp(0), [u[:, :4]]),
    ]
    for layer, function, inputs in pairs:
        y, dx, _ = run(layer, *inputs)
        dx = several(dx)
        tensors = [torch.tensor(x, requires_grad=True) for x in inputs]
        expected = function(*tensors)
        expected.backward(torch.tensor(random_dy(y)))
        np.testing.assert_allclose(y, expected.detach().numpy(), 1e-14)
        for found, tensor in zip(dx, tensors, strict=True):
            np.testing.assert_allclose(found, tensor.grad.numpy(), 1e-14)


@pytest.mark.torch
@pytest.mark.parametrize("make", [np.asarray, lambda c: c.astype(np.float32)], ids=["bool", "0, 1"])
def test_where_agrees_with_torch_and_its_condition_has_no_gradient(make):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    for shapes in [((4, 1), (3,), (2, 1, 1)), ((), (2, 3), (3,)), ((2, 3), (), ()), ((3,),) * 3]:
        condition = rng.random(shapes[0]) < 0.5
        u, v = (rng.normal(size=shape) for shape in shapes[1:])
        layer = nn.Where()
        y = layer.forward(make(condition), u, v)
        tu, tv = (torch.tensor(x, requires_grad=True) for x in (u, v))
        expected = torch.where(torch.tensor(condition), tu, tv)
        expected.backward(torch.tensor(random_dy(y)))
        nothing, du, dv = layer.backward(random_dy(y))[0]
        assert nothing is None
        found, wanted = (y, du, dv), (expected.detach(), tu.grad, tv.grad)
        for a, b in zip(found, wanted, strict=True):
            np.testing.assert_allclose(a, b.numpy(), 1e-12, strict=True)


def test_the_branch_that_where_leaves_out_gets_zero_even_beside_infinity():
    layer = nn.Where()
    layer.forward([True, False], np.array([1.0, np.inf]), np.array([np.nan, 2.0]))
    _, du, dv = layer.backward(np.array([np.inf, np.nan]))[0]
    np.testing.assert_array_equal(du, [np.inf, 0])
    np.testing.assert_array_equal(dv, [0, np.nan])


@pytest.mark.parametrize("sections", [3, 1, [1, 4], [0, 2, 2], []], ids=str)
@pytest.mark.parametrize("axis", [0, 1, -2])
def test_split_cuts_as_numpy_does_and_joins_the_gradients(sections, axis):
    x = np.random.default_rng(0).normal(size=(6, 6, 5)).astype("f4")
    layer = nn.Split(sections, axis)
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
        again = eval(text, vars(nn).copy())
        assert repr(again) == text
        assert repr(eval(repr(again), vars(nn).copy())) == text


def test_a_key_is_copied():
    key = np.array([0, 1])
    layer = nn.Index(key)
    key[:] = 2
    np.testing.assert_array_equal(layer.forward(np.array([5.0, 6.0, 7.0])), [5, 6])
