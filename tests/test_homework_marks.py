"""On the assignments themselves: no marks without work, and words that lead to the mistake."""

from functools import cache
from pathlib import Path

import pytest

from nnscratch.grading.grade import grade
from nnscratch.grading.sandbox.slot import detect_level
from nnscratch.grading.spec import read
from nnscratch.grading.starter import without_marks
from nnscratch.grading.submission import Submission

HOMEWORK = Path(__file__).parent.parent / "homework"
LEVEL = detect_level().level
MADE = "Linear(sizes[i], sizes[i + 1], rng)"
W = "rng.uniform(-limit, limit, (out_features, in_features))"
Y = 'x @ self.params["W"].T + self.params["b"]'
PUT = 'self.params["b"] = np.zeros(out_features)'
PICKED = "self.log_probabilities[self.rows, self.labels]"

assignment = cache(read)


def failed(name, pairs, items=()):
    """By item the first failing finding of the solution with these changes."""
    homework = assignment(HOMEWORK / name)
    [path] = (HOMEWORK / name).glob("solution/*.py")
    source = without_marks(path.read_text(encoding="utf-8"))
    for old, new in zip(pairs[::2], pairs[1::2], strict=True):
        assert source.count(old) == 1, old
        source = source.replace(old, new)
    submission = Submission("somebody", {path.name: source.encode()})
    result = grade(homework, submission, 11, LEVEL, [homework.item(item) for item in items])
    return {item.item.id: item.failed[0] for item in result.items if not item.passed}


@pytest.mark.parametrize(
    ("pairs", "lost"),
    [
        ((MADE, "Linear(sizes[i + 1], sizes[i], rng)"), "mlp_forward mlp_backward training"),
        ((MADE, "Linear(1, 1, rng)"), "mlp_forward mlp_backward training"),
        (
            (W, W.replace("out_features, in_features", "in_features, out_features")),
            "linear_forward training",
        ),
        ((W, "np.zeros((out_features, in_features))"), "linear_forward training"),
        (("self.x = x", "Linear.x = x"), "linear_backward linear_gradient training"),
    ],
    ids=["sizes swapped", "sizes of 1", "another shape", "zeros", "a cache on the class"],
)
def test_networks_that_cannot_run_or_learn_lose_their_items(pairs, lost):
    assert list(failed("hw3_mlp", pairs)) == lost.split()


@pytest.mark.parametrize(
    ("item", "code", "pairs"),
    [
        (
            "cross_entropy_backward",
            "second_backward",
            (
                "np.exp(self.log_probabilities)",
                "np.exp(self.log_probabilities, self.log_probabilities)",
            ),
        ),
        (
            "half_squared_error",
            "second_backward",
            (
                "return self.difference / len",
                "self.difference /= 2; return 2 * self.difference / len",
            ),
        ),
        (
            "linear_forward",
            "overwritten",
            (
                f"return {Y}",
                f"y = self.kept.setdefault(x.shape, {Y}); y[...] = {Y}; return y",
                PUT,
                f"{PUT}; self.kept = {{}}",
            ),
        ),
    ],
    ids=["in place", "divided in place", "one array for all calls"],
)
def test_conventions_are_tried(item, code, pairs):
    assert failed("hw3_mlp", pairs, [item])[item].code == code


def test_what_is_handed_over_holds_no_answer_to_be_read_off():
    pairs = (
        "dy = np.random.default_rng(0).normal(size=operator.forward(*inputs).shape)",
        'return not any("wrong" in str(value) for value in vars(operator).values())',
        "gradient = np.zeros(x.shape)",
        "return np.asarray(f.c)",
    )
    found = failed("hw1_operators", pairs, ["numeric_gradient", "check_gradients"])
    assert "'Asking' object has no attribute 'c'" in found["numeric_gradient"].message
    assert found["check_gradients"].code == "accepts_everything"


