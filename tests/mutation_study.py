"""The mutation study of the gradient checker: python -m tests.mutation_study

The passes of the library's own layers, operators and losses are rewritten, each time with one
mistake that students make, and the checker is asked what is wrong. The table counts for every
kind of mistake which codes it got. A mutant that behaves as the original on random inputs is no
mistake; those are listed and left out.

Options: --step 3 takes every third mutant, --seeds 50 the seeds for false alarms.
"""

import argparse
import ast
import collections
import contextlib
import copy
import inspect
import sys
import textwrap
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

import nnscratch as nn
from nnscratch.gradient_check import check_gradients


def signed(rng, *shape):
    return rng.uniform(0.4, 1.6, shape) * rng.choice([-1, 1], shape)


def positive(rng, *shape):
    return rng.uniform(0.4, 1.6, shape)


def regular(rng, *shape):
    return rng.uniform(-1, 1, shape) + (shape[-1] + 1) * np.eye(shape[-1])


def labels(rng, n, classes):
    return rng.integers(0, classes, n)


@dataclass(frozen=True)
class Case:
    """A layer to mutate, and what to feed it."""

    build: Callable[[], Any]
    inputs: Callable[[np.random.Generator], tuple]
    part: Any = None  # the class whose passes are mutated, if not the object's own

    @property
    def mutated(self):
        return self.part or type(self.build())


def one(*shape, sample=signed):
    return lambda rng: (sample(rng, *shape),)


def two(first, second, sample=signed):
    return lambda rng: (sample(rng, *first), sample(rng, *second))


def shared():
    layer = nn.Linear(5, 5, rng=1)
    return nn.Sequential(layer, nn.Tanh(), layer)


def scores(rng):
    return signed(rng, 7, 5), labels(rng, 7, 5)


ZOO = [
    Case(lambda: nn.Linear(5, 3, rng=1), one(7, 5)),
    Case(lambda: nn.Linear(5, 5, rng=1), one(7, 5)),
    Case(lambda: nn.Bias(5), one(7, 5)),
    *(
        Case(build, one(7, 5))
        for build in (
            nn.Identity,
            nn.Sigmoid,
            nn.Tanh,
            nn.ReLU,
            lambda: nn.LeakyReLU(0.2),
            lambda: nn.ELU(1.3),
            nn.GELU,
            nn.SiLU,
            nn.Softplus,
            nn.Softmax,
            nn.LogSoftmax,
            nn.Sin,
            nn.Cos,
            nn.Exp,
            nn.Square,
            lambda: nn.Power(3),
            lambda: nn.Dropout(0.4, rng=3),
            nn.Sum,
            lambda: nn.Sum(1),
            nn.Mean,
            lambda: nn.Mean(1),
            nn.Transpose,
            lambda: nn.Reshape((5, -1)),
        )
    ),
    Case(nn.Log, one(7, 5, sample=positive)),
    Case(nn.Sqrt, one(7, 5, sample=positive)),
    Case(lambda: nn.Power(-0.5), one(7, 5, sample=positive)),
    Case(lambda: nn.Softmax(1), one(7, 5, 3)),
    Case(lambda: nn.LogSoftmax(0), one(7, 5)),
    Case(nn.Flatten, one(7, 3, 4)),
    Case(lambda: nn.Transpose((1, 2, 0)), one(7, 5, 3)),
    *(
        Case(build, two(*shapes))
        for build in (nn.Add, nn.Sub, nn.Mul, nn.Div)
        for shapes in (((7, 5), (7, 5)), ((7, 5), (5,)), ((7, 1, 3), (5, 1)))
    ),
    Case(nn.MatMul, two((7, 5), (5, 3))),
    Case(nn.MatMul, two((5, 5), (5, 5))),
    Case(nn.MatMul, two((4, 7, 5), (5, 3))),
    Case(lambda: nn.Concatenate(1), two((7, 5), (7, 3))),
    Case(nn.Trace, one(7, 4, 4)),
    Case(nn.Determinant, one(7, 4, 4, sample=regular)),
    Case(nn.Inverse, one(7, 4, 4, sample=regular)),
    Case(shared, one(7, 5)),
    Case(lambda: nn.Sequential(nn.Linear(5, 4, rng=1), nn.ReLU(), nn.Linear(4, 3)), one(7, 5)),
    Case(lambda: nn.Residual(nn.Linear(5, 5, rng=1)), one(7, 5)),
    Case(lambda: nn.Residual(nn.Tanh()), one(7, 5)),
    Case(nn.SoftmaxCrossEntropy, scores),
    Case(nn.SoftmaxCrossEntropy, lambda rng: (signed(rng, 7, 5), np.eye(5)[labels(rng, 7, 5)])),
    Case(nn.NLLLoss, scores),
    Case(nn.HingeLoss, scores),
    Case(nn.MSELoss, two((7, 5), (7, 5))),
    Case(lambda: nn.MSELoss("sum"), two((7, 5), (7, 5))),
    Case(nn.L1Loss, two((7, 5), (7, 5))),
    Case(nn.HuberLoss, two((7, 5), (7, 5))),
    Case(nn.BCEWithLogits, lambda rng: (signed(rng, 7, 5), rng.integers(0, 2, (7, 5)))),
]

