"""One submission: points only for what was compared and held."""

import pytest

from nnscratch.grading import grade as grade_module
from nnscratch.grading.grade import grade
from nnscratch.grading.sandbox.slot import detect_level
from nnscratch.grading.spec import GraderFault, read
from nnscratch.grading.submission import Submission
from tests.grading_assignment import ITEMS, README, SOLUTION, STARTER, write_assignment

LEVEL = detect_level().level


@pytest.fixture
def assignment(tmp_path):
    return write_assignment(tmp_path)


def graded(assignment, source, seed=0, **options):
    files = {"layers.py": source.encode()}
    return grade(assignment, Submission("ada", files), seed, LEVEL, **options)


def codes(result):
    return [item.code for item in result.items]


def with_items(assignment, items):
    (assignment.folder / "items.py").write_text(items, encoding="utf-8")
    return read(assignment.folder)


def test_solution_and_starter(assignment):
    assert graded(assignment, SOLUTION).score == 100
    result = graded(assignment, STARTER)
    assert (result.score, codes(result)) == (0, ["not_implemented"] * 3)


def test_one_item_alone_gets_the_same_numbers(assignment):
    wrong = SOLUTION.replace("dy.sum(0)", "dy.sum(0) + 1")
    all_items = graded(assignment, wrong, seed=5)
    alone = graded(assignment, wrong, seed=5, items=[assignment.item("linear_gradients")])
    assert alone.items[0].failed == all_items.items[2].failed
    other = graded(assignment, wrong, seed=6)
    assert other.items[2].failed[0].message != alone.items[0].failed[0].message


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("", "missing"),
        ("import numpy\n1 / 0", "exception"),
        ("def f(:", "exception"),
        ("import sys\nsys.exit(0)", "exception"),
        ("import os\nos._exit(0)", "crashed"),
        ("while True: pass", "timeout"),
        ("def double(x):\n    return object()", "type"),
        ("def double(x, y):\n    return 2 * x", "exception"),
    ],
)
def test_what_gives_no_value_gives_no_points(assignment, source, code):
    result = graded(assignment, source, items=[assignment.item("double")])
    assert codes(result) == [code]
    assert result.score == 0


def test_one_item_that_never_ends_costs_only_its_own_points(assignment):
    endless = SOLUTION.replace("    return 2 * x", "    while True:\n        pass")
    limited = README.replace("| 30 | 5 |", "| 30 | 1 |", 1)
    (assignment.folder / "README.md").write_text(limited, encoding="utf-8")
    result = graded(read(assignment.folder), endless)
    assert codes(result) == ["timeout", "", ""]
    assert result.score == 70


def test_who_only_waits_is_tried_twice(assignment):
    """A machine that stood still for a while is nobody's mistake."""
    limited = README.replace("| 30 | 5 |", "| 30 | 0.2 |", 1)
    (assignment.folder / "README.md").write_text(limited, encoding="utf-8")
    sleeper = "import time\n" + SOLUTION.replace("return 2 * x", "time.sleep(60)")
    items = ITEMS.replace("    x = rng", "    started.append(1)\n    x = rng", 1)
    assignment = with_items(assignment, items.replace("import nn", "started = []\nimport nn", 1))
    result = graded(assignment, sleeper, items=[assignment.item("double")])
    assert codes(result) == ["timeout"]
    assert len(assignment.checks["double"][0].run.__globals__["started"]) == 2


def counted_runs(monkeypatch):
    """A list that grows with every part that is run."""
    runs, run = [], grade_module._run
    monkeypatch.setattr(grade_module, "_run", lambda *task: runs.append(task) or run(*task))
    return runs


def test_a_file_that_never_ends_is_not_waited_for_in_every_item(assignment, monkeypatch):
    limited = README.replace("| 5 |", "| 1 |").replace("| 3 |", "| 1 |")
    (assignment.folder / "README.md").write_text(limited, encoding="utf-8")
    runs = counted_runs(monkeypatch)
    result = graded(read(assignment.folder), "while True:\n    pass")
    assert (result.score, codes(result)) == (0, ["timeout"] * 3)
    # Two of four parts; where the machine stands still one is run twice
    assert len({task.item.id for task, _ in runs}) == 2
    assert result.items[2].item.id == "linear_gradients"
    assert result.items[2].failed[0].message.startswith("not done within 1 s, the limit")


