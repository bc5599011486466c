"""Models of ours in ONNX's own runtime: every layer of the registry, containers, graphs."""

import numpy as np
import pytest

import nnscratch as nn
from nnscratch.interop import onnx as interop
from nnscratch.interop.onnx.page import OPSET
from tests import graph_cases
from tests.layer_cases import CASES as REGISTRY
from tests.passes import several

onnx = pytest.importorskip("onnx")
runtime = pytest.importorskip("onnxruntime")

NOT_IN_ONNX = (nn.Inverse,)


def single(x):
    """In float32, what are floating numbers."""
    return np.asarray(x, np.float32) if np.asarray(x).dtype.kind == "f" else np.asarray(x)


CASES = [
    (case.build(), tuple(map(single, case.inputs(np.random.default_rng(0)))), case.batch_axis)
    for case in REGISTRY
]
NAMES = [f"{i}-{layer!r}".split("\n")[0] for i, (layer, *_) in enumerate(CASES)]


def run(path, *inputs):
    """What onnxruntime computes."""
    options = runtime.SessionOptions()
    options.log_severity_level = 3
    session = runtime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    names = [entry.name for entry in session.get_inputs()]
    return session.run(None, dict(zip(names, inputs, strict=True)))


def close(found, expected):
    for one, other in zip(found, several(expected), strict=True):
        assert one.shape == other.shape
        assert one.dtype == other.dtype
        np.testing.assert_allclose(one, other, 1e-5, 1e-5)


def known(layer):
    """The layer with weights and statistics that no initializer made."""
    rng = np.random.default_rng(1)
    for name, array in layer.params.items():
        layer.params[name] = rng.normal(size=array.shape)
    for name, array in layer.buffers.items():
        if array.dtype.kind == "f":
            layer.buffers[name] = rng.uniform(0.5, 2, array.shape)
    return layer


@pytest.mark.parametrize(("layer", "inputs", "batch"), CASES, ids=NAMES)
def test_every_layer_gives_the_same_in_onnxruntime(layer, inputs, batch, tmp_path):
    path = str(tmp_path / "m.onnx")
    layer = known(layer).eval()
    if isinstance(layer, NOT_IN_ONNX):
        with pytest.raises(ValueError, match=f"no counterpart of {layer!r}"):
            interop.export(layer, path, inputs)
        return
    interop.export(layer, path, inputs if len(inputs) > 1 else inputs[0])
    close(run(path, *inputs), layer.forward(*inputs))
    if batch:  # which is free
        more = [np.concatenate([x, x[:2]]) for x in inputs]
        close(run(path, *more), layer.forward(*more))


def normal(*shape):
    return np.random.default_rng(5).normal(size=shape).astype("f4")


MODELS = {
    "LeNet": (lambda: nn.lenet((1, 20, 20), 5, batch_norm=True), (normal(3, 1, 20, 20),)),
    "CNN": (lambda: nn.cnn((3, 16, 12), 7, width=4), (normal(3, 3, 16, 12),)),
    "Embedding": (
        lambda: nn.Sequential(nn.Embedding(9, 4), nn.Linear(4, 3), nn.LayerNorm(3)),
        (np.array([[1, 8], [0, 3], [4, 4]]),),
    ),
    "scanned MLP": (lambda: nn.Scan(nn.mlp([12, 5, 4]), 3, 2), (normal(3, 9, 4),)),
    "graph": (graph_cases.network, (normal(4, 3).astype("f8"),)),
}


def two_outputs():
    x, y, c = nn.Input("x"), nn.Input("y"), nn.Input("c")
    a, b = nn.Split(2, 1)(nn.Linear(4, 6, rng=0)(x))
    f = nn.Where()(c, a, 2 * y) * np.array([1, 2, 3.0])
    return nn.Graph([x, y, c], outputs=[f, b[:, ::-1], nn.Max(1)(f)])


MODELS["several inputs and outputs"] = (
    two_outputs,
    (normal(5, 4), normal(5, 3), normal(5, 3) > 0),
)


