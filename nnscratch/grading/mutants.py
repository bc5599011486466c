"""Mutants of a solution: each differs in one small thing, and should lose some item.

One that loses nothing shows a hole in the items, unless it is as right as the solution.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator
from functools import partial

from nnscratch.grading.variants import Files

Edit = tuple[str, Callable[[], None]]


def mutants(solution: Files) -> Iterator[tuple[str, str, Files]]:
    """Every mutant of the solution.

    Each statement is deleted, each two neighbouring arguments of a call are swapped, each constant
    is moved.

    Yields
    ------
    name : str
        Where it is and what was done, such as "Linear.forward: delete self.x = x".
    target : str
        The class or function that was changed.
    files : dict of str to bytes

    Examples
    --------
    >>> for name, _, _ in mutants({"f.py": b"def f(x, y):\\n    z = g(x, y)\\n    return z * 2"}):
    ...     print(name)
    f: delete z = g(x, y)
    f: delete return z * 2
    f: swap x, y in g(x, y)
    f: 2 -> 3 in return z * 2
    """
    for file, source in solution.items():
        tree = ast.parse(source)
        for position, (function, name) in enumerate(_functions(tree)):
            taken: dict[str, int] = {}
            for number, (words, _) in enumerate(_edits(function)):
                changed = copy.deepcopy(tree)
                other, _ = list(_functions(changed))[position]
                list(_edits(other))[number][1]()
                taken[words] = taken.get(words, 0) + 1
                again = f" ({taken[words]})" if taken[words] > 1 else ""
                text = ast.unparse(ast.fix_missing_locations(changed)).encode()
                yield (
                    f"{name}: {words}{again}",
                    name.partition(".")[0],
                    dict(solution) | {file: text},
                )


def _functions(tree: ast.Module) -> Iterator[tuple[ast.FunctionDef, str]]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            yield node, node.name
        if isinstance(node, ast.ClassDef):
            for method in node.body:
                if isinstance(method, ast.FunctionDef):
                    yield method, f"{node.name}.{method.name}"


def _edits(function: ast.FunctionDef) -> Iterator[Edit]:
    """What may be changed, in words, and the change itself; always in the same order."""
    statements = list(_statements(function))
    for body, statement in statements:
        yield f"delete {_line(statement)}", partial(_delete, body, statement)
    for _, statement in statements:
        for node in _expressions(statement):
            if isinstance(node, ast.Call):
                for i in range(len(node.args) - 1):
                    pair = node.args[i : i + 2]
                    if ast.dump(pair[0]) != ast.dump(pair[1]):
                        words = ", ".join(map(ast.unparse, pair))
                        yield f"swap {words} in {ast.unparse(node)}", partial(_swap, node, i)
    for _, statement in statements:
        for node in _expressions(statement):
            if isinstance(node, ast.Constant) and isinstance(node.value, (bool, int, float)):
                moved = not node.value if isinstance(node.value, bool) else node.value + 1
                words = f"{node.value!r} -> {moved!r} in {_line(statement)}"
                yield words, partial(setattr, node, "value", moved)


def _statements(function: ast.FunctionDef) -> Iterator[tuple[list[ast.stmt], ast.stmt]]:
    """Every statement but docstrings, with the list that it stands in."""
    for node in ast.walk(function):
        for name in ("body", "orelse"):
            body: list[ast.stmt] = getattr(node, name, [])
            for statement in body if isinstance(body, list) else ():
                value = getattr(statement, "value", None)
                text = isinstance(value, ast.Constant) and isinstance(value.value, str)
                if not (isinstance(statement, ast.Expr) and text):
                    yield body, statement


def _expressions(statement: ast.stmt) -> Iterator[ast.AST]:
    """The nodes of a statement that belong to no statement inside it."""
    waiting: list[ast.AST] = [statement]
    while waiting:
        node = waiting.pop(0)
        yield node
        waiting += [n for n in ast.iter_child_nodes(node) if not isinstance(n, ast.stmt)]


def _line(statement: ast.stmt) -> str:
    return ast.unparse(statement).splitlines()[0]


def _delete(body: list[ast.stmt], statement: ast.stmt) -> None:
    body[body.index(statement)] = ast.Pass()


def _swap(call: ast.Call, i: int) -> None:
    call.args[i], call.args[i + 1] = call.args[i + 1], call.args[i]
