"""The starter is the solution without what stands between two marks.

    def forward(self, x):
        \"\"\"y = 2x.\"\"\"
        # BEGIN SOLUTION
        return 2 * x
        # END SOLUTION

becomes `raise NotImplementedError` in place of the marks and all between them; marks that are not
indented vanish with what they hold.
"""

from __future__ import annotations

from pathlib import Path

BEGIN, END = "# BEGIN SOLUTION", "# END SOLUTION"


def starter_of(source: str, name: str = "the solution") -> str:
    r"""The starter of a solution.

    Raises
    ------
    ValueError
        A mark without its other.

    Examples
    --------
    >>> print(starter_of("def f(x):\n    # BEGIN SOLUTION\n    return x\n    # END SOLUTION\n"))
    def f(x):
        raise NotImplementedError
    <BLANKLINE>
    """
    lines: list[str] = []
    inside = ""
    for number, line in enumerate(source.splitlines(keepends=True), 1):
        mark = line.strip()
        if (mark == BEGIN and inside) or (mark == END and not inside):
            raise ValueError(f"{name}, line {number}: {mark} without its other mark")
        if mark == BEGIN:
            inside = line
            indent = line[: len(line) - len(line.lstrip())]
            lines += [f"{indent}raise NotImplementedError\n"] if indent else []
        elif mark == END:
            inside = ""
        elif not inside:
            lines.append(line)
    if inside:
        raise ValueError(f"{name}: {BEGIN} without {END}")
    return "".join(lines).rstrip("\n") + "\n"


def without_marks(source: str) -> str:
    """The solution as a student would hand it in."""
    kept = [line for line in source.splitlines(keepends=True) if line.strip() not in (BEGIN, END)]
    return "".join(kept)


def starters(folder: Path) -> dict[Path, str]:
    """What the files in an assignment's starter/ must hold, by their paths."""
    return {
        folder / "starter" / path.name: starter_of(path.read_text(encoding="utf-8"), str(path))
        for path in sorted(folder.glob("solution/*.py"))
    }


def write_starters(folder: Path) -> list[Path]:
    """Write the files that are not up to date; which these were."""
    written = []
    for path, text in starters(folder).items():
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
            written.append(path)
    return written