@pytest.mark.parametrize(
    "instead", ["    if False:\n        yield (", "    yield compare('y', 1, float('nan')) or ("]
)
def test_an_item_that_compares_nothing_is_a_fault_and_no_grade(assignment, instead):
    silent = with_items(assignment, ITEMS.replace("    yield compare(", instead, 1))
    with pytest.raises(GraderFault, match="compared nothing"):
        graded(silent, SOLUTION, items=[silent.item("double")])


def test_files_that_were_not_handed_in_are_missing(assignment):
    result = grade(assignment, Submission("ada", {"other.py": b""}), 0, LEVEL)
    assert codes(result) == ["missing"] * 3
    assert result.items[0].failed[0].message == "layers.py was not handed in"


def test_comparisons_before_an_error_come_first(assignment):
    source = SOLUTION.replace(
        "        self.x = x\n", "        if len(x) == 7:\n            raise KeyError(1)\n"
    ).replace('+ self.params["b"]', "")
    result = graded(assignment, source, items=[assignment.item("linear_forward")])
    assert [f.code for f in result.items[0].failed] == ["bias_missing", "exception"]


def test_errors_say_where_and_with_what(assignment):
    source = SOLUTION.replace('self.params["W"].T', 'self.params["W"]')
    message = graded(assignment, source).items[1].failed[0].message
    assert "matmul" in message
    assert "in forward" in message
    assert "in Linear.forward(array of shape (4, 5))" in message


def test_what_is_printed_is_kept_and_capped(assignment):
    source = SOLUTION.replace("return 2 * x", 'print("hello" * 10000)\n    return 2 * x')
    item = graded(assignment, source, items=[assignment.item("double")]).items[0]
    assert item.passed
    assert item.output.startswith("hellohello")
    assert len(item.output) <= 2000


def test_a_missing_method_and_a_missing_class_are_told_by_name(assignment):
    source = SOLUTION.replace("def backward", "def backwards")
    failed = graded(assignment, source).items[2].failed[0]
    assert (failed.code, failed.message) == ("missing", "Linear has no backward")
    failed = graded(assignment, SOLUTION.replace("class Linear", "class Lin")).items[1].failed[0]
    assert (failed.code, failed.message) == ("missing", "there is no Linear in layers.py")


@pytest.mark.parametrize(
    "bug", ["    raise ZeroDivisionError", "    student.function('absent', 1)", "    yield 3"]
)
def test_a_bug_of_the_assignment_is_never_a_grade(assignment, bug):
    head = "def double(student, rng):\n"
    broken = with_items(assignment, ITEMS.replace(head, f"{head}{bug}\n"))
    with pytest.raises(GraderFault, match="double"):
        graded(broken, SOLUTION)


def test_a_problem_of_the_submission_is_zero_for_all(assignment):
    result = grade(assignment, Submission("ada", problem="a symbolic link"), 0, LEVEL)
    assert (result.score, codes(result)) == (0, ["unreadable"] * 3)


def test_given_names_take_the_place_of_the_students(assignment):
    starter = STARTER + "\n\ndef helper(x):\n    raise NotImplementedError\n"
    (assignment.folder / "starter" / "layers.py").write_text(starter, encoding="utf-8")
    source = SOLUTION.replace("    return 2 * x", "    return helper(x)")
    source += "\n\ndef helper(x):\n    return 17 * x\n"
    here = ITEMS.replace('@check("double")', '@check("double", given={"helper": lambda x: 2 * x})')
    beside = ITEMS.replace(
        '@check("double")',
        '@check("double", given={"helper": "def helper(x):\\n    return 2 * x"})',
    )
    for items in (here, beside):
        assert codes(graded(with_items(assignment, items), source)) == ["", "", ""]
    assert codes(graded(with_items(assignment, ITEMS), source)) == ["factor", "", ""]


