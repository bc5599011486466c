"""A class: in parallel, resumable, idempotent; what is written, and for whom."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nnscratch.grading.classroom import choose_seed, grade_class
from nnscratch.grading.sandbox.slot import detect_level
from nnscratch.grading.spec import read
from tests.grading_assignment import ITEMS, SOLUTION, STARTER, write_assignment

LEVEL = detect_level().level
HALF = SOLUTION.replace("2 * x", "x * x")

# https://gradescope-autograders.readthedocs.io/en/latest/specs/, "Output format"
TOP = {
    "score": (int, float),
    "execution_time": (int, float),
    "output": str,
    "output_format": str,
    "test_output_format": str,
    "test_name_format": str,
    "visibility": str,
    "stdout_visibility": str,
    "extra_data": dict,
    "tests": list,
    "leaderboard": list,
}
TEST = {
    "score": (int, float),
    "max_score": (int, float),
    "status": str,
    "name": str,
    "name_format": str,
    "number": str,
    "output": str,
    "output_format": str,
    "tags": list,
    "visibility": str,
    "extra_data": dict,
}
FORMATS = {"text", "html", "simple_format", "md", "ansi"}
VISIBILITIES = {"hidden", "after_due_date", "after_published", "visible"}


@pytest.fixture
def assignment(tmp_path):
    return write_assignment(tmp_path / "homework")


@pytest.fixture
def handed_in(tmp_path):
    folder = tmp_path / "submissions"
    sources = {
        "ada": SOLUTION,
        "bob": STARTER,
        "eve": HALF,
        "fay": "def f(:",
        "gil": "import os\nos._exit(0)",
    }
    for name, source in sources.items():
        (folder / name).mkdir(parents=True)
        (folder / name / "layers.py").write_text(source)
    (folder / "hal").mkdir()
    (folder / "hal" / "layers.py").write_bytes(b"x = '\xff'")
    (folder / "ian.zip").write_bytes(b"no zip")
    return folder


SCORES = {"ada": 100, "bob": 0, "eve": 70, "fay": 0, "gil": 0, "hal": 0, "ian": 0}


def everything(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def grades(out):
    with (out / "grades.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == [
        "Student", "ID", "SIS User ID", "SIS Login ID", "Section", "hw0_layer",
    ]  # fmt: skip
    return {row["Student"]: row["hw0_layer"] for row in rows}


def test_grades_everyone_whatever_the_others_did(assignment, handed_in, tmp_path):
    out = tmp_path / "out"
    found = grade_class(assignment, handed_in, out, 3, LEVEL, jobs=2)
    assert {name: r["score"] for name, r in found.results.items()} == SCORES
    assert grades(out) == {name: str(score) for name, score in SCORES.items()}
    assert not found.faults
    for name in SCORES:
        assert (out / name / "report.html").is_file()


def test_results_json_is_what_gradescope_documents(assignment, handed_in, tmp_path):
    out = tmp_path / "out"
    grade_class(assignment, handed_in, out, 3, LEVEL, jobs=2)
    for name, score in SCORES.items():
        results = json.loads((out / name / "results.json").read_bytes())
        assert set(results) <= set(TOP)
        assert all(isinstance(value, TOP[key]) for key, value in results.items())
        assert results["score"] == score == sum(test["score"] for test in results["tests"])
        assert {results[k] for k in ("output_format", "test_output_format")} == {"text"} <= FORMATS
        assert {results["visibility"], results["stdout_visibility"]} <= VISIBILITIES
        assert [test["max_score"] for test in results["tests"]] == [30, 30, 40]
        for test in results["tests"]:
            assert set(test) <= set(TEST)
            assert all(isinstance(value, TEST[key]) for key, value in test.items())
            assert test["status"] == ("passed" if test["score"] else "failed")
            assert test["output"] or test["score"]
            assert all(isinstance(tag, str) for tag in test["tags"])
        assert results["extra_data"]["seed"] == 3
        assert results["extra_data"]["sandbox_level"] == LEVEL


def test_a_second_start_changes_no_byte_and_grades_nobody(assignment, handed_in, tmp_path):
    out = tmp_path / "out"
    grade_class(assignment, handed_in, out, 3, LEVEL)
    times = {path: path.stat().st_mtime_ns for path in out.glob("*/results.json")}
    before = everything(out)
    found = grade_class(assignment, handed_in, out, 3, LEVEL)
    assert sorted(found.skipped) == sorted(SCORES)
    assert everything(out) == before
    assert times == {path: path.stat().st_mtime_ns for path in out.glob("*/results.json")}


def test_what_changed_is_graded_again_and_told(assignment, handed_in, tmp_path):
    out = tmp_path / "out"
    grade_class(assignment, handed_in, out, 3, LEVEL)
    (handed_in / "eve" / "layers.py").write_text(SOLUTION)
    (out / "ada" / "results.json").write_text('{"score": 100')  # a torn one
    found = grade_class(assignment, handed_in, out, 3, LEVEL)
    assert found.changed == ["eve: 70 -> 100, the submission changed"]
    assert set(SCORES) - set(found.skipped) == {"ada", "eve"}
    found = grade_class(assignment, handed_in, out, 4, LEVEL)
    assert len(found.changed) == 7
    assert "ada: 100 -> 100, another seed" in found.changed
    (assignment.folder / "items.py").write_text(ITEMS + "\n")
    found = grade_class(read(assignment.folder), handed_in, out, 4, LEVEL)
    assert "ada: 100 -> 100, the assignment changed" in found.changed


def test_a_fault_of_the_grader_leaves_no_grade_and_stops_nobody(assignment, handed_in, tmp_path):
    out = tmp_path / "out"
    grade_class(assignment, handed_in, out, 3, LEVEL)
    head = "def double(student, rng):\n"
    crash = "    assert student.function('double', 3) != 9, 'a bug in items.py'\n"
    (assignment.folder / "items.py").write_text(ITEMS.replace(head, head + crash), encoding="utf-8")
    found = grade_class(read(assignment.folder), handed_in, out, 3, LEVEL, jobs=2)
    assert list(found.faults) == ["eve"]
    assert "a bug in items.py" in found.faults["eve"]
    assert not (out / "eve" / "results.json").exists()
    assert found.results["ada"]["score"] == 100
    assert grades(out) == {n: "" if n == "eve" else str(s) for n, s in SCORES.items()}


def test_the_histogram_counts_every_diagnosis(assignment, handed_in, tmp_path):
    out = tmp_path / "out"
    grade_class(assignment, handed_in, out, 3, LEVEL)
    with (out / "diagnoses.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    double = {r["diagnosis"]: int(r["students"]) for r in rows if r["item"] == "double"}
    assert double == {
        "pass": 1, "not_implemented": 1, "squared": 1,
        "exception": 2, "crashed": 1, "unreadable": 1,
    }  # fmt: skip
    assert (out / "diagnoses.png").read_bytes().startswith(b"\x89PNG")


def test_out_inside_of_the_submissions_is_refused(assignment, handed_in):
    with pytest.raises(ValueError, match="is inside of"):
        grade_class(assignment, handed_in, handed_in / "out", 3, LEVEL)


def test_the_seed_is_drawn_once(tmp_path):
    first = choose_seed(tmp_path / "a", None)
    assert choose_seed(tmp_path / "a", None) == first
    assert choose_seed(tmp_path / "b", None) != first
    assert choose_seed(tmp_path / "a", 7) == 7
    assert choose_seed(tmp_path / "a", None) == 7


RUN = """
import sys
from pathlib import Path
from nnscratch.grading.classroom import grade_class
from nnscratch.grading.spec import read
homework, submissions, out, level = sys.argv[1:]
grade_class(read(Path(homework)), Path(submissions), Path(out), 3, int(level), jobs=2)
"""


def test_killed_in_the_middle_and_started_again(assignment, tmp_path):
    folder = tmp_path / "many"
    for i in range(30):
        (folder / f"s{i:02}").mkdir(parents=True)
        (folder / f"s{i:02}" / "layers.py").write_text([SOLUTION, STARTER, HALF][i % 3])
    whole, out = tmp_path / "whole", tmp_path / "out"
    grade_class(assignment, folder, whole, 3, LEVEL, jobs=2)
    command = [sys.executable, "-c", RUN, assignment.folder, folder, out, str(LEVEL)]
    process = subprocess.Popen(list(map(str, command)), cwd=Path(__file__).parents[1])
    while len(list(out.glob("*/results.json"))) < 8 and process.poll() is None:
        time.sleep(0.005)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    done = len(list(out.glob("*/results.json")))
    assert 8 <= done < 30
    found = grade_class(assignment, folder, out, 3, LEVEL, jobs=2)
    assert len(found.skipped) == done
    assert everything(out) == everything(whole)
