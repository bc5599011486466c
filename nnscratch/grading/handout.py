"""A handout as one HTML page, to be read anywhere: without a network, on a phone, on paper.

Markdown is markdown-it's, with tables and formulas as GitHub takes them; formulas become MathML,
which every current browser draws by itself, without a script. Braces and roots grow only in a
font for mathematics, which phones lack, so the glyphs that a page needs travel in it (some 60 kB).
"""

from __future__ import annotations

import base64
import html
import io
import re
from collections.abc import Sequence
from typing import Any

__all__ = ["HANDOUT_EXTRA", "formula", "page"]

HANDOUT_EXTRA = "pip install 'nnscratch[handout]'"

PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline';
  font-src data:">
<title>{title}</title>
<style>
@font-face {{ font-family: "Formulas"; src: url(data:font/woff;base64,{font}) format("woff"); }}
:root {{ color-scheme: light dark; --line: rgba(127, 127, 127, 0.35); }}
body {{ font: 1.05rem/1.6 Georgia, "Times New Roman", serif; max-width: 46rem; margin: 2rem auto;
  padding: 0 1rem; overflow-wrap: break-word; }}
h1, h2, h3, table {{ font-family: system-ui, sans-serif; }}
h1, h2, h3 {{ line-height: 1.25; margin: 2em 0 0.6em; }}
h1 {{ margin-top: 0; }}
code {{ font: 0.86em/1.5 ui-monospace, Menlo, Consolas, monospace;
  background: rgba(127, 127, 127, 0.13); padding: 0.1em 0.25em; border-radius: 3px; }}
pre {{ background: rgba(127, 127, 127, 0.13); padding: 0.7em 0.9em; border-radius: 5px; }}
pre code {{ background: none; padding: 0; }}
pre, p, ul, ol, .wide {{ overflow-x: auto; overflow-y: hidden; max-width: 100%; }}
.wide {{ margin: 1em 0; padding: 0.2em 0; }}
table {{ border-collapse: collapse; font-size: 0.88em; line-height: 1.4; }}
th, td {{ text-align: left; vertical-align: top; padding: 0.35em 0.9em 0.35em 0;
  border-bottom: 1px solid var(--line); overflow-wrap: normal; }}
math {{ font-family: Formulas, math; font-size: 1.03em; }}
mtd[columnalign=left] {{ text-align: left; text-align: -webkit-left; padding-left: 0; }}
mtd[columnalign=right] {{ text-align: right; text-align: -webkit-right; padding-right: 0; }}
.whole {{ white-space: nowrap; }}
[mathvariant=bold] {{ font-weight: bold; }}
blockquote {{ margin: 1em 0; padding-left: 1em; border-left: 3px solid var(--line); }}
@media print {{ body {{ margin: 0; max-width: none; }}
  pre, table, .wide {{ break-inside: avoid; }} }}
</style>
</head>
<body>
{body}</body>
</html>
"""


def page(text: str, title: str) -> str:
    r"""A handout in Markdown as a page of its own.

    Parameters
    ----------
    text : str
        Markdown with tables; formulas between ``$`` in a line, or in a block "```math".
    title : str
        The browser's.

    Raises
    ------
    ModuleNotFoundError
        Without the extra "handout".

    Examples
    --------
    >>> text = page("# Sums\n\nAll of $x_1$ to $x_n$.", "Sums")
    >>> "<h1>Sums</h1>" in text and "<msub><mi>x</mi><mi>n</mi></msub>" in text
    True
    """
    # no line ends between a formula and the comma behind it
    inline = r'(<span class="math inline">(?:(?!</span>).)*</span>[.,;:!?)]+)'
    body = re.sub(inline, r'<span class="whole">\1</span>', _parser().render(text))
    return PAGE.format(title=html.escape(title), body=body, font=_font_for(body))


def formula(source: str, display: bool = False) -> str:
    """A formula as MathML; one that stands by itself can be scrolled where the page is narrow."""
    from latex2mathml.converter import convert

    known = source.strip().replace("{aligned}", "{align*}")  # the same inside a formula
    drawn = str(convert(known, display="block" if display else "inline"))
    return f'<div class="wide">{drawn}</div>\n' if display else drawn


def _parser() -> Any:
    try:
        import latex2mathml  # noqa: F401  (for `formula`)
        import ziamath  # noqa: F401  (for its font)
        from markdown_it import MarkdownIt
        from mdit_py_plugins.dollarmath import dollarmath_plugin
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"a page with formulas needs the package {error.name}; {HANDOUT_EXTRA}",
            name=error.name,
        ) from None
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    parser.use(
        dollarmath_plugin,
        allow_labels=False,
        allow_space=False,
        renderer=lambda source, options: formula(source, options["display_mode"]),
    )
    parser.add_render_rule("fence", _fence)
    parser.add_render_rule("table_open", lambda *_: '<div class="wide"><table>\n')
    parser.add_render_rule("table_close", lambda *_: "</table></div>\n")
    return parser


def _fence(renderer: Any, tokens: Sequence[Any], index: int, options: Any, env: Any) -> str:
    """A block of code, or a formula where it says so."""
    if tokens[index].info.strip() == "math":
        return formula(tokens[index].content, display=True)
    return str(renderer.fence(tokens, index, options, env))


def _font_for(body: str) -> str:
    """The glyphs of a page's formulas, of STIX Two Math as ziamath brings it, as base64."""
    from importlib.resources import files

    from fontTools import subset

    letters = set(html.unescape("".join(re.findall(r"<math.*?</math>", body, re.S))))
    # Browsers draw a letter that stands alone by that of the mathematical italics.
    letters |= {chr(code) for code in (*range(0x1D434, 0x1D468), *range(0x1D6E2, 0x1D71C), 0x210E)}
    letters |= set("√∛")  # a root is an element, in whose text the sign is not
    options = subset.Options(flavor="woff", layout_features=["math", "ssty"], hinting=False)
    whole = files("ziamath") / "fonts" / "STIXTwoMath-Regular.ttf"
    with whole.open("rb") as file, subset.load_font(file, options) as font:
        cut = subset.Subsetter(options)
        cut.populate(text="".join(letters))
        cut.subset(font)
        written = io.BytesIO()
        subset.save_font(font, written, options)
    return base64.b64encode(written.getvalue()).decode("ascii")
