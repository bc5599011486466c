"""From a computation graph to a picture of it: nodes as boxes, data flowing from left to right.

The layout follows Sugiyama and others (1981): a node's column is the longest way to it; an edge
that skips columns passes each of them at a place of its own; and sweeps to the right and back
move every node towards its neighbours, which untangles the edges.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from nnscratch.graph import Graph
from nnscratch.graph.table import written
from nnscratch.kinds import checks_kinds
from nnscratch.plots.colours import COLOURS
from nnscratch.plots.panels import axes_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

VALUE, GRADIENT = COLOURS[0], COLOURS[1]  # blue, vermillion
FACES = {"input": "#E8F5F0", "constant": "0.93"}  # of boxes; the others are white
MOST = 150  # nodes that a picture has room for

# In inches, for letters of 9 points
LETTERS = 9
LETTER, LINE = 0.078, 0.165
GAP, APART, MARGIN = 0.5, 0.2, 0.2  # between columns, between the boxes of one, around them all
SWEEPS = 12
LIGHT = 0.1  # how hard inputs and constants pull; the main path then stays straight

Place = tuple[int, int]  # (node, column): the node itself, or an edge from it passing a column


@checks_kinds
def draw_graph(graph: Graph, axes: Any = None) -> Figure:
    """Draw a computation graph with the value and the gradient of every node.

    Parameters
    ----------
    graph : Graph
        After `forward` the values stand in the boxes, after `backward` the gradients too; of
        large arrays the shape and dtype.
    axes : Axes, optional
        Where to draw, as large as there is room; a figure of its own unless given.

    Returns
    -------
    matplotlib.figure.Figure
        ``figure.savefig(path)`` saves it.

    Raises
    ------
    ValueError
        It is no Graph, or has more than 150 nodes.

    References
    ----------
    Sugiyama, Tagawa and Toda, Methods for visual understanding of hierarchical system
    structures (1981).

    Examples
    --------
    >>> from nnscratch.graph import Input
    >>> x = Input("x")
    >>> graph = Graph(inputs=[x], output=x**2)
    >>> y = graph.forward(3.0)
    >>> dx, grads = graph.backward(1.0)
    >>> [text.get_text() for text in draw_graph(graph).axes[0].texts]
    ['x', 'input', '= 3', '∂ 6', 'power1', 'Power(2.0)', '= 9', '∂ 1',
     '= value', '∂ gradient']
    """
    from matplotlib.figure import Figure

    if not isinstance(graph, Graph):
        raise ValueError(f"draw_graph expected a Graph, received {graph!r}; pass nn.Graph(...)")
    if len(graph.steps) > MOST:
        raise ValueError(
            f"draw_graph has room for {MOST} nodes, {graph.title} has {len(graph.steps)}; "
            "print(graph.trace()) lists them all, a Graph used as a layer is a single node"
        )
    labels = _labels(graph)
    heights = [LINE * (len(lines) + 0.5) for lines in labels]
    column, edges = _columns(graph)
    y = _heights(column, edges, heights)
    widths = [0.0] * (max(column, default=0) + 1)
    for lines, c in zip(labels, column, strict=True):
        widths[c] = max(widths[c], LETTER * max(len(text) for text, *_ in lines) + 0.2)
    left = [MARGIN + sum(widths[:c]) + GAP * c for c in range(len(widths))]

    bottom = min(y[i, c] - heights[i] / 2 for i, c in enumerate(column)) - MARGIN - 1.5 * LINE
    top = max(y[i, c] + heights[i] / 2 for i, c in enumerate(column)) + MARGIN
    size = (max(left[-1] + widths[-1] + MARGIN, 3.2), top - bottom)
    scale = 1.0
    if axes is None:
        axes = Figure(figsize=size, dpi=125).add_axes((0, 0, 1, 1))
    else:
        axes, scale = _taken(axes, size)
    axes.set(xlim=(0, size[0]), ylim=(bottom, top))
    axes.set_axis_off()
    _draw_edges(axes, column, edges, y, left, widths, scale)
    for i, (step, lines) in enumerate(zip(graph.steps, labels, strict=True)):
        middle = left[column[i]] + widths[column[i]] / 2
        face = "white" if step.layer is not None else FACES[step.operation]
        _draw_box(axes, middle, y[i, column[i]], widths[column[i]], heights[i], face, lines, scale)
    x = MARGIN
    for text, colour in (("= value", VALUE), ("∂ gradient", GRADIENT)):
        look: dict[str, Any] = {"color": colour, "fontsize": LETTERS * scale, "parse_math": False}
        axes.text(x, bottom + 0.6 * MARGIN, text, **look)
        x += LETTER * (len(text) + 3)
    return axes.figure


def _taken(axes: Any, size: tuple[float, float]) -> tuple[Axes, float]:
    """The axes given, in the picture's shape, and how large the picture is there."""
    given = axes_of("draw_graph", axes)
    if len(given) != 1:
        raise ValueError(f"draw_graph draws into one Axes, received {len(given)}; pass one")
    (place,) = given
    place.set_box_aspect(size[1] / size[0])
    room, dpi = place.get_window_extent(), place.figure.dpi
    return place, min(room.width / size[0], room.height / size[1]) / dpi


def _labels(graph: Graph) -> list[list[tuple[str, str, str]]]:
    """The lines of each box: text, colour, weight."""
    values, grads = graph.record
    labels = []
    for step, value, grad in zip(graph.steps, values, grads, strict=True):
        lines = [(step.name, "black", "bold"), (step.operation, "0.35", "normal")]
        for sign, array, colour in (("=", value, VALUE), ("∂", grad, GRADIENT)):
            if array is not None:
                few = np.size(array) <= 3
                text = written(array, digits=4) if few else f"{np.shape(array)}"
                lines.append((f"{sign} {text}", colour, "normal"))
        labels.append(lines)
    return labels


