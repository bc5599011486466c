"""What all losses share: weights, reductions, totals of batches, nodes, dtypes."""

import copy
import pickle

import numpy as np
import pytest

import nnscratch as nn
from nnscratch.losses.base import Loss
from tests import numeric
from tests.loss_cases import CLASSES, LOSSES, OF_CLASSES, every, kind, problem


def test_every_exported_loss_has_a_case():
    losses = {name for name in nn.losses.__all__ if name.endswith(("Loss", "Logits", "Entropy"))}
    assert losses - {"Loss", "CTCLoss"} == {kind(name) for name in LOSSES}


# Values ------------------------------------------------------------------------------------------


@every
def test_sum_and_mean_are_made_of_one_value_per_sample(name):
    x, t = problem(kind(name))
    values = LOSSES[name](reduction="none").forward(x, t)
    assert values.shape == (7,) and values.dtype == x.dtype
    assert LOSSES[name](reduction="sum").forward(x, t) == pytest.approx(values.sum())
    loss = LOSSES[name]()
    total = loss.sample_counts(x, t).sum()
    assert loss.forward(x, t) == pytest.approx(values.sum() / total)


@every
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_check_gradients_finds_no_mistake(name, reduction):
    x, t = problem(kind(name))
    loss = LOSSES[name](reduction=reduction)
    nn.assert_gradients(loss, x, t)
    nn.assert_gradients(loss, x, t, np.linspace(0.5, 2, 7))


@pytest.mark.parametrize("name", OF_CLASSES)
def test_each_label_of_a_sequence_counts_as_a_sample(name):
    scores, labels = problem(kind(name), shape=(7, 4))
    loss = LOSSES[name]()
    value, gradient = loss.forward(scores, labels), loss.backward()
    rows = scores.reshape(-1, CLASSES), labels.ravel()
    assert loss.forward(*rows) == pytest.approx(value)
    assert gradient.shape == scores.shape
    numeric.close(gradient.reshape(-1, CLASSES), loss.backward(), 1e-14)
    nn.assert_gradients(loss, scores, labels)


def test_rows_of_any_sum_are_targets_whose_gradient_is_that_of_the_logarithms():
    rng = np.random.default_rng(0)
    x, t = rng.normal(size=(7, 5)), 3 * rng.random((7, 5))
    loss = nn.SoftmaxCrossEntropy(reduction="sum")
    loss.forward(x, t)
    p = np.exp(x) / np.exp(x).sum(1, keepdims=True)
    numeric.close(loss.backward(), t.sum(1, keepdims=True) * p - t, 1e-12)


# Weights -----------------------------------------------------------------------------------------


@every
def test_a_whole_weight_is_a_sample_repeated(name):
    x, t = problem(kind(name))
    times = np.array([1, 0, 3, 1, 2, 0, 1])
    loss = LOSSES[name]()
    weighted = loss.forward(x, t, times), loss.backward()
    repeated = loss.forward(np.repeat(x, times, 0), np.repeat(t, times, 0)), loss.backward()
    assert weighted[0] == pytest.approx(repeated[0])
    first = np.flatnonzero(times)
    place = np.cumsum(times)[first] - times[first]
    numeric.close(weighted[1][first], repeated[1][place] * times[first, None], 1e-14)
    assert not weighted[1][times == 0].any()


@every
def test_a_sample_of_weight_0_adds_nothing_even_if_its_loss_is_infinite(name):
    x, t = problem(kind(name))
    x[3] = -np.inf
    loss = LOSSES[name]()
    weight = np.ones(7)
    weight[3] = 0
    rest = np.arange(7) != 3
    assert loss.forward(x, t, weight) == pytest.approx(loss.forward(x[rest], t[rest]))
    loss.forward(x, t, weight)
    assert not loss.backward()[3].any()


@every
def test_the_mean_over_batches_weighted_by_their_totals_is_that_of_the_whole(name):
    x, t = problem(kind(name))
    weight = np.random.default_rng(1).random(7)
    loss = LOSSES[name]()
    parts = [slice(0, 2), slice(2, 7)]
    for w in (None, weight):
        whole = loss.forward(x, t, w)
        of = [(x[p], t[p], None if w is None else w[p]) for p in parts]
        means = [loss.forward(*part) for part in of]
        totals = [loss.total_weight(*part) for part in of]
        assert sum(totals) == pytest.approx(loss.total_weight(x, t, w))
        assert np.average(means, weights=totals) == pytest.approx(whole)


