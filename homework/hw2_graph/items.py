"""What the grader asks in hw2_graph, and what the library answers."""

from dataclasses import replace
from functools import partial

import numpy as np

import nnscratch as nn
from nnscratch.grading.checks import check
from nnscratch.grading.draws import away, fixed
from nnscratch.grading.evidence import Mistake, Reference, claim, compare, draw_dy, equal
from nnscratch.grading.function_items import function_items
from nnscratch.grading.student import Fault

# Jacobians --------------------------------------------------------------------------------------


def jacobian(layer, *inputs, wrt=0):
    return nn.jacobian(layer, *inputs, wrt=wrt)


def product_by_x(A, x):
    return jacobian(nn.MatMul(), A, x[:, None], wrt=1)[:, 0, :, 0]


def product_by_A(A, x):
    return jacobian(nn.MatMul(), A, x[:, None])[:, 0]


def gram_graph():
    B = nn.Input("B")
    return nn.Graph([B], nn.Transpose()(B) @ B)


def gram_jacobian(B):
    return jacobian(gram_graph(), B)


def map_jacobian(slopes):
    return jacobian(nn.Mul(), slopes, np.broadcast_to(slopes, slopes.shape))


def softmax_jacobian(x):
    return jacobian(nn.Softmax(), x)


def as_matrix(J, axes):
    return J.reshape(int(np.prod(J.shape[:axes])), -1)


def product_vjp(A, x, df):
    found = Reference(nn.MatMul()).backward(A, x[:, None], dy=df[:, None])
    return found["dx[0]"], found["dx[1]"][:, 0]


def gram_vjp(B, dK):
    return Reference(gram_graph()).backward(B, dy=dK)["dx"]


def softmax_vjp(x, dy):
    return Reference(nn.Softmax()).backward(x, dy=dy)["dx"]


def other_places(*words):
    """Mistakes that put the right numbers at other places of a Jacobian."""
    turned = "the derivatives are at the wrong places", *words

    def mistakes(case):
        J, sides = case.y, []
        for order in ([0, 2, 1], [2, 1, 0], [2, 0, 1], [1, 2, 0]) if J.ndim == 3 else ():
            moved = J.transpose(order)
            sides += [moved] if moved.shape == J.shape else [moved, moved.reshape(J.shape)]
        return {"transposed": Mistake(sides or J.T, *turned)}

    return mistakes


def gram_mistakes(case):
    (B,), J = case.inputs, case.y
    eye = np.eye(B.shape[1])
    first = np.einsum("pj,iq->pqij", eye, B)
    one = "K_pq holds B twice, and one of the two is left out", "both columns act: two terms"
    diagonal = "where p = q both terms count", "the derivative of B_lp² is 2 B_lp"
    same = np.einsum("pq,pqij->pqij", eye, first)
    own = np.einsum("pj,ip,q->pqij", eye, B, np.ones(len(eye)))
    operand = "the factor that is differentiated is left over", "the other one: δ_jp goes with B_iq"
    order = "the result stands before the variable", "J_pqij: first K's places, then B's"
    return {
        "path_missing": Mistake([first, first.swapaxes(0, 1)], *one),
        "diagonal_once": Mistake(J - same, *diagonal),
        "wrong_operand": Mistake(own + own.swapaxes(0, 1), *operand),
        "transposed": Mistake([J.transpose(2, 3, 0, 1), J.swapaxes(2, 3)], *order),
    }


def softmax_mistakes(case):
    x = case.inputs[0]
    y = np.exp(x - x.max()) / np.exp(x - x.max()).sum()
    words = "only the diagonal is there", "every y depends on every x: -y_i y_j beside it"
    lost = "y_i on the diagonal is left out", "∂y_i/∂x_j = y_i (δ_ij - y_j)"
    other = "the product y y' is added", "it is subtracted"
    plain = "this is y, not its Jacobian", "diag(y) - y y'"
    if np.ndim(case.y) == 1:
        dy = case.inputs[1]
        return {
            "diagonal_jacobian": Mistake(dy * y * (1 - y), *words),
            "sum_missing": Mistake(dy * y, "the sum is left out", "y (dy - Σ dy y)"),
            "dy_ignored": Mistake(y * (1 - y), "dy is left out", "y (dy - Σ dy y)"),
            "averaged": Mistake(y * (dy - np.mean(dy * y)), "a mean stands for the sum", "Σ dy y"),
            "sum_without_y": Mistake(y * (dy - dy.sum()), "dy is summed without y", "Σ_j dy_j y_j"),
        }  # fmt: skip
    return {
        "diagonal_jacobian": Mistake(np.diag(y * (1 - y)), *words),
        "diagonal_missing": Mistake(-np.outer(y, y), *lost),
        "sum_added": Mistake(np.diag(y) + np.outer(y, y), *other),
        "value_for_derivative": Mistake([y, np.diag(y)], *plain),
    }


