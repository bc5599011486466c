"""Depth first, with an iterator for each node on the way."""


def topological_order(output):
    order, seen, path = [], {output}, [(output, iter(output.parents))]
    while path:
        node, parents = path[-1]
        parent = next((p for p in parents if p not in seen), None)
        if parent is None:
            order.append(node)
            path.pop()
        else:
            seen.add(parent)
            path.append((parent, iter(parent.parents)))
    return order
