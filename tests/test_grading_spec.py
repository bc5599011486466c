"""Assignments: homework.toml read and checked, files found."""

import pytest

from nnscratch.grading import spec
from nnscratch.grading.spec import GraderFault, find, read
from tests.grading_assignment import TOML, write_assignment


@pytest.fixture
def assignment(tmp_path):
    return write_assignment(tmp_path)


def test_reads_items_in_order(assignment):
    assert [item.id for item in assignment.items] == [
        "double",
        "linear_forward",
        "linear_gradients",
    ]
    assert assignment.points == 100
    assert assignment.item("linear_gradients").timeout == 3
    assert assignment.modules == {"double": "layers", "Linear": "layers"}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('title = "A layer"', "", "has no title"),
        ("points = 40", "", "linear_gradients has no points"),
        ("points = 40", "points = 0", "expected at least 1"),
        ("points = 40", "points = true", "points cannot be True"),
        ("points = 40", "points = 40.5", "points cannot be 40.5"),
        ("timeout = 3", "timeout = -1", "expected more than 0"),
        ("timeout = 3", "tmeout = 3", "unknown key 'tmeout'"),
        ("timeout = 3", 'given = ["../x.py"]', "which is not there"),
        ('id = "double"', 'id = "Double it"', "an item's id is a function's name"),
        ('id = "double"', 'id = "linear_forward"', "more than one item linear_forward"),
        ("[[items]]", "[[items]", "homework.toml"),
    ],
)
def test_what_cannot_be_meant_is_refused(assignment, old, new, message):
    (assignment.folder / "homework.toml").write_text(TOML.replace(old, new, 1))
    with pytest.raises(ValueError, match=message.replace("[", r"\[")):
        read(assignment.folder)


def test_unknown_item_names_the_known_ones(assignment):
    with pytest.raises(ValueError, match="it has double, linear_forward, linear_gradients"):
        assignment.item("linear")


def test_items_without_function_are_a_fault_of_the_grader(assignment):
    path = assignment.folder / "items.py"
    path.write_text(path.read_text().replace("def double", "def doubled"))
    with pytest.raises(GraderFault, match="has no function double"):
        _ = read(assignment.folder).functions


def test_items_that_do_not_run_are_a_fault_of_the_grader(assignment):
    (assignment.folder / "items.py").write_text("1 / 0")
    with pytest.raises(GraderFault, match="ZeroDivisionError"):
        _ = read(assignment.folder).functions


@pytest.mark.parametrize("file", ["homework.toml", "items.py", "starter/layers.py", "given.py"])
def test_hash_changes_with_every_file_that_grades_depend_on(assignment, file):
    (assignment.folder / "given.py").write_text("x = 1")
    toml = TOML.replace("timeout = 3", 'given = ["given.py"]')
    (assignment.folder / "homework.toml").write_text(toml)
    assignment = read(assignment.folder)
    before = assignment.sha256
    with (assignment.folder / file).open("a") as target:
        target.write("\n# changed\n")
    assert read(assignment.folder).sha256 != before


def test_hash_does_not_change_with_the_others(assignment):
    before = assignment.sha256
    (assignment.folder / "README.md").write_text("other words")
    assert read(assignment.folder).sha256 == before


def test_found_by_the_first_part_of_the_name(assignment, monkeypatch):
    monkeypatch.setattr(spec, "homework_root", lambda: assignment.folder.parent)
    assert find("hw0").name == find("hw0_layer").name == "hw0_layer"
    with pytest.raises(ValueError, match="there is no assignment 'hw9'; there are hw0_layer"):
        find("hw9")
