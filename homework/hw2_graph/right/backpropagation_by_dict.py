"""Sums in a dict, handed to the nodes as they are reached; None stands for zero."""

import numpy as np


def backpropagate(output):
    sums = {output: np.ones_like(output.value)}
    for node in topological_order(output)[::-1]:
        node.grad = sums.pop(node)
        for i in range(len(node.parents)):
            share = node.vjps[i](node.grad)
            old = sums.get(node.parents[i])
            sums[node.parents[i]] = share if old is None else old + share
