"""A CSV file -> features and labels: one row a sample, one column the labels."""

from __future__ import annotations

import csv
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
LARGE = 30.0  # features beyond it make a slow start


def read_csv(path: Path, label: str | None) -> Found:
    """The labels of the column `label` (or the first), the other columns as float32 features.

    A first row that holds no number but in the labels' place is the header. Columns without any
    number, and rows that lack one or are longer or shorter, are skipped and counted.
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
    delimiter = max(",;\t", key=first.count)
    rows = (row for row in csv.reader(chain([first], lines), delimiter=delimiter) if row)
    head = list(islice(rows, ROWS))
    if len(head) < 2 or not 2 <= len(head[0]) <= MOST_COLUMNS:
        raise ValueError(f"{path}: expected rows of two columns or more, separated by , ; or tab")
    header, column = _header(path, head, label)
    body = head[1:] if header else head
    features, words = _columns(body, column, len(head[0]))
    notes = []
    if words:
        names = [printable(header[k]) if header else str(k + 1) for k in words[:6]]
        more = f" and {len(words) - 6} more" if len(words) > 6 else ""
        notes.append(f"skipped the columns without numbers: {', '.join(names)}{more}")
    if not features:
        raise ValueError(f"{path}: no column but the labels' holds numbers")
    x, labels, skipped = _rows(path, chain(body, rows), column, features, len(head[0]))
    if skipped:
        notes.append(f"skipped {skipped} rows in which a number or the label is missing")
    if np.abs(x).max(initial=0) > LARGE:
        notes.append(f"features reach {np.abs(x).max():.4g}; near 1 they would train better")
    named = printable(header[column]) if header else str(column + 1)
    notes.insert(0, f"labels from the column {named}, {len(features)} features")
    return Found((x, _as_numbers(labels)), notes=notes)


def _header(
    path: Path, head: Sequence[Sequence[str]], label: str | None
) -> tuple[Sequence[str], int]:
    """The names of the columns, empty if there are none, and the column of the labels."""
    names = [name.strip() for name in head[0]]
    wanted = "label" if label is None else label
    if wanted in names:
        return names, names.index(wanted)
    if label is not None:
        shown = ", ".join(printable(name) for name in names[:12])
        raise ValueError(f"{path}: no column is named {label!r}; the first row is {shown}")
    return (names, 0) if not any(map(_is_number, names[1:])) else ([], 0)


def _columns(body: Sequence[Sequence[str]], label: int, width: int) -> tuple[list[int], list[int]]:
    """Which columns hold numbers, in the first rows at least once, and which do not."""
    holds = [any(len(r) > k and _is_number(r[k]) for r in body) for k in range(width)]
    others = [k for k in range(width) if k != label]
    return [k for k in others if holds[k]], [k for k in others if not holds[k]]


def _rows(
    path: Path, rows: Iterator[Sequence[str]], label: int, features: list[int], width: int
) -> tuple[NDArray[np.float32], list[str], int]:
    """Features and labels of the rows that are complete, and how many are not."""
    parts, labels, skipped, size = [], [], 0, 0
    while chunk := list(islice(rows, ROWS)):
        good = [row for row in chunk if len(row) == width and row[label].strip()]
        try:
            numbers = _numbers(good, features)
        except ValueError:
            good = [row for row in good if all(_is_number(row[k]) for k in features)]
            numbers = _numbers(good, features)
        finite = np.asarray(np.isfinite(numbers).all(axis=1))
        parts.append(numbers[finite])
        labels += [row[label].strip() for row, ok in zip(good, finite.tolist(), strict=True) if ok]
        skipped += len(chunk) - int(finite.sum())
        size += parts[-1].nbytes
        if size > MOST_BYTES:
            raise ValueError(f"{path}: more than {MOST_BYTES} bytes of numbers; use fewer rows")
    return np.concatenate(parts), labels, skipped


def _numbers(rows: Sequence[Sequence[str]], features: list[int]) -> NDArray[np.float32]:
    numbers = np.array([[float(row[k]) for k in features] for row in rows], np.float64)
    with np.errstate(over="ignore"):  # what float32 cannot hold is skipped as infinite
        return numbers.reshape(len(rows), len(features)).astype(np.float32)


def _as_numbers(labels: list[str]) -> NDArray[Any]:
    """Labels as integers if all of them are, else as text."""
    try:
        found = [int(label) for label in labels]
    except ValueError:
        try:
            reals = [float(label) for label in labels]
        except ValueError:
            return np.array(labels, np.str_)
        return np.array(reals)  # 1.0, 2.0; and what is no class is refused later
    if any(abs(number) >= 1 << 62 for number in found):
        return np.array(labels, np.str_)
    return np.array(found, np.int64)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
