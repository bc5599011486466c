"""The first table of docs/benchmarks.md as a picture: python plots/make_gallery.py speed

Measure again, write the figures into the table, then draw: the picture remembers which table it
shows, and a test tells when the page has another.
"""

import re
from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator

from nnscratch.plots.colours import COLOURS, MARKERS

PAGE = Path(__file__).resolve().parents[1] / "docs" / "benchmarks.md"
SHOWN = ("torch", "compiled", "jax.jit", "scikit-learn")  # columns of the table
NAMES = {"torch": "PyTorch", "compiled": "torch.compile"}
TICKS = (0.125, 0.25, 0.5, 1, 2, 4)


def first_table() -> list[list[str]]:
    """The cells of the page's first table, its head first."""
    rows = re.search(r"(?:^\|.*\n)+", PAGE.read_text("utf-8"), re.MULTILINE)
    assert rows is not None
    cells = [[cell.strip() for cell in row.split("|")[1:-1]] for row in rows[0].splitlines()]
    return [cells[0], *cells[2:]]


def fingerprint() -> str:
    """What the picture keeps of the table that it shows."""
    return " / ".join(",".join(row) for row in first_table())


def draw(path: Path) -> None:
    head, *rows = first_table()
    labels = [row[0].removeprefix("the same, ").replace("`", "") for row in rows]
    figure = Figure(figsize=(8, 0.9 + 0.29 * len(rows)), dpi=130, layout="constrained")
    axes = figure.add_subplot()
    axes.axvspan(TICKS[0] / 2, 1, color=COLOURS[2], alpha=0.07, linewidth=0)
    axes.axvline(1, color="0.3", linewidth=1)
    drawn = [name for name in SHOWN if name in head]
    found = []
    for name, colour, marker in zip(drawn, COLOURS, MARKERS, strict=False):
        column = head.index(name)
        points = [(float(row[column].split()[0]), y) for y, row in enumerate(rows) if row[column]]
        found += [ratio for ratio, _ in points]
        look = {"color": colour, "marker": marker, "linestyle": "", "markersize": 7}
        axes.plot(*zip(*points, strict=True), label=NAMES.get(name, name), alpha=0.9, **look)
    axes.set_xscale("log", base=2)
    axes.set_xlim(0.88 * min(found), 1.13 * max(*found, 1.0))
    axes.xaxis.set_major_locator(FixedLocator(TICKS))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter("{x:g}")
    axes.set_yticks(range(len(rows)), labels)
    axes.invert_yaxis()
    axes.grid(color="0.9")
    axes.set_axisbelow(True)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_xlabel("time of a step: nnscratch / the other (left of 1: faster)")
    figure.legend(loc="outside upper center", ncols=len(drawn), frameon=False)
    figure.savefig(path, metadata={"Description": fingerprint()})
