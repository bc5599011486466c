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

from nnscratch.grading.classroom import Class, choose_secret, grade_class
from nnscratch.grading.late import Deadline, read_due, read_penalty
from nnscratch.grading.roster import read_roster
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


def graded(assignment, submissions, out, secret="s", jobs=1, **options):
    return grade_class(Class(assignment, out, secret, LEVEL, **options), [submissions], jobs)


def results_of(out, name):
    return json.loads((out / "students" / name / "results.json").read_bytes())


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
    found = graded(assignment, handed_in, out, jobs=2)
    assert {name: r["score"] for name, r in found.results.items()} == SCORES
    assert grades(out) == {name: str(score) for name, score in SCORES.items()}
    assert not found.faults
    for name in SCORES:
        assert (out / "students" / name / "report.html").is_file()


def test_results_json_is_what_gradescope_documents(assignment, handed_in, tmp_path):
    out = tmp_path / "out"
    graded(assignment, handed_in, out, jobs=2)
    for name, score in SCORES.items():
        results = results_of(out, name)
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
        assert "seed" not in results["extra_data"]
        assert results["extra_data"]["sandbox_level"] == LEVEL


def test_a_second_start_changes_no_byte_and_grades_nobody(assignment, handed_in, tmp_path):
    out = tmp_path / "out"
    graded(assignment, handed_in, out)
    times = {path: path.stat().st_mtime_ns for path in out.glob("students/*/results.json")}
    before = everything(out)
    found = graded(assignment, handed_in, out)
    assert sorted(found.skipped) == sorted(SCORES)
    assert everything(out) == before
    assert times == {path: path.stat().st_mtime_ns for path in out.glob("students/*/results.json")}


def test_what_changed_is_graded_again_and_told(assignment, handed_in, tmp_path):
    out = tmp_path / "out"
    graded(assignment, handed_in, out)
    (handed_in / "eve" / "layers.py").write_text(SOLUTION)
    (out / "students" / "ada" / "results.json").write_text('{"score": 100')  # a torn one
    found = graded(assignment, handed_in, out)
    assert found.changed == ["eve: 70 -> 100, the submission changed"]
    assert set(SCORES) - set(found.skipped) == {"ada", "eve"}
    found = graded(assignment, handed_in, out, "t")
    assert len(found.changed) == 7
    assert "ada: 100 -> 100, another secret" in found.changed
    (assignment.folder / "items.py").write_text(ITEMS + "\n")
    found = graded(read(assignment.folder), handed_in, out, "t")
    assert "ada: 100 -> 100, the assignment changed" in found.changed


def test_a_fault_of_the_grader_leaves_no_grade_and_stops_nobody(assignment, handed_in, tmp_path):
    out = tmp_path / "out"
    graded(assignment, handed_in, out)
    head = "def double(student, rng):\n"
    crash = "    assert student.function('double', 3) != 9, 'a bug in items.py'\n"
    (assignment.folder / "items.py").write_text(ITEMS.replace(head, head + crash), encoding="utf-8")
    found = graded(read(assignment.folder), handed_in, out, jobs=2)
    assert list(found.faults) == ["eve"]
    assert "a bug in items.py" in found.faults["eve"]
    assert not (out / "students" / "eve" / "results.json").exists()
    assert found.results["ada"]["score"] == 100
    assert grades(out) == {n: "" if n == "eve" else str(s) for n, s in SCORES.items()}


def test_the_histogram_counts_every_diagnosis(assignment, handed_in, tmp_path):
    out = tmp_path / "out"
    graded(assignment, handed_in, out)
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
        graded(assignment, handed_in, handed_in / "out")


def test_the_secret_is_drawn_once_and_told_to_nobody(tmp_path):
    first = choose_secret(tmp_path / "a")
    assert choose_secret(tmp_path / "a") == first
    assert choose_secret(tmp_path / "b") != first
    assert (tmp_path / "a" / "secret.txt").stat().st_mode & 0o077 == 0
    assert choose_secret(tmp_path / "a", "mine") == choose_secret(tmp_path / "a") == "mine"


def test_numbers_depend_on_the_content_and_are_told_to_nobody(assignment, tmp_path):
    folder = tmp_path / "class"
    for name, source in (("ada", HALF), ("bob", HALF), ("eve", f"{HALF}\n")):
        (folder / name).mkdir(parents=True)
        (folder / name / "layers.py").write_text(source)
    out = tmp_path / "out"
    found = graded(assignment, folder, out)
    seeds = [found.results[n]["extra_data"]["seed_sha256"] for n in ("ada", "bob", "eve")]
    assert seeds[0] == seeds[1] != seeds[2]
    outputs = [found.results[n]["tests"][0]["output"] for n in ("ada", "bob", "eve")]
    assert outputs[0] == outputs[1] != outputs[2]
    written = (out / "students" / "ada" / "report.html").read_text() + outputs[0]
    assert "--seed" not in written and "seed " not in written.replace("seed_sha256", "")
    told = graded(assignment, folder, out, tell_seed=True)
    assert "--seed" in told.results["ada"]["tests"][0]["output"]
    assert found.equal == [["ada", "bob"]]


