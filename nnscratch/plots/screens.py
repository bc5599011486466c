"""Where a picture that grows can be seen: below the cell of a notebook, in a window, or nowhere."""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING, Any

from nnscratch.plots.texts import DPI

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class File:
    """Nothing but a figure, which is written to a file elsewhere."""

    def __init__(self) -> None:
        from matplotlib.figure import Figure

        self.figure = Figure(dpi=DPI, layout="constrained")

    def show(self) -> None:
        """Let the picture be seen."""

    def breathe(self) -> None:
        """Do what a window was asked for meanwhile."""


class Notebook(File):
    """A picture below the cell of a notebook, replaced in its place: nothing moves or flickers."""

    def __init__(self) -> None:
        super().__init__()
        self._handle: Any = None

    def show(self) -> None:
        from IPython.display import Image, display

        content = io.BytesIO()
        self.figure.savefig(content, format="png")
        width = round(self.figure.get_size_inches()[0] * DPI)
        picture = Image(content.getvalue(), format="png", width=width)
        if self._handle is None:
            self._handle = display(picture, display_id=True)
        else:
            self._handle.update(picture)


class Window(File):
    """A window of matplotlib's; one that its user closes stays closed."""

    def __init__(self, figure: Figure) -> None:
        self.figure = figure
        self.figure.show()

    def show(self) -> None:
        if self._open:
            self.figure.canvas.draw_idle()
            self.figure.canvas.flush_events()

    def breathe(self) -> None:
        if self._open:
            self.figure.canvas.flush_events()

    @property
    def _open(self) -> bool:
        from matplotlib import pyplot

        return pyplot.fignum_exists(self.figure.number)


def screen_for(path: Any) -> File:
    """Where the curves can be seen; a ValueError if nowhere."""
    if _in_notebook():
        return Notebook()
    figure = _new_window()
    if figure is not None:
        return Window(figure)
    if path is None:
        raise ValueError(
            "LiveCurves found neither a notebook nor a display to open a window on; pass a file, "
            'LiveCurves("curves.png"), or use LogLine()'
        )
    return File()


def _in_notebook() -> bool:
    """Whether this is the kernel of a notebook, which displays pictures."""
    if "IPython" not in sys.modules:
        return False
    from IPython import get_ipython

    shell: Any = get_ipython()
    return getattr(shell, "kernel", None) is not None


def _new_window() -> Figure | None:
    """A new figure of pyplot's, if its backend shows windows."""
    from matplotlib import pyplot

    figure = pyplot.figure(dpi=DPI, layout="constrained")
    if getattr(figure.canvas, "required_interactive_framework", None) is None:
        pyplot.close(figure)
        return None
    return figure
