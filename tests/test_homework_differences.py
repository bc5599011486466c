"""Derivatives by differences that no grader can tell from formulas: which points they are worth."""

import re
from pathlib import Path

import pytest

from nnscratch.grading.grade import grade
from nnscratch.grading.sandbox.slot import detect_level
from nnscratch.grading.spec import read
from nnscratch.grading.starter import without_marks
from nnscratch.grading.submission import Submission
from nnscratch.grading.variants import merged

HOMEWORK = Path(__file__).parent.parent / "homework"
LEVEL = detect_level().level
NUMERIC = ("timeout", "numeric_derivative")

BY_DIFFERENCES = """
def all_at_once(f, x, dy=1.0, h=1e-4):
    return (f(x + h) - f(x - h)) / (2 * h) * dy

def one_by_one(f, x):
    x, columns = np.array(x, float), []
    for i in np.ndindex(x.shape):
        old = x[i]
        above, below = (f(x) for x[i] in (old + 1e-5, old - 1e-5))
        x[i] = old
        columns.append((above - below) / 2e-5)
    return np.moveaxis(np.array(columns), 0, -1).reshape(np.shape(columns[0]) + x.shape)
"""

ONE_INPUT = """
class {name}:
    def forward(self, x):
        self.x = x
        return self.f(x)
    def f(self, x):
        return {formula}
    def backward(self, dy):
        return all_at_once(self.f, self.x, dy)
"""
TWO_INPUTS = """
class {name}:
    def forward(self, u, v):
        self.u, self.v = u, v
        return u {sign} v
    def backward(self, dy):
        u, v = self.u, self.v
        du = all_at_once(lambda u: u {sign} v, u, dy)
        dv = all_at_once(lambda v: u {sign} v, v, dy)
        return unbroadcast(du, u.shape), unbroadcast(dv, v.shape)
"""
RELU = """
class ReLU:
    def forward(self, x):
        self.x = x
        return np.maximum(x, 0)
    def backward(self, dy):  # the slope to the left: 0 at 0
        return dy * (np.maximum(self.x, 0) - np.maximum(self.x - 0.01, 0)) / 0.01
class HalfSquaredError:
    def forward(self, prediction, target):
        self.p, self.t = prediction, target
        return 0.5 * np.sum((prediction - target)**2) / len(prediction)
    def backward(self):
        return all_at_once(lambda p: 0.5 * (p - self.t)**2, self.p) / len(self.p)
"""
NODES = """
def {name}({u}):
    def share(i):
        def of(x):
            values = [n.value for n in [{u}]]
            values[i] = x
            return {formula}
        return lambda dy: np.tensordot(dy, one_by_one(of, [{u}][i].value), np.ndim(dy))
    nodes = [{u}]
    return Node((lambda values: {formula})([n.value for n in nodes]), nodes,
                [share(i) for i in range(len(nodes))])
"""
FUNCTIONS = {
    "add": ("u, v", "values[0] + values[1]"),
    "mul": ("u, v", "values[0] * values[1]"),
    "matmul": ("A, B", "values[0] @ values[1]"),
    "square": ("u", "values[0] ** 2"),
    "exp": ("u", "np.exp(values[0])"),
    "sqrt": ("u", "np.sqrt(values[0])"),
    "cos": ("u", "np.cos(values[0])"),
    "total": ("u", "np.sum(values[0])"),
}
JACOBIANS = """
def soft(x):
    y = np.exp(x - x.max())
    return y / y.sum()
def product_by_x(A, x):
    return one_by_one(lambda x: A @ x, x)
def product_by_A(A, x):
    return one_by_one(lambda A: A @ x, A)
def gram_jacobian(B):
    return one_by_one(lambda B: B.T @ B, B)
def softmax_jacobian(x):
    return one_by_one(soft, x)
def quadratic_gradient(B, x):
    return one_by_one(lambda x: x @ B @ x, x)
def determinant_gradient(X):
    return one_by_one(np.linalg.det, X)
"""
RULES = """
def sum_backward(dz):
    return all_at_once(lambda x: x + dz, dz, dz), all_at_once(lambda y: dz + y, dz, dz)
def hadamard_backward(x, y, dz):
    return all_at_once(lambda x: x * y, x, dz), all_at_once(lambda y: x * y, y, dz)
def map_backward(slopes, dz):
    return all_at_once(lambda x: slopes * x, np.zeros(slopes.shape), dz)
"""
NORMS = """
class {name}:
    def forward(self, x):
        mean, var = {moments}
        self.x, self.of = x, lambda x, g, b: g * (x - mean) / np.sqrt(var + self.epsilon) + b
        return self.of(x, self.params["gamma"], self.params["beta"])
    def backward(self, dy):
        g, b, x = self.params["gamma"], self.params["beta"], self.x
        self.grads = {{
            "gamma": all_at_once(lambda g: self.of(x, g, b), g, dy).sum(0),
            "beta": all_at_once(lambda b: self.of(x, g, b), b, dy).sum(0),
        }}
        return all_at_once(lambda x: self.of(x, g, b), x, dy)
"""
LAST = """
class LastStep:
    def forward(self, x):
        self.x = x
        return x[:, -1]
    def backward(self, dy):
        steps = range(self.x.shape[1])
        moved = [np.eye(len(steps))[t][:, None] + self.x for t in steps]
        return np.stack([(m - self.x)[:, -1] * dy for m in moved], axis=1)
"""

