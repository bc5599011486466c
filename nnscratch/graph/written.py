"""The code that builds a graph: a line for each node, then the call that makes the graph of them.

    x = Input('x')
    square1 = Square()(x)
    add1 = Add()(square1, 1)
    Graph([x], add1)

A node is called as in the graph. `name=` stands there only where the graph would choose another
name, so the parameters of what is built have the same names.
"""

from __future__ import annotations

import keyword
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

from nnscratch.graph.order import Step, kind_of
from nnscratch.layers.written import Page, literal

FEW = 100_000  # numbers of a constant that are written out; print(graph) is no place for more


def graph_on(
    page: Page, steps: Sequence[Step], inputs: int, ends: Sequence[int], several: bool
) -> str:
    """Write the nodes on the page, a line each; returns the call of Graph."""
    given = _given(steps)
    uses = Counter(p for step in steps for p in step.parents) + Counter(ends)
    texts: list[str] = []
    for i, step in enumerate(steps):
        name = f"name={step.name!r}" if i in given else ""
        if step.part is not None:
            text = f"{texts[step.parents[0]]}[{step.part}]"
        elif step.value is not None and uses[i] == 1 and i not in ends:
            text = _numbers(step.value)
        elif step.value is not None:
            text = _line(page, step, f"Constant({_numbers(step.value)})")
        elif step.layer is None:
            text = _line(page, step, f"Input({step.name!r})" if name else "Input()")
        else:
            arguments = _arguments(step.layer, [texts[p] for p in step.parents])
            named = ", ".join([*arguments, *([name] if name else [])])
            text = _line(page, step, f"{page.of(step.layer)}({named})")
        texts.append(text)
    found = [texts[end] for end in ends]
    output = f"outputs=[{', '.join(found)}]" if several else found[0]
    return f"Graph([{', '.join(texts[:inputs])}], {output})"


def _given(steps: Sequence[Step]) -> set[int]:
    """The steps whose names must be written, as the graph would number them otherwise.

    A name that is written is not counted, which may change the numbers of those behind it: so
    again until all agree.
    """
    given = {
        i
        for i, step in enumerate(steps)
        if step.part is None and not re.fullmatch(rf"{re.escape(kind_of(step))}\d+", step.name)
    }
    while True:
        taken = {steps[i].name for i in given}
        count: Counter[str] = Counter()
        before = len(given)
        for i, step in enumerate(steps):
            if i in given or step.part is not None:
                continue
            kind = kind_of(step)
            count[kind] += 1
            while (name := f"{kind}{count[kind]}") in taken:
                count[kind] += 1
            taken.add(name)
            if name != step.name:
                given.add(i)
        if len(given) == before:
            return given


def _line(page: Page, step: Step, text: str) -> str:
    """Give the text a line under the node's name, as far as that is a name in Python."""
    name = re.sub(r"\W", "_", step.name)
    if not name.isidentifier() or keyword.iskeyword(name) or name[0].isupper():
        name = f"{name}_" if keyword.iskeyword(name) else f"node_{name}"
    return page.named(page.free(name), text)


def _arguments(layer: Any, texts: list[str]) -> list[str]:
    """What the layer is called with: a loss takes a target of several parts as a tuple."""
    parts = getattr(layer, "parts", None)
    if parts is None:
        return texts
    comma = "," if parts == 1 else ""
    return [texts[0], f"({', '.join(texts[1 : 1 + parts])}{comma})", *texts[1 + parts :]]


def _numbers(value: Any) -> str:
    return literal(value) if value.size <= FEW else "..."
