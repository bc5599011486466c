"""What of a submission a check can reach, so that what it cannot reach is judged once.

Most planted mistakes touch one class of ten, and a check looks at one or two. Its result is a
function of the seed and of the definitions that it reaches: those that it asks for, those that
these name in turn, and all that runs on import. Submissions in which they are equal get the same.
"""

from __future__ import annotations

import ast
import hashlib
import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from pathlib import Path

from nnscratch.grading.grade import ItemResult, grade
from nnscratch.grading.spec import Assignment, Item
from nnscratch.grading.submission import Submission

# With one of these in a file, anything may be reached without being named.
LOOKING = frozenset(["globals", "locals", "vars", "dir", "eval", "exec", "compile", "__import__"])
LOOKING_ATTRIBUTES = frozenset(["__dict__", "__globals__", "__subclasses__", "__builtins__"])
LOOKING_MODULES = frozenset(["builtins", "gc", "importlib", "inspect", "sys"])
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


class Reach:
    """The definitions of a submission's files, and what each of them names.

    Parameters
    ----------
    files : mapping of str to bytes

    Examples
    --------
    >>> one = Reach({"f.py": b"def a(): return b()\\ndef b(): return 1\\ndef c(): return 2"})
    >>> two = Reach({"f.py": b"def a(): return b()\\ndef b(): return 1\\ndef c(): return 3"})
    >>> for name in "abc":
    ...     print(name, one.of(frozenset(name)) == two.of(frozenset(name)))
    a True
    b True
    c False
    """

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._whole = _digest([repr(sorted(files.items()))])
        self._texts: dict[str, list[str]] = {}
        self._named: dict[str, set[str]] = {}
        self._on_import = sorted(files)
        self._always: set[str] = set()
        self._is_open = False  # anything may reach anything
        self.of = cache(self._of)
        try:
            trees = [ast.parse(content, name) for name, content in sorted(files.items())]
        except (SyntaxError, ValueError):
            self._is_open = True
            return
        modules = {Path(name).stem for name in files}
        for tree in trees:
            self._read(tree, modules)

    def _read(self, tree: ast.Module, modules: Collection[str]) -> None:
        imported = {name for node in ast.walk(tree) for name in _modules(node)}
        # Of a file of their own everything can be had as an attribute.
        self._is_open |= bool(imported & LOOKING_MODULES.union(modules)) or _looks(tree)
        for node in tree.body:
            if isinstance(node, (*_FUNCTIONS, ast.ClassDef)):
                self._texts.setdefault(node.name, []).append(ast.dump(node))
                self._named.setdefault(node.name, set()).update(_names(node))
            for part in _run_on_import(node):
                self._on_import.append(ast.dump(part))
                self._always |= _names(part)
        # What is bound twice depends on the order, and a star may bind whatever there is.
        self._is_open |= bool(_bound(tree) & {"*", *self._texts})

    def _of(self, names: frozenset[str], given: frozenset[str] = frozenset()) -> str:
        """What is reached from names, as a digest.

        Parameters
        ----------
        names : frozenset of str
            What a check asks for.
        given : frozenset of str
            What means the library's in place of theirs, once everything is imported.
        """
        if self._is_open:
            return self._whole
        waiting = [*(names - given), *self._always]
        reached: set[str] = set()
        while waiting:
            name = waiting.pop()
            if name in self._texts and name not in reached:
                reached.add(name)
                waiting += self._named[name] - given
        texts = (text for name in sorted(reached) for text in self._texts[name])
        return _digest([*self._on_import, *texts])


def _digest(texts: list[str]) -> str:
    return hashlib.sha256("\n".join(texts).encode("utf-8", "surrogatepass")).hexdigest()


def _run_on_import(node: ast.AST) -> Iterator[ast.AST]:
    """What a statement of a file computes when it is imported: of functions not the body."""
    if isinstance(node, _FUNCTIONS):
        arguments = [part for part in ast.walk(node.args) if isinstance(part, ast.arg)]
        yield from [*node.decorator_list, *node.args.defaults]
        yield from filter(None, [*node.args.kw_defaults, node.returns])
        yield from filter(None, [argument.annotation for argument in arguments])
    elif isinstance(node, ast.ClassDef):
        yield from [*node.decorator_list, *node.bases, *node.keywords]
        for inner in node.body:
            yield from _run_on_import(inner)
    elif not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
        yield node


def _names(tree: ast.AST) -> set[str]:
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def _bound(tree: ast.Module) -> set[str]:
    """What a file's statements bind beside its definitions."""
    found: set[str] = set()
    for statement in tree.body:
        if not isinstance(statement, (*_FUNCTIONS, ast.ClassDef)):
            for node in ast.walk(statement):
                if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                    found.add(node.id)
                elif isinstance(node, ast.alias):
                    found.add(node.asname or node.name)
    return found


def _looks(tree: ast.AST) -> bool:
    return bool(_names(tree) & LOOKING) or any(
        isinstance(node, ast.Attribute) and node.attr in LOOKING_ATTRIBUTES
        for node in ast.walk(tree)
    )


def _modules(node: ast.AST) -> list[str]:
    """What a node imports."""
    if isinstance(node, ast.ImportFrom):
        return [(node.module or "").partition(".")[0]]
    if isinstance(node, ast.Import):
        return [alias.name.partition(".")[0] for alias in node.names]
    return []


class Judge:
    """Grades items of many submissions, and what passed once with the same within reach not again.

    Parameters
    ----------
    assignment : Assignment
    level : int
        The sandbox's.

    Attributes
    ----------
    runs : int
        How often an item had to run.
    """

    def __init__(self, assignment: Assignment, level: int) -> None:
        self.assignment, self._level = assignment, level
        # By item and seed: by what was asked for, part by part, what was within reach.
        self._passed: dict[tuple[str, int], dict[_Asked, dict[tuple[str, ...], ItemResult]]]
        self._passed = defaultdict(lambda: defaultdict(dict))
        self.runs = 0

    def item(self, submission: Submission, reach: Reach, seed: int, item: Item) -> ItemResult:
        """What becomes of one item.

        Raises
        ------
        GraderFault
            As in `grade`.
        """
        passed = self._passed[item.id, seed]
        for asked, results in list(passed.items()):
            if known := results.get(tuple(reach.of(*part) for part in asked)):
                return known
        [result] = grade(self.assignment, submission, seed, self._level, [item]).items
        self.runs += 1
        if result.passed:
            checks = self.assignment.checks[item.id]
            asked = tuple(
                (part.asked | _mentioned(check.files), frozenset(check.given))
                for part, check in zip(result.parts, checks, strict=True)
            )
            passed[asked][tuple(reach.of(*part) for part in asked)] = result
        return result


def _mentioned(files: Mapping[str, bytes]) -> frozenset[str]:
    """Every word of what lies beside a submission, which may use what is in it."""
    return frozenset(re.findall(r"\w+", b" ".join(files.values()).decode()))


_Asked = tuple[tuple[frozenset[str], frozenset[str]], ...]
