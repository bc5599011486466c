"""Losses beside torch's, on random settings: every reduction, weights, axes and gradients."""

import numpy as np
import pytest

import nnscratch as nn
from tests import numeric

torch = pytest.importorskip("torch")
F = torch.nn.functional

pytestmark = pytest.mark.torch

SEEDS = range(200)


def tensor(x):
    return None if x is None else torch.tensor(x)


def shape_of(rng):
    """(N,) or with up to two further axes, all of different lengths."""
    return tuple(int(n) for n in rng.permutation([2, 3, 4])[: rng.integers(1, 4)])


def option(rng, value):
    return value if rng.random() < 0.5 else None


def class_options(rng, classes):
    return {
        "class_weights": option(rng, rng.uniform(0.2, 3, classes)),
        "ignore_index": option(rng, int(rng.choice([-100, -1, 0, classes - 1, 99]))),
    }


def labels_of(rng, shape, classes, ignore_index):
    labels = rng.integers(0, classes, shape)
    if ignore_index is not None:
        labels[rng.random(shape) < 0.3] = ignore_index
        labels.flat[0] = 1  # one that counts
    return labels


def of_classes(function, options):
    """torch's function of (scores, labels), each sample's loss or their mean."""
    given = dict(options)
    weights = tensor(given.pop("class_weights", None))
    ignored = given.pop("ignore_index", None)
    if ignored is not None:
        given["ignore_index"] = ignored

    def loss(x, target, reduction):
        x = x.movedim(-1, 1).contiguous() if x.ndim > 1 else x
        if target.is_floating_point() and target.ndim > 1:
            target = target.movedim(-1, 1)
        return function(x, target, weight=weights, reduction=reduction, **given)

    return loss


def of_outputs(function, factor, **options):
    """torch's function of (prediction, target), which divides by all outputs."""

    def loss(x, target, reduction):
        if reduction == "mean":
            return function(x, target, **options) * (x[0].numel() * factor)
        each = function(x, target, reduction="none", **options)
        return each.reshape(len(x), -1).sum(1) * factor

    return loss


def cross_entropy_of_labels(rng):
    shape, classes = shape_of(rng), 5
    options = class_options(rng, classes) | {"label_smoothing": option(rng, 0.15) or 0.0}
    labels = labels_of(rng, shape, classes, options["ignore_index"])
    scores = 3 * rng.normal(size=(*shape, classes))
    return nn.SoftmaxCrossEntropy(**options), scores, labels, of_classes(F.cross_entropy, options)


def cross_entropy_of_probabilities(rng):
    shape, classes = shape_of(rng), 5
    options = {
        "class_weights": option(rng, rng.uniform(0.2, 3, classes)),
        "label_smoothing": option(rng, 0.15) or 0.0,
    }
    target = rng.random((*shape, classes))  # of any sum, as in a distillation
    if rng.random() < 0.5:
        target /= target.sum(-1, keepdims=True)
    scores = 3 * rng.normal(size=(*shape, classes))
    return nn.SoftmaxCrossEntropy(**options), scores, target, of_classes(F.cross_entropy, options)


def negative_log_likelihood(rng):
    shape, classes = shape_of(rng), 5
    options = class_options(rng, classes)
    labels = labels_of(rng, shape, classes, options["ignore_index"])
    scores = -rng.exponential(size=(*shape, classes))
    return nn.NLLLoss(**options), scores, labels, of_classes(F.nll_loss, options)


def hinge(rng):
    shape, classes, margin = shape_of(rng), 5, float(rng.uniform(0.2, 3))

    def theirs(x, target, reduction):
        x, labels = x.reshape(-1, classes), target.reshape(-1)
        each = F.multi_margin_loss(x, labels, margin=margin, reduction=reduction) * classes
        return each.reshape(target.shape) if reduction == "none" else each

    scores = 2 * rng.normal(size=(*shape, classes))
    return nn.HingeLoss(margin), scores, rng.integers(0, classes, shape), theirs


def binary(rng):
    shape = (*shape_of(rng), 5)
    weight = option(rng, rng.uniform(0.2, 3, shape[1:] if rng.random() < 0.5 else ()))
    target = rng.random(shape)
    if rng.random() < 0.5:
        target = np.round(target)
    theirs = of_outputs(F.binary_cross_entropy_with_logits, 1, pos_weight=tensor(weight))
    return nn.BCEWithLogits(positive_weight=weight), 4 * rng.normal(size=shape), target, theirs


