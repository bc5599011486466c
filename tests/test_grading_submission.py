"""What is handed in is read without trusting any of it."""

import os
import stat
import zipfile

import pytest

from nnscratch.grading.submission import MOST, read_submission, safe_name, submissions

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
    found = [read_submission(p, NAMES) for p in submissions(tmp_path).values()]
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
    for place in ("in", "out"):
        (tmp_path / place).mkdir()
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
        assert "expected a file" in problem(tmp_path / "a.zip")


def test_broken_zips(tmp_path):
    (tmp_path / "a.zip").write_bytes(b"PK\x03\x04 no zip")
    assert "cannot be read" in problem(tmp_path / "a.zip")
    make_zip(tmp_path / "b.zip", [(f"{i}.py", b"") for i in range(1100)])
    assert "more than 1000 files" in problem(tmp_path / "b.zip")
    with pytest.warns(UserWarning, match="Duplicate"):
        make_zip(tmp_path / "c.zip", [("layers.py", b"1"), ("layers.py", b"2")])
    assert "more than once" in problem(tmp_path / "c.zip")
    encrypted = bytearray(make_zip(tmp_path / "d.zip", [("layers.py", b"x = 1")]).read_bytes())
    for signature, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        encrypted[encrypted.index(signature) + place] |= 1
    (tmp_path / "d.zip").write_bytes(encrypted)
    assert "encrypted" in problem(tmp_path / "d.zip")


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


def test_every_submission_has_a_result_of_its_own(tmp_path):
    (tmp_path / "ada").mkdir()
    for name in ("ada.py", "ADA.zip", "bob.py", ".DS_Store"):
        (tmp_path / name).write_text("")
    (tmp_path / "__MACOSX").mkdir()
    names = submissions(tmp_path)
    assert len(names) == 4
    assert "bob" in names
    assert sorted(path.name for path in names.values()) == ["ADA.zip", "ada", "ada.py", "bob.py"]
    assert len({name.casefold() for name in names}) == 4
