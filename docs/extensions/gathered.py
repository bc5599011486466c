"""Pages that live beside what they tell of: the tutorial, the homework, the data sets' licences.

They are copied here as they are, and their links, written for a reader of the repository, are
turned to the pages of the site. A link to a file that is no page becomes its name.
"""

import os
import re
import shutil
from pathlib import Path

from sphinx.application import Sphinx

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^()\s#]*)(#[\w-]+)?\)")


def gathered() -> dict[Path, str]:
    """Each file with the name of its page under `docs/`, without its ending."""
    pages = {
        ROOT / "nnscratch/examples/tutorial.ipynb": "made/tutorial",
        ROOT / "homework/README.md": "made/homework/README",
        ROOT / "datasets/README.md": "made/datasets",
        ROOT / "tests/benchmarks/README.md": "made/where_time_goes",
        ROOT / "CHANGELOG.md": "made/changelog",
        ROOT / "CONTRIBUTING.md": "made/contributing",
        ROOT / "SECURITY.md": "made/security",
    }
    for handout in sorted(ROOT.glob("homework/hw*/README.md")):
        pages[handout] = f"made/homework/{handout.parent.name}"
    return pages


def copy(app: Sphinx) -> None:
    for source, page in gathered().items():
        target = DOCS / f"{page}{source.suffix}"
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists() or target.read_bytes() != source.read_bytes():
            shutil.copyfile(source, target)


def turn_links(app: Sphinx, page: str, text: list[str]) -> None:
    """Of a page in Markdown."""
    pages = gathered()
    origin = next((path for path, name in pages.items() if name == page), DOCS / f"{page}.md")
    if origin.suffix != ".md" or not origin.exists():
        return
    here = (DOCS / page).parent

    def turned(link: re.Match[str]) -> str:
        bang, words, target, anchor = link[1], link[2], link[3], link[4] or ""
        if not target or re.match(r"\w+:", target):
            return link[0]
        path = Path(os.path.normpath(origin.parent / target))
        if (path / "README.md") in pages:
            path = path / "README.md"
        if path in pages:
            path = DOCS / f"{pages[path]}{path.suffix}"
        elif not (path.is_relative_to(DOCS) or path.suffix == ".png"):
            return words if path.exists() else link[0]  # a broken one is found by Sphinx
        return f"{bang}[{words}]({os.path.relpath(path, here)}{anchor})"

    text[0] = LINK.sub(turned, text[0])


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("builder-inited", copy, priority=100)
    app.connect("source-read", turn_links)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
