"""Pictures of what a run or a model did. Matplotlib is imported when the first is drawn.

Each makes a figure of its own and returns it; with `axes=` it draws into one's own figure instead:

    figure, (left, right) = plt.subplots(1, 2, layout="constrained")
    plot_history(history, axes=left)
    plot_confusion(predict(model, x), y, axes=right)

Pictures of curves take as many axes as they have panels, and draw the first on a single one;
pictures of many images share the place of one.
"""

from nnscratch.plots.activations import plot_activations
from nnscratch.plots.boundary import plot_decision_boundary
from nnscratch.plots.comparison import plot_comparison
from nnscratch.plots.confusion import plot_confusion
from nnscratch.plots.curves import plot_history
from nnscratch.plots.distributions import plot_distributions
from nnscratch.plots.filters import plot_feature_maps, plot_filters
from nnscratch.plots.fit import plot_fit
from nnscratch.plots.gradient_norms import plot_gradient_norms
from nnscratch.plots.graph_picture import draw_graph
from nnscratch.plots.image_rows import plot_image_rows
from nnscratch.plots.live import LiveCurves
from nnscratch.plots.matrices import plot_matrices
from nnscratch.plots.percentiles import plot_percentiles
from nnscratch.plots.predictions import plot_predictions
from nnscratch.plots.range_test import plot_range_test
from nnscratch.plots.saliency import plot_saliency, saliency
from nnscratch.plots.steps import plot_steps

__all__ = [
    "LiveCurves",
    "draw_graph",
    "plot_activations",
    "plot_comparison",
    "plot_confusion",
    "plot_decision_boundary",
    "plot_distributions",
    "plot_feature_maps",
    "plot_filters",
    "plot_fit",
    "plot_gradient_norms",
    "plot_history",
    "plot_image_rows",
    "plot_matrices",
    "plot_percentiles",
    "plot_predictions",
    "plot_range_test",
    "plot_saliency",
    "plot_steps",
    "saliency",
]
