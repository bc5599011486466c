"""What exporters of other libraries write, read here and compared with onnxruntime."""

import numpy as np
import pytest

import nnscratch as nn
from nnscratch.interop import onnx as interop
from tests.test_onnx_export import normal, run
from tests.test_onnx_load import close, ints, node, write

onnx = pytest.importorskip("onnx")
TensorProto = onnx.TensorProto

IMAGE = [("x", ["batch", 4, 6, 5])]
ROWS = [("x", ["batch", 3])]
STEPS = [("x", [5, "batch", 3])]


def scalar(name, value):
    return name, np.array(value, "f4")


def pad(*pads, **more):
    return {"nodes": [node("Pad", "x p", **more)], "constants": [ints("p", *pads)], "inputs": IMAGE}


def repeated(value):
    """Nodes that give c: the constant, once for each sample."""
    return [
        node("Shape", "x", "s"),
        node("Gather", "s zero", "n", axis=0),
        node("Concat", "n rest", "shape", axis=0),
        node("Expand", f"{value} shape", "c"),
    ]


ZERO = [ints("zero", 0)]
GELU = [scalar("r", 2**0.5), scalar("one", 1), scalar("h", 0.5)]
SMALL = {"direction": "bidirectional", "hidden_size": 2}

FILES = {
    "padding of channels": pad(0, 2, 0, 0, 0, 1, 0, 0),
    "padding that cuts off": pad(0, 0, -1, 0, 0, -2, 2, -1),
    "padding with a number": {
        "nodes": [node("Pad", "x p v")],
        "constants": [ints("p", 0, 0, 1, -1, 0, 0, 2, 3), scalar("v", 1.5)],
        "inputs": IMAGE,
    },
    "padding with minus infinity": {
        "nodes": [node("Pad", "x p v", "a"), node("MaxPool", "a", kernel_shape=[3, 3])],
        "constants": [ints("p", 0, 0, 1, 1, 0, 0, 1, 1), scalar("v", -np.inf)],
        "inputs": IMAGE,
    },
    "padding of rows": {
        "nodes": [node("Pad", "x p", mode="edge")],
        "constants": [ints("p", 0, 1, 0, 2)],
        "inputs": ROWS,
    },
    "transposed convolution of groups": {
        "nodes": [node("ConvTranspose", "x W b", group=2, strides=[2, 1], pads=[1, 0, 0, 1])],
        "constants": [("W", normal(4, 3, 2, 3)), ("b", normal(6))],
        "inputs": IMAGE,
    },
    "squares of channels": {
        "nodes": [node("DepthToSpace", "x", blocksize=2)],
        "inputs": [("x", ["batch", 8, 2, 3])],
    },
    "squares of channels as torch shuffles them": {
        "nodes": [node("DepthToSpace", "x", blocksize=2, mode="CRD")],
        "inputs": [("x", ["batch", 8, 2, 3])],
    },
    "channels of squares": {
        "nodes": [node("SpaceToDepth", "x", blocksize=2)],
        "inputs": [("x", ["batch", 3, 4, 6])],
    },
    "resizing to sizes beside a free batch": {
        "nodes": [
            node("Shape", "x", "s"),
            node("Slice", "s zero two", "n"),
            node("Concat", "n rest", "sizes", axis=0),
            node(
                "Resize",
                "x   sizes".replace("   ", " none none "),
                coordinate_transformation_mode="asymmetric",
                nearest_mode="floor",
            ),
        ],
        "constants": [*ZERO, ints("two", 2), ints("rest", 12, 15)],
        "inputs": IMAGE,
    },
    "GELU": {
        "nodes": [
            node("Div", "x r", "a"),
            node("Erf", "a", "b"),
            node("Add", "b one", "c"),
            node("Mul", "x c", "d"),
            node("Mul", "d h"),
        ],
        "constants": GELU,
        "inputs": ROWS,
    },
    "the error function": {"nodes": [node("Erf", "x")], "inputs": ROWS},
    "the shape of a constant": {
        "nodes": [node("Shape", "c", "s"), node("ConstantOfShape", "s", "z"), node("Add", "x z")],
        "constants": [("c", normal(3))],
        "inputs": ROWS,
    },
    "a number computed from sizes": {
        "nodes": [
            node("Shape", "x", "s"),
            node("Gather", "s i", "n"),
            node("Cast", "n", "f", to=1),
            node("Pow", "f h", "r"),
            node("Mod", "n three", "m"),
            node("Cast", "m", "g", to=1),
            node("Add", "r g", "c"),
            node("Softplus", "c", "d"),
            node("Mul", "x d"),
        ],
        "constants": [ints("i", 2), scalar("h", -0.5), ints("three", 3)],
        "inputs": IMAGE,
    },
    "a mask of what comes later": {
        "nodes": [node("Trilu", "c", "m", upper=0), node("Mul", "x m")],
        "constants": [("c", np.ones((6, 5), "f4"))],
        "inputs": IMAGE,
    },
    "rows as many as the batch added": {
        "nodes": [*repeated("w"), node("Add", "c x")],
        "constants": [*ZERO, ints("rest", 3), ("w", normal(1, 3))],
        "inputs": ROWS,
    },
    "a token for each sample": {
        "nodes": [*repeated("w"), node("Concat", "c x", axis=1)],
        "constants": [*ZERO, ints("rest", 1, 6, 5), ("w", normal(1, 1, 6, 5))],
        "inputs": IMAGE,
    },
    "a first state that was learned": {
        "nodes": [
            node("Shape", "x", "s"),
            node("Gather", "s one", "n", axis=0),
            node("Concat", "two n two", "shape", axis=0),
            node("Expand", "h shape", "c"),
            node(
                "GRU", "x W R b none c".replace("none", "n0"), "y", linear_before_reset=1, **SMALL
            ),
        ],
        "constants": [
            *(ints("one", 1), ints("two", 2), ("h", normal(2, 1, 2))),
            *(("W", normal(2, 6, 3)), ("R", normal(2, 6, 2)), ("b", normal(2, 12))),
        ],
        "inputs": STEPS,
    },
}


