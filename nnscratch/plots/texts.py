"""How much room a text takes, and how to make it fit."""

import math

DPI = 128  # of all pictures; a power of two: whole pixels are exact in inches


def line_height(size: float) -> int:
    return math.ceil(1.25 * size * DPI / 72)


def text_width(text: str, size: float) -> float:
    """The width of a text in pixels, as matplotlib will set it."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    font = FontProperties(size=size)
    points, _, _ = text_to_path.get_text_width_height_descent(text, font, ismath=False)
    return float(points) * DPI / 72


def shortened(text: str, width: float, size: float) -> str:
    """The text, or its beginning and end around an ellipsis, as far as they have room."""
    text = kept = " ".join(text.split())
    letters = len(text)
    while letters > 2 and text_width(kept, size) > width:
        letters -= 1
        end = letters // 3  # names often differ only there
        kept = f"{text[: letters - end].rstrip()}…{text[len(text) - end :].lstrip()}"
    return kept


def wrapped(text: str, width: float, size: float) -> list[str]:
    """The text in lines that have room; only a single word that has none is shortened."""
    lines: list[str] = []
    for word in text.split():
        if lines and text_width(f"{lines[-1]} {word}", size) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(shortened(word, width, size))
    return lines
