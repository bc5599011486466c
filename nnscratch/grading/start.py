"""A student's folder: made from the starter, and recognized later."""

from __future__ import annotations

import re
from pathlib import Path

from nnscratch.grading.handout import page
from nnscratch.grading.notebook import notebook_of
from nnscratch.grading.spec import Assignment, assignments, homework_roots
from nnscratch.grading.submission import of_notebook
from nnscratch.grading.tree import Unreadable


def start(assignment: Assignment, folder: Path, notebook: bool = False) -> tuple[list[str], str]:
    """Write what a student needs into a folder; nothing that is there is ever overwritten.

    Parameters
    ----------
    assignment : Assignment
    folder : Path
    notebook : bool
        Each starter as a notebook of its name, which holds the handout too.

    Returns
    -------
    names : list of str
        What was written.
    missing : str
        Why there is no README.html, which takes an extra; "" if there is.

    Raises
    ------
    FileExistsError
        One of the files is there. Then none is written.
    """
    handout = (assignment.folder / "README.md").read_text(encoding="utf-8")
    files = _notebooks(assignment, handout) if notebook else dict(assignment.starter)
    files["README.md"] = handout.encode()
    missing = ""
    try:
        files["README.html"] = page(handout, assignment.title).encode()
    except ModuleNotFoundError as error:
        missing = str(error)
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
    return list(files), missing


def _notebooks(assignment: Assignment, handout: str) -> dict[str, bytes]:
    """The starters as notebooks; the handout is in the first."""
    made: dict[str, bytes] = {}
    for name, source in assignment.starter.items():
        text = "" if made else handout
        made[f"{Path(name).stem}.ipynb"] = notebook_of(text, source.decode())
    return made


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
    names = [n for a in known for name in a.starter for n in (name, f"{Path(name).stem}.ipynb")]
    sources = [path] if path.is_file() else [home / name for name in names]
    defined = {
        name
        for source in sources
        if source.is_file()
        for name in re.findall(r"^(?:def|class) (\w+)", _code(source), re.M)
    }
    alike = [a for a in known if defined and len(defined & set(a.modules)) * 2 > len(a.modules)]
    if len(alike) == 1:
        return alike[0]
    inside = [a.name for a in known if (home / a.name).is_dir()]
    if inside:
        raise ValueError(f"which assignment? try: nnscratch homework check {inside[0]}")
    one_of = ", ".join(a.name for a in known)
    raise ValueError(f"which assignment is {folder}? add --assignment NAME, one of {one_of}")


def _code(path: Path) -> str:
    """The Python in a file; nothing where a notebook is none."""
    content = path.read_bytes()
    if path.suffix == ".ipynb":
        try:
            content = of_notebook(content, path.name)
        except Unreadable:
            return ""
    return content.decode(errors="replace")