def without(found, *names):
    """The nodes with these inputs left out, which `node` has no word for."""
    for one in found["nodes"]:
        one.input[:] = ["" if name in names else name for name in one.input]
    return found


without(FILES["resizing to sizes beside a free batch"], "none")
without(FILES["a first state that was learned"], "n0")


@pytest.mark.parametrize("name", FILES)
def test_it_gives_what_onnxruntime_gives(name, tmp_path):
    path = write(tmp_path / "m.onnx", opset=17, ir_version=8, **FILES[name])
    graph = interop.load(path)
    [(_, shape)] = FILES[name]["inputs"]
    for batch in (2, 1, 5):
        x = normal(*(batch if n == "batch" else n for n in shape))
        close(graph.forward(x), run(path, x)[0])
    assert repr(nn.build(repr(graph))) == repr(graph)


@pytest.mark.parametrize(
    "order",
    [
        ("Mul x q a", "Erf a b", "Add one b c", "Mul x h d", "Mul d c y"),
        ("Div x r a", "Erf a b", "Add b one c", "Mul h c d", "Mul d x y"),
        ("Div x r a", "Erf a b", "Add b one c", "Mul c x d", "Div d two y"),
    ],
)
def test_a_gelu_that_was_taken_apart_is_one_layer(order, tmp_path):
    nodes = [node(kind, " ".join(names[:-1]), names[-1]) for kind, *names in map(str.split, order)]
    constants = [*GELU, scalar("q", 0.5**0.5), scalar("two", 2)]
    graph = interop.load(write(tmp_path / "m.onnx", nodes, constants, ROWS))
    assert [str(layer) for layer in graph] == ["GELU()"]


@pytest.mark.parametrize("wrong", [{"r": 1.5}, {"one": 2}, {"h": 1}])
def test_what_is_nearly_a_gelu_stays_the_formula(wrong, tmp_path):
    nodes = FILES["GELU"]["nodes"]
    constants = [scalar(name, wrong.get(name, value)) for name, value in GELU]
    path = write(tmp_path / "m.onnx", nodes, constants, ROWS, opset=17, ir_version=8)
    graph = interop.load(path)
    assert "GELU" not in repr(graph)
    close(graph.forward(normal(4, 3)), run(path, normal(4, 3))[0])


WEIGHTS = normal(4, 3)
FEW_BITS = np.arange(-6, 6, dtype="i1").reshape(3, 4)
SCALE, MIDDLE = np.array([0.5, 0.25, 1, 2], "f4"), np.array([3, 0, -1, 2], "i1")


