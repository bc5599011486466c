"""A CSV file -> features and labels: one row a sample, one column the labels."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from nnscratch.data.found import MOST_BYTES, Found
from nnscratch.files import open_regular, printable

ROWS = 1024  # turned into numbers at once
MOST_COLUMNS = 100_000
LONGEST = 1 << 24  # bytes of a line
FLOAT32_MAX = float(np.finfo(np.float32).max)
DECIMAL_COMMA = re.compile(r"\s*[-+]?\d*,\d+(?:[eE][-+]?\d+)?\s*")


def read_csv(path: Path, label: str | None) -> Found:
    """The labels of the column `label` (or the first), the other columns as float32 features.

    A first row that holds no number but in the labels' place is the header. A column without a
    name that numbers the rows, as pandas writes it, columns in which less than half of the cells
    are numbers, and then rows that lack one or are longer or shorter are skipped and told of.
    Where semicolons or tabs part the columns, 1,5 is a number.
    """
    with open_regular(path) as file:
        try:
            return _table(path, _lines(path, file), label)
        except UnicodeDecodeError:
            raise ValueError(f"{path}: expected text in UTF-8; save it as UTF-8") from None
        except csv.Error as error:
            raise ValueError(f"{path}: expected a CSV file ({error})") from None


def _lines(path: Path, file: BinaryIO) -> Iterator[str]:
    encoding = "utf-8-sig"  # of the first line, which may have a mark
    while line := file.readline(LONGEST + 1):
        if len(line) > LONGEST:
            raise ValueError(f"{path}: expected a CSV file, found a line of more than 16 MB")
        yield line.decode(encoding)
        encoding = "utf-8"


def _table(path: Path, lines: Iterator[str], label: str | None) -> Found:
    first = next(lines, "")
    told = re.fullmatch(r"sep=(.)\r?\n", first)  # Excel's word for what parts the columns
    first = next(lines, "") if told else first
    delimiter = told[1] if told else max(",;\t", key=first.count)
    rows: Iterator[list[str]]
    rows = (row for row in csv.reader(chain([first], lines), delimiter=delimiter) if row)
    head = list(islice(rows, ROWS))
    if len(head) < 2 or not 2 <= len(head[0]) <= MOST_COLUMNS:
        shown = f", the first is {printable(first.strip()[:60])!r}" if first.strip() else ""
        raise ValueError(
            f"{path}: expected rows of two columns or more, separated by , ; or tab{shown}"
        )
    notes = []
    if delimiter != "," and (example := _decimal_comma(head)):
        head, rows = [_pointed(row) for row in head], map(_pointed, rows)
        notes.append(f"commas are decimal: {example} is {example.replace(',', '.')}")
    header, column = _header(path, head, label)
    body = head[1:] if header else head
    features, skipped = _columns(body, column, header, len(head[0]))
    if not features:
        raise ValueError(f"{path}: no column but the labels' holds numbers")
    found, labels, lacking = _rows(path, chain(body, rows), column, features, len(head[0]))
    if not len(found):
        raise ValueError(f"{path}: {_why_none(body, len(head[0]))}")
    names = header or [str(k + 1) for k in range(len(head[0]))]
    classes = _classes(path, labels, names, column)
    notes += [f"skipped {what}: {_named(names, columns)}" for what, columns in skipped.items()]
    if lacking.total():
        most = [k for k, _ in lacking.most_common(1) if k is not None]
        where = f", most often in the column {_named(names, most)}" if most else ""
        count = lacking.total()
        notes.append(f"skipped {count} rows in which a number or the label is missing{where}")
    notes.insert(0, f"labels from the column {_named(names, [column])}, {len(features)} features")
    return Found((found, classes), notes=notes)


def _decimal_comma(head: Sequence[Sequence[str]]) -> str | None:
    """The first number that is written with a comma, where none is written with a point."""
    cells = [cell for row in head for cell in row]
    if any("." in cell and _is_number(cell) for cell in cells):
        return None
    return next((cell.strip() for cell in cells if DECIMAL_COMMA.fullmatch(cell)), None)


def _pointed(row: Sequence[str]) -> list[str]:
    return [cell.replace(",", ".") if DECIMAL_COMMA.fullmatch(cell) else cell for cell in row]


def _named(names: Sequence[str], columns: Sequence[int], most: int = 6) -> str:
    shown = ", ".join(printable(names[k]) or f"number {k + 1}" for k in columns[:most])
    return shown + (f" and {len(columns) - most} more" if len(columns) > most else "")


def _why_none(body: Sequence[Sequence[str]], width: int) -> str:
    """Why no row is complete, and what to do about it."""
    others = [len(row) for row in body if len(row) != width]
    if len(others) == len(body):
        return (
            f"the first row has {width} columns, those below it {others[0]}; give each column "
            "a name, and each row as many cells"
        )
    return "each row lacks a number or the label; leave out the columns with gaps, or fill them"


def _header(
    path: Path, head: Sequence[Sequence[str]], label: str | None
) -> tuple[Sequence[str], int]:
    """The names of the columns, empty if there are none, and the column of the labels."""
    names = [name.strip() for name in head[0]]
    if label is None:
        column = next((k for k, name in enumerate(names) if name.lower() == "label"), 0)
    elif label in names:
        column = names.index(label)
    elif label.isdecimal() and 1 <= int(label) <= len(names):
        column = int(label) - 1
    else:
        shown = ", ".join(printable(name) for name in names[:12])
        raise ValueError(
            f"{path}: no column is named {label!r}; the first row is {shown}; a number counts "
            "columns from 1 on"
        )
    others = [name for k, name in enumerate(names) if k != column]
    named = names[column] == label or names[column].lower() == "label"
    return (names if named or not any(map(_is_number, others)) else []), column


def _columns(
    body: Sequence[Sequence[str]], label: int, header: Sequence[str], width: int
) -> tuple[list[int], dict[str, list[int]]]:
    """The columns of the features, by the first rows, and those that are skipped, by reason."""
    counts = [sum(len(r) > k and _is_finite(r[k]) for r in body) for k in range(width)]
    others = [k for k in range(width) if k != label]
    skipped: dict[str, list[int]] = {}
    if header and label != 0 and header[0] in ("", "Unnamed: 0") and _numbers_rows(body):
        skipped["the column that numbers the rows"] = [0]
        others.remove(0)
    if words := [k for k in others if not counts[k]]:
        skipped["the columns without numbers"] = words
    if gaps := [k for k in others if 0 < 2 * counts[k] < len(body)]:
        skipped["the columns of which less than half are numbers"] = gaps
    return [k for k in others if 2 * counts[k] >= len(body)], skipped


def _numbers_rows(body: Sequence[Sequence[str]]) -> bool:
    """Whether the first cells are whole numbers of which none comes twice."""
    cells = [row[0].strip() for row in body]
    return all(cell.isdecimal() for cell in cells) and len(set(cells)) == len(cells)


def _rows(
    path: Path, rows: Iterator[Sequence[str]], label: int, features: list[int], width: int
) -> tuple[NDArray[np.float32], list[str], Counter[int | None]]:
    """Features and labels of the complete rows; of the others, how many lack what.

    Counted is the first column of a row that lacks something, None where it has other columns.
    """
    parts, labels, lacking, size = [], [], Counter[int | None](), 0
    while chunk := list(islice(rows, ROWS)):
        chunk = [row[:width] if len(row) > width and not any(row[width:]) else row for row in chunk]
        good = [row for row in chunk if len(row) == width and row[label].strip()]
        try:
            numbers = _numbers(good, features)
        except ValueError:
            good = [row for row in good if all(_is_number(row[k]) for k in features)]
            numbers = _numbers(good, features)
        finite = np.asarray(np.isfinite(numbers).all(axis=1))
        parts.append(numbers[finite])
        labels += [row[label].strip() for row, ok in zip(good, finite.tolist(), strict=True) if ok]
        if len(parts[-1]) < len(chunk):
            lacking += _lacking(chunk, label, features, width)
        size += parts[-1].nbytes
        if size > MOST_BYTES:
            raise ValueError(f"{path}: more than {MOST_BYTES} bytes of numbers; use fewer rows")
    return np.concatenate(parts), labels, lacking


def _lacking(
    chunk: Sequence[Sequence[str]], label: int, features: list[int], width: int
) -> Counter[int | None]:
    """For each row that is not complete the first column that lacks something."""
    lacking = Counter[int | None]()
    for row in chunk:
        if len(row) != width:
            lacking[None] += 1
        elif not row[label].strip():
            lacking[label] += 1
        elif (gap := next((k for k in features if not _is_finite(row[k])), None)) is not None:
            lacking[gap] += 1
    return lacking


def _numbers(rows: Sequence[Sequence[str]], features: list[int]) -> NDArray[np.float32]:
    numbers = np.array([[float(row[k]) for k in features] for row in rows], np.float64)
    with np.errstate(over="ignore"):  # what float32 cannot hold is skipped as infinite
        return numbers.reshape(len(rows), len(features)).astype(np.float32)


def _classes(path: Path, labels: list[str], names: Sequence[str], column: int) -> NDArray[Any]:
    """Labels as integers if all of them are, else as text; a ValueError for fractions."""
    try:
        found = [int(label) for label in labels]
    except ValueError:
        try:
            reals = [float(label) for label in labels]
        except ValueError:
            return np.array(labels, np.str_)
        odd = next((k for k, real in enumerate(reals) if real % 1 != 0), None)  # NaN too
        if odd is not None:
            raise ValueError(
                f"{path}: the column {_named(names, [column])} holds {printable(labels[odd])}, "
                "which is no class; name that of the labels with label= (--label), of "
                f"{_named(names, range(len(names)), 12)}"
            ) from None
        return np.array(reals)  # 1.0, 2.0
    if any(abs(number) >= 1 << 62 for number in found):
        return np.array(labels, np.str_)
    return np.array(found, np.int64)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _is_finite(text: str) -> bool:
    """Whether it is a number that float32 can hold."""
    try:
        return abs(float(text)) <= FLOAT32_MAX  # False for NaN
    except ValueError:
        return False
