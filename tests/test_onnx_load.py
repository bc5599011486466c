"""ONNX files read as graphs: our own, torch's, ONNX's tests of its operators, and hostile ones."""

import contextlib
import warnings

import numpy as np
import pytest

import nnscratch as nn
from nnscratch.interop import onnx as interop
from tests.passes import several
from tests.test_onnx_export import CASES, MODELS, NAMES, NOT_IN_ONNX, known, run

onnx = pytest.importorskip("onnx")
helper = onnx.helper


def close(found, expected):
    for one, other in zip(several(found), several(expected), strict=True):
        np.testing.assert_allclose(one, other, 1e-5, 1e-5)


KNOWN = [i for i, (layer, *_) in enumerate(CASES) if not isinstance(layer, NOT_IN_ONNX)]


@pytest.mark.parametrize(
    ("layer", "inputs", "batch"), [CASES[i] for i in KNOWN], ids=[NAMES[i] for i in KNOWN]
)
def test_every_layer_comes_back(layer, inputs, batch, tmp_path):
    layer = known(layer).eval()
    interop.export(layer, tmp_path / "m.onnx", inputs)
    graph = interop.load(tmp_path / "m.onnx")
    close(graph.forward(*inputs), layer.forward(*inputs))
    if batch:
        more = [np.concatenate([x, x[:2]]) for x in inputs]
        close(graph.forward(*more), layer.forward(*more))


@pytest.mark.parametrize("name", MODELS)
def test_models_come_back(name, tmp_path):
    build, inputs = MODELS[name]
    model = known(build()).eval()
    interop.export(model, tmp_path / "m.onnx", inputs)
    graph = interop.load(tmp_path / "m.onnx")
    for some in (inputs, [x[:1] for x in inputs]):
        found, expected = graph.forward(*some), model.forward(*some)
        pairs = (
            zip(found, expected, strict=True) if isinstance(found, tuple) else [(found, expected)]
        )
        for one, other in pairs:
            np.testing.assert_allclose(one, other, 1e-5, 1e-5)


def test_no_test_of_onnx_gives_other_numbers():
    """Its tests of single operators: all that are read agree."""
    from tests import onnx_backend

    found = onnx_backend.tally()
    wrong = {name: text for name, text in found.items() if text.startswith(onnx_backend.FAILED)}
    assert not wrong
    assert sum(text == onnx_backend.PASSED for text in found.values()) >= 400


def write(path, nodes, constants=(), inputs=None, outputs=("y",), opset=21, **more):
    """A small file: x (batch, 3) to y."""
    kind = onnx.TensorProto.FLOAT
    inputs = [("x", ["batch", 3])] if inputs is None else inputs
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info(name, kind, shape) for name, shape in inputs],
        [helper.make_tensor_value_info(name, kind, None) for name in outputs],
        [
            t if isinstance(t, onnx.TensorProto) else onnx.numpy_helper.from_array(t[1], t[0])
            for t in constants
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], **more)
    path.write_bytes(model.SerializeToString())
    return path


def node(kind, inputs, outputs="y", **attributes):
    return helper.make_node(kind, inputs.split(), outputs.split(), **attributes)


def tensor(dims, raw=b"", kind=onnx.TensorProto.FLOAT, **more):
    found = onnx.TensorProto(name="W", dims=dims, data_type=kind, **more)
    if not more:
        found.raw_data = raw
    return found


def ints(name, *numbers):
    return name, np.array(numbers, np.int64)


def external(location):
    found = tensor([3, 3], data_location=onnx.TensorProto.EXTERNAL)
    found.external_data.add(key="location", value=location)
    return found


def matmul(W):
    return {"nodes": [node("MatMul", "x W")], "constants": [W]}


