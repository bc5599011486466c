"""The protocol itself: the named arrays, layers of one's own, dtypes and error messages."""

import copy
import json
import pickle
from collections.abc import MutableMapping

import numpy as np
import pytest

import nnscratch as nn
from nnscratch.layers.params import NestedParams, Params
from tests import numeric

every_copy = pytest.mark.parametrize(
    "copied", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))], ids=["deepcopy", "pickle"]
)


def own():
    return Params({"W": np.arange(6.0).reshape(2, 3), "b": np.zeros(4, np.float32)})


def nested():
    """The same names and values as `own`, from two owners."""
    arrays = own()
    owners = Params({"W": arrays["W"]}), Params({"b": arrays["b"]})
    return NestedParams([("", owners[0]), ("", owners[1])])


every_kind = pytest.mark.parametrize("make", [own, nested])


# The named arrays ------------------------------------------------------------------------------


@every_kind
def test_arrays_read_like_a_dict(make):
    arrays = make()
    assert isinstance(arrays, MutableMapping)
    assert not isinstance(arrays, dict)  # C code, such as json's, reads the storage of a dict
    assert arrays
    assert len(arrays) == 2
    assert list(arrays) == list(arrays.keys()) == ["W", "b"]
    assert list(reversed(arrays)) == ["b", "W"]
    assert ("W" in arrays, "V" in arrays) == (True, False)
    assert arrays.get("W") is arrays["W"]
    assert arrays.get("V", 3) == 3
    for copied in ({**arrays}, dict(arrays), arrays | {}, {} | arrays, dict(arrays.items())):
        assert type(copied) is dict
        assert list(copied) == ["W", "b"]
        assert all(copied[name] is arrays[name] for name in copied)
    assert list(arrays | {"V": 1}) == ["W", "b", "V"]
    assert list({"V": 1} | arrays) == ["V", "W", "b"]
    assert (lambda **named: list(named))(**arrays) == ["W", "b"]
    assert repr(arrays) == repr(dict(arrays))


@every_kind
def test_arrays_are_never_equal_to_fewer_arrays(make):
    arrays = make()
    assert arrays != {}
    assert not arrays == {}  # noqa: SIM201
    assert arrays == dict(arrays)
    assert arrays != {"W": arrays["W"]}


@every_kind
def test_a_copy_is_a_plain_dict_that_nothing_writes_to(make):
    arrays = make()
    arrays.rebind("W", np.asfortranarray(arrays["W"]))
    kept = arrays.copy()
    arrays["W"] += 1
    assert type(kept) is dict
    np.testing.assert_array_equal(kept["W"], np.arange(6.0).reshape(2, 3), strict=True)
    assert kept["W"].strides == arrays["W"].strides


@every_kind
def test_a_value_of_another_shape_is_refused_even_if_it_would_broadcast(make):
    arrays = make()
    for wrong in ([1, 2, 3], np.ones((1, 3)), np.ones((3, 2)), np.ones(6)):
        with pytest.raises(ValueError) as error:
            arrays["W"] = wrong
        assert str(error.value) == (
            f"'W' has shape (2, 3), received {np.shape(wrong)}; assign an array of the same shape"
        )
    np.testing.assert_array_equal(arrays["W"], np.arange(6.0).reshape(2, 3))


@every_kind
def test_a_number_fills_an_array(make):
    arrays = make()
    before = arrays["W"]
    arrays["W"] = 3
    np.testing.assert_array_equal(before, np.full((2, 3), 3.0))


@every_kind
@pytest.mark.parametrize(
    "wrong", [1j, "text", None, [[1, 2], [3]], np.ma.masked_array([0] * 4), 1e39]
)
def test_what_is_no_real_number_or_too_large_for_the_dtype_is_refused(make, wrong):
    arrays = make()
    with pytest.raises(ValueError, match="'b'"):
        arrays["b"] = wrong
    with pytest.raises(ValueError, match="'b'"):
        arrays.update(W=1, b=wrong)
    assert not arrays["b"].any()
    assert arrays["W"].any()
    arrays["b"] = np.inf  # is asked for, not lost
    assert np.isinf(arrays["b"]).all()


@every_kind
def test_json_and_its_like_do_not_see_an_empty_dict(make):
    arrays = make()
    assert json.loads(json.dumps(dict(arrays), default=np.ndarray.tolist))["b"] == [0, 0, 0, 0]
    with pytest.raises(TypeError, match="not JSON serializable"):
        json.dumps(arrays)


