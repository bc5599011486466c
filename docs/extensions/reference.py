"""The reference, a page for each package, made from what `__all__` lists and from docstrings.

Every name stands once, under the shortest name by which users reach it: `nnscratch.Linear`, not
`nnscratch.layers.linear.Linear`. Its page is that of the package it is written in, its section
that of the module. A new layer, or a new module, appears by itself.

Docstrings are written for `help()` as well: |x| is an amount there and (N, *shape) a shape, while
reStructuredText would take one for a substitution and the other for the start of an emphasis.
"""

import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from sphinx.application import Sphinx

import nnscratch

FOLDER = "made/reference"
# The data's path; packages that are not listed here come after it
ORDER = """
data layers layers.activations layers.operators layers.spatial layers.normalization layers.sequence
graph losses optimizers training training.diagnosis metrics gradient_check inspection plots interop
"""


class Entry(NamedTuple):
    """A public name: how users reach it, and where it is written."""

    name: str  # "nnscratch.Linear"
    home: str  # "nnscratch.layers.linear"
    thing: Any


def public_modules() -> Iterator[str]:
    """Packages that list their names, what `nnscratch.__all__` has of modules, and interop."""
    yield "nnscratch"
    for found in pkgutil.walk_packages(nnscratch.__path__, "nnscratch."):
        private = any(part.startswith("_") for part in found.name.split("."))
        if found.ispkg and not private:
            yield found.name
    yield "nnscratch.initializers"
    yield from (f"nnscratch.interop.{name}" for name in nnscratch.interop.MODULES)


def names_of(module: ModuleType) -> list[str]:
    if hasattr(module, "__all__"):
        return list(module.__all__)
    if module.__name__ == "nnscratch.initializers" or ".interop." in module.__name__:
        return [
            name
            for name, thing in vars(module).items()
            if not name.startswith("_") and getattr(thing, "__module__", "") == module.__name__
        ]
    return []


def entries() -> list[Entry]:
    """Every public name once, under the shortest way to it."""
    found: dict[object, Entry] = {}
    for path in sorted(set(public_modules()), key=lambda name: (name.count("."), name)):
        module = importlib.import_module(path)
        for name in names_of(module):
            thing = getattr(module, name)
            if isinstance(thing, ModuleType) or name.startswith("__"):
                continue
            home = getattr(thing, "__module__", None)
            own = isinstance(home, str) and home.startswith("nnscratch") and callable(thing)
            key = (id(thing), name)
            found.setdefault(key, Entry(f"{path}.{name}", home if own else path, thing))
    return list(found.values())


def page_of(home: str) -> str:
    """The package that a module lies in; of interop, which has a library each, the module."""
    while not hasattr(importlib.import_module(home), "__path__"):
        home = home.rpartition(".")[0]
    return home


def first_paragraph(module: ModuleType) -> str:
    text = inspect.getdoc(module) or ""
    return " ".join(text.split("\n\n")[0].split())


def title(text: str, line: str) -> str:
    return f"{text}\n{line * len(text)}\n\n"


def directive(entry: Entry) -> str:
    if inspect.isclass(entry.thing):
        kind = "autoexception" if issubclass(entry.thing, BaseException) else "autoclass"
    else:
        kind = "autofunction" if callable(entry.thing) else "autodata"
    return f".. {kind}:: {entry.name}\n\n"


def page(package: str, members: list[Entry]) -> str:
    text = f".. _{package}:\n\n" + title(package, "=")
    text += first_paragraph(importlib.import_module(package)) + "\n\n"
    for home in dict.fromkeys(entry.home for entry in members):
        if home != package:
            text += title(home.removeprefix(f"{package}."), "-")
            text += first_paragraph(importlib.import_module(home)) + "\n\n"
        text += "".join(directive(entry) for entry in members if entry.home == home)
    return text


def write(app: Sphinx) -> None:
    pages: dict[str, list[Entry]] = {}
    for entry in entries():
        pages.setdefault(page_of(entry.home), []).append(entry)
    place = {f"nnscratch.{name}": number for number, name in enumerate(ORDER.split())}
    ordered = sorted(pages, key=lambda name: (place.get(name, len(place)), name))
    folder = Path(app.srcdir, FOLDER)
    folder.mkdir(parents=True, exist_ok=True)
    for old in set(folder.glob("*.rst")) - {folder / f"{name}.rst" for name in pages}:
        old.unlink()
    for name in pages:
        write_if_changed(folder / f"{name}.rst", page(name, pages[name]))
    index = title("Reference", "=") + "Every public name, from its docstring.\n\n"
    index += ".. toctree::\n   :maxdepth: 2\n\n" + "".join(f"   {name}\n" for name in ordered)
    write_if_changed(folder / "index.rst", index)


def protect(app: Sphinx, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    """Bars and the stars of shapes stand for themselves, in prose; examples stay as they are."""
    example = False
    for i, line in enumerate(lines):
        example = bool(line.strip()) and (example or line.lstrip().startswith(">>>"))
        if not example:
            parts = re.split(r"(``.*?``|`.*?`)", line)
            parts[::2] = [re.sub(r"\||(?<=[(, ])\*(?=\w+[,)])", r"\\\g<0>", s) for s in parts[::2]]
            lines[i] = "".join(parts)


def of_others(
    app: Sphinx, what: str, name: str, thing: Any, skip: bool, options: Any
) -> bool | None:
    """Whether a member is another library's: scikit-learn's, in its estimators."""
    return not getattr(thing, "__module__", "nnscratch").startswith("nnscratch") or None


def without_way_back(
    app: Sphinx, page: str, template: str, context: dict[str, Any], tree: Any
) -> None:
    """A page of source has no links back: they take all names of a module for one package's."""
    if page.startswith("_modules/") and "body" in context:
        context["body"] = re.sub(r'<a class="viewcode-back".*?</a>', "", context["body"])


def write_if_changed(path: Path, text: str) -> None:
    """An untouched file is not read again by the next build."""
    if not path.exists() or path.read_text("utf-8") != text:
        path.write_text(text, "utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    app.setup_extension("sphinx.ext.autodoc")  # whose events are answered here
    app.connect("builder-inited", write, priority=100)
    app.connect("autodoc-process-docstring", protect)
    app.connect("autodoc-skip-member", of_others)
    app.connect("html-page-context", without_way_back)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
