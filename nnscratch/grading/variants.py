"""Variants of a solution: with other definitions, or without any sense.

A file in right/, as a planted mistake of whole definitions, holds only what differs from the
solution: functions, classes and methods take the place of those of the same name.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator, Mapping

# What a function may return that nobody meant: each must be a student's fault, never ours.
ODD = (
    "None",
    "'text'",
    "()",
    "{}",
    "float('nan')",
    "True",
    "10**30",
    "[1, 'two', None]",
    "object()",
    "__import__('numpy').zeros((2, 2))",
    "__import__('numpy').full(3, 'x')",
    "(None, None)",
    "(None, {'W': None})",
    "[[1.0], [1.0, 2.0]]",
    "[__import__('numpy').zeros(3)] * 300",
    "__import__('numpy').zeros((2000, 2000))",
)
# What the attributes of an object may be that nobody meant.
ODD_ATTRIBUTES = (
    "{'W': [[1.0], [1.0, 2.0]], 'b': None}",
    "{'W': 'text', 'b': object()}",
    "{'W': __import__('numpy').zeros((2000, 2000)), 'b': 1}",
    "{1: 2}",
    "[{}, 3, None]",
    "None",
)

Files = dict[str, bytes]


def merged(solution: Mapping[str, bytes], variant: bytes, name: str) -> Files:
    """The solution with what the variant defines in place of its own.

    Raises
    ------
    ValueError
        The variant has nothing that the solution has.

    Examples
    --------
    >>> solution = {"f.py": b"class A:\\n    def f(self):\\n        return 1\\n"}
    >>> print(merged(solution, b"class A:\\n    def f(self): return 2", "two")["f.py"].decode())
    class A:
    <BLANKLINE>
        def f(self):
            return 2
    """
    tree = ast.parse(variant, name)
    wanted = {_name(node) for node in tree.body if _name(node)}
    best, most = "", 0
    for file, source in solution.items():
        have = {_name(node) for node in ast.parse(source, file).body}
        if len(wanted & have) > most:
            best, most = file, len(wanted & have)
    if not best:
        raise ValueError(f"{name} has nothing that the solution has")
    target = ast.parse(solution[best], best)
    _merge(target.body, tree.body)
    return dict(solution) | {best: ast.unparse(ast.fix_missing_locations(target)).encode()}


def _merge(target: list[ast.stmt], source: list[ast.stmt]) -> None:
    where = {_name(node): i for i, node in enumerate(target) if _name(node)}
    imports = []
    for node in source:
        index = where.get(_name(node)) if _name(node) else None
        old = target[index] if index is not None else None
        if isinstance(old, ast.ClassDef) and isinstance(node, ast.ClassDef):
            _merge(old.body, node.body)
            old.bases = node.bases or old.bases
        elif index is not None:
            target[index] = node
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            imports.append(node)
        elif not _is_docstring(node):
            target.append(node)
    first = _after_future(target)
    target[first:first] = imports


def _name(node: ast.stmt) -> str:
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        return node.name
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        return node.targets[0].id
    return ""


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _after_future(body: list[ast.stmt]) -> int:
    """Where the first import may stand."""
    first = 0
    for i, node in enumerate(body):
        if _is_docstring(node) or (
            isinstance(node, ast.ImportFrom) and node.module == "__future__"
        ):
            first = i + 1
        else:
            break
    return first


def odd(starter: Mapping[str, bytes]) -> Iterator[tuple[str, Files]]:
    """The starter with every function returning something that nobody meant; and nothing at all.

    Yields
    ------
    name : str
    files : dict of str to bytes
    """
    for expression in ODD:
        yield f"returns {expression}", {f: _returning(s, expression) for f, s in starter.items()}
    for expression in ODD_ATTRIBUTES:
        yield f"attributes {expression}", {f: _holding(s, expression) for f, s in starter.items()}
    yield "nothing in it", dict.fromkeys(starter, b"")
    yield "syntax error", dict.fromkeys(starter, b"def f(:\n")
    yield "not UTF-8", dict.fromkeys(starter, b"x = '\xff\xfe'\n")


def _holding(source: bytes, expression: str) -> bytes:
    """Every class with these for params, grads and layers; methods return their argument."""
    tree = ast.parse(source)
    attributes = ast.parse(
        f"params = grads = layers = property(lambda self: {expression}, lambda self, new: None)"
    ).body
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            node.body[:0] = copy.deepcopy(attributes)
        if isinstance(node, ast.FunctionDef):
            first = "None if len(locals()) == 1 else [*locals().values()][1]"
            value = "None" if node.name == "__init__" else first
            node.body = [ast.Return(ast.parse(value, mode="eval").body)]
    return ast.unparse(ast.fix_missing_locations(tree)).encode()


def _returning(source: bytes, expression: str) -> bytes:
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            value = "None" if node.name == "__init__" else expression
            node.body = [ast.Return(ast.parse(value, mode="eval").body)]
    return ast.unparse(ast.fix_missing_locations(tree)).encode()
