"""BatchNorm, LayerNorm, GroupNorm: derivatives, torch, running statistics, memory orders."""

import copy
import itertools

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import nnscratch as nn
from nnscratch.layers.normalization.batch_norm import BatchNorm
from nnscratch.layers.normalization.group_norm import GroupNorm, InstanceNorm
from nnscratch.layers.normalization.layer_norm import LayerNorm, RMSNorm
from tests import numeric
from tests.normalization_cases import drawn, every_layer, in_order, passes_of


@every_layer
def test_gradients_equal_central_differences(layer, shape):
    for seed in range(3):
        rng = np.random.default_rng(seed)
        numeric.check_layer(drawn(copy.deepcopy(layer), rng), rng.normal(1, 2, shape), seed=seed)


@every_layer
def test_the_checker_finds_no_mistake(layer, shape):
    rng = np.random.default_rng(0)
    report = nn.check_gradients(drawn(copy.deepcopy(layer), rng), rng.normal(1, 2, shape))
    assert report.ok, str(report)
    assert [finding.verdict for finding in report.findings] == ["pass"] * (1 + len(layer.params))


@every_layer
def test_every_memory_order_gives_the_same_and_stays(layer, shape):
    rng = np.random.default_rng(0)
    layer = drawn(copy.deepcopy(layer), rng)
    x, dy = rng.normal(3, 1, shape), rng.normal(size=shape)
    first = copy.deepcopy(layer)
    expected = [*passes_of(first, x, dy), *first.buffers.values()]
    for order in itertools.permutations(range(len(shape))):
        same, dsame = in_order(x, order), in_order(dy, order)
        twin = copy.deepcopy(layer)
        found = [*passes_of(twin, same, dsame), *twin.buffers.values()]
        for one, other in zip(found, expected, strict=True):
            numeric.close(one, other, 1e-12)
        assert found[0].strides == found[1].strides == same.strides
        mixed = passes_of(copy.deepcopy(layer), same, dy)
        for one, other in zip(mixed, expected, strict=False):
            numeric.close(one, other, 1e-12)
    for odd in (x[::-1], np.repeat(x, 2, axis=-1)[..., ::2], np.repeat(x, 3, axis=0)[::3]):
        sign = slice(None, None, -1 if np.shares_memory(odd, x) else 1)
        numeric.close(copy.deepcopy(layer).forward(odd[sign]), expected[0], 1e-12)


@every_layer
def test_an_empty_batch_passes(layer, shape):
    if getattr(layer, "shape", None) == shape:  # no batch
        return
    layer = copy.deepcopy(layer)
    before = layer.buffers.copy()
    y, dx, *grads = passes_of(layer, np.zeros((0, *shape[1:])), np.zeros((0, *shape[1:])))
    assert y.shape == dx.shape == (0, *shape[1:])
    assert not any(grad.any() for grad in grads)
    for name, array in layer.buffers.items():
        np.testing.assert_array_equal(array, before[name])


# torch ---------------------------------------------------------------------------------------


@st.composite
def batches_of_one_layer(draw):
    """(channels, sizes of space, batch sizes, an order of axes, rng)."""
    space = draw(st.lists(st.integers(1, 4), max_size=3))
    channels = draw(st.integers(1, 6))
    batches = draw(st.lists(st.integers(0, 7), min_size=1, max_size=4))
    order = draw(st.permutations(range(2 + len(space))))
    return channels, space, batches, order, np.random.default_rng(draw(st.integers(0, 2**31)))


def less_its_first(x, *shape):
    """x in float64, less the first number of each row that it has in this shape.

    What all numbers of a row share changes no mean-free norm. But torch's sums lose digits to it:
    of two numbers near 100 that differ by 0.01 it finds dx to 1e-10 only.
    """
    x = np.array(x, np.float64, order="C")
    rows = x.reshape(shape) if x.size else x
    return (rows - rows[..., :1]).reshape(x.shape)