def map_mistakes(case):
    words = "these are the slopes themselves", "J has a place for each pair of elements, mostly 0"
    return {"diagonal_only": Mistake(case.x, *words)}


def matrix_mistakes(case):
    J = case.inputs[0]
    words = "rows and columns are exchanged", "a row for each element of y"
    axis = "the axes are split at the wrong place", "y has the first `axes` of them"
    others = [J.reshape(int(np.prod(J.shape[:k])), -1) for k in range(1, J.ndim)]
    order = "the elements are counted column by column", "NumPy's own order: the last axis first"
    return {
        "transposed": Mistake(case.y.T, *words),
        "wrong_axis": Mistake([o for o in others if o.shape != case.y.shape], *axis),
        "column_major": Mistake(J.reshape(case.y.shape, order="F"), *order),
    }


def vjp_mistakes(case):
    A, x, df = case.inputs
    turned = "the derivative is written as a row, so it is transposed", "dA has the shape of A"
    return {
        "dA": {"transposed": Mistake(np.outer(x, df), *turned), "dy_ignored": np.outer(df**0, x)},
        "dx": {"dy_ignored": A.sum(axis=0)},
    }


def gram_vjp_mistakes(case):
    B, dK = case.inputs
    words = "B stands twice in B'B, and one of the two is left out", "B dK + B dK'"
    same = "dK is taken to be symmetric", "it need not be: dK + dK'"
    return {
        "path_missing": Mistake([B @ dK, B @ dK.T], *words),
        "taken_as_symmetric": Mistake([2 * B @ dK, 2 * B @ dK.T], *same),
    }


def whole(value):
    return lambda rng, batch: value


def far(n, scale):
    return lambda rng, batch: scale * rng.permutation(np.linspace(-1, 1, n))


def part(right, cases, mistakes=lambda case: {}, names=()):
    return function_items(right.__name__, right, cases, mistakes=mistakes, names=names).value()


pairs = {"": [(fixed(3, 5), fixed(5)), (fixed(7, 4), fixed(4))]}
product_jacobians = (
    part(product_by_x, pairs, other_places("J_ij = ∂f_i/∂x_j")),
    part(product_by_A, pairs, other_places("f_i holds row i of A: J_iil = x_l")),
)
gram_matrix = part(gram_jacobian, {"": [fixed(3, 5), fixed(5, 4)]}, gram_mistakes)
maps = {"of a vector": [fixed(5), fixed(7)], "of a matrix": [fixed(3, 4)]}
element_wise = part(map_jacobian, maps, map_mistakes)
large = {"": [fixed(5), fixed(7)], "large x": [far(5, 900.0), far(5, 5000.0)]}
softmax = part(softmax_jacobian, large, softmax_mistakes)
matrix_cases = {
    "y a vector": [(fixed(3, 5, 4), whole(1))],
    "y a matrix": [(fixed(3, 5, 4, 7), whole(2)), (fixed(5, 3, 4), whole(2))],
}
matrix_form = part(as_matrix, matrix_cases, matrix_mistakes)
products = [(fixed(3, 5), fixed(5), fixed(3)), (fixed(7, 4), fixed(4), fixed(7))]
large_product = [(fixed(1500, 300), fixed(300), fixed(1500))]
grams = [(fixed(3, 5), fixed(5, 5)), (fixed(7, 4), fixed(4, 4))]
of_softmax = {
    "": [(fixed(5), fixed(5)), (fixed(7), fixed(7))],
    "large x": [(far(5, 900.0), fixed(5))],
    "many": [(fixed(60_000), fixed(60_000))],
}
vjps = (
    part(product_vjp, {"": products, "large": large_product}, vjp_mistakes, ("dA", "dx")),
    part(gram_vjp, {"": grams, "large": [(fixed(400, 90), fixed(90, 90))]}, gram_vjp_mistakes),
    part(softmax_vjp, of_softmax, softmax_mistakes),
)


