"""The observer: it sees every use of every layer, changes nothing, and leaves no trace."""

import copy
import pickle
import threading
import time
from contextlib import ExitStack

import numpy as np
import pytest

import nnscratch as nn
from tests.passes import normal

PASSES = {"forward_pass", "backward_pass", "gradient_pass", "backprop"}


def linear(inputs=4, outputs=4, seed=0):
    return nn.Linear(inputs, outputs, rng=seed).astype(np.float64)


def nested():
    """A model with a layer that stands at two places, in containers inside containers."""
    tied = linear()
    x = nn.Input("x")
    graph = nn.Graph([x], nn.Tanh()(linear(seed=1)(x, name="inner"), name="bent") * x)
    block = nn.Residual(nn.Sequential(tied, nn.ReLU()))
    scan = nn.Scan(linear(8, 3, seed=2), window=2)
    return nn.Sequential(tied, block, graph, nn.Reshape((-1, 5, 4)), scan)


def marks(layer):
    return {name: value for name, value in vars(layer).items() if name in PASSES}


class Own(nn.Layer):
    """Holds layers in an attribute, a list and a dict, and calls them by hand."""

    def __init__(self):
        self.first = linear(4, 3)
        self.rest = [nn.Tanh(), linear(3, 2, seed=1)]
        self.ends = {"last": nn.Sequential(nn.Sigmoid(), linear(2, 2, seed=2))}

    def forward_pass(self, x):
        y, caches = x, []
        for layer in (self.first, *self.rest, self.ends["last"]):
            y, cache = layer.forward_pass(y)
            caches.append(cache)
        return y, caches

    def backprop(self, dy, caches, out=None, need_dx=True):
        grads = {}
        for (name, layer), cache in zip([*self.children()][::-1], caches[::-1], strict=True):
            dy, found = layer.backprop(dy, cache)
            grads |= {f"{name}.{key}": grad for key, grad in found.items()}
        return dy, grads


class Both(nn.Layer):
    """Two inputs, two outputs: the sum and the product."""

    def forward_pass(self, u, v):
        return (u + v, u * v), (u, v)

    def backprop(self, dy, cache, out=None, need_dx=True):
        (ds, dp), (u, v) = dy, cache
        return (ds + dp * v, ds + dp * u), {}


# What is seen --------------------------------------------------------------------------------


def test_every_use_is_recorded_in_the_order_of_the_walk():
    model = nested()
    x, dy = normal(10, 4), normal(2, 4, 3, seed=1)
    with nn.observe(model) as passes:
        y = model.forward(x)
        dx, _ = model.backward(dy)
    assert [use.where for use in passes] == [path for path, _ in model.walk()]
    assert [use.layer for use in passes] == [layer for _, layer in model.walk()]
    whole, first, *_ = passes
    assert (whole.path, whole.caller, whole.inputs) == ("", None, (x,))
    assert whole.output is y
    assert whole.dy is dy
    assert whole.dx is dx
    assert first.inputs[0] is x
    for use in passes:
        if use.where.count(".") == 0 and use is not whole:
            assert use.caller is whole
        if use.path == use.where and use.path != "0":  # used once: its cache is of this use
            assert use.layer.cache is use.cache


def test_what_is_recorded_is_what_the_layer_does_alone():
    model = nested()
    with nn.observe(model) as passes:
        model.forward(normal(10, 4))
        model.backward(normal(2, 4, 3, seed=1))
    for use in passes:
        layer = copy.deepcopy(use.layer)
        y = layer.forward(*use.inputs)
        dx, grads = layer.backward(use.dy)
        np.testing.assert_array_equal(use.output, y)
        np.testing.assert_array_equal(use.dx, dx)
        assert use.grads.keys() == grads.keys()
        for key, gradient in grads.items():
            np.testing.assert_array_equal(use.grads[key], gradient)