@pytest.mark.parametrize(
    ("nodes", "expected"),
    [
        ([node("Transpose", "W", "V", perm=[1, 0])], WEIGHTS.T),
        ([node("Split", "W", "T U", axis=0), node("Transpose", "U", "V")], WEIGHTS[2:].T),
        ([node("DequantizeLinear", "Q s z", "V", axis=1)], (FEW_BITS - MIDDLE) * SCALE),
        ([node("DequantizeLinear", "Q half", "V")], FEW_BITS * 0.5),
    ],
)
def test_a_weight_that_is_moved_or_of_few_bits_is_trained_on(nodes, expected, tmp_path):
    constants = [("W", WEIGHTS), ("Q", FEW_BITS), ("s", SCALE), ("z", MIDDLE), scalar("half", 0.5)]
    path = write(tmp_path / "m.onnx", [*nodes, node("MatMul", "x V")], constants, ROWS, opset=17)
    graph = interop.load(path)
    assert list(graph.params) == ["linear1.W"]
    np.testing.assert_array_equal(graph.params["linear1.W"], expected.T.astype("f4"))


def test_a_constant_as_long_as_the_batch_with_nothing_beside_it_is_refused(tmp_path):
    nodes = [*repeated("w"), node("ReduceSum", "x zero", "a", keepdims=1), node("Add", "c a")]
    constants = [*ZERO, ints("rest", 3), ("w", normal(1, 3))]
    path = write(tmp_path / "m.onnx", nodes, constants, ROWS)
    with pytest.raises(ValueError, match="as long as the batch, and nothing beside it"):
        interop.load(path)


def cast(names, kind):
    return node("Cast", names[:-2], names[-1], to=getattr(TensorProto, kind))


@pytest.mark.parametrize(
    "nodes",
    [
        [cast("x a", "FLOAT16"), node("MatMul", "a W", "b"), cast("b y", "FLOAT")],
        [cast("x a", "BFLOAT16"), cast("a b", "FLOAT"), node("Relu", "b")],
        [
            *(cast("x a", "FLOAT16"), node("MatMul", "a W", "b"), cast("b c", "FLOAT")),
            *(node("Mul", "c c", "d"), node("ReduceMean", "d", "e", axes=[1]), node("Sqrt", "e")),
        ],
    ],
)
def test_float16_between_casts_is_float32(nodes, tmp_path):
    """As converters write that leave inputs and outputs in float32; squares do not overflow."""
    W = (300 * normal(3, 3)).astype("f2")
    path = write(tmp_path / "m.onnx", nodes, [("W", W)], ROWS, opset=17, ir_version=8)
    graph, x = interop.load(path), normal(4, 3)
    y = graph.forward(x)
    assert y.dtype == np.float32
    np.testing.assert_allclose(y, run(path, x)[0], 1e-2, 1e-1)


def test_an_input_of_float16_that_is_computed_in_float32_is_refused(tmp_path):
    nodes = [cast("x a", "FLOAT"), node("Mul", "a a", "b"), cast("b y", "FLOAT16")]
    path = write(tmp_path / "m.onnx", nodes, (), ROWS)
    model = onnx.load(path)
    model.graph.input[0].type.tensor_type.elem_type = TensorProto.FLOAT16
    path.write_bytes(model.SerializeToString())
    with pytest.raises(ValueError, match=r"inputs of float16 to float32 .*; declare them as float"):
        interop.load(path)


def test_inputs_that_differ_in_a_dot_have_two_names(tmp_path):
    inputs = [("a.b", ["batch", 3]), ("a_b", ["batch", 3]), ("a_b_", ["batch", 3])]
    path = write(tmp_path / "m.onnx", [node("Sum", "a.b a_b a_b_")], (), inputs)
    graph = interop.load(path)
    assert graph.input_names == ("a_b", "a_b_", "a_b__")
    assert repr(nn.build(repr(graph))) == repr(graph)


def test_where_a_size_is_free_that_the_weights_fix_it_is_told(tmp_path):
    path = write(
        tmp_path / "m.onnx", [node("MatMul", "x W")], [("W", normal(3, 2))], [("x", ["n", "m"])]
    )
    with pytest.raises(ValueError, match="leaves axis 1 of input 'x' free, and 32 and 48 were tri"):
        interop.load(path)


def test_outputs_that_are_left_out_have_no_name(tmp_path):
    """As a GRU of which the last state alone is taken, beside another one."""
    one = node("GRU", "x W R", "none a", linear_before_reset=1, hidden_size=2)
    two = node("GRU", "x W R", "none b", linear_before_reset=1, hidden_size=2)
    found = without({"nodes": [one, two, node("Add", "a b")]}, "none")
    for gru in (one, two):
        gru.output[0] = ""
    constants = [("W", normal(1, 6, 3)), ("R", normal(1, 6, 2))]
    path = write(tmp_path / "m.onnx", found["nodes"], constants, STEPS, opset=17, ir_version=8)
    x = normal(5, 4, 3)
    close(interop.load(path).forward(x), run(path, x)[0])