# Identities -------------------------------------------------------------------------------------


def gradient(build, *arrays, wrt=0):
    """dL/d(arrays[wrt]) of a graph of these inputs; vectors are columns."""
    nodes = [nn.Input(f"input{i}") for i in range(len(arrays))]
    columns = [a if a.ndim == 2 else a[:, None] for a in arrays]
    graph = Reference(nn.Graph(nodes, nn.Sum()(build(*nodes))))
    return graph.backward(*columns, dy=np.ones(()))[f"dx[{wrt}]" if len(nodes) > 1 else "dx"]


T = nn.Transpose()


def bilinear_gradient(a, X, b):
    return gradient(lambda a, X, b: T(a) @ X @ b, a, X, b, wrt=1)


def quadratic_gradient(B, x):
    return gradient(lambda B, x: T(x) @ B @ x, B, x, wrt=1)[:, 0]


def trace_gradient(A, X):
    return gradient(lambda A, X: nn.Trace()(A @ X), A, X, wrt=1)


def determinant_gradient(X):
    return gradient(lambda X: nn.Determinant()(X), X)


def inverse_gradient(a, X, b):
    return gradient(lambda a, X, b: T(a) @ nn.Inverse()(X) @ b, a, X, b, wrt=1)


def weighted_square_gradient(x, A, s, W):
    def build(x, A, s, W):
        rest = x - A @ s
        return T(rest) @ W @ rest

    return gradient(build, x, A, s, W, wrt=2)[:, 0]


def regular(n):
    return lambda rng, batch: rng.normal(size=(n, n)) + 3 * np.eye(n)


def symmetric(n):
    return lambda rng, batch: (lambda W: W + W.T)(rng.normal(size=(n, n)))


def said(words, *arrays):
    return Mistake(list(arrays), *words)


def quadratic_mistakes(case):
    (B, x), rule = case.inputs, "Bx + B'x"
    half = "x stands twice in x'Bx, and one of the two is left out", rule
    same = "B is taken to be symmetric", f"it need not be: {rule}"
    return {
        "path_missing": said(half, B @ x, B.T @ x),
        "taken_as_symmetric": said(same, 2 * B @ x, 2 * B.T @ x),
    }


def determinant_mistakes(case):
    inverse = np.linalg.inv(case.x)
    words = "det X itself is left out", "that is the gradient of log det X"
    return {"log_gradient": said(words, inverse.T, inverse)}


def inverse_mistakes(case):
    a, X, b = case.inputs
    inverse = np.linalg.inv(X)
    turned = "the inverse is not transposed", "-X⁻ᵀ a b' X⁻ᵀ"
    order = "a and b are exchanged", "-X⁻ᵀ a b' X⁻ᵀ"
    return {
        "transpose_missing": said(turned, -inverse @ np.outer(a, b) @ inverse),
        "operands_swapped": said(order, -inverse.T @ np.outer(b, a) @ inverse.T),
    }


def weighted_mistakes(case):
    x, A, s, W = case.inputs
    rest = x - A @ s
    inner = "the inner derivative -A is left out", "∂(x - As)/∂s = -A"
    weight = "W is left out", "-2 A' W (x - As)"
    return {
        "chain_missing": said(inner, 2 * W @ rest),
        "weight_missing": said(weight, -2 * A.T @ rest),
    }


