"""The documentation site: python -m sphinx -W docs build/docs, then open build/docs/index.html.

What lives elsewhere is gathered, and what can be made is made, under `made/`: the reference from
docstrings, the pages of mistakes by running them, the gallery by running the examples. Nothing on
the site is loaded from the network when it is read.
"""

import os
import sys
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # two examples are run side by side

import nnscratch

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE / "extensions"), str(HERE.parent)]

project = "nnscratch"
author = "the nnscratch contributors"
copyright = f"2026, {author}"
version = release = nnscratch.__version__

extensions = [
    "gathered",
    "reference",
    "codes",
    "words",
    "gallery",
    "mathml",
    "sphinx.ext.autodoc",
    "sphinx.ext.viewcode",
    "numpydoc",
    "myst_nb",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
]
source_suffix = {".rst": "restructuredtext", ".md": "myst-nb", ".ipynb": "myst-nb"}
exclude_patterns = [
    "made/words.md",
    "made/examples",
    "gallery/*.ipynb",
    "gallery/*.py",
    "**/GALLERY_HEADER.rst",
]
nitpicky = True
default_role = "code"

# Docstrings: what a class says of itself; the three passes need no docstring of their own
autodoc_default_options = {"members": True, "member-order": "bysource"}
autodoc_inherit_docstrings = False
autodoc_typehints = "none"
numpydoc_show_class_members = False
numpydoc_use_plots = False

# Pages and the tutorial
myst_enable_extensions = ["dollarmath", "deflist", "colon_fence"]
myst_fence_as_directive = ["math"]
myst_heading_anchors = 3
nb_execution_timeout = 300
nb_execution_raise_on_error = True
nb_execution_cache_path = str(HERE.parent / "build" / "executed")
nb_execution_mode = "cache"
nb_merge_streams = True

sphinx_gallery_conf = {
    "examples_dirs": "made/examples",
    "gallery_dirs": "gallery",
    "image_scrapers": ("gallery.moved_pictures",),
    "download_all_examples": False,
    "remove_config_comments": True,
    "show_signature": False,
    "parallel": 2,
    "abort_on_example_error": True,
    "write_computation_times": False,  # its table is made by scripts from elsewhere
}

html_theme = "furo"
html_title = f"nnscratch {version}"
html_static_path = ["static"]
html_css_files = ["nnscratch.css"]
html_math_renderer = "mathml"
html_copy_source = False
html_show_sphinx = False