@every_kind
def test_an_assigned_value_is_copied_into_the_array_and_its_dtype(make):
    arrays = make()
    before, value = arrays["b"], np.array([1.0, 2.0, 3.0, 1e-300])
    arrays["b"] = value
    value[:] = 9
    assert arrays["b"] is before
    np.testing.assert_array_equal(before, np.array([1, 2, 3, 0], np.float32), strict=True)


@every_kind
def test_an_array_without_axes_can_be_updated_in_place(make):
    arrays = Params({"s": 1.0})
    if make is nested:
        arrays = NestedParams([("", arrays)])
    before = arrays["s"]
    arrays["s"] -= 3
    arrays["s"] *= 2
    assert before == -4
    arrays["s"] = 5
    assert before == 5


@every_kind
def test_names_can_be_neither_added_nor_removed(make):
    arrays = make()
    for change in (
        lambda: arrays.pop("W"),
        lambda: arrays.popitem(),
        lambda: arrays.clear(),
        lambda: arrays.setdefault("V", 1),
        lambda: arrays.setdefault("W", 1),
        lambda: arrays.__delitem__("W"),
        lambda: arrays.__ior__({"V": 1}),
    ):
        with pytest.raises(TypeError, match="the names of a layer's arrays are fixed"):
            change()
    for change in (
        lambda: arrays["V"],
        lambda: arrays.update(V=1),
        lambda: arrays.update({"V": 1}),
    ):
        with pytest.raises(KeyError, match="no array named 'V'; there are W, b"):
            change()
    assert list(arrays) == ["W", "b"]


def test_update_writes_every_value_in_place():
    arrays = own()
    W, b = arrays["W"], arrays["b"]
    arrays.update({"W": np.ones((2, 3))}, b=[1, 2, 3, 4])
    np.testing.assert_array_equal(W, np.ones((2, 3)))
    np.testing.assert_array_equal(b, [1, 2, 3, 4])


@every_kind
def test_rebinding_reaches_whoever_looks_and_keeps_the_shape(make):
    arrays = make()
    outer = NestedParams([("0.", arrays)])
    replaced = np.full((2, 3), 7.0)
    arrays.rebind("W", replaced)
    assert arrays["W"] is outer["0.W"] is replaced
    outer.rebind("0.W", replaced + 1)
    assert arrays["W"][0, 0] == 8
    outer["0.W"] = np.zeros((2, 3))
    assert not arrays["W"].any()
    with pytest.raises(ValueError, match=r"'W' has shape \(2, 3\), received \(3, 2\)"):
        outer.rebind("0.W", np.ones((3, 2)))


@every_kind
@every_copy
def test_copied_arrays_are_separate_and_keep_their_kind(make, copied):
    arrays = make()
    twin = copied(arrays)
    assert type(twin) is type(arrays)
    twin["W"] += 1
    np.testing.assert_array_equal(twin["W"], arrays["W"] + 1)
    with pytest.raises(ValueError, match="has shape"):
        twin["b"] = [1]
    with pytest.raises(TypeError, match="fixed"):
        twin.clear()


@every_copy
def test_a_copied_model_and_its_params_share_their_arrays(copied):
    model = nn.Sequential(nn.Linear(4, 3, rng=0), nn.Residual(nn.Linear(3, 3, rng=1)))
    twin, params = copied((model, model.params))
    assert list(params) == list(twin.params)
    assert all(params[name] is twin.params[name] for name in params)
    twin.params["1.b"] = [1, 2, 3]
    np.testing.assert_array_equal(twin[1].layers[0].params["b"], [1, 2, 3])
    assert not model.params["1.b"].any()


def test_an_array_reached_twice_is_listed_once_under_its_first_name():
    arrays = own()
    both = NestedParams([("a.", arrays), ("b.", NestedParams([("c.", arrays)]))])
    assert list(both) == ["a.W", "a.b"]
    assert both.names == [{"W": "a.W", "b": "a.b"}, {"c.W": "a.W", "c.b": "a.b"}]


def test_tied_arrays_of_two_layers_count_once_and_their_gradients_add_up():
    first, second = nn.Linear(4, 4, rng=0).astype("f8"), nn.Linear(4, 4, rng=1).astype("f8")
    second.params = first.params
    model = nn.Sequential(first, nn.Tanh(), second)
    assert list(model.params) == ["0.W", "0.b"]
    numeric.check_layer(model, np.random.default_rng(0).normal(size=(7, 4)))