vectors = [(fixed(3), fixed(3, 5), fixed(5)), (fixed(7), fixed(7, 4), fixed(4))]
square_matrices = [regular(3), regular(5)]
quadratics = [(fixed(5, 5), fixed(5)), (fixed(3, 3), fixed(3))]
inverses = [(fixed(3), regular(3), fixed(3)), (fixed(5), regular(5), fixed(5))]
weighted = [(fixed(n), fixed(n, m), fixed(m), symmetric(n)) for n, m in ((5, 3), (4, 7))]
# in which a value for each element takes far longer than a loop over all products; there is no
# such case of x'Bx, nor of the determinant, whose gradient may be taken from as many determinants
large_vectors = fixed(600), fixed(600, 600), fixed(600)
large_trace = fixed(300, 400), fixed(400, 300)
large_inverse = fixed(200), regular(200), fixed(200)
large_weighted = fixed(200), fixed(200, 9000), fixed(9000), symmetric(200)
identities = (
    part(bilinear_gradient, {"": vectors, "large": [large_vectors]}),
    part(quadratic_gradient, {"": quadratics}, quadratic_mistakes),
    part(trace_gradient, {"": [(fixed(3, 5), fixed(5, 3))], "large": [large_trace]}),
    part(determinant_gradient, {"": square_matrices}, determinant_mistakes),
    part(inverse_gradient, {"": inverses, "large": [large_inverse]}, inverse_mistakes),
    part(weighted_square_gradient, {"": weighted, "large": [large_weighted]}, weighted_mistakes),
)


# Nodes ------------------------------------------------------------------------------------------


def node_function(name, make, *inputs, mistakes=lambda inputs, dy: {}):
    """The check of a function of nodes: value, parents, and each of its vjps."""
    shown = ("u",) if len(inputs) == 1 else ("A", "B") if name == "matmul" else ("u", "v")

    @check(name)
    def run(student, rng):
        ours, kept = Reference(make()), []
        for _ in range(3):
            arrays = [draw(rng, 4) for draw in inputs]
            nodes = [student.new("Node", a) for a in arrays]
            y = student.function(name, *nodes, keep=True)
            value = y.get("value")
            yield ours.value(value, *arrays, name=f"{name}'s value")
            kept.append((arrays, y, np.shape(ours.forward(*arrays))))
            for i, node in enumerate(nodes):
                node.set("argument", i)  # by which its parents are known again
        for arrays, y, shape in [*kept, kept[0]]:  # the first once more, after the others
            dy = draw_dy(rng, shape)
            names = ["dx"] if len(arrays) == 1 else ["dx[0]", "dx[1]"]
            got = dict(zip(names, shares(y, name, shown, dy), strict=True))
            titles = dict(zip(names, (f"d{letter} of {name}" for letter in shown), strict=True))
            own, given = mistakes(arrays, dy), dict(zip(shown, arrays, strict=True)) | {"dy": dy}
            found = ours.gradients(got, *arrays, dy=dy, shown=titles, hypotheses={"dx": own})
            for comparison in found:
                yield replace(comparison, case=given)

    return run


def shares(y, name, shown, dy):
    """For each argument the sum of what comes to it: it may be a parent once, twice, or never."""
    parents, vjps = y.get("parents", keep=True), y.get("vjps", keep=True)
    found = [None] * len(shown)
    for i in range(4):
        try:
            parent = parents.item(i, keep=True)
        except Fault:  # past the end
            break
        try:
            number = range(len(shown)).index(parent.get("argument"))
        except (Fault, ValueError):
            words = f"parents[{i}] of {name} is none of its arguments {', '.join(shown)}"
            raise Fault("parents", f"{words}: keep the nodes themselves, no copies") from None
        share = vjps.item(i, keep=True).call("", dy)
        sums = isinstance(share, np.ndarray) and np.shape(found[number]) == share.shape != ()
        found[number] = found[number] + share if sums else share
    return found


def of_cos(arrays, dy):
    words = "the derivative of the cosine has the wrong sign", "it is -sin"
    return {"sign": said(words, dy * np.sin(arrays[0]))}


def of_total(arrays, dy):
    words = "dy is shared out", "each element counts whole in the sum"
    return {"averaged": said(words, np.full(arrays[0].shape, dy / arrays[0].size))}


def of_sqrt(arrays, dy):
    root = np.sqrt(arrays[0])
    words = "the derivative of √u is written wrong", "1 / (2 √u)"
    return {"other_derivative": said(words, dy / root, dy * root / 2, dy / (2 * arrays[0]))}


def positive(*shape):
    return lambda rng, batch: rng.uniform(0.5, 4.0, (batch, *shape))


