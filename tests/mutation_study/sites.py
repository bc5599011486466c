"""Places in the source of a layer where a mistake can be planted."""

import ast
import copy
from dataclasses import dataclass

PASSES = ("backward_pass", "gradient_pass", "sample_gradients", "backprop")
# Element by element, dx = dy f'(x) with an f' that is no constant
MAPS = (
    *("Sigmoid", "Tanh", "ReLU", "LeakyReLU", "ELU", "GELU", "SiLU", "Softplus", "Dropout"),
    *("Sin", "Cos", "Exp", "Log", "Sqrt", "Square", "Power"),
)


def expression(source, **parts):
    """An expression of source code with names replaced by nodes."""

    class Put(ast.NodeTransformer):
        def visit_Name(self, node):
            return copy.deepcopy(parts.get(node.id, node))

    return Put().visit(ast.parse(source, mode="eval").body)


@dataclass(frozen=True)
class Site:
    """Where a rewriting may apply."""

    name: str  # the class
    function: str  # the pass
    node: ast.AST
    source: str  # of the node
    returned: bool  # whether it is a gradient as a whole: what is returned, or a dict's value
    key: str  # of the dict: the parameter
