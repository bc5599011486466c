"""The computation graph: a formula of layers, differentiated by going through it backwards.

node.py    what formulas are written with: inputs, calls of layers, + - * / @ **
order.py   from the output's node to all nodes in the order of computation, with names
graph.py   the layer that computes them forward and their gradients backward
table.py   the printed trace
"""

from nnscratch.graph.graph import Graph
from nnscratch.graph.node import Constant, Input, Node

__all__ = ["Constant", "Graph", "Input", "Node"]