def distances(ours, theirs):
    def case(rng):
        shape = shape_of(rng)
        return ours(), 2 * rng.normal(size=shape), rng.normal(size=shape), theirs

    return case


CASES = {
    "cross entropy of labels": cross_entropy_of_labels,
    "cross entropy of probabilities": cross_entropy_of_probabilities,
    "negative log-likelihood": negative_log_likelihood,
    "hinge": hinge,
    "binary cross entropy": binary,
    "squares": distances(nn.MSELoss, of_outputs(F.mse_loss, 0.5)),
    "absolute": distances(nn.L1Loss, of_outputs(F.l1_loss, 1)),
    "huber": distances(lambda: nn.HuberLoss(0.7), of_outputs(F.huber_loss, 1, delta=0.7)),
}


def reduced(values, reduction):
    return values if reduction == "none" else values.sum()


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("name", CASES)
def test_values_and_gradients_on_random_settings(name, reduction):
    for seed in SEEDS:
        rng = np.random.default_rng(seed)
        loss, prediction, target, theirs = CASES[name](rng)
        loss.reduction = reduction
        x, t = torch.tensor(prediction, requires_grad=True), torch.tensor(target)
        expected = theirs(x, t, reduction)
        expected = expected.sum() if reduction == "sum" else expected
        value = loss.forward(prediction, target)
        numeric.close(value, expected.detach().numpy(), 1e-10)
        dy = rng.normal(size=np.shape(value))
        expected.backward(torch.tensor(dy))
        numeric.close(loss.backward(dy), x.grad.numpy(), 1e-10)
    print(f"{name}, {reduction}: {len(SEEDS)} cases agree with torch")


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("name", CASES)
def test_weighted_samples_on_random_settings(name, reduction):
    """torch knows no weights of samples: its losses are weighted by hand, by autograd."""
    for seed in SEEDS:
        rng = np.random.default_rng(seed)
        loss, prediction, target, theirs = CASES[name](rng)
        loss.reduction = reduction
        floats = target.dtype.kind == "f"
        x = torch.tensor(prediction, requires_grad=True)
        t = torch.tensor(target, requires_grad=floats)
        values = theirs(x, t, "none")
        shape = tuple(values.shape if seed % 2 else values.shape[:1])  # of labels, of samples
        weight = rng.uniform(0.1, 2, shape)
        w = torch.tensor(weight, requires_grad=True)
        each = w.reshape(w.shape + (1,) * (values.ndim - w.ndim)).expand(values.shape)
        expected = values * each
        if reduction == "mean":
            counts = torch.tensor(loss.sample_counts(prediction, target))
            expected = expected.sum() / (each * counts).sum()
        elif reduction == "sum":
            expected = expected.sum()
        numeric.close(loss.forward(prediction, target, weight), expected.detach().numpy(), 1e-10)
        nodes = [nn.Input(key) for key in "xtw"]
        graph = nn.Graph(nodes, loss(*nodes))
        dy = rng.normal(size=np.shape(graph.forward(prediction, target, weight)))
        expected.backward(torch.tensor(dy))
        gradients, _ = graph.backward(dy)
        numeric.close(loss.backward(dy), x.grad.numpy(), 1e-10)
        numeric.close(gradients[0], x.grad.numpy(), 1e-10)
        numeric.close(gradients[2], w.grad.numpy(), 1e-10)
        if floats:
            numeric.close(gradients[1], t.grad.numpy(), 1e-10)
        else:
            assert gradients[1] is None


@pytest.mark.parametrize("name", CASES)
def test_float32_agrees_to_its_own_precision(name):
    for seed in range(40):
        loss, prediction, target, theirs = CASES[name](np.random.default_rng(seed))
        x = torch.tensor(prediction, requires_grad=True)
        expected = theirs(x, torch.tensor(target), "mean")
        expected.backward()
        value = loss.forward(prediction.astype("f4"), target)
        gradient = loss.backward()
        assert gradient.dtype == np.float32
        numeric.close(value, expected.item(), 1e-5)
        numeric.close(gradient, x.grad.numpy(), 1e-5)
