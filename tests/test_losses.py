"""Losses: values and gradients, the one rule of the mean, and what they refuse."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nnscratch as nn
from tests import numeric

REGRESSION = ["MSELoss", "L1Loss", "HuberLoss"]
CLASSES = ["SoftmaxCrossEntropy", "NLLLoss", "HingeLoss"]
BINARY = ["BCEWithLogits"]
ALL = REGRESSION + CLASSES + BINARY

# torch's function, and here / torch for K outputs (the table of the README)
TORCH = {
    "MSELoss": ("mse_loss", lambda k: k / 2),
    "L1Loss": ("l1_loss", lambda k: k),
    "HuberLoss": ("huber_loss", lambda k: k),
    "BCEWithLogits": ("binary_cross_entropy_with_logits", lambda k: k),
    "SoftmaxCrossEntropy": ("cross_entropy", lambda k: 1),
    "NLLLoss": ("nll_loss", lambda k: 1),
    "HingeLoss": ("multi_margin_loss", lambda k: k),
}


def problem(name, rng, samples=7, outputs=5):
    prediction = 2 * rng.normal(size=(samples, outputs))
    if name == "NLLLoss":
        prediction -= 0.1 + np.log(np.exp(prediction).sum(1, keepdims=True))
    if name in CLASSES:
        return prediction, rng.integers(0, outputs, samples)
    if name in BINARY:
        return prediction, rng.random((samples, outputs))
    return prediction, rng.normal(size=(samples, outputs))


def test_every_exported_loss_is_tested():
    assert set(nn.losses.__all__) == {*ALL, "Loss", "CTCLoss", "ctc_decode"}


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("name", ALL)
def test_gradients_equal_central_differences(name, reduction, seed):
    prediction, target = problem(name, np.random.default_rng(seed))
    loss = getattr(nn, name)(reduction=reduction)
    loss.forward(prediction, target)
    found = loss.backward()
    expected = numeric.gradient(lambda: loss.forward(prediction, target), prediction)
    numeric.close(found, expected, 1e-7)


@pytest.mark.torch
@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-10), ("float32", 1e-5)])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("name", ALL)
def test_values_and_gradients_agree_with_torch(name, reduction, dtype, tolerance):
    torch = pytest.importorskip("torch")
    function, factor = TORCH[name]

    @settings(max_examples=15, deadline=None)
    @given(st.integers(1, 9), st.integers(2, 6), st.integers(0, 2**31))
    def agrees(samples, outputs, seed):
        prediction, target = problem(name, np.random.default_rng(seed), samples, outputs)
        prediction = prediction.astype(dtype)
        if target.dtype.kind == "f":
            target = target.astype(dtype)
        loss = getattr(nn, name)(reduction=reduction)
        value, gradient = loss.forward(prediction, target), loss.backward()
        assert gradient.dtype == np.dtype(dtype)
        tensor = torch.tensor(prediction, requires_grad=True)
        theirs = getattr(torch.nn.functional, function)(
            tensor, torch.tensor(target), reduction=reduction
        )
        theirs.backward()
        # torch's sum lacks what its mean divides by, but for the half and the classes
        scale = factor(outputs) if reduction == "mean" or name == "HingeLoss" else factor(1)
        numeric.close(value, scale * theirs.item(), tolerance)
        numeric.close(gradient, scale * tensor.grad.numpy(), tolerance)

    agrees()


@pytest.mark.torch
def test_soft_targets_agree_with_torch():
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    logits, target = rng.normal(size=(7, 5)), rng.dirichlet(np.ones(5), 7)
    loss = nn.SoftmaxCrossEntropy()
    tensor = torch.tensor(logits, requires_grad=True)
    theirs = torch.nn.functional.cross_entropy(tensor, torch.tensor(target))
    theirs.backward()
    assert loss.forward(logits, target) == pytest.approx(theirs.item(), abs=1e-12)
    np.testing.assert_allclose(loss.backward(), tensor.grad.numpy(), atol=1e-12)


def test_one_hot_rows_equal_labels():
    rng = np.random.default_rng(0)
    logits, labels = rng.normal(size=(7, 5)), rng.integers(0, 5, 7)
    by_label, by_row = nn.SoftmaxCrossEntropy(), nn.SoftmaxCrossEntropy()
    for dtype in (float, int, bool):
        rows = np.eye(5, dtype=dtype)[labels]
        assert by_label.forward(logits, labels) == pytest.approx(by_row.forward(logits, rows))
        np.testing.assert_allclose(by_label.backward(), by_row.backward(), atol=1e-15)


@pytest.mark.parametrize("name", CLASSES)
def test_one_sample_without_batch_axis(name):
    prediction, target = problem(name, np.random.default_rng(0), samples=1)
    loss = getattr(nn, name)()
    value, gradient = loss.forward(prediction, target), loss.backward()
    assert loss.forward(prediction[0], target[0]) == pytest.approx(value)
    np.testing.assert_allclose(loss.backward(), gradient[0])


def test_the_mean_divides_by_the_samples_and_by_nothing_else():
    prediction, target = problem("MSELoss", np.random.default_rng(0))
    by_hand = [sum((p - t) ** 2) / 2 for p, t in zip(prediction, target, strict=True)]
    assert nn.MSELoss("sum").forward(prediction, target) == pytest.approx(sum(by_hand))
    assert nn.MSELoss().forward(prediction, target) == pytest.approx(sum(by_hand) / 7)
    images = prediction.reshape(7, 5, 1), target.reshape(7, 5, 1)
    assert nn.MSELoss().forward(*images) == pytest.approx(sum(by_hand) / 7)


def test_logits_of_a_thousand_are_exact_in_float32():
    logits = np.array([[1000, -1000, 0], [-1000, 1000, 1000]], np.float32)
    loss = nn.SoftmaxCrossEntropy(reduction="sum")
    assert loss.forward(logits, np.array([0, 0])) == pytest.approx(2000 + np.log(2))
    np.testing.assert_allclose(loss.backward(), [[0, 0, 0], [-1, 0.5, 0.5]])
    binary = nn.BCEWithLogits(reduction="sum")
    value = binary.forward(np.array([[1000], [-1000]], np.float32), np.array([[0], [0]]))
    assert value == pytest.approx(1000)
    np.testing.assert_allclose(binary.backward(), [[1], [0]])


@pytest.mark.parametrize("name", ALL)
def test_inputs_are_only_read_and_backward_scales_and_repeats(name):
    prediction, target = problem(name, np.random.default_rng(0))
    prediction.flags.writeable = target.flags.writeable = False
    loss = getattr(nn, name)()
    assert isinstance(loss(prediction, target), float)
    first = loss.backward()
    kept = first.copy()
    np.testing.assert_allclose(loss.backward(-2.5), -2.5 * first)
    np.testing.assert_array_equal(first, kept)


@pytest.mark.parametrize("name", ALL)
def test_what_does_not_fit_is_refused(name):
    loss = getattr(nn, name)()
    prediction, target = problem(name, np.random.default_rng(0))
    with pytest.raises(RuntimeError, match="backward came before forward"):
        loss.backward()
    with pytest.raises(ValueError, match="empty batch"):
        loss.forward(prediction[:0], target[:0])
    assert getattr(nn, name)(reduction="sum").forward(prediction[:0], target[:0]) == 0
    with pytest.raises(ValueError, match=r"received \(6"):
        loss.forward(prediction, target[:6])
    with pytest.raises(ValueError, match="'mean', 'sum' or 'none', received 'all'"):
        getattr(nn, name)(reduction="all")


@pytest.mark.parametrize("name", [*REGRESSION, *BINARY])
def test_a_column_against_a_row_is_refused(name):
    with pytest.raises(ValueError, match=r"shape \(7, 1\), received \(7,\); reshape it to"):
        getattr(nn, name)().forward(np.zeros((7, 1)), np.zeros(7))


@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.array([0, 1, 5, 2]), r"labels in 0\.\.4 for 5 classes, received 5 at index 2"),
        (np.array([0, -1, 1, 2]), "received -1 at index 1"),
        (np.array([0.0, 1.0, 2.0, 3.0]), r"labels\.astype\(np\.int64\)"),
        (np.array([True, False, True, True]), "integer labels"),
        (np.array([[0], [1], [2], [3]]), r"received \(4, 1\); pass labels\[\.\.\., 0\]"),
    ],
)
def test_bad_labels_are_refused(name, labels, message):
    with pytest.raises(ValueError, match=message):
        getattr(nn, name)().forward(np.zeros((4, 5)), labels)


def test_delta_is_positive():
    with pytest.raises(ValueError, match="delta > 0"):
        nn.HuberLoss(delta=0)


# here, the option of torch's function, and its value
OPTIONS = {"HuberLoss": ("delta", 0.4), "HingeLoss": ("margin", 2.5)}


@pytest.mark.torch
@pytest.mark.parametrize("name", OPTIONS)
def test_delta_and_margin_are_used_as_in_torch(name):
    torch = pytest.importorskip("torch")
    option, value = OPTIONS[name]
    function, factor = TORCH[name]
    prediction, target = problem(name, np.random.default_rng(0))
    loss = getattr(nn, name)(**{option: value})
    tensor = torch.tensor(prediction, requires_grad=True)
    theirs = getattr(torch.nn.functional, function)(tensor, torch.tensor(target), **{option: value})
    theirs.backward()
    scale = factor(prediction.shape[1])
    numeric.close(loss.forward(prediction, target), scale * theirs.item(), 1e-10)
    numeric.close(loss.backward(), scale * tensor.grad.numpy(), 1e-10)


@pytest.mark.parametrize("name", OPTIONS)
def test_gradients_with_another_delta_or_margin_equal_central_differences(name):
    option, value = OPTIONS[name]
    prediction, target = problem(name, np.random.default_rng(1))
    loss = getattr(nn, name)(**{option: value})
    loss.forward(prediction, target)
    expected = numeric.gradient(lambda: loss.forward(prediction, target), prediction)
    numeric.close(loss.backward(), expected, 1e-7)


@pytest.mark.parametrize("name", ALL)
def test_the_prediction_decides_the_dtype_and_integers_become_float32(name):
    prediction, target = problem(name, np.random.default_rng(0))
    loss = getattr(nn, name)()
    for dtype, found in {"f2": "f2", "f4": "f4", "f8": "f8", "i8": "f4"}.items():
        loss.forward(prediction.astype(dtype), target)  # a float64 target where it has numbers
        assert loss.backward(np.float64(2)).dtype == np.dtype(found)


def test_a_long_sum_of_float32_losses_is_taken_in_float64():
    losses = np.full((3_000_000, 1), 0.1, np.float32)
    value = nn.L1Loss("sum").forward(losses, np.zeros_like(losses))
    assert value == pytest.approx(3_000_000 * float(np.float32(0.1)), rel=1e-12)


@pytest.mark.parametrize("name", CLASSES)
def test_a_sample_is_right_where_its_label_has_the_largest_score(name):
    scores = np.array([[1.0, 3.0, 2.0], [5.0, 0.0, 1.0], [0.0, 1.0, 2.0]])
    loss = getattr(nn, name)()
    np.testing.assert_array_equal(loss.correct(scores, np.array([1, 2, 2])), [1, 0, 1])
    if name == "SoftmaxCrossEntropy":
        rows = np.array([[0.1, 0.8, 0.1], [0.2, 0.2, 0.6], [0, 0, 1]])
        np.testing.assert_array_equal(loss.correct(scores, rows), [1, 0, 1])


def test_a_binary_sample_counts_by_its_share_of_right_answers_and_a_distance_not_at_all():
    logits, targets = np.array([[0.3, -1.0], [0.2, 2.0], [-3.0, 0.4]]), np.ones((3, 2))
    np.testing.assert_array_equal(nn.BCEWithLogits().correct(logits, targets), [0.5, 1, 0.5])
    for name in REGRESSION:
        assert getattr(nn, name)().correct(logits, targets) is None


def test_accuracy_of_binary_losses_on_one_hot_rows_is_that_of_the_classes():
    rng = np.random.default_rng(0)
    logits, labels = rng.normal(-3, 1, (50, 10)), rng.integers(0, 10, 50)
    correct = nn.BCEWithLogits().correct(logits, np.eye(10)[labels])
    assert correct.mean() == nn.accuracy(logits, labels)
    # answers of no throughout are not nine tenths right
    assert correct.mean() < 0.5 < ((logits > 0) == np.eye(10)[labels]).mean()


def test_ignored_labels_are_no_answers():
    scores = np.eye(3)[[[0, 1, 2], [0, 0, 0]]]
    labels = np.array([[0, 0, 9], [0, 9, 9]])
    correct = nn.SoftmaxCrossEntropy(ignore_index=9).correct(scores, labels)
    np.testing.assert_array_equal(correct, [True, False, True])


@pytest.mark.parametrize("name", [*CLASSES, *BINARY])
def test_nan_is_no_right_answer(name):
    scores, labels = np.full((4, 2), np.nan), np.array([0, 0, 0, 1])
    target = labels if name in CLASSES else np.eye(2)[labels]
    assert not getattr(nn, name)().correct(scores, target).any()


def test_a_class_that_is_ruled_out_costs_nothing_where_it_is_not_the_target():
    logits = np.array([[1.0, -np.inf, 2.0]])
    by_label = nn.SoftmaxCrossEntropy().forward(logits, np.array([0]))
    assert nn.SoftmaxCrossEntropy().forward(logits, np.array([[1, 0, 0]])) == by_label
