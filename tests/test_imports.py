"""The floors of the package: imports go down, in no circle, and only where they are needed.

All imports are read from the source, those inside functions too; what stands under
`if TYPE_CHECKING` is for readers and checkers of types, and is never run.
"""

import ast
import importlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

import nnscratch

PACKAGE = Path(nnscratch.__file__).parent

# From the ground up. Modules of one floor may import each other, in no circle.
FLOORS = """
compiled _safe_path kinds words asking files npz modules initializers metrics data display interop
layers.params layers.caches layers.listing layers.owner layers.written layers.base layers.flat
layers machine
losses graph optimizers models model_text builder checkpoint interop.safetensors interop.torch_names
inspection gradient_check
training
plots
interop.estimator_arguments interop.onnx interop.sklearn interop.tensorboard
nnscratch
grading
commands
cli __main__ examples
"""

UPWARD = {  # inside a function, for the convenience of who holds the object
    ("nnscratch.training.history", "nnscratch.plots"): "History.plot draws its curves",
    ("nnscratch.training.range_test", "nnscratch.plots"): "RangeTest.plot draws its curve",
}


class Import(NamedTuple):
    """Module `source`, at `place`, imports module `target`."""

    source: str
    target: str
    place: str  # as "nnscratch/layers/scan.py:12"


