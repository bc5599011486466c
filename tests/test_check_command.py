"""`nnscratch check`: a student's file in, a readable verdict out."""

import sys

import pytest

from nnscratch.cli import main

LAYERS = '''
import numpy as np
from helper import product


class Linear:
    """Right."""

    def __init__(self, inputs, outputs):
        rng = np.random.default_rng(0)
        self.params = {"W": rng.normal(size=(outputs, inputs)), "b": np.zeros(outputs)}

    def forward(self, x):
        self.x = x
        return product(x, self.params["W"].T) + self.params["b"]

    def backward(self, dy):
        return dy @ self.params["W"], {"W": dy.T @ self.x, "b": dy.sum(0)}


class Transposed(Linear):
    def backward(self, dy):
        dx, grads = super().backward(dy)
        return dx, {"W": grads["W"].T, "b": grads["b"]}


class Mul:
    def forward(self, u, v):
        self.u, self.v = u, v
        return u * v

    def backward(self, dy):
        return dy * self.u, dy * self.v


class Unwritten:
    def forward(self, x):
        raise NotImplementedError

    def backward(self, dy):
        raise NotImplementedError


class Half:
    def forward(self, x):
        return x


def made():
    return Linear(4, 3)


def squares(x, t):
    return np.sum((x - t) ** 2), 2 * (x - t)


ready = Linear(4, 3)
'''


@pytest.fixture
def check(tmp_path, monkeypatch, capsys):
    (tmp_path / "student_layers.py").write_text(LAYERS)
    (tmp_path / "helper.py").write_text("def product(a, b):\n    return a @ b\n")
    (tmp_path / "broken.py").write_text("x = 1\ny = 1 / 0\n")
    (tmp_path / "cut.py").write_text("def f(:\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "modules", dict(sys.modules))

    def call(*arguments):
        try:
            status = main(["check", *arguments])
        except SystemExit as exit:
            status = exit.code
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return call


@pytest.mark.parametrize("target", ["Linear(4, 3)", "made", "ready", "made()"])
def test_a_right_layer_passes(check, target):
    status, out, err = check(f"student_layers.py:{target}")
    assert (status, err) == (0, "")
    assert "no mistake" in out
    assert out.count("pass") == 3


def test_a_wrong_layer_fails_and_the_cause_is_named(check):
    status, out, _ = check("student_layers.py:Transposed(4, 3)", "--input-shape", "5", "4")
    assert status == 1
    assert "dW is the transpose of what it should be" in out
    assert "\033[" not in out  # colours are for terminals


def test_two_inputs_take_two_shapes(check):
    shapes = ["--input-shape", "5", "4", "--input-shape", "4"]
    status, out, _ = check("student_layers.py:Mul", *shapes)
    assert status == 1
    assert "dx[0]" in out
    assert "dx[1]" in out


PACKAGED = """
from .base import product
from ..shared import SCALE
import beside


class Scaled:
    def __init__(self, W, scale=SCALE):
        self.W, self.scale = W, scale

    def forward(self, index, x):
        self.index, self.x = index, x
        return self.scale * product(self.W[index], x)

    def backward(self, dy):
        import numpy as np

        self.dW = np.zeros_like(self.W)
        np.add.at(self.dW, self.index, self.scale * dy * self.x)
        return None, self.scale * dy * self.W[self.index]


def times_forward(x, factor):
    return x * factor["by"], factor


def times_backward(dout, factor):
    return dout * factor["by"]
"""


@pytest.fixture
def package(check, tmp_path):
    inner = tmp_path / "course" / "layers"
    inner.mkdir(parents=True)
    (tmp_path / "course" / "shared.py").write_text("SCALE = 2.0\n")
    (inner / "base.py").write_text("def product(a, b):\n    return a * b\n")
    (inner / "beside.py").write_text("")
    (inner / "scaled.py").write_text(PACKAGED)
    return check


def test_relative_imports_integers_and_several_inputs_of_a_package(package):
    status, out, err = package(
        "course/layers/scaled.py:Scaled(normal(9, 3), scale=3.0)",
        *("--input", "int 0..8 (5,)", "--input", "uniform 0..1 (5, 3)"),
    )
    assert (status, err) == (0, ""), out
    assert "dx[1]  pass" in out
    assert "W      pass" in out


def test_a_pair_of_functions_with_a_setting(package):
    target = "course/layers/scaled.py:times_forward,times_backward"
    status, out, _ = package(target, "--input", "(5, 4)", "--input", "{'by': 3.0}")
    assert status == 0, out
    assert "(times_forward, times_backward): no mistake" in out


@pytest.mark.parametrize("text", ["int 0..9", "(5, x)", "gauss (3,)", "normal 2 (3,)", "(-1,)"])
def test_an_input_that_is_not_understood_says_how_to_write_it(check, text):
    status, out, err = check("student_layers.py:Mul", "--input", text, "--input", "(3,)")
    assert (status, out) == (1, "")
    assert "is not understood; write '(5, 4)'" in err


@pytest.mark.parametrize(
    ("target", "status", "message"),
    [
        ("student_layers.py", 2, "expected FILE.py:Class"),
        ("student_layers.py:Linear(4, x)", 2, "expected FILE.py:Class"),
        ("student_layers.py:Linear", 1, "cannot be made: TypeError"),
        ("student_layers.py:Nope", 1, "has no Nope; its classes are Linear, Transposed, Mul"),
        ("student_layers.py:Half", 1, "has no method backward"),
        ("student_layers.py:Unwritten", 1, "name it, as in --input-shape 5 4"),
        ("nowhere.py:Linear", 1, "there is no file nowhere.py"),
        (
            "broken.py:Linear",
            1,
            "broken.py does not run: ZeroDivisionError: division by zero (line 2)",
        ),
        ("cut.py:Linear", 1, "(line 1)"),
    ],
)
def test_what_cannot_be_checked_is_one_line(check, target, status, message):
    found, out, err = check(target)
    assert (found, out) == (status, "")
    assert err.count("\n") == 1
    assert message in err


def test_an_unwritten_forward_is_reported(check):
    status, out, _ = check("student_layers.py:Unwritten", "--input-shape", "5", "4")
    assert status == 1
    assert "not_implemented" in out


def test_a_function_of_a_loss_and_its_gradient_takes_its_inputs(check):
    inputs = ("--input", "(5, 4)", "--input", "(5, 4)")
    status, out, err = check("student_layers.py:squares", *inputs)
    assert (status, err) == (0, "") and out.startswith("squares: no mistake")
    status, out, err = check("student_layers.py:squares")
    assert status == 1 and "needs its inputs: --input" in err
