"""What a check can reach: what it cannot is judged once, and what it can every time."""

import pytest

from nnscratch.grading.reach import Judge, Reach
from nnscratch.grading.sandbox.slot import detect_level
from nnscratch.grading.submission import Submission
from tests.grading_assignment import SOLUTION, write_assignment

SOURCE = """
import numpy as np
LIMIT = 3

def helper(x):
    return x

class A:
    def f(self, x):
        return helper(x)

class B(A):
    def g(self, x, most=LIMIT):
        return A()

def alone(x):
    return np.sin(x)
"""
NAMES = {"A", "B", "alone"}


def reach(source):
    return Reach({"layers.py": source.encode()})


@pytest.mark.parametrize(
    ("old", "new", "changed"),
    [
        ("return np.sin(x)", "return np.cos(x)", {"alone"}),
        ("return A()", "return None", {"B"}),
        ("return x\n", "return -x\n", NAMES),  # of A, which is a base and so runs on import
        ("LIMIT = 3", "LIMIT = 4", NAMES),
        ("most=LIMIT", "most=5", NAMES),
        ("alone(x):", "alone(x: int):", NAMES),
        ("LIMIT = 3", "LIMIT = 3; print()", NAMES),
        ("LIMIT = 3", "LIMIT = 3  # words", set()),
        ("LIMIT = 3", "LIMIT = 3\n\ndef new():\n    pass", set()),
        ("LIMIT = 3", "LIMIT = 3\n\ndef helper(x):\n    pass", NAMES),
    ],
)
def test_a_change_is_seen_from_where_it_can_be_reached(old, new, changed):
    assert SOURCE.count(old) == 1
    one, two = reach(SOURCE), reach(SOURCE.replace(old, new))
    assert {n for n in NAMES if one.of(frozenset([n])) != two.of(frozenset([n]))} == changed


@pytest.mark.parametrize(
    "way", ["eval('B')", "globals()", "A.__subclasses__()", "__import__('gc')", "A.__dict__"]
)
def test_code_that_looks_around_reaches_everything(way):
    source = SOURCE.replace("return np.sin(x)", f"return {way}")
    one, two = reach(source), reach(source.replace("return A()", "return None"))
    assert one.of(frozenset(["alone"])) != two.of(frozenset(["alone"]))


@pytest.mark.parametrize("line", ["from math import *", "import cmath as alone", "alone = 1"])
def test_where_the_order_decides_everything_is_reached(line):
    first, last = f"{line}\n{SOURCE}", f"{SOURCE}\n{line}\n"
    assert reach(first).of(frozenset(["alone"])) != reach(last).of(frozenset(["alone"]))
    changed = first.replace("return A()", "return None")
    assert reach(first).of(frozenset(["alone"])) != reach(changed).of(frozenset(["alone"]))


@pytest.mark.parametrize("line", ["import layers", "from layers import A"])
def test_files_that_import_each_other_are_one(line):
    files = {"layers.py": SOURCE.encode(), "net.py": f"{line}\ndef net(): pass".encode()}
    changed = files | {"layers.py": SOURCE.replace("return A()", "return None").encode()}
    name = frozenset(["net"])
    assert Reach(files).of(name) != Reach(changed).of(name)


def test_what_is_given_in_its_place_is_not_reached():
    one, two = reach(SOURCE), reach(SOURCE.replace("return np.sin(x)", "return 0"))
    asked = frozenset(["alone", "B"])
    assert one.of(asked) != two.of(asked)
    assert one.of(asked, frozenset(["alone"])) == two.of(asked, frozenset(["alone"]))


@pytest.mark.parametrize("source", ["def f(:", "x = '\xff"])
def test_what_is_no_python_is_compared_whole(source):
    files = {"f.py": source.encode("latin-1")}
    assert Reach(files).of(frozenset()) == Reach(dict(files)).of(frozenset())
    assert Reach(files).of(frozenset()) != Reach({"f.py": b"def f(: "}).of(frozenset())


def test_an_item_runs_again_for_what_it_reaches_and_for_other_numbers(tmp_path):
    assignment = write_assignment(tmp_path)
    judge = Judge(assignment, detect_level().level)

    def runs(old, new, seed, item="double"):
        assert old in SOLUTION
        files = {"layers.py": SOLUTION.replace(old, new).encode()}
        before = judge.runs
        result = judge.item(Submission("x", files), Reach(files), seed, assignment.item(item))
        return judge.runs - before, result.passed

    assert runs("2 * x", "2 * x", 0) == (1, True)
    assert runs("dy.sum(0)", "dy.sum(1)", 0) == (0, True)  # in Linear
    assert runs("2 * x", "2 * x", 1) == (1, True)
    assert runs("2 * x", "3 * x", 0) == (1, False)
    assert runs("2 * x", "3 * x", 0) == (1, False)  # what failed is not kept
    assert runs("dy.sum(0)", "dy.sum(1)", 0, "linear_gradients") == (1, False)