functions = (
    node_function("add", nn.Add, away(3), away(3)),
    node_function("mul", nn.Mul, away(3), away(3)),
    node_function("matmul", nn.MatMul, away(3), fixed(3, 5)),
    node_function("square", nn.Square, away(3)),
    node_function("exp", nn.Exp, away(3)),
    node_function("sqrt", nn.Sqrt, positive(3), mistakes=of_sqrt),
    node_function("cos", nn.Cos, away(3), mistakes=of_cos),
    node_function("total", nn.Sum, away(3), mistakes=of_total),
)


# The graph --------------------------------------------------------------------------------------


def drawn_graph(rng, count, twice=True):
    """parents[i] of count nodes: each is used, some by several, one twice by the same child."""
    parents = [[]]
    for i in range(1, count):
        some = {int(j) for j in rng.integers(max(0, i - 4), i, 2)}
        parents.append([i - 1, *sorted(some - {i - 1})])
    if twice:
        parents[3] = [2, 2, *parents[3][1:]]
    return parents


# Beside the student's code, so that a graph of a thousand nodes is one call
GRAPHS = b"""
import numpy as np


def build(Node, parents, first):
    nodes = {i: Node(float(i)) for i in first}
    for i, above in enumerate(parents):
        nodes[i].parents = [nodes[j] for j in above]
    return [nodes[i] for i in range(len(parents))]


def chain(Node, count, copies):
    nodes = [Node(0.0)]
    for i in range(1, count):
        nodes.append(Node(float(i), [nodes[-1]] * copies, [None] * copies))
    return nodes


def numbers(nodes):
    return np.array([node.value for node in nodes], dtype=np.float64)
"""


def wrong_order(found, parents, output):
    """(code, cause, remedy) of what is wrong; None where nothing is."""
    needed, waiting = set(), [output]
    while waiting:
        i = waiting.pop()
        if i not in needed:
            needed.add(i)
            waiting += parents[i]
    at = {i: place for place, i in enumerate(found)}
    early = [(i, j) for i in found if i in needed for j in parents[i] if at.get(j, -1) > at[i]]
    late = f"node {early[0][0]} stands before its parent {early[0][1]}" if early else ""
    if set(found) - needed:
        return "not_needed", "there are nodes that output does not depend on", "go from output up"
    if needed - set(found):
        lost = sorted(needed - set(found))
        return (
            "nodes_missing",
            f"nodes {lost} are missing",
            "all that output depends on, and itself",
        )
    if len(found) != len(set(found)):
        return "listed_twice", "a node is listed more than once", "remember which were seen"
    if found[-1:] != [output] and found[:1] == [output]:
        return "reversed", "children stand before their parents", "output is last"
    if late:
        return "wrong_order", late, "list a node when all its parents are listed"
    return None


@check("topological_order", beside={"graphs.py": GRAPHS})
def order(student, rng):
    node, numbers = student.named("Node"), student.beside("graphs", "numbers")
    build, chain = student.beside("graphs", "build"), student.beside("graphs", "chain")
    for count in (5, 9, 14):
        parents = drawn_graph(rng, count)
        parents.append([1])  # which the output does not need
        parents[count - 1].reverse()
        nodes = build.call("", node, parents, rng.permutation(count + 1).tolist(), keep=True)
        output = nodes.item(count - 1, keep=True)
        found = student.function("topological_order", output, keep=True)
        found = [int(number) for number in np.ravel(numbers.call("", found))]
        wrong = wrong_order(found, parents, count - 1)
        listed = "\n".join(f"node {i} has parents {above}" for i, above in enumerate(parents[:9]))
        code, cause, remedy = wrong or ("wrong_order", "", "")
        words = f"returned {found[:20]}\n{listed}\n{cause}"
        yield claim("order", wrong is None, code, words, remedy)
    for copies, count in ((2, 60), (1, 3000)):  # 2⁶⁰ paths; deeper than Python calls itself
        last = chain.call("", node, count, copies, keep=True).item(count - 1, keep=True)
        found = numbers.call("", student.function("topological_order", last, keep=True))
        right = equal(found, np.arange(count))
        words = f"of a chain of {count} nodes the order is {np.ravel(found)[:9]} ...", "from 0 on"
        yield claim("order", right, "wrong_order", *words)


