"""Images on a sheet: places counted in pixels, so that every pixel of an image is a sharp square.

What the pictures of filters, maps, gradients and predictions share: where images and texts stand.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nnscratch.kinds import as_array
from nnscratch.layers.base import floating
from nnscratch.plots.colours import colour_map, drawable
from nnscratch.plots.panels import axes_of
from nnscratch.plots.texts import DPI, line_height, text_width, wrapped

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.image import AxesImage

MARGIN, GAP = 14, 6
NARROWEST, WIDEST = 360, 1150  # a title needs some room, even above a single small image
LOWEST_BAR, HIGHEST_BAR = 90, 240
BAR = 13  # the width of a colour bar
TITLE, NORMAL, SMALL = 11.0, 8.0, 7.0  # letters, in points


class Sheet:
    """A figure with a title, and below it room for so many pixels of content.

    Parameters
    ----------
    width, height : int
        Of the content; places are counted from its upper left corner, downwards.
    title, note : str
        The note is in smaller letters, below the title.
    axes : Axes, optional
        Whose place it takes instead of a figure of its own, as large as it has room there.
    caller : str
        Who was given them.
    """

    def __init__(
        self,
        width: int,
        height: int,
        title: str,
        note: str = "",
        axes: Any = None,
        caller: str = "",
    ) -> None:
        from matplotlib.figure import Figure

        self.host: Axes | None = None
        self.scale = 1.0
        room = max(width, NARROWEST)
        heading, notes = wrapped(title, room, TITLE), wrapped(note, room, SMALL)
        below_heading = MARGIN + len(heading) * line_height(TITLE)
        self.left = MARGIN + (room - width) // 2
        self.top = below_heading + len(notes) * line_height(SMALL) + GAP
        self.width, self.height = room + 2 * MARGIN, self.top + height + MARGIN
        if axes is not None:
            self._take_place(caller, axes)
        else:
            self.figure = Figure(figsize=(self.width / DPI, self.height / DPI), dpi=DPI)
        if heading and self.host is None:
            y = 1 - MARGIN / self.height
            self.figure.suptitle("\n".join(heading), y=y, fontsize=TITLE, parse_math=False)
        elif heading:
            above = MARGIN - self.top
            self.write(width / 2, above, "\n".join(heading), TITLE, "center", "top")
        self.write(width / 2, below_heading - self.top, "\n".join(notes), SMALL, "center", "top")

    def _take_place(self, caller: str, axes: Any) -> None:
        """Lay the sheet over the axes given, which become an invisible frame of its shape."""
        given = axes_of(caller, axes)
        if len(given) != 1:
            raise ValueError(f"{caller} draws into one Axes, received {len(given)}; pass one")
        (self.host,) = given
        self.figure = self.host.figure  # type: ignore[assignment]  # or a part of one
        self.host.set_axis_off()
        self.host.set_box_aspect(self.height / self.width)
        room = self.host.get_window_extent()
        pixels = self.host.get_figure().dpi / DPI  # type: ignore[union-attr]  # it has one
        self.scale = min(room.width / self.width, room.height / self.height) / pixels

    def points(self, size: float) -> float:
        """The size of letters that are `size` on a sheet of its natural size."""
        return size * self.scale

    def axes(self, left: float, top: float, width: float, height: float) -> Axes:
        x, y = self.left + left, self.height - self.top - top - height
        w, h = self.width, self.height
        place = (x / w, y / h, width / w, height / h)
        return self.figure.add_axes(place) if self.host is None else self.host.inset_axes(place)

    def show(
        self,
        left: float,
        top: float,
        size: tuple[int, int],
        image: np.ndarray,
        limits: tuple[float, float] = (0, 1),
        colours: str = "gray",
    ) -> AxesImage:
        """Show an image (height, width) or (height, width, 3) on axes of (height, width) pixels."""
        axes = self.axes(left, top, size[1], size[0])
        axes.xaxis.set_visible(False)
        axes.yaxis.set_visible(False)
        axes.spines[:].set(color="0.6", linewidth=0.5)
        smaller = size[0] < image.shape[0] or size[1] < image.shape[1]
        return axes.imshow(
            drawable(image),
            cmap=colour_map(colours),
            vmin=limits[0],
            vmax=limits[1],
            interpolation="antialiased" if smaller else "nearest",
            aspect="auto",  # the axes have the image's shape
        )

    def write(
        self, x: float, y: float, text: str, size: float, ha: str, va: str, **look: Any
    ) -> None:
        """Write a text at a place of the content."""
        if text:
            x, y = (self.left + x) / self.width, 1 - (self.top + y) / self.height
            look |= {"fontsize": self.points(size), "ha": ha, "va": va, "parse_math": False}
            if self.host is None:
                self.figure.text(x, y, text, **look)
            else:
                self.host.text(x, y, text, transform=self.host.transAxes, **look)

    def colour_bar(
        self,
        left: float,
        top: float,
        height: int,
        of: AxesImage,
        ticks: Sequence[float],
        label: str,
    ) -> None:
        """Draw the scale of an image's colours, `bar_width(ticks)` pixels wide."""
        axes = self.axes(left + 2 * GAP, top, BAR, height)
        bar = self.figure.colorbar(of, cax=axes)
        bar.set_ticks(list(ticks), labels=[f"{tick:.3g}" for tick in ticks])
        bar.minorticks_off()
        axes.tick_params(labelsize=self.points(SMALL))
        bar.set_label(label, fontsize=self.points(SMALL))


