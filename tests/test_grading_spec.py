"""Assignments: homework.toml read and checked, files found."""

import pytest

from nnscratch.grading import spec
from nnscratch.grading.spec import GraderFault, assignments, find, read
from tests.grading_assignment import README, write_assignment


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
    item = assignment.item("linear_gradients")
    assert (item.seconds, item.parts, item.points) == (3, (10, 30), 40)
    assert assignment.title == "A layer"
    assert assignment.modules == {"double": "layers", "Linear": "layers"}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("# A layer", "A layer", "has no title"),
        ("| 10 + 30 |", "|", "expected a row such as"),
        ("10 + 30", "0", "must be more than 0"),
        ("10 + 30", "10 +", "must be more than 0"),
        ("10 + 30", "40.5", "expected a row such as"),
        ("| 3 |", "| 0 |", "must be more than 0"),
        ("| 3 |", "| soon |", "expected a row such as"),
        ("| seconds |", "| limit |", "has 0 tables of items"),
        ("`double`", "`Double`", "expected a row such as"),
        ("`double`", "`linear_forward`", "more than one item linear_forward"),
    ],
)
def test_what_cannot_be_meant_is_refused(assignment, old, new, message):
    (assignment.folder / "README.md").write_text(README.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        read(assignment.folder)


def test_unknown_item_names_the_known_ones(assignment):
    with pytest.raises(ValueError, match="it has double, linear_forward, linear_gradients"):
        assignment.item("linear")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("def double", "def doubled", "has no check double"),
        ("linear_forward = linear.value()", "linear_forward = 3", "has no check linear_forward"),
        (", linear.grads", "\nmore = linear.grads", "has 1 checks, README.md 2 points"),
        ("import nnscratch", "1 / 0\nimport nnscratch", "ZeroDivisionError"),
    ],
)
def test_items_that_do_not_fit_are_a_fault_of_the_grader(assignment, old, new, message):
    path = assignment.folder / "items.py"
    path.write_text(path.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
    with pytest.raises(GraderFault, match=message):
        _ = read(assignment.folder).checks


@pytest.mark.parametrize("file", ["README.md", "items.py", "starter/layers.py", "data/x.npy"])
def test_hash_changes_with_every_file_that_grades_depend_on(assignment, file):
    before = assignment.sha256
    path = assignment.folder / file
    path.parent.mkdir(exist_ok=True)
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    path.write_text(text.replace("| 3 |", "| 4 |") + "\n# changed\n", encoding="utf-8")
    assert read(assignment.folder).sha256 != before


def test_hash_does_not_change_with_the_others(assignment):
    before = assignment.sha256
    readme = f"{README}\nother words\n"
    (assignment.folder / "README.md").write_text(readme, encoding="utf-8")
    (assignment.folder / "mistakes.toml").write_text("", encoding="utf-8")
    assert read(assignment.folder).sha256 == before


def test_found_by_the_first_part_of_the_name(assignment, monkeypatch):
    monkeypatch.setattr(spec, "homework_roots", lambda: [assignment.folder.parent])
    assert find("hw0").name == find("hw0_layer").name == "hw0_layer"
    with pytest.raises(ValueError, match="there is no assignment 'hw9'; there are hw0_layer"):
        find("hw9")


def test_assignments_of_one_s_own_come_beside_the_installed_ones(assignment, monkeypatch):
    monkeypatch.setenv("NNSCRATCH_HOMEWORK", str(assignment.folder.parent))
    names = [found.name for found in assignments()]
    assert names[0] == "hw0_layer"
    assert "hw3_mlp" in names
    assert find("hw0").folder == assignment.folder
    monkeypatch.setenv("NNSCRATCH_HOMEWORK", str(assignment.folder))  # the assignment itself
    assert find("hw0").folder == assignment.folder
    monkeypatch.setenv("NNSCRATCH_HOMEWORK", "nowhere")
    with pytest.raises(FileNotFoundError, match="no folder of assignments nowhere"):
        assignments()
