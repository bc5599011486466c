"""A backend for matplotlib that has windows which nobody sees, and counts what is asked of them."""

from matplotlib.backend_bases import FigureManagerBase
from matplotlib.backends.backend_agg import FigureCanvasAgg

asked = []  # what the canvases were asked for, in order


class FigureManager(FigureManagerBase):
    def show(self):
        asked.append("show")


class FigureCanvas(FigureCanvasAgg):
    required_interactive_framework = "headless"
    manager_class = FigureManager

    def draw_idle(self):
        asked.append("draw")
        self.draw()

    def flush_events(self):
        asked.append("flush")
