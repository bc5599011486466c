"""What is handed in is read without trusting any of it."""

import json
import os
import stat
import zipfile

import pytest

from nnscratch.grading.submission import read_submission, safe_name
from nnscratch.grading.tree import MOST

NAMES = ["layers.py"]


def make_zip(path, members):
    with zipfile.ZipFile(path, "w") as archive:
        for member, content in members:
            archive.writestr(member, content)
    return path


def problem(path, names=NAMES):
    return read_submission(path, names).problem


def test_folder_file_and_zip_give_the_same(tmp_path):
    (tmp_path / "ada").mkdir()
    (tmp_path / "ada" / "layers.py").write_bytes(b"x = 1")
    (tmp_path / "bob.py").write_bytes(b"x = 1")
    make_zip(tmp_path / "eve.zip", [("hw3/layers.py", b"x = 1"), ("__MACOSX/layers.py", b"no")])
    found = [read_submission(tmp_path / p, NAMES) for p in ("ada", "bob.py", "eve.zip")]
    assert [s.student for s in found] == ["ada", "bob", "eve"]
    assert all(s.files == {"layers.py": b"x = 1"} and not s.problem for s in found)
    assert len({s.sha256 for s in found}) == 1


def test_only_declared_names_are_taken(tmp_path):
    for name in ("layers.py", "conftest.py", "numpy.py", "nnscratch.py"):
        (tmp_path / name).write_text("x = 1")
    assert list(read_submission(tmp_path, NAMES).files) == ["layers.py"]


def test_a_folder_in_the_folder_is_found_and_two_are_not_guessed_between(tmp_path):
    for inner in ("a", "b"):
        (tmp_path / "one" / inner).mkdir(parents=True)
    (tmp_path / "one" / "a" / "layers.py").write_text("x = 1")
    assert not problem(tmp_path / "one")
    (tmp_path / "one" / "b" / "layers.py").write_text("x = 2")
    assert "more than once" in problem(tmp_path / "one")


def test_nothing_of_use(tmp_path):
    assert problem(tmp_path) == "there is no layers.py in it"
    assert "cannot be read" in problem(tmp_path / "absent")
    (tmp_path / "notes.txt").write_text("hello")
    assert "expected a folder, a .py file or a zip" in problem(tmp_path / "notes.txt")
    (tmp_path / "a.py").write_text("x = 1")
    assert "expected graph.py, layers.py in a folder or zip" in problem(
        tmp_path / "a.py", ["layers.py", "graph.py"]
    )


def test_links_are_not_followed(tmp_path):
    secret = tmp_path / "secret.py"
    secret.write_text("secret")
    for name in ("in", "out"):
        (tmp_path / name).mkdir()
    (tmp_path / "in" / "layers.py").symlink_to(secret)
    (tmp_path / "link.py").symlink_to(secret)
    (tmp_path / "folder").symlink_to(tmp_path / "out", target_is_directory=True)
    assert "symbolic link" in problem(tmp_path / "in")
    assert "symbolic link" in problem(tmp_path / "link.py")
    assert "symbolic link" in problem(tmp_path / "folder")


def test_pipes_and_devices_do_not_block(tmp_path):
    os.mkfifo(tmp_path / "layers.py")
    assert "layers.py is a pipe" in problem(tmp_path)
    assert "a pipe" in problem(tmp_path / "layers.py")
    if os.geteuid() == 0:
        (tmp_path / "device").mkdir()
        os.mknod(tmp_path / "device" / "layers.py", stat.S_IFCHR | 0o666, os.makedev(1, 5))
        assert "layers.py is a device" in problem(tmp_path / "device")


def test_large_files_are_refused(tmp_path):
    path = tmp_path / "a.py"
    path.write_bytes(b" " * MOST)
    assert not problem(path)
    path.write_bytes(b" " * (MOST + 1))
    assert "larger than" in problem(path)
    make_zip(tmp_path / "a.zip", [("layers.py", b" " * (MOST + 1))])
    assert "larger than" in problem(tmp_path / "a.zip")


def test_a_zip_whose_header_lies_about_the_size(tmp_path):
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("layers.py", b" " * (50 * MOST))
    content = path.read_bytes()
    path.write_bytes(content.replace((50 * MOST).to_bytes(4, "little"), (10).to_bytes(4, "little")))
    assert problem(path)


@pytest.mark.parametrize("name", ["../layers.py", "/layers.py", "a/../../layers.py"])
def test_zip_slip_is_refused(tmp_path, name):
    make_zip(tmp_path / "a.zip", [(name, b"x = 1")])
    assert "leads out of it" in problem(tmp_path / "a.zip")
    assert [p.name for p in tmp_path.iterdir()] == ["a.zip"]