def test_results_of_who_is_gone_are_removed(assignment, handed_in, tmp_path):
    out = tmp_path / "out"
    graded(assignment, handed_in, out)
    (handed_in / "ian.zip").unlink()
    found = graded(assignment, handed_in, out)
    assert not (out / "students" / "ian").exists()
    assert found.changed == ["ian: removed, as nothing is handed in any more"]


def test_names_like_the_grader_s_own_files_stop_nobody(assignment, tmp_path):
    folder = tmp_path / "class"
    folder.mkdir()
    for name in ("secret.txt", "grades.csv", "students", "diagnoses.csv"):
        (folder / f"{name}.py").write_text(SOLUTION)
    out = tmp_path / "out"
    found = graded(assignment, folder, out)
    assert {r["score"] for r in found.results.values()} == {100}
    assert (out / "grades.csv").is_file()


ROSTER = """Student,ID,SIS User ID,SIS Login ID,Section,hw0_layer (777),Final
    Points Possible,,,,,100,100
"Doe, Jane",20001,s1,jdoe,A,,
"Ray, Bob",20002,s2,bray,A,,
"=Evil, Eve",20003,s3,eve,B,,
"""


def test_a_roster_s_rows_come_back_in_its_order(assignment, tmp_path):
    (tmp_path / "gradebook.csv").write_text(ROSTER)
    roster = read_roster(tmp_path / "gradebook.csv", assignment.name, assignment.title)
    folder, out = tmp_path / "class", tmp_path / "out"
    folder.mkdir()
    (folder / "raybob_20002_900002_layers.py").write_text(SOLUTION)
    (folder / "doejane_LATE_20001_900001_layers.py").write_text(HALF)
    (folder / "ghost_20009_900003_layers.py").write_text(STARTER)
    found = graded(assignment, folder, out, roster=roster)
    with (out / "grades.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert rows == [
        ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "hw0_layer (777)"],
        ["Doe, Jane", "20001", "s1", "jdoe", "A", "70"],
        ["Ray, Bob", "20002", "s2", "bray", "A", "100"],
        ["'=Evil, Eve", "20003", "s3", "eve", "B", ""],
    ]
    assert found.unlisted == ["ghost"]
    assert "marked LATE" in results_of(out, "doejane_20001")["output"]
    with (out / "items.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["Student", "ID", "double", "linear_forward", "linear_gradients", "score"]
    assert rows[1][2:] == ["0", "30", "40", "70"]


def test_a_roster_needs_a_column_of_students(tmp_path):
    (tmp_path / "x.csv").write_text("Name,Grade\n")
    with pytest.raises(ValueError, match="no column Student"):
        read_roster(tmp_path / "x.csv", "hw0", "A layer")


def test_each_day_begun_costs_its_share(assignment, tmp_path):
    folder, out = tmp_path / "class", tmp_path / "out"
    folder.mkdir()
    attempts = {"ada": "01-12-00-00", "bob": "02-00-00-00", "eve": "02-23-59-30"}
    for login, when in attempts.items():
        (folder / f"HW_{login}_attempt_2026-10-{when}_layers.py").write_text(SOLUTION)
    deadline = Deadline(read_due("2026-10-01T23:59"), read_penalty("10%/day"))
    found = graded(assignment, folder, out, deadline=deadline)
    scores = {key: result["score"] for key, result in found.results.items()}
    assert scores == {"ada_ada": 100, "bob_bob": 90.0, "eve_eve": 80.0}
    assert "2 days late: 100 becomes 80.0" in found.results["eve_eve"]["output"]
    assert Deadline(deadline.due, 0.6).score(100, 2) == 0


@pytest.mark.parametrize("text", ["10", "10%", "-5%/day", "200%/day", "x%/day"])
def test_what_is_no_penalty_is_refused(text):
    with pytest.raises(ValueError, match="no penalty such as"):
        read_penalty(text)


def test_a_date_alone_means_its_end():
    assert read_due("2026-10-01").hour == 23
    with pytest.raises(ValueError, match="no time such as"):
        read_due("tomorrow")


RUN = """
import sys
from pathlib import Path
from nnscratch.grading.classroom import Class, grade_class
from nnscratch.grading.spec import read
homework, submissions, out, level = sys.argv[1:]
grade_class(Class(read(Path(homework)), Path(out), "s", int(level)), [Path(submissions)], jobs=2)
"""


def test_killed_in_the_middle_and_started_again(assignment, tmp_path):
    folder = tmp_path / "many"
    for i in range(30):
        (folder / f"s{i:02}").mkdir(parents=True)
        (folder / f"s{i:02}" / "layers.py").write_text([SOLUTION, STARTER, HALF][i % 3])
    whole, out = tmp_path / "whole", tmp_path / "out"
    graded(assignment, folder, whole, jobs=2)
    command = [sys.executable, "-c", RUN, assignment.folder, folder, out, str(LEVEL)]
    process = subprocess.Popen(list(map(str, command)), cwd=Path(__file__).parents[1])
    while len(list(out.glob("students/*/results.json"))) < 8 and process.poll() is None:
        time.sleep(0.005)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    done = len(list(out.glob("students/*/results.json")))
    assert 8 <= done < 30
    found = graded(assignment, folder, out, jobs=2)
    assert len(found.skipped) == done
    assert everything(out) == everything(whole)