def modules_of(package: Path) -> dict[str, Path]:
    """The modules of a package by their names; a package is its `__init__`."""
    modules = {}
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package.parent).with_suffix("").parts
        modules[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return modules


def imports_of(package: Path) -> list[Import]:
    """Every import of one module of the package by another."""
    modules, found = modules_of(package), []
    for name, path in modules.items():
        for node in statements(ast.parse(path.read_text("utf-8"))):
            place = f"{path.relative_to(package.parent)}:{node.lineno}"
            for target in dict.fromkeys(targets(node, name, path, modules)):
                if target in modules and target != name:
                    found.append(Import(name, target, place))
    return found


def statements(node: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
    """The imports in a tree, in any depth, that are run."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        yield node
    children = list(ast.iter_child_nodes(node))
    if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
        children = node.orelse if "not" not in ast.unparse(node.test) else node.body
    for child in children:
        yield from statements(child)


def targets(
    node: ast.Import | ast.ImportFrom, name: str, path: Path, modules: dict[str, Path]
) -> Iterator[str]:
    """What an import names, as modules: in `from package import name` the name may be one.

    Whoever stands in a package himself asks it for its modules, not for what they define.
    """
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
        return
    module = node.module or ""
    if node.level:
        package = name if path.name == "__init__.py" else name.rpartition(".")[0]
        above = package.split(".")[: len(package.split(".")) - node.level + 1]
        module = ".".join([*above, *filter(None, [module])])
    inner = [f"{module}.{alias.name}" for alias in node.names]
    if not (name.startswith(f"{module}.") and modules.keys() >= set(inner)):
        yield module
    yield from inner


def floor_of(module: str) -> int:
    """The number of a module's floor, that of the longest name listed that it begins with."""
    floors = {
        name if name == "nnscratch" else f"nnscratch.{name}": number
        for number, names in enumerate(FLOORS.split("\n"))
        for name in names.split()
    }
    if module != "nnscratch":
        del floors["nnscratch"]
    while module not in floors:
        assert "." in module, "a package that stands on no floor; give it one in FLOORS"
        module = module.rpartition(".")[0]
    return floors[module]


def circles(edges: list[Import]) -> list[list[str]]:
    """A circle of modules for each group of modules that reach one another ([Tarjan] 1972)."""
    below: dict[str, set[str]] = {}
    for edge in edges:
        below.setdefault(edge.source, set()).add(edge.target)
    number: dict[str, int] = {}
    lowest: dict[str, int] = {}
    stack: list[str] = []
    found = []

    def visit(module: str) -> None:
        number[module] = lowest[module] = len(number)
        stack.append(module)
        for target in sorted(below.get(module, ())):
            if target not in number:
                visit(target)
            if target in stack:
                lowest[module] = min(lowest[module], lowest[target])
        if lowest[module] == number[module]:
            group = stack[stack.index(module) :]
            del stack[stack.index(module) :]
            if len(group) > 1:
                found.append(group)

    for module in sorted(below):
        if module not in number:
            visit(module)
    return found


EDGES = imports_of(PACKAGE)


def test_imports_are_found_wherever_they_stand():
    assert len(EDGES) > 500
    found = {(edge.source, edge.target) for edge in EDGES}
    assert ("nnscratch.models", "nnscratch.layers") in found  # names in a package
    assert ("nnscratch", "nnscratch.initializers") in found  # a module in a package
    assert ("nnscratch.layers", "nnscratch.layers.base") in found  # by a star
    assert ("nnscratch.data.datasets", "nnscratch.display.html") in found  # in a method


def test_imports_go_down():
    upward = [
        f"{edge.place}: {edge.source} imports {edge.target}"
        for edge in EDGES
        if floor_of(edge.target) > floor_of(edge.source)
        and (edge.source, edge.target) not in UPWARD
    ]
    assert not upward, "\n" + "\n".join(upward)


def test_every_exception_is_needed():
    found = {(edge.source, edge.target) for edge in EDGES}
    assert set(UPWARD) <= found


def test_no_modules_import_each_other_in_a_circle():
    edges = [edge for edge in EDGES if (edge.source, edge.target) not in UPWARD]
    lines = []
    for group in circles(edges):
        lines.append(f"a circle of {', '.join(sorted(group))}:")
        lines += [
            f"  {edge.place}: {edge.source} imports {edge.target}"
            for edge in edges
            if edge.source in group and edge.target in group
        ]
    assert not lines, "\n" + "\n".join(lines)


def test_importing_the_package_loads_numpy_and_nothing_slow():
    code = "import sys, nnscratch; print(*sys.modules)"
    output = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    loaded = set(output.stdout.split())
    assert "numpy" in loaded
    slow = {"scipy", "matplotlib", "tqdm", "pooch", "multiprocessing", "zipfile", "threadpoolctl"}
    assert not slow & loaded
    # a quarter of the time, for what many programs do without
    assert not {f"nnscratch.{name}" for name in ("gradient_check", "plots")} & loaded


@pytest.mark.parametrize("name", ["gradient_check", "plots", "check_gradients"])
def test_what_is_imported_later_is_there_when_asked_for(name):
    code = f"import nnscratch as nn; print(nn.{name}.__name__, {name!r} in dir(nn))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    found, is_listed = told.stdout.split()
    assert found.endswith(name)
    assert is_listed == "True"


def listed(module: str) -> list[str]:
    """The names that a module lists; none where the extra that it needs is not installed."""
    try:
        return importlib.import_module(module).__all__
    except ModuleNotFoundError as missing:
        if "pip install 'nnscratch[" not in str(missing):
            raise
        return []


WITH_ALL = [
    name
    for name, path in modules_of(PACKAGE).items()
    if "\n__all__ = " in path.read_text("utf-8") or "    __all__ = " in path.read_text("utf-8")
]


@pytest.mark.parametrize("module", WITH_ALL)
def test_every_name_that_is_listed_exists_and_is_listed_once(module):
    names = listed(module)
    assert len(names) == len(set(names))
    for name in names:
        assert hasattr(importlib.import_module(module), name), name


def test_a_module_whose_names_are_taken_by_a_star_lists_them():
    for edge in EDGES:
        path, line = edge.place.split(":")
        if (PACKAGE.parent / path).read_text("utf-8").splitlines()[int(line) - 1].endswith("*"):
            assert edge.target in WITH_ALL, edge.place


def test_a_name_of_the_package_means_one_thing():
    meant = {}
    for module in WITH_ALL:
        for name in listed(module):
            if name in nnscratch.__all__:
                meant.setdefault(name, {})[module] = getattr(importlib.import_module(module), name)
    for name, things in meant.items():
        assert {id(thing) for thing in things.values()} == {id(getattr(nnscratch, name))}, things