def agrees_with_torch(torch, layer, module, x, dy, tolerance, theirs=None):
    """Forward and every gradient, against torch in float64; `theirs` is its x, if not ours."""
    # in C order, for torch 2.13's own dx is wrong where x and dy lie in different orders
    theirs = x if theirs is None else theirs
    tx = torch.tensor(np.array(theirs, np.float64, order="C"), requires_grad=True)
    module.zero_grad()
    ty = module(tx)
    ty.backward(torch.tensor(np.array(dy, np.float64)))
    wanted = ty.detach(), tx.grad, *(parameter.grad for parameter in module.parameters())
    for found, tensor in zip(passes_of(layer, x, dy), wanted, strict=True):
        assert found.dtype == x.dtype
        numeric.close(found, tensor.numpy(), tolerance)


def prepared(torch, layer, module, rng, dtype):
    """Both with the same random gamma and beta, if they have them."""
    layer.astype(dtype)
    for name, tensor in zip(layer.params, module.parameters(), strict=True):
        layer.params[name] = rng.normal(1, 0.5, layer.params[name].shape)
        with torch.no_grad():
            tensor[...] = torch.tensor(np.array(layer.params[name], np.float64))
    return layer, module


both_dtypes = pytest.mark.parametrize(
    ("dtype", "tolerance"), [("float64", 1e-10), ("float32", 1e-4)]
)


def epsilons(dtype):
    """float32 without the least: dx of two near numbers is what remains of gamma/σ · dy."""
    return st.sampled_from([1e-5, 1e-3, 0.2] if dtype == "float64" else [1e-3, 0.2])


def data(rng, shape, order, mean, dtype):
    return in_order(rng.normal(mean, 1, shape).astype(dtype), order)


@pytest.mark.torch
@both_dtypes
def test_batch_norm_agrees_with_torch_over_several_batches(dtype, tolerance):
    torch = pytest.importorskip("torch")
    kinds = {2: torch.nn.BatchNorm1d, 3: torch.nn.BatchNorm1d}
    kinds |= {4: torch.nn.BatchNorm2d, 5: torch.nn.BatchNorm3d}

    @settings(max_examples=300, deadline=None)
    @given(
        sizes=batches_of_one_layer(),
        momentum=st.sampled_from([None, 0.1, 0.0, 1.0, 0.37]),
        epsilon=epsilons(dtype),
        affine=st.booleans(),
        mean=st.sampled_from([0, 3, 100]),
    )
    def agrees(sizes, momentum, epsilon, affine, mean):
        channels, space, batches, order, rng = sizes
        places = int(np.prod(space))
        assume(all(batch * places != 1 for batch in batches))
        assume(any(batch for batch in batches))
        module = kinds[2 + len(space)](channels, epsilon, momentum, affine, dtype=torch.float64)
        layer = BatchNorm(channels, momentum, epsilon, affine)
        layer, module = prepared(torch, layer, module, rng, dtype)
        for batch in filter(None, batches):  # torch counts an empty batch, though it does nothing
            x = data(rng, (batch, channels, *space), order, mean, dtype)
            dy = rng.normal(size=x.shape).astype(dtype)
            agrees_with_torch(torch, layer, module, x, dy, tolerance)
            for name in ("running_mean", "running_var"):
                numeric.close(layer.buffers[name], getattr(module, name).numpy(), tolerance)
        layer.eval(), module.eval()
        before = layer.buffers.copy()
        for batch in (0, 1, *batches):
            x = data(rng, (batch, channels, *space), order, mean, dtype)
            # running statistics of float32 away from 0 have their own rounding
            slack = tolerance * (1 + mean) if dtype == "float32" else tolerance
            agrees_with_torch(
                torch, layer, module, x, rng.normal(size=x.shape).astype(dtype), slack
            )
        for name, array in layer.buffers.items():
            np.testing.assert_array_equal(array, before[name])

    agrees()


