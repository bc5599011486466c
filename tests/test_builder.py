"""Models as text: what `repr` prints builds the model again, and text builds nothing else."""

import ast
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nnscratch as nn
from nnscratch.builder import table
from nnscratch.model_text import parameters_asked, parsed
from tests import graph_cases
from tests.layer_cases import CASES

REGISTRY = [case.build for case in CASES]
NAMES = [f"{i}-{build()!r}".split("\n")[0] for i, build in enumerate(REGISTRY)]


def same(model):
    """The model that its text builds, after a comparison of all that can be compared."""
    text = repr(model)
    twin = nn.build(text, rng=0)
    assert type(twin) is type(model)
    assert repr(twin) == text
    for found, expected in ((twin.params, model.params), (twin.buffers, model.buffers)):
        assert {k: a.shape for k, a in found.items()} == {k: a.shape for k, a in expected.items()}
    executed = run(text)
    assert repr(executed) == text
    assert list(executed.params) == list(model.params)
    return twin


def run(text):
    """What Python itself makes of the text."""
    *lines, last = ast.parse(text).body
    names = vars(nn).copy() | {"Constant": nn.graph.Constant}
    exec(compile(ast.Module(lines, []), "text", "exec"), names)
    return eval(compile(ast.Expression(last.value), "text", "eval"), names)


@pytest.mark.parametrize("build", REGISTRY, ids=NAMES)
def test_every_layer_is_built_by_its_repr(build):
    same(build())


@pytest.mark.parametrize("build", REGISTRY, ids=NAMES)
def test_the_sizes_of_a_layer_tell_how_many_numbers_it_learns(build):
    layer = build()
    size = parameters_asked(parsed(repr(layer)), table())
    assert 32 * size >= sum(array.size for array in layer.params.values()) - 1


def test_the_code_of_a_model_reads_as_one_would_write_it():
    assert repr(nn.mlp([64, 32, 10], dropout=0.5)) == (
        "Sequential(\n  Flatten(),\n  Linear(64, 32),\n  ReLU(),\n  Dropout(0.5),\n"
        "  Linear(32, 10),\n)"
    )
    assert repr(nn.Sequential()) == "Sequential()"
    assert repr(nn.Residual(nn.Sequential(nn.Tanh()))) == "Residual(Sequential(\n  Tanh(),\n))"


def test_a_layer_used_twice_has_a_line_of_its_own():
    a = nn.Linear(4, 4)
    body = nn.Sequential(a, nn.Tanh())
    model = nn.Sequential(body, nn.Residual(a), nn.Scan(body, 1))
    assert repr(model).splitlines()[:5] == [
        "a = Linear(4, 4)",
        "b = Sequential(",
        "  a,",
        "  Tanh(),",
        ")",
    ]
    twin = same(model)
    assert twin[0] is twin[2].layers[0]
    assert twin[1].layers[0] is twin[0][0]


GRAPHS = [graph_cases.worked_example, graph_cases.network]


@pytest.mark.parametrize("build", GRAPHS)
def test_a_graph_is_a_line_per_node(build):
    graph = build()
    twin = same(graph)
    assert [step[0] for step in twin.steps] == [step[0] for step in graph.steps]
    twin.astype("f8")
    for name, array in graph.params.items():
        twin.params[name] = array
    x = graph_cases.normal(4, 3)
    np.testing.assert_array_equal(twin.forward(x), graph.forward(x))