# Layers of one's own ---------------------------------------------------------------------------


class Scale(nn.Layer):
    """y = s x, without a call of Layer.__init__ and without `out`."""

    def __init__(self, features=4):
        self.params = {"s": np.arange(1.0, features + 1)}

    def forward_pass(self, x):
        return self.params["s"] * x, x

    def backward_pass(self, dy, x):
        return self.params["s"] * dy

    def gradient_pass(self, dy, x):
        return {"s": np.sum(dy * x, axis=0)}


class ScaleInto(Scale):
    takes_out = True

    def gradient_pass(self, dy, x, *, out=None):
        return {"s": np.sum(dy * x, axis=0, out=(out or {}).get("s"))}


class Block(nn.Layer):
    """A container written by hand, with an array of its own beside its layer."""

    def __init__(self):
        self.layers = [nn.Dropout(0.5, rng=0)]
        self.params = {"s": np.ones(3, np.float32)}
        self.buffers = {"seen": np.zeros(3, np.float32), "count": np.zeros(1, np.int64)}


@pytest.mark.parametrize("kind", [Scale, ScaleInto])
def test_a_layer_of_ones_own_needs_neither_init_nor_out(kind):
    layer = kind()
    assert type(layer.params) is Params
    assert (layer.training, layer.cache, layer.buffers, layer.layers) == (True, None, {}, ())
    x = np.random.default_rng(0).normal(size=(7, 4))
    numeric.check_layer(layer, x)
    model = nn.Sequential(layer, nn.Tanh(), layer, nn.Residual(kind()))
    assert list(model.params) == ["0.s", "3.s"]
    numeric.check_layer(model, x)
    y, cache = model.forward_pass(x)
    dy = np.random.default_rng(1).normal(size=y.shape)
    expected = model.backprop(dy, cache)[1]
    out = {name: np.full(4, np.nan) for name in model.params}
    found = model.backprop(dy, cache, out, need_dx=False)[1]
    for name in out:
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-14)
    optimizer = nn.SGD(model, 0.5)
    before = model.params.copy()
    optimizer.step(model.backprop(dy, cache, optimizer.grads, need_dx=False)[1])
    for name in before:
        np.testing.assert_allclose(model.params[name], before[name] - 0.5 * expected[name])


def test_out_is_found_in_a_subclass_and_lost_where_it_is_overridden():
    class Plain(ScaleInto):
        def gradient_pass(self, dy, x):
            return {"s": np.sum(dy * x, axis=0)}

    class Renamed(ScaleInto):
        pass

    assert (Scale.takes_out, ScaleInto.takes_out, Plain.takes_out) == (False, True, False)
    assert Renamed.takes_out
    layer = Plain()
    y, cache = layer.forward_pass(np.ones((3, 4)))
    assert layer.backprop(y, cache, {"s": np.zeros(4)})[1]["s"].shape == (4,)


def test_a_missing_pass_is_named():
    class Empty(nn.Layer):
        pass

    with pytest.raises(NotImplementedError, match="Empty has no forward_pass"):
        Empty().forward(np.ones(3))
    with pytest.raises(NotImplementedError, match="Empty has no backward_pass"):
        Empty().backward_pass(np.ones(3), None)
    assert Empty().gradient_pass(np.ones(3), None) == {}


def test_a_class_statement_may_have_keywords():
    class Named:
        def __init_subclass__(cls, label="", **kwargs):
            super().__init_subclass__(**kwargs)
            cls.label = label

    class Labelled(nn.Layer, Named, label="mine"):
        pass

    assert Labelled.label == "mine"


def test_layers_do_not_share_what_they_have_not_set():
    first, second = nn.ReLU(), nn.ReLU()
    first.forward(np.ones(3))
    first.eval()
    assert second.cache is None
    assert second.training
    with pytest.raises(KeyError, match="no array named 'W'; there are none"):
        first.params["W"] = np.ones(3)


def test_modes_and_dtypes_reach_a_container_written_by_hand():
    block = Block()
    model = nn.Sequential(block, nn.Linear(3, 4))
    assert model.eval() is model
    assert not block.layers[0].training
    assert model.train() is model
    assert block.layers[0].training
    model.astype("f8")
    assert {a.dtype for a in model.params.values()} == {np.dtype("f8")}
    assert block.buffers["seen"].dtype == np.float64
    assert block.buffers["count"].dtype == np.int64
    assert list(model.buffers) == ["0.seen", "0.count"]
    assert list(nn.Residual(block).buffers) == ["seen", "count"]