@every
def test_parts_given_the_total_of_the_whole_add_up_to_it(name):
    x, t = problem(kind(name))
    loss = LOSSES[name]()
    value, gradient = loss.forward(x, t), loss.backward()
    parts = [slice(0, 2), slice(2, 2), slice(2, 7)]  # a worker may have no sample
    total = loss.total_weight(x[:2], t)  # asked with the scores of a part
    passes = [loss.forward_pass(x[p], t[p], total=total) for p in parts]
    assert sum(part for part, _ in passes) == pytest.approx(value)
    gradients = [loss.backward_pass(1.0, cache) for _, cache in passes]
    numeric.close(np.concatenate(gradients), gradient, 1e-14)
    assert all(cache.total == total for _, cache in passes)


@every
def test_a_sum_is_divided_by_no_total(name):
    x, t = problem(kind(name))
    loss = LOSSES[name](reduction="sum")
    value, cache = loss.forward_pass(x, t, total=100.0)
    assert value == loss.forward(x, t)
    np.testing.assert_array_equal(loss.backward_pass(1.0, cache), loss.backward())


def test_a_batch_whose_labels_are_all_ignored_adds_nothing_to_a_sum_and_has_no_mean():
    x, t = np.zeros((3, 5)), np.full(3, -1)
    assert nn.SoftmaxCrossEntropy(ignore_index=-1, reduction="sum").forward(x, t) == 0
    loss = nn.NLLLoss(ignore_index=-1)
    assert loss.total_weight(x, t) == 0
    with pytest.raises(ValueError, match=r"NLLLoss\(ignore_index=-1\): the mean over samples that"):
        loss.forward(x, t)
    with pytest.raises(ValueError, match="leave the batch out"):
        nn.MSELoss().forward(np.ones((2, 1)), np.ones((2, 1)), [0, 0])


# Nodes -------------------------------------------------------------------------------------------


@every
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_a_loss_called_on_nodes_is_a_node(name, reduction):
    x, t = problem(kind(name))
    loss = LOSSES[name](reduction=reduction)
    nodes = [nn.Input(key) for key in "xtw"]
    for count, weight in ((2, ()), (3, (np.linspace(0.5, 2, 7),))):
        graph = nn.Graph(nodes[:count], loss(*nodes[:count]))
        value = graph.forward(x, t, *weight)
        np.testing.assert_allclose(value, loss.forward(x, t, *weight))
        nn.assert_gradients(graph, x, t, *weight)


@pytest.mark.parametrize("name", ["BCEWithLogits", "SoftmaxCrossEntropy"])
def test_the_gradient_by_one_hot_targets_is_checked_at_the_end_of_what_is_allowed(name):
    x, t = nn.Input("x"), nn.Input("t")
    graph = nn.Graph([x, t], getattr(nn, name)()(x, t))
    nn.assert_gradients(graph, problem("MSELoss")[0], np.eye(7, CLASSES))


@pytest.mark.parametrize("target", [-0.02, 1.02])
def test_what_is_further_off_than_rounding_is_no_probability(target):
    x, t = np.zeros((2, 3)), np.full((2, 3), target)
    with pytest.raises(ValueError, match=f"received {target}, first in sample 0"):
        nn.BCEWithLogits().forward(x, t)
    if target < 0:
        with pytest.raises(ValueError, match=f"received {target}"):
            nn.SoftmaxCrossEntropy().forward(x, t)


def test_a_graph_trains_with_its_loss_inside():
    x, y = nn.Input("x"), nn.Input("y")
    layer = nn.Linear(3, 2, rng=0).astype(np.float64)
    value = nn.MSELoss()(layer(x), y, name="loss") + 0.1 * nn.Sum()(nn.Square()(layer(x)))
    graph = nn.Graph([x, y], value)
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(5, 3)), rng.normal(size=(5, 2))
    nn.assert_gradients(graph, *inputs)
    before = graph.forward(*inputs)
    _, grads = graph.backward(1.0)
    nn.SGD(graph, 0.1).step(grads)
    assert graph.forward(*inputs) < before
    assert graph.node_values["loss"] < before


def test_labels_among_nodes_are_constants_and_stay_integers():
    x = nn.Input("x")
    graph = nn.Graph([x], nn.SoftmaxCrossEntropy()(nn.Linear(4, 3, rng=0)(x), [0, 2]))
    value = graph.forward(np.ones((2, 4), np.float32))
    assert value.dtype == np.float32
    assert graph.backward(1.0)[0].dtype == np.float32
    assert graph.trace().splitlines()[-1].startswith("softmaxcrossentropy1")


