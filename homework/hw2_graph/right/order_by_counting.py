"""Kahn's way: a node is listed when all its children are, and the list is turned round."""


def topological_order(output):
    reached, waiting = {id(output): output}, [output]
    while waiting:
        for parent in waiting.pop().parents:
            if id(parent) not in reached:
                reached[id(parent)] = parent
                waiting.append(parent)
    children = dict.fromkeys(reached, 0)
    for node in reached.values():
        for parent in node.parents:
            children[id(parent)] += 1
    order, ready = [], [output]
    while ready:
        node = ready.pop()
        order.append(node)
        for parent in node.parents:
            children[id(parent)] -= 1
            if children[id(parent)] == 0:
                ready.append(parent)
    return order[::-1]
