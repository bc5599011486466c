"""Losses at extreme inputs beside torch's.

Scores of zero, subnormal, 1, ±1e4, ±1e30, infinite and NaN, in every combination, in three dtypes.
Where values or gradients differ from torch's, a rule says why; what none explains is a mistake.
"""

import itertools
import math
from collections import Counter
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import torch

import nnscratch as nn

F = torch.nn.functional
DTYPES = ("float16", "float32", "float64")
TOLERANCES = {"float16": 2e-3, "float32": 2e-6, "float64": 1e-14}
MARGIN = 1.0


def numbers(dtype):
    """The extremes, as far as the dtype has them."""
    tiny = float(np.finfo(dtype).smallest_subnormal)
    found = [0, tiny, -tiny, 1, 1e4, -1e4, 1e30, -1e30, np.inf, -np.inf, np.nan]
    with np.errstate(over="ignore"):
        return np.unique(np.array(found).astype(dtype))


def rows(dtype, count):
    """All rows of so many of the numbers."""
    return np.array(list(itertools.product(numbers(dtype), repeat=count)), dtype)


def with_targets(x, targets):
    """Each row of x with each target."""
    return np.repeat(x, len(targets), 0), np.concatenate([targets] * len(x))


def distances(dtype):
    pairs = rows(dtype, 2)
    pairs = pairs[np.isfinite(pairs[:, 1])]  # other targets are refused
    return pairs[:, :1], pairs[:, 1:]


def answers(dtype):
    return with_targets(rows(dtype, 1), np.array([[0], [0.25], [1]], dtype))


def labelled(dtype):
    return with_targets(rows(dtype, 3), np.array([0, 1]))


def log_probabilities(dtype):
    x, labels = labelled(dtype)
    kept = ~(x > 0).any(axis=1)  # others are refused
    return x[kept], labels[kept]


def shares(dtype):
    return with_targets(rows(dtype, 3), np.array([[0.5, 0.5, 0], [0, 1, 0]], dtype))


def frames(dtype):
    x = rows(dtype, 4).reshape(-1, 2, 2)  # two frames, of a blank and one label
    count = np.ones(len(x), int)
    return x, (count[:, np.newaxis], count, 2 * count)


def ctc(x, target):
    labels, label_lengths, score_lengths = target
    log_p = torch.log_softmax(x, -1).transpose(0, 1)
    return F.ctc_loss(log_p, labels, score_lengths, label_lengths, reduction="none")


def each(function, factor=1, **options):
    return lambda x, t: factor * function(x, t, reduction="none", **options).reshape(len(x))


# loss: (ours, torch's values, the inputs)
CASES = {
    "MSELoss": (nn.MSELoss, each(F.mse_loss, 0.5), distances),
    "L1Loss": (nn.L1Loss, each(F.l1_loss), distances),
    "HuberLoss": (nn.HuberLoss, each(F.huber_loss), distances),
    "BCEWithLogits": (nn.BCEWithLogits, each(F.binary_cross_entropy_with_logits), answers),
    "SoftmaxCrossEntropy, labels": (nn.SoftmaxCrossEntropy, each(F.cross_entropy), labelled),
    "SoftmaxCrossEntropy, shares": (nn.SoftmaxCrossEntropy, each(F.cross_entropy), shares),
    "NLLLoss": (nn.NLLLoss, each(F.nll_loss), log_probabilities),
    "HingeLoss": (nn.HingeLoss, each(F.multi_margin_loss, 3, margin=MARGIN), labelled),
    "CTCLoss": (nn.CTCLoss, ctc, frames),
}


@dataclass
class Results:
    """Values (N,) and gradients (N, ...) as float64."""

    values: np.ndarray
    gradients: np.ndarray

    def at(self, i):
        return np.append(self.gradients[i].ravel(), self.values[i])


def ours(name, x, target):
    loss = CASES[name][0](reduction="none")
    values = loss.forward(x, target)
    return Results(values.astype(float), loss.backward(np.ones_like(values)).astype(float))


def theirs(name, x, target, dtype):
    """torch's; where it has no such loss of float16, or a float32 is asked for, of float32."""

    def tensor(t):
        if isinstance(t, tuple):
            return tuple(map(tensor, t))
        return torch.tensor(t.astype(dtype) if t.dtype.kind == "f" else t)

    inputs = tensor(x).requires_grad_()
    values = CASES[name][1](inputs, tensor(target))
    values.backward(torch.ones_like(values))
    return Results(values.detach().numpy().astype(float), inputs.grad.numpy().astype(float))


def alike(a, b, name, dtype):
    """Equal up to rounding; the gradients of CTC are differences of probabilities."""
    absolute = 8 * np.finfo(dtype).eps if name == "CTCLoss" else 0
    with np.errstate(invalid="ignore"):
        return np.allclose(a, b, rtol=TOLERANCES[dtype], atol=absolute, equal_nan=True)


