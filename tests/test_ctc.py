"""CTC beside the sum over all paths one by one, and beside torch's; and what it refuses."""

import itertools
from collections import defaultdict

import numpy as np
import pytest

import nnscratch as nn
from tests import numeric


def spelled(path, blank=0):
    """The labels of a path, by its definition."""
    merged = [symbol for symbol, _ in itertools.groupby(path)]
    return tuple(symbol for symbol in merged if symbol != blank)


def probabilities(scores, blank=0):
    """The probability of everything that the scores (T, C) can spell, path by path."""
    p = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
    sums = defaultdict(float)
    for path in itertools.product(range(p.shape[1]), repeat=len(p)):
        sums[spelled(path, blank)] += np.prod(p[np.arange(len(p)), path])
    return sums


def padded(rows, longest=None, fill=0):
    """Rows of different lengths as (labels, lengths)."""
    lengths = np.array([len(row) for row in rows])
    labels = np.full((len(rows), lengths.max() if longest is None else longest), fill)
    for row, found in zip(labels, rows, strict=True):
        row[: len(found)] = found
    return labels, lengths


def problem(seed, samples=3, frames=6, classes=4):
    """(scores, target) with repeated labels, without labels, and with shorter samples."""
    rng = np.random.default_rng(seed)
    labels, lengths = padded([[1, 1, 2], [3], []])
    return rng.normal(size=(samples, frames, classes)), (labels, lengths, np.array([6, 5, 4]))


# Values ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("blank", [0, 2])
def test_the_loss_of_everything_that_can_be_spelled_is_that_of_its_paths(blank):
    scores = np.random.default_rng(blank).normal(size=(4, 3))
    sums = probabilities(scores, blank)
    assert sum(sums.values()) == pytest.approx(1)
    labels, lengths = padded(list(sums), fill=blank)
    batch = np.broadcast_to(scores, (len(sums), 4, 3))
    loss = nn.CTCLoss(blank, reduction="none")
    values = loss.forward(batch, (labels, lengths, np.full(len(sums), 4)))
    numeric.close(np.exp(-values), list(sums.values()), 1e-12)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_check_gradients_finds_no_mistake(reduction):
    scores, target = problem(0)
    nn.assert_gradients(nn.CTCLoss(reduction=reduction), scores, target)
    nodes = [nn.Input(key) for key in ("scores", "labels", "label_lengths", "score_lengths")]
    node = nn.CTCLoss(reduction=reduction)(nodes[0], tuple(nodes[1:]))
    nn.assert_gradients(nn.Graph(nodes, node), scores, *target)


def test_the_mean_divides_by_the_samples_and_weights_by_theirs():
    scores, target = problem(1)
    values = nn.CTCLoss(reduction="none").forward(scores, target)
    loss = nn.CTCLoss()
    assert loss.forward(scores, target) == pytest.approx(values.mean())
    weight = np.array([0.5, 2, 0])
    value = loss.forward(scores, target, weight)
    assert value == pytest.approx(np.average(values, weights=weight))
    assert loss.total_weight(scores, target, weight) == 2.5
    gradient = loss.backward()
    expected = numeric.gradient(lambda: loss.forward(scores, target, weight), scores)
    numeric.close(gradient, expected, 1e-8)


def test_what_lies_beyond_the_lengths_is_never_read():
    scores, (labels, *lengths) = problem(2)
    loss = nn.CTCLoss()
    value, gradient = loss.forward(scores, (labels, *lengths)), loss.backward()
    others = labels.copy()
    others[1, 1:], others[2] = [-7, 999], 0
    spoiled = scores.copy()
    spoiled[1, 5:] = np.nan
    spoiled[2, 4:] = np.inf
    assert loss.forward(spoiled, (others, *lengths)) == value
    found = loss.backward()
    np.testing.assert_array_equal(found, gradient)
    assert not found[1, 5:].any() and not found[2, 4:].any()


