"""`nnscratch homework ...`: what is printed, exit statuses, and the Gradescope zip."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from nnscratch.cli import main
from nnscratch.grading import spec
from nnscratch.grading.gradescope import setup_script
from nnscratch.grading.sandbox.slot import detect_level
from tests.grading_assignment import ITEMS, README, SOLUTION, STARTER, write_assignment

LEVEL = detect_level().level
ROOT = Path(__file__).parents[1]


@pytest.fixture
def assignment(tmp_path, monkeypatch):
    made = write_assignment(tmp_path / "homework")
    readme = (ROOT / "homework" / "README.md").read_bytes()
    (tmp_path / "homework" / "README.md").write_bytes(readme)
    monkeypatch.setattr(spec, "homework_roots", lambda: [made.folder.parent])
    (tmp_path / "student").mkdir()
    monkeypatch.chdir(tmp_path / "student")
    return made


def homework(capsys, *arguments):
    """(exit status, output lines, error lines) of a command."""
    try:
        status = main(["homework", *map(str, arguments)])
    except SystemExit as end:
        status = end.code
    out, err = capsys.readouterr()
    return status, out.splitlines(), err.splitlines()


def test_list(assignment, capsys):
    status, lines, _ = homework(capsys, "list")
    assert (status, lines) == (0, ["hw0_layer  A layer (3 items, 100 points)"])


def test_start_gives_what_students_need_and_nothing_else(assignment, capsys):
    pytest.importorskip("ziamath")  # of the extra "handout"
    status, lines, _ = homework(capsys, "start", "hw0")
    assert status == 0
    names = sorted(path.name for path in Path("hw0_layer").iterdir())
    assert names == ["HANDING_IN.md", "README.html", "README.md", "layers.py"]
    assert lines[-1].endswith("nnscratch homework check hw0_layer")
    assert Path("hw0_layer/layers.py").read_text() == STARTER


def test_start_tells_how_to_hand_in_what_is_graded_and_in_which_time(assignment, capsys):
    homework(capsys, "start", "hw0")
    told = Path("hw0_layer/HANDING_IN.md").read_text(encoding="utf-8")
    for words in ("Hand in", "other numbers", "seconds", "Only losses average", "notebook"):
        assert words in told, words
    assert "## For instructors" not in told


def test_check_can_speak_json_and_save_what_failed(assignment, capsys):
    homework(capsys, "start", "hw0")
    Path("hw0_layer/layers.py").write_text(SOLUTION.replace("2 * x", "x * x"))
    status, lines, _ = homework(capsys, "check", "hw0_layer", "--json")
    results = json.loads("\n".join(lines))
    assert (status, results["score"]) == (0, 70)
    Path("hw0_layer/layers.py").write_text(SOLUTION.replace("dy.sum(0)", "dy.sum(0) + 1"))
    _, lines, errors = homework(capsys, "check", "hw0_layer", "--save", "case.npz")
    assert errors == ["wrote case.npz: x, dy, W, b, expected"]
    with np.load("case.npz") as case:
        np.testing.assert_allclose(case["dy"].sum(0), case["expected"])
    shown = [line.split()[0] for line in lines if line.strip()]
    assert {"got", "expected", "x", "dy", "W", "b"} <= set(shown)


def test_another_user_s_folder_is_not_run_in_a_weak_sandbox(assignment, capsys):
    homework(capsys, "start", "hw0")
    if os.getuid() != 0:
        pytest.skip("only root can give a folder away")
    os.chown("hw0_layer/layers.py", 12345, 12345)
    status, _, errors = homework(capsys, "check", "hw0_layer", "--sandbox", 1)
    assert (status, len(errors)) == (1, 1)
    assert "belongs to another user, and the sandbox reaches level 1" in errors[0]
    assert homework(capsys, "check", "hw0_layer", "--sandbox", 1, "--allow-weak-sandbox")[0] == 0
    if LEVEL >= 2:
        assert homework(capsys, "check", "hw0_layer")[0] == 0


def test_one_syntax_error_is_told_once(assignment, capsys):
    homework(capsys, "start", "hw0")
    Path("hw0_layer/layers.py").write_text("def double(x:\n    return 2\n")
    _, lines, _ = homework(capsys, "check", "hw0_layer")
    assert sum("SyntaxError" in line for line in lines) == 1
    assert "    the same in linear_forward, linear_gradients" in lines
    assert len(lines) < 16


def test_a_stranger_s_numpy_is_not_imported_by_python_m(tmp_path):
    (tmp_path / "numpy.py").write_text("raise SystemExit('it was imported')")
    (tmp_path / "argparse.py").write_text("raise SystemExit('it was imported')")
    done = subprocess.run(
        [sys.executable, "-m", "nnscratch", "homework", "list"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_start_writes_notebooks_where_they_are_asked_for(assignment, capsys):
    status, lines, _ = homework(capsys, "start", "hw0", "--notebook")
    assert status == 0
    assert "layers.ipynb" in lines[0]
    assert lines[-1].startswith("read hw0_layer/layers.ipynb")
    assert not Path("hw0_layer/layers.py").exists()
    status, lines, _ = homework(capsys, "check", "hw0_layer")
    assert (status, lines[-1]) == (0, "0 / 100")
    assert "layers.ipynb was taken for layers.py" in lines


def test_start_never_overwrites(assignment, capsys):
    Path("work").mkdir()
    Path("work/README.md").write_text("mine")
    status, _, errors = homework(capsys, "start", "hw0", "work")
    assert (status, len(errors)) == (1, 1)
    assert "nothing is overwritten" in errors[0]
    assert [p.name for p in Path("work").iterdir()] == ["README.md"]


def test_check_ends_with_the_points(assignment, capsys):
    homework(capsys, "start", "hw0")
    status, lines, _ = homework(capsys, "check", "hw0_layer")
    assert (status, lines[-1]) == (0, "0 / 100")
    Path("hw0_layer/layers.py").write_text(SOLUTION.replace("dy.sum(0)", "dy"))
    status, lines, _ = homework(capsys, "check", "hw0_layer")
    assert (status, lines[-1]) == (0, "70 / 100")
    assert lines[0] == "linear_gradients: Linear: gradients  sum_over_batch"
    again = next(line for line in lines if "again:" in line).split("homework ")[1].split()
    assert again == ["check", "hw0_layer", "--item", "linear_gradients", "--seed", "0"]
    status, repeated, _ = homework(capsys, *again)
    assert status == 0
    assert repeated[:5] == lines[:5]
    assert repeated[-1] == "10 / 40"


def test_check_points_to_the_folder_that_was_meant(assignment, capsys):
    homework(capsys, "start", "hw0")
    status, _, errors = homework(capsys, "check")
    assert status == 2
    assert "try: nnscratch homework check hw0_layer" in errors[0]
    status, _, errors = homework(capsys, "check", "hw0")
    assert status == 2
    assert "there is no folder hw0; did you mean hw0_layer?" in errors[0]


def test_check_knows_the_assignment_by_what_the_files_define(assignment, capsys, monkeypatch):
    Path("mine").mkdir()
    Path("mine/layers.py").write_text(SOLUTION)
    assert homework(capsys, "check", "mine")[1][-1] == "100 / 100"
    monkeypatch.chdir("mine")
    assert homework(capsys, "check")[1][-1] == "100 / 100"
    Path("layers.py").write_text("x = 1")
    status, _, errors = homework(capsys, "check")
    assert status == 2
    assert "add --assignment NAME" in errors[0]
    assert homework(capsys, "check", "--assignment", "hw0")[1][-1] == "0 / 100"


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("start", "hw9"),
        ("check", "absent"),
        ("check", ".", "--assignment", "hw9"),
        ("check", ".", "--assignment", "hw0", "--item", "absent"),
        ("grade", "hw9", ".", "--out", "out"),
        ("grade", "hw0", "absent", "--out", "out"),
        ("grade", "hw0", "."),
        ("prove", "hw9"),
        ("gradescope", "hw9"),
        ("check", "--seed", "x"),
    ],
)
def test_wrong_usage_is_one_line_and_status_2(assignment, capsys, arguments):
    status, lines, errors = homework(capsys, *arguments)
    assert (status, lines, len(errors)) == (2, [], 1)


def test_check_of_an_empty_folder_says_what_is_missing(assignment, capsys):
    status, _, errors = homework(capsys, "check", ".", "--assignment", "hw0")
    assert (status, errors) == (1, ["nnscratch: error: .: there is no layers.py in it"])


def test_a_fault_of_the_grader_is_status_3(assignment, capsys, tmp_path):
    (assignment.folder / "items.py").write_text(ITEMS.replace("rng.normal", "rng.nrmal"))
    Path("hw0").mkdir()
    Path("hw0/layers.py").write_text(SOLUTION)
    status, _, errors = homework(capsys, "check", "hw0")
    assert (status, len(errors)) == (3, 1)
    assert "fault of the grader" in errors[0] and "nrmal" in errors[0]
    status, _, errors = homework(
        capsys, "grade", "hw0", ".", "--out", tmp_path / "out", "--allow-weak-sandbox"
    )
    assert status == 3
    assert any("no grade for hw0" in line for line in errors)
    assert not (tmp_path / "out" / "hw0" / "results.json").exists()


def test_grade_and_grade_again(assignment, capsys, tmp_path):
    for name, source in {"ada": SOLUTION, "bob": STARTER}.items():
        Path(f"{name}.py").write_text(source)
    out = tmp_path / "out"
    (tmp_path / "secret").write_text("mine\n")
    command = ["grade", "hw0", ".", "--out", out, "-j", 2, "--secret-file", tmp_path / "secret"]
    command += ["--allow-weak-sandbox"]
    status, lines, _ = homework(capsys, *command)
    assert status == 0
    assert lines[0] == f"plain submissions, sandbox level {LEVEL}"
    assert lines[1:3] == ["2 graded, 0 of them before", "mean 50.0, median 50"]
    assert "2 graded, 2 of them before" in homework(capsys, *command)[1]
    Path("bob.py").write_text(SOLUTION)
    lines = homework(capsys, *command)[1]
    assert lines[0] == "graded again: bob: 0 -> 100, the submission changed"
    (tmp_path / "secret").write_text("another")
    lines = homework(capsys, *command)[1]
    assert "graded again: ada: 100 -> 100, another secret" in lines


def test_what_a_class_handed_in_is_told(assignment, capsys, tmp_path):
    for name in ("ada", "bob\x1b[2J", "eve"):
        Path(f"{name}.py").write_text(SOLUTION)
    Path("fay.zip").write_bytes(b"no zip")
    Path("roster.csv").write_text("Student,ID\nada,1\n")
    command = ["grade", "hw0", ".", "--out", tmp_path / "out", "--allow-weak-sandbox"]
    _, lines, errors = homework(capsys, *command, "--roster", "roster.csv")
    assert errors == []
    assert r"equal files: ada, bob\x1b[2J, eve" in lines
    assert "could not be read: fay: fay.zip cannot be read: File is not a zip file" in lines
    assert "left out: roster.csv: no folder, .py file, notebook or zip" in lines
    assert [line for line in lines if line.startswith("not in the roster")] == [
        r"not in the roster: bob\x1b[2J",
        "not in the roster: eve",
        "not in the roster: fay",
    ]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--late-penalty", "10%/day"], "needs --due"),
        (["--due", "soon"], "no time such as"),
        (["--due", "2026-10-01", "--late-penalty", "10"], "no penalty such as"),
    ],
)
def test_what_cannot_be_meant_about_time_is_wrong_usage(
    assignment, capsys, tmp_path, options, words
):
    status, _, errors = homework(capsys, "grade", "hw0", ".", "--out", tmp_path / "o", *options)
    assert status == 2
    assert words in errors[-1]


def test_grade_refuses_a_weak_sandbox(assignment, capsys, tmp_path):
    Path("ada.py").write_text(SOLUTION)
    command = ["grade", "hw0", ".", "--out", tmp_path / "out", "--sandbox", 1]
    status, _, errors = homework(capsys, *command)
    assert (status, len(errors)) == (1, 1)
    assert "--allow-weak-sandbox" in errors[0]
    assert not (tmp_path / "out").exists()
    assert homework(capsys, *command, "--allow-weak-sandbox")[0] == 0


def test_prove(assignment, capsys):
    status, lines, _ = homework(capsys, "prove", "--seeds", 1)
    assert (status, lines[-1]) == (0, "hw0_layer: proved")
    wrong = README.replace("10 + 30", "10 + 29")
    (assignment.folder / "README.md").write_text(wrong, encoding="utf-8")
    (assignment.folder / "starter" / "layers.py").write_text("", encoding="utf-8")
    status, lines, _ = homework(capsys, "prove", "hw0", "--seeds", 1, "--write-starter")
    assert lines[0] == f"wrote {assignment.folder / 'starter' / 'layers.py'}"
    assert (status, lines[-1]) == (1, "hw0_layer: 1 failures")


def test_gradescope_zip_grades_in_a_folder_like_theirs(assignment, capsys, tmp_path):
    status, lines, _ = homework(
        capsys, "gradescope", "hw0", "--out", "a.zip", "--allow-weak-sandbox"
    )
    assert (status, lines) == (0, ["wrote a.zip"])
    there = tmp_path / "autograder"
    for name in ("source", "submission", "results"):
        (there / name).mkdir(parents=True)
    with zipfile.ZipFile("a.zip") as archive:
        names = archive.namelist()
        archive.extractall(there / "source")
        modes = {m.filename: m.external_attr >> 16 for m in archive.infolist()}
    assert {"setup.sh", "run_autograder", "homework/hw0_layer/items.py"} <= set(names)
    assert not [n for n in names if "solution" in n or "wrong" in n or "right/" in n]
    assert modes["setup.sh"] & 0o111 and modes["run_autograder"] & 0o111
    shutil.copy(there / "source" / "run_autograder", there / "run_autograder")
    (there / "submission" / "layers.py").write_text(SOLUTION.replace("2 * x", "x * x"))
    script = (there / "run_autograder").read_text()
    script = script.replace("python=python3", f"python={sys.executable}")
    (there / "run_autograder").write_text(script)
    subprocess.run(["bash", there / "run_autograder"], check=True, cwd=tmp_path)
    results = json.loads((there / "results" / "results.json").read_bytes())
    assert results["score"] == 70
    told = json.dumps(results)
    assert "--seed" not in told
    assert script.split(" hw0_layer ")[1].split()[0] not in told  # the secret


FAKE = """#!/bin/bash
echo "$(basename "$0") $*" >> "$LOG"
case "$* " in
    *version_info*) exit $OLD ;;
    *" venv "*|"venv "*) for last; do :; done; mkdir -p "$last/bin"
            for tool in pip uv; do cp "$FAKE" "$last/bin/$tool"; done ;;
