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
from nnscratch.layers.normalization.standardize import spread
from tests import numeric

SHAPES = [(7, 5), (4, 5, 3), (3, 5, 2, 4)]


def drawn(layer, rng):
    """The layer in float64 with gamma and beta that no initializer made."""
    layer.astype("f8")
    for name, array in layer.params.items():
        layer.params[name] = rng.normal(1, 0.5, array.shape)
    for name in layer.buffers.keys() & {"running_mean", "running_var"}:
        layer.buffers[name] = rng.uniform(0.5, 2, layer.features)
    return layer


def in_order(x, order):
    """The same array with its axes in another order of memory."""
    return np.ascontiguousarray(x.transpose(order)).transpose(np.argsort(order))


def layers_for(shape):
    """One layer of every kind and mode for inputs of a shape."""
    return [
        BatchNorm(shape[1]),
        BatchNorm(shape[1], momentum=None, epsilon=0.1),
        BatchNorm(shape[1]).eval(),
        BatchNorm(shape[1], unbiased=False, affine=False),
        BatchNorm(shape[1], affine=False).eval(),
        LayerNorm(shape[-1]),
        LayerNorm(shape[1:], epsilon=0.1),
        LayerNorm(shape),
        LayerNorm(shape[1:], affine=False),
        RMSNorm(shape[-1]),
        RMSNorm(shape[1:], epsilon=0.1, affine=False),
        GroupNorm(1, shape[1], affine=False),
        GroupNorm(1, shape[1]),
        GroupNorm(shape[1], shape[1], epsilon=0.1),
    ]


every_layer = pytest.mark.parametrize(
    ("layer", "shape"),
    [(layer, shape) for shape in SHAPES for layer in layers_for(shape)]
    + [(InstanceNorm(5), (4, 5, 3)), (InstanceNorm(5, affine=False), (3, 5, 2, 4))]
    + [(GroupNorm(3, 6), (7, 6)), (GroupNorm(3, 6), (4, 6, 5)), (GroupNorm(2, 6), (4, 6, 3, 5))],
    ids=lambda value: f"{value!r}{'' if getattr(value, 'training', True) else '.eval()'}",
)


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
    expected = [*_run(first, x, dy), *first.buffers.values()]
    for order in itertools.permutations(range(len(shape))):
        same, dsame = in_order(x, order), in_order(dy, order)
        twin = copy.deepcopy(layer)
        found = [*_run(twin, same, dsame), *twin.buffers.values()]
        for one, other in zip(found, expected, strict=True):
            numeric.close(one, other, 1e-12)
        assert found[0].strides == found[1].strides == same.strides
        mixed = _run(copy.deepcopy(layer), same, dy)
        for one, other in zip(mixed, expected, strict=False):
            numeric.close(one, other, 1e-12)
    for odd in (x[::-1], np.repeat(x, 2, axis=-1)[..., ::2], np.repeat(x, 3, axis=0)[::3]):
        sign = slice(None, None, -1 if np.shares_memory(odd, x) else 1)
        numeric.close(copy.deepcopy(layer).forward(odd[sign]), expected[0], 1e-12)


def _run(layer, x, dy):
    """y, dx and the gradients."""
    y = layer.forward(x)
    dx, grads = layer.backward(dy)
    return y, dx, *grads.values()


@every_layer
def test_an_empty_batch_passes(layer, shape):
    if getattr(layer, "shape", None) == shape:  # no batch
        return
    layer = copy.deepcopy(layer)
    before = layer.buffers.copy()
    y, dx, *grads = _run(layer, np.zeros((0, *shape[1:])), np.zeros((0, *shape[1:])))
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