@pytest.mark.torch
@both_dtypes
@pytest.mark.parametrize("kind", [LayerNorm, RMSNorm])
def test_norms_over_the_last_axes_agree_with_torch(kind, dtype, tolerance):
    torch = pytest.importorskip("torch")

    @settings(max_examples=300, deadline=None)
    @given(
        shape=st.lists(st.integers(1, 6), min_size=1, max_size=4),
        batch=st.integers(0, 5),
        axes=st.integers(1, 4),
        epsilon=epsilons(dtype),
        affine=st.booleans(),
        mean=st.sampled_from([0, 3, 100]),
        seed=st.integers(0, 2**31),
        data_=st.data(),
    )
    def agrees(shape, batch, axes, epsilon, affine, mean, seed, data_):
        rng = np.random.default_rng(seed)
        last = tuple(shape[-axes:])
        shape = (batch, *shape) if axes <= len(shape) else tuple(shape)
        order = data_.draw(st.permutations(range(len(shape))))
        size = last[0] if len(last) == 1 else last
        module = getattr(torch.nn, kind.__name__)(last, epsilon, affine, dtype=torch.float64)
        layer, module = prepared(torch, kind(size, epsilon, affine), module, rng, dtype)
        x = data(rng, shape, order, mean, dtype)
        dy = rng.normal(size=shape).astype(dtype)
        theirs = less_its_first(x, -1, int(np.prod(last))) if kind is LayerNorm else x
        agrees_with_torch(torch, layer, module, x, dy, tolerance, theirs)

    agrees()


@pytest.mark.torch
@both_dtypes
@pytest.mark.parametrize("kind", [GroupNorm, InstanceNorm])
def test_norms_over_groups_of_channels_agree_with_torch(kind, dtype, tolerance):
    torch = pytest.importorskip("torch")

    @settings(max_examples=300, deadline=None)
    @given(
        sizes=batches_of_one_layer(),
        groups=st.integers(1, 4),
        epsilon=epsilons(dtype),
        affine=st.booleans(),
        mean=st.sampled_from([0, 3, 100]),
    )
    def agrees(sizes, groups, epsilon, affine, mean):
        channels, space, batches, order, rng = sizes
        channels *= groups
        groups = channels if kind is InstanceNorm else groups
        # torch refuses a single value per group, and in instance_norm an empty batch
        assume(channels * int(np.prod(space)) > groups)
        module = torch.nn.GroupNorm(groups, channels, epsilon, affine, dtype=torch.float64)
        layer = InstanceNorm(channels, epsilon, affine)
        if kind is GroupNorm:
            layer = GroupNorm(groups, channels, epsilon, affine)
        layer, module = prepared(torch, layer, module, rng, dtype)
        x = data(rng, (batches[0], channels, *space), order, mean, dtype)
        dy = rng.normal(size=x.shape).astype(dtype)
        theirs = less_its_first(x, len(x), groups, -1)
        agrees_with_torch(torch, layer, module, x, dy, tolerance, theirs)
        if kind is InstanceNorm and len(x):
            wanted = torch.nn.functional.instance_norm(
                torch.tensor(theirs),
                weight=module.weight,
                bias=module.bias,
                eps=epsilon,
            )
            numeric.close(layer.forward(x), wanted.detach().numpy(), tolerance)

    agrees()


@pytest.mark.torch
@pytest.mark.parametrize("shape", [(5000, 24), (16, 24, 20, 25)])
def test_far_from_zero_float32_agrees_with_torch_in_float32(shape):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    for build, module in (
        (BatchNorm(24), torch.nn.BatchNorm2d(24)),
        (GroupNorm(3, 24), torch.nn.GroupNorm(3, 24)),
        (LayerNorm(shape[1:]), torch.nn.LayerNorm(shape[1:])),
    ):
        for mean in (0, 100):
            x, dy = rng.normal(mean, 1, shape).astype("f4"), rng.normal(size=shape).astype("f4")
            tx = torch.tensor(x, requires_grad=True)
            if isinstance(build, BatchNorm) and len(shape) == 2:
                module = torch.nn.BatchNorm1d(24)
            ty = module(tx)
            module.zero_grad()
            ty.backward(torch.tensor(dy))
            wanted = ty.detach(), tx.grad, module.weight.grad, module.bias.grad
            for found, tensor in zip(passes_of(build, x, dy), wanted, strict=True):
                numeric.close(found, tensor.numpy(), 1e-4)


