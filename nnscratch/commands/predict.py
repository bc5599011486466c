"""nnscratch predict: what a trained network sees in pictures of one's own."""

from __future__ import annotations

import argparse
import sys
from itertools import islice
from typing import Any

from nnscratch.commands.options import COUNT

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

    from nnscratch.commands.runs import trained_model
    from nnscratch.data.catalogue import source_of
    from nnscratch.data.pictures import find_pictures, read_picture
    from nnscratch.layers import Softmax

    config, model = trained_model(options.run)
    source = source_of(config.data)
    samples, paths, status = [], [], 0
    for path in find_pictures(options.images):
        try:
            samples.append(read_picture(path, source))
            paths.append(path)
        except OSError as error:  # the others can still be read
            print(f"nnscratch: error: {path}: {error.strerror}", file=sys.stderr)
            status = 1
        except ValueError as error:
            print("nnscratch: error:", " ".join(str(error).split()), file=sys.stderr)
            status = 1
    if not samples:
        return status
    x = np.stack(samples)
    logits = np.concatenate([model.forward(x[i : i + 256]) for i in range(0, len(x), 256)])
    probabilities = Softmax().forward(logits)
    width = max(len(str(path)) for path in paths)
    seen = {}
    for path, image, of_class in zip(paths, x, probabilities, strict=True):
        best = np.argsort(-of_class, kind="stable")[: options.top]
        answers = [f"{source.class_names[k]}: {100 * of_class[k]:.1f}%" for k in best]
        print(f"{path!s:{width}}  {'   '.join(answers)}")
        seen[f"{answers[0]}  {path}"] = image[np.newaxis]
    if options.show:
        from nnscratch.plots import plot_image_rows

        plot_image_rows(dict(islice(seen.items(), MOST_SHOWN)), "as the network gets them").savefig(
            options.show
        )
        print(f"wrote {options.show}")
    return status
