"""The pages' Python runs and prints what stands below it; every code has its mistake."""

import ast
import importlib
import re
import sys
from pathlib import Path

import pytest

from docs.planted.mistakes import INPUTS, MISTAKES, ROWS
from nnscratch.gradient_check import CODES, check_gradients

DOCS = Path(__file__).parents[1] / "docs"
# Pieces of other libraries' programs, and of programs for mpiexec
FRAGMENTS = {"interop", "scale"}
PAGES = [path.stem for path in sorted(DOCS.glob("*.md")) if path.stem not in FRAGMENTS]


@pytest.fixture(scope="module")
def site():
    """The programs that make and check the site, which lie beside its pages."""
    folders = [str(DOCS), str(DOCS / "extensions")]
    sys.path[:0] = folders
    yield importlib.import_module
    for folder in folders:
        sys.path.remove(folder)


@pytest.mark.parametrize("page", PAGES)
def test_the_python_of_a_page_runs_and_prints_what_stands_below(
    page, capsys, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    text = (DOCS / f"{page}.md").read_text("utf-8")
    names = {}
    for number, found in enumerate(
        re.finditer(r"```python\n(.*?)```\n(?:\n```text\n(.*?)```)?", text, re.DOTALL)
    ):
        exec(compile(found[1], f"{page}.md, block {number}", "exec"), names)
        printed = capsys.readouterr().out
        if found[2] is not None:
            assert printed.split() == found[2].split()


def test_every_code_of_the_checker_has_its_mistake_in_their_order():
    assert list(MISTAKES) == list(CODES)


@pytest.mark.filterwarnings("ignore:.*:RuntimeWarning")  # of what overflows, which is shown
@pytest.mark.parametrize("code", MISTAKES)
def test_a_planted_mistake_gets_its_code(code):
    found = {finding.code for finding in MISTAKES[code].report().findings}
    assert code in found


@pytest.mark.parametrize("layer", sorted({planted.layer for planted in MISTAKES.values()}))
def test_a_layer_in_which_mistakes_are_planted_is_right(layer):
    right = getattr(importlib.import_module("docs.planted.layers"), layer)()
    report = check_gradients(right, *INPUTS.get(layer, ROWS))
    verdicts = {finding.verdict for finding in report.findings}
    # of Adam's first step only the signs of the gradient are left
    assert verdicts <= ({"pass", "undecidable"} if layer == "TrainsByAdam" else {"pass"}), report


def test_the_checker_of_the_site_finds_what_is_broken(site, tmp_path):
    (tmp_path / "a.html").write_text(
        '<p id="here"><a href="b.html#there">x</a> <a href="b.html#no">x</a> <a href="c.html">x</a>'
        '<a href="#here">x</a> <a href="https://example.org">x</a>'
        '<script src="https://example.org/x.js"></script><img src="no.png">'
    )
    (tmp_path / "b.html").write_text('<p id="there">')
    assert site("check_site").faults(tmp_path) == [
        "a.html: b.html#no has no such place",
        "a.html: c.html leads nowhere",
        "a.html: https://example.org/x.js is loaded from elsewhere",
        "a.html: no.png is loaded and not there",
    ]


def docstrings():
    """Those of modules, classes and functions, with the place of each."""
    package = DOCS.parent / "nnscratch"
    for path in sorted(package.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)):
                name = getattr(node, "name", "")
                yield f"{path.relative_to(package)}: {name}", ast.get_docstring(node) or ""


def test_a_section_of_a_docstring_has_an_empty_line_above_it():
    """Else the site takes it for text, and the line below for a mistake."""
    for place, text in docstrings():
        assert not re.search(r"\S\n[^\n]+\n-{4,}\n", f"\n{text}"), place


def test_every_page_is_in_the_list_of_contents():
    listed = (DOCS / "index.md").read_text("utf-8").split("{toctree}")[1:]
    names = {line for part in listed for line in part.split("```")[0].splitlines()}
    assert {*PAGES, *FRAGMENTS} - {"index"} <= names
