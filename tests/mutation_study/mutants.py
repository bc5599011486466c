"""Mutants: layers with one pass rewritten, and whether that changes a gradient."""

import ast
import contextlib
import copy
import inspect
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import nnscratch as nn
from nnscratch.gradient_check.draws import copied, is_float
from tests.mutation_study.edits import true_of_edit
from tests.mutation_study.rewritings import REWRITINGS, caches
from tests.mutation_study.sites import PASSES, Site
from tests.mutation_study.zoo import (
    ZOO,
    Case,
)


@dataclass(frozen=True)
class Mutant:
    """One layer with one mistake."""

    kind: str
    case: Case
    place: str  # class and pass
    source: str  # before -> after
    deserved: frozenset  # names, one of which must be given
    true: frozenset  # names that are true of it too
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
        whole = function.name == "backprop" and not isinstance(getattr(node, "value", 0), ast.Tuple)
        if isinstance(node, ast.Return) and function.name != "gradient_pass" and not whole:
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
                        frozenset(true_of_edit(node, new) if kind == "edit" else ()),
                        builder(case, owner, function, tree, number, new),
                    )


def builder(case, owner, function, tree, number, new):
    """A function that makes the layer with the node of that number replaced."""

    def build():
        mutated = copy.deepcopy(tree)
        old = list(ast.walk(mutated))[number]

        class Replace(ast.NodeTransformer):
            def visit(self, node):
                if node is old:
                    return new
                if isinstance(node, ast.Call) and ast.unparse(node) == "super()":
                    # outside of its class it knows neither
                    return ast.parse("super(_owner, self)", mode="eval").body
                return self.generic_visit(node)

        module = ast.Module([Replace().visit(mutated)], [])
        namespace = dict(function.__globals__, _owner=owner)
        exec(compile(ast.fix_missing_locations(module), "<mutant>", "exec"), namespace)
        layer = case.build()
        cls = case.mutated
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
    others = [x * rng.uniform(0.8, 1.2, x.shape) if is_float(x) else x for x in inputs]
    if not hasattr(layer, "reduction"):
        for name in layer.params:
            layer.params[name] = rng.uniform(0.5, 1.5, layer.params[name].shape)
    else:
        others[1] = inputs[1]
    half = [
        x[: len(x) // 2] if isinstance(x, np.ndarray) and len(x) == len(inputs[0]) else x
        for x in inputs
    ]
    for given in (inputs, others, half):
        given = [copied(x) for x in given]
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
