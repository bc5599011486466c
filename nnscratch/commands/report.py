"""nnscratch report: one file that shows a run, and needs nothing else to be read."""

from __future__ import annotations

import argparse
import base64
import io
from collections.abc import Iterator
from dataclasses import fields
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from nnscratch.commands.training_run import Run
    from nnscratch.training.history import History

MISTAKES = 30  # pictures of them
FILTERS = 64
NARROW = 720  # pixels of a picture that is still legible on a phone
STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #222; background: #fff;
       max-width: 62rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.5rem; margin: 0.5rem 0; overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; margin: 2rem 0 0.5rem; }
p { margin: 0.3rem 0; }
.big { font-size: 1.25rem; }
.wide { overflow-x: auto; }
img { max-width: 100%; height: auto; }
.wide img { max-width: none; }
.fit img { max-width: 100%; }
.curves { display: flex; flex-wrap: wrap; gap: 1rem; }
.curves div { flex: 1 1 20rem; }
.curves img { width: 100%; }
"""
PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
      content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<h1>{title}</h1>
{body}
</body>
</html>
"""


def register(commands: Any) -> None:
    """Add the command's parser to the command line's."""
    report = commands.add_parser(
        "report",
        help="write a page that shows a run",
        description="Write DIR/report.html: settings, results, curves, what the network confuses, "
        "its surest mistakes and its weights, in one file that loads nothing.",
    )
    report.set_defaults(command=run, parser=report)
    report.add_argument("run", metavar="DIR", help="the folder of a run")
    report.add_argument("--out", metavar="FILE", help="default DIR/report.html")


def run(options: argparse.Namespace) -> int:
    from nnscratch.commands.settings import Config
    from nnscratch.commands.training_run import Run
    from nnscratch.files import atomic_write

    folder = Path(options.run)
    job = Run(Config.read(folder))
    job.restore(folder)
    out = Path(options.out or folder / "report.html")
    title = escape(f"{folder.resolve().name}: {job.title}")
    page = PAGE.format(title=title, style=STYLE, body="\n".join(_sections(job, folder)))
    with atomic_write(out) as file:
        file.write(page.encode())
    print(f"wrote {out}")
    return 0


def _sections(job: Run, folder: Path) -> Iterator[str]:
    """The parts of the page, from the result to its reasons."""
    from nnscratch.training.history import History

    history = History.from_csv(folder / "history.csv")
    yield _result(job, folder, history)
    yield _section("Curves", _curves(folder, history))
    scores = job.scores()
    yield _section("Classes", _classes(scores, job))
    yield _section("Confusion", _confusion(scores, job))
    if len(job.config.source.shape) == 3:
        yield _section("Surest mistakes", _mistakes(scores, job))
        yield _section("What the first layer looks for", _weights(job))
    elif job.config.source.shape == (2,):
        yield _section("What it says of every place of the plane", _plane(job))
    yield _section("Settings", _settings(job, folder))
    yield _section("Model", f'<pre class="wide">{escape(repr(job.model))}</pre>')
    yield _section("Epochs", f'<div class="wide">{history._repr_html_()}</div>')


def _result(job: Run, folder: Path, history: History) -> str:
    from nnscratch.commands.failure import failure_of
    from nnscratch.commands.run_folder import read_results

    results = read_results(folder)
    lines = [f"<p>{escape(job.summary)}</p>"]
    if results is None:
        lines.append(f"<p>Not finished: {len(history)} of {job.config.epochs} epochs.</p>")
    else:
        lines.insert(0, f'<p class="big">test accuracy {results.test_accuracy:.4f}</p>')
        lines.append(
            f"<p>test loss {results.test_loss:.4f}; {results.epochs} epochs in "
            f"{results.seconds:.1f} s</p>"
        )
        if failure := failure_of(job, results, history):
            lines.append(f"<p><strong>{escape(failure)}</strong></p>")
    return "\n".join([*lines, *(f"<p>{escape(note)}</p>" for note in job.data.notes)])


