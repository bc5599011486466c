"""Right calls of the functions: metrics, models, files, data, pictures."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

import nnscratch as nn
from nnscratch import data, initializers, plots
from tests.misuse.call import Call, call, others
from tests.misuse.things import FOLDER, history, idx, images, labels, model, normal, saved


def functions() -> Iterator[Call]:
    yield call("accuracy", nn.accuracy, prediction=normal(4, 3), labels=labels)
    yield call(
        "confusion_matrix", nn.confusion_matrix, prediction=normal(4, 3), labels=labels, classes=3
    )
    yield call("top_k_accuracy", nn.top_k_accuracy, scores=normal(4, 3), labels=labels, k=2)
    yield call(
        "precision_recall_f1",
        nn.precision_recall_f1,
        labels=labels,
        predicted=labels,
        average="macro",
        classes=3,
    )
    yield call(
        "mean_squared_error", nn.mean_squared_error, target=normal(4, 3), prediction=normal(4, 3)
    )
    yield call("r2_score", nn.r2_score, target=normal(4, 3), prediction=normal(4, 3))
    yield call(
        "ctc_decode",
        nn.ctc_decode,
        scores=normal(2, 6, 4),
        lengths=np.array([6, 5]),
        beam=2,
        blank=0,
    )
    yield call("clip_norm", nn.clip_norm, grads=lambda: {"W": normal(4, 3)}, largest=1.0)
    yield call("flatten", nn.flatten, model=model)
    yield call("summary", lambda model, x: nn.summary(model, x), model=model, x=normal(4, 3))
    yield call("observe", lambda model: nn.observe(model).__enter__(), model=model)
    yield call(
        "jacobian",
        lambda layer, x, wrt, layout: nn.jacobian(layer, x, wrt=wrt, layout=layout),
        layer=model,
        x=normal(4, 3),
        wrt=0,
        layout="tensor",
    )
    yield call("numerical_jacobian", nn.numerical_jacobian, f=lambda: np.square, x=normal(4, 3))
    yield call(
        "check_gradients",
        lambda layer, x, dy, rng: nn.check_gradients(layer, x, dy=dy, rng=rng),
        layer=model,
        x=normal(4, 3),
        dy=None,
        rng=0,
    )
    yield call(
        "assert_gradients",
        lambda layer, x: nn.assert_gradients(layer, x),
        layer=model,
        x=normal(4, 3),
    )
    yield call(
        "mlp", nn.mlp, sizes=lambda: [3, 4, 2], activation=lambda: nn.ReLU, dropout=0.1, rng=0
    )
    yield call("cnn", nn.cnn, image_shape=(1, 8, 8), classes=3, width=4, dropout=0.1, rng=0)
    yield call("lenet", nn.lenet, image_shape=(1, 28, 28), classes=3, batch_norm=False, rng=0)
    yield call("build", nn.build, text="Linear(3, 2)", layers=(), rng=0)
    yield call("save", nn.save, model=model, path=FOLDER / "a.npz", names=None)
    yield call("load", nn.load, model=model, path=saved, names=None)
    yield call("load_model", nn.load_model, path=saved, layers=())
    yield call("load_dataset", nn.load_dataset, name="digits", root=None, split=None, label=None)
    yield call("load_idx", nn.load_idx, path=idx)
    yield call(
        "minibatches",
        nn.minibatches,
        x=normal(4, 3),
        y=labels,
        batch_size=2,
        rng=0,
        drop_last=False,
    )
    yield call(
        "stratified_split", nn.stratified_split, labels=lambda: np.array([0, 1] * 6), count=2, rng=0
    )
    yield call("Images", data.Images, pixels=np.zeros((2, 1, 4, 4), np.uint8))
    for name in ("spirals", "moons", "sines", "addition", "reversals"):
        yield call(name, getattr(data, name), samples=10, rng=0)
    yield call("text", data.text, path=None)
    yield call("fetch_dataset", data.fetch_dataset, name="digits", root=None, progress=False)
    for name in ("ShiftAndFlip", "Rotate", "Crop", "Cutout", "Mixup"):
        kind = getattr(data, name)
        yield Call(name, kind, others(kind, {}))
    for name in ("he_normal", "glorot_uniform"):
        yield call(name, getattr(initializers, name), shape=(4, 3), rng=0)


def pictures() -> Iterator[Call]:
    yield call("plot_history", plots.plot_history, history=history)
    yield call(
        "plot_comparison", plots.plot_comparison, histories=lambda: {"a": history(), "b": history()}
    )
    yield call("plot_confusion", plots.plot_confusion, matrix=np.eye(3, dtype=int))
    yield call("plot_matrices", plots.plot_matrices, matrices=normal(2, 4, 3))
    yield call(
        "plot_fit", plots.plot_fit, model=lambda: nn.Linear(1, 1), x=normal(4, 1), y=normal(4, 1)
    )
    yield call("plot_filters", plots.plot_filters, model=images)
    yield call(
        "plot_decision_boundary",
        plots.plot_decision_boundary,
        model=lambda: nn.Linear(2, 3),
        x=normal(4, 2),
        y=labels,
    )
