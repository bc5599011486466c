"""nnscratch predict: what a trained network sees in pictures of one's own."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from nnscratch.commands.options import COUNT, complain
from nnscratch.files import printable

if TYPE_CHECKING:
    from nnscratch.data.sources import Source

MOST_SHOWN = 50  # pictures in one drawing
EXAMPLES = """\
examples:
  nnscratch predict runs/digits-mlp-1 three.png
  nnscratch predict runs/digits-mlp-1 photos/ --top 10     every picture in a folder, all classes
  nnscratch predict runs/digits-mlp-1 *.png --show seen.png    draw what the network was shown

A picture may have any size, be grey or in colour, dark on light or light on dark (its edge tells
which), and have a transparent background. One thing each, with some room around it. What it shows
is cut out, shrunk and centred as the makers of the run's data did it. If the answers surprise you,
look at --show: it is most often the picture that differs from the data.
"""


def register(commands: Any) -> None:
    """Add the command's parser to the command line's."""
    predict = commands.add_parser(
        "predict",
        help="say what pictures show",
        description="Name the class of each picture, with its probability and the next likeliest.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    predict.set_defaults(command=run, parser=predict)
    predict.add_argument("run", metavar="DIR", help="the folder of a run, as train wrote it")
    predict.add_argument(
        "images", metavar="IMAGE", nargs="+", help="a picture, or a folder of pictures"
    )
    predict.add_argument(
        "--top", type=COUNT, default=3, metavar="N", help="how many classes to name (default 3)"
    )
    predict.add_argument(
        "--show", metavar="FILE", help="draw the pictures as the network gets them"
    )


def run(options: argparse.Namespace) -> int:
    import numpy as np

    from nnscratch.commands.training_run import trained_model
    from nnscratch.layers import Softmax

    config, model = trained_model(options.run)
    source = config.source
    if config.normalize and len(source.shape) == 3:
        raise ValueError(
            f"{options.run} was trained on images whose values are not from 0 to 1, as those of "
            "pictures are; train on bytes, or on values divided by the largest"
        )
    samples, status = _read(options.images, source)
    if not samples:
        return status
    paths, x = list(samples), np.stack(list(samples.values()))
    logits = np.concatenate([model.forward(x[i : i + 256]) for i in range(0, len(x), 256)])
    width = max(len(path) for path in paths)
    seen = {}
    for path, image, of_class in zip(paths, x, Softmax().forward(logits), strict=True):
        best = np.argsort(-of_class, kind="stable")[: options.top]
        answers = [f"{source.class_names[k]}: {100 * of_class[k]:.1f}%" for k in best]
        print(printable(f"{path:{width}}  {'   '.join(answers)}"))
        seen[f"{answers[0]}  {path}"] = image[np.newaxis]
    if options.show:
        from nnscratch.plots import plot_image_rows

        shown = dict(islice(seen.items(), MOST_SHOWN))
        plot_image_rows(shown, "as the network gets them").savefig(options.show)
        print(f"wrote {options.show}")
    return status


def _read(names: Sequence[str], source: Source) -> tuple[dict[str, Any], int]:
    """The pictures that can be read by their paths, and the exit status: 1 if some cannot."""
    from nnscratch.data.pictures import find_pictures, read_picture

    samples, status = {}, 0
    for path in find_pictures(names):
        try:
            samples[str(path)] = read_picture(path, source)
        except (OSError, ValueError) as error:  # the others can still be read
            complain(error)
            status = 1
    return samples, status
