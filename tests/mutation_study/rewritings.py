"""The mistakes that are planted: rewritings of the source, and the names they deserve."""

import ast

from tests.mutation_study.edits import edits
from tests.mutation_study.sites import MAPS, expression


def signs(site):
    if site.returned and site.source != "None":
        if isinstance(site.node, ast.UnaryOp) and isinstance(site.node.op, ast.USub):
            yield "lost minus", site.node.operand, {"sign"}
        else:
            yield "flipped sign", expression("-(E)", E=site.node), {"sign"}
    elif site.name == "Cos" and site.source == "-np.sin(x)":
        yield "lost minus", site.node.operand, {"sign"}


def factors(site):
    if isinstance(site.node, ast.Constant) and site.node.value == 2 and site.name in MAPS:
        if site.name == "Square":
            yield "lost factor 2", ast.Constant(1), {"factor_half"}
        if site.name == "Sqrt":
            yield "lost factor 2", ast.Constant(1), {"factor_2"}
    if site.returned and site.function == "gradient_pass":
        yield "1/N too many", expression("(E) / len(dy)", E=site.node), {"factor_1_n"}
    if site.name == "Loss" and site.source == "float(dy) * scale":
        # of a sum there is no scale to lose
        yield "lost 1/N", expression("float(dy)"), {"factor_n"}
        yield "1/N twice", expression("float(dy) * scale * scale"), {"factor_1_n"}
        yield "dy left out", expression("scale"), {"dy_ignored"}
        yield "twice", expression("2 * float(dy) * scale"), {"factor_2"}
    if site.name == "Mean" and site.source == "1 / max(int(count), 1)":
        yield "lost 1/N", ast.Constant(1.0), {"factor_n"}
        yield "1/N twice", expression("1 / max(int(count), 1) ** 2"), {"factor_1_n"}
        yield "1/N upside down", expression("max(int(count), 1)"), {"factor_n"}  # its square


def transposes(site):
    node = site.node
    if isinstance(node, ast.Attribute) and node.attr in ("T", "mT"):
        # where the shapes do not fit, NumPy's error says so
        yield "dropped transpose", node.value, {"transpose_missing", "exception"}
    if site.source == "np.argsort(axes)":
        # of two axes the permutation is its own inverse; of others the shape or the order differs
        yield "permutation not inverted", node.args[0], {"shape", "transposed"}
    if site.returned and site.name in ("Linear", "MatMul", "Inverse", "Determinant"):
        if site.key == "b" or site.source in ("dA", "dB"):
            return
        yield "transposed result", expression("(E).swapaxes(-1, -2)", E=node), {"transposed"}


def sums(site):
    node = site.node
    if not isinstance(node, ast.Call):
        return
    called = ast.unparse(node.func)
    if called == "sum_to_shape" and site.name in ("Add", "Sub", "Mul", "Div", "MatMul"):
        yield "sum_to_shape dropped", node.args[0], {"broadcast_not_summed", "exception"}
    if called != "np.sum":
        return
    if site.returned and site.key:
        yield "dropped sum", node.args[0], {"sum_over_batch"}
        for name, source, codes in (
            ("keepdims", "np.sum(A, axis=0, keepdims=True)", {"keepdims"}),
            ("wrong axis", "np.sum(A, axis=1)", {"wrong_axis"}),
            ("sum over everything", "np.sum(A)", {"wrong_axis", "summed_too_far"}),
            ("mean for sum", "np.mean(A, axis=0)", {"factor_1_n"}),
            ("first sample only", "A[0]", {"one_sample"}),
            ("last sample only", "A[-1]", {"one_sample"}),
        ):
            yield name, expression(source, A=node.args[0]), codes
    elif site.name in ("Softmax", "LogSoftmax"):
        yield "diagonal Jacobian", node.args[0], {"diagonal_jacobian"}
        wrong = expression("np.sum(A, 1 - self.axis % 2, keepdims=True)", A=node.args[0])
        yield "wrong axis", wrong, {"wrong_axis"}
        yield "sum over everything", expression("np.sum(A)", A=node.args[0]), {"wrong_axis"}
        yield "sum left out", ast.Constant(1.0), {"sum_missing"}


def chain_rule(site):
    if site.name in MAPS and site.returned and site.function == "backward_pass":
        if site.source == "dy":
            return
        yield "missing derivative", expression("dy"), {"missing_derivative"}
        ignored = site.source.replace("dy", "np.ones_like(dy)")
        yield "dy left out", expression(ignored), {"dy_ignored"}
        if site.name in ("Log", "Sqrt", "Exp", "Power"):
            upside = expression("dy * dy / (E)", E=site.node)
            yield "derivative upside down", upside, {"reciprocal"}
        if site.name in ("ReLU",):
            yield "other mask", expression("dy * (y <= 0)"), {"inverted_mask"}
        if site.name == "LeakyReLU":
            inverted = "dy * ~positive + self.slope * dy * positive"
            yield "other mask", expression(inverted), {"inverted_mask"}
        if site.name in (*MAPS[:4], "Sin", "Exp", "Square"):
            added = expression("(E) + dy", E=site.node)
            yield "a way too many", added, {"path_added"}


