"""Which nodes of a file some of its values need: what is read where not all of it is wanted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

MOST = 8  # outputs that a way round is looked for


def needed(nodes: Sequence[Any], names: Iterable[str]) -> list[Any]:
    """The nodes that lead to the named values, in their order."""
    wanted, found = set(names), []
    for node in reversed(nodes):
        if not wanted.isdisjoint(name for name in node.output if name):
            found.append(node)
            wanted.update(node.input)
    return found[::-1]


def wanted_outputs(graph: Any, outputs: str | Sequence[str] | None) -> list[str]:
    """The names of the values that the graph is to give; ValueError where the file has no such."""
    own = [output.name for output in graph.output]
    if outputs is None:
        return own
    names = [outputs] if isinstance(outputs, str) else list(outputs)
    known = {x.name for x in graph.input}.union(*(node.output for node in graph.node))
    if unknown := [name for name in names if name not in known or not name]:
        raise ValueError(f"no value is called {unknown[0]!r}; the outputs are {own}")
    return names


def way_round(nodes: Sequence[Any], outputs: Sequence[str], node: Any) -> str:
    """How to read the outputs that do without a node which cannot be read, if there are such."""
    spared = [
        name for name in outputs[:MOST] if not any(one is node for one in needed(nodes, [name]))
    ]
    return f"; load(path, outputs={spared}) reads what does without it" if spared else ""
