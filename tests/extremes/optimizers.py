"""Steps of optimizers with extreme gradients, here and in torch."""

import warnings
from collections import Counter

import numpy as np
import pytest

import nnscratch as nn
from tests.extremes.layers import DTYPES, NUMBERS, alike
from tests.optimizer_cases import CASES

STEPS = 3
WEIGHTS = np.array([0.5, -2.0, 1.0])
SETTINGS = [(name, *settings) for name, listed in CASES.items() for settings in listed]


def gradient(number, dtype):
    """The number between two ordinary ones."""
    given = NUMBERS[number]
    given = 8 * float(np.finfo(dtype).smallest_subnormal) if given is None else given
    return np.array([0.25, given, -1.0]).astype(dtype)


def here(name, settings, g):
    model = nn.Bias(3).astype(g.dtype)
    model.params["b"] = WEIGHTS
    optimizer = getattr(nn, name)(model, **settings)
    for _ in range(STEPS):
        optimizer.step({"b": g})
    return model.params["b"].astype(np.float64)


def there(name, settings, g, dtype):
    torch = pytest.importorskip("torch")
    w = torch.tensor(WEIGHTS.astype(dtype), requires_grad=True)
    optimizer = getattr(torch.optim, name)([w], **({"lr": 0.1} if name == "SGD" else {}) | settings)
    for _ in range(STEPS):
        w.grad = torch.tensor(g.astype(dtype))
        optimizer.step()
    return w.detach().numpy().astype(np.float64)


def reason(name, settings, dtype, number, mine):
    if "centered" in settings and np.isnan(mine).all() and dtype == "float32":
        return "infinity minus infinity is NaN; torch's fused product keeps infinity, and w still"
    return None


def compare(name, ours, theirs, dtype):
    """(results as torch's, as torch's in float64, Counter of reasons, an example of each)."""
    torchs, wide, reasons, examples = 0, 0, Counter(), {}
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for number in NUMBERS:
            g = gradient(number, dtype)
            mine, other = here(name, ours, g), there(name, theirs, g, dtype)
            exact = there(name, theirs, g, "float64").astype(dtype).astype(np.float64)
            of_torch = alike(mine, other, dtype)
            right = of_torch | alike(mine, exact, dtype)
            if right.all():
                torchs += bool(of_torch.all())
                wide += not of_torch.all()
                continue
            why = reason(name, ours, dtype, number, mine[~right])
            reasons[why] += 1
            told = f"{number}: {mine[~right][0]:.4g} here, {other[~right][0]:.4g} there"
            examples.setdefault(why, told)
    return torchs, wide, reasons, examples


def table():
    """A line for each optimizer and dtype, and for each reason why something differs."""
    lines = [
        f"{'optimizer':58}{'dtype':9}{'torch':>6}{'wider':>6}{'other':>6}  why, and an example"
    ]
    for name, ours, theirs in SETTINGS:
        for dtype in DTYPES:
            torchs, wide, reasons, examples = compare(name, ours, theirs, dtype)
            written = f"{name}({', '.join(f'{k}={v}' for k, v in ours.items())})"
            lines.append(f"{written[:57]:58}{dtype:9}{torchs:6}{wide:6}{reasons.total():6}")
            lines += [f"{'':67}{n:18}  {why}: {examples[why]}" for why, n in reasons.items()]
    return "\n".join(lines)
