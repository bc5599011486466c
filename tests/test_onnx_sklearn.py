"""Files as scikit-learn's converters write them: scaled inputs, and labels beside probabilities."""

import numpy as np
import pytest

import nnscratch as nn
from nnscratch.interop import onnx as interop
from tests.test_onnx_export import normal
from tests.test_onnx_load import close, node, write

onnx = pytest.importorskip("onnx")

CLASSIFIER = {
    "nodes": [
        node("MatMul", "x W", "scores"),
        node("Softmax", "scores", "probabilities"),
        node("ArgMax", "probabilities", "label", name="best"),
    ],
    "constants": [("W", normal(3, 2))],
    "outputs": ("label", "probabilities"),
}


def test_outputs_that_can_be_read_are_told_and_read(tmp_path):
    path = write(tmp_path / "m.onnx", **CLASSIFIER)
    told = r"'best' \(ArgMax\): there is no such operator here; load\(path, outputs=\['probabili"
    with pytest.raises(ValueError, match=told):
        interop.load(path)
    x = normal(4, 3)
    expected = nn.Softmax().forward(x @ normal(3, 2))
    close(interop.load(path, outputs=["probabilities"]).forward(x), expected)
    both = interop.load(path, outputs=("probabilities", "scores"))  # which the file keeps inside
    close(both.forward(x), (expected, x @ normal(3, 2)))
    close(interop.load(path, "scores").forward(x), x @ normal(3, 2))
    with pytest.raises(ValueError, match=r"no value is called 'scored'; the outputs are \['label'"):
        interop.load(path, outputs=["scored"])


def test_a_scaler_of_scikit_learn_is_a_formula(tmp_path):
    scaler = node("Scaler", "x", offset=[1.0, 2.0, -3.0], scale=[0.5, 2.0, 1.0])
    scaler.domain = "ai.onnx.ml"
    x = normal(4, 3)
    found = interop.load(write(tmp_path / "m.onnx", [scaler])).forward(x)
    close(found, (x - np.array([1, 2, -3], "f4")) * np.array([0.5, 2, 1], "f4"))