def test_the_jacobian_of_a_loss_in_a_graph_by_its_target():
    x, t = nn.Input("x"), nn.Input("t")
    graph = nn.Graph([x, t], nn.MSELoss("none")(x, t))
    a, b = problem("MSELoss")
    found = nn.jacobian(graph, a, b, wrt=1)
    expected = nn.numerical_jacobian(lambda b: nn.MSELoss("none").forward(a, b), b)
    numeric.close(found, expected, 1e-8)


def test_a_graph_with_a_loss_can_be_copied_and_pickled():
    x, t = nn.Input("x"), nn.Input("t")
    graph = nn.Graph([x, t], nn.HuberLoss(0.5)(x, t))
    a, b = problem("HuberLoss")
    value = graph.forward(a, b)
    for other in (copy.deepcopy(graph), pickle.loads(pickle.dumps(graph))):
        assert other.forward(a, b) == value


def test_a_name_is_for_nodes():
    with pytest.raises(ValueError, match="only with nodes"):
        nn.MSELoss()(np.ones(2), np.ones(2), name="loss")


# dtypes and extremes -----------------------------------------------------------------------------


@every
def test_float16_is_computed_in_float32(name):
    x, t = problem(kind(name))
    x, t = x.astype(np.float16), t.astype(np.float16) if t.dtype.kind == "f" else t
    loss = LOSSES[name]()
    value, gradient = loss.forward(x, t), loss.backward()
    assert gradient.dtype == np.float16
    assert value == loss.forward(x.astype(np.float32), t)  # not a digit is lost before the end
    np.testing.assert_array_equal(gradient, loss.backward().astype(np.float16))
    values = LOSSES[name](reduction="none").forward(x, t)
    assert values.dtype == np.float16


def test_squares_beyond_float16_are_a_number():
    x = np.full((3, 2), 1e4, np.float16)
    assert nn.MSELoss().forward(x, np.zeros_like(x)) == pytest.approx(float(x[0, 0]) ** 2)


def test_the_gradient_of_a_scaled_loss_in_float16_does_not_vanish():
    loss = nn.MSELoss()
    loss.forward(np.full((1000, 1), 1e-6, np.float16), np.zeros((1000, 1)))
    assert not loss.backward().any()
    np.testing.assert_allclose(loss.backward(1024.0), 1024 * 1e-9, rtol=0.1)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("size", [1e4, np.inf])
def test_binary_answers_far_from_0_cost_nothing_where_they_are_right(size, dtype):
    x = np.array([[size, -size, size, -size]], dtype)
    loss = nn.BCEWithLogits(reduction="none")
    assert loss.forward(x, [[1, 0, 1, 0]]) == 0
    np.testing.assert_array_equal(loss.backward([1.0]), 0)
    far = min(4 * size, np.inf)
    value = nn.BCEWithLogits().forward(x, [[0, 1, 0, 1]])
    assert value == pytest.approx(far, rel=1e-3)


def test_a_binary_loss_keeps_its_digits_where_it_is_small():
    value = nn.BCEWithLogits().forward(np.array([[40.0]]), [[1]])
    assert value == pytest.approx(np.exp(-40), rel=1e-12)


def test_repr_is_the_code_that_builds_a_loss():
    loss = nn.SoftmaxCrossEntropy([1, 2], label_smoothing=0.1, reduction="none")
    assert repr(loss) == (
        "SoftmaxCrossEntropy(class_weights=[1.0, 2.0], label_smoothing=0.1, reduction='none')"
    )
    assert repr(nn.HuberLoss(0.5)) == "HuberLoss(delta=0.5)"
    assert repr(nn.MSELoss()) == "MSELoss()"


def test_a_loss_of_ones_own_needs_two_functions():
    class Quartic(Loss):
        def sample_losses(self, prediction, target):
            difference = prediction - target
            return (difference**4).sum(1), difference

        def sample_gradients(self, difference):
            return 4 * difference**3

    x, t = problem("MSELoss")
    for reduction in ("mean", "sum", "none"):
        nn.assert_gradients(Quartic(reduction), x, t)
    assert Quartic().total_weight(x, t) == 7


def test_a_loss_of_ones_own_may_count_samples_differently():
    class Doubled(nn.MSELoss):
        def sample_counts(self, prediction, target):
            return np.full(len(target), 2.0)

    x, t = problem("MSELoss")
    assert Doubled().forward(x, t) == pytest.approx(nn.MSELoss().forward(x, t) / 2)
