"""Optimizers: torch's formulas to the last digits, and arrays that are never trained detached."""

import copy
import pickle

import numpy as np
import pytest

import nnscratch as nn
from tests.optimizer_cases import CASES

every_case = pytest.mark.parametrize(
    ("name", "ours", "theirs"),
    [(name, *settings) for name, listed in CASES.items() for settings in listed],
)


def small_model(seed=0, dtype="f8"):
    return nn.mlp([7, 6, 5, 3], activation=nn.Tanh, rng=seed).astype(dtype)


def batches(count, seed=0):
    rng = np.random.default_rng(seed)
    return [(rng.normal(size=(13, 7)), rng.integers(0, 3, 13)) for _ in range(count)]


def gradients(model, x, y):
    loss = nn.SoftmaxCrossEntropy()
    loss.forward(model.forward(x), y)
    return model.backward(loss.backward())[1]


def train(model, optimizer, data):
    for x, y in data:
        optimizer.step(gradients(model, x, y))
    return {name: array.copy() for name, array in model.params.items()}


def assert_equal(first, second):
    assert first.keys() == second.keys()
    for name in first:
        np.testing.assert_array_equal(first[name], second[name], err_msg=name)


def test_every_exported_optimizer_has_a_case():
    exported = {
        thing.__name__
        for thing in vars(nn).values()
        if isinstance(thing, type)
        if issubclass(thing, nn.Optimizer)
    }
    assert exported == {*CASES, "Optimizer"}


@pytest.mark.torch
@every_case
def test_a_hundred_steps_follow_torch(name, ours, theirs):
    torch = pytest.importorskip("torch")
    model = small_model()
    layers = []
    for layer in model:
        if isinstance(layer, nn.Linear):
            twin = torch.nn.Linear(layer.in_features, layer.out_features).double()
            with torch.no_grad():
                twin.weight.copy_(torch.tensor(np.array(layer.params["W"])))
                twin.bias.copy_(torch.tensor(layer.params["b"]))
            layers += [twin, torch.nn.Tanh()]
    twin = torch.nn.Sequential(*layers[:-1])
    defaults = {"lr": 0.1} if name == "SGD" else {}
    optimizer = getattr(torch.optim, name)(twin.parameters(), **(defaults | theirs))
    for x, y in batches(100):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(twin(torch.tensor(x)), torch.tensor(y)).backward()
        optimizer.step()
    trained = train(model, getattr(nn, name)(model, **ours), batches(100))
    start = dict(small_model().params)
    for (key, array), tensor in zip(trained.items(), twin.parameters(), strict=True):
        assert np.abs(array - start[key]).max() > 1e-3
        np.testing.assert_allclose(array, tensor.detach().numpy(), rtol=0, atol=1e-8)


@every_case
def test_a_step_never_writes_to_the_gradients(name, ours, theirs):
    model = small_model()
    optimizer = getattr(nn, name)(model, **ours)
    for x, y in batches(3):
        grads = gradients(model, x, y)
        for grad in grads.values():
            grad.flags.writeable = False
        optimizer.step(grads)


@every_case
def test_a_large_model_is_updated_block_by_block_like_a_small_one(name, ours, theirs):
    rng = np.random.default_rng(0)
    large = nn.Bias(100_003).astype("f8")
    optimizer = getattr(nn, name)(large, **ours)
    steps = rng.normal(size=(3, 100_003))
    for step in steps:
        optimizer.step({"b": step})
    part = nn.Bias(7).astype("f8")
    optimizer = getattr(nn, name)(part, **ours)
    for step in steps:
        optimizer.step({"b": step[-7:]})
    np.testing.assert_allclose(large.params["b"][-7:], part.params["b"], rtol=1e-12)


@every_case
def test_float32_stays_float32(name, ours, theirs):
    model = small_model(dtype="f4")
    optimizer = getattr(nn, name)(model, **ours)
    train(model, optimizer, batches(2))
    assert {a.dtype for a in model.params.values()} == {np.dtype("f4")}
    state = optimizer.state.values()
    assert all(array.dtype == np.float32 for arrays in state for array in arrays.values())


@every_case
def test_a_step_in_float16_is_that_of_float32_rounded_once(name, ours, theirs):
    half, wide = small_model(dtype="f2"), small_model(dtype="f2").astype("f4")
    rounded, exact = getattr(nn, name)(half, **ours), getattr(nn, name)(wide, **ours)
    scales = [1e4, 1e-6, 1.0, 300.0]  # squares beyond float16 on both sides
    for (x, y), scale in zip(batches(4), scales, strict=True):
        grads = {k: (scale * g).astype("f2") for k, g in gradients(half, x, y).items()}
        rounded.step(grads)
        exact.step({k: g.astype("f4") for k, g in grads.items()})
        assert np.isfinite(half.params["1.W"]).all()
        assert_equal(half.params, {k: w.astype("f2") for k, w in wide.params.items()})
        for key, w in half.params.items():
            wide.params[key] = w
    assert {a.dtype for a in half.params.values()} == {np.dtype("f2")}
    for kind, arrays in exact.state.items():
        assert {a.dtype for a in rounded.state[kind].values()} == {np.dtype("f4")}
        assert_equal(arrays, rounded.state[kind])