# Arguments -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("layer", "shape", "message"),
    [
        (BatchNorm(3), (5, 4), r"\(batch, 3\) or \(batch, 3, \.\.\.\), received \(5, 4\); make it"),
        (BatchNorm(3), (5, 4), r"make it BatchNorm\(4\)$"),
        (BatchNorm(3), (5, 8, 8, 3), r"move the features to axis 1: np.moveaxis\(x, -1, 1\)"),
        (BatchNorm(3), (3,), r"pass samples as rows"),
        (BatchNorm(3), (), r"received \(\)"),
        (LayerNorm(3), (5, 4), r"LayerNorm\(3\) expected \(..., 3\), received \(5, 4\)"),
        (LayerNorm(3), (5, 4), r"make it LayerNorm\(4\) or transpose x$"),
        (LayerNorm((3, 4)), (5, 4, 3), r"expected \(..., 3, 4\).*make it LayerNorm\(\(4, 3\)\)"),
        (LayerNorm((3, 4)), (4,), r"the last ones of x"),
        (LayerNorm(3), (), r"received \(\)"),
        (BatchNorm(3, 0.2, affine=False), (5, 4), r"make it BatchNorm\(4, momentum=0.2, affine=F"),
        (RMSNorm(3, 0.1), (5, 4), r"RMSNorm\(3, epsilon=0.1\) .*make it RMSNorm\(4, epsilon=0.1\)"),
        (InstanceNorm(4), (5, 4), r"InstanceNorm\(4\) .*use GroupNorm\(1, 4\) over all channels"),
        (InstanceNorm(4), (4, 5), r"x\[np.newaxis\]"),
        (GroupNorm(2, 4), (5, 3), r"GroupNorm\(2, 4\) expected \(batch, 4\) or"),
        (GroupNorm(2, 4, affine=False), (5, 6), r"make it GroupNorm\(2, 6, affine=False\)$"),
        (GroupNorm(2, 4), (5, 8, 8, 4), r"move the channels to axis 1: np.moveaxis\(x, -1, 1\)"),
        (GroupNorm(2, 4), (4,), r"x\[np.newaxis\]"),
    ],
)
def test_other_shapes_are_refused_with_a_remedy(layer, shape, message):
    with pytest.raises(ValueError, match=message):
        layer.forward(np.zeros(shape))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: BatchNorm(0), "features of at least 1"),
        (lambda: BatchNorm(3, momentum=1.1), r"momentum in \[0, 1\]"),
        (lambda: BatchNorm(3, momentum=np.nan), r"momentum in \[0, 1\]"),
        (lambda: BatchNorm(3, epsilon=-1e-5), "BatchNorm expected epsilon"),
        (lambda: LayerNorm(3, epsilon=np.nan), "LayerNorm expected epsilon"),
        (lambda: GroupNorm(1, 3, epsilon=-1), "GroupNorm expected epsilon"),
        (lambda: LayerNorm(()), "one or more sizes"),
        (lambda: LayerNorm((3, 0)), "at least 1"),
        (lambda: GroupNorm(2, 5), "2 groups of 5 channels"),
        (lambda: GroupNorm(0, 5), "0 groups"),
    ],
)
def test_wrong_arguments_are_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        wrong()


def test_what_is_printed_builds_the_layer():
    for text in (
        "BatchNorm(5)",
        "BatchNorm(5, momentum=None)",
        "BatchNorm(5, momentum=0.2, epsilon=0.001)",
        "LayerNorm(3)",
        "LayerNorm((3, 4), epsilon=0.1)",
        "GroupNorm(2, 6)",
        "GroupNorm(2, 6, epsilon=0.1)",
        "BatchNorm(5, affine=False, unbiased=False)",
        "LayerNorm(3, affine=False)",
        "RMSNorm((3, 4), affine=False)",
        "InstanceNorm(3, epsilon=0.1)",
    ):
        assert repr(eval(text)) == text
