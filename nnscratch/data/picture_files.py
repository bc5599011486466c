"""A picture's file -> red, green, blue and opacity: only pictures' own formats, of sane sizes."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnscratch.files import open_regular, printable

# Pillow also opens EPS, for which it starts another program, and much else that is no picture
FORMATS = ("PNG", "JPEG", "GIF", "BMP", "WEBP")
ENDINGS = (".png", ".jpg", ".jpeg", ".gif", ".bmp", ".webp")
MOST_PIXELS = 1 << 26  # 64 million: what a small file may claim, a large camera may give
MOST_OF_WEBP = 1 << 24  # its decoder holds two pictures of four bytes a pixel before there is one
ORIENTATION, QUARTERS = 0x0112, (5, 6, 7, 8)  # of Exif: how the camera was held, by 90 degrees
LARGEST_SIDE = 2048  # more is averaged away at once, before it becomes floats


def open_picture(path: Path) -> NDArray[np.float64]:
    """Read a picture as values in [0, 1] of shape (height, width, 4), upright as its camera says.

    Raises
    ------
    OSError
        There is no such file.
    ValueError
        It is no picture, a damaged one, or one of more than 64 million pixels, 16 million of
        WebP, which is found before any of them is read.
    """
    from PIL import ImageOps  # slow to import

    with _opened(path) as image:
        return _values(ImageOps.exif_transpose(image) if _turned(image) != 1 else image)


def picture_size(path: Path) -> tuple[int, int]:
    """The (height, width) that a picture's file says; raises as `open_picture` does."""
    with _opened(path) as image:
        size = image.height, image.width
        return size[::-1] if _turned(image) in QUARTERS else size


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """A picture of Pillow's of which only the beginning is read."""
    from PIL import Image, UnidentifiedImageError  # slow to import

    with open_regular(path) as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its metadata; the size is looked at here
        try:
            with Image.open(file, formats=FORMATS) as image:
                most = MOST_OF_WEBP if image.format == "WEBP" else MOST_PIXELS
                if image.width * image.height > most:
                    raise ValueError(f"{image.width} x {image.height} pixels, too many")
                yield image
        except UnidentifiedImageError:  # whose words name the open file
            raise ValueError(f"{path}: not a picture that can be read; save it as PNG") from None
        except Exception as error:  # a damaged file raises almost anything in there
            raise ValueError(
                f"{path}: not a picture that can be read ({printable(str(error))}); save it as PNG"
            ) from None


def _turned(image: Any) -> int:
    """How a camera was held, 1 for upright; of a PNG all pixels would be read to tell."""
    return 1 if image.format == "PNG" else int(image.getexif().get(ORIENTATION, 1))


def pictures_in(folder: Path) -> list[Path]:
    """The files of a folder that have a picture's ending and are not hidden, by name."""
    return sorted(
        path
        for path in folder.iterdir()
        if path.suffix.lower() in ENDINGS and not path.name.startswith(".") and not path.is_dir()
    )


def _values(image: Any) -> NDArray[np.float64]:
    if image.mode.startswith(("I", "F")):  # 16 bits of grey
        grey = np.asarray(image, np.float64) / 65535
        return np.stack([grey, grey, grey, np.ones_like(grey)], axis=2)
    shrink = -(-max(image.size) // LARGEST_SIDE)
    colours = image.convert("RGBA")
    if shrink > 1:
        colours = colours.reduce(shrink)
    return np.asarray(colours) / 255
