"""What every picture must fulfil, whatever it shows; and how tests read what it shows."""

import io
from itertools import combinations

import numpy as np


def png(figure):
    """(width, height) in pixels of the picture, drawn."""
    file = io.BytesIO()
    figure.savefig(file)
    data = file.getvalue()
    assert data.startswith(b"\x89PNG")
    return int.from_bytes(data[16:20]), int.from_bytes(data[20:24])


def random(*shape, seed=0):
    return np.random.default_rng(seed).random(shape)


def images_of(figure):
    return [axes.images[0] for axes in figure.axes if axes.images]


def shown(figure):
    return [np.asarray(image.get_array()) for image in images_of(figure)]


def texts(figure):
    return [text.get_text() for text in figure.texts]


def look_right(figure):
    """Nothing leaves the picture, no text covers another or a panel, and pixels are sharp.

    Texts inside a panel that belong to it may lie upon it, but on no other text.
    """
    width, height = png(figure)
    written = [text for text in figure.texts if text.get_text()]
    for legend in figure.legends:
        written += legend.get_texts()
    inside = []
    for axes in figure.axes:
        titles = (axes.title, axes._left_title, axes._right_title)
        written += [text for text in titles if text.get_text()]
        written += _of_visible_axes(axes)
        if not axes.images:  # the counts in a confusion matrix have tests of their own
            inside += [text for text in axes.texts if text.get_text()]
    boxes = [text.get_window_extent() for text in written]
    own = [text.get_window_extent() for text in inside]
    for text, box in zip(written + inside, boxes + own, strict=True):
        assert box.x0 >= 0 and box.y0 >= 0 and box.x1 <= width and box.y1 <= height, text
    if figure.get_layout_engine() is None:  # a sheet: its places are whole pixels
        sharp(figure)
    frames = [axes.get_window_extent() for axes in figure.axes]
    for one, other in combinations(frames, 2):
        assert not _overlap(one, other)
    for text, box in zip(written, boxes, strict=True):
        assert not any(_overlap(box, frame) for frame in frames), text
    for (a, one), (b, other) in combinations(zip(written + inside, boxes + own, strict=True), 2):
        assert not _overlap(one, other), (a, b)


def sharp(figure):
    """Check that images begin and end at whole pixels."""
    for image in images_of(figure):
        frame = image.axes.get_window_extent().extents
        np.testing.assert_allclose(frame, np.round(frame), atol=1e-6)


def _of_visible_axes(axes):
    """The label and the tick labels that are drawn, of both axes."""
    found = []
    for axis in (axes.xaxis, axes.yaxis):
        if not axis.get_visible():
            continue
        low, high = sorted(axis.get_view_interval())
        both = ((axis.get_majorticklocs(), axis.get_ticklabels()),)
        both += ((axis.get_minorticklocs(), axis.get_ticklabels(minor=True)),)
        for places, labels in both:
            for place, label in zip(places, labels, strict=False):
                near = 1e-9 * max(abs(low), abs(high))
                if low - near <= place <= high + near and label.get_visible():
                    found.append(label)
        found.append(axis.label)
    return [text for text in found if text.get_text()]


def _overlap(a, b):
    return min(a.x1, b.x1) - max(a.x0, b.x0) > 1 and min(a.y1, b.y1) - max(a.y0, b.y0) > 1
