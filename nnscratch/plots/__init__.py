"""Pictures of what a run or a model did. Matplotlib is imported when the first is drawn."""

from nnscratch.plots.curves import plot_history
from nnscratch.plots.graph_picture import draw_graph

__all__ = ["draw_graph", "plot_history"]
