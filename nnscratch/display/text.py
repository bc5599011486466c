"""Tables for a terminal: columns under their headers, numbers to the right."""

from __future__ import annotations

from collections.abc import Sequence


def text_table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Lines of columns two blanks apart; a column in which all is a number stands to the right.

    Parameters
    ----------
    headers : sequence of str
    rows : sequence of sequences of str
        Each as long as the headers.

    Examples
    --------
    >>> print(text_table(["run", "test"], [["one", "0.97"], ["three", "-"]]))
    run    test
    one    0.97
    three     -
    """
    columns = list(zip(headers, *rows, strict=True))
    widths = [max(map(len, column)) for column in columns]
    right = [len(rows) > 0 and all(map(_is_number, column[1:])) for column in columns]
    lines = [
        "  ".join(
            cell.rjust(width) if to_right else cell.ljust(width)
            for cell, width, to_right in zip(line, widths, right, strict=True)
        ).rstrip()
        for line in [headers, *rows]
    ]
    return "\n".join(lines)


def _is_number(cell: str) -> bool:
    if cell in ("-", ""):
        return True
    try:
        float(cell)
    except ValueError:
        return False
    return True