def test_a_batch_is_its_samples_one_by_one():
    scores, (labels, label_lengths, score_lengths) = problem(3)
    loss = nn.CTCLoss(reduction="none")
    values = loss.forward(scores, (labels, label_lengths, score_lengths))
    gradient = loss.backward(np.ones(3))
    for n, (count, frames) in enumerate(zip(label_lengths, score_lengths, strict=True)):
        target = labels[n : n + 1, :count], [count], [frames]
        assert loss.forward(scores[n : n + 1, :frames], target) == pytest.approx(values[n])
        numeric.close(loss.backward(np.ones(1))[0], gradient[n, :frames], 1e-13)


def test_no_labels_are_spelled_by_blanks_alone():
    scores, _ = problem(4)
    target = np.zeros((3, 0), int), np.zeros(3, int), np.array([6, 1, 0])
    log_p = nn.LogSoftmax().forward(scores)[..., 0]
    expected = [-log_p[0].sum(), -log_p[1, 0], 0]  # no frame spells no label
    numeric.close(nn.CTCLoss(reduction="none").forward(scores, target), expected, 1e-12)


def test_an_empty_batch_has_a_sum():
    target = np.zeros((0, 3), int), np.zeros(0, int), np.zeros(0, int)
    assert nn.CTCLoss(reduction="sum").forward(np.zeros((0, 5, 4)), target) == 0


def test_a_thousand_frames_do_not_underflow_in_float32():
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(2, 1000, 5)).astype(np.float32)
    target = rng.integers(1, 5, (2, 300)), [300, 200], [1000, 900]
    loss = nn.CTCLoss()
    value, gradient = loss.forward(scores, target), loss.backward()
    assert value == pytest.approx(loss.forward(scores.astype(float), target), rel=1e-5)
    assert gradient.dtype == np.float32
    numeric.close(gradient, loss.backward(), 1e-3)


@pytest.mark.parametrize("size", [1e4, 1e30])
def test_scores_far_from_0_have_a_finite_loss(size):
    scores = np.full((1, 5, 3), -size, np.float32)
    scores[0, np.arange(5), [1, 1, 0, 1, 2]] = size  # spells 1 1 2
    loss = nn.CTCLoss()
    assert loss.forward(scores, (np.array([[1, 1, 2]]), [3], [5])) == 0
    assert not loss.backward().any()
    wrong = loss.forward(scores, (np.array([[2, 1]]), [2], [5]))
    assert np.isfinite(wrong) and wrong > size


# Impossible --------------------------------------------------------------------------------------


def impossible():
    """Sample 1 has too few frames: two equal labels take three."""
    return np.random.default_rng(0).normal(size=(3, 4, 3)), (
        np.array([[1, 2], [2, 2], [1, 1]]),
        np.array([2, 2, 2]),
        np.array([2, 2, 3]),
    )


def test_an_impossible_sample_is_infinite_where_each_has_a_value():
    scores, target = impossible()
    loss = nn.CTCLoss(reduction="none")
    values = loss.forward(scores, target)
    assert np.isposinf(values).tolist() == [False, True, False]
    gradient = loss.backward(np.ones(3))
    assert np.isfinite(gradient).all() and not gradient[1].any() and gradient[2].any()


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_an_impossible_sample_is_named_unless_it_weighs_nothing(reduction):
    scores, target = impossible()
    loss = nn.CTCLoss(reduction=reduction)
    message = "at least 3 frames for the 2 labels of sample 1, .* received 2; .*'none'"
    with pytest.raises(ValueError, match=message):
        loss.forward(scores, target)
    values = nn.CTCLoss(reduction="none").forward(scores, target)
    value = loss.forward(scores, target, [1, 0, 1])
    assert value == pytest.approx(values[[0, 2]].sum() / (2 if reduction == "mean" else 1))
    assert not loss.backward()[1].any()


def test_labels_that_the_scores_rule_out_are_impossible_too():
    scores = np.zeros((2, 4, 3))
    scores[1, :, 2] = -np.inf
    target = np.array([[1], [2]]), np.array([1, 1]), np.array([4, 4])
    with pytest.raises(ValueError, match="scores with which sample 1 can spell its labels"):
        nn.CTCLoss().forward(scores, target)