@pytest.mark.parametrize(
    ("item", "pairs", "words"),
    [
        (
            "relu",
            (
                "return dy * self.positive",
                "dx = np.zeros_like(self.positive, int); dx[:] = dy; return dx",
            ),
            ["dx has dtype int64, expected float64", "np.zeros(x.shape) is float64"],
        ),
        (
            "mlp_backward",
            ("dy = layer.backward(dy)", "dy = self.layers.backward(dy)"),
            ["'list' object has no attribute 'backward'", "dy = self.layers.backward(dy)"],
        ),
        (
            "mlp_forward",
            (MADE, "Linear(sizes[i + 1], sizes[i], rng)"),
            ["params['W'] of a Linear has shape (7, 5); as it was made, it takes shape (5, 7)"],
        ),
        (
            "tanh",
            ("self.y = np.tanh(x)", "self.y = np.sinh(x) / np.cosh(x)"),
            ["let e^x never get a large positive x"],
        ),
        (
            "tanh",
            ("self.y = np.tanh(x)", "[print('x' * 60) for _ in range(10**6)]; self.y = np.tanh(x)"),
            ["so much was printed"],
        ),
        (
            "tanh",
            ("import numpy as np\n", "import numpy as np\nimport helper\n"),
            ["No module named 'helper'", "the files of the task alone"],
        ),
    ],
)
def test_a_message_leads_to_the_mistake(item, pairs, words):
    message = failed("hw3_mlp", pairs, [item])[item].message
    assert [word for word in words if word not in message] == []


@pytest.mark.parametrize(
    ("item", "pairs", "names"),
    [
        ("tanh", ("self.y = np.tanh(x)", "self.y = np.sinh(x) / np.cosh(x)"), ["x"]),
        ("half_squared_error", ("return 0.5 * np.sum", "return np.sum"), ["prediction", "target"]),
        ("cross_entropy_forward", ("-np.mean(", "-np.sum("), ["logits", "labels"]),
    ],
)
def test_the_failing_case_is_shown_by_the_names_of_the_file_to_write(item, pairs, names):
    lines = failed("hw3_mlp", pairs, [item])[item].message.splitlines()
    shown = [line.split()[0] for line in lines[1:-1] if line[0] != " "]
    assert [word for word in shown if word not in ("got", "expected")] == names
    firsts = [line.index("[[") for line in lines if "[[" in line and line.startswith(names[0])]
    nexts = [len(line) - len(line.lstrip()) for line in lines[1:-1] if line[0] == " "]
    assert not firsts or firsts[0] + 1 in nexts


def test_two_numbers_that_differ_are_shown_with_digits_that_differ():
    pairs = ("return dy * (1 - self.y**2)", "return dy * (1 - self.y**2) + 2e-6 * (dy > 0)")
    first = failed("hw3_mlp", pairs, ["tanh"])["tanh"].message.splitlines()[0]
    got, expected = first.split(" is ")[1].split(";")[0].split(", expected ")
    assert got != expected
    assert float(got) == pytest.approx(float(expected), rel=1e-4)


@pytest.mark.parametrize(
    ("name", "item", "code", "pairs"),
    [
        ("hw3_mlp", "linear_backward", "stale_params",
         (PUT, f"{PUT}; self.W = self.params['W']", 'dy @ self.params["W"]', "dy @ self.W")),
        ("hw3_mlp", "cross_entropy_forward", "maximum_not_added",
         (f"-np.mean({PICKED})", "-np.mean((logits - log_sums)[self.rows, self.labels])")),
        ("hw1_operators", "cos", "other_derivative",
         ("return -dy * np.sin(self.x)", "return -dy * np.cos(self.x)")),
        ("hw3_mlp", "tanh", "square_of_all", ("(1 - self.y**2)", "(1 - self.y) ** 2")),
        ("hw3_mlp", "cross_entropy_backward", "by_probability",
         ("[self.rows, self.labels] -= 1", "[:] = np.eye(5)[self.labels] / -dlogits")),
    ],
)  # fmt: skip
def test_mistakes_that_had_no_name_have_one(name, item, code, pairs):
    assert failed(name, pairs, [item])[item].code == code
