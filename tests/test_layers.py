"""What every layer promises, run on every case of the registry."""

import copy
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nnscratch as nn
from tests import numeric
from tests.layer_cases import CASES
from tests.passes import arrays, random_dy, run, several
from tests.passes import double as in_float64


def cases(condition=lambda case: True):
    chosen = [case for case in CASES if condition(case)]
    names = [f"{i}-{case.build()!r}".split("\n")[0] for i, case in enumerate(chosen)]
    return pytest.mark.parametrize("case", chosen, ids=names)


every_case = cases()


def draws(case):
    """Whether each forward pass has its own mask."""
    return case.name == "Dropout" and case.build().training


def double(case):
    """The case's layer in float64, with parameters that no initializer made."""
    return in_float64(case.build())


def inputs_of(case, dtype="f8", seed=0, **options):
    """Inputs of a dtype; integers and conditions stay what they are."""
    inputs = case.inputs(np.random.default_rng(seed), **options)
    return [x.astype(dtype) if x.dtype.kind == "f" else x for x in inputs]


def kinds(found):
    return {np.asarray(array).dtype for array in found}


def test_every_exported_layer_has_a_case():
    exported = {getattr(nn.layers, name).__name__ for name in nn.layers.__all__}
    assert exported - {"Layer"} <= {case.name for case in CASES}


@every_case
def test_gradients_equal_central_differences(case):
    for seed in range(3):
        numeric.check_layer(double(case), *inputs_of(case, seed=seed), seed=seed)


@pytest.mark.torch
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@cases(lambda case: case.torch is not None)
def test_values_and_gradients_agree_with_torch(case, dtype):
    torch = pytest.importorskip("torch")
    tolerance = 1e-10 if dtype == "float64" else case.float32
    sizes = st.integers(0, 9) if case.drawn is None else case.drawn

    @settings(max_examples=15, deadline=None)
    @given(size=sizes, seed=st.integers(0, 2**31))
    def agrees(size, seed):
        layer = double(case).astype(dtype)
        if case.drawn is not None:
            drawn = {"shapes": size}
        elif len(case.shapes) == 1:
            drawn = {"batch": size if case.batch_axis else max(size, 1)}
        else:
            drawn = {}
        inputs = inputs_of(case, dtype, seed, **drawn)
        y, dx, grads = run(layer, *inputs)
        params = {k: torch.tensor(np.array(v)) for k, v in layer.params.items()}
        given_ = [torch.tensor(np.array(x)) for x in inputs]
        moving = [tensor for tensor in (*given_, *params.values()) if tensor.is_floating_point()]
        for tensor in moving:
            tensor.requires_grad_()
        ty = several(case.torch(torch, params, *given_))
        dy = several(random_dy(y))
        torch.autograd.backward(ty, [torch.tensor(part) for part in dy])
        expected = [t.detach() for t in ty] + [t.grad for t in moving]
        for found, wanted in zip(arrays(y, dx, grads), expected, strict=True):
            numeric.close(found, wanted.numpy(), tolerance)

    agrees()


@pytest.mark.torch
@cases(lambda case: not draws(case))
def test_gradcheck_of_torch_passes(case):
    torch = pytest.importorskip("torch")
    layer = double(case)
    fixed = inputs_of(case)
    moving = [i for i, x in enumerate(fixed) if x.dtype.kind == "f"]

    class Wrapped(torch.autograd.Function):
        @staticmethod
        def forward(ctx, *values):
            values = [value.detach().numpy() for value in values]
            inputs = list(fixed)
            for i in moving:
                inputs[i] = values.pop(0)
            layer.params.update(dict(zip(layer.params, values, strict=True)))
            y, ctx.kept = layer.forward_pass(*inputs)
            parts = tuple(torch.tensor(np.array(part)) for part in several(y))  # copies, in order
            return parts if isinstance(y, tuple) else parts[0]

        @staticmethod
        @torch.autograd.function.once_differentiable
        def backward(ctx, *dy):
            parts = tuple(part.numpy() for part in dy)
            dx, grads = layer.backprop(parts if layer.output_count else parts[0], ctx.kept)
            return tuple(torch.tensor(np.array(a)) for a in arrays((), dx, grads))

    values = [*(fixed[i] for i in moving), *layer.params.copy().values()]
    leaves = [torch.tensor(np.array(value), requires_grad=True) for value in values]
    # along random directions; every element is compared with central differences elsewhere
    assert torch.autograd.gradcheck(Wrapped.apply, leaves, fast_mode=True)


@every_case
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "longdouble"])
def test_the_dtype_stays(case, dtype):
    if case.name in ("Determinant", "Inverse") and dtype in ("float16", "longdouble"):
        return  # which NumPy's linear algebra refuses
    found = arrays(*run(case.build().astype(dtype), *inputs_of(case, dtype)))
    assert kinds(found) == {np.dtype(dtype)}