def exact(name, x, target, number=Fraction):
    """(gradient, value) without rounding, for the losses that differ there; CTC's gradient only.

    `number` is what the scores of CTC's paths are added as.
    """
    if name == "HingeLoss":
        beyond = Fraction(10) ** 400  # stands for infinity
        scores = [Fraction(float(v)) if np.isfinite(v) else beyond * int(np.sign(v)) for v in x]
        violations = [score - scores[target] + Fraction(MARGIN) for score in scores]
        violations[target] = Fraction(0)
        active = np.array([violation > 0 for violation in violations], float)
        active[target] -= active.sum()
        loss = sum(violation for violation in violations if violation > 0)
        return np.append(active, np.inf if loss > beyond / 2 else float(loss))
    paths = [(0, 1), (1, 0), (1, 1)]  # that spell the label in two frames
    sums = [number(float(x[0, a])) + number(float(x[1, b])) for a, b in paths]
    shares = np.exp([max(float(s - max(sums)), -1e300) for s in sums])
    p = np.array([1 / (1 + np.exp(frame[::-1] - frame)) for frame in x.astype(float)])
    for path, share in zip(paths, shares / shares.sum(), strict=True):
        p[range(2), path] -= share
    return p.ravel()


def reason(name, x, target, mine, other):
    """Why a row differs; None if there is no good reason."""
    value, nan, infinite = mine[-1], np.isnan(x).any(), np.isinf(x).any()
    if nan and np.isnan(value):
        return "NaN stays NaN, in the gradient too; torch loses it in comparisons"
    if name == "CTCLoss" and value == math.inf:
        return "an infinite loss has the gradient 0; torch's is NaN"
    if name == "CTCLoss" and infinite and np.isfinite(mine).all() and np.isnan(other).any():
        return "a score of -infinity has the gradient 0; torch's is NaN"
    if name == "HingeLoss" and infinite and np.isnan(value):
        return "infinity minus infinity is NaN; torch takes it for no violation"
    if infinite and np.isnan(other[-1]) and not np.isnan(value):
        return "0 times infinity is 0: no share of a target, no loss; torch's is NaN"
    if name == "HingeLoss" or (name == "CTCLoss" and not infinite):
        right = exact(name, x, target)
        if alike(mine[: len(right)], right, name, str(x.dtype)):
            return "as without rounding; torch's sums lose what is small beside 1e30"
        if name == "HingeLoss":
            near = value == right[-1] or 0 <= right[-1] - value < np.finfo(x.dtype).eps
            return (
                "a violation smaller than rounding, which x_j - x_c loses beside 1"
                if near
                else None
            )
        shifted = x - x.max(-1, keepdims=True)  # as a softmax does
        ties = exact(name, shifted, target, x.dtype.type)
        if alike(mine[:-1], ties, name, str(x.dtype)):
            return "paths that rounding makes equal beside 1e30 share the gradient, not in torch"
    return None


def differences(name, dtype):
    """(rows compared, Counter of reasons, an example of each)."""
    x, target = CASES[name][2](dtype)
    mine = ours(name, x, target)
    wide = theirs(name, x, target, "float32") if dtype == "float16" else None
    try:
        other = theirs(name, x, target, dtype)
    except (NotImplementedError, RuntimeError):
        other, missing = wide, True
    else:
        missing = False
    counts, examples = Counter(), {}
    for i in range(len(x)):
        a, b = mine.at(i), other.at(i)
        if alike(a, b, name, dtype):
            continue
        if wide is not None and not missing and alike(a, np.float16(wide.at(i)), name, dtype):
            why = "float16 is computed in float32, where torch rounds or overflows"
        else:
            one = None if isinstance(target, tuple) else target[i]
            why = reason(name, x[i], one, a, b)
        counts[why] += 1
        examples.setdefault(why, (x[i], a[-1], b[-1]))
    return len(x), counts, examples


def table():
    lines = [f"{'loss':28}{'dtype':9}{'rows':>6}{'differ':>8}  why, and an example"]
    with np.errstate(all="ignore"):
        for name, dtype in itertools.product(CASES, DTYPES):
            count, counts, examples = differences(name, dtype)
            lines.append(f"{name:28}{dtype:9}{count:6}{sum(counts.values()):8}")
            for why, times in counts.most_common():
                x, a, b = examples[why]
                shown = ", ".join(f"{v:.3g}" for v in x.ravel().astype(float))
                lines.append(f"{'':43}{times:8}  {why}: at ({shown}) {a:.4g} here, {b:.4g} there")
    return "\n".join(lines)
