"""A student's folder: made from the starter, and recognized later."""

from __future__ import annotations

import re
from pathlib import Path

from nnscratch.grading.spec import Assignment, assignments, homework_roots


def start(assignment: Assignment, folder: Path) -> list[str]:
    """Write what a student needs into a folder; nothing that is there is ever overwritten.

    Returns
    -------
    names : list of str
        What was written.

    Raises
    ------
    FileExistsError
        One of the files is there. Then none is written.
    """
    files = dict(assignment.starter)
    files["README.md"] = (assignment.folder / "README.md").read_bytes()
    files["HANDING_IN.md"] = for_students().encode()
    there = [name for name in files if (folder / name).is_symlink() or (folder / name).exists()]
    if there:
        raise FileExistsError(
            f"{folder} has {', '.join(there)} already, and nothing is overwritten; "
            f"start in another folder: nnscratch homework start {assignment.name} DIR"
        )
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        with (folder / name).open("xb") as file:
            file.write(content)
    return list(files)


def for_students() -> str:
    """The students' part of the homework's README: conventions, limits, how to hand in."""
    text = (homework_roots()[-1] / "README.md").read_text(encoding="utf-8")
    part = text.split("## For students\n", 1)[-1].split("\n## ", 1)[0]
    return f"# Checking, conventions, handing in\n{part.rstrip()}\n"


def assignment_of(folder: Path) -> Assignment:
    """The assignment that a student's folder or file belongs to.

    By the folder's name, else by the names that its files define.

    Raises
    ------
    ValueError
        None or several.
    """
    known = assignments()
    path = folder.resolve()
    home = path if path.is_dir() else path.parent
    named = [a for a in known if home.name in (a.name, a.name.partition("_")[0])]
    if len(named) == 1:
        return named[0]
    sources = [path] if path.is_file() else [home / n for a in known for n in a.starter]
    defined = {
        name
        for source in sources
        if source.is_file()
        for name in re.findall(r"^(?:def|class) (\w+)", source.read_text(errors="replace"), re.M)
    }
    alike = [a for a in known if defined and len(defined & set(a.modules)) * 2 > len(a.modules)]
    if len(alike) == 1:
        return alike[0]
    inside = [a.name for a in known if (home / a.name).is_dir()]
    if inside:
        raise ValueError(f"which assignment? try: nnscratch homework check {inside[0]}")
    names = ", ".join(a.name for a in known)
    raise ValueError(f"which assignment is {folder}? add --assignment NAME, one of {names}")
