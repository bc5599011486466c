"""A small assignment for the grader's tests, written into a folder: Linear, and a doubling."""

from pathlib import Path

from nnscratch.grading.spec import Assignment, read
from nnscratch.grading.starter import starter_of, without_marks

README = """# A layer

| item | what | points | seconds |
|---|---|---|---|
| `double` | Doubling | 30 | 5 |
| `linear_forward` | Linear: forward pass | 30 | 5 |
| `linear_gradients` | Linear: gradients | 10 + 30 | 3 |
"""

ITEMS = """
import nnscratch as nn
from nnscratch.grading.checks import check
from nnscratch.grading.draws import normal
from nnscratch.grading.evidence import Mistake, compare
from nnscratch.grading.layer_items import layer_items


@check("double")
def double(student, rng):
    x = rng.normal(size=(4, 3))
    squared = Mistake(x * x, "x is squared", "2x is not x²")
    yield compare("y", student.function("double", x), 2 * x, {"squared": squared})


def mistakes(case):
    without = Mistake(case.x @ case.params["W"].T, "the bias is left out", "y = x Wᵀ + b")
    return {"y": {"bias_missing": without}}


linear = layer_items(
    "Linear", nn.Linear, args=(5, 3), inputs=normal(5), mistakes=mistakes, returns_grads=True
)
linear_forward = linear.value()
linear_gradients = linear.dx(), linear.grads("W", "b")
"""

SOLUTION_WITH_MARKS = '''
"""Layers."""

import numpy as np


def double(x):
    """2x."""
    # BEGIN SOLUTION
    return 2 * x
    # END SOLUTION


class Linear:
    """y = x Wᵀ + b"""

    def __init__(self, in_features, out_features):
        W = np.arange(1.0, 1 + in_features * out_features) / 20
        self.params = {"W": W.reshape(out_features, in_features), "b": np.zeros(out_features)}

    def forward(self, x):
        """y."""
        # BEGIN SOLUTION
        self.x = x
        return x @ self.params["W"].T + self.params["b"]
        # END SOLUTION

    def backward(self, dy):
        """dx, {"W": dW, "b": db}."""
        # BEGIN SOLUTION
        return dy @ self.params["W"], {"W": dy.T @ self.x, "b": dy.sum(0)}
        # END SOLUTION
'''
SOLUTION = without_marks(SOLUTION_WITH_MARKS)
STARTER = starter_of(SOLUTION_WITH_MARKS)

RIGHT = {
    "loop": """
class Linear:
    def backward(self, dy):
        dW = sum(np.outer(d, x) for d, x in zip(dy, self.x))
        return np.einsum("no,oi->ni", dy, self.params["W"]), {"W": dW, "b": np.sum(dy, axis=0)}
"""
}

MISTAKES = """
[double]
squared = ['2 * x', 'x * x']
sign = ['2 * x', '-2 * x']
mutated_input = ['return 2 * x', 'x *= 2; return x']

[linear_forward]
bias_missing = [' + self.params["b"]', '']

[linear_gradients]
transposed = ['dy.T @ self.x', 'self.x.T @ dy']
sum_over_batch = ['dy.sum(0)', 'dy']
factor_1_n = [['dy.sum(0)', 'dy.mean(0)'], ['dy.T @ self.x', 'dy.T @ self.x / len(dy)']]
stale_cache = ['self.x = x', '''
    if not hasattr(self, 'x') or len(self.x) != len(x):
        self.x = x''']
accumulated = [
    'return dy', 'self.dW = getattr(self, "dW", 0) + dy.T @ self.x; return dy',
    '"W": dy.T @ self.x', '"W": self.dW',
]
none = "class Linear:\\n    def backward(self, dy):\\n        dy @ self.params['W']\\n"

[equal]
"Linear.__init__: 20 -> 21 in W = np.arange(1.0, 1 + in_features * out_features) / 20" = \
"other numbers"
"""


def write_assignment(root: Path, name: str = "hw0_layer") -> Assignment:
    """Write the assignment below a folder and read it."""
    folder = root / name
    files = {
        "README.md": README,
        "items.py": ITEMS,
        "mistakes.toml": MISTAKES,
        "starter/layers.py": STARTER,
        "solution/layers.py": SOLUTION_WITH_MARKS,
        **{f"right/{stem}.py": "import numpy as np\n" + text for stem, text in RIGHT.items()},
    }
    for file, text in files.items():
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_text(text, encoding="utf-8")
    return read(folder)
