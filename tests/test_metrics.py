"""Metrics against counting by hand."""

import numpy as np
import pytest

import nnscratch as nn
from nnscratch.metrics import confusion_matrix, precision_recall_f1, top_k_accuracy


def test_accuracy_is_the_share_of_hits():
    scores = np.array([[1.0, 3.0, 2.0], [5.0, 0.0, 1.0], [0.0, 1.0, 2.0], [3.0, 2.0, 1.0]])
    assert nn.accuracy(scores, [1, 0, 0, 0]) == 0.75


def test_accuracy_of_classes_and_of_each_label_of_a_sequence():
    assert nn.accuracy([1, 0, 0, 0], [1, 0, 0, 1]) == 0.75
    scores, labels = np.eye(3)[[[0, 1], [2, 2]]], [[0, 1], [2, 0]]
    assert nn.accuracy(scores, labels) == nn.accuracy([[0, 1], [2, 2]], labels) == 0.75
    assert top_k_accuracy(scores, labels, 1) == 0.75


@pytest.mark.parametrize(
    ("scores", "labels", "message"),
    [
        (np.zeros((3, 2)), np.zeros(4, int), r"received \(3, 2\) and \(4,\)"),
        (np.zeros((3, 2)), np.zeros((3, 1), int), r"received \(3, 2\) and \(3, 1\)"),
        (np.zeros(3), np.zeros(3, int), r"integers, received float64; .*\(scores > 0\)"),
        (np.zeros((3, 1)), np.zeros(3, int), r"two classes or more, received \(3, 1\)"),
        (0, 0, r"received \(\) and \(\)"),
        (np.zeros((3, 2)), ["a", "b", "a"], r"np\.unique\(labels, return_inverse=True\)"),
        (np.zeros((0, 2)), np.zeros(0, int), "no sample"),
        ([[0, 1], [np.nan, 1]], [0, 1], "received NaN, first in sample 1"),
        (np.zeros((3, 2)), [0, 1, 2], r"labels in 0..1, received 2 at index 2"),
        (np.zeros((3, 2)), [0.0, 1.0, 1.0], "labels to be integers"),
    ],
)
def test_what_cannot_be_counted_is_refused(scores, labels, message):
    with pytest.raises(ValueError, match=message):
        nn.accuracy(scores, labels)


def test_the_confusion_matrix_counts_pairs_true_by_predicted():
    labels = [0, 0, 0, 2, 2, 1]
    predicted = [0, 1, 1, 2, 0, 1]
    expected = [[1, 2, 0], [0, 1, 0], [1, 0, 1]]  # row 0: one right, two taken for 1
    found = confusion_matrix(predicted, labels)
    assert found.dtype == np.int64
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(confusion_matrix(np.eye(3)[predicted], labels), expected)


def test_the_confusion_matrix_agrees_with_counting_one_by_one():
    rng = np.random.default_rng(0)
    scores, labels = rng.normal(size=(300, 7)), rng.integers(0, 7, 300).astype(np.uint8)
    expected = np.zeros((7, 7), int)
    for row, label in zip(scores, labels, strict=True):
        expected[label, row.argmax()] += 1
    found = confusion_matrix(scores, labels)
    np.testing.assert_array_equal(found, expected)
    assert np.trace(found) / 300 == nn.accuracy(scores, labels)


@pytest.mark.parametrize(
    ("prediction", "labels", "classes", "size"),
    [
        ([0, 1], [1, 3], None, 4),
        ([4, 1], [1, 3], None, 5),
        ([0, 1], [1, 0], 6, 6),
        (np.zeros((2, 6)), [1, 0], None, 6),
        (np.zeros((2, 6)), [1, 0], 6, 6),
        (np.zeros((0, 3)), np.zeros(0, int), None, 3),
        ([], [], 2, 2),
    ],
)
def test_classes_without_samples_have_rows_and_columns_of_zeros(prediction, labels, classes, size):
    found = confusion_matrix(prediction, labels, classes)
    assert found.shape == (size, size) and found.sum() == len(labels)


@pytest.mark.parametrize(
    ("prediction", "labels", "classes", "message"),
    [
        ([0, 1], [0, 1, 1], None, r"received \(2,\) and \(3,\)"),
        (np.zeros((2, 1, 3)), [0, 1], None, r"received \(2, 1, 3\) and \(2,\)"),
        (np.zeros((2, 3)), np.zeros((2, 3)), None, r"received \(2, 3\) and \(2, 3\)"),
        (np.zeros((2, 3)), [0, 3], None, "labels in 0..2, received 3 at index 1"),
        ([0, 1], [0, -1], None, "labels of at least 0, received -1 at index 1"),
        ([0, 2], [0, 1], 2, "predicted labels in 0..1, received 2 at index 1"),
        ([0.2, 0.7], [0, 1], None, "predicted labels to be integers, received float64"),
        ([0, 1], [0.0, 1.0], None, "expected labels to be integers, received float64"),
        (np.zeros((2, 3)), [0, 1], 4, "classes to be 3, those of the scores, received 4"),
        ([0, 1], [0, 1], 0, "classes to be at least 1, received 0"),
        ([0, 1], [0, 1], -3, "classes to be at least 1, received -3"),
        ([], [], None, "no sample; .*classes=10"),
        (np.zeros((2, 0)), [0, 1], None, "at least one class"),
        ([[0.0, 1.0], [np.nan, 0.0]], [0, 1], None, "received NaN, first in sample 1"),
    ],
)
def test_what_has_no_confusion_matrix_is_refused(prediction, labels, classes, message):
    with pytest.raises(ValueError, match=message):
        confusion_matrix(prediction, labels, classes)