# What is refused ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scores", "target", "message"),
    [
        (np.zeros((2, 3)), ([[1], [1]], [1, 1], [3, 3]), r"with a class 0 .*received \(2, 3\)"),
        (None, [[1], [1]], r"\(labels, label_lengths, score_lengths\), received a list"),
        (None, ([1, 2], [1, 1], [3, 3]), r"labels \(2, longest\), .* received \(2,\); pad"),
        (None, ([[1], [1, 2]], [1, 2], [3, 3]), "rows of different lengths"),
        (None, ([[1.0], [1.0]], [1, 1], [3, 3]), r"use labels\.astype\(np\.int64\)"),
        (None, ([[1], [0]], [1, 1], [3, 3]), "other than the blank 0, received 0 at index 0 of"),
        (None, ([[1], [4]], [1, 1], [3, 3]), r"labels in 0\.\.3 .*received 4 at index 0 of sample"),
        (None, ([[-1], [1]], [1, 1], [3, 3]), "received -1 at index 0 of sample 0"),
        (None, ([[1], [1]], [1, 2], [3, 3]), r"label lengths in 0\.\.1, received 2 of sample 1"),
        (None, ([[1], [1]], [1, 1], [3, 4]), r"score lengths in 0\.\.3, received 4 of sample 1"),
        (None, ([[1], [1]], [1, 1], [-1, 3]), "received -1 of sample 0"),
        (None, ([[1], [1]], [1], [3, 3]), r"label lengths \(2,\) of integers, received int64 of"),
        (None, ([[1], [1]], [1, 1], [3.0, 3.0]), "integers, received float64"),
    ],
)
def test_what_does_not_fit_is_refused(scores, target, message):
    scores = np.zeros((2, 3, 4)) if scores is None else scores
    with pytest.raises(ValueError, match=message) as error:
        nn.CTCLoss().forward(scores, target)
    assert str(error.value).startswith("CTCLoss() expected")


def test_a_blank_that_is_no_class_is_refused():
    for blank in (-1, 4):
        with pytest.raises(ValueError, match=f"with a class {blank} for the blank"):
            nn.CTCLoss(blank).forward(np.zeros((1, 3, 4)), ([[1]], [1], [3]))


# torch -------------------------------------------------------------------------------------------


def configuration(seed):
    """A random problem, often with repeated, missing or impossible labels."""
    rng = np.random.default_rng(seed)
    samples, frames, classes = rng.integers(1, 5), rng.integers(1, 12), rng.integers(2, 6)
    longest, blank = rng.integers(0, 6), int(rng.integers(classes))
    labels = rng.integers(0, classes - 1, (samples, longest))
    labels += labels >= blank
    lengths = rng.integers(0, longest + 1, samples), rng.integers(1, frames + 1, samples)
    scores = rng.normal(size=(samples, frames, classes)) * rng.choice([0.1, 1, 5])
    return rng, blank, scores, labels, *lengths


@pytest.mark.torch
def test_random_configurations_agree_with_torch():
    torch = pytest.importorskip("torch")
    infinite = 0
    for seed in range(400):
        rng, blank, scores, labels, label_lengths, score_lengths = configuration(seed)
        x = torch.tensor(scores, requires_grad=True)
        of_torch = (
            torch.log_softmax(x, -1).transpose(0, 1),
            *map(torch.tensor, (labels, score_lengths, label_lengths)),
            blank,
        )
        expected = torch.nn.functional.ctc_loss(*of_torch, reduction="none").detach().numpy()
        loss = nn.CTCLoss(blank, reduction="none")
        target = labels, label_lengths, score_lengths
        values = loss.forward(scores, target)
        finite = np.isfinite(expected)
        infinite += int((~finite).sum())
        np.testing.assert_array_equal(np.isposinf(values), ~finite)
        numeric.close(values[finite], expected[finite], 1e-10)
        dy = rng.normal(size=len(values))
        # torch's gradient of an infinite loss is NaN, or 0 if asked for; here it is 0
        theirs = torch.nn.functional.ctc_loss(*of_torch, reduction="none", zero_infinity=True)
        theirs.backward(torch.tensor(dy))
        numeric.close(loss.backward(dy), x.grad.numpy(), 1e-10)
        if finite.all():
            total = nn.CTCLoss(blank, reduction="sum")
            assert total.forward(scores, target) == pytest.approx(expected.sum(), rel=1e-12)
    assert infinite > 100
