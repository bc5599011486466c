"""Metrics against counting by hand."""

import numpy as np
import pytest

import nnscratch as nn


def test_accuracy_is_the_share_of_hits():
    scores = np.array([[1.0, 3.0, 2.0], [5.0, 0.0, 1.0], [0.0, 1.0, 2.0], [3.0, 2.0, 1.0]])
    assert nn.accuracy(scores, [1, 0, 0, 0]) == 0.75


@pytest.mark.parametrize(
    ("scores", "labels", "message"),
    [
        (np.zeros((3, 2)), np.zeros(4, int), r"received \(3, 2\) and \(4,\)"),
        (np.zeros((3, 2)), np.zeros((3, 1), int), r"received \(3, 2\) and \(3, 1\)"),
        (np.zeros(3), np.zeros(3, int), r"received \(3,\)"),
        (np.zeros((0, 2)), np.zeros(0, int), "no sample"),
    ],
)
def test_what_cannot_be_counted_is_refused(scores, labels, message):
    with pytest.raises(ValueError, match=message):
        nn.accuracy(scores, labels)
