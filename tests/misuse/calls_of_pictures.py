"""Right calls of all that draws."""

from __future__ import annotations

from collections.abc import Iterator

import nnscratch as nn
from nnscratch import plots
from tests.misuse.call import Call, call, others
from tests.misuse.things import FOLDER, history, images, labels, model, normal, parts


def graph():
    x = nn.Input("x")
    return nn.Graph([x], nn.ReLU()(x))


def found():
    m, loss, optimizer = parts()
    return nn.learning_rate_range_test(
        m, loss, optimizer, normal(4, 3), labels(), steps=20, batch_size=2
    )


def pictures() -> Iterator[Call]:
    """Each with all of its arguments."""
    shown = {"images": normal(4, 1, 8, 8), "labels": labels}
    needed = {
        "draw_graph": {"graph": graph},
        "plot_comparison": {"runs": lambda: {"a": history(), "b": [history(), history()]}},
        "plot_confusion": {"prediction": normal(4, 3), "labels": labels},
        "plot_decision_boundary": {
            "model": lambda: nn.Linear(2, 3),
            "x": normal(4, 2),
            "y": labels,
        },
        "plot_distributions": {
            "model": model,
            "loss": lambda: nn.SoftmaxCrossEntropy(),
            "x": normal(4, 3),
            "y": labels,
        },
        "plot_feature_maps": {"model": images, "x": normal(1, 8, 8)},
        "plot_filters": {"weights_or_layer": lambda: images()[0]},
        "plot_fit": {"model": lambda: nn.Linear(1, 1), "x": normal(4, 1), "y": normal(4, 1)},
        "plot_gradient_norms": {"norms": lambda: {"a": [1.0, 2.0], "b": [2.0, 0.1]}},
        "plot_image_rows": {"rows": lambda: {"a": normal(3, 1, 4, 4)}},
        "plot_matrices": {"matrices": lambda: {"a": normal(4, 3)}},
        "plot_percentiles": {"samples": lambda: {"a": normal(5, 9)}},
        "plot_predictions": {"prediction": normal(4, 3), **shown},
        "plot_range_test": {"found": found},
        "plot_saliency": {"model": images, **shown},
        "saliency": {"model": images, "x": normal(4, 1, 8, 8)},
    }
    for name, arguments in needed.items():
        function = getattr(plots, name)
        tried = call(name, function, **arguments)
        tried.arguments |= others(function, arguments)
        yield tried
    for name in ("plot_history", "plot_steps"):
        function = getattr(plots, name)
        tried = call(name, lambda histories, function=function, **o: function(histories, **o))
        tried.arguments = {"histories": steps, **others(function, {})}
        yield tried
    tried = call("plot_activations", lambda layers, **o: plots.plot_activations(layers, **o))
    tried.arguments = {"layers": nn.ReLU, **others(plots.plot_activations, {})}
    yield tried
    tried = call("LiveCurves", plots.LiveCurves, path=FOLDER / "live.png")
    tried.arguments |= others(plots.LiveCurves, {"path"})
    yield tried


def steps():
    kept = history()
    kept.steps["loss"] = [3.0, 2.5, 2.0]
    return kept
