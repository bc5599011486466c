"""The tables of other libraries' words, made from those by which the library answers."""

import re
from collections.abc import Mapping
from pathlib import Path

from reference import write_if_changed
from sphinx.application import Sphinx

from nnscratch import words

# A name with a dot in it, and perhaps a call or an index behind it
CODE = re.compile(
    r"(?:nn|model|layer|loss|optimizer|trainer)\.[\w.]+"
    r"(?:\([^()]*(?:\([^()]*\)[^()]*)*\))?(?:\[[^\]]*\])?"
)


def written(ours: str | tuple[str, ...]) -> str:
    """Names as code; advice as it stands, with its code marked."""
    if isinstance(ours, tuple) or " " not in ours:
        return ", ".join(f"`{name}`" for name in ([ours] if isinstance(ours, str) else ours))
    return CODE.sub(r"`\g<0>`", ours)


def table(head: str, rows: Mapping[str, str | tuple[str, ...]], spell: str = "{}") -> str:
    text = f"## {head}\n\n| there | here |\n|---|---|\n"
    for theirs, ours in rows.items():
        text += f"| `{spell.format(theirs)}` | {written(ours)} |\n"
    return text + "\n"


def write(app: Sphinx) -> None:
    models = {**words.OF_LAYERS, **words.SET_ON_LAYERS}
    optimizers = {**words.OF_OPTIMIZERS, **words.SET_ON_OPTIMIZERS}
    text = table("Layers, losses and the rest", words.NAMES)
    text += table("Of a model", models, "model.{}")
    text += table("Of a loss", words.OF_LOSSES, "loss.{}")
    text += table("Of an optimizer", optimizers, "optimizer.{}")
    text += table("Of a schedule", words.OF_SCHEDULES, "schedule.{}")
    text += table("Of a trainer", words.OF_TRAINERS, "trainer.{}")
    text += table("Of a history", words.OF_HISTORIES, "history.{}")
    text += table("Keywords", words.KEYWORDS, "{}=")
    text += table("Keywords that have no counterpart", words.ADVICE, "{}=")
    text += table("Options on the command line", words.OPTIONS)
    folder = Path(app.srcdir, "made")
    folder.mkdir(exist_ok=True)
    write_if_changed(folder / "words.md", text)


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("builder-inited", write, priority=100)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