def test_of_equal_scores_the_later_classes_come_first():
    scores = np.zeros((3, 3))
    assert [top_k_accuracy(scores, [0, 1, 2], k) for k in (1, 2, 3)] == [1 / 3, 2 / 3, 1]
    assert top_k_accuracy(scores, [2, 2, 2], 1) == 1


@pytest.mark.parametrize(
    ("scores", "labels", "k", "message"),
    [
        (np.zeros((2, 3)), [0, 1], 0, r"k in 1\.\.3, the classes, received 0"),
        (np.zeros((2, 3)), [0, 1], 4, "received 4"),
        ([0, 1], [0, 1], 1, "a score for each class, received classes"),
        (np.zeros((2, 3)), [0, 3], 1, "received 3 at index 1"),
        ([[0, np.nan], [0, 1]], [0, 1], 1, "NaN, first in sample 0"),
    ],
)
def test_what_has_no_k_best_is_refused(scores, labels, k, message):
    with pytest.raises(ValueError, match=message):
        top_k_accuracy(scores, labels, k)


def test_precision_and_recall_by_hand():
    labels, predicted = [0, 0, 0, 2, 2, 4], [0, 0, 2, 2, 2, 0]
    precision, recall, f1 = precision_recall_f1(labels, predicted)  # of 0, 2 and 4
    np.testing.assert_allclose(precision, [2 / 3, 2 / 3, 0])
    np.testing.assert_allclose(recall, [2 / 3, 1, 0])
    np.testing.assert_allclose(f1, [2 / 3, 4 / 5, 0])
    all_five = precision_recall_f1(labels, np.eye(5)[predicted], classes=5)
    np.testing.assert_allclose(all_five[1], [2 / 3, 0, 1, 0, 0])
    assert precision_recall_f1(labels, predicted, "micro") == (4 / 6, 4 / 6, 4 / 6)


@pytest.mark.parametrize(
    ("labels", "predicted", "options", "message"),
    [
        ([0, 1], [0, 1], {"average": "binary"}, "'weighted', received 'binary'; None gives"),
        ([0, 1], [0, 1, 1], {}, r"received \(3,\) and \(2,\)"),
        ([], [], {}, "no sample"),
        ([0, 1], [0, 2], {"classes": 2}, "predicted labels in 0..1, received 2 at index 1"),
        ([0, 1], [0.5, 0.7], {}, "predicted labels to be integers"),
        ([0, -1], [0, 1], {}, "labels of at least 0, received -1"),
    ],
)
def test_what_has_no_precision_is_refused(labels, predicted, options, message):
    with pytest.raises(ValueError, match=message):
        precision_recall_f1(labels, predicted, **options)


def test_a_constant_target_is_explained_exactly_or_not_at_all():
    target = np.full(7, 0.1)
    assert nn.r2_score(target, target) == 1
    assert nn.r2_score(target, target + 1) == 0


@pytest.mark.parametrize("metric", [nn.mean_squared_error, nn.r2_score])
@pytest.mark.parametrize(
    ("target", "prediction", "message"),
    [
        (np.ones(3), np.ones((3, 1)), r"received \(3,\) and \(3, 1\); reshape"),
        (1.0, 1.0, r"received \(\) and \(\)"),
        (np.ones((0, 2)), np.ones((0, 2)), "no sample"),
        ([1.0, np.nan], [1.0, 2.0], "finite target, received NaN or infinity, first in sample 1"),
        ([1.0, 2.0], [np.inf, 2.0], "finite prediction, .* sample 0"),
        (["a", "b"], [1, 2], "target of real numbers, received <U1"),
    ],
)
def test_what_has_no_distance_is_refused(metric, target, prediction, message):
    with pytest.raises(ValueError, match=message):
        metric(target, prediction)


def test_one_sample_has_no_variance():
    with pytest.raises(ValueError, match="at least two"):
        nn.r2_score([1.0], [1.0])


def test_distances_of_float32_are_taken_in_float64():
    target = np.full((1000, 2), 1e4, np.float32)
    target[::2] += 1
    found = nn.mean_squared_error(target, target + np.float32(0.5))
    assert found == 0.25
