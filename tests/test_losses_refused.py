"""What losses refuse, and what they say: the loss, what it expected, received, and the remedy."""

import numpy as np
import pytest

import nnscratch as nn
from tests.loss_cases import LOSSES, every, kind, problem


@every
@pytest.mark.parametrize(
    ("weight", "message"),
    [
        (np.ones(6), r"weights of shape \(7,\), received \(6,\); pass one weight per sample"),
        (np.ones((7, 1)), r"received \(7, 1\)"),
        (2.0, r"received \(\)"),
        ([1, 1, -1, 1, 1, 1, 1], "weights of at least 0, received -1, first in sample 2"),
        ([1, 1, 1, np.nan, 1, 1, 1], "received NaN, first in sample 3"),
        ([1, 1, 1, 1, np.inf, 1, 1], "received infinity, first in sample 4"),
        (["a"] * 7, "weights of real numbers"),
    ],
)
def test_weights_that_do_not_fit_are_refused(name, weight, message):
    x, t = problem(kind(name))
    with pytest.raises(ValueError, match=message) as error:
        LOSSES[name]().forward(x, t, weight)
    assert str(error.value).startswith(kind(name) + "(")


@every
def test_a_dy_of_another_shape_is_refused(name):
    x, t = problem(kind(name))
    for reduction, dys in (("none", (1.0, np.ones(6), np.ones((7, 1)))), ("mean", (np.ones(7),))):
        loss = LOSSES[name](reduction=reduction)
        loss.forward(x, t)
        for dy in dys:
            with pytest.raises(ValueError, match=r"dy of the shape \((7,)?\) of its value"):
                loss.backward(dy)


@pytest.mark.parametrize("name", ["MSELoss", "L1Loss", "HuberLoss", "BCEWithLogits"])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_targets_that_are_not_finite_are_refused_with_their_sample(name, bad):
    x, t = problem(name)
    t[3, 1] = bad
    with pytest.raises(ValueError, match=r"received (NaN|infinity), first in sample 3"):
        getattr(nn, name)().forward(x, t)


@every
def test_a_prediction_that_is_not_finite_gives_a_value_that_is_not(name):
    x, t = problem(kind(name))
    x[2] = np.nan
    assert np.isnan(LOSSES[name]().forward(x, t))


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (np.full((7, 5), -0.1), "probabilities of at least 0, received -0.1, first in sample 0"),
        (np.full((7, 5), np.nan), "received NaN"),
        (np.full((7, 5), np.inf), "received infinity"),
        (
            np.full((7, 1), 1),
            r"labels of shape \(7,\), received \(7, 1\); pass labels\[\.\.\., 0\]",
        ),
        (np.full((7, 4), 1.0), r"prediction's shape \(7, 5\), received \(7, 4\)"),
    ],
)
def test_rows_that_are_no_targets_are_refused(target, message):
    with pytest.raises(ValueError, match=message):
        nn.SoftmaxCrossEntropy().forward(np.zeros((7, 5)), target)


@every
@pytest.mark.parametrize(
    ("convert", "message"),
    [
        (lambda t: np.ma.masked_less(t, 0.5), "without a mask, received a masked array"),
        (lambda t: t.astype(complex), r"received an array of complex128"),
        (lambda t: t.astype(str), r"np\.unique\(names, return_inverse=True\)"),
        (lambda t: [[1.0], [1.0, 2.0]], "rows of different lengths"),
        (lambda t: np.array(["a"] * t.size, object).reshape(t.shape), r"np\.unique\(names"),
        (lambda t: None, "received an array of object; convert it"),
    ],
)
def test_targets_that_are_no_numbers_are_refused(name, convert, message):
    x, t = problem(kind(name))
    with pytest.raises(ValueError, match=message) as error:
        LOSSES[name]().forward(x, convert(t))
    assert str(error.value).startswith(kind(name) + "(")


def test_sparse_predictions_are_refused():
    import scipy.sparse

    with pytest.raises(ValueError, match=r"pass x\.toarray\(\)"):
        nn.MSELoss().forward(scipy.sparse.csr_array(np.eye(3)), np.eye(3))


@pytest.mark.parametrize("name", ["SoftmaxCrossEntropy", "NLLLoss", "HingeLoss"])
def test_images_of_scores_with_the_classes_in_front_are_told_apart(name):
    with pytest.raises(ValueError, match=r"np\.moveaxis\(scores, 1, -1\)"):
        getattr(nn, name)().forward(np.zeros((2, 5, 3, 4)), np.zeros((2, 3, 4), int))


@pytest.mark.parametrize("name", ["NLLLoss", "HingeLoss"])
def test_one_hot_rows_where_labels_are_due_are_told(name):
    with pytest.raises(ValueError, match=r"target\.argmax\(-1\)"):
        getattr(nn, name)().forward(np.zeros((3, 3)), np.eye(3))


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: nn.SoftmaxCrossEntropy("sum"), r"SoftmaxCrossEntropy\(reduction='sum'\)"),
        (lambda: nn.BCEWithLogits("sum"), r"BCEWithLogits\(reduction='sum'\)"),
        (lambda: nn.SoftmaxCrossEntropy([[1, 2]]), r"class weights \(classes,\), received \(1, 2"),
        (lambda: nn.NLLLoss([1, -2]), "class weights of at least 0, received -2"),
        (lambda: nn.NLLLoss([1, np.nan]), "received NaN"),
        (lambda: nn.SoftmaxCrossEntropy(label_smoothing=1.5), r"label_smoothing in \[0, 1\]"),
        (lambda: nn.BCEWithLogits(-1), "positive weights of at least 0, received -1"),
        (lambda: nn.BCEWithLogits(np.inf), "received infinity"),
    ],
)
def test_settings_that_make_no_sense_are_refused(build, message):
    with pytest.raises(ValueError, match=message):
        build()


@pytest.mark.parametrize(
    ("loss", "prediction", "target", "message"),
    [
        (nn.NLLLoss([1, 2]), np.full((2, 3), -1.0), [0, 1], "scores of 2 classes, as there are"),
        (nn.NLLLoss(), np.full((2, 3), 0.1), [0, 1], "at most 0, received 0.1; put LogSoftmax"),
        (nn.NLLLoss(), np.full((2, 3), -1.0), [0, -100], "leave them out by ignore_index=-100"),
        (nn.HingeLoss(), np.ones((2, 2, 3)), [[0, 1], [1, 3]], "received 3 at index 1, 1"),
        (nn.SoftmaxCrossEntropy(), np.ones(3), 7, "received 7; check the labels"),
        (nn.BCEWithLogits([1, 2]), np.ones((2, 3)), np.ones((2, 3)), r"outputs of shape \(2,\)"),
        (
            nn.SoftmaxCrossEntropy(ignore_index=0),
            np.ones((2, 3)),
            np.ones((2, 3)),
            "received probabilities; leave out ignore_index",
        ),
    ],
)
def test_what_does_not_fit_the_settings_is_refused(loss, prediction, target, message):
    with pytest.raises(ValueError, match=message):
        loss.forward(prediction, target)


def test_log_probabilities_may_be_above_0_by_rounding():
    p = np.array([[1, 0.5]], np.float32) * np.float32(1 + 1e-6)
    assert nn.NLLLoss().forward(np.log(p), [0]) == pytest.approx(0, abs=1e-5)
