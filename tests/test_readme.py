"""The README's Python runs as printed, and the docs name what there is."""

import re
import runpy
from pathlib import Path

import pytest
from PIL import Image

from nnscratch.gradient_check import CODES

README = Path(__file__).parents[1] / "README.md"
CAUSES_PAGE = README.parent / "docs" / "gradient_check.md"


def blocks():
    return re.findall(r"```python\n(.*?)```", README.read_text("utf-8"), re.DOTALL)


def test_the_python_of_the_readme_runs(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {}
    for number, block in enumerate(blocks()):
        exec(compile(block, f"README.md, block {number}", "exec"), names)
        printed = capsys.readouterr().out
        if number == 0:
            assert printed == "[[ 1.  2.  3.]\n [10. 20. 30.]]\n"
        if "check_gradients" in block:
            shown = README.read_text("utf-8").split(block)[1]
            assert [line.split() for line in printed.splitlines()] == [
                line.split() for line in shown.splitlines() if line.startswith("    ")
            ][: len(printed.splitlines())]
        if "nn.accuracy" in block:
            assert float(printed) > 0.95
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["first command", "second command"])
def test_each_of_the_two_commands_is_one_line(name):
    found = re.search(rf"<!-- {name} -->\n```bash\n(.*?)```", README.read_text("utf-8"), re.DOTALL)
    assert found
    assert found[1].count("\n") == 1


def test_the_readme_is_a_page():
    assert len(README.read_text("utf-8").splitlines()) <= 120


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"])
def test_a_link_leads_to_a_file_that_is_there(page):
    for target in re.findall(r"\]\(([^)#\s]+)", (README.parent / page).read_text("utf-8")):
        assert "://" in target or (README.parent / target).exists(), target


def test_the_picture_of_speed_shows_the_figures_of_the_page():
    """Where not: python plots/make_gallery.py speed."""
    plots = README.parent / "plots"
    table = runpy.run_path(str(plots / "speed.py"))["fingerprint"]()
    with Image.open(plots / "speed.png") as picture:
        assert picture.text["Description"] == table


def test_every_cause_that_the_checker_names_is_documented():
    documented = re.findall(r"^\| `(\w+)` \|", CAUSES_PAGE.read_text("utf-8"), re.MULTILINE)
    assert documented == list(CODES)