# Dtypes ----------------------------------------------------------------------------------------


def test_astype_converts_in_place_and_leaves_what_fits_where_it_is():
    layer = nn.Linear(4, 3, rng=0)
    params, W = layer.params, layer.params["W"]
    assert layer.astype(np.float32) is layer
    assert layer.params["W"] is W
    layer.forward(np.ones((5, 4)))
    layer.astype("f8")
    assert layer.params is params
    assert layer.dtype == np.float64
    assert layer.cache is None
    assert params["W"].strides == (8, 24)  # the order of axes in memory stays
    np.testing.assert_array_equal(params["W"], W)
    with pytest.raises(RuntimeError, match="call forward"):
        layer.backward(np.ones((5, 3)))
    for wrong in (int, complex, bool):
        with pytest.raises(ValueError, match=r"Linear\(4, 3\)\.astype expected a floating dtype"):
            layer.astype(wrong)
    assert nn.ReLU().dtype is None


def test_layers_of_several_dtypes_give_each_gradient_its_own():
    def model(*dtypes):
        layers = [nn.Linear(4, 4, rng=i).astype(dtype) for i, dtype in enumerate(dtypes)]
        return nn.Sequential(layers[0], nn.Tanh(), *layers[1:])

    x = np.random.default_rng(0).normal(size=(7, 4))
    dy = np.random.default_rng(1).normal(size=(7, 4))
    exact, mixed = model("f8", "f8", "f8"), model("f4", "f8", "f4")
    exact.forward(x)
    expected_dx, expected = exact.backward(dy)
    y = mixed.forward(x)
    dx, grads = mixed.backward(dy)
    assert (y.dtype, dx.dtype) == (np.float32, np.float32)
    numeric.close(dx, expected_dx, 1e-6)
    numeric.close(mixed.backward_pass(dy, mixed.cache), expected_dx, 1e-6)
    for name, grad in grads.items():
        assert grad.dtype == mixed.params[name].dtype
        numeric.close(grad, expected[name], 1e-6)


def test_a_container_of_nothing_makes_integers_floating_like_any_layer():
    model = nn.Sequential()
    y = model.forward([1, 2, 3])
    assert y.dtype == np.float32
    np.testing.assert_array_equal(model.backward([0.5, 0.25, 0.125])[0], [0.5, 0.25, 0.125])
    with pytest.raises(ValueError, match="real numbers"):
        model.forward(np.array([1j]))


def test_lists_scalars_and_booleans_are_taken_as_arrays():
    layer = nn.Linear(3, 2, rng=0)
    x = np.array([[1, 0, 1]], np.float32)
    for same in (x.tolist(), x.astype(bool), x.astype(np.uint8), x.astype(">f4")):
        np.testing.assert_array_equal(layer.forward(same), layer.forward(x), strict=True)
    assert nn.ReLU().forward(-3) == 0


# Order of calls and messages -------------------------------------------------------------------


def message_of(error, call):
    with pytest.raises(error) as raised:
        call()
    return str(raised.value)


@pytest.mark.parametrize(
    ("layer", "shape", "message"),
    [
        (
            nn.Linear(784, 100),
            (32, 28, 28),
            "Linear(784, 100) expected (784,) or (batch, 784), received (32, 28, 28); "
            "put Flatten() before it",
        ),
        (
            nn.Linear(784, 100, bias=False),
            (32, 14, 28),
            "Linear(784, 100, bias=False) expected (784,) or (batch, 784), "
            "received (32, 14, 28); put Flatten() before it and make it Linear(392, 100)",
        ),
        (
            nn.Linear(7, 3),
            (7, 5),
            "Linear(7, 3) expected (7,) or (batch, 7), received (7, 5); "
            "make it Linear(5, 3) or transpose x",
        ),
        (
            nn.Bias(4),
            (4, 1),
            "Bias(4) expected (4,) or (batch, 4), received (4, 1); give Bias the size of x",
        ),
        (
            nn.Flatten(),
            (7,),
            "Flatten() expected (batch, ...), received (7,); "
            "pass one sample as a batch of one: x[np.newaxis]",
        ),
        (
            nn.LogSoftmax(axis=-3),
            (7, 5),
            "LogSoftmax(axis=-3) expected an array with an axis -3, received (7, 5); "
            "choose an axis that x has",
        ),
        (
            nn.Residual(nn.Linear(5, 3)),
            (7, 5),
            "Residual(Linear(5, 3)) expected an output of the input's shape (7, 5), "
            "received (7, 3); x + f(x) needs equal shapes",
        ),
    ],
    ids=lambda value: None if isinstance(value, str) else str(value),
)
def test_a_wrong_shape_is_explained_word_by_word(layer, shape, message):
    assert message_of(ValueError, lambda: layer.forward(np.zeros(shape))) == message


