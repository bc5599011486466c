"""The assignments: what `nnscratch homework prove` does not look at, and what is right of it."""

import ast
import re
import sys
from pathlib import Path

import numpy as np
import pytest

import nnscratch as nn
from nnscratch.grading.grade import grade
from nnscratch.grading.planted import planted, read_mistakes
from nnscratch.grading.prove import static_failures
from nnscratch.grading.sandbox.slot import detect_level
from nnscratch.grading.spec import read
from nnscratch.grading.starter import without_marks
from nnscratch.grading.submission import Submission
from nnscratch.grading.variants import merged

HOMEWORK = Path(__file__).parent.parent / "homework"
ASSIGNMENTS = sorted(path.parent for path in HOMEWORK.glob("*/items.py"))
LEVEL = detect_level().level
each = pytest.mark.parametrize("folder", ASSIGNMENTS, ids=lambda folder: folder.name)


def module(path):
    """The names that a file defines."""
    names = {"__name__": path.stem}
    exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), names)
    return names


def solution_of(folder):
    """The solution's files as a student would hand them in."""
    return {
        path.name: without_marks(path.read_text(encoding="utf-8")).encode()
        for path in folder.glob("solution/*.py")
    }


def functions(path):
    """(name, node) of every function and method; methods as Class.name."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in tree.body:
        inside = node.body if isinstance(node, ast.ClassDef) else [node]
        prefix = f"{node.name}." if isinstance(node, ast.ClassDef) else ""
        for function in inside:
            if isinstance(function, ast.FunctionDef):
                yield prefix + function.name, function


def is_stub(function):
    last = function.body[-1]
    return isinstance(last, ast.Raise) and ast.unparse(last) == "raise NotImplementedError"


def test_there_are_assignments():
    names = {"hw1_operators", "hw2_graph", "hw3_mlp", "hw4_scanning", "hw5_correlation"}
    assert names <= {folder.name for folder in ASSIGNMENTS}


@each
def test_files_agree(folder):
    assert static_failures(read(folder)) == []


@each
def test_every_item_has_mistakes_that_lose_it(folder):
    mistakes, _ = read_mistakes(folder / "mistakes.toml")
    apart = {
        name
        for name, checks in read(folder).checks.items()
        if not any(check.together for check in checks)
    }
    assert set(mistakes) == apart
    assert sum(len(codes) for codes in mistakes.values()) >= 30


@each
def test_every_planted_mistake_can_be_planted_and_parsed(folder):
    assignment, failures = read(folder), []
    mistakes, _ = read_mistakes(folder / "mistakes.toml")
    targets = {name: [c.target for c in checks] for name, checks in assignment.checks.items()}
    found = list(planted(mistakes, solution_of(folder), targets, failures))
    assert failures == []
    for mistake in found:
        for source in mistake.files.values():
            ast.parse(source)


@each
def test_right_variants_are_described_and_short(folder):
    for path in folder.glob("right/*.py"):
        assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))), path
        assert len(path.read_text(encoding="utf-8").splitlines()) < 40, path


@each
def test_starter_has_the_solution_s_signatures(folder):
    for path in folder.glob("starter/*.py"):
        started = dict(functions(path))
        solved = dict(functions(folder / "solution" / path.name))
        assert list(started) == list(solved)
        for name, function in started.items():
            assert ast.unparse(function.args) == ast.unparse(solved[name].args), name


@each
def test_every_stub_is_explained_and_the_rest_is_the_solution_s(folder):
    for path in folder.glob("starter/*.py"):
        solved = dict(functions(folder / "solution" / path.name))
        started = dict(functions(path))
        assert any(is_stub(function) for function in started.values())
        for name, function in started.items():
            if is_stub(function):
                assert len(function.body) == 2 and ast.get_docstring(function), name
            else:
                given = [ast.unparse(line) for line in function.body]
                assert given == [ast.unparse(line) for line in solved[name].body], name


@each
def test_solutions_need_numpy_and_python_s_own_modules_alone(folder):
    for path in folder.glob("solution/*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        imports = [n for n in ast.walk(tree) if isinstance(n, (ast.Import, ast.ImportFrom))]
        assert "import numpy as np" in [ast.unparse(node) for node in imports]
        others = {alias.name for node in imports for alias in node.names} - {"numpy"}
        assert others <= set(sys.stdlib_module_names)


@each
def test_readme_speaks_of_codes_that_are_given(folder):
    """The last column of "what mistakes look like" holds diagnoses of planted mistakes."""
    mistakes, _ = read_mistakes(folder / "mistakes.toml")
    given = {code for codes in mistakes.values() for code in codes}
    readme = (folder / "README.md").read_text(encoding="utf-8")
    table = readme.split("| the checker says |", 1)[1].split("\n\n", 1)[0]
    rows = [row.split("|") for row in table.splitlines()[2:]]
    told = {code for row in rows for code in re.findall(r"`(\w+)`", row[-2])}
    assert len(told) > 5
    assert told <= given


@each
def test_readme_code_runs_on_the_solution(folder, monkeypatch, tmp_path, capsys):
    monkeypatch.syspath_prepend(str(folder / "solution"))
    monkeypatch.chdir(tmp_path)
    readme = (folder / "README.md").read_text(encoding="utf-8")
    [code] = re.findall(r"```python\n(.*?)```", readme, re.S)
    known = set(sys.modules)
    try:
        exec(compile(code, "README.md", "exec"), {"__name__": "readme"})
    finally:
        for path in folder.glob("solution/*.py"):
            if path.stem not in known:
                sys.modules.pop(path.stem, None)
    printed = capsys.readouterr().out
    if folder.name == "hw1_operators":
        assert printed == "Div: True\nCos: True\nCos as printed: False\n"
    if folder.name == "hw3_mlp":
        share = float(re.findall(r"([\d.]+)% of the test images right", printed)[-1])
        assert share > 92
    if folder.name == "hw2_graph":
        assert "c = 1.5340, df/dc = -0.5956" in printed
        assert float(printed.split()[-1]) < 0.1
    if folder.name == "hw4_scanning":
        assert re.search(r"equal +True", printed)
    if folder.name == "hw5_correlation":
        assert printed.startswith("adjoint: True\n") and "###" in printed
    if folder.name == "hw8_recurrent":
        heard = dict(re.findall(r"(\w+, 30) steps: dx of the first is (\S+)", printed))
        assert float(heard["RNN, 30"]) < 1e-3 < float(heard["LSTM, 30"])
        assert min(map(int, re.findall(r"(\d+)% right", printed))) > 90
    if folder.name == "hw7_train":
        share = float(re.findall(r"([\d.]+)% of the test images right", printed)[-1])
        assert share > 92 and Path("losses.png").stat().st_size > 5000
    if folder.name == "hw6_batchnorm":
        normalized, plain = map(float, re.findall(r"([\d.]+)% of the test images right", printed))
        assert normalized > 92 > plain


@each
def test_inline_formulas_survive_markdown(folder):
    """Between single $ a backslash before punctuation is lost, and < or | may mean other things."""
    readme = (folder / "README.md").read_text(encoding="utf-8")
    assert readme.count("```") % 2 == 0
    text = re.sub(r"```.*?```", "", readme, flags=re.S)
    formulas = re.findall(r"\$[^$\n]+\$", text)
    assert len(formulas) > 30
    assert [f for f in formulas if re.search(r"\\[,;:!{}|]|[*|]|<\S", f)] == []


# What is given ----------------------------------------------------------------------------------


def test_given_operators_are_right_where_the_grader_says_so():
    """By the library's own checker: the item's verdicts are not this folder's invention."""
    items = module(HOMEWORK / "hw1_operators" / "items.py")
    u, v, x = np.random.default_rng(0).normal(size=(3, 4, 3))
    for name, (operator, _) in items["OPERATORS"].items():
        inputs = (u, v) if operator.count == 2 else (x,)
        found = nn.check_gradients(operator, *inputs)
        assert found.ok == (name in items["RIGHT"]) or name == "small and wrong", name


