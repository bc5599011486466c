"""Pictures of what a run or a model did. Matplotlib is imported when the first is drawn."""

from nnscratch.plots.confusion import plot_confusion
from nnscratch.plots.curves import plot_history
from nnscratch.plots.filters import plot_feature_maps, plot_filters
from nnscratch.plots.graph_picture import draw_graph
from nnscratch.plots.predictions import plot_predictions
from nnscratch.plots.saliency import plot_saliency, saliency

__all__ = [
    "draw_graph",
    "plot_confusion",
    "plot_feature_maps",
    "plot_filters",
    "plot_history",
    "plot_predictions",
    "plot_saliency",
    "saliency",
]