def test_the_order_of_calls_and_the_shape_of_dy_are_explained_word_by_word():
    layer = nn.Linear(5, 3, rng=0)
    assert message_of(RuntimeError, lambda: layer.backward(np.zeros((7, 3)))) == (
        "Linear(5, 3).backward came before forward; call forward(x) first"
    )
    layer.forward(np.ones((7, 5)))
    assert message_of(ValueError, lambda: layer.backward(np.zeros((7, 1)))) == (
        "Linear(5, 3).backward expected dy of the shape of y (7, 3), received (7, 1); "
        "pass dL/dy for the last forward"
    )
    assert message_of(ValueError, lambda: layer.backward(np.zeros((7, 3), complex))) == (
        "Linear(5, 3).backward expected real numbers, received an array of complex128"
    )


@every_copy
def test_a_copy_leaves_the_cache_behind_and_asks_for_a_forward(copied):
    model = nn.Sequential(nn.Linear(4, 3, rng=0), nn.Residual(nn.Tanh())).eval()
    model.forward(np.ones((5, 4)))
    twin = copied(model)
    assert [layer.cache for _, layer in twin.walk()] == [None] * 4
    assert not any(layer.training for _, layer in twin.walk())
    with pytest.raises(RuntimeError, match="came before forward"):
        twin.backward(np.ones((5, 3)))
    model.backward(np.ones((5, 3)))  # the original has kept its own


def test_forget_drops_the_cache():
    layer = nn.Tanh()
    layer.forward(np.ones(3))
    layer.forget()
    assert layer.cache is None
    with pytest.raises(RuntimeError, match="came before forward"):
        layer.backward(np.ones(3))


def test_walk_visits_a_layer_as_often_as_it_is_used():
    shared = nn.Tanh()
    model = nn.Sequential(shared, nn.Residual(nn.Sequential(shared)), nn.Sequential())
    assert [path for path, _ in model.walk()] == ["", "0", "1", "1.0", "1.0.0", "2"]
    assert [path for path, layer in model.walk("m") if layer is shared] == ["m.0", "m.1.0.0"]


@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize("layer", [nn.Softmax, nn.LogSoftmax])
@pytest.mark.parametrize("shape", [(0, 3), (3, 0)])
def test_softmax_of_nothing_is_nothing(layer, axis, shape):
    chosen = layer(axis=axis)
    assert chosen.forward(np.ones(shape)).shape == shape
    assert chosen.backward(np.ones(shape))[0].shape == shape


def test_assigned_params_are_written_where_a_container_looks():
    layer = nn.Linear(3, 2, rng=0)
    model = nn.Sequential(layer)
    optimizer = nn.SGD(model, learning_rate=1.0)
    layer.params = {"W": np.ones((2, 3)), "b": np.zeros(2)}
    optimizer.step({"0.W": np.ones((2, 3)), "0.b": np.ones(2)})
    np.testing.assert_array_equal(layer.params["W"], 0)
    layer.params = {"V": np.ones(4)}  # other arrays: a new layer, before it is used
    assert list(layer.params) == ["V"]


def test_an_update_with_one_wrong_shape_writes_nothing():
    params = nn.Linear(3, 2, rng=0).params
    before = params.copy()
    with pytest.raises(ValueError, match="'b' has shape"):
        params.update({"W": np.ones((2, 3)), "b": np.ones(3)})
    np.testing.assert_array_equal(params["W"], before["W"])


def test_a_gradient_that_a_layer_leaves_out_is_refused_by_the_optimizer():
    class Forgetful(nn.Linear):
        def gradient_pass(self, dy, x):
            return {"W": dy.T @ x}

    model = nn.Sequential(Forgetful(3, 2, rng=0))
    _, cache = model.forward_pass(np.ones((4, 3)))
    _, grads = model.backprop(np.ones((4, 2)), cache)
    with pytest.raises(ValueError, match=r"differ in 0\.b; .* mend the gradient_pass"):
        nn.SGD(model).step(grads)