# By item the parts that are passed, counted from 0
UNTOLD = {
    "hw1_operators": (
        "".join(
            TWO_INPUTS.format(name=n, sign=s)
            for n, s in (("Add", "+"), ("Sub", "-"), ("Mul", "*"), ("Div", "/"))
        )
        + ONE_INPUT.format(name="Sin", formula="np.sin(x)")
        + ONE_INPUT.format(name="Cos", formula="np.cos(x)"),
        {item: [1] for item in ("add", "sub", "mul", "div", "sin", "cos")},
    ),
    "hw2_graph": (
        JACOBIANS
        + "".join(NODES.format(name=n, u=u, formula=f) for n, (u, f) in FUNCTIONS.items()),
        {
            "product_jacobians": [0, 1],
            "gram_matrix": [0],
            "softmax": [0],
            "identities": [1, 3],
            "functions": range(8),
        },
    ),
    "hw3_mlp": (
        RELU
        + ONE_INPUT.format(name="Sigmoid", formula="(1 + np.tanh(x / 2)) / 2")
        + ONE_INPUT.format(name="Tanh", formula="np.tanh(x)"),
        {"sigmoid": [1], "tanh": [1], "relu": [1, 2], "half_squared_error": [1]},
    ),
    "hw4_scanning": (RULES, {"rules": [1, 4, 5]}),
    "hw6_batchnorm": (
        NORMS.format(
            name="BatchNorm",
            moments='moments(x) if self.training else '
            '(self.buffers["running_mean"], self.buffers["running_var"])',
        )
        + NORMS.format(name="LayerNorm", moments="x.mean(1)[:, None], x.var(1)[:, None]"),
        {"dgamma": [0], "dbeta": [0], "evaluation_backward": [0], "layernorm_backward": [1]},
    ),
    "hw8_recurrent": (LAST, {"last_step": [1]}),
}  # fmt: skip


TOLD = {
    "hw2_graph": (
        """
def bilinear_gradient(a, X, b):
    return one_by_one(lambda X: a @ X @ b, X)
def trace_gradient(A, X):
    return one_by_one(lambda X: (A * X.T).sum(), X)
def inverse_gradient(a, X, b):
    return one_by_one(lambda X: a @ np.linalg.solve(X, b), X)
def weighted_square_gradient(x, A, s, W):
    return one_by_one(lambda s: (lambda rest: rest @ W @ rest)(x - A @ s), s)
def softmax_vjp(x, dy):
    return one_by_one(lambda x: dy @ (lambda e: e / e.sum())(np.exp(x - x.max())), x)
""",
        {"identities": [0, 2, 4, 5], "vjps": [2]},
    ),
    "hw4_scanning": (
        """
def chain_backward(J, dz):
    return one_by_one(lambda x: dz @ (J @ x), np.zeros(J.shape[1]))
def branches_backward(Js, dzs):
    return sum(one_by_one(lambda x: dz @ (J @ x), np.zeros(J.shape[1])) for J, dz in zip(Js, dzs))
""",
        {"rules": [2, 3]},
    ),
    "hw5_correlation": (
        """
class Correlation1d:
    def backward(self, dy):
        self.grads = {}
        return one_by_one(lambda x: np.sum(dy * self.forward(x)), self.x)
""",
        {"backward_1d": [0, 1]},
    ),
}


def points(name):
    homework = read(HOMEWORK / name)
    parts = UNTOLD[name][1] if name in UNTOLD else {}
    return sum(homework.item(item).parts[i] for item, which in parts.items() for i in which)


def codes_of_parts(name, source, parts):
    """By item and part what the solution with these differences is told; "" is a pass."""
    homework = read(HOMEWORK / name)
    [path] = (HOMEWORK / name).glob("solution/*.py")
    solution = {path.name: without_marks(path.read_text(encoding="utf-8")).encode()}
    files = merged(solution, (BY_DIFFERENCES + source).encode(), name)
    items = [homework.item(item) for item in parts]
    result = grade(homework, Submission("somebody", files), 7, LEVEL, items)
    return {
        (item.item.id, i): "".join(finding.code for finding in item.parts[i].failed[:1])
        for item in result.items
        for i in parts[item.item.id]
    }


@pytest.mark.parametrize("name", UNTOLD)
def test_differences_pass_where_the_guide_says_so(name):
    assert set(codes_of_parts(name, *UNTOLD[name]).values()) == {""}


@pytest.mark.slow
@pytest.mark.parametrize("name", TOLD)
def test_elsewhere_they_run_out_of_time(name):
    found = codes_of_parts(name, *TOLD[name])
    assert {part: code for part, code in found.items() if code not in NUMERIC} == {}


def test_the_guide_has_their_share_of_the_points():
    guide = (HOMEWORK / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (hw\d_\w+) \| (\d+) \|", guide, re.M)
    told = {name: int(share) for name, share in rows}
    assert told == {
        path.parent.name: points(path.parent.name) for path in HOMEWORK.glob("*/items.py")
    }
