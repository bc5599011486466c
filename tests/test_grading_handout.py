"""The handout as a page and as a notebook: formulas, no requests, the starter's code again."""

import ast
import base64
import io
import json
import re
import sys
from pathlib import Path

import pytest

from nnscratch.grading import spec
from nnscratch.grading.handout import formula, page
from nnscratch.grading.notebook import notebook_of
from nnscratch.grading.start import assignment_of, start
from nnscratch.grading.submission import of_notebook, read_submission
from tests.grading_assignment import README, STARTER, write_assignment

pytest.importorskip("ziamath")
HOMEWORK = Path(__file__).parent.parent / "homework"
ASSIGNMENTS = sorted(path.parent for path in HOMEWORK.glob("*/items.py"))
each = pytest.mark.parametrize("folder", ASSIGNMENTS, ids=lambda folder: folder.name)


def handout(folder):
    return (folder / "README.md").read_text(encoding="utf-8")


@each
def test_every_formula_is_drawn_and_understood(folder):
    text = handout(folder)
    made = page(text, folder.name)
    drawn = re.findall(r"<math.*?</math>", made, re.S)
    outside = re.sub(r"```.*?```", "", text, flags=re.S)
    asked = text.count("```math") + len(re.findall(r"\$[^$\n]+\$", outside))
    assert len(drawn) == asked
    assert [f for f in drawn if re.search(r">[^<]*[\\&](?!#?\w+;)[^<]*<", f)] == []
    around = re.sub(r"<(math|pre|code).*?</\1>", "", made, flags=re.S)
    assert "$" not in around and "```" not in around


@each
def test_the_page_asks_nothing_of_a_network_and_runs_nothing(folder):
    made = page(handout(folder), folder.name)
    linked = re.findall(r"(?:src|href|url)\s*[=(]\s*[\"']?([^\"')\s>]+)", made)
    assert [link for link in linked if not link.startswith(("data:", "#", "http"))] == []
    assert not re.search(r"<(script|link|img|iframe)|@import|src=", made)
    assert "default-src 'none'" in made


def test_what_is_no_formula_is_escaped():
    made = page("# <b> & `<i>`\n\n<script>alert(1)</script>\n\n```\nx < $y$\n```\n", "<t>")
    assert "<title>&lt;t&gt;</title>" in made
    assert "<script>" not in made and "<i>" not in made
    assert "x &lt; $y$" in made


def test_a_block_of_its_own_scrolls_and_a_line_does_not_break_before_a_comma():
    made = page("All $x$, or\n\n```math\n\\begin{aligned} a &= b \\end{aligned}\n```\n", "t")
    assert re.search(r'class="whole"><span[^>]*><math [^>]*>[^$]*?</math></span>,</span> or', made)
    assert re.search(r'<div class="wide"><math [^>]*display="block".*?<mtable', made)
    assert formula("x").startswith("<math")


def test_a_page_brings_the_glyphs_of_its_formulas_along():
    [small] = re.findall(r"base64,(\w[\w+/=]*)", page("$x$", "t"))
    [larger] = re.findall(
        r"base64,(\w[\w+/=]*)", page(r"$\sum_\alpha \sqrt{\frac{\beta}{\gamma}}$", "t")
    )
    assert 20_000 < len(small) < len(larger) < 150_000


def test_the_sign_of_a_root_is_among_the_glyphs():
    """It is in no formula's text, and browsers draw nothing where the font lacks it."""
    from fontTools.ttLib import TTFont

    [code] = re.findall(r"base64,(\w[\w+/=]*)", page(r"$\sqrt{d}$", "t"))
    assert 0x221A in TTFont(io.BytesIO(base64.b64decode(code))).getBestCmap()


# Notebooks --------------------------------------------------------------------------------------


@each
def test_a_notebook_is_the_starter_again(folder):
    nbformat = pytest.importorskip("nbformat")
    for path in folder.glob("starter/*.py"):
        source = path.read_text(encoding="utf-8")
        made = notebook_of(handout(folder), source)
        nbformat.validate(nbformat.reads(made.decode(), 4))
        assert ast.dump(ast.parse(of_notebook(made, "a.ipynb"))) == ast.dump(ast.parse(source))


@each
def test_a_notebook_has_the_whole_handout_in_order(folder):
    source = next(folder.glob("starter/*.py")).read_text(encoding="utf-8")
    cells = json.loads(notebook_of(handout(folder), source))["cells"]
    kinds = [cell["cell_type"] for cell in cells]
    told = "\n\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")
    assert "```math" not in told
    back = re.sub(r"^\$\$\n(.*?)^\$\$$", r"```math\n\1```", told, flags=re.M | re.S)
    assert back.split() == handout(folder).split()
    task = next(i for i, cell in enumerate(cells) if "| item |" in "".join(cell["source"]))
    count = kinds.count("code")
    assert kinds[task + 1 : task + 1 + count] == ["code"] * count


def test_start_writes_a_notebook_which_a_check_takes(tmp_path, monkeypatch):
    assignment = write_assignment(tmp_path / "homework")
    (tmp_path / "homework" / "README.md").write_text("## For students\nhand in\n")
    monkeypatch.setattr(spec, "homework_roots", lambda: [assignment.folder.parent])
    monkeypatch.setattr("nnscratch.grading.start.homework_roots", spec.homework_roots)
    folder = tmp_path / "elsewhere"
    written, missing = start(assignment, folder, notebook=True)
    assert written == ["layers.ipynb", "README.md", "README.html", "HANDING_IN.md"]
    assert missing == ""
    taken = read_submission(folder, assignment.starter)
    assert ast.dump(ast.parse(taken.files["layers.py"])) == ast.dump(ast.parse(STARTER))
    assert assignment_of(folder).name == assignment.name  # by what the notebook defines
    assert assignment_of(folder / "layers.ipynb").name == assignment.name
    (folder / "layers.ipynb").write_text("no notebook")
    with pytest.raises(ValueError, match="which assignment"):
        assignment_of(folder)


def test_without_the_extra_the_rest_is_written_and_one_line_says_how(tmp_path, monkeypatch):
    assignment = write_assignment(tmp_path / "homework")
    monkeypatch.setitem(sys.modules, "markdown_it", None)
    written, missing = start(assignment, tmp_path / "work")
    assert written == ["layers.py", "README.md", "HANDING_IN.md"]
    assert (tmp_path / "work" / "README.md").read_text(encoding="utf-8") == README
    assert missing.count("\n") == 0 and "pip install 'nnscratch[handout]'" in missing
