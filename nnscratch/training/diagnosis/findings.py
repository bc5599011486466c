"""One finding of a diagnosis, a symptom, and the words that its sentence is made of."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Symptom:
    """What looks wrong with a run.

    Attributes
    ----------
    kind : str
        "probabilities as scores", "scores cut off", "targets out of reach",
        "validation scaled apart", "wide inputs", "symmetric weights", "exploding gradients",
        "large updates", "small updates", "vanishing gradients", "dead ReLUs", "saturated",
        "strange targets", "cannot overfit ten samples" or "no progress".
    layer : str
        The layer that shows it most, as "3.1 Linear(64, 10)"; "" where it is the whole net.
    message : str
        A sentence: what was seen, and what to try.
    """

    kind: str
    layer: str
    message: str


def named(layer: str, count: int = 1) -> str:
    more = f" and {count - 1} more" if count > 1 else ""
    return f"layer {layer}{more}"


def percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def plain(factor: float) -> str:
    return f"{float(f'{factor:.2g}'):g}"


def power_of_ten(factor: float) -> int:
    return 10 ** max(1, min(9, round(math.log10(factor)))) if math.isfinite(factor) else 10**9