# Beside the student's code, as it handles their nodes
ORDER = """
def topological_order(output):
    order, seen, waiting = [], set(), [(output, False)]
    while waiting:
        node, done = waiting.pop()
        if done:
            order.append(node)
        elif id(node) not in seen:
            seen.add(id(node))
            waiting += [(node, True), *((parent, False) for parent in node.parents)]
    return order
"""


def reverse(parents, slopes, write, order=None, before=None):
    """Gradients by one way of going back through a graph."""
    grads = [np.zeros(3) for _ in parents] if before is None else list(before)
    grads[-1] = np.ones(3)
    for i in order or reversed(range(len(parents))):
        for j, slope in zip(parents[i], slopes[i], strict=True):
            grads[j] = write(grads[j], slope * grads[i])
    return grads


def right_gradients(parents, slopes):
    """By the total derivative: (I - S)ᵀ g = e, with S the slopes of children by parents."""
    S = np.zeros((3, len(parents), len(parents)))
    for i, above in enumerate(parents):
        for j, slope in zip(above, slopes[i], strict=True):
            S[:, i, j] += slope
    e = np.zeros((3, len(parents), 1))
    e[:, -1, 0] = 1
    return np.linalg.solve((np.eye(len(parents)) - S).transpose(0, 2, 1), e)[:, :, 0].T


@check("backpropagate", given={"topological_order": ORDER})
def accumulate(student, rng):
    for count in (4, 7, 12):
        parents = drawn_graph(rng, count)
        slopes = [[draw_dy(rng, (3,)) for _ in above] for above in parents]
        calls = [0]

        def vjp(slope, calls=calls):
            def times(dy):
                calls[0] += 1
                return slope * np.asarray(dy, np.float64)

            return student.callback(times)

        nodes = [student.new("Node", draw_dy(rng, (3,))) for _ in parents]
        for i in range(count):
            nodes[i].set("parents", [nodes[j] for j in parents[i]])
            nodes[i].set("vjps", [vjp(slope) for slope in slopes[i]])
        right = right_gradients(parents, slopes)
        set_only = reverse(parents, slopes, lambda old, new: new)
        forwards = reverse(parents, slopes, lambda old, new: old + new, range(count))
        kept = reverse(parents, slopes, lambda old, new: old + new, before=right)
        last = "= where += belongs: of several children one counts", "add, from zero"
        order = "nodes are visited before all their children", "in reverse topological order"
        edges = sum(map(len, parents))
        for time in (1, 2):
            calls[0] = 0
            student.function("backpropagate", nodes[count - 1], keep=True)
            got = [nodes[i].get("grad") for i in range(count)]
            again = f" in call {time}" if time > 1 else ""
            for i in reversed(range(count)):
                mistakes = {
                    "not_accumulated": said(last, set_only[i]),
                    "wrong_order": said(order, *[forwards[i]] * bool(i or forwards[i].any())),
                    "accumulated": kept[i] if time > 1 else right[i],
                }
                name = "output" if i == count - 1 else "input" if i == 0 else "nodes between"
                yield compare(f"grad of the {name}{again}", got[i], right[i], mistakes)
            words = f"vjps were called {calls[0]} times, and there are {edges}"
            yield claim(
                "vjps", calls[0] == edges, "vjp_calls", words, "each once, when dy is whole"
            )


# The worked example, and all together -----------------------------------------------------------

NODES = (
    ORDER
    + """
import numpy as np


class Node:
    def __init__(self, value, parents, vjps):
        self.value, self.parents, self.vjps, self.grad = value, parents, vjps, None


def add(u, v):
    return Node(u.value + v.value, [u, v], [lambda dy: dy] * 2)


def unary(f, slope):
    return lambda u: Node(f(u.value), [u], [lambda dy: dy * slope(u.value)])


square, exp = unary(np.square, lambda x: 2 * x), unary(np.exp, np.exp)
sqrt, cos = unary(np.sqrt, lambda x: 0.5 / np.sqrt(x)), unary(np.cos, lambda x: -np.sin(x))


def backpropagate(output):
    nodes = topological_order(output)
    for node in nodes:
        node.grad = np.ones(node.value.shape) * (node is output)
    for node in nodes[::-1]:
        for parent, vjp in zip(node.parents, node.vjps):
            parent.grad = parent.grad + vjp(node.grad)
"""
)
ELEMENTARY = ("add", "square", "exp", "sqrt", "cos", "backpropagate")