def test_the_uses_of_a_shared_layer_have_one_path_and_gradients_that_add_up():
    model = nested()
    with nn.observe(model) as passes:
        model.forward(normal(10, 4))
        _, grads = model.backward(normal(2, 4, 3, seed=1))
    first, second = (use for use in passes if use.layer is model[0])
    assert (first.path, first.use, first.where) == ("0", 0, "0")
    assert (second.path, second.use, second.where) == ("0", 1, "1.0.0")
    np.testing.assert_allclose(first.grads["W"] + second.grads["W"], grads["0.W"])


def test_where_a_use_is_tells_the_places_of_a_shared_layer_apart():
    tied = linear()
    model = nn.Sequential(nn.Residual(nn.Sequential(tied)), tied, tied, nn.Residual(tied))
    with nn.observe(model) as passes:
        model.forward(normal(5, 4))
    assert [use.where for use in passes] == [path for path, _ in model.walk()]
    assert {use.path for use in passes if use.layer is tied} == {"0.0.0"}


def test_layers_that_a_layer_of_ones_own_calls_by_hand_are_seen():
    model = nn.Sequential(linear(), Own())
    with nn.observe(model) as passes:
        model.forward(normal(5, 4))
        model.backward(normal(5, 2, seed=1))
    assert [use.path for use in passes] == [
        "",
        "0",
        "1",
        "1.first",
        "1.rest.0",
        "1.rest.1",
        "1.ends.last",
        "1.ends.last.0",
        "1.ends.last.1",
    ]
    assert passes[3].caller is passes[2]
    assert all(use.dy.shape == use.output.shape for use in passes)
    assert all(set(use.layer.params) == set(use.grads) for use in passes if not use.layer.layers)


def test_a_layer_in_two_attributes_is_walked_once():
    model = Own()
    model.again = [model.first, model.rest[1]]
    paths = [path for path, _ in model.walk()]
    assert paths == ["", "first", "rest.0", "rest.1", "ends.last", "ends.last.0", "ends.last.1"]


@pytest.mark.parametrize("hold", [lambda x: x, lambda x: [x], lambda x: {"a": x}])
def test_a_layer_that_knows_the_layer_around_it_is_seen_once(hold):
    model = Own()
    model.first.around = hold(model)
    with nn.observe(model) as passes:
        model.forward(normal(5, 4))
    assert [use.path for use in passes].count("first") == 1


def test_a_layer_that_is_called_many_times_has_a_use_for_each_call():
    class Steps(nn.Layer):
        def __init__(self):
            self.layers = (nn.Tanh(),)

        def forward_pass(self, x):
            found = [self.layers[0].forward_pass(x[:, t]) for t in range(x.shape[1])]
            return np.stack([y for y, _ in found], 1), [cache for _, cache in found]

        def backward_pass(self, dy, caches):
            parts = [self.layers[0].backward_pass(dy[:, t], c) for t, c in enumerate(caches)]
            return np.stack(parts, 1)

    layer, dy = Steps(), normal(2, 3, 4, seed=1)
    with nn.observe(layer) as passes:
        layer.forward(normal(2, 3, 4))
        layer.backward(dy)
    assert [(use.path, use.use, use.where) for use in passes[1:]] == [
        ("0", t, "0") for t in (0, 1, 2)
    ]
    for t, use in enumerate(passes[1:]):
        np.testing.assert_array_equal(use.dy, dy[:, t])


def test_several_inputs_and_outputs():
    u, v, parts = normal(2, 3), normal(2, 3, seed=1), (normal(2, 3, seed=2), normal(2, 3, seed=3))
    layer = Both()
    with nn.observe(layer) as passes:
        y, cache = layer.forward_pass(u, v)
        dx, _ = layer.backprop(parts, cache)
    (use,) = passes
    assert (use.inputs, use.output, use.dy, use.dx, use.grads) == ((u, v), y, parts, dx, {})


