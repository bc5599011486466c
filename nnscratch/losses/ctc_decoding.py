"""From the scores of frames back to labels; `CTCLoss` has the rules by which paths spell them."""

from __future__ import annotations

from operator import index
from typing import Any

import numpy as np

from nnscratch.kinds import as_array, checks_kinds
from nnscratch.layers.base import floating
from nnscratch.layers.softmax import log_softmax

__all__ = ["ctc_decode"]


@checks_kinds
def ctc_decode(scores: Any, lengths: Any = None, beam: int = 1, blank: int = 0) -> list[list[int]]:
    """The labels that the scores of frames spell, for each sample.

    Parameters
    ----------
    scores : array (samples, frames, classes)
        Logits, or log-probabilities.
    lengths : int array (samples,), optional
        How many frames each sample has; all unless given.
    beam : int
        1 takes the largest score of every frame: the most probable path, which is fast. More
        looks for the most probable labels, whose many paths add up, among as many beginnings.
    blank : int
        The class that stands for no label.

    Returns
    -------
    labels : list of one list of ints for each sample

    Notes
    -----
    *Best path*: merge what is repeated, then drop the blanks.

    *Prefix search*: a beginning is kept with two probabilities, that of its paths which end in a
    blank and of those which end in its last label, since only after a blank the same label can
    follow as a new one. In each frame every beginning stays, by a blank or its last label once
    more, or grows by a label; what grows into another beginning joins it. The best `beam` go on.
    With a beam that holds all beginnings the result is the most probable labelling.

    Raises
    ------
    ValueError
        Shapes, lengths, blank or beam do not fit, or a frame's largest score is not finite.

    References
    ----------
    Graves et al., Connectionist temporal classification (2006), 3.2. Hannun et al., First-pass
    large vocabulary continuous speech recognition using bi-directional recurrent DNNs (2014).

    Examples
    --------
    Two frames, each of a blank with 0.6 and a label with 0.4. The best path is two blanks, 0.36,
    but the three paths that spell the label have 0.64:

    >>> scores = np.log([[[0.6, 0.4], [0.6, 0.4]]])
    >>> ctc_decode(scores), ctc_decode(scores, beam=3)
    ([[]], [[1]])
    """
    scores = floating(scores)
    if scores.ndim != 3 or not 0 <= index(blank) < scores.shape[2]:
        raise ValueError(
            f"ctc_decode expected scores (samples, frames, classes) with a class {blank} for the "
            f"blank, received {scores.shape}; pass the logits of a batch, blank included"
        )
    if index(beam) < 1:
        raise ValueError(f"ctc_decode expected a beam of at least 1, received {beam}")
    samples, frames, _ = scores.shape
    lengths = np.full(samples, frames) if lengths is None else as_array(lengths)
    if lengths.shape != (samples,) or (lengths.dtype.kind not in "iu" and samples):
        raise ValueError(
            f"ctc_decode expected lengths ({samples},) of integers, received {lengths.dtype} of "
            f"shape {lengths.shape}; pass one for each sample"
        )
    if samples and not 0 <= lengths.min() <= lengths.max() <= frames:
        raise ValueError(
            f"ctc_decode expected lengths in 0..{frames}, received {lengths.min()} to "
            f"{lengths.max()}; count the frames of each sample"
        )
    found = []
    for n, (rows, length) in enumerate(zip(scores, lengths, strict=True)):
        rows = rows[:length]
        if not np.isfinite(rows.max(axis=1)).all():
            raise ValueError(
                f"ctc_decode expected in each frame a largest score that is finite, received NaN "
                f"or infinity in sample {n}; give lengths where frames are padding"
            )
        found.append(_best_path(rows, blank) if beam == 1 else _best_prefix(rows, beam, blank))
    return found


def _best_path(scores: np.ndarray, blank: int) -> list[int]:
    path = scores.argmax(axis=1)
    new = np.ones(len(path), bool)
    new[1:] = path[1:] != path[:-1]
    return path[new & (path != blank)].tolist()


def _best_prefix(scores: np.ndarray, beam: int, blank: int) -> list[int]:
    """Prefix search; `blanks` and `labels` are the logs of the two probabilities of each."""
    log_p = log_softmax(scores.astype(np.float64))
    prefixes: list[tuple[int, ...]] = [()]
    blanks, labels = np.zeros(1), np.full(1, -np.inf)
    with np.errstate(invalid="ignore"):  # the sum of two probabilities of 0
        for frame in log_p:
            last = np.array([prefix[-1] if prefix else blank for prefix in prefixes])
            total = np.logaddexp(blanks, labels)
            repeated = np.where(last == blank, -np.inf, labels + frame[last])
            longer = total[:, np.newaxis] + frame
            longer[np.arange(len(last)), last] = blanks + frame[last]
            longer[:, blank] = -np.inf
            known = {prefix: i for i, prefix in enumerate(prefixes)}
            for i, prefix in enumerate(prefixes):
                shorter = known.get(prefix[:-1]) if prefix else None
                if shorter is not None:  # two ways to the same beginning
                    repeated[i] = np.logaddexp(repeated[i], longer[shorter, prefix[-1]])
                    longer[shorter, prefix[-1]] = -np.inf
            # those that stay, then those that grow
            blanks = np.concatenate([total + frame[blank], np.full(longer.size, -np.inf)])
            labels = np.concatenate([repeated, longer.ravel()])
            total = np.logaddexp(blanks, labels)
            best = _largest(total, beam)
            prefixes = [_grown(prefixes, int(i), longer.shape[1]) for i in best]
            blanks, labels = blanks[best], labels[best]
    return list(prefixes[int(np.argmax(np.logaddexp(blanks, labels)))])


def _grown(prefixes: list[tuple[int, ...]], i: int, classes: int) -> tuple[int, ...]:
    """Candidate i: a prefix that stays, or prefix and label of those that grow."""
    if i < len(prefixes):
        return prefixes[i]
    prefix, label = divmod(i - len(prefixes), classes)
    return (*prefixes[prefix], label)


def _largest(x: np.ndarray, count: int) -> np.ndarray:
    """The places of the largest numbers but -inf, largest first; the earlier of equal ones."""
    least = np.partition(x, -count)[-count] if len(x) > count else -np.inf
    places = np.flatnonzero((x >= least) & (x > -np.inf))
    return places[np.argsort(-x[places], kind="stable")][:count]
