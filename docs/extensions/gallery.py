"""The gallery: every example is run in a folder of its own, and its pictures are shown.

The examples lie in the package, where nothing may be written; so copies of them are run, whose
first line is made a heading and whose command a block. Those that need a data set which would
have to be downloaded are shown and not run.
"""

import re
import shutil
from pathlib import Path
from typing import Any

from reference import write_if_changed
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx_gallery.scrapers import figure_rst

DOCS = Path(__file__).parents[1]
EXAMPLES = DOCS.parent / "nnscratch" / "examples"
HEAD = """Gallery
=======

Each example fits on a screen; run it by ``python -m nnscratch.examples.NAME``, or copy it and
change it. Pictures, outputs and times are those of the machine on which this site was made.
"""


# What stands for an example that draws nothing, or is not run, among the pictures of plots/
STAND_INS = {
    "fashion_mnist": "fashion_mnist_predictions",
    "lenet": "fashion_mnist_feature_maps",
    "recitation_mlp": "worked_example",
    "train_mlp": "digits_mlp",
}


def run_here(name: str) -> bool:
    """Whether an example needs nothing that would be downloaded."""
    return "fashion-mnist" not in (EXAMPLES / f"{name}.py").read_text("utf-8")


def pattern() -> str:
    """The paths of the examples that are run."""
    names = sorted(path.stem for path in EXAMPLES.glob("*.py") if run_here(path.stem))
    return rf"/({'|'.join(names)})\.py$"


def with_heading(source: str) -> str:
    """The module's docstring as sphinx-gallery reads it."""
    first, rest = source.split("\n", 1)
    title = first.removeprefix('"""').removesuffix('"""').rstrip(".")
    end = '"""\n' if first.endswith('"""') and len(first) > 3 else ""
    rest = re.sub(r"^(python -m .*)$", r"::\n\n    \1", rest, count=1, flags=re.MULTILINE)
    return f'"""\n{title}\n{"=" * len(title)}\n{end}{rest}'


def copy(app: Sphinx, config: Config) -> None:
    config.sphinx_gallery_conf["filename_pattern"] = pattern()
    folder = DOCS / "made" / "examples"
    folder.mkdir(parents=True, exist_ok=True)
    names = [path.name for path in EXAMPLES.glob("*.py") if path.stem != "__init__"]
    for old in set(folder.glob("*.py")) - {folder / name for name in names}:
        old.unlink()
    for name in names:
        source = with_heading((EXAMPLES / name).read_text("utf-8"))
        if picture := STAND_INS.get(name.removesuffix(".py")):
            source += f"\n# sphinx_gallery_thumbnail_path = '../plots/{picture}.png'\n"
        write_if_changed(folder / name, source)
    write_if_changed(folder / "GALLERY_HEADER.rst", HEAD)


def moved_pictures(block: Any, variables: dict[str, Any], config: dict[str, Any]) -> str:
    """The pictures that an example has saved, moved into the site.

    Two run side by side in one folder: what an example draws begins with its name.
    """
    found = []
    paths = variables["image_path_iterator"]
    source = Path(variables["src_file"])
    for picture in sorted(source.parent.glob(f"{source.stem}*.png")):
        found.append(str(next(paths)))
        shutil.move(picture, found[-1])
    return figure_rst(found, config["src_dir"])


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("config-inited", copy, priority=5)  # before sphinx-gallery reads them
    return {"parallel_read_safe": True, "parallel_write_safe": True}
