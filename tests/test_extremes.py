"""Nothing of what differs from torch at extreme numbers is left without a reason."""

import numpy as np
import pytest

pytest.importorskip("torch")

from tests.extremes import layers, losses, optimizers
from tests.layer_cases import CASES

pytestmark = pytest.mark.torch

# of 27 calls of a layer in each dtype, those that found most
NUMBERS = {"float16": ("1e4",), "float32": ("1e30", "inf", "nan"), "float64": ("-inf",)}


@pytest.mark.parametrize("dtype", NUMBERS)
@pytest.mark.parametrize("case", CASES, ids=layers.text)
def test_what_differs_from_torchs_layers_has_a_reason(case, dtype):
    done = layers.compare(case, dtype, NUMBERS[dtype])
    assert done.torchs + done.wide + done.refused > 0
    assert None not in done.reasons, done.examples[None]


@pytest.mark.parametrize("dtype", losses.DTYPES)
@pytest.mark.parametrize("name", losses.CASES)
def test_what_differs_from_torchs_losses_has_a_reason(name, dtype):
    with np.errstate(all="ignore"):
        rows, counts, examples = losses.differences(name, dtype)
    assert rows > 20
    assert None not in counts, examples[None]


@pytest.mark.parametrize("dtype", layers.DTYPES)
@pytest.mark.parametrize(("name", "ours", "theirs"), optimizers.SETTINGS)
def test_what_differs_from_torchs_optimizers_has_a_reason(name, ours, theirs, dtype):
    torchs, wide, reasons, examples = optimizers.compare(name, ours, theirs, dtype)
    assert torchs + wide > 0
    assert None not in reasons, examples[None]


def long_batch(case):
    return case.batch_axis and case.build().params and case.name != "Embedding"


@pytest.mark.parametrize("case", [*filter(long_batch, CASES)], ids=layers.text)
def test_float16_gradients_of_a_long_batch_add_up(case):
    """In float16 3000 ones have the sum 2048, from which on one more is rounded away."""
    layer, rng = case.build().astype("f2"), np.random.default_rng(0)
    inputs = [x.astype("f2") for x in case.inputs(rng, batch=3000)]
    y, cache = layer.forward_pass(*inputs)
    dy = np.full(y.shape, 1 / 32, "f2")
    _, grads = layer.backprop(dy, cache)
    exact = layers.there(case, layer, inputs, [dy], "float64")
    largest = max(np.abs(exact[name]).max() for name in grads)
    for name, grad in grads.items():
        np.testing.assert_allclose(grad, exact[name], rtol=0.01, atol=0.01 * largest)


@pytest.mark.parametrize("number", ["1e30", "-1e30"])
@pytest.mark.parametrize("name", ["BatchNorm", "LayerNorm", "GroupNorm", "RMSNorm"])
def test_normalizations_are_right_where_squares_overflow_float32(name, number):
    """torch gives 0 or NaN there; what counts is its float64."""
    case = next(c for c in CASES if c.name == name and c.torch and c.build().training)
    call = layers.At(case, "float32", number, "one")
    with np.errstate(over="ignore"):  # of the running variance
        arguments = call.arguments()
        mine = layers.here(*arguments)
    exact = layers.there(case, *arguments, "float64")
    for key, array in mine.items():
        assert layers.alike(array, exact[key], "float32").all(), key