def test_an_output_that_nothing_came_from_has_none():
    x = nn.Input("x")
    first, second = nn.Split(2, axis=1)(x)
    graph = nn.Graph([x], outputs=[nn.Tanh()(first), nn.Sin()(second)])
    with nn.observe(graph) as passes:
        y = graph.forward(normal(5, 4))
        graph.backward((np.ones_like(y[0]), None))
    whole, split, _, unused = passes
    assert [use.path for use in passes] == ["", "split1", "tanh1", "sin1"]
    assert [part.shape for part in split.output] == [(5, 2), (5, 2)]
    assert whole.dy[1] is split.dy[1] is unused.dy is None
    assert split.dy[0].shape == (5, 2)
    np.testing.assert_array_equal(unused.output, y[1])


def test_inputs_given_by_keyword_are_seen():
    class Scaled(nn.Layer):
        def forward_pass(self, x, factor=1.0):
            return x * factor, factor

        def backward_pass(self, dy, factor):
            return dy * factor

    layer, x = Scaled(), normal(2, 3)
    with nn.observe(layer) as passes:
        _, cache = layer.forward_pass(factor=2.0, x=x)
        layer.backward_pass(factor=cache, dy=x)
    (use,) = passes
    assert use.inputs == (x, 2.0)
    assert use.dy is x


# Which way back belongs to which way forward -------------------------------------------------


def test_backward_pass_and_gradient_pass_belong_to_one_use():
    layer, dy = linear(), normal(5, 4, seed=1)
    with nn.observe(layer) as passes:
        _, first = layer.forward_pass(normal(5, 4))
        _, second = layer.forward_pass(normal(5, 4, seed=2))
        layer.backward_pass(dy, first)
        layer.gradient_pass(2 * dy, second)
        layer.backward_pass(2 * dy, second)
        layer.gradient_pass(dy, first)
    assert len(passes) == 2
    for use, factor, cache in zip(passes, (1, 2), (first, second), strict=True):
        np.testing.assert_array_equal(use.dy, factor * dy)
        np.testing.assert_array_equal(use.dx, factor * dy @ layer.params["W"])
        np.testing.assert_allclose(use.grads["b"], factor * dy.sum(axis=0))
        assert use.cache is cache


def test_a_pass_that_calls_another_pass_of_its_own_is_one_use():
    class Slow(nn.Bias):
        def backward_pass(self, dy, cache):
            time.sleep(0.02)
            return super().backward_pass(dy, cache)

    layer = Slow(4)
    with nn.observe(layer) as passes:
        layer.forward(normal(5, 4))
        layer.backward(normal(5, 4))  # backprop, which calls backward_pass
    (use,) = passes
    assert 0.02 <= use.seconds == use.own_seconds < 0.04
    assert use.dx is not None


def test_uses_whose_caches_are_one_object_are_met_in_the_reverse_order():
    same = nn.Identity()
    model = nn.Sequential(same, linear(), nn.Residual(same), same)
    dy = normal(5, 4, seed=1)
    with nn.observe(model) as passes:
        model.forward(normal(5, 4))
        caches = [use.cache for use in passes if use.layer is same]
        assert caches[0] is caches[1] is caches[2]  # or this test shows nothing
        model.backward(dy)
        model.backward(3 * dy)  # once more
    first, _, last = (use for use in passes if use.layer is same)
    np.testing.assert_array_equal(last.dy, 3 * dy)
    np.testing.assert_allclose(first.dy, 6 * dy @ model[1].params["W"])


def test_a_way_back_never_goes_to_another_pass_of_the_model():
    model = nn.Sequential(nn.Identity(), linear())
    with nn.observe(model) as passes:
        model.forward(normal(5, 4))
        model.forward(normal(5, 4))
        model.backward(normal(5, 4))
        model.backward(normal(5, 4))
    assert passes[1].cache is passes[4].cache  # or this test shows nothing
    assert [use.dy is None for use in passes] == 3 * [True] + 3 * [False]


def test_a_second_way_back_is_recorded_in_the_place_of_the_first():
    model = nn.Sequential(nn.Flatten(), linear())
    dy = normal(5, 4, seed=1)
    with nn.observe(model) as passes:
        model.forward(normal(5, 4))
        model.backward(dy)
        model.backward(2 * dy)
    assert len(passes) == 3
    np.testing.assert_array_equal(passes[-1].dy, 2 * dy)