def example_graph():
    x = nn.Input("x")
    a = nn.Square()(x, name="a")
    b = nn.Exp()(a, name="b")
    c = nn.Add()(a, b, name="c")
    d, e = nn.Sqrt()(c, name="d"), nn.Cos()(c, name="e")
    return nn.Graph([x], nn.Add()(d, e, name="f"))


@check("worked_example", given=dict.fromkeys(ELEMENTARY, NODES))
def example(student, rng):
    for size in (3, 5):
        x = rng.uniform(0.2, 1.2, size) * rng.choice([-1.0, 1.0], size)
        node, graph = student.new("Node", x), example_graph()
        found = student.function("worked_example", node, keep=True)
        nodes = dict(zip("abcdef", (found.item(i, keep=True) for i in range(6)), strict=True))
        graph.forward(x)
        graph.backward(np.ones(size))
        values, grads = graph.node_values, graph.node_grads
        for name, remote in nodes.items():
            yield compare(f"value of {name}", remote.get("value"), values[name])
        student.function("backpropagate", nodes["f"], keep=True)
        c, a = values["c"], values["a"]
        ways = 0.5 / np.sqrt(c), -np.sin(c)
        words = "a node is computed anew where it is used again", "one c, with two children"
        lost = {"not_shared": said(words, *ways, 0 * c)}
        of_a = [way * s for way in (*ways, sum(ways)) for s in (1.0, np.exp(a), 1 + np.exp(a))]
        known = {"c": lost, "a": {"not_shared": said(words, *of_a, 0 * a)}}
        for name, remote in reversed(nodes.items()):
            yield compare(f"grad of {name}", remote.get("grad"), grads[name], known.get(name))
        yield compare("grad of x", node.get("grad"), grads["x"])


def build(f, inputs):
    """½ Σ (W2 (cos z + √exp z) - T)² with z = W1 X, of nodes of either kind."""
    z = f["matmul"](inputs["W1"], inputs["X"])
    h = f["add"](f["cos"](z), f["sqrt"](f["exp"](z)))
    rest = f["add"](f["matmul"](inputs["W2"], h), inputs["minus_T"])
    return f["total"](f["mul"](inputs["half"], f["square"](rest)))


@check("backpropagate", together=True)
def training(student, rng):
    layers = (nn.Add, nn.Mul, nn.MatMul, nn.Square, nn.Exp, nn.Sqrt, nn.Cos, nn.Sum)
    names = ("add", "mul", "matmul", "square", "exp", "sqrt", "cos", "total")
    theirs = {name: partial(student.function, name, keep=True) for name in names}
    ours = {name: layer() for name, layer in zip(names, layers, strict=True)}
    shapes = {"W1": (5, 3), "W2": (4, 5), "X": (3, 7), "minus_T": (4, 7)}
    arrays = {name: rng.normal(size=shape) / 2 for name, shape in shapes.items()}
    arrays["half"] = np.full((4, 7), 0.5)
    inputs = {name: nn.Input(name) for name in arrays}
    graph = nn.Graph(list(inputs.values()), build(ours, inputs))
    moved = {name: array.copy() for name, array in arrays.items()}
    for step in range(1, 5):
        nodes = {name: student.new("Node", array) for name, array in moved.items()}
        loss = build(theirs, nodes)
        yield compare(f"loss in step {step}", loss.get("value"), graph.forward(*arrays.values()))
        student.function("backpropagate", loss, keep=True)
        dx, _ = graph.backward(np.ones(()))
        grads = dict(zip(arrays, dx, strict=True))
        for name in ("W1", "W2"):
            arrays[name] = arrays[name] - 0.002 * grads[name]
            grad = nodes[name].get("grad")
            yield compare(f"grad of {name} in step {step}", grad, grads[name])
            moved[name] = arrays[name].copy()