def test_a_given_layer_shows_no_formula(assignment):
    """What the student's code holds are numbers and a way to ask."""
    items = ITEMS.replace('@check("double")', '@check("double", given={"Linear": nn.Linear})')
    source = SOLUTION.replace(
        "    return 2 * x",
        """
    layer = Linear(3, 4, np.random.default_rng(0))
    assert sorted(vars(layer)) == ["_number", "grads", "params"]
    layer.params["W"] = np.eye(4)[:, :3]
    y = layer.forward(x)
    dx = layer.backward(np.ones((4, 4)))
    assert y.shape == (4, 4) and (y[:, :3] == x).all() and layer.grads["b"].tolist() == [4.0] * 4
    made = []
    try:
        while len(made) < 3:  # each of them would do, all together are too large
            made.append(Linear(999, 999))
    except ValueError:
        return 2 * x""",
    )
    result = graded(with_items(assignment, items), source, items=[assignment.item("double")])
    assert codes(result) == [""], result.items[0].failed


def test_a_function_that_is_given_computes_here(assignment):
    items = ITEMS.replace(
        'student.function("double", x), 2 * x',
        'student.function("double", student.callback(f)), 6.0',
    ).replace("    squared = ", "    f = lambda x: 3.0 * len(x)\n    squared = ")
    item = [assignment.item("double")]
    right = SOLUTION.replace("return 2 * x", "return x([1, 2])")
    assert codes(graded(with_items(assignment, items), right, items=item)) == [""]
    for wrong, words in [
        ("x(3)", "in double(a function)"),
        ("x(3)", "has no len"),
        ("x.c", "no attribute 'c'"),
        ("x()", "missing 1"),
    ]:
        failed = (
            graded(with_items(assignment, items), SOLUTION.replace("2 * x", wrong), items=item)
            .items[0]
            .failed
        )
        assert [f.code for f in failed] == ["exception"]
        assert words in failed[0].message


def test_a_function_of_ours_takes_a_range_as_a_list(assignment):
    items = ITEMS.replace(
        'student.function("double", x), 2 * x',
        'student.function("double", student.callback(lambda x: float(sum(x)))), 6.0',
    )
    source = SOLUTION.replace("return 2 * x", "return x(range(4))")
    assert codes(graded(with_items(assignment, items), source))[0] == ""


def test_bytes_of_a_file_are_handed_over_and_not_taken_back(assignment):
    items = ITEMS.replace(
        'student.function("double", x), 2 * x',
        'student.function("double", student.content(bytes([0, 255]))), 255.0',
    )
    source = SOLUTION.replace("return 2 * x", "return float(x[1]) if type(x) is bytes else x")
    assert codes(graded(with_items(assignment, items), source))[0] == ""
    back = graded(with_items(assignment, items), SOLUTION.replace("return 2 * x", "return x"))
    assert "the value returned is of type bytes" in back.items[0].failed[0].message


def test_parts_have_points_of_their_own(assignment):
    wrong = SOLUTION.replace("dy.sum(0)", "dy")
    result = graded(assignment, wrong)
    assert [item.score for item in result.items] == [30, 30, 10]
    assert (result.score, result.max_score) == (70, 100)


def test_a_submission_has_a_minute_beyond_its_items_limits(assignment, monkeypatch):
    monkeypatch.setattr(grade_module, "BEYOND", -12)
    limited = README.replace("| 5 |", "| 1 |")
    (assignment.folder / "README.md").write_text(limited, encoding="utf-8")
    sleeper = SOLUTION.replace(
        "        W = np", "        __import__('time').sleep(30)\n        W = np"
    )
    runs = counted_runs(monkeypatch)
    assert codes(graded(read(assignment.folder), sleeper)) == ["out_of_time"] * 3
    assert runs == []


def test_what_is_printed_is_the_same_every_time(assignment):
    source = SOLUTION.replace("return 2 * x", 'print("a" * 300, "end")\n    return 2 * x')
    item = [assignment.item("double")]
    outputs = {graded(assignment, source, items=item).items[0].output for _ in range(20)}
    assert len(outputs) == 1
    assert outputs.pop().endswith("end\n")
