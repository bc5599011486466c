"""Every layer: made, called forward and back, and given parameters."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator

import numpy as np

import nnscratch as nn
from tests.layer_cases import CASES
from tests.misuse.call import Call, made, others


def constructors() -> Iterator[Call]:
    """Every layer from the code that builds it, where that is one call."""
    seen = set()
    for case in CASES:
        text = repr(case.build())
        try:
            tree = ast.parse(text, mode="eval").body
        except SyntaxError:
            continue
        if not isinstance(tree, ast.Call) or not isinstance(tree.func, ast.Name):
            continue
        kind = getattr(nn, tree.func.id, None)
        if kind is None or kind in seen:
            continue
        seen.add(kind)
        makers = [
            lambda a=a: eval(compile(ast.Expression(a), "", "eval"), vars(nn)) for a in tree.args
        ]
        keywords = {
            k.arg: lambda a=k.value: eval(compile(ast.Expression(a), "", "eval"), vars(nn))
            for k in tree.keywords
        }
        names = [p.name for p in inspect.signature(kind).parameters.values()]
        places = dict(zip(names, makers, strict=False)) if len(makers) <= len(names) else {}
        if len(places) < len(makers):
            places = {f"layer{i}": maker for i, maker in enumerate(makers)}
        found = Call(
            kind.__name__, kind, {**places, **keywords, **others(kind, {*places, *keywords})}
        )
        found.spread = tuple(places)
        yield found


def passes() -> Iterator[Call]:
    """forward, backward and parameters of every layer."""
    for case in CASES:
        name = case.name
        inputs = case.inputs(np.random.default_rng(0))
        arguments = {f"x{i}": made(x) for i, x in enumerate(inputs)}

        def forward(*x, build=case.build):
            return build().forward(*x)

        yield Call(name, forward, arguments, tuple(arguments))

        def backward(dy, build=case.build, inputs=inputs):
            layer = build()
            layer.forward(*inputs)
            return layer.backward(dy)

        y = case.build().forward(*inputs)
        yield Call(f"{name}.backward", backward, {"dy": made(y)})
        keys = list(case.build().params)[:1]
        for key in keys:

            def assign(value, build=case.build, key=key):
                build().params[key] = value

            yield Call(
                f"{name}.params {key}", assign, {"value": lambda b=case.build, k=key: b().params[k]}
            )