def agrees_with_torch(torch, layer, module, x, dy, tolerance):
    """Forward and every gradient, against torch in float64."""
    # in C order, for torch 2.13's own dx is wrong where x and dy lie in different orders
    tx = torch.tensor(np.array(x, np.float64, order="C"), requires_grad=True)
    module.zero_grad()
    ty = module(tx)
    ty.backward(torch.tensor(np.array(dy, np.float64)))
    wanted = ty.detach(), tx.grad, *(parameter.grad for parameter in module.parameters())
    for found, tensor in zip(_run(layer, x, dy), wanted, strict=True):
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
        agrees_with_torch(torch, layer, module, x, dy, tolerance)

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
        agrees_with_torch(torch, layer, module, x, dy, tolerance)
        if kind is InstanceNorm and len(x):
            wanted = torch.nn.functional.instance_norm(
                torch.tensor(np.array(x, np.float64, order="C")),
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
            for found, tensor in zip(_run(build, x, dy), wanted, strict=True):
                numeric.close(found, tensor.numpy(), 1e-4)


# BatchNorm -----------------------------------------------------------------------------------


def test_values_by_hand():
    layer = BatchNorm(1, momentum=0.5, epsilon=0.0).astype("f8")
    layer.params["gamma"], layer.params["beta"] = [10], [1]
    # mean 4, biased variance (9 + 1 + 16) / 3 = 26/3, unbiased 13
    y = layer.forward([[1.0], [3.0], [8.0]])
    np.testing.assert_allclose(y[:, 0], 1 + 10 * np.array([-3, -1, 4]) / (26 / 3) ** 0.5, rtol=1e-6)
    np.testing.assert_allclose(layer.buffers["running_mean"], [0.5 * 0 + 0.5 * 4])
    np.testing.assert_allclose(layer.buffers["running_var"], [0.5 * 1 + 0.5 * 13])
    np.testing.assert_allclose(
        layer.eval().forward([[2.0]]), [[1]], rtol=1e-6
    )  # at the running mean


def test_a_uniform_dy_moves_nothing_in_training():
    layer = drawn(BatchNorm(5), np.random.default_rng(0))
    x = np.random.default_rng(1).normal(size=(7, 5, 3))
    layer.forward(x)
    numeric.close(layer.backward(np.ones(x.shape))[0], np.zeros(x.shape), 1e-13)
    numeric.close(layer.backward(layer.forward(x))[0], np.zeros(x.shape), 1e-4)  # dy along xhat
    layer.eval().forward(x)
    assert np.abs(layer.backward(np.ones(x.shape))[0]).min() > 0.01


def test_without_momentum_the_running_statistics_are_means_over_the_batches():
    rng = np.random.default_rng(0)
    layer = BatchNorm(3, momentum=None).astype("f8")
    batches = [rng.normal(i, 1 + i, (4 + i, 3)) for i in range(5)]
    for i, batch in enumerate(batches, 1):
        layer.forward(batch)
        assert int(layer.buffers["batches"]) == i
        means = np.mean([b.mean(0) for b in batches[:i]], axis=0)
        variances = np.mean([b.var(0, ddof=1) for b in batches[:i]], axis=0)
        np.testing.assert_allclose(layer.buffers["running_mean"], means)
        np.testing.assert_allclose(layer.buffers["running_var"], variances)
    assert set(BatchNorm(3).buffers) == {"running_mean", "running_var"}


@pytest.mark.parametrize("momentum", [0.3, None])
def test_the_variance_that_is_kept_is_the_unbiased_one_unless_told(momentum):
    rng = np.random.default_rng(0)
    batches = [rng.normal(2, 3, (n, 3, 4)) for n in (5, 2, 7)]
    for unbiased in (True, False):
        layer = BatchNorm(3, momentum, unbiased=unbiased).astype("f8")
        expected = np.ones(3)
        for i, x in enumerate(batches, 1):
            layer.forward(x)
            variance = x.var((0, 2), ddof=int(unbiased))
            expected += (momentum or 1 / i) * (variance - expected)
        numeric.close(layer.buffers["running_var"], expected, 1e-13)


def test_float16_is_computed_in_float32():
    rng = np.random.default_rng(0)
    x = rng.normal(200, 300, (64, 6, 5)).astype("f2")  # whose squares overflow
    layers = [BatchNorm(6), GroupNorm(2, 6), InstanceNorm(6), LayerNorm((6, 5)), RMSNorm(5)]
    for layer in [*layers, BatchNorm(6, affine=False), BatchNorm(6).eval()]:
        dy = rng.normal(size=x.shape).astype("f2")
        found = _run(copy.deepcopy(layer).astype("f2"), x, dy)
        expected = _run(copy.deepcopy(layer).astype("f8"), x.astype("f8"), dy.astype("f8"))
        for one, other in zip(found, expected, strict=True):
            assert one.dtype == np.float16
            numeric.close(one, other, 2e-3)


@pytest.mark.parametrize("momentum", [0.1, None])
def test_a_saved_layer_goes_on_as_if_unbroken(momentum, tmp_path):
    rng = np.random.default_rng(0)

    def build():
        return nn.Sequential(nn.Linear(4, 3, rng=1), BatchNorm(3, momentum=momentum), nn.ReLU())

    model, twin = build(), build()
    batches = [rng.normal(2, 3, (8, 4)) for _ in range(4)]
    for batch in batches[:3]:
        model.forward(batch)
    nn.save(model, tmp_path / "model.npz")
    nn.load(twin, tmp_path / "model.npz")
    for name, array in model.buffers.items():
        assert array.any()
        assert array.dtype == twin.buffers[name].dtype
        np.testing.assert_array_equal(array, twin.buffers[name])
    copies = [model, twin, copy.deepcopy(model)]
    values = [m.forward(batches[3]) for m in copies] + [
        m.eval().forward(batches[3]) for m in copies
    ]
    for one, other in itertools.pairwise(values[:3]):
        np.testing.assert_array_equal(one, other)
    for one, other in itertools.pairwise(values[3:]):
        np.testing.assert_array_equal(one, other)
    assert not np.allclose(values[0], values[3])


def test_the_kinds_of_momentum_do_not_fit_into_each_other(tmp_path):
    nn.save(BatchNorm(3), tmp_path / "model.npz")
    with pytest.raises(ValueError, match="missing batches"):
        nn.load(BatchNorm(3, momentum=None), tmp_path / "model.npz")


def test_conversion_takes_the_statistics_along_and_counts_on():
    layer = BatchNorm(3, momentum=None).astype("f8")
    layer.forward(np.random.default_rng(0).normal(size=(5, 3)))
    before = layer.buffers.copy()
    layer.astype("f4")
    assert layer.buffers["running_mean"].dtype == layer.buffers["running_var"].dtype == np.float32
    numeric.close(layer.buffers["running_mean"], before["running_mean"], 1e-6)
    layer.buffers["batches"] = 2**24
    layer.forward(np.ones((5, 3)))
    assert int(layer.buffers["batches"]) == 2**24 + 1  # which float32 could not count


def test_forward_pass_changes_nothing_but_the_running_statistics():
    layer = BatchNorm(3)
    params = layer.params.copy()
    x = np.random.default_rng(0).normal(2, 1, (5, 3)).astype("f4")
    kept = x.copy()
    y, _ = layer.forward_pass(x)
    again, _ = layer.forward_pass(x)
    np.testing.assert_array_equal(y, again)
    np.testing.assert_array_equal(x, kept)
    assert layer.cache is None
    for name in params:
        np.testing.assert_array_equal(layer.params[name], params[name])


def test_backward_belongs_to_the_mode_of_its_forward():
    rng = np.random.default_rng(0)
    x, dy = rng.normal(size=(5, 3)), rng.normal(size=(5, 3))
    layer = drawn(BatchNorm(3), rng)
    layer.forward(x)
    expected = layer.backward(dy)[0]
    np.testing.assert_array_equal(layer.eval().backward(dy)[0], expected)
    layer.forward(x)
    constant = layer.backward(dy)[0]
    scale = layer.params["gamma"] / np.sqrt(layer.buffers["running_var"] + layer.epsilon)
    np.testing.assert_allclose(constant, dy * scale)
    np.testing.assert_array_equal(layer.train().backward(dy)[0], constant)


@pytest.mark.parametrize("shape", [(1, 3), (1, 3, 1), (1, 3, 1, 1)])
def test_a_single_value_per_feature_is_refused_in_training_only(shape):
    layer = BatchNorm(3)
    before = layer.buffers.copy()
    with pytest.raises(ValueError, match=r"BatchNorm\(3\) expected more than one value.*eval\(\)"):
        layer.forward(np.ones(shape))
    np.testing.assert_array_equal(layer.buffers["running_mean"], before["running_mean"])
    numeric.close(layer.eval().forward(np.ones(shape)), np.ones(shape), 1e-4)
    assert layer.train().forward(np.ones((1, 3, 2))).shape == (1, 3, 2)


def test_a_constant_feature_gives_beta_and_large_gradients_that_are_finite():
    for constant in (0.0, 7.3, 1e4):
        layer = BatchNorm(2)
        layer.params["beta"] = [1, 2]
        x = np.stack([np.full(50, constant), np.arange(50)], axis=1).astype("f4")
        y = layer.forward(x)
        np.testing.assert_allclose(y[:, 0], 1, atol=1e-3)
        assert np.isfinite(layer.backward(np.random.default_rng(0).normal(size=x.shape))[0]).all()
        assert (layer.buffers["running_var"] >= 0).all()


def test_far_from_zero_the_variance_survives_in_float32():
    rng = np.random.default_rng(0)
    for shape in ((2000, 3), (20, 3, 10, 10)):
        x = rng.normal(10_000, 1, shape).astype("f4")
        layer = BatchNorm(3, momentum=1.0)
        y = layer.forward(x)
        axes = (0, 2, 3)[: len(shape) - 1]
        exact = x.astype("f8")
        numeric.close(layer.buffers["running_var"], exact.var(axes, ddof=1) * 2000 / 2000, 1e-3)
        middle, deviation = exact.mean(axes, keepdims=True), exact.std(axes, keepdims=True)
        numeric.close(y, (exact - middle) / deviation, 1e-4)


def test_nan_is_not_hidden():
    for layer in layers_for((4, 3)):
        x = np.ones((4, 3))
        x[1, 1] = np.nan
        assert np.isnan(layer.forward(x)[1, 1])


@given(order=st.permutations(range(4)), features=st.integers(1, 3))
def test_spread_statistics_still_broadcast_to_the_same(order, features):
    x = in_order(np.zeros((4, features, 2, 5)), order)
    statistics = np.arange(features, dtype=float).reshape(1, -1, 1, 1)
    np.testing.assert_array_equal(x + spread(statistics, x), x + statistics)


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
