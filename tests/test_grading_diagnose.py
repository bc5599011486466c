"""Evidence and its judgement: what is named, and what is not."""

import numpy as np
import pytest

import nnscratch as nn
from nnscratch.grading.evidence import (
    Mistake,
    Reference,
    claim,
    compare,
    draw_dy,
    unchanged,
)
from nnscratch.grading.verdicts import judge


def numbers(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def code(*comparisons):
    [finding] = judge(comparisons)
    return finding.code


def linear(gradients, batches=(4, 4, 7)):
    """The codes of a Linear(5, 3) whose gradients are a function of (dy, x, W, memory)."""
    rng, memory = np.random.default_rng(1), {}
    ours = Reference(nn.Linear(5, 3, rng=rng))
    comparisons = []
    for batch in batches:
        x, dy = rng.normal(size=(batch, 5)), draw_dy(rng, (batch, 3))
        right = {"dx": dy @ ours.params["W"], "W": dy.T @ x, "b": dy.sum(0)}
        comparisons += ours.gradients(right | gradients(dy, x, ours.params["W"], memory), x, dy=dy)
    return {f.array: f.code for f in judge(comparisons) if f.verdict == "fail"}


def stale(dy, x, W, memory):
    return {"W": dy.T @ memory.setdefault(len(x), x)}


def accumulated(dy, x, W, memory):
    memory["W"] = memory.get("W", 0) + dy.T @ x
    return {"W": memory["W"].copy()}


@pytest.mark.parametrize(
    ("gradients", "expected"),
    [
        (lambda dy, x, W, memory: {}, {}),
        (lambda dy, x, W, memory: {"W": x.T @ dy}, {"dW": "transposed"}),
        (lambda dy, x, W, memory: {"b": dy}, {"db": "sum_over_batch"}),
        (lambda dy, x, W, memory: {"b": dy.sum(0, keepdims=True)}, {"db": "keepdims"}),
        (lambda dy, x, W, memory: {"b": dy.mean(0)}, {"db": "factor_1_n"}),
        (lambda dy, x, W, memory: {"W": -(dy.T @ x)}, {"dW": "sign"}),
        (lambda dy, x, W, memory: {"W": 2 * (dy.T @ x)}, {"dW": "factor_2"}),
        (lambda dy, x, W, memory: {"W": np.outer(dy[0], x[0])}, {"dW": "one_sample"}),
        (lambda dy, x, W, memory: {"b": None}, {"db": "none"}),
        (lambda dy, x, W, memory: {"b": [1.0, 2.0, 3.0]}, {"db": "type"}),
        (lambda dy, x, W, memory: {"b": dy.sum(0).astype("f4")}, {"db": "dtype"}),
        (lambda dy, x, W, memory: {"W": W * np.nan}, {"dW": "non_finite"}),
        (lambda dy, x, W, memory: {"W": dy.T @ x + 0.1}, {"dW": "values_differ"}),
        (lambda dy, x, W, memory: {"dx": dy}, {"dx": "missing_derivative"}),
        (stale, {"dW": "stale_cache"}),
        (accumulated, {"dW": "accumulated"}),
    ],
)
def test_gradients_of_linear(gradients, expected):
    assert linear(gradients) == expected


def test_a_cause_must_fit_every_draw():
    """A factor of 3 on one draw and of 5 on the next has no name."""
    x = numbers(4, 3)
    assert code(compare("y", 3 * x, x)) == "factor"
    assert code(compare("y", 3 * x, x), compare("y", 5 * x, x)) == "values_differ"
    assert code(compare("y", 3 * x, x), compare("y", x, x)) == "values_differ"


def test_two_causes_that_fit_are_no_cause():
    x = numbers(4, 3)
    both = {"first_cause": Mistake(x + 1, "one"), "second_cause": Mistake(x + 1, "two")}
    [finding] = judge([compare("y", x + 1, x, both)])
    assert finding.code == "values_differ"
    assert "several would: first_cause, second_cause" in finding.message


def test_an_items_own_words_come_before_the_general_ones():
    x = numbers(4, 3)
    [finding] = judge([compare("y", -x, x, {"upside_down": Mistake(-x, "it is upside down")})])
    assert (finding.code, finding.message.splitlines()[-1]) == ("upside_down", "it is upside down")


def test_one_of_several_ways_of_a_mistake_is_enough():
    x = numbers(4, 3)
    ways = Mistake([x + 1, x + 2], "something is added")
    draws = [compare("y", x + n, x, {"added": ways}) for n in (1, 2)]
    assert code(*draws) == "added"


def test_a_new_code_needs_words():
    with pytest.raises(ValueError, match="'new_code' is new; give a Mistake with its cause"):
        compare("y", 1.0, 2.0, {"new_code": 3.0})


def test_names_are_judged_apart_and_in_order():
    x = numbers(4, 3)
    found = judge([compare("y", x, x), compare("z", -x, x), compare("y", 2 * x, x)])
    assert [(f.array, f.code) for f in found] == [("y", "values_differ"), ("z", "sign")]


def test_kinks_are_left_out():
    x = numbers(4, 3)
    kink, other = x.copy(), x.copy()
    kink[1, 2], other[1, 2] = np.nan, 99
    assert judge([compare("dx", other, kink)])[0].verdict == "pass"
    assert judge([compare("dx", x, np.full_like(x, np.nan))])[0].verdict == "undecidable"
    other[0, 0] += 1
    assert judge([compare("dx", other, kink)])[0].verdict == "fail"


def test_tolerance_is_the_items_unless_a_comparison_has_its_own():
    x = numbers(4, 3)
    near = x + 1e-4 * np.abs(x).max()
    assert judge([compare("y", near, x)], 1e-3)[0].verdict == "pass"
    assert judge([compare("y", near, x)], 1e-6)[0].verdict == "fail"
    assert judge([compare("y", near, x, tolerance=1e-3)], 1e-6)[0].verdict == "pass"


def test_message_shows_got_and_expected_of_small_arrays():
    [finding] = judge([compare("y", np.array([[1.0, 2.0], [3.0, 5.5]]), np.eye(2) + 0.5)])
    assert "y[1, 1] is 5.5, expected 1.5" in finding.message
    assert "got       [[1.  2. ]" in finding.message
    assert "expected  [[1.5 0.5]" in finding.message


def test_loss_without_its_target():
    rng, comparisons = np.random.default_rng(0), []
    ours = Reference(nn.SoftmaxCrossEntropy())
    for batch in (4, 7):
        logits, labels = rng.normal(size=(batch, 5)), rng.integers(0, 5, batch)
        p = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
        value = -np.mean(np.log(p[np.arange(batch), labels]))
        comparisons.append(ours.value(value, logits, labels, name="loss"))
        comparisons += ours.gradients({"dx": p / batch}, logits, labels)
    assert [f.code for f in judge(comparisons)] == ["", "target_missing"]


def test_diagonal_softmax():
    rng, comparisons = np.random.default_rng(0), []
    ours = Reference(nn.Softmax())
    for batch in (4, 7):
        x, dy = rng.normal(size=(batch, 5)), draw_dy(rng, (batch, 5))
        y = ours.forward(x)
        comparisons += ours.gradients({"dx": dy * y * (1 - y)}, x, dy=dy)
    assert code(*comparisons) == "diagonal_jacobian"


def test_a_layer_needs_a_dy():
    with pytest.raises(ValueError, match="dy is 1 for losses only"):
        list(Reference(nn.Tanh()).gradients({"dx": 0.0}, numbers(4, 3)))


def test_claims_and_unchanged():
    assert code(claim("order", True, "wrong_order", "b before a")) == ""
    assert code(claim("order", False, "wrong_order", "b before a")) == "wrong_order"
    x = numbers(4, 3)
    assert code(unchanged("W", x.copy(), x)) == ""
    assert code(unchanged("W", x + 1, x)) == "mutated_params"
    assert code(unchanged("W", None, x)) == "mutated_params"


@pytest.mark.parametrize(
    "got", [None, "x", (), {}, [1], np.zeros(0), np.zeros((2, 0, 3)), np.ones((4, 3), bool), True]
)
def test_any_reply_can_be_judged(got):
    assert code(compare("y", got, numbers(4, 3))) != ""