IF = helper.make_graph([node("Relu", "x")], "g", [], [])
HOSTILE = {
    "cycle": {"nodes": [node("Relu", "b", "a"), node("Relu", "a", "b"), node("Relu", "b")]},
    "loop of one": {"nodes": [node("Relu", "y")]},
    "given twice": {"nodes": [node("Relu", "x"), node("Tanh", "x")]},
    "nothing gives it": {"nodes": [node("Relu", "z")]},
    "no output": {"nodes": [node("Relu", "x", "a")], "outputs": ()},
    "missing output": {"nodes": [node("Relu", "x", "a")]},
    "huge tensor": matmul(tensor([10**9, 10**9])),
    "overflowing tensor": matmul(tensor([2**32, 2**32])),
    "negative tensor": matmul(tensor([-3, -3], bytes(36))),
    "short tensor": matmul(tensor([3, 3], bytes(35))),
    "text in a tensor": matmul(tensor([1], kind=onnx.TensorProto.STRING, string_data=[b"x"])),
    "external": matmul(external("weights.bin")),
    "external above": matmul(external("../../../../../etc/passwd")),
    "external absolute": matmul(external("/etc/passwd")),
    "huge input": {"nodes": [node("Relu", "x")], "inputs": [("x", [10**9, 10**9])]},
    "input without rank": {"nodes": [node("Relu", "x")], "inputs": [("x", None)]},
    "huge constant": {
        "nodes": [node("ConstantOfShape", "n", "c"), node("Add", "x c")],
        "constants": [ints("n", 10**6, 10**6)],
    },
    "huge range": {
        "nodes": [node("Range", "a b d", "c"), node("Add", "x c")],
        "constants": [(n, np.array(v)) for n, v in zip("abd", (0, 10**14, 1), strict=True)],
    },
    "huge tile": {"nodes": [node("Tile", "x n")], "constants": [ints("n", 10**6, 10**6)]},
    "huge expand": {"nodes": [node("Expand", "x n")], "constants": [ints("n", 10**12, 1, 3)]},
    "huge padding": {
        "nodes": [node("Pad", "x n")],
        "constants": [ints("n", 0, 0, 10**12, 0, 0, 0)],
        "inputs": [("x", ["batch", 3, 4])],
    },
    "huge padding of a convolution": {
        "nodes": [node("Conv", "x W", pads=[10**12, 0])],
        "constants": [("W", np.ones((2, 3, 2), "f4"))],
        "inputs": [("x", ["batch", 3, 4])],
    },
    "huge padding with a number": {
        "nodes": [node("Pad", "x n v")],
        "constants": [ints("n", 0, 0, 10**9, 0, 0, 10**9), ("v", np.ones((), "f4"))],
        "inputs": [("x", ["batch", 3, 4])],
    },
    "huge number of groups": {
        "nodes": [node("ConvTranspose", "x W", group=10**9)],
        "constants": [("W", np.ones((3, 2, 2), "f4"))],
        "inputs": [("x", ["batch", 3, 4])],
    },
    "huge attention": {
        "nodes": [node("Attention", "x x x")],
        "inputs": [("x", [1, 1, 2**20, 1])],
        "opset": 23,
    },
    "huge mask": {
        "nodes": [node("Attention", "x x x n", is_causal=1)],
        "constants": [("n", np.zeros((1, 1), "f4"))],
        "inputs": [("x", [1, 1, 2**20, 1])],
        "opset": 23,
    },
    "huge stride back": {
        "nodes": [node("ConvTranspose", "x W", strides=[10**12])],
        "constants": [("W", np.ones((3, 2, 2), "f4"))],
        "inputs": [("x", ["batch", 3, 4])],
    },
    "huge factor": {
        "nodes": [node("Resize", "x  s".replace("  ", " n "), mode="linear")],
        "constants": [("n", np.zeros(0, "f4")), ("s", np.array([1, 1, 1e12], "f4"))],
        "inputs": [("x", ["batch", 3, 4])],
    },
    "huge product": {
        "nodes": [node("Reshape", "x n", "a"), node("Transpose", "a", "b"), node("MatMul", "a b")],
        "constants": [ints("n", 2**20, 1)],
        "inputs": [("x", [2**20])],
    },
    "doubled again and again": {
        "nodes": [
            node("Concat", f"{a} {a}", b, axis=0)
            for a, b in zip(
                ["x", *(f"v{i}" for i in range(59))],
                [*(f"v{i}" for i in range(59)), "y"],
                strict=True,
            )
        ],
    },
    "unknown operator": {"nodes": [node("Frobnicate", "x")]},
    "unknown domain": {"nodes": [node("Relu", "x", domain="com.example")]},
    "graph inside": {"nodes": [node("If", "x", then_branch=IF, else_branch=IF)]},
    "unknown opset": {"nodes": [node("Relu", "x")], "opset": 999},
    "attribute of another kind": {"nodes": [node("LeakyRelu", "x", alpha=[1.0, 2.0])]},
    "axis beyond": {"nodes": [node("Concat", "x x", axis=7)]},
    "impossible shape": {"nodes": [node("Reshape", "x n")], "constants": [ints("n", -1, 7)]},
    "control characters": {"nodes": [node("Relu", "\x1b[2J")]},
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_refused_in_one_line(name, tmp_path):
    path = write(tmp_path / "m.onnx", **HOSTILE[name])
    with pytest.raises(ValueError, match=r"m\.onnx: ") as caught:
        interop.load(path)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 600


@pytest.mark.parametrize("content", [b"", b"hello", b"\x08\x0a" * 40, bytes(100)])
def test_what_is_no_onnx_file_is_refused(content, tmp_path):
    (tmp_path / "m.onnx").write_bytes(content)
    with pytest.raises(ValueError, match=r"m\.onnx"):
        interop.load(tmp_path / "m.onnx")


def test_no_damaged_byte_raises_anything_but_a_valueerror(tmp_path):
    interop.export(nn.mlp([3, 4, 2], rng=0), tmp_path / "good.onnx", np.ones((5, 3), "f4"))
    good = (tmp_path / "good.onnx").read_bytes()
    rng = np.random.default_rng(0)
    for _ in range(300):
        bad = bytearray(good[: rng.integers(len(good))] if rng.random() < 0.2 else good)
        for at in rng.integers(len(bad), size=3) if bad else ():
            bad[at] ^= 1 << rng.integers(8)
        (tmp_path / "bad.onnx").write_bytes(bad)
        with contextlib.suppress(ValueError):
            interop.load(tmp_path / "bad.onnx")


def test_the_file_itself_is_all_that_is_opened(tmp_path, monkeypatch):
    """External data is refused before anybody asks for it."""
    (tmp_path / "weights.bin").write_bytes(bytes(36))
    path = write(tmp_path / "m.onnx", **matmul(external("weights.bin")))
    with pytest.raises(ValueError, match="'W' lies in another file; save the model as one file"):
        interop.load(path)


def test_what_is_not_there_is_named_with_its_node(tmp_path):
    path = write(tmp_path / "m.onnx", [node("Frobnicate", "x", name="body/7")])
    with pytest.raises(ValueError, match=r"'body/7' \(Frobnicate\): there is no such operator"):
        interop.load(path)
    path = write(
        tmp_path / "m.onnx",
        [node("Pad", "x n", name="p", mode="wrap")],
        [ints("n", 0, 0, 1, 0, 0, 1)],
        inputs=[("x", ["batch", 3, 4])],
    )
    with pytest.raises(ValueError, match=r"'p' \(Pad\): the attribute mode='wrap' is not"):
        interop.load(path)


def test_weights_of_a_file_can_be_trained_on(tmp_path):
    model = nn.lenet((1, 16, 16), 5, batch_norm=True, rng=0)
    x = np.random.default_rng(0).normal(size=(6, 1, 16, 16)).astype("f4")
    interop.export(model, tmp_path / "m.onnx", x)
    graph = interop.load(tmp_path / "m.onnx")
    assert not graph.training
    assert sorted(a.shape for a in graph.params.values()) == sorted(
        a.shape for a in model.params.values()
    )
    assert repr(nn.build(repr(graph))) == repr(graph)
    graph.train()
    dy = np.ones((6, 5), "f4")
    graph.forward(x), model.forward(x)
    dx, grads = graph.backward(dy)
    expected, _ = model.backward(dy)
    np.testing.assert_allclose(dx, expected, 1e-4, 1e-5)
    assert len(grads) == len(model.params)


def test_outputs_that_nobody_takes_need_not_be_there(tmp_path):
    """Older files name a mask of Dropout, and the places of maxima."""
    nodes = [
        node("MaxPool", "x", "m places", kernel_shape=[2, 2], strides=[2, 2]),
        node("Dropout", "m", "y mask"),
    ]
    inputs = [("x", ["batch", 3, 4, 6])]
    x = np.random.default_rng(0).normal(size=(2, 3, 4, 6)).astype("f4")
    graph = interop.load(write(tmp_path / "m.onnx", nodes, inputs=inputs))
    np.testing.assert_array_equal(graph.forward(x), nn.MaxPool2d(2).forward(x))
    nodes[1] = node("Mul", "m places")
    with pytest.raises(ValueError, match="takes 'places', an output that is not there"):
        interop.load(write(tmp_path / "m.onnx", nodes, inputs=inputs))


@pytest.mark.parametrize("shape", [(3, 5), (3, 5, 1, 1), (3, 5, 2, 4)])
def test_the_softmax_of_old_files_goes_over_all_axes_but_the_batch(shape, tmp_path):
    inputs = [("x", ["batch", *shape[1:]])]
    path = write(tmp_path / "m.onnx", [node("Softmax", "x")], inputs=inputs, opset=11)
    x = np.random.default_rng(0).normal(size=shape).astype("f4")
    expected = nn.Softmax().forward(x.reshape(3, -1)).reshape(shape)
    np.testing.assert_allclose(interop.load(path).forward(x), expected, 1e-6)


@pytest.mark.torch
@pytest.mark.parametrize("dynamo", [True, False])
def test_a_network_of_torchs_exporter_gives_the_same(dynamo, tmp_path):
    torch = pytest.importorskip("torch")
    pytest.importorskip("onnxscript")
    T = torch.nn

    class Block(T.Module):
        def __init__(self, channels):
            super().__init__()
            self.first = T.Conv2d(channels, channels, 3, padding=1, bias=False)
            self.norm, self.act = T.BatchNorm2d(channels), T.SiLU()
            self.second = T.Conv2d(channels, channels, 3, padding=1)

        def forward(self, x):
            return self.act(x + self.second(self.act(self.norm(self.first(x)))))

    torch.manual_seed(0)
    net = T.Sequential(
        *(T.Conv2d(1, 8, 3, stride=2, padding=1), T.GELU(), Block(8), T.MaxPool2d(2)),
        *(T.Conv2d(8, 12, 3, groups=4), T.GroupNorm(3, 12), T.ReLU(), T.AdaptiveAvgPool2d(1)),
        *(T.Flatten(), T.Dropout(), T.Linear(12, 10), T.LogSoftmax(1)),
    ).eval()
    x = torch.randn(3, 1, 28, 28)
    path = str(tmp_path / "m.onnx")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        free = {"dynamic_shapes": ({0: torch.export.Dim("batch")},), "external_data": False}
        if not dynamo:
            free = {"dynamic_axes": {"x": {0: "batch"}}, "input_names": ["x"]}
        torch.onnx.export(net, (x,), path, dynamo=dynamo, verbose=False, **free)
    graph = interop.load(path)
    for some in (x, x[:1], torch.cat([x, -x])):
        np.testing.assert_allclose(graph.forward(some.numpy()), net(some).detach(), 1e-4, 1e-5)
    interop.export(graph, tmp_path / "again.onnx", x.numpy())
    [y] = run(tmp_path / "again.onnx", x.numpy())
    np.testing.assert_allclose(y, net(x).detach(), 1e-4, 1e-5)