class Block:
    """Images of one size in strips that belong together, each with its number at the left.

    Several strips stand side by side; above the first line of strips with several images stand
    the images' numbers.
    """

    def __init__(self, strips: Sequence[Sequence[np.ndarray]]) -> None:
        self.strips = strips
        shape, images = strips[0][0].shape[:2], len(strips) * len(strips[0])
        wanted = min(96 if images <= 16 else 64, int(800 / math.sqrt(images)))
        self.size = enlarged(shape, max(wanted, min(max(shape), 96)))
        self.above = line_height(SMALL) if len(strips[0]) > 1 else 0
        self.number = round(text_width(str(len(strips) - 1), SMALL)) + 2 * GAP
        self.step = self.number + len(strips[0]) * (self.size[1] + GAP)
        self.columns = per_line(len(strips), self.step, self.size[0] + GAP)
        self.lines = -(-len(strips) // self.columns)
        self.width = self.columns * self.step
        self.height = self.above + self.lines * (self.size[0] + GAP) - GAP
        self.bar_height = min(max(self.height, LOWEST_BAR), HIGHEST_BAR)

    def draw(self, sheet: Sheet, left: int, limits: tuple[float, float], colours: str) -> AxesImage:
        """Draw it at a place of the sheet; the last of the images is returned for its scale."""
        for i, strip in enumerate(self.strips):
            x = left + i % self.columns * self.step + self.number
            y = self.above + i // self.columns * (self.size[0] + GAP)
            middle = y + self.size[0] / 2
            sheet.write(x - GAP, middle, str(i), SMALL, "right", "center_baseline")
            for k, image in enumerate(strip):
                if len(strip) > 1 and i < self.columns:
                    sheet.write(x + self.size[1] / 2, y - 2, str(k), SMALL, "center", "bottom")
                last = sheet.show(x, y, self.size, image, limits, colours)
                x += self.size[1] + GAP
        return last


# Sizes and places -----------------------------------------------------------------------------


def enlarged(shape: tuple[int, ...], wanted: int) -> tuple[int, int]:
    """(height, width) in pixels near `wanted`: enlarged by a whole factor, where not shrunk."""
    height, width = shape
    longer = max(shape)
    factor = wanted // longer if longer <= wanted else wanted / longer
    return max(1, round(height * factor)), max(1, round(width * factor))


def per_line(count: int, width: float, height: float) -> int:
    """How many cells of a size to put side by side, for a block that is rather wide than high."""

    def ugliness(columns: int) -> float:
        lines = -(-count // columns)
        form = math.log(columns * width / (lines * height) / 1.6)
        return abs(form) + 2 * (columns * lines - count) / columns

    fitting = range(1, max(1, min(count, int(WIDEST // width))) + 1)
    return min(fitting, key=ugliness)


def quarters(low: float, high: float) -> list[float]:
    """The numbers beside a colour bar: its ends, its middle, and those between."""
    return [float(tick) for tick in np.linspace(low, high, 5)]


def bar_width(ticks: Sequence[float]) -> int:
    """The width of a colour bar, with the gap before it, its numbers and its label."""
    numbers = max(text_width(f"{tick:.3g}", SMALL) for tick in ticks)
    return 2 * GAP + BAR + math.ceil(numbers) + 3 * GAP + line_height(SMALL)


# What is passed -------------------------------------------------------------------------------


def as_images(caller: str, images: Any) -> np.ndarray:
    """Images (count, channels, height, width), from those or a single one without count."""
    images = as_array(images)
    if images.ndim == 3:
        images = images[np.newaxis]
    if images.ndim != 4 or images.size == 0:
        raise ValueError(
            f"{caller} expected images (count, channels, height, width) or one "
            f"(channels, height, width), received {images.shape}; "
            "reshape them, gray images have one channel"
        )
    return images if images.dtype.kind in "u" else floating(images)


def names_of(caller: str, class_names: Sequence[str] | None, classes: int | None) -> list[str]:
    """The name of every class: the given ones, or else the numbers."""
    if class_names is None:
        return [str(k) for k in range(classes or 0)]
    classes = max(len(class_names), 1) if classes is None else classes
    if isinstance(class_names, str) or len(class_names) != classes:
        raise ValueError(
            f"{caller} expected one class name for each of {classes} classes, "
            f"received {class_names!r}; pass a list of {classes} names"
        )
    return [str(name) for name in class_names]