def test_a_way_back_from_before_the_observation_has_a_record_of_its_own():
    layer, dy = linear(), normal(5, 4, seed=1)
    layer.forward(normal(5, 4))
    with nn.observe(layer) as passes:
        layer.backward(dy)
    (use,) = passes
    assert (use.inputs, use.output) == ((), None)
    assert use.dy is dy
    assert use.cache is layer.cache


def test_gradients_stay_though_the_next_use_adds_to_the_same_memory():
    tied = linear()
    model = nn.Sequential(tied, nn.Tanh(), tied)
    optimizer = nn.SGD(model)
    with nn.observe(model) as passes:
        y, cache = model.forward_pass(normal(5, 4))
        model.backprop(np.ones_like(y), cache, optimizer.grads)
    first, second = (use for use in passes if use.layer is tied)
    total = optimizer.grads["0.W"].copy()
    optimizer.grads["0.W"][...] = 0  # as the next step does
    np.testing.assert_allclose(first.grads["W"] + second.grads["W"], total)
    np.testing.assert_allclose(passes[0].grads["0.W"], total)


def test_clearing_the_list_starts_the_count_again():
    model = nn.Sequential(linear())
    with nn.observe(model) as passes:
        for _ in range(3):
            passes.clear()
            model.forward(normal(5, 4))
    assert [(use.path, use.use) for use in passes] == [("", 0), ("0", 0)]


# Seconds -------------------------------------------------------------------------------------


def test_seconds_are_those_of_both_passes_and_own_seconds_without_the_layers_inside():
    class Pause(nn.Identity):
        def forward_pass(self, x):
            time.sleep(0.01)
            return super().forward_pass(x)

        def backward_pass(self, dy, cache):
            time.sleep(0.02)
            return dy

    model = nn.Sequential(linear(), nn.Residual(Pause()))
    with nn.observe(model) as passes:
        model.forward(normal(5, 4))
        model.backward(normal(5, 4))
    whole, first, block, pause = passes
    assert 0.03 <= pause.seconds <= block.seconds <= whole.seconds < 0.2
    assert pause.own_seconds == pause.seconds
    assert max(first.seconds, block.own_seconds, whole.own_seconds) < 0.01
    assert whole.seconds == pytest.approx(sum(use.own_seconds for use in passes))


def test_the_seconds_that_recording_takes_are_nobodys(monkeypatch):
    x, model = normal(2, 4), nn.Sequential(*[nn.Residual(nn.Tanh()) for _ in range(100)])
    clock = iter(range(10_000))
    monkeypatch.setattr(time, "perf_counter", lambda: next(clock))
    with nn.observe(model) as passes:
        model.forward_pass(x)
    assert {use.seconds for use in passes if use.layer.layers == ()} == {1}
    # Before and behind what the layer inside takes, recording included, lies a tick each.
    assert {use.own_seconds for use in passes if isinstance(use.layer, nn.Residual)} == {2}
    assert passes[0].own_seconds == 1 + 100


# No trace ------------------------------------------------------------------------------------


def test_observing_changes_no_bit():
    def run(watch):
        model = nn.Sequential(
            nn.Linear(4, 8, rng=0), nn.BatchNorm(8), nn.Dropout(0.5, rng=1), nn.Linear(8, 3, rng=2)
        )
        optimizer = nn.SGD(model, 0.1, momentum=0.9)
        trainer = nn.Trainer(model, nn.SoftmaxCrossEntropy(), optimizer, progress=False)
        with ExitStack() as stack:
            if watch:
                stack.enter_context(nn.observe(model))
            trainer.fit(normal(60, 4), np.arange(60) % 3, epochs=3, batch_size=16, rng=0)
        return model

    plain, watched = run(False), run(True)
    for name, array in [*plain.params.items(), *plain.buffers.items()]:
        arrays = watched.params if name in watched.params else watched.buffers
        np.testing.assert_array_equal(arrays[name], array)


