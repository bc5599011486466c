"""Index, Split and Where against torch, for keys, cuts and conditions of every kind."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nnscratch as nn
from tests import numeric

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
