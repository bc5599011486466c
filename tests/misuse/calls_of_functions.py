"""Right calls of the functions: metrics, models, files, data, initializers."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

import nnscratch as nn
from nnscratch import data, initializers
from tests.misuse.call import Call, call, made, others
from tests.misuse.things import FOLDER, idx, labels, model, normal, saved


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
    needed = {"ShiftAndFlip": {}, "Rotate": {"degrees": 9}, "Crop": {}, "Cutout": {"size": 2}}
    for name, places in {**needed, "Mixup": {"classes": 3}}.items():
        kind = getattr(data, name)
        yield Call(name, kind, others(kind, {}) | {k: made(v) for k, v in places.items()})
        given = {"x": made(normal(4, 1, 8, 8)), "rng": lambda: np.random.default_rng(0)}
        given |= {"y": labels} if name == "Mixup" else {}
        yield Call(f"{name} call", lambda kind=kind, p=places, **a: kind(**p)(**a), given)
    text = data.Text("banana")
    yield call("Text", data.Text, content="banana")
    yield call("Text.encode", text.encode, content="ban")
    yield call("Text.decode", text.decode, codes=np.array([0, 1]))
    yield call("Text.windows", text.windows, length=2, step=1, one_hot=False)
    for name in [
        "glorot_normal",
        "glorot_uniform",
        "he_normal",
        "he_uniform",
        "lecun_normal",
        "lecun_uniform",
        "zeros",
    ]:
        yield call(name, getattr(initializers, name), shape=(4, 3), rng=0)
    yield call("normal", initializers.normal, deviation=0.1)
    yield call("glorot", initializers.glorot, gain=2.0)
    yield call("centered", initializers.centered, initializer=lambda: initializers.he_normal)
    yield call("fans", initializers.fans, shape=(4, 3))
    yield call(
        "for_activation", initializers.for_activation, activation=lambda: nn.ReLU, behind=None
    )
    yield call("Layer.train", lambda mode: model().train(mode), mode=True)
    yield call("Layer.astype", lambda dtype: model().astype(dtype), dtype=np.float64)
