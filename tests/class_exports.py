"""Exports of four learning systems, written as those write them, for the grader's tests."""

import io
import zipfile
from pathlib import Path

NAME = "layers.py"


def zipped(files: dict[str, bytes], when=(2026, 9, 30, 12, 0, 0)) -> bytes:
    """A zip of these files."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, when), content)
    return out.getvalue()


def write(folder: Path, files: dict[str, bytes]) -> Path:
    """The files in a folder."""
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def canvas(students: list[tuple[str, str, bytes]]) -> dict[str, bytes]:
    """submissions.zip of (name, id, source), flat."""
    files = {}
    for number, (name, identity, source) in enumerate(students):
        short = "".join(reversed(name.lower().split()))
        files[f"{short}_{identity}_{900001 + number}_{NAME}"] = source
    return files


def moodle(students: list[tuple[str, str, bytes]]) -> dict[str, bytes]:
    """A folder for each student, every third with a zip in it."""
    files = {}
    for number, (name, identity, source) in enumerate(students):
        folder = f"{name}_{identity}_assignsubmission_file_"
        if number % 3 == 2:
            files[f"{folder}/hw.zip"] = zipped({f"hw/{NAME}": source})
        else:
            files[f"{folder}/{NAME}"] = source
    return files


def gradescope(students: list[tuple[str, str, bytes]]) -> dict[str, bytes]:
    """submission_N/ beside submission_metadata.yml."""
    files, lines = {}, []
    for number, (name, identity, source) in enumerate(students):
        files[f"submission_{7000 + number}/{NAME}"] = source
        lines += [
            f"submission_{7000 + number}:",
            "  :submitters:",
            f"  - :name: {name}",
            f"    :sid: '{identity}'",
            f"    :email: {identity}@example.org",
            "  :created_at: 2026-09-30 10:12:13.000000000 Z",
            "  :score: 0.0",
            "  :results:",
            "    tests: []",
        ]
    files["submission_metadata.yml"] = ("---\n" + "\n".join(lines) + "\n").encode()
    return files


def blackboard(students: list[tuple[str, str, bytes]]) -> dict[str, bytes]:
    """Flat, each attempt with the system's own words beside it."""
    files = {}
    for _, identity, source in students:
        attempt = f"Homework 3_{identity}_attempt_2026-09-30-10-12-13"
        files[f"{attempt}.txt"] = b"Name: somebody\nDate Submitted: ...\n"
        files[f"{attempt}_{NAME}"] = source
    return files
