"""Tables and pictures for notebooks: static HTML that takes its colours from the page.

There is no script and no style sheet, and everything that is shown is escaped. Text has the
colour of the text around it and lines are half transparent, so that a table can be read on a
light page and on a dark one.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np

LINE = "1px solid rgba(127, 127, 127, 0.4)"


class Markup(str):
    """HTML that is already escaped."""


def table(headers: Sequence[str], rows: Sequence[Sequence[object]], title: str = "") -> str:
    """A table with a line below its header; numbers stand to the right.

    Parameters
    ----------
    headers : sequence of str
    rows : sequence of sequences
        Each as long as the headers. Anything but `Markup` is escaped.
    title : str

    Examples
    --------
    >>> print(table(["a<b"], [["1 %"]]))
    <table style="border-collapse: collapse; background: transparent; color: inherit">
    <thead><tr><th style="text-align: right; padding: 0.2em 0.8em; border-bottom:
    1px solid rgba(127, 127, 127, 0.4)">a&lt;b</th></tr></thead>
    <tbody>
    <tr><td style="text-align: right; padding: 0.2em 0.8em; white-space: pre-wrap">1 %</td></tr>
    </tbody></table>
    """
    columns = list(zip(*rows, strict=True)) or [()] * len(headers)
    sides = ["right" if column and all(map(_is_number, column)) else "left" for column in columns]
    style = "border-collapse: collapse; background: transparent; color: inherit"
    lines = [f"<div>{_shown(title)}</div>"] if title else []
    lines += [f'<table style="{style}">']
    cells = (
        f'<th style="text-align: {side}; padding: 0.2em 0.8em; border-bottom: {LINE}">'
        f"{_shown(header)}</th>"
        for header, side in zip(headers, sides, strict=True)
    )
    lines += [f"<thead><tr>{''.join(cells)}</tr></thead>", "<tbody>"]
    for row in rows:
        cells = (
            f'<td style="text-align: {side}; padding: 0.2em 0.8em; white-space: pre-wrap">'
            f"{_shown(cell)}</td>"
            for cell, side in zip(row, sides, strict=True)
        )
        lines.append(f"<tr>{''.join(cells)}</tr>")
    return "\n".join([*lines, "</tbody></table>"])


def picture(pixels: np.ndarray, description: str, size: int = 32) -> Markup:
    """An image inside the page, every pixel a square.

    Parameters
    ----------
    pixels : float array (channels, height, width) in [0, 1]
        One channel, or three.
    description : str
        What is said in its place where images cannot be shown.
    size : int
        The height in pixels of the screen.
    """
    code = base64.b64encode(png(pixels)).decode("ascii")
    return Markup(
        f'<img src="data:image/png;base64,{code}" alt="{escape(description)}" '
        f'style="height: {size}px; image-rendering: pixelated">'
    )


def png(pixels: np.ndarray) -> bytes:
    """A PNG file of an image (channels, height, width) in [0, 1], of one channel or three."""
    from PIL import Image  # which matplotlib brings along, and a table without pictures spares

    shades = np.clip(np.rint(255 * np.asarray(pixels, np.float64)), 0, 255).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(shades[0] if len(shades) == 1 else shades.transpose(1, 2, 0)).save(file, "PNG")
    return file.getvalue()


def of_history(history: Any) -> str:
    """A table of the epochs: the first and the last ones of a long run."""
    columns, count = dict(history.items()), len(history)
    shown = list(range(count)) if count <= 12 else [*range(3), None, *range(count - 8, count)]
    rows = [
        ["…"] * (len(columns) + 1)
        if epoch is None
        else [str(epoch + 1), *(f"{values[epoch]:.4g}" for values in columns.values())]
        for epoch in shown
    ]
    ending = f" ({history.stopped})" if history.stopped else ""
    title = f"History of {count} {'epoch' if count == 1 else 'epochs'}{ending}"
    headers = ["epoch", *(name.replace("_", " ") for name in columns)]
    diagnosis = getattr(history, "diagnosis", None)
    found = "" if diagnosis is None else "\n" + diagnosis._repr_html_()
    return table(headers, rows, title) + found


def of_dataset(data: Any) -> str:
    """A table of the classes: how many samples each has, and one of them where it is an image."""
    x = data.x_train
    images = x.ndim == 4 and x.shape[1] in (1, 3)
    rows: list[list[object]] = []
    for label, name in enumerate(data.class_names):
        members = np.flatnonzero(data.y_train == label)
        counts = [len(members), int((data.y_test == label).sum())]
        row: list[object] = [str(label), name, *(f"{count:,}" for count in counts)]
        if images:
            example = np.asarray(x[int(members[0])]) if len(members) else None
            row.append("" if example is None else picture(example, f"a sample of {name}"))
        rows.append(row)
    title = (
        f"{data.name}: {len(data.y_train):,} samples to train on and {len(data.y_test):,} to test "
        f"on, each {' × '.join(map(str, x.shape[1:]))} {x.dtype}"
    )
    headers = ["label", "class", "to train", "to test", *(["one of them"] if images else [])]
    return table(headers, rows, title)


def of_report(report: Any) -> str:
    """A table of the gradients with their verdicts, and what is wrong with them."""
    marks = {"pass": "✓", "fail": "✗", "undecidable": "?"}
    rows = [
        (
            finding.array,
            f"{marks.get(finding.verdict, '')} {finding.verdict}".strip(),
            finding.code,
            finding.message,
        )
        for finding in report.findings
    ]
    lines = [f"warning: {warning}" for warning in report.warnings]
    if not report.ok and report.reproduce:
        lines.append(f"again: {report.reproduce}")
    title = str(report).split("\n")[0]
    notes = "".join(f"\n<div>{_shown(line)}</div>" for line in lines)
    return table(["gradient", "verdict", "cause", "what was found"], rows, title) + notes


def _shown(content: object) -> str:
    return str(content) if isinstance(content, Markup) else escape(str(content))


def _is_number(cell: object) -> bool:
    text = str(cell).replace(",", "").removesuffix(" %").strip()
    if text in ("", "…", "nan", "inf"):
        return True
    try:
        float(text)
    except ValueError:
        return False
    return True