def _curves(folder: Path, history: History) -> str:
    """A picture for each quantity: beside each other, on a narrow screen below one another."""
    from nnscratch.commands.run_folder import read_results

    results = read_results(folder)
    test = (results.test_loss, results.test_accuracy) if results else None
    there = [q for q in ("loss", "accuracy") if f"train_{q}" in history]
    pictures = [_picture(history.plot(quantities=q, test=test), q, "fit") for q in there]
    return f'<div class="curves">{"".join(pictures)}</div>'


def _classes(scores: np.ndarray, job: Run) -> str:
    """Precision, recall and F1 of each class."""
    from nnscratch.display.html import table
    from nnscratch.metrics import precision_recall_f1

    labels, names = job.data.y_test, job.data.class_names
    measures = precision_recall_f1(labels, scores, classes=len(names))
    counts = np.bincount(labels, minlength=len(names))
    rows = [
        [name, str(count), *(f"{measure:.3f}" for measure in of_class)]
        for name, count, *of_class in zip(names, counts, *measures, strict=True)
    ]
    headers = ["class", "in the test", "precision", "recall", "F1"]
    return f'<div class="wide">{table(headers, rows)}</div>'


def _confusion(scores: np.ndarray, job: Run) -> str:
    from nnscratch.plots import plot_confusion

    figure = plot_confusion(scores, job.data.y_test, job.data.class_names)
    return _picture(figure, "the confusion matrix")


def _mistakes(scores: np.ndarray, job: Run) -> str:
    from nnscratch.data.images import subset
    from nnscratch.plots import plot_predictions

    wrong = np.flatnonzero(scores.argmax(axis=1) != job.data.y_test)
    if not len(wrong):
        return "<p>There is none.</p>"
    if job.data.x_test.shape[1] not in (1, 3):
        return "<p>Its images have channels that are no colours.</p>"
    images = np.asarray(subset(job.data.x_test, wrong))
    labels, names = job.data.y_test[wrong], job.data.class_names
    title = f"{len(wrong)} of {len(scores)} are wrong"
    figure = plot_predictions(images, scores[wrong], labels, names, MISTAKES, title)
    return _picture(figure, "images that it takes for others")


def _weights(job: Run) -> str:
    from nnscratch.commands.training_run import first_filters
    from nnscratch.plots import plot_filters

    shape = job.config.source.shape
    found = first_filters(job.model, shape)
    if found is None or shape[0] not in (1, 3):
        return "<p>Its weights are no images.</p>"
    first, image_shape = found
    W = first.params["W"]
    title = f"{first}: {min(len(W), FILTERS)} of its {len(W)} filters"
    figure = plot_filters(W[:FILTERS], title, image_shape, colour=shape[0] == 3)
    return _picture(figure, "the weights of the first layer")


def _plane(job: Run) -> str:
    from nnscratch.plots import plot_decision_boundary

    data = job.data
    figure = plot_decision_boundary(job.model, data.x_test, data.y_test, data.class_names)
    return _picture(figure, "the classes of the plane")


def _settings(job: Run, folder: Path) -> str:
    from nnscratch.commands.options import shown
    from nnscratch.commands.settings import recorded
    from nnscratch.display.html import table

    config = job.config
    given = [(each.name, getattr(config, each.name)) for each in fields(config)]
    rows = [[name.replace("_", " "), shown(value)] for name, value in given if value is not None]
    rows += [[name, value] for name, value in recorded(folder).items()]
    return f'<div class="wide">{table(["setting", "value"], rows)}</div>'


def _section(title: str, content: str) -> str:
    return f"<h2>{escape(title)}</h2>\n{content}"


def _picture(figure: Any, description: str, kind: str = "") -> str:
    """A figure inside the page; a wide one is scrolled on a narrow screen, not made too small."""
    narrow = figure.get_figwidth() * figure.dpi <= NARROW
    kind = kind or ("fit" if narrow else "wide")
    file = io.BytesIO()
    figure.savefig(file, format="png")
    code = base64.b64encode(file.getvalue()).decode("ascii")
    image = f'<img src="data:image/png;base64,{code}" alt="{escape(description)}">'
    return f'<div class="{kind}">{image}</div>'
