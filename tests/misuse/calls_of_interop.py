"""Right calls of what needs another package, as far as that is there."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator

import numpy as np

from tests.misuse.call import Call, call
from tests.misuse.things import FOLDER, model, normal


def interop() -> Iterator[Call]:
    if importlib.util.find_spec("onnx"):
        from nnscratch.interop import onnx

        onnx.export(model(), FOLDER / "right.onnx", np.zeros((2, 3), np.float32))
        yield call("export", onnx.export, model=model, path=FOLDER / "a.onnx", x=normal(4, 3))
        yield call("load", onnx.load, path=FOLDER / "right.onnx")
    if importlib.util.find_spec("tensorboardX"):
        from nnscratch.interop import tensorboard

        yield call("Writer", tensorboard.Writer, folder=FOLDER / "board", weights=False)