def test_a_formula_for_whole_parameters_meets_float16_as_float32_in_its_shape():
    seen = []

    class Seen(nn.Optimizer):
        element_wise = False
        state_names = ("mean",)

        def update(self, w, g, mean):
            seen.append((w.shape, {w.dtype, g.dtype, mean.dtype}))
            w -= self.learning_rate * g

    model = nn.Linear(3, 2, rng=0).astype("f2")
    before = {k: w.copy() for k, w in model.params.items()}
    Seen(model, learning_rate=0.5).step({k: np.ones_like(w) for k, w in before.items()})
    assert seen == [((2, 3), {np.dtype("f4")}), ((2,), {np.dtype("f4")})]
    assert_equal(model.params, {k: w - np.float16(0.5) for k, w in before.items()})


@every_case
@pytest.mark.parametrize("copied", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_copies_go_on_on_their_own_as_if_unbroken(name, ours, theirs, copied):
    def start():
        model = small_model()
        return model, getattr(nn, name)(model, **ours)

    data = batches(8)
    model, optimizer = start()
    expected = train(model, optimizer, data)

    model, optimizer = start()
    halfway = train(model, optimizer, data[:4])
    together = copied((model, optimizer))
    alone = copied(optimizer)
    assert_equal(train(*together, data[4:]), expected)
    assert_equal(train(alone.model, alone, data[4:]), expected)
    assert_equal({n: np.array(a) for n, a in model.params.items()}, halfway)
    assert together[1].params.attached(together[0])


@every_case
def test_training_goes_on_with_its_state_after_astype(name, ours, theirs):
    data = batches(8)
    model = small_model()
    expected = train(model, getattr(nn, name)(model, **ours), data)
    model = small_model()
    optimizer = getattr(nn, name)(model, **ours)
    train(model, optimizer, data[:4])
    model.astype("f4").astype("f8")
    found = train(model, optimizer, data[4:])
    for key in expected:
        np.testing.assert_allclose(found[key], expected[key], rtol=0, atol=1e-4)
    assert optimizer.params.attached(model)


def test_two_optimizers_on_inner_and_outer_model_take_turns():
    data = batches(9)

    def models():
        inner = small_model()
        return inner, nn.Sequential(inner, nn.Linear(3, 3, rng=1).astype("f8"))

    # by hand, with plain arrays
    inner, outer = models()
    v = dict.fromkeys(inner.params, 0.0)
    m, s = (dict.fromkeys(outer.params, 0.0) for _ in range(2))
    steps = 0
    for i, (x, y) in enumerate(data):
        if i % 2:
            for name, g in gradients(inner, x, y).items():
                v[name] = 0.9 * v[name] + g
                inner.params[name] -= 0.1 * v[name]
        else:
            steps += 1
            for name, g in gradients(outer, x, y).items():
                m[name] = 0.9 * m[name] + 0.1 * g
                s[name] = 0.999 * s[name] + 0.001 * g * g
                mean, square = m[name] / (1 - 0.9**steps), s[name] / (1 - 0.999**steps)
                outer.params[name] -= 0.01 * mean / (np.sqrt(square) + 1e-8)
    by_hand = dict(outer.params)
    inner, outer = models()
    small, large = nn.SGD(inner, 0.1, momentum=0.9), nn.Adam(outer, 0.01)
    for i, batch in enumerate(data):
        train(*((inner, small) if i % 2 else (outer, large)), [batch])
    for name, array in outer.params.items():
        np.testing.assert_allclose(array, by_hand[name], rtol=0, atol=1e-12)


def test_a_second_optimizer_uses_the_same_vector():
    model = small_model()
    first, second = nn.SGD(model), nn.Adam(model)
    assert first.params is second.params
    vector = first.params.vectors[np.dtype("f8")]
    assert all(np.shares_memory(array, vector) for array in model.params.values())


def test_writing_to_params_reaches_the_optimizer():
    model = nn.Bias(3)
    optimizer = nn.SGD(model, 1.0)
    model.params["b"] = [1, 2, 3]
    model.params["b"] *= 2
    optimizer.step({"b": np.ones(3)})
    np.testing.assert_array_equal(model.params["b"], [1, 3, 5])


def test_a_shared_layer_is_updated_once():
    shared = nn.Linear(4, 4, rng=0)
    model = nn.Sequential(shared, nn.Tanh(), shared)
    before = shared.params["b"].copy()
    nn.SGD(model, 1.0).step({"0.W": np.zeros((4, 4)), "0.b": np.ones(4)})
    np.testing.assert_array_equal(shared.params["b"], before - 1)


def test_dtypes_may_be_mixed_in_one_model():
    model = nn.Sequential(nn.Bias(3).astype("f8"), nn.Bias(3), nn.Bias(3).astype("f8"))
    nn.SGD(model, 1.0, momentum=0.5).step({f"{i}.b": np.full(3, i + 1.0) for i in range(3)})
    for i, dtype in enumerate(["f8", "f4", "f8"]):
        np.testing.assert_array_equal(
            model.params[f"{i}.b"], np.full(3, -i - 1, dtype), strict=True
        )


def test_gradients_that_do_not_fit_are_refused():
    model = nn.Linear(3, 2, rng=0)
    optimizer = nn.SGD(model)
    with pytest.raises(ValueError, match="differ in b; pass the grads"):
        optimizer.step({"W": np.zeros((2, 3))})
    with pytest.raises(ValueError, match="differ in V"):
        optimizer.step({"W": np.zeros((2, 3)), "b": np.zeros(2), "V": 0})
    with pytest.raises(ValueError, match=r"'W' has shape \(3, 2\), the parameter \(2, 3\)"):
        optimizer.step({"W": np.zeros((3, 2)), "b": np.zeros(2)})
    with pytest.raises(ValueError, match="no parameters to train"):
        nn.SGD(nn.ReLU())


@pytest.mark.parametrize(
    "make",
    [
        lambda m: nn.SGD(m, learning_rate=-1),
        lambda m: nn.SGD(m, learning_rate=np.nan),
        lambda m: nn.SGD(m, momentum=1.0),
        lambda m: nn.SGD(m, nesterov=True),
        lambda m: nn.Adam(m, beta1=1.0),
        lambda m: nn.Adam(m, epsilon=-1),
        lambda m: nn.RMSprop(m, decay=1.5),
        lambda m: nn.AdamW(m, weight_decay=-0.1),
    ],
)
def test_settings_out_of_range_are_refused(make):
    with pytest.raises(ValueError, match="expected"):
        make(nn.Bias(3))


@pytest.mark.parametrize("setting", ["learning_rate", "momentum", "weight_decay"])
def test_settings_are_finite(setting):
    for value in (np.inf, np.nan):
        with pytest.raises(ValueError, match=f"SGD expected {setting}"):
            nn.SGD(nn.Bias(3), **{setting: value})


@every_case
def test_gradients_written_where_the_optimizer_keeps_them_give_the_same_steps(name, ours, theirs):
    data = batches(6)
    plain = small_model()
    expected = train(plain, getattr(nn, name)(plain, **ours), data)
    model = small_model()
    optimizer = getattr(nn, name)(model, **ours)
    loss = nn.SoftmaxCrossEntropy()
    for i, (x, y) in enumerate(data):
        loss.forward(model.forward(x), y)
        _, grads = model.backprop(loss.backward(), model.cache, optimizer.grads, need_dx=False)
        assert all(grads[key] is optimizer.grads[key] for key in grads)
        kept = {key: grad.copy() for key, grad in grads.items()}
        optimizer.step(optimizer.grads if i % 2 else grads)
        assert_equal(grads, kept)  # weight decay must not be added in place either
    for key, array in model.params.items():  # products into another memory order round otherwise
        np.testing.assert_allclose(array, expected[key], rtol=0, atol=1e-10)


@every_case
def test_gradients_kept_from_before_the_arrays_moved_still_count(name, ours, theirs):
    x, y = batches(1)[0]
    plain, model = small_model(), small_model()
    grads = gradients(plain, x, y)
    optimizers = [getattr(nn, name)(m, **ours) for m in (plain, model)]
    for key, grad in grads.items():
        optimizers[1].grads[key][...] = grad
    kept = optimizers[1].grads
    nn.flatten(nn.Sequential(model))  # an outer model takes the arrays over
    optimizers[0].step(grads)
    optimizers[1].step(kept)
    assert optimizers[1].grads is not kept
    assert_equal(dict(model.params), dict(plain.params))


@every_case
def test_a_rate_of_numpy_does_not_widen_float32(name, ours, theirs):
    model = small_model(dtype="f4")
    optimizer = getattr(nn, name)(model, **ours)
    optimizer.learning_rate = np.float64(0.01)
    train(model, optimizer, batches(2))
    assert {a.dtype for a in model.params.values()} == {np.dtype("f4")}


@pytest.mark.parametrize(
    "build",
    [lambda m: nn.SGD(m, 0.1, momentum=0.9), lambda m: nn.Adam(m, 0.001), lambda m: nn.RMSprop(m)],
    ids=["SGD", "Adam", "RMSprop"],
)
def test_state_of_weights_without_gradient_does_not_stay_at_subnormal_numbers(build):
    model = nn.Bias(3)
    optimizer = build(model)
    optimizer.step({"b": np.array([1e-5, -1e-3, 1e-21], "f4")})
    for _ in range(3000):
        optimizer.step({"b": np.zeros(3, "f4")})
    for name, arrays in optimizer.slots.items():
        b = arrays["b"]
        assert not np.any((b != 0) & (np.abs(b) < np.finfo("f4").smallest_normal)), name