def test_links_and_devices_in_zips(tmp_path):
    for kind in (stat.S_IFLNK, stat.S_IFCHR, stat.S_IFIFO):
        member = zipfile.ZipInfo("layers.py")
        member.external_attr = (kind | 0o777) << 16
        make_zip(tmp_path / "a.zip", [(member, b"/etc/passwd")])
        assert "expected a regular file" in problem(tmp_path / "a.zip")


def test_broken_zips(tmp_path):
    (tmp_path / "a.zip").write_bytes(b"PK\x03\x04 no zip")
    assert "cannot be read" in problem(tmp_path / "a.zip")
    make_zip(tmp_path / "b.zip", [(f"{i}.py", b"") for i in range(1100)])
    assert "more than 1000 files" in problem(tmp_path / "b.zip")
    with pytest.warns(UserWarning, match="Duplicate"):
        make_zip(tmp_path / "c.zip", [("layers.py", b"1"), ("layers.py", b"2")])
    assert "more than once" in problem(tmp_path / "c.zip")
    encrypted = bytearray(make_zip(tmp_path / "d.zip", [("layers.py", b"x = 1")]).read_bytes())
    for signature, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        encrypted[encrypted.index(signature) + flags] |= 1
    (tmp_path / "d.zip").write_bytes(encrypted)
    assert "encrypted" in problem(tmp_path / "d.zip")


def test_whatever_an_archive_makes_its_reader_raise_is_the_archive_s_fault(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("layers.py", b"x = 1\n" * 100)
    content = bytearray((tmp_path / "a.zip").read_bytes())
    start = content.index(b"layers.py") + len("layers.py")
    content[start + 4 : start + 40] = b"\xff" * 36
    (tmp_path / "a.zip").write_bytes(content)
    assert "cannot be read" in problem(tmp_path / "a.zip")
    make_zip(tmp_path / "b.zip", [("layersé.py", b"x = 1")])
    content = (tmp_path / "b.zip").read_bytes().replace("é".encode(), b"\xff\xfe")
    (tmp_path / "b.zip").write_bytes(content)
    assert "cannot be read" in problem(tmp_path / "b.zip")


def test_a_zip_in_a_folder_is_opened_and_no_deeper_than_two(tmp_path):
    inner = make_zip(tmp_path / "inner.zip", [("hw/layers.py", b"x = 1")]).read_bytes()
    (tmp_path / "eva").mkdir()
    make_zip(tmp_path / "eva" / "outer.zip", [("inner.zip", inner)])
    assert read_submission(tmp_path / "eva", NAMES).files == {"layers.py": b"x = 1"}
    outer = (tmp_path / "eva" / "outer.zip").read_bytes()
    make_zip(tmp_path / "eva" / "outer.zip", [("outer.zip", outer)])
    assert problem(tmp_path / "eva") == "there is no layers.py in it"


def test_a_notebook_s_code_cells_are_the_file(tmp_path):
    cells = [
        {"cell_type": "markdown", "source": "# hello"},
        {"cell_type": "code", "source": ["%matplotlib inline\n", "x = 1"]},
        {"cell_type": "code", "source": "!ls\ny = 2"},
    ]
    (tmp_path / "layers.ipynb").write_text(json.dumps({"cells": cells}))
    found = read_submission(tmp_path, NAMES)
    assert found.files == {"layers.py": b"# %matplotlib inline\nx = 1\n# !ls\ny = 2\n"}
    assert found.notes == ("layers.ipynb was taken for layers.py",)
    (tmp_path / "layers.py").write_text("z = 3")
    assert read_submission(tmp_path, NAMES).files == {"layers.py": b"z = 3"}
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "layers.ipynb").write_text("{")
    assert problem(tmp_path / "one") == "layers.ipynb is no notebook"


def test_the_only_file_is_taken_whatever_its_name(tmp_path):
    (tmp_path / "my_layers (1).py").write_text("x = 1")
    found = read_submission(tmp_path, NAMES)
    assert found.files == {"layers.py": b"x = 1"}
    assert found.notes == ("my_layers (1).py was taken for layers.py",)
    (tmp_path / "other.py").write_text("x = 1")
    assert problem(tmp_path) == "there is no layers.py in it"


@pytest.mark.parametrize(
    "name",
    ["..", "-rf", "=1+1", "a\nb", "\x1b[2Ja", "a b", ".hidden", "x" * 300, "é" * 200, "\udcff"],
)
def test_names_are_made_safe_and_stay_different(name):
    safe = safe_name(name)
    assert safe != name
    assert safe == safe_name(name)
    assert len(safe.encode()) < 150
    assert not set(safe) & set("/\\\0\n\x1b =") and safe[0] not in ".-=+@"
    assert safe_name(name + "1") != safe


def test_ordinary_names_stay():
    for name in ("ada", "Ada_Lovelace-1", "o.neil", "a@b.org", "Łukasz"):
        assert safe_name(name) == name
