"""Look at a built site: python docs/check_site.py build/docs

Every link leads to a page and a place that are there, nothing is fetched from elsewhere when a
page is read, and every public name has its entry. Prints what it counted; the exit status is 1
where something is missing.
"""

import sys
import zlib
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

sys.path.insert(0, str(Path(__file__).parent / "extensions"))

FETCHED = {"script": "src", "img": "src", "link": "href", "iframe": "src", "source": "src"}
NOT_FETCHED = {"next", "prev", "search", "index", "author", "canonical", "bookmark"}


class Page(HTMLParser):
    """The anchors of a page, where its links lead, and what it loads."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attributes}
        self.anchors |= {found[name] for name in ("id", "name") if name in found}
        if tag == "a" and "href" in found:
            self.links.append(found["href"])
        if tag in FETCHED and FETCHED[tag] in found and found.get("rel") not in NOT_FETCHED:
            self.loaded.append(found[FETCHED[tag]])


def faults(folder: Path) -> list[str]:
    """What is wrong with the pages in a folder, a line each."""
    pages = {path.resolve(): Page(path.read_text("utf-8")) for path in folder.rglob("*.html")}
    wrong = []
    for path, page in pages.items():
        here = path.relative_to(folder.resolve())
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not target.exists():
                wrong.append(f"{here}: {link} leads nowhere")
            elif (
                parts.fragment
                and target in pages
                and unquote(parts.fragment) not in pages[target].anchors
            ):
                wrong.append(f"{here}: {link} has no such place")
        for source in page.loaded:
            parts = urlsplit(source)
            if parts.scheme not in ("", "data") or parts.netloc:
                wrong.append(f"{here}: {source} is loaded from elsewhere")
            elif not parts.scheme and not (path.parent / unquote(parts.path)).exists():
                wrong.append(f"{here}: {source} is loaded and not there")
    return wrong


def documented(folder: Path) -> set[str]:
    """The Python names in the site's inventory."""
    packed = (folder / "objects.inv").read_bytes().split(b"\n", 4)[4]
    lines = zlib.decompress(packed).decode().splitlines()
    return {line.split()[0] for line in lines if line.split()[1].startswith("py:")}


def main(folder: Path) -> int:
    from reference import entries

    names = [entry.name for entry in entries()]
    wrong = faults(folder)
    wrong += [f"{name} has no entry" for name in names if name not in documented(folder)]
    print(*wrong, sep="\n", end="\n" if wrong else "")
    pages = len(list(folder.rglob("*.html")))
    print(f"{pages} pages, {len(names)} public names, {len(wrong)} faults")
    return 1 if wrong or not pages else 0


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1])))
