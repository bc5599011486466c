"""Items of functions with several results, and of layers that the grader trains itself."""

import pytest

from nnscratch.grading.grade import grade
from nnscratch.grading.sandbox.slot import detect_level
from nnscratch.grading.spec import read
from nnscratch.grading.submission import Submission

LEVEL = detect_level().level
README = """# Items

| item | what | points | seconds |
|---|---|---|---|
| `pair` | a tuple | 20 | 5 |
| `sums` | of what is given | 10 | 5 |
| `named` | a dict | 30 | 5 |
| `training` | two layers in a row | 40 | 5 |
"""
ITEMS = """
import numpy as np

import nnscratch as nn
from nnscratch.grading.draws import fixed, normal
from nnscratch.grading.evidence import Mistake
from nnscratch.grading.function_items import function_items
from nnscratch.grading.training_check import training_check


def sum_and_product(u, v):
    return u + v, u * v


def powers(x, options):
    return {"square": x**2, "cube": x**3 + options["shift"]}


def pair_mistakes(case):
    u, v = case.inputs
    return {"product": {"quotient": Mistake(u / v, "u is divided by v", "multiply")}}


pair = function_items(
    "sum_and_product",
    sum_and_product,
    {"": [(fixed(3, 5), fixed(3, 5))]},
    names=("sum", "product"),
    mistakes=pair_mistakes,
).value()
named = function_items(
    "powers", powers, {"small": [(fixed(5), lambda rng, batch: {"shift": rng.normal(size=5)})]}
).value()
sums = function_items(
    "both",
    lambda u, v: u + v + u * v,
    {"": [(fixed(3, 5), fixed(3, 5))]},
    given={"sum_and_product": sum_and_product},
).value()
training = training_check(
    model=[("Linear", (5, 3)), ("Linear", (3, 4))],
    make=lambda: nn.Sequential(nn.Linear(5, 3), nn.Linear(3, 4)),
    loss=nn.MSELoss,
    optimizer=(nn.SGD, {"learning_rate": 0.1, "momentum": 0.5}),
    inputs=(normal(5), normal(4)),
)
"""
RIGHT = """
import numpy as np


def sum_and_product(u, v):
    return u + v, u * v


def both(u, v):
    first, second = sum_and_product(u, v)
    return first + second


def powers(x, options):
    return {"cube": x * x * x + options["shift"], "square": x * x}


class Linear:
    def __init__(self, n_in, n_out):
        W = np.random.default_rng(0).uniform(-1, 1, (n_out, n_in))
        self.params = {"W": W, "b": np.zeros(n_out)}

    def forward(self, x):
        self.x = x
        return (x @ self.params["W"].T) + self.params["b"]

    def backward(self, dy):
        self.grads = {"W": dy.T @ self.x, "b": dy.sum(axis=0)}
        return dy @ self.params["W"]
"""


@pytest.fixture(scope="module")
def assignment(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hw0_items")
    (folder / "starter").mkdir()
    (folder / "README.md").write_text(README)
    (folder / "items.py").write_text(ITEMS)
    (folder / "starter" / "layers.py").write_text(RIGHT)
    return read(folder)


def failed(assignment, old="", new=""):
    """The first failing finding of each item that a change of the right answer loses."""
    assert old in RIGHT
    files = {"layers.py": RIGHT.replace(old, new).encode() if old else RIGHT.encode()}
    result = grade(assignment, Submission("somebody", files), 0, LEVEL)
    return {item.item.id: item.failed[0] for item in result.items if not item.passed}


def test_what_is_right_passes(assignment):
    assert failed(assignment) == {}


@pytest.mark.parametrize(
    ("item", "code", "old", "new"),
    [
        ("pair", "swapped", "return u + v, u * v", "return u * v, u + v"),
        ("pair", "sign", "return u + v", "return -u - v"),
        ("pair", "quotient", "u * v", "u / v"),
        ("pair", "type", "return u + v, u * v", "return u + v"),
        ("named", "missing", '"square": ', '"squared": '),
        ("named", "none", '    return {"cube"', '    {"cube"'),
        ("named", "sign", '"square": x * x', '"square": -x * x'),
        ("training", "values_differ", 'dy @ self.params["W"]', 'dy**3 @ self.params["W"]'),
        ("training", "shape", '"b": dy.sum(axis=0)', '"b": dy'),
        ("training", "missing", '"b": dy.sum(axis=0)', '"db": dy.sum(axis=0)'),
        ("training", "shape", ' + self.params["b"]', "[:, :3]"),
        ("training", "built_values", "np.zeros(n_out)", "np.ones(n_out)"),
    ],
)
def test_each_mistake_is_named(assignment, item, code, old, new):
    found = failed(assignment, old, new)
    assert list(found) == [item]
    assert found[item].code == code


def test_a_failing_case_is_shown_by_the_names_of_the_task(assignment):
    assert "\nu " in failed(assignment, "u * v", "u / v")["pair"].message
    message = failed(assignment, '"square": x * x', '"square": -x * x')["named"].message
    assert message.startswith("square, small")
    assert "\nshift " in message


def test_a_given_function_speaks_of_itself_when_it_is_called_wrongly(assignment):
    message = failed(assignment, "= sum_and_product(u, v)", "= sum_and_product(u, v[:2])")
    words = "sum_and_product does not take (array of shape (3, 5), array of shape (2, 5))"
    assert words in message["sums"].message
