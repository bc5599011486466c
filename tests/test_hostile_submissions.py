"""What nobody hands in by mistake: each ends as its own submission, or in a line that says why."""

import io
import json
import os
import socket
import struct
import time
import zipfile

import pytest

from nnscratch.grading.sandbox.protocol import escape
from nnscratch.grading.submission import read_submission
from nnscratch.grading.tree import MOST

NAMES = ["layers.py"]
SOURCE = b"x = 1\n"


def zipped(members, method=zipfile.ZIP_DEFLATED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return out.getvalue()


def overlapping():
    """A thousand entries that share one compressed block of 900 kB: small, and 900 MB unpacked."""
    archive = zipped([("layers.py", b"#" * 900_000)])
    end = archive.rindex(b"PK\x05\x06")
    entry = archive[archive.index(b"PK\x01\x02") : end]
    names = [b"layers.py", *(b"a%06d.p" % i for i in range(900))]
    entries = b"".join(entry.replace(b"layers.py", name) for name in names)
    count = struct.pack("<HHHH", 0, 0, len(names), len(names))
    start = archive.index(b"PK\x01\x02")
    return (
        archive[:start]
        + entries
        + b"PK\x05\x06"
        + count
        + struct.pack("<IIH", len(entries), start, 0)
    )


def in_itself(depth=40):
    archive = zipped([("layers.txt", SOURCE)])
    for _ in range(depth):
        archive = zipped([("more.zip", archive), ("again.zip", archive[:9])])
    return archive


def another_method():
    archive = bytearray(zipped([("layers.py", SOURCE)]))
    for signature, place in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        archive[archive.index(signature) + place] = 99
    return bytes(archive)


ZIPS = {
    "overlapping entries": (overlapping(), ""),
    "zips in zips": (in_itself(), "cannot be read"),
    "an unknown method": (another_method(), "cannot be read"),
    "a path of a thousand folders": (zipped([("a/" * 1000 + "layers.py", SOURCE)]), "no layers.py"),
    "a folder of that name": (zipped([("layers.py/layers.py", SOURCE)]), ""),
    "a file that is a folder": (zipped([("a", b""), ("a/layers.py", SOURCE)]), "as a file and as"),
    "an empty name": (zipped([("/", b""), ("layers.py", SOURCE)]), "leads out of it"),
    "a name that ends early": (zipped([("layers.py\0.txt", SOURCE)]), ""),
    "a drive": (zipped([("C:\\layers.py", SOURCE)]), "leads out of it"),
    "words in front": (b"MZ" * 5000 + zipped([("layers.py", SOURCE)]), ""),
    "cut off": (zipped([("layers.py", SOURCE * 500)])[:-30], "cannot be read"),
}


@pytest.mark.parametrize("name", ZIPS)
def test_a_zip_ends_as_files_or_in_one_line(tmp_path, name):
    content, words = ZIPS[name]
    (tmp_path / "eva.zip").write_bytes(content)
    began = time.process_time()
    found = read_submission(tmp_path / "eva.zip", NAMES)
    assert time.process_time() - began < 2
    assert words in found.problem and bool(found.files) == (not words)
    assert "\n" not in found.problem
    assert [path.name for path in tmp_path.iterdir()] == ["eva.zip"]


NOTEBOOKS = {
    "brackets": b'{"cells": ' + b"[" * 200_000,
    "digits": b'{"cells": [], "nbformat": ' + b"9" * 200_000 + b"}",
    "no cells": b'{"cells": {"a": 1}}',
    "numbers": b'{"cells": [{"cell_type": "code", "source": [1, 2]}]}',
    "nothing": b"null",
    "no kind": b'{"cells": [{"source": "x"}]}',
    "two bytes a letter": json.dumps({"cells": [7]}).encode("utf-16"),
    "half a letter": b'{"cells": [{"cell_type": "code", "source": "x = \'\\ud800\'"}]}',
}


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_is_code_cells_or_none(tmp_path, name):
    (tmp_path / "layers.ipynb").write_bytes(NOTEBOOKS[name])
    found = read_submission(tmp_path / "layers.ipynb", NAMES)
    if name == "half a letter":
        assert found.files == {"layers.py": b"x = '\\ud800'\n"}
    else:
        assert found.problem == "layers.ipynb is no notebook"


def pipe(path):
    os.mkfifo(path)


def endless_link(path):
    path.symlink_to(path)


def to_a_file_outside(path):
    (path.parent.parent / "secret.py").write_text("SECRET")
    path.symlink_to(path.parent.parent / "secret.py")


def of_a_terabyte(path):
    with path.open("wb") as file:
        file.truncate(1 << 40)


def listening(path):
    socket.socket(socket.AF_UNIX).bind(str(path))


def folder(path):
    path.mkdir()


THINGS = {
    "a pipe": (pipe, "is a pipe"),
    "a link to itself": (endless_link, "is a symbolic link"),
    "a link out": (to_a_file_outside, "is a symbolic link"),
    "a terabyte of nothing": (of_a_terabyte, f"is larger than {MOST} bytes"),
    "a socket": (listening, "is a socket"),
    "a folder": (folder, "there is no layers.py"),
}


@pytest.mark.parametrize("name", THINGS)
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_in_a_folder_only_a_regular_file_is_read(tmp_path, monkeypatch, name):
    make, words = THINGS[name]
    (tmp_path / "eva").mkdir()
    monkeypatch.chdir(tmp_path / "eva")  # a socket's path is short
    make(tmp_path / "eva" / "layers.py") if name != "a socket" else make("layers.py")
    found = read_submission(tmp_path / "eva", NAMES)
    assert found.files == {} and words in found.problem


@pytest.mark.parametrize("name", ["a\nb", "\u202egnp", "-rf", "%s%n", "$(id)", "é" * 80, "~"])
def test_whatever_a_folder_is_called_it_is_read_and_shown(tmp_path, name):
    (tmp_path / name).mkdir()
    (tmp_path / name / "layers.py").write_bytes(SOURCE)
    found = read_submission(tmp_path / name, NAMES)
    assert found.files == {"layers.py": SOURCE} and found.student == name
    assert escape(found.student).isprintable()


def test_a_folder_without_end_is_not_walked(tmp_path):
    path = tmp_path / "eva"
    for _ in range(300):
        path = path / "a"
    path.mkdir(parents=True)
    (path / "layers.py").write_bytes(SOURCE)
    assert "there is no layers.py" in read_submission(tmp_path / "eva", NAMES).problem


def test_files_of_python_s_own_beside_the_declared_one_are_not_taken(tmp_path):
    others = (
        "sitecustomize.py",
        "conftest.py",
        "numpy.py",
        "layers.pyc",
        "layers.pth",
        "layers.so",
    )
    for name in (*others, "layers.py"):
        (tmp_path / name).write_bytes(SOURCE)
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "layers.cpython-311.pyc").write_bytes(SOURCE)
    assert list(read_submission(tmp_path, NAMES).files) == ["layers.py"]
