"""Mistakes that teachers see, planted into layers as students write them: each gets its name."""

import numpy as np
import pytest

from nnscratch.gradient_check import check_gradients
from tests.checked_objects import X
from tests.mutation_study.textbook import PLANTED, RIGHT, elu, of_y, selu, sigmoid


@pytest.mark.parametrize(
    ("code", "build", "inputs", "array"),
    PLANTED,
    ids=[f"{i}-{code}-{array}" for i, (code, _, _, array) in enumerate(PLANTED)],
)
def test_a_mistake_that_teachers_see_is_named(code, build, inputs, array):
    report = check_gradients(build(), *inputs(np.random.default_rng(0)))
    assert {f.array: f.code for f in report.findings}[array] == code, str(report)


@pytest.mark.parametrize(("build", "inputs"), RIGHT)
def test_right_layers_of_textbooks_pass(build, inputs):
    report = check_gradients(build(), *inputs(np.random.default_rng(0)))
    assert {f.verdict for f in report.findings} == {"pass"}, str(report)


@pytest.mark.parametrize(
    ("function", "slope", "words"),
    [
        (np.tanh, lambda x, y: 1 - y, "1 - y, not 1 - y²"),
        (np.tanh, lambda x, y: 1 + y * y, "1 + y²"),
        (sigmoid, lambda x, y: y * (1 + y), "y (1 + y), not y (1 - y)"),
        (lambda x: np.maximum(x, 0), lambda x, y: y, "y, its value, not 1 where x > 0"),
        (elu, lambda x, y: np.where(x > 0, 1, y), "y where x < 0, not alpha e^x"),
        (selu, lambda x, y: np.where(x > 0, 1.050701, y), "y where x < 0, not scale alpha"),
    ],
)
def test_the_words_say_which_derivative_it_is(function, slope, words):
    wrong = of_y(function, lambda dy, x, y: dy * slope(x, y))
    assert words in str(check_gradients(wrong(), X))