esac
"""


@pytest.mark.parametrize("old", [0, 1])
def test_gradescope_s_setup_brings_a_python_where_the_image_s_is_too_old(tmp_path, old):
    """setup.sh in a mock of the image: apt-get and python3 write down how they are called."""
    tools, log = tmp_path / "tools", tmp_path / "log"
    tools.mkdir()
    for name in ("apt-get", "python3", "fake"):
        (tools / name).write_text(FAKE)
        (tools / name).chmod(0o755)
    (tmp_path / "setup.sh").write_text(setup_script())
    subprocess.run(
        ["bash", tmp_path / "setup.sh"],
        check=True,
        env={
            "PATH": f"{tools}:/usr/bin:/bin",
            "AUTOGRADER": str(tmp_path / "autograder"),
            "LOG": str(log),
            "FAKE": str(tools / "fake"),
            "OLD": str(old),
        },
    )
    lines = log.read_text().splitlines()
    assert ("uv venv --seed --python 3.12" in log.read_text()) == bool(old)
    assert lines[-1].startswith("pip install numpy>=2.0 scipy>=1.13")
    assert (tmp_path / "autograder" / "venv" / "bin" / "pip").is_file()


def test_the_command_line_loads_nothing_of_the_grader():
    code = "import sys, nnscratch.cli as c; c._parser(); print('nnscratch.grading' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.strip() == "False"