@pytest.mark.parametrize("name", MODELS)
def test_models_give_the_same_in_onnxruntime_for_batches_of_any_size(name, tmp_path):
    build, inputs = MODELS[name]
    model, path = known(build()), str(tmp_path / "m.onnx")
    interop.export(model, path, inputs)
    onnx.checker.check_model(path, full_check=True)
    for count in (None, 1):
        some = [x[:count] for x in inputs]
        close(run(path, *some), model.eval().forward(*some))
    more = [np.concatenate([x, x[:2]]) for x in inputs]
    close(run(path, *more), model.forward(*more))


def test_the_file_names_its_opset_and_its_ends(tmp_path):
    interop.export(two_outputs(), tmp_path / "m.onnx", MODELS["several inputs and outputs"][1])
    model = onnx.load(tmp_path / "m.onnx")
    assert [(entry.domain, entry.version) for entry in model.opset_import] == [("", OPSET)]
    assert [x.name for x in model.graph.input] == ["x", "y", "c"]
    assert [x.name for x in model.graph.output] == ["y1", "y2", "y3"]
    assert model.graph.output[0].type.tensor_type.shape.dim[0].dim_param == "batch"


def test_export_leaves_the_model_as_it_was(tmp_path):
    model = nn.Sequential(nn.BatchNorm(4), nn.Dropout(0.5, rng=0))
    before = model.buffers.copy()
    interop.export(model, tmp_path / "m.onnx", normal(5, 4))
    assert model.training
    assert model[0].training
    for name, array in before.items():
        np.testing.assert_array_equal(model.buffers[name], array)
    assert model[0].cache is None


class Doubled(nn.ReLU):
    """A layer of somebody's own that computes something else than its base class."""

    def forward_pass(self, x):
        y, cache = super().forward_pass(x)
        return 2 * y, cache


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (nn.Sequential(nn.Linear(3, 3), Doubled()), r"no counterpart of Doubled\(\)"),
        (nn.Sequential(nn.Inverse()), r"no counterpart of Inverse\(\)"),
        (nn.Index(np.eye(3) > 0), r"no operator for Index"),
    ],
)
def test_what_onnx_has_not_is_refused_by_name(model, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        interop.export(model, tmp_path / "m.onnx", np.eye(3, dtype="f4"))
    assert not list(tmp_path.iterdir())


def test_without_the_package_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "onnx", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'nnscratch\[onnx\]'"):
        interop.export(nn.Linear(3, 2), tmp_path / "m.onnx", normal(4, 3))


@pytest.mark.parametrize("name", ["y", "y_", "constant_1", "gemm_1", "identity_4", "a b/c:0"])
def test_an_input_may_be_called_as_a_value_of_the_file(name, tmp_path):
    x = nn.Input(name)
    graph = nn.Graph([x], nn.Linear(3, 2, rng=0)(x))
    interop.export(graph, tmp_path / "m.onnx", normal(4, 3))
    onnx.checker.check_model(str(tmp_path / "m.onnx"), full_check=True)
    close(run(tmp_path / "m.onnx", normal(4, 3)), graph.forward(normal(4, 3)))
    [output] = onnx.load(tmp_path / "m.onnx").graph.output
    assert output.name == ("y_" if name == "y" else "y")


@pytest.mark.parametrize("other", [(3, 2), (1, 3), (3,), ()])
def test_the_batch_is_free_beside_an_input_that_is_none(other, tmp_path):
    x, w = nn.Input("x"), nn.Input("w")
    graph = nn.Graph([x, w], x @ w if len(other) == 2 and other[0] == 3 else x * w)
    interop.export(graph, tmp_path / "m.onnx", (normal(4, 3), normal(*other)))
    one, two = onnx.load(tmp_path / "m.onnx").graph.input
    assert one.type.tensor_type.shape.dim[0].dim_param == "batch"
    assert [dim.dim_value for dim in two.type.tensor_type.shape.dim] == list(other)
    more = normal(6, 3), normal(*other)
    close(run(tmp_path / "m.onnx", *more), graph.forward(*more))


def test_the_batch_of_an_example_without_samples_is_free(tmp_path):
    model = nn.mlp([3, 4, 2], rng=0)
    interop.export(model, tmp_path / "m.onnx", np.zeros((0, 3), "f4"))
    close(run(tmp_path / "m.onnx", normal(5, 3)), model.eval().forward(normal(5, 3)))
