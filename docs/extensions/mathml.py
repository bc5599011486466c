"""Formulas as MathML, which browsers set themselves: no script and no request.

The font that they are set in lies beside the style sheet (`static/math_licence.txt`), since a
system without one of mathematics leaves brackets small.
"""

from docutils.nodes import SkipNode, math, math_block
from latex2mathml.converter import convert
from sphinx.application import Sphinx
from sphinx.writers.html5 import HTML5Translator


def visit_inline(translator: HTML5Translator, node: math) -> None:
    translator.body.append(convert(node.astext()))
    raise SkipNode


def visit_block(translator: HTML5Translator, node: math_block) -> None:
    tex = node.astext().replace("{aligned}", "{split}")  # the same, by a name that is known
    formula = convert(tex, display="block")
    translator.body.append(f'<div class="math">{formula}</div>')
    raise SkipNode


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
