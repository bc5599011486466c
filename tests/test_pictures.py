"""What holds for every picture with images."""

import subprocess
import sys

import numpy as np

from nnscratch.plots import (
    plot_confusion,
    plot_feature_maps,
    plot_predictions,
    plot_saliency,
)
from nnscratch.plots.texts import shortened, text_width
from tests.picture_checks import png, random
from tests.picture_nets import conv_net


def test_a_shortened_text_keeps_both_ends_and_has_room():
    for width in (40, 80, 150):
        text = shortened("a class whose name goes on, number 17", width, 8.0)
        assert text_width(text, 8.0) <= width
        assert text[0] == "a" and text[-1] == "7" and "…" in text
    assert shortened("short", 150, 8.0) == "short"


def test_arguments_are_left_as_they_were():
    model, x, labels = conv_net(), random(3, 1, 6, 6), np.array([0, 1, 2])
    x.flags.writeable = labels.flags.writeable = False
    y = model.forward(x)
    y.flags.writeable = False
    for figure in (
        plot_feature_maps(model, x[:1], 0),
        plot_saliency(model, x, labels),
        plot_predictions(x, y, labels),
        plot_confusion(y, labels),
    ):
        png(figure)


def test_neither_pyplot_nor_matplotlib_is_imported_too_early():
    code = """
import io, sys
import numpy as np
import nnscratch as nn
nn.plots.saliency(nn.Linear(3, 2), np.ones((1, 3)))
assert "matplotlib" not in sys.modules
x = np.ones((2, 1, 4, 4))
for figure in (
    nn.plots.plot_filters(x),
    nn.plots.plot_feature_maps(nn.Identity(), x[0], ""),
    nn.plots.plot_saliency(nn.mlp([16, 2]), x),
    nn.plots.plot_confusion([0, 1], [0, 0]),
    nn.plots.plot_predictions(x, [0, 1], [0, 0]),
    nn.plots.plot_image_rows({"a": x}),
    nn.plots.plot_activations(nn.Tanh()),
    nn.plots.plot_decision_boundary(nn.Linear(2, 2), x[0, 0, :, :2], [0, 1, 0, 1]),
    nn.plots.plot_distributions(nn.mlp([16, 2]), nn.SoftmaxCrossEntropy(), x, [0, 1]),
    nn.plots.plot_gradient_norms({"a": [1.0, 2.0]}),
    nn.plots.plot_comparison({"a": {"train_loss": [1.0]}}, ["train_loss"]),
    nn.plots.plot_fit(nn.Tanh(), x[0, 0, :, :1], x[0, 0, :, :1]),
    nn.plots.plot_percentiles({"a": x[:, 0, 0]}),
):
    figure.savefig(io.BytesIO())
assert "matplotlib.pyplot" not in sys.modules
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
