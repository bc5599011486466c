"""Variants of a solution: with a planted mistake, or just as right, or without any sense.

A file in wrong/ or right/ holds only what differs from the solution: functions, classes and
methods take the place of those of the same name.
"""

from __future__ import annotations

import ast
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
    places = {_name(node): i for i, node in enumerate(target) if _name(node)}
    imports = []
    for node in source:
        place = places.get(_name(node)) if _name(node) else None
        old = target[place] if place is not None else None
        if isinstance(old, ast.ClassDef) and isinstance(node, ast.ClassDef):
            _merge(old.body, node.body)
            old.bases = node.bases or old.bases
        elif place is not None:
            target[place] = node
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
    """The first place where an import may stand."""
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
    yield "nothing in it", dict.fromkeys(starter, b"")
    yield "syntax error", dict.fromkeys(starter, b"def f(:\n")
    yield "not UTF-8", dict.fromkeys(starter, b"x = '\xff\xfe'\n")


def _returning(source: bytes, expression: str) -> bytes:
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            value = "None" if node.name == "__init__" else expression
            node.body = [ast.Return(ast.parse(value, mode="eval").body)]
    return ast.unparse(ast.fix_missing_locations(tree)).encode()
