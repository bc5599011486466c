"""Metrics beside scikit-learn's, on random labels, scores and numbers."""

import warnings

import numpy as np
import pytest

import nnscratch as nn

metrics = pytest.importorskip("sklearn.metrics")

pytestmark = pytest.mark.torch

SEEDS = range(200)


def classes(seed):
    """(labels, predicted, scores) of few samples, so that classes are missing and never right."""
    rng = np.random.default_rng(seed)
    samples, count = rng.integers(2, 30), rng.integers(3, 8)
    labels = rng.integers(0, count, samples)
    scores = rng.normal(size=(samples, count)).round(seed % 3)  # with ties
    predicted = np.where(rng.random(samples) < 0.5, labels, rng.integers(0, count, samples))
    return labels, predicted, scores


def close(found, expected):
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-10)


def test_accuracy_and_confusion_matrix():
    for seed in SEEDS:
        labels, predicted, scores = classes(seed)
        close(nn.accuracy(predicted, labels), metrics.accuracy_score(labels, predicted))
        close(nn.accuracy(scores, labels), metrics.accuracy_score(labels, scores.argmax(1)))
        count = scores.shape[1]
        expected = metrics.confusion_matrix(labels, predicted, labels=range(count))
        np.testing.assert_array_equal(nn.confusion_matrix(predicted, labels, count), expected)
    print(f"accuracy, confusion_matrix: {len(SEEDS)} cases agree with scikit-learn")


def test_top_k_accuracy_with_and_without_ties():
    for seed in SEEDS:
        labels, _, scores = classes(seed)
        count = scores.shape[1]
        for k in range(1, count):
            expected = metrics.top_k_accuracy_score(labels, scores, k=k, labels=range(count))
            close(nn.top_k_accuracy(scores, labels, k), expected)
        assert nn.top_k_accuracy(scores, labels, count) == 1
    print(f"top_k_accuracy: {len(SEEDS)} cases agree with scikit-learn")


@pytest.mark.parametrize("average", [None, "macro", "micro", "weighted"])
@pytest.mark.parametrize("all_classes", [False, True])
def test_precision_recall_f1(average, all_classes):
    for seed in SEEDS:
        labels, predicted, scores = classes(seed)
        count = scores.shape[1] if all_classes else None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns where a class is never predicted
            *expected, _ = metrics.precision_recall_fscore_support(
                labels,
                predicted,
                average=average,
                labels=range(count) if all_classes else None,
                zero_division=0,
            )
        for found, value in zip(
            nn.precision_recall_f1(labels, predicted, average, count), expected, strict=True
        ):
            close(found, value)
    print(f"precision_recall_f1, {average}: {len(SEEDS)} cases agree with scikit-learn")


def test_mean_squared_error_and_r2_score():
    for seed in SEEDS:
        rng = np.random.default_rng(seed)
        shape = (int(rng.integers(2, 30)), int(rng.integers(1, 5)))
        target = rng.normal(size=shape if seed % 2 else shape[0])
        prediction = target + rng.normal(size=target.shape) * rng.choice([0, 0.3, 3])
        if seed % 5 == 0:
            target[:, ...] = 2.0  # every output is constant
        mean, r2 = metrics.mean_squared_error, metrics.r2_score
        close(nn.mean_squared_error(target, prediction), mean(target, prediction))
        close(nn.r2_score(target, prediction), r2(target, prediction))
    print(f"mean_squared_error, r2_score: {len(SEEDS)} cases agree with scikit-learn")
