"""What learning systems export is read as they mean it, and no junk becomes a student."""

from datetime import datetime

import pytest

from nnscratch.grading.exports import read_export, read_exports
from nnscratch.grading.gradescope_export import submitters
from nnscratch.grading.submission import submission_of
from tests.class_exports import blackboard, canvas, gradescope, moodle, write, zipped

NAMES = ["layers.py"]
CLASS = [("Jane Doe", "20001", b"x = 1"), ("Bob Ray", "20002", b"x = 2"), ("Eva K", "3", b"x = 3")]
EXPORTS = {"Canvas": canvas, "Moodle": moodle, "Gradescope": gradescope, "Blackboard": blackboard}


def sources(export):
    found = {}
    for student in export.students:
        submission = submission_of(student.node, NAMES, student.name)
        found[student.name] = submission.problem or submission.files["layers.py"]
    return found


@pytest.mark.parametrize("as_zip", [False, True])
@pytest.mark.parametrize("system", EXPORTS)
def test_every_system_s_export_is_read(tmp_path, system, as_zip):
    files = EXPORTS[system](CLASS)
    if as_zip:
        path = tmp_path / "submissions.zip"
        path.write_bytes(zipped({f"assignment_1_export/{n}": c for n, c in files.items()}))
    else:
        path = write(tmp_path / "all", files)
    export = read_export(path, NAMES)
    assert export.system == system
    assert sorted(sources(export).values()) == [b"x = 1", b"x = 2", b"x = 3"]
    ids = {value for student in export.students for value in student.ids.values()}
    assert {"20001", "20002", "3"} <= ids
    assert len({student.key for student in export.students}) == 3


def test_canvas_resubmissions_are_one_student_and_the_newest_counts(tmp_path):
    files = {
        "doejane_LATE_20001_900005_layers-1.py": b"new",
        "doejane_20001_900001_layers.py": b"old",
        "raybob_20002_900002_layers-10.py": b"ten",
        "raybob_20002_900002_layers-9.py": b"nine",
    }
    export = read_export(write(tmp_path / "all", files), NAMES)
    jane, bob = sorted(export.students, key=lambda s: s.ids["id"])
    assert sources(export) == {"doejane": b"new", "raybob": b"ten"}
    assert (jane.late, jane.attempts, bob.late) == (True, 2, False)
    assert jane.ids == {"id": "20001"}


def test_a_file_beside_a_zip_of_canvas_counts_if_it_is_newer(tmp_path):
    old, new = zipped({"layers.py": b"zip"}), b"file"
    files = {"a_1_11_hw.zip": old, "a_1_12_layers.py": new, "b_2_11_layers.py": b"file"}
    files["b_2_12_hw.zip"] = old
    assert sources(read_export(write(tmp_path / "all", files), NAMES)) == {
        "a": b"file",
        "b": b"zip",
    }


def test_moodle_s_texts_are_no_files_and_flat_files_are(tmp_path):
    files = {
        "Eva Klein_123_assignsubmission_file_layers.py": b"flat",
        "Eva Klein_123_assignsubmission_onlinetext_onlinetext.html": b"hello",
        "Jan_da Silva_124_assignsubmission_file_/layers.py": b"folder",
    }
    export = read_export(write(tmp_path / "all", files), NAMES)
    assert sources(export) == {"Eva Klein": b"flat", "Jan_da Silva": b"folder"}
    assert any("onlinetext" in words for words in export.junk)


def test_blackboard_s_newest_attempt_counts_and_tells_its_time(tmp_path):
    files = {
        "HW_1_jdoe_attempt_2026-09-30-10-12-13_layers.py": b"old",
        "HW_1_jdoe_attempt_2026-10-01-09-00-00_layers.py": b"new",
        "HW_1_jdoe_attempt_2026-10-01-09-00-00.txt": b"Name: Jane",
    }
    [jane] = read_export(write(tmp_path / "all", files), NAMES).students
    assert (jane.name, jane.attempts) == ("jdoe", 2)
    assert jane.time == datetime(2026, 10, 1, 9, 0, 0)


def test_gradescope_s_groups_all_get_it_and_times_are_local():
    text = """---
submission_1:
  :submitters:
  - :name: "Zo\\u00EB O'Neil"
    :sid: ''
    :email: zoe@example.org
  - :name: 'Bob ''B'' Ray'
    :email: bob@example.org
  :created_at: 2026-09-30 23:30:00.000000000 Z
  :history:
  - :created_at: 2020-01-01 00:00:00 Z
"""
    people, time = submitters(text)["submission_1"]
    assert [p["name"] for p in people] == ["Zoë O'Neil", "Bob 'B' Ray"]
    assert time is not None and time.tzinfo is None
    expected = datetime.fromisoformat("2026-09-30T23:30:00+00:00").astimezone()
    assert time == expected.replace(tzinfo=None)


def test_junk_is_listed_and_is_no_student(tmp_path):
    files = {
        "ada/layers.py": b"x = 1",
        "bob.py": b"x = 2",
        "roster.csv": b"Student",
        "Thumbs.db": b"",
        "index.html": b"",
        ".DS_Store": b"",
        "notes.txt": b"",
        "__MACOSX/layers.py": b"",
        ".hidden/layers.py": b"x = 3",
        "empty/notes.txt": b"",
    }
    export = read_export(write(tmp_path / "all", files), NAMES)
    assert sources(export) == {
        "ada": b"x = 1",
        "bob": b"x = 2",
        ".hidden": b"x = 3",
        "empty": "there is no layers.py in it",
    }
    listed = {words.split(":")[0] for words in export.junk}
    assert {"roster.csv", "Thumbs.db", "index.html", ".DS_Store", "notes.txt"} <= listed


def test_a_path_too_high_or_too_deep_is_a_question(tmp_path):
    inner = write(tmp_path / "all" / "submissions", {"ada/layers.py": b"", "bob/layers.py": b""})
    with pytest.raises(ValueError, match=f"did you mean {inner}"):
        read_export(inner.parent, NAMES)
    with pytest.raises(ValueError, match=f"did you mean {inner}"):
        read_export(inner / "ada", NAMES)
    assert len(read_export(inner, NAMES).students) == 2


def test_a_class_of_one_is_a_class(tmp_path):
    assert (
        len(read_export(write(tmp_path / "all", {"ada/hw3/layers.py": b""}), NAMES).students) == 1
    )


def test_names_never_meet_and_are_kept_as_people_read_them(tmp_path):
    names = ["bob/layers.py", "bob.py", "bob-81b637d8/layers.py", "seed.txt.py", "grades.csv.py"]
    names += ["students/layers.py", "BOB/layers.py", "a\x1b[2Jb/layers.py"]
    export = read_export(write(tmp_path / "all", dict.fromkeys(names, b"x = 1")), NAMES)
    keys = [student.key.casefold() for student in export.students]
    assert len(keys) == len(set(keys)) == len(names)
    assert {"bob", "BOB", "seed.txt", "a\x1b[2Jb"} <= {s.name for s in export.students}
    assert not any("/" in key or "\x1b" in key for key in keys)
    again = read_export(tmp_path / "all", NAMES)
    assert [s.key for s in again.students] == [s.key for s in export.students]


def test_several_exports_are_one_class(tmp_path):
    paths = [write(tmp_path / system, make(CLASS)) for system, make in EXPORTS.items()]
    export = read_exports(paths, NAMES)
    assert export.system == "Canvas and Moodle and Gradescope and Blackboard"
    assert len({student.key for student in export.students}) == 12
    assert export.junk == []