PASSES = ("backward_pass", "gradient_pass", "sample_gradients", "backprop")
# Element by element, dx = dy f'(x) with an f' that is no constant
MAPS = (
    *("Sigmoid", "Tanh", "ReLU", "LeakyReLU", "ELU", "GELU", "SiLU", "Softplus", "Dropout"),
    *("Sin", "Cos", "Exp", "Log", "Sqrt", "Square", "Power"),
)

# Rewriting ---------------------------------------------------------------------------------


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


Rewriting = Callable[[Site], Iterator[tuple[str, ast.AST, set]]]


def signs(site):
    if site.returned:
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
        yield "1/N upside down", expression("max(int(count), 1)"), {"factor"}  # n², no count


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


def edits(site):
    """Edits by a rule that knows no mistake; few of them have a name."""
    node = site.node
    if site.name in ("Sequential", "Residual", "Concatenate") or "ndim" in site.source:
        return  # their numbers count layers and axes
    if isinstance(node, ast.BinOp):
        gradient = (
            site.returned
            and site.function == "backward_pass"
            and site.name in (*MAPS, "Mul", "Div", "Mean")
        )
        first = gradient and ast.unparse(node.left) == "dy"
        for old, new in (
            (ast.Add, ast.Sub),
            (ast.Sub, ast.Add),
            (ast.Mult, ast.Div),
            (ast.Div, ast.Mult),
            (ast.Mult, ast.Add),
        ):
            if isinstance(node.op, old):
                upside = first and {old, new} == {ast.Mult, ast.Div}
                edited = ast.BinOp(node.left, new(), node.right)
                yield "edit", edited, names_of_edit(site, edited, {"reciprocal"} if upside else ())
        ignored = {"dy_ignored"} if isinstance(node.op, ast.Mult) else ()
        for rest, names in ((node.left, {"missing_derivative"}), (node.right, ignored)):
            yield "edit", rest, names_of_edit(site, rest, names if first else ())
    if isinstance(node, ast.Constant) and type(node.value) is int:
        edited = ast.Constant(node.value + 1)
        yield "edit", edited, names_of_edit(site, edited, ())
    if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.Gt):
        yield "edit", ast.Compare(node.left, [ast.LtE()], node.comparators), {"inverted_mask"}


def names_of_edit(site, edited, names):
    return set(names) | NAMES_OF_EDITS.get(
        (site.name, f"{site.source} -> {ast.unparse(edited)}"), set()
    )