@every_case
def test_parameters_decide_the_dtype_and_integers_become_float32(case):
    layer, inputs = case.build(), inputs_of(case)
    expected = np.dtype("f4" if layer.params else "f8")
    y = layer.forward(*inputs)
    assert kinds(several(y)) == {expected}
    dy = tuple(np.ones(part.shape) for part in several(y))
    dx, grads = layer.backward(dy if isinstance(y, tuple) else dy[0])
    assert kinds(arrays((), dx, grads)) <= {expected}
    whole = [(np.ceil(x) + 3).astype(np.int64) if x.dtype.kind == "f" else x for x in inputs]
    assert kinds(arrays(*run(layer, *whole))) == {np.dtype("f4")}


@cases(lambda case: case.batch_axis and case.inputs(np.random.default_rng(0))[0].dtype.kind == "f")
@pytest.mark.parametrize("dtype", [complex, str, object])
def test_what_holds_no_real_numbers_is_refused(case, dtype):
    x = np.zeros(case.shape).astype(dtype)
    with pytest.raises(ValueError, match=f"expected real numbers, received an array of {x.dtype}"):
        case.build().forward(x)


@every_case
def test_float32_work_keeps_nothing_in_float64(case):
    _, cache = case.build().forward_pass(*inputs_of(case, "f4"))
    assert np.dtype("f8") not in {array.dtype for array in arrays_in(cache)}


def arrays_in(cache):
    """Every array in a cache, however deep."""
    if isinstance(cache, np.ndarray):
        yield cache
    elif isinstance(cache, (list, tuple)):
        for part in cache:
            yield from arrays_in(part)
    elif isinstance(cache, dict):
        yield from arrays_in(list(cache.values()))


def in_other_orders(x):
    """The same numbers in memory as they were, by columns, and with gaps."""
    yield x
    if x.ndim:
        yield np.asfortranarray(x)
        yield np.repeat(x, 2, axis=-1)[..., ::2]


@every_case
def test_inputs_of_any_memory_order_are_only_read(case):
    state = double(case)
    inputs = inputs_of(case)
    expected = arrays(*run(copy.deepcopy(state), *inputs))
    for same in zip(*(in_other_orders(x) for x in inputs), strict=False):
        layer = copy.deepcopy(state)
        y = layer.forward(*same)
        for part in (*same, *several(dy := random_dy(y))):
            part.flags.writeable = False
        before = [x.copy() for x in same]
        found = arrays(y, *layer.backward(dy))
        for one, wanted in zip(found, expected, strict=True):
            np.testing.assert_allclose(one, wanted, rtol=1e-12, atol=1e-14)
        for x, kept in zip(same, before, strict=True):
            np.testing.assert_array_equal(x, kept)


@every_case
def test_returned_arrays_are_never_overwritten(case):
    layer = double(case)
    found = arrays(*run(layer, *inputs_of(case)))
    kept = [np.copy(a) for a in found]
    for seed in (1, 2):
        run(layer, *inputs_of(case, seed=seed), seed=seed)
    for array, before in zip(found, kept, strict=True):
        np.testing.assert_array_equal(array, before)


@every_case
def test_a_second_backward_is_equal(case):
    layer = double(case)
    y, dx, grads = run(layer, *inputs_of(case))
    again = layer.backward(random_dy(y))
    for one, other in zip(arrays((), dx, grads), arrays((), *again), strict=True):
        np.testing.assert_array_equal(one, other)


@cases(lambda case: case.batch_axis)
def test_a_smaller_batch_after_a_larger_leaves_nothing_behind(case):
    layer = double(case)
    (large,) = inputs_of(case, batch=7)
    y, dx, _ = run(layer, large)
    dy = random_dy(y)
    small_y = layer.forward(large[:3])
    small_dx, small = layer.backward(dy[:3])
    numeric.close(small_y, y[:3], 1e-13)
    if dx is not None:
        numeric.close(small_dx, dx[:3], 1e-13)
    _, rest = (layer.forward(large[3:]), layer.backward(dy[3:]))[1]
    layer.forward(large)
    _, whole = layer.backward(dy)
    for name in whole:  # a batch sums over its samples
        numeric.close(small[name] + rest[name], whole[name], 1e-12)


@cases(lambda case: case.batch_axis and case.single)
def test_one_sample_equals_a_batch_of_one(case):
    layer = double(case)
    (x,) = inputs_of(case, batch=1)
    y, dx, grads = run(layer, x)
    one_y, one_dx, one_grads = run(layer, x[0])
    numeric.close(one_y, y[0], 1e-13)
    numeric.close(one_dx, dx[0], 1e-13)
    for name in grads:
        numeric.close(one_grads[name], grads[name], 1e-13)


def fits_twice(case):
    """Whether its output, by a Linear if need be, fits its input again."""
    inputs = inputs_of(case)
    y = case.build().forward(*inputs)
    if len(inputs) > 1 or isinstance(y, tuple) or inputs[0].dtype.kind != "f":
        return False
    return y.shape == inputs[0].shape or (
        inputs[0].ndim == y.ndim == 2 and len(y) == len(inputs[0])
    )


