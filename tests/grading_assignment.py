"""A small assignment for the grader's tests, written into a folder: Linear, and a doubling."""

from pathlib import Path

from nnscratch.grading.spec import Assignment, read

TOML = """
title = "A layer"

[[items]]
id = "double"
title = "Doubling"
points = 30

[[items]]
id = "linear_forward"
title = "Linear: forward pass"
points = 30

[[items]]
id = "linear_gradients"
title = "Linear: gradients"
points = 40
timeout = 3
"""

README = """
| item | title | points |
|---|---|---|
| `double` | Doubling | 30 |
| `linear_forward` | Linear: forward pass | 30 |
| `linear_gradients` | Linear: gradients | 40 |
"""

ITEMS = """
import nnscratch as nn
from nnscratch.grading.evidence import Mistake, Reference, compare, draw_dy
from nnscratch.grading.student import entry


def double(student, rng):
    x = rng.normal(size=(4, 3))
    squared = Mistake(x * x, "x is squared", "2x is not x²")
    yield compare("y", student.function("double", x), 2 * x, {"squared": squared})


def linear_forward(student, rng):
    ours, theirs = pair(student, rng)
    for batch in (4, 7):
        x = rng.normal(size=(batch, 5))
        without = Mistake(x @ ours.params["W"].T, "the bias is left out", "y = x Wᵀ + b")
        yield ours.value(theirs.call("forward", x), x, hypotheses={"bias_missing": without})


def linear_gradients(student, rng):
    ours, theirs = pair(student, rng)
    for batch in (4, 4, 7):
        x, dy = rng.normal(size=(batch, 5)), draw_dy(rng, (batch, 3))
        theirs.call("forward", x)
        dx, grads = theirs.call("backward", dy, unpack=2)
        got = {"dx": dx, "W": entry(grads, "W"), "b": entry(grads, "b")}
        yield from ours.gradients(got, x, dy=dy)


def pair(student, rng):
    layer = nn.Linear(5, 3, rng=rng)
    layer.params["b"] = rng.normal(size=3)
    ours = Reference(layer)
    theirs = student.new("Linear", 5, 3)
    theirs.set("params", ours.params)
    return ours, theirs
"""

STARTER = '''
"""Layers."""

import numpy as np


def double(x):
    """2x."""
    raise NotImplementedError


class Linear:
    """y = x Wᵀ + b"""

    def __init__(self, in_features, out_features):
        self.params = {"W": np.zeros((out_features, in_features)), "b": np.zeros(out_features)}

    def forward(self, x):
        """y."""
        raise NotImplementedError

    def backward(self, dy):
        """dx, {"W": dW, "b": db}."""
        raise NotImplementedError
'''

SOLUTION = '''
"""Layers."""

import numpy as np


def double(x):
    return 2 * x


class Linear:
    def __init__(self, in_features, out_features):
        self.params = {"W": np.zeros((out_features, in_features)), "b": np.zeros(out_features)}

    def forward(self, x):
        self.x = x
        return x @ self.params["W"].T + self.params["b"]

    def backward(self, dy):
        return dy @ self.params["W"], {"W": dy.T @ self.x, "b": dy.sum(0)}
'''

RIGHT = {
    "loop": """
class Linear:
    def backward(self, dy):
        dW = sum(np.outer(d, x) for d, x in zip(dy, self.x))
        return np.einsum("no,oi->ni", dy, self.params["W"]), {"W": dW, "b": np.sum(dy, axis=0)}
"""
}

BACKWARD = """
class Linear:
    def backward(self, dy):
        return dy @ self.params["W"], {{"W": {W}, "b": {b}}}
"""

WRONG = {
    "squared": ("def double(x):\n    return x * x\n", {"double": "squared"}),
    "negative": ("def double(x):\n    return -2 * x\n", {"double": "sign"}),
    "writes": ("def double(x):\n    x *= 2\n    return x\n", {"double": "mutated_input"}),
    "no_bias": (
        "class Linear:\n    def forward(self, x):\n        self.x = x\n"
        '        return x @ self.params["W"].T\n',
        {"linear_forward": "bias_missing"},
    ),
    "transposed": (
        BACKWARD.format(W="self.x.T @ dy", b="dy.sum(0)"),
        {"linear_gradients": "transposed"},
    ),
    "not_summed": (
        BACKWARD.format(W="dy.T @ self.x", b="dy"),
        {"linear_gradients": "sum_over_batch"},
    ),
    "mean": (
        BACKWARD.format(W="dy.T @ self.x", b="dy.mean(0)"),
        {"linear_gradients": "factor_1_n"},
    ),
    "stale": (
        "class Linear:\n    def forward(self, x):\n"
        "        if not hasattr(self, 'x') or len(self.x) != len(x):\n            self.x = x\n"
        '        return x @ self.params["W"].T + self.params["b"]\n',
        {"linear_gradients": "stale_cache"},
    ),
    "accumulates": (
        "class Linear:\n    def backward(self, dy):\n"
        "        self.dW = getattr(self, 'dW', 0) + dy.T @ self.x\n"
        '        return dy @ self.params["W"], {"W": self.dW, "b": dy.sum(0)}\n',
        {"linear_gradients": "accumulated"},
    ),
    "no_return": (
        "class Linear:\n    def backward(self, dy):\n        dy @ self.params['W']\n",
        {"linear_gradients": "none"},
    ),
}


def write_assignment(root: Path, name: str = "hw0_layer") -> Assignment:
    """Write the assignment below a folder and read it."""
    folder = root / name
    files = {
        "homework.toml": TOML,
        "README.md": README,
        "items.py": ITEMS,
        "starter/layers.py": STARTER,
        "solution/layers.py": SOLUTION,
        **{f"right/{stem}.py": "import numpy as np\n" + text for stem, text in RIGHT.items()},
        **{f"wrong/{stem}.py": text for stem, (text, _) in WRONG.items()},
        "wrong/wrong.toml": "\n".join(
            f"[{stem}]\n" + "".join(f'{item} = "{code}"\n' for item, code in lost.items())
            for stem, (_, lost) in WRONG.items()
        ),
    }
    for file, text in files.items():
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_text(text, encoding="utf-8")
    return read(folder)
