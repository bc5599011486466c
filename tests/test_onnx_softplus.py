"""Softplus as torch's exporter writes it: with a threshold, beyond which it is x itself."""

import numpy as np
import pytest

from nnscratch.interop import onnx as interop
from tests.test_onnx_export import normal, run
from tests.test_onnx_load import close, node, write

NODES = [
    node("Softplus", "x", "s"),
    node("Greater", "x t", "c"),
    node("Where", "c x s"),
]


def copied(nodes):
    """As reading changes them."""
    return [type(one).FromString(one.SerializeToString()) for one in nodes]


def test_a_softplus_with_a_threshold_is_one_layer(tmp_path):
    threshold = ("t", np.array(20, "f4"))
    path = write(tmp_path / "m.onnx", copied(NODES), [threshold], opset=17, ir_version=8)
    graph, x = interop.load(path), 30 * normal(5, 3)
    assert [str(layer) for layer in graph] == ["Softplus()"]
    close(graph.forward(x), run(path, x)[0])


@pytest.mark.parametrize(
    ("nodes", "threshold"),
    [
        (NODES, 2),
        ([*NODES[:2], node("Where", "c s x")], 20),
        ([*NODES, node("Cast", "c", "z", to=1)], 20),
    ],
)
def test_other_comparisons_are_refused(nodes, threshold, tmp_path):
    path = write(tmp_path / "m.onnx", copied(nodes), [("t", np.array(threshold, "f4"))])
    with pytest.raises(ValueError, match=r"Greater: there is no such operator here"):
        interop.load(path)