# What remains of the formula by these edits is a mistake that has a name.
NAMES_OF_EDITS = {
    ("Linear", "0 -> 1"): {"wrong_axis"},
    ("Bias", "0 -> 1"): {"wrong_axis"},
    ("Sigmoid", "y * (1 - y) -> y + (1 - y)"): {"missing_derivative"},  # y + 1 - y is 1
    ("Tanh", "1 - y * y -> 1"): {"missing_derivative"},
    ("Tanh", "1 -> 2"): {"path_added"},  # dy (1 - y²) + dy
    ("ReLU", "dy * (y > 0) -> y > 0"): {"dtype"},  # a mask of bool
    ("LeakyReLU", "self.slope * dy -> dy"): {"missing_derivative"},  # 1 on both sides
    ("Softmax", "dy - np.sum(dy * y, self.axis, keepdims=True) -> dy"): {"sum_missing"},
    ("Softmax", "dy * y -> y"): {"sum_missing"},  # the sum of y is 1
    ("LogSoftmax", "dy - np.exp(y) * np.sum(dy, self.axis, keepdims=True) -> dy"): {
        "missing_derivative"
    },
    ("LogSoftmax", "np.exp(y) * np.sum(dy, self.axis, keepdims=True) -> np.exp(y)"): {
        "sum_missing"
    },
    ("Square", "2 * x -> x"): {"factor_half"},
    ("Square", "2 -> 3"): {"factor"},
    ("Power", "self.exponent * np.power(x, self.exponent - 1) -> np.power(x, self.exponent - 1)"): {
        "factor"
    },
    ("Sqrt", "2 * y -> y"): {"factor_2"},
    ("Sqrt", "2 -> 3"): {"factor"},
    ("Dropout", "dy * mask -> dy"): {"missing_derivative"},
    ("Dropout", "dy * mask -> mask"): {"dy_ignored"},
    ("Mean", "dy * (1 / max(int(count), 1)) -> dy"): {"factor_n"},
    ("Mean", "dy * (1 / max(int(count), 1)) -> 1 / max(int(count), 1)"): {"dy_ignored"},
    ("Mean", "1 / max(int(count), 1) -> 1"): {"factor_n"},
    ("Mean", "1 -> 2"): {"factor_2"},
    ("Mul", "dy * v -> dy / v"): {"reciprocal"},
    ("Mul", "dy * u -> dy / u"): {"reciprocal"},
    ("Mul", "dy * v -> dy"): {"missing_derivative"},
    ("Mul", "dy * u -> dy"): {"missing_derivative"},
    ("Mul", "dy * v -> v"): {"dy_ignored"},
    ("Mul", "dy * u -> u"): {"dy_ignored"},
    ("Div", "dy / v -> dy * v"): {"reciprocal"},
    ("Div", "dy / v -> dy"): {"missing_derivative"},
    ("Determinant", "_per_matrix(dy) * _cofactors(x) -> _cofactors(x)"): {"dy_ignored"},
    ("Loss", "float(dy) * scale -> float(dy)"): {"factor_n"},
    ("Loss", "float(dy) * scale -> scale"): {"dy_ignored"},
    ("NLLLoss", "1 -> 2"): {"factor_2"},  # -2 at the label
    ("BCEWithLogits", "sigmoid(prediction) - target -> sigmoid(prediction) + target"): {
        "target_added"
    },
    ("BCEWithLogits", "sigmoid(prediction) - target -> sigmoid(prediction)"): {"target_missing"},
    ("SoftmaxCrossEntropy", "p - target -> p + target"): {"target_added"},
    ("SoftmaxCrossEntropy", "p - target -> p"): {"target_missing"},
}


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

# Mutants -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Mutant:
    """One layer with one mistake."""

    kind: str
    case: Case
    place: str  # class and pass
    source: str  # before -> after
    deserved: frozenset
    build: Callable[[], Any]

    def __str__(self):
        return f"{self.case.build()!r}".replace("\n", "")[:40] + f" {self.place}: {self.source}"


def gradient_nodes(function):
    """(node, key) for the expressions that are a gradient as a whole."""
    for node in ast.walk(function):
        if isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant):
                    yield value, key.value
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Subscript):
            place = node.targets[0].slice
            if isinstance(place, ast.Constant):
                yield node.value, place.value
        if isinstance(node, ast.Return) and function.name != "gradient_pass":
            parts = node.value.elts if isinstance(node.value, ast.Tuple) else [node.value]
            parts = parts[:1] if function.name == "backprop" else parts  # grads are a dict
            yield from ((part, "") for part in parts if not isinstance(part, ast.IfExp))


def passes(cls):
    """(class that defines it, function) for the passes of a class."""
    for name in (*PASSES, "forward_pass"):
        owner = next(c for c in cls.__mro__ if name in vars(c)) if hasattr(cls, name) else None
        if owner not in (None, nn.Layer) and owner.__module__ != "nnscratch.layers.base":
            yield owner, vars(owner)[name]


def mutants_of(case):
    cls = case.mutated
    for owner, function in passes(cls):
        tree = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
        tree.returns = None
        wholes = {id(node): key for node, key in gradient_nodes(tree)}
        in_forward = function.__name__ == "forward_pass"
        for number, node in enumerate(ast.walk(tree)):
            if not isinstance(node, (ast.expr, ast.Return)):
                continue
            whole = id(node) in wholes and not in_forward
            site = Site(
                owner.__name__,
                function.__name__,
                node,
                ast.unparse(node),
                whole,
                wholes.get(id(node), ""),
            )
            for rewriting in REWRITINGS:
                if in_forward and rewriting is not caches:
                    continue
                for kind, new, deserved in rewriting(site):
                    yield Mutant(
                        kind,
                        case,
                        f"{owner.__name__}.{function.__name__}",
                        f"{site.source} -> {ast.unparse(new)}"[:120],
                        frozenset(deserved),
                        builder(case, cls, function, tree, number, new),
                    )


