"""The picture of a graph, and the example that writes an MLP as one."""

import io

import numpy as np
import pytest

import nnscratch as nn
from nnscratch.examples import recitation_mlp
from nnscratch.graph import Graph, Input
from nnscratch.layers.operators.elementwise import Sin
from nnscratch.plots import draw_graph
from tests.graph_cases import OURS, random_formula, worked_example

# The picture ----------------------------------------------------------------------------------


def test_the_picture_shows_every_node_with_value_and_gradient():
    graph = worked_example()
    bare = [text.get_text() for text in draw_graph(graph).axes[0].texts]
    assert bare[:2] == ["x", "input"]
    graph.forward(1.0)
    graph.backward(1.0)
    figure = draw_graph(graph)
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert texts[4:8] == ["a", "Square()", "= 1", "∂ 2.992"]
    assert len({text.get_color() for text in figure.axes[0].texts}) == 4
    file = io.BytesIO()
    figure.savefig(file)
    assert file.getvalue().startswith(b"\x89PNG")


@pytest.mark.parametrize("seed", range(5))
def test_boxes_of_the_picture_do_not_overlap(seed):
    inputs = [Input("u"), Input("v")]
    output, _ = random_formula(np.random.default_rng(seed), inputs, OURS)
    graph = Graph(inputs, output)
    boxes = [p.get_bbox() for p in draw_graph(graph).axes[0].patches if hasattr(p, "get_bbox")]
    assert len(boxes) == len(graph.steps)
    for i, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[:i])


def test_what_cannot_be_drawn_is_refused():
    with pytest.raises(ValueError, match="expected a Graph"):
        draw_graph(nn.ReLU())
    node = x = Input("x")
    for _ in range(200):
        node = Sin()(node)
    with pytest.raises(ValueError, match=r"room for 150 nodes.*trace"):
        draw_graph(Graph([x], node))


# The example ----------------------------------------------------------------------------------


def test_the_mlp_of_the_recitation_prints_fourteen_derivatives_that_agree(capsys):
    assert recitation_mlp.main() < 1e-12
    lines = capsys.readouterr().out.splitlines()
    assert sum(line.lstrip().split(".")[0].isdigit() and "∇" in line for line in lines) == 14
    assert lines[-1].endswith("agrees")