def _columns(graph: Graph) -> tuple[list[int], list[list[list[Place]]]]:
    """Each node's column, and for each node the ways of the edges that end in it."""
    steps = graph.steps
    column = [0] * len(steps)
    first = [len(steps)] * len(steps)  # the first column in which a node's children are
    for i, step in enumerate(steps):
        column[i] = 1 + max((column[p] for p in step.parents), default=-1)
        for p in step.parents:
            first[p] = min(first[p], column[i])
    for i, step in enumerate(steps):  # inputs and constants stand right before their first use
        if step.layer is None and first[i] < len(steps):
            column[i] = first[i] - 1
    edges = [
        [[(p, c) for c in range(column[p], column[i])] + [(i, column[i])] for p in step.parents]
        for i, step in enumerate(steps)
    ]
    return column, edges


def _heights(
    column: list[int], edges: list[list[list[Place]]], heights: list[float]
) -> dict[Place, float]:
    """The height at which each place of a column is, so that edges are short and cross little."""
    layers: list[list[Place]] = [[] for _ in range(max(column, default=0) + 1)]
    room: dict[Place, float] = {}
    before: dict[Place, list[Place]] = {}
    after: dict[Place, list[Place]] = {}
    for i, c in enumerate(column):
        room[i, c] = heights[i] + APART
    for ways in edges:
        for way in ways:
            for start, end in pairwise(way):
                room.setdefault(start, 0.6 * APART)
                before.setdefault(end, []).append(start)
                after.setdefault(start, []).append(end)
    for place in room:
        layers[place[1]].append(place)
    y = dict.fromkeys(room, 0.0)
    weight = {place: 1.0 if place in before else LIGHT for place in room}
    for layer in layers:  # the first nodes on top
        _spread(sorted(layer, key=lambda place: -place[0]), y.copy(), y, room, weight)
    for sweep in range(SWEEPS):
        last = sweep >= SWEEPS - 2  # the last two look to both sides
        for layer in layers if sweep % 2 == 0 else reversed(layers):
            wanted = {}
            for place in layer:
                near = [] if sweep % 2 and not last else before.get(place, [])
                near = near + (after.get(place, []) if sweep % 2 or last else [])
                pull = sum(weight[n] for n in near)
                wanted[place] = sum(weight[n] * y[n] for n in near) / pull if near else y[place]
            order = sorted(layer, key=lambda place: (wanted[place], y[place]))
            _spread(order, wanted, y, room, weight)
    return y


def _spread(
    layer: list[Place],
    wanted: dict[Place, float],
    y: dict[Place, float],
    room: dict[Place, float],
    weight: dict[Place, float],
) -> None:
    """Put the places of a column, in this order, as near as may be to where they want to be.

    Weighted least squares with room between neighbours is isotonic regression: places that
    would overlap are pooled and share the mean of what they want.
    """
    pools: list[tuple[float, float, list[tuple[Place, float]]]] = []
    start = 0.0
    for place in layer:
        offset = start + room[place] / 2
        start += room[place]
        mean, total, members = wanted[place] - offset, weight[place], [(place, offset)]
        while pools and pools[-1][0] > mean:
            other, more, first = pools.pop()
            mean = (mean * total + other * more) / (total + more)
            total, members = total + more, first + members
        pools.append((mean, total, members))
    for mean, _, members in pools:
        for place, offset in members:
            y[place] = mean + offset


def _draw_edges(
    axes: Axes,
    column: list[int],
    edges: list[list[list[Place]]],
    y: dict[Place, float],
    left: list[float],
    widths: list[float],
    scale: float,
) -> None:
    from matplotlib.patches import FancyArrowPatch
    from matplotlib.path import Path

    for ways in edges:
        for number, way in enumerate(sorted(ways, key=lambda way: y[way[-2]])):
            x, height = left[column[way[0][0]]] + widths[column[way[0][0]]], y[way[0]]
            points, codes = [(x, height)], [Path.MOVETO]
            for place in way[1:]:
                end, level = left[place[1]], y[place]
                if place == way[-1]:
                    level += 0.13 * (number - (len(ways) - 1) / 2)
                middle = (x + end) / 2
                points += [(middle, height), (middle, level), (end, level)]
                codes += [Path.CURVE4] * 3
                x, height = end, level
                if place != way[-1]:
                    x += widths[place[1]]
                    points.append((x, height))
                    codes.append(Path.LINETO)
            axes.add_patch(
                FancyArrowPatch(
                    path=Path(points, codes),
                    arrowstyle=f"-|>,head_length={4 * scale},head_width={2 * scale}",
                    color="0.45",
                    linewidth=0.9 * scale,
                    shrinkA=0,
                    shrinkB=0,
                )
            )


def _draw_box(
    axes: Axes,
    x: float,
    y: float,
    width: float,
    height: float,
    face: str,
    lines: list[tuple[str, str, str]],
    scale: float,
) -> None:
    from matplotlib.patches import FancyBboxPatch

    box = FancyBboxPatch(
        (x - width / 2, y - height / 2),
        width,
        height,
        boxstyle="round,pad=0,rounding_size=0.06",
        facecolor=face,
        edgecolor="0.3",
        linewidth=0.9 * scale,
    )
    axes.add_patch(box)
    for number, (text, colour, weight) in enumerate(lines):
        axes.text(
            x,
            y + height / 2 - LINE * (number + 0.75),
            text,
            color=colour,
            fontweight=weight,
            fontsize=LETTERS * scale,
            ha="center",
            va="center",
            parse_math=False,
        )