def test_a_graph_with_everything_is_built_again():
    x, y, labels = nn.Input("x"), nn.Input(), nn.Input("class")
    parts = nn.Split([1, 3], 1)(2 - x, name="if")
    shared = nn.Linear(2, 2, rng=0)
    constant = nn.graph.Constant(np.array([[1.5, -0.1]]))
    h = shared(parts[1] + constant, name="linear7") * constant + shared(y)[:, None, ::-1][:, 0]
    loss = nn.SoftmaxCrossEntropy(class_weights=[1, 2.5])(h, labels, name="the loss")
    graph = nn.Graph([x, y, labels], outputs=[loss, parts[2], h])
    same(nn.Graph([x], nn.CTCLoss()(x, ([[1]], [1], [3]))) if hasattr(nn, "CTCLoss") else graph)
    twin = same(graph)
    for name, array in graph.params.items():
        twin.params[name] = array
    inputs = np.ones((3, 4), "f4"), np.ones((3, 2), "f4"), np.array([0, 1, 1])
    for found, expected in zip(twin.forward(*inputs), graph.forward(*inputs), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_graphs_stand_inside_other_layers():
    def graph():
        x = nn.Input("x")
        return nn.Graph([x], nn.Linear(3, 3)(x) + x)

    model = nn.Sequential(graph(), nn.Residual(graph()), nn.ReLU())
    assert repr(model).splitlines()[-4:-1] == [
        "  Graph([x], add1),",
        "  Residual(Graph([x_2], add1_2)),",
        "  ReLU(),",
    ]
    same(model)


def test_a_node_that_took_an_automatic_name_keeps_it():
    x = nn.Input("x")
    a = nn.Tanh()(x)
    graph = nn.Graph([x], nn.Tanh()(nn.Tanh()(a, name="tanh3"), name="tanh2"))
    same(graph)


def test_the_same_seed_draws_the_same_weights():
    text = "Sequential(Linear(3, 4), Dropout(0.5), Linear(4, 2))"
    one, two = nn.build(text, rng=5), nn.build(text, rng=5)
    x = np.ones((6, 3), "f4")
    np.testing.assert_array_equal(one.forward(x), two.forward(x))
    assert not np.array_equal(one.params["0.W"], nn.build(text, rng=6).params["0.W"])


def test_numbers_without_end_are_written_so_that_they_can_be_read():
    assert repr(nn.Clip(-np.inf, 2.0)) == "Clip(float('-inf'), 2.0)"
    same(nn.Clip(-np.inf, 2.0))


def test_names_may_have_the_package_in_front():
    assert repr(nn.build("nn.Linear(2, 3, bias=False)")) == "Linear(2, 3, bias=False)"


class Scale(nn.Layer):
    """A layer of somebody's own, with an argument that no attribute keeps."""

    def __init__(self, factor, start=0):
        self.start = start


def test_what_cannot_be_read_from_a_layer_is_left_out_and_refused():
    assert repr(nn.Sequential(Scale(3, 2))) == "Sequential(\n  Scale(..., start=2),\n)"
    with pytest.raises(ValueError, match="leaves arguments out"):
        nn.build("Scale(..., start=2)", layers=[Scale])
    assert nn.build("Scale(1, start=2)", [Scale]).start == 2


HOSTILE = [
    "",
    "1",
    "x",
    "Linear",
    "Linear(",
    "Linear(4, 3",
    "\0",
    "\ud800",
    "(" * 5000,
    "[" * 200 + "]" * 200,
    "-" * 100_000 + "1",
    "not " * 100_000 + "1",
    "1 if " * 50_000,
    "x" + "[0]" * 100_000,
    "Residual(" * 90 + "Tanh()" + ")" * 90,
    "a." * 50_000 + "b",
    "1+" * 100_000 + "1",
    "lambda: 0",
    "[x for x in y]",
    "__import__('os').system('ls')",
    "Linear.__init__.__globals__",
    "nn.save(Tanh(), 'x')",
    "().__class__.__bases__[0].__subclasses__()",
    "f'{1}'",
    "(x := Tanh())",
    "import os",
    "def f(): pass\nTanh()",
    "a = b = Tanh()\na",
    "Linear = Tanh()\nLinear",
    "a = Tanh()",
    "Sequential(*[Tanh()])",
    "Linear(**{'in_features': 3})",
    "Linear(3, 2)(4)",
    "Tanh()[0]",
    "Input()",
    "float('1e5')",
    "slice(Tanh())",
    "Linear(10**9, 2)",
    "Linear(1000000000, 1000000000)",
    "Sequential(" + "Linear(16000, 16000), " * 9 + ")",
    "PReLU(count=100000000000)",
    "BatchNorm(99999999999999999999999)",
    "LayerNorm((100000, 100000))",
    "Embedding(count=100000, features=100000)",
    "Correlation2d(3, 4, 90000)",
    "Correlation2d(3, 4, kernel_size=(90000, 90000))",
    "Linear(-1, 2)",
    "Linear(3, 2, foo=1)",
    "Linear(3, 2, rng=-1)",
    "Linear(3, 2, initializer=5)",
    "Linear(3j, 2)",
    "Linear(b'3', 2)",
    "Linear('\x1b[2J', 2)",
    "Tanh('a\nb')",
    "Split(3, 0)(Input())[7]",
    "Graph([], Input())",
    "Graph([Input('x')], Input('y'))",
]


@pytest.mark.parametrize("text", HOSTILE, ids=[text[:30] for text in HOSTILE])
def test_hostile_text_is_one_line_of_error(text):
    with pytest.raises(ValueError, match="the text of a model") as caught:
        nn.build(text)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 400


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            ["Linear(", "4", ", ", "3", ")", "Sequential(", "Tanh()", "\n", "x = ", "x"] * 2
        )
        | st.sampled_from(["Input(", "Graph([", "]", "bias=", "...", "-"])
    )
)
def test_any_text_is_a_model_or_one_line_of_error(parts):
    try:
        model = nn.build("".join(parts))
    except ValueError as error:
        assert str(error).isprintable()
    else:
        assert isinstance(model, nn.Layer)


def test_no_text_crashes_the_interpreter():
    code = "import nnscratch as nn, sys\nfor t in sys.argv[1:]:\n  try: nn.build(t * 30000)\n"
    code += "  except ValueError: print('refused')"
    parts = ["-", "(", "x.", "x[0", "~", "not ", "{", "lambda:", "*", "if ", "x(", "[1,", "await "]
    found = subprocess.run([sys.executable, "-c", code, *parts], capture_output=True, text=True)
    assert found.returncode == 0, found.stderr
    assert found.stdout.count("refused") == len(parts)


def test_layers_around_recurrent_ones_share_names_too():
    gru = nn.GRU(3, 3, rng=0)
    model = nn.Sequential(gru, nn.Bidirectional(gru))
    assert repr(model).startswith("a = GRU(3, 3)\nSequential(\n  a,\n  Bidirectional(a),")
    same(model)


def test_a_graph_is_named_in_few_letters_in_the_middle_of_a_sentence():
    x = nn.Input("x")
    graph = nn.Graph([x], nn.Linear(3, 3)(x) + x)
    with pytest.raises(RuntimeError, match=r"^Graph\(x -> add1\)\.backward came before"):
        graph.backward(1)
    rows = nn.summary(nn.Sequential(graph, nn.Tanh()), np.ones((2, 3))).rows
    assert [row.layer for row in rows] == ["Graph", "Linear(3, 3)", "Add()", "Tanh()"]
