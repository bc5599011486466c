"""The file of a history: one line per epoch, with all digits of every number."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from nnscratch.files import atomic_write, open_regular

MOST = 1 << 25  # bytes: a column of ten digits for a million epochs has a third of it


def write_csv(path: str | os.PathLike[str], columns: Mapping[str, Sequence[float]]) -> None:
    """Write a header and the epochs, whole or not at all."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["epoch", *columns])
    for epoch, values in enumerate(zip(*columns.values(), strict=True), 1):
        writer.writerow([epoch, *map(repr, values)])
    with atomic_write(path) as file:
        file.write(text.getvalue().encode())


def read_csv(
    path: str | os.PathLike[str],
    append: Callable[..., Any],
    is_column: Callable[[str], bool],
) -> None:
    """Append every epoch of such a file; a ValueError that names path and line if it is none."""
    with open_regular(path) as file:
        data = file.read(MOST + 1)
    if len(data) > MOST:
        raise ValueError(f"{os.fspath(path)!r} has more than {MOST} bytes, which no history has")
    line = 1
    try:
        text = data.decode("utf-8-sig")  # spreadsheets put a byte order mark in front
        reader = csv.reader(io.StringIO(text, newline=""), strict=True)
        header = next(reader, [])
        if header[:1] != ["epoch"] or not all(map(is_column, header[1:])):
            raise ValueError("expected a header of epoch and columns such as train_loss")
        if len(set(header)) < len(header):
            raise ValueError("a column occurs twice")
        epoch = 0
        for epoch, row in enumerate(reader, 1):
            line = epoch + 1
            if len(row) != len(header):
                raise ValueError(f"expected {len(header)} fields, found {len(row)}")
            if row[0] != str(epoch):
                raise ValueError(f"expected epoch {epoch}, found {row[0]!r}")
            append(**dict(zip(header[1:], map(float, row[1:]), strict=True)))
        if len(header) > 1 and not epoch:
            raise ValueError("columns, but no epochs")
        if not text.endswith("\n"):  # half a number is a number too, but another one
            raise ValueError("the last line is cut short, it has no line end")
    except (ValueError, csv.Error) as error:
        if isinstance(error, UnicodeDecodeError):
            line = data[: error.start].count(b"\n") + 1
        elif isinstance(error, csv.Error):
            line = reader.line_num
        raise ValueError(
            f"{os.fspath(path)}, line {line}: {error}; "
            "History.from_csv reads the files that History.to_csv writes"
        ) from error
