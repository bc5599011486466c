"""The pages of mistakes, made by making them: the checker's codes, and the library's errors."""

import difflib
import inspect
import warnings
from pathlib import Path

from reference import write_if_changed
from sphinx.application import Sphinx

from docs.planted import layers
from docs.planted.mistakes import MISTAKES, Planted
from nnscratch.gradient_check import CODES
from tests import mistakes as misuse

CODES_HEAD = """# Each code, with a mistake that gets it

What [the gradient checker](../gradient_check.md) says of a mistake. Each is planted in a layer \
that is right ([all of them](#the-right-layers)), and what is printed below it is what the checker \
printed when this page was made.

"""
ERRORS_HEAD = """# Errors, and what they tell

Typical mistakes with the library, each made when this page was made, with the message that it got.

"""


def changed_lines(planted: Planted) -> str:
    """The change as a diff, with the line before and after it."""
    right = inspect.getsource(getattr(layers, planted.layer)).splitlines()
    lines = difflib.unified_diff(right, planted.source().splitlines(), n=1, lineterm="")
    return "\n".join(line for line in list(lines)[2:] if not line.startswith("@@"))


def example(code: str) -> str:
    planted = MISTAKES[code]
    text = f"## `{code}`\n\n"
    if planted.changes:
        text += f"In `{planted.layer}`:\n\n```diff\n{changed_lines(planted)}\n```\n\n"
    if planted.inputs:
        values = ", ".join(f"x = {x.tolist()}" for x in planted.inputs)
        text += f"`{planted.layer}` at `{values}`:\n\n"
    return text + f"```text\n{planted.report()}\n```\n\n"


def write(app: Sphinx) -> None:
    folder = Path(app.srcdir, "made")
    folder.mkdir(exist_ok=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of numbers that overflow, which is what is shown
        text = CODES_HEAD + "".join(map(example, CODES))
        errors = "".join(
            f"## {what[0].upper()}{what[1:]}\n\n```text\n{misuse.message(mistake)}\n```\n\n"
            for what, mistake, _ in misuse.MISTAKES
        )
    text += f"## The right layers\n\n```python\n{inspect.getsource(layers)}```\n"
    write_if_changed(folder / "codes.md", text)
    write_if_changed(folder / "errors.md", ERRORS_HEAD + errors)


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("builder-inited", write, priority=100)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