def caches(site):
    """The derivative at the wrong place: y where x is kept, and the reverse."""
    if site.function != "forward_pass" or not isinstance(site.node, ast.Return):
        return
    value = site.node.value
    if not isinstance(value, ast.Tuple) or site.name in ("Sequential", "Residual"):
        return
    y, cache = value.elts
    kept = ast.unparse(cache)
    if site.name in MAPS and kept in ("x", "y"):
        if kept == "x" and site.name not in ("LeakyReLU",):
            # a kept sign (ELU below 0) makes the same mask, but another slope
            wrong = ast.Return(expression("(lambda y: (y, y))(Y)", Y=y))
            yield "derivative at y", wrong, {"wrong_place"}
        if kept == "y":
            yield "derivative at x", expression_return("(Y, x)", Y=y), {"wrong_place"}
    stale = "(Y, self.__dict__.setdefault('_kept', C))"
    # a cache of shapes only is wrong for another batch size alone
    yield "stale cache", expression_return(stale, Y=y, C=cache), {"stale_cache"}


def expression_return(source, **parts):
    body = expression(source, **parts)
    if source == "(Y, x)":
        # x as the pass received it, as a float array
        body = expression("(Y, floating(x))", **parts)
    return ast.Return(body)


def products(site):
    node = site.node
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
        # of square matrices another number, else shapes that do not fit
        swapped = ast.BinOp(node.right, ast.MatMult(), node.left)
        yield "factors swapped", swapped, {"operands_swapped", "exception"}
        by_element = ast.BinOp(node.left, ast.Mult(), node.right)
        yield "* for @", by_element, {"elementwise_product", "exception"}
    if site.name == "Mul" and site.source in ("dy * v", "dy * u"):
        wrong = "dy * u" if site.source == "dy * v" else "dy * v"
        # summed to the other shape it does not fit, where shapes differ
        yield "wrong operand", expression(wrong), {"wrong_operand", "exception"}
    if site.name == "Div" and site.source == "dy / v":
        yield "* for /", expression("dy * v"), {"reciprocal"}
    if site.name == "Div" and site.source == "share * y":
        yield "wrong operand", expression("share"), {"missing_derivative"}
    if isinstance(node, ast.Tuple) and site.source in ("(dA, dB)",):
        yield "gradients swapped", expression("(dB, dA)"), {"swapped", "shape", "transposed"}


def accumulation(site):
    if site.name == "Sequential" and site.source.startswith("np.add(grads[name], grad"):
        yield "= for +=", expression("grad"), {"not_accumulated"}
        yield "first use only", expression("grads[name]"), {"not_accumulated"}
    if site.name == "Residual" and site.source == "dy + df":
        yield "= for +=", expression("df"), {"path_missing"}
        yield "shortcut only", expression("dy"), {"missing_derivative", "path_missing"}
    if site.returned and site.function == "gradient_pass" and site.key:
        summed = (
            f"self.__dict__.__setitem__('_{site.key}', "
            f"self.__dict__.get('_{site.key}', 0) + (E)) or self.__dict__['_{site.key}']"
        )
        yield "adds up over calls", expression(summed, E=site.node), {"accumulated"}


def samples(site):
    if site.name == "Linear" and site.source == "product(dy.T, x, out=out.get('W'))":
        yield "first sample only", expression("product(dy[:1].T, x[:1])"), {"one_sample"}
        yield "last sample only", expression("product(dy[-1:].T, x[-1:])"), {"one_sample"}
    if site.name == "MatMul" and site.source == "rows.mT @ dY":
        yield "first matrix only", expression("(rows[:1].mT @ dY[:1])"), {"one_sample"}


def forms(site):
    if not site.returned or site.function == "backprop" or isinstance(site.node, ast.Tuple):
        return
    if site.name in ("Sequential", "Residual"):
        return
    if site.name in ("Linear", "Bias", "Sigmoid", "Softmax", "Exp", "Sum", "MatMul", "Trace"):
        yield "None", ast.Constant(None), {"none", "exception"}  # a loss multiplies it
        yield "float32", expression("np.asarray(E, np.float32)", E=site.node), {"dtype"}
        yield "a list", expression("list(np.atleast_1d(E))", E=site.node), {"type"}
        stub = "(_ for _ in ()).throw(NotImplementedError())"
        yield "not implemented", expression(stub), {"not_implemented"}
        yield "zeros", expression("np.zeros_like(E)", E=site.node), {"zero"}
    if site.name in ("Sigmoid", "Tanh", "Sin", "Exp", "Softmax", "Square", "Log"):
        written = "np.multiply(dy, (E) / dy, out=dy)"
        yield "dy written to", expression(written, E=site.node), {"mutated_dy"}
    if site.name in ("Linear",) and site.key == "W":
        yield (
            "W written to",
            expression(
                "(E) + 0 * np.add(self.params['W'], 0.1, out=self.params['W']).sum()", E=site.node
            ),
            {"mutated_params"},
        )


def losses(site):
    if site.name not in ("SoftmaxCrossEntropy", "BCEWithLogits", "MSELoss", "NLLLoss", "HingeLoss"):
        return
    if site.source in ("p - target", "sigmoid(prediction) - target"):
        yield "target left out", site.node.left, {"target_missing"}
        added = ast.BinOp(site.node.left, ast.Add(), site.node.right)
        yield "target added", added, {"target_added"}
    if site.source == "_subtract_at(p, target, 1)":
        yield "target left out", expression("p"), {"target_missing"}
    if site.source in ("np.exp(log_p)", "sigmoid(prediction)"):
        yield "softmax left out", site.node.args[0], {"activation_missing"}
    if site.source == "_subtract_at(active, labels, active.sum(-1, keepdims=True))":
        yield "label left out", expression("active"), {"target_missing"}


REWRITINGS = (
    edits,
    signs,
    factors,
    transposes,
    sums,
    chain_rule,
    caches,
    products,
    accumulation,
    samples,
    forms,
    losses,
)