@cases(fits_twice)
def test_used_twice_the_gradients_add_up(case):
    layer = double(case)
    (x,) = inputs_of(case)
    if layer.forward(x).shape != x.shape:  # let its output fit its input again
        size = (layer.forward(x).shape[-1], x.shape[-1])
        between = nn.Linear(*size, rng=3).astype("f8")
        model = nn.Sequential(layer, between, layer)
    else:
        model = nn.Sequential(layer, layer)
    assert len(model.params) == len(layer.params) + (2 if len(model) == 3 else 0)
    if case.name in ("ReLU", "Sqrt", "Log"):  # for which the second input would be at an end
        x = np.abs(x) + 1.5
    numeric.check_layer(model, x, tolerance=1e-6)


@cases(lambda case: not draws(case))
def test_the_passes_have_no_hidden_state(case):
    layer = double(case)
    first, second = inputs_of(case), inputs_of(case, seed=1)
    y, cache = layer.forward_pass(*first)
    assert layer.cache is None
    dy = random_dy(y)
    expected = arrays((), layer.backward_pass(dy, cache), layer.gradient_pass(dy, cache))
    layer.forward_pass(*second)
    layer.forward(*second)
    again = arrays((), layer.backward_pass(dy, cache), layer.gradient_pass(dy, cache))
    both = arrays((), *layer.backprop(dy, cache))
    for one, other, same in zip(expected, again, both, strict=True):
        np.testing.assert_array_equal(one, other)
        np.testing.assert_allclose(one, same, rtol=1e-14)
    assert layer.backprop(dy, cache, need_dx=False)[0] is None


@every_case
def test_a_forward_pass_keeps_and_changes_nothing(case):
    layer = case.build()
    before = layer.params.copy()
    layer.forward_pass(*inputs_of(case))
    assert [inner.cache for _, inner in layer.walk()] == [None] * len(list(layer.walk()))
    y = layer.forward(*inputs_of(case))
    kept = layer.cache
    layer.forward_pass(*inputs_of(case, seed=1))
    assert layer.cache is kept
    layer.backward(random_dy(y))
    assert layer.cache is kept
    for name, array in layer.params.items():
        np.testing.assert_array_equal(array, before[name])


@cases(lambda case: case.name in ("Linear", "Bias", "Sequential", "Residual", "Scan", "Graph"))
def test_gradients_are_written_where_out_says(case):
    layer = double(case)
    y, cache = layer.forward_pass(*inputs_of(case))
    dy = random_dy(y)
    expected = layer.gradient_pass(dy, cache)
    out = {name: np.full_like(array, np.nan) for name, array in layer.params.items()}
    found = layer.backprop(dy, cache, out)[1]
    for name in out:
        assert found[name] is out[name]
        numeric.close(out[name], expected[name], 1e-13)


@every_case
@pytest.mark.parametrize("copied", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_copies_compute_the_same_on_their_own(case, copied):
    layer, inputs = double(case), inputs_of(case)
    twin = copied(layer)
    found, expected = arrays(*run(twin, *inputs)), arrays(*run(layer, *inputs))
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)
    for name in twin.params:
        twin.params[name] += 1
        assert not np.array_equal(twin.params[name], layer.params[name])


@cases(lambda case: len(case.build().params) + len(case.build().buffers))
@pytest.mark.parametrize("ending", ["npz"])
def test_what_was_saved_is_loaded_into_another(case, ending, tmp_path):
    layer, inputs = double(case), inputs_of(case)
    run(layer, *inputs)  # which moves running statistics
    nn.save(layer, tmp_path / f"model.{ending}")
    twin = case.build().astype("f8")
    nn.load(twin, tmp_path / f"model.{ending}")
    for one, other in zip(arrays(*run(twin, *inputs)), arrays(*run(layer, *inputs)), strict=True):
        np.testing.assert_array_equal(one, other)


@every_case
def test_what_is_printed_builds_the_layer_again(case):
    text = repr(case.build())
    again = nn.build(text)
    assert repr(again) == text
    assert type(again) is type(case.build())
    assert {k: v.shape for k, v in again.params.items()} == {
        k: v.shape for k, v in case.build().params.items()
    }


@every_case
def test_backward_before_forward_names_the_layer(case):
    layer = case.build()
    with pytest.raises(RuntimeError, match=r"backward came before forward; call forward") as error:
        layer.backward(np.zeros(3))
    assert case.name in str(error.value)


@every_case
def test_a_dy_of_another_shape_is_refused_even_if_it_would_broadcast(case):
    layer = case.build()
    y = layer.forward(*inputs_of(case))
    if isinstance(y, tuple):
        for wrong in (y[:1], (*y, y[0]), tuple(part[np.newaxis] for part in y), y[0]):
            with pytest.raises(ValueError, match=r"dy of the shape of y|a tuple of"):
                layer.backward(wrong)
        return
    wrongs = [y[np.newaxis], y[..., np.newaxis]]
    if y.ndim > 1:
        wrongs += [y[..., :1], y[:1], y[0], y.T]
    for wrong in wrongs if y.ndim == 0 else [*wrongs, np.float32(1)]:
        if np.shape(wrong) != y.shape:
            with pytest.raises(ValueError, match="expected dy of the shape of y"):
                layer.backward(wrong)
