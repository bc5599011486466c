"""Differences of cumulative sums, and a loop; curves drawn in the other order."""

import numpy as np


def moving_average(values, window):
    sums = np.concatenate([[0.0], np.cumsum(values)])
    return (sums[window:] - sums[:-window]) / window


def draw_losses(axes, losses, window):
    means = [np.mean(losses[i : i + window]) for i in range(len(losses) - window + 1)]
    axes.set_ylabel("loss")
    axes.set_xlabel("step")
    axes.plot(range(window, len(losses) + 1), means, "r-", label="average")
    axes.plot([i + 1 for i in range(len(losses))], list(losses), label="loss", alpha=0.4)
    axes.legend(loc="upper right")