def test_both_gradients_of_the_scanned_network_agree():
    """By the graph, and from the steps that a submission hands in."""
    items = module(HOMEWORK / "hw4_scanning" / "items.py")
    rng = np.random.default_rng(0)
    params, x = items["draw_params"](rng, (5, 7, 4, 3)), rng.normal(size=5)
    z, dout = items["mlp_forward"](x, params), rng.normal(size=3)
    whole = items["mlp_backward"](x, params, z, dout)
    stepwise = items["from_steps"](x, params, z, dout)
    assert set(whole) == set(stepwise)
    for name, gradient in whole.items():
        np.testing.assert_allclose(stepwise[name], gradient, rtol=1e-12, err_msg=name)


# What is right ----------------------------------------------------------------------------------


@each
def test_solution_gets_everything(folder):
    result = grade(read(folder), Submission("itself", solution_of(folder)), 20, LEVEL)
    assert {item.item.id: item.code for item in result.items if not item.passed} == {}


@each
def test_there_are_equally_right_variants(folder):
    """`nnscratch homework prove` grades them."""
    assert len(list(folder.glob("right/*.py"))) >= 10


@pytest.mark.slow
@each
def test_equally_right_variants_get_everything_on_a_seed_that_proofs_have_not(folder):
    assignment, solution = read(folder), solution_of(folder)
    for path in folder.glob("right/*.py"):
        files = merged(solution, path.read_bytes(), path.name)
        result = grade(assignment, Submission(path.stem, files), 20, LEVEL)
        failed = {item.item.id: item.code for item in result.items if not item.passed}
        assert failed == {}, path.stem
