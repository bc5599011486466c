"""Pictures of what a run or a model did. Matplotlib is imported when the first is drawn."""

from nnscratch.plots.curves import plot_history

__all__ = ["plot_history"]
