"""Published architectures in ONNX files, as the package onnx carries them, read and written back.

Their weights are left out there, one constant for each array; here they are drawn anew.
"""

from pathlib import Path

import numpy as np
import pytest

from nnscratch.interop import onnx as interop
from tests.test_onnx_export import run

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

FOLDER = Path(onnx.__file__).parent / "backend" / "test" / "data" / "light"
NAMES = ["squeezenet", "shufflenet", "resnet50", "densenet121", "inception_v2"]


def drawn(name, path):
    """The file with weights of a size at which signals neither grow nor fade."""
    model = onnx.load(FOLDER / f"light_{name}.onnx")
    rng = np.random.default_rng(0)
    shapes = {t.name: onnx.numpy_helper.to_array(t) for t in model.graph.initializer}
    nodes = []
    for node in model.graph.node:
        if node.op_type != "ConstantOfShape" or node.input[0] not in shapes:
            nodes.append(node)
            continue
        shape = shapes[node.input[0]]
        weights = rng.uniform(0.5, 1.5, shape)  # variances among them
        if len(shape) > 1:
            weights = rng.normal(size=shape) / np.sqrt(np.prod(shape[1:]))
        tensor = onnx.numpy_helper.from_array(weights.astype("f4"), node.output[0])
        model.graph.initializer.append(tensor)
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    onnx.save(model, path)


@pytest.mark.parametrize("name", NAMES)
def test_a_published_architecture_gives_what_it_gives_elsewhere(name, tmp_path):
    drawn(name, tmp_path / "m.onnx")
    graph = interop.load(tmp_path / "m.onnx")
    x = np.random.default_rng(1).normal(size=(1, 3, 224, 224)).astype("f4")
    y = graph.forward(x)
    assert np.ptp(y) > 0
    (expected,) = run(tmp_path / "m.onnx", x)
    scale = np.abs(expected).max()
    np.testing.assert_allclose(y / scale, expected / scale, 0, 1e-5)
    interop.export(graph, tmp_path / "again.onnx", x)
    (again,) = run(tmp_path / "again.onnx", x)
    np.testing.assert_allclose(again / scale, expected / scale, 0, 1e-5)