def builder(case, cls, function, tree, number, new):
    """A function that makes the layer with the node of that number replaced."""

    def build():
        mutated = copy.deepcopy(tree)
        old = list(ast.walk(mutated))[number]

        class Replace(ast.NodeTransformer):
            def visit(self, node):
                return new if node is old else self.generic_visit(node)

        module = ast.Module([Replace().visit(mutated)], [])
        namespace = dict(function.__globals__)
        exec(compile(ast.fix_missing_locations(module), "<mutant>", "exec"), namespace)
        layer = case.build()
        mutant = type(cls.__name__, (cls,), {function.__name__: namespace[function.__name__]})
        layer.__class__ = mutant
        return layer

    return build


def behaviour(layer, inputs, seed=0):
    """Everything that a sequence of calls returns or writes to."""
    rng = np.random.default_rng(seed)
    seen = []
    layer = copy.deepcopy(layer)
    if hasattr(layer, "astype"):
        layer.astype(np.float64)
    others = [x * rng.uniform(0.8, 1.2, x.shape) if x.dtype.kind == "f" else x for x in inputs]
    if not hasattr(layer, "reduction"):
        for name in layer.params:
            layer.params[name] = rng.uniform(0.5, 1.5, layer.params[name].shape)
    else:
        others[1] = inputs[1]
    half = [x[: len(x) // 2] if x.ndim and len(x) == len(inputs[0]) else x for x in inputs]
    for given in (inputs, others, half):
        given = [x.copy() for x in given]
        with contextlib.suppress(ValueError, IndexError), np.errstate(all="ignore"):
            y = layer.forward(*given)
            dy = rng.normal(size=np.shape(y))[()]
            for _ in range(2):
                try:
                    seen.append(copy.deepcopy(layer.backward(dy)))
                except Exception as error:
                    seen.append(repr(error))
            seen += [y, dy, *given, *dict(getattr(layer, "params", {})).values()]
    return seen


def equal(a, b):
    if type(a) is not type(b):
        return False
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(equal, a, b))
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(equal(a[k], b[k]) for k in a)
    if isinstance(a, np.ndarray):
        return (
            a.dtype == b.dtype and np.allclose(a, b, rtol=1e-9, atol=1e-12, equal_nan=True)
            if (a.shape == b.shape)
            else False
        )
    return a == b or (a != a and b != b)


def every_mutant():
    """All mutants; edits of a pass that several losses share count once."""
    mutants, seen = [], set()
    for case in ZOO:
        for mutant in mutants_of(case):
            key = (mutant.place, mutant.source)
            if mutant.kind != "edit" or key not in seen:
                mutants.append(mutant)
            seen.add(key)
    return mutants


UNNAMED = {"values_differ", "shape"}
FACTS = {"exception", "none", "type", "dtype", "zero", "non_finite"}  # seen, not concluded


def judge(mutant, seed=0):
    """(outcome, codes): "equal", "silent", "right", "unnamed" or "wrong"."""
    inputs = mutant.case.inputs(np.random.default_rng(seed))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if equal(behaviour(mutant.build(), inputs), behaviour(mutant.case.build(), inputs)):
            return "equal", set(), None
        report = check_gradients(mutant.build(), *inputs, rng=seed)
    codes = {finding.code for finding in report.findings if finding.verdict == "fail"}
    if not codes:
        return "silent", codes, report
    if codes & mutant.deserved and codes <= mutant.deserved | UNNAMED:
        return "right", codes, report
    if mutant.kind == "edit" and not mutant.deserved and codes <= UNNAMED | FACTS:
        return "nameless", codes, report  # there is no name for it, and none was given
    return ("unnamed" if codes <= UNNAMED else "wrong"), codes, report


def false_alarms(seeds):
    """The failures among the correct layers, and the number of checks."""
    alarms, checks = [], 0
    for case in ZOO:
        for seed in range(seeds):
            layer = case.build()
            checks += 1
            report = check_gradients(layer, *case.inputs(np.random.default_rng(seed)), rng=seed)
            if not report.ok or any(f.verdict != "pass" for f in report.findings):
                alarms.append(f"{layer!r} seed {seed}: {report}")
    return alarms, checks


@dataclass
class Study:
    """The outcomes of a run."""

    outcomes: list
    alarms: list
    checks: int

    def count(self, outcome):
        return sum(found == outcome for _, found, _, _ in self.outcomes)

    @property
    def changing(self):
        return len(self.outcomes) - self.count("equal")


@dataclass
class Shares:
    """The shares that the goals speak of."""

    failed: float
    right: float
    wrong: float

    @classmethod
    def of(cls, result):
        named = result.changing - result.count("nameless")
        return cls(
            1 - result.count("silent") / result.changing,
            result.count("right") / named,
            result.count("wrong") / result.changing,
        )


def study(step=1, seeds=50, seed=0):
    outcomes = [(mutant, *judge(mutant, seed)) for mutant in every_mutant()[::step]]
    return Study(outcomes, *false_alarms(seeds))


def timings():
    """The seconds that single checks take, as words."""

    def seconds(cases):
        for case in cases:  # once for what the first call loads
            check_gradients(case.build(), *case.inputs(np.random.default_rng(0)))
        start = time.perf_counter()
        for case in cases:
            check_gradients(case.build(), *case.inputs(np.random.default_rng(0)))
        return time.perf_counter() - start

    linear = Case(lambda: nn.Linear(20, 30, rng=0), one(7, 20))
    return (
        f"Linear(20, 30) {seconds([linear]):.4f} s (goal 0.1 s), "
        f"all {len(ZOO)} layers, operators and losses {seconds(ZOO):.2f} s (goal 20 s)"
    )


def table(result):
    """The confusion matrix: for each kind of mistake the codes it got."""
    rows = collections.defaultdict(collections.Counter)
    for mutant, outcome, codes, _ in result.outcomes:
        if outcome != "equal":
            rows[mutant.kind][" + ".join(sorted(codes)) or "(silent)", outcome] += 1
    lines = [f"{'mistake':<24} {'mutants':>7} {'right':>6} {'unnamed':>8} {'wrong':>6}  codes"]
    for kind, cells in sorted(rows.items()):
        by = collections.Counter()
        for (_, outcome), n in cells.items():
            by["unnamed" if outcome == "nameless" else outcome] += n
        codes = ", ".join(
            f"{code} {n}" + ("" if outcome == "right" else f" ({outcome})")
            for (code, outcome), n in cells.most_common()
        )
        lines.append(
            f"{kind:<24} {sum(by.values()):>7} {by['right']:>6} {by['unnamed']:>8} "
            f"{by['wrong'] + by['silent']:>6}  {codes}"
        )
    return "\n".join(lines)


def main(arguments=None):
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--step", type=int, default=1, help="every how manyth mutant")
    options.add_argument("--seeds", type=int, default=50, help="for false alarms")
    options.add_argument("--seed", type=int, default=0, help="of the mutants' inputs")
    options.add_argument("--verbose", action="store_true", help="print what was not named right")
    options = options.parse_args(arguments)
    start = time.perf_counter()
    result = study(options.step, options.seeds, options.seed)
    print(table(result))
    print("\nchange nothing, left out:")
    for mutant, outcome, _, _ in result.outcomes:
        if outcome == "equal":
            print(f"  {mutant.kind}: {mutant}")
    if options.verbose:
        print("\nnot named right:")
        for mutant, outcome, codes, report in result.outcomes:
            if outcome not in ("equal", "right"):
                print(f"  {outcome} {sorted(codes)}, deserved {sorted(mutant.deserved)}: {mutant}")
                print(textwrap.indent(str(report), "        "))
    n = result.changing
    named = n - result.count("nameless")
    different = len({(m.place, m.source) for m, o, _, _ in result.outcomes if o != "equal"})
    print(
        f"\n{n} mutants change a gradient ({different} different rewritings), "
        f"{result.count('equal')} change nothing"
    )
    shares = Shares.of(result)
    print(f"failed       {shares.failed:.1%} of {n}  (goal 100 %)")
    print(f"named right  {shares.right:.1%} of the {named} that have a name  (goal 85 %)")
    print(f"named wrong  {shares.wrong:.1%} of {n}  ({result.count('wrong')}; goal at most 2 %)")
    print(
        f"not named    {result.count('unnamed')} that have a name, and "
        f"{result.count('nameless')} that have none"
    )
    print(f"false alarms {len(result.alarms)} of {result.checks} checks of correct layers (goal 0)")
    for alarm in result.alarms[:10]:
        print(textwrap.indent(alarm, "  "))
    print(f"{time.perf_counter() - start:.0f} s")
    print(timings())
    reached = (
        shares.failed == 1 and shares.right >= 0.85 and shares.wrong <= 0.02 and not result.alarms
    )
    return 0 if reached else 1


if __name__ == "__main__":
    sys.exit(main())