@pytest.mark.parametrize("end", ["in peace", "by an error in a layer", "by another error"])
def test_in_the_end_the_layers_are_as_they_were(end):
    model = nn.Sequential(nested(), Own())
    layers = [inner for _, inner in model.walk()] + [model[1].first]

    def replaced(x):
        return nn.Identity.forward_pass(model[0], x)

    model[0].forward_pass = replaced  # one's own, which stays
    before = [dict(vars(layer)) for layer in layers]
    try:
        with nn.observe(model) as passes:
            assert all(marks(layer).keys() == PASSES for layer in layers)
            if end == "by an error in a layer":
                model.forward_pass(normal(5, 3))
            model.forward_pass(normal(5, 4))
            if end == "by another error":
                raise ValueError(end)
    except ValueError:
        assert end != "in peace"
    assert [vars(layer) for layer in layers] == before
    seen = [use.path for use in passes]
    assert seen[:3] == ["", "0", "1"]
    if end == "by an error in a layer":
        assert seen[3:] == ["1.first"]
        assert [use.output for use in passes if use.path in ("", "1", "1.first")] == 3 * [None]


def test_observations_may_be_nested():
    model, x = nn.Sequential(linear(), nn.Tanh()), normal(5, 4)
    with nn.observe(model) as outer:
        model.forward(x)
        with nn.observe(model[1]) as inner:
            model.forward(x)
        model.forward(x)
    assert [use.path for use in outer] == 3 * ["", "0", "1"]
    assert [use.path for use in inner] == [""]
    assert all(not marks(layer) for _, layer in model.walk())


@pytest.mark.parametrize("first", [0, 1])
def test_observations_may_end_in_any_order(first):
    model, x = nn.Sequential(linear(), nn.Tanh()), normal(5, 4)
    model[0].forward_pass = own = model[0].forward_pass
    observations = [nn.observe(model), nn.observe(model)]
    found = [observation.__enter__() for observation in observations]
    model.forward(x)
    observations[first].__exit__(None, None, None)
    model.forward(x)
    observations[1 - first].__exit__(None, None, None)
    model.forward(x)
    assert [len(found[first]), len(found[1 - first])] == [3, 6]
    assert [marks(layer) for _, layer in model.walk()] == [{}, {"forward_pass": own}, {}]


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_a_copy_that_is_made_inside_is_not_observed(copied):
    model, x = nested(), normal(10, 4)
    with nn.observe(model) as passes:
        twin = copied(model)
        y = twin.forward(x)
        assert passes == []
        np.testing.assert_array_equal(model.forward(x), y)
        count = len(passes)
    assert all(not marks(layer) for _, layer in twin.walk())
    twin.forward(x)
    assert len(passes) == count
    copies = copied(passes)  # of the records too
    np.testing.assert_array_equal(copies[0].output, passes[0].output)


def test_a_pass_of_ones_own_on_an_object_is_copied():
    layer = nn.Tanh()
    layer.forward_pass = np.sin
    assert copy.deepcopy(layer).forward_pass is np.sin


def test_a_pass_that_was_kept_records_nothing_when_the_observation_is_over():
    layer, x = nn.Tanh(), normal(5, 4)
    with nn.observe(layer) as passes:
        kept = layer.forward_pass
    np.testing.assert_array_equal(kept(x)[0], np.tanh(x))
    assert passes == []


def test_each_thread_is_seen_for_itself():
    class Waiting(nn.Identity):
        def forward_pass(self, x):
            meet.wait()
            return super().forward_pass(x)

    meet = threading.Barrier(2, timeout=20)
    model = nn.Residual(Waiting())
    with nn.observe(model) as passes:
        threads = [threading.Thread(target=model.forward_pass, args=[normal(2)]) for _ in "ab"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(use.path for use in passes) == ["", "", "0", "0"]
    outer = [use for use in passes if not use.path]
    assert [use.caller for use in outer] == [None, None]
    assert {id(use.caller) for use in passes if use.path} == {id(use) for use in outer}


def test_what_is_no_layer_is_refused():
    with pytest.raises(ValueError, match="observe expected a Layer, received list"):
        nn.observe([nn.Tanh()]).__enter__()
