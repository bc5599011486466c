"""Connectionist temporal classification: labels in order, with no word on when each occurs."""

from __future__ import annotations

from operator import index
from typing import Any, NamedTuple, NoReturn

import numpy as np

from nnscratch.kinds import checks_kinds
from nnscratch.layers.softmax import log_softmax
from nnscratch.losses.base import Loss, Passed
from nnscratch.losses.checks import real

__all__ = ["CTCLoss"]


class Paths(NamedTuple):
    """The ways of writing labels down, one symbol a frame, and what they score; see `CTCLoss`."""

    log_p: np.ndarray  # (N, T, C)
    states: np.ndarray  # (N, L): the symbol of each state; blank where there are no more
    last: np.ndarray  # (N,): the state in which paths end
    inside: np.ndarray  # (T, N): whether a frame is one of the sample's
    emitted: np.ndarray  # (T, N, L): log p of the state's symbol in each frame
    skips: np.ndarray  # (N, L): 0 where a state may be entered over the one before, else -inf


class CTCLoss(Loss):
    """-log of the probability that frames spell the labels, summed over all ways of timing them.

    Parameters
    ----------
    blank : int
        The class that stands for no label.
    reduction : "mean", "sum" or "none"

    Notes
    -----
    *Paths*: each frame emits one symbol, a class or the blank, with probability p_t(k) =
    softmax(x_t)_k, independent of the other frames. A path of T symbols spells the labels that
    are left when repetitions are merged and then blanks dropped: a a - a b spells a a b. L =
    -log P with P the sum over all paths π that spell the labels, of Π_t p_t(π_t).

    *States*: these paths are walks through the labels with blanks around them, for a b the states
    - a - b -. A step stays, goes to the next state, or skips a blank between two different
    labels; a walk starts in one of the first two states and ends in one of the last two.

    *Forward*: let A_t(s) be the log of the summed probability of all walks through the frames
    before t whose next state may be s. With the emission e_t(s) = log p_t(symbol of s),
    A_{t+1}(s) = log Σ exp(A_t(r) + e_t(r)) over the states r = s, s-1 and, where the step skips,
    s-2; at first A_0 = 0 in the two states of a start, else -∞. The last state is a blank that is
    entered from itself and the last label: the two ends. So log P = A_T(last), and there is no
    underflow at any length, for everything is a log.

    *Backward*: B_t(s), the same of the frames after t, is A of the reversed frames and states.
    So walks in state s at t have P_t(s) = exp(A_t(s) + e_t(s) + B_t(s)) of P. Every path has
    one symbol at t, and P is linear in p_t(k): ∂log P/∂log p_t(k) = Σ_{s: symbol k} P_t(s)/P =
    γ_t(k), the posterior that frame t emitted k. Its sum over k is 1, so the gradient through the
    softmax, as for a cross-entropy with target γ, is dx_t = softmax(x_t) - γ_t. Divided is by
    Σ_s P_t(s), which is P at every t: what A and B lost to rounding on the way cancels.

    *Shapes*: scores (N, T, classes), logits; target a tuple of int arrays: labels (N, S), padded
    with anything, their lengths (N,) and those of the scores (N,). Frames after a length get a
    gradient of 0. Labels may repeat, and there may be none.

    *Impossible*: S labels with R equal neighbours take S + R frames. With fewer no path spells
    them and L is infinite, with a gradient of 0: "none" says so, "mean" and "sum" refuse.

    *torch*: torch.nn.CTCLoss takes log-probabilities (T, N, classes); its "mean" divides each
    loss by its number of labels too. "sum" and "none" are equal.

    *Cost*: a loop over time of operations on (N, 2 S + 1) numbers, once in each direction.

    Raises
    ------
    ValueError
        Shapes or lengths do not fit, a label is the blank or none of the classes, or no path
        spells the labels of a sample; the message names it.

    References
    ----------
    Graves et al., Connectionist temporal classification (2006).

    Examples
    --------
    Two frames that both choose evenly between blank and one label spell it in three of four ways:

    >>> loss = CTCLoss()
    >>> target = np.array([[1]]), np.array([1]), np.array([2])
    >>> value = loss.forward(np.zeros((1, 2, 2)), target)
    >>> round(float(np.exp(-value)), 4)
    0.75
    >>> loss.backward().round(4)  # in each frame, two of the three write it down
    array([[[ 0.1667, -0.1667],
            [ 0.1667, -0.1667]]])
    >>> loss.forward(np.zeros((1, 2, 2)), (np.array([[1, 1]]), [2], [2]))
    Traceback (most recent call last):
    ValueError: CTCLoss() expected at least 3 frames for the 2 labels of sample 0, one for each and
    one between equal neighbours, received 2; shorten the labels, weight the sample by 0, or use
    reduction='none'
    """

    @checks_kinds
    def __init__(self, blank: int = 0, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.blank = index(blank)

    def forward_pass(
        self, prediction: Any, target: Any, weight: Any = None, *, total: float | None = None
    ) -> tuple[Any, Passed]:
        value, cache = super().forward_pass(prediction, target, weight, total=total)
        if self.reduction != "none":
            infinite = np.isposinf(cache.losses)
            if cache.weight is not None:
                infinite &= cache.weight > 0
            if infinite.any():
                self._refuse_impossible(int(np.argmax(infinite)), cache.kept[0])
        return value, cache

    def sample_counts(self, prediction: Any, target: Any) -> np.ndarray:
        return np.ones(len(target[0]))

    def sample_losses(self, prediction: np.ndarray, target: Any) -> tuple[np.ndarray, Any]:
        paths = self._paths(prediction, *self._checked(prediction, target))
        start = np.full(paths.states.shape, -np.inf, prediction.dtype)
        start[:, :2] = 0
        before, end = arrivals(paths.emitted, paths.skips, start, paths.inside)
        log_like = end[np.arange(len(end)), paths.last]
        return -log_like, (paths, before, log_like)

    def sample_gradients(self, kept: Any) -> np.ndarray:
        paths, before, log_like = kept
        posterior = before + paths.emitted
        posterior += self._departures(paths)
        posterior -= posterior.max(axis=-1, keepdims=True)
        np.exp(posterior, out=posterior)
        posterior /= posterior.sum(axis=-1, keepdims=True)
        live = paths.inside & (log_like != -np.inf)
        posterior[~live] = 0
        dx = np.exp(paths.log_p)
        dx[~live.T] = 0
        dx[..., self.blank] -= posterior[..., ::2].sum(-1).T
        T, samples, classes = len(live), len(log_like), dx.shape[-1]
        frame = np.arange(samples) * T + np.arange(T)[:, np.newaxis]
        place = frame[..., np.newaxis] * classes + paths.states[:, 1::2]
        np.subtract.at(dx.reshape(-1), place.ravel(), posterior[..., 1::2].ravel())
        return dx

    def _departures(self, paths: Paths) -> np.ndarray:
        """B: what `arrivals` finds in the reversed frames and states, put in order again."""
        states = paths.states.shape[1]
        skips = np.full_like(paths.skips, -np.inf)
        skips[:, 2:] = paths.skips[:, :1:-1]  # the same steps, told by where they now lead
        first = states - 1 - paths.last
        start = np.full_like(skips, -np.inf)
        rows = np.arange(len(first))
        start[rows, np.minimum(first + 1, states - 1)] = 0
        start[rows, first] = 0
        emitted = np.ascontiguousarray(paths.emitted[::-1, :, ::-1])
        after, _ = arrivals(emitted, skips, start, paths.inside[::-1])
        return after[::-1, :, ::-1]

    def _paths(
        self,
        prediction: np.ndarray,
        labels: np.ndarray,
        label_lengths: np.ndarray,
        score_lengths: np.ndarray,
    ) -> Paths:
        samples, T, _ = prediction.shape
        log_p = np.ascontiguousarray(log_softmax(prediction))
        states = np.full((samples, 2 * labels.shape[1] + 1), self.blank)
        states[:, 1::2] = labels
        skips = np.full(states.shape, -np.inf, prediction.dtype)
        skips[:, 3::2][labels[:, 1:] != labels[:, :-1]] = 0
        emitted = np.take_along_axis(log_p, states[:, np.newaxis], axis=2).swapaxes(0, 1)
        inside = np.arange(T)[:, np.newaxis] < score_lengths
        return Paths(log_p, states, 2 * label_lengths, inside, np.ascontiguousarray(emitted), skips)

    def _checked(self, prediction: np.ndarray, target: Any) -> tuple[np.ndarray, ...]:
        """(labels with blanks for padding, their lengths, lengths of the scores)."""
        if prediction.ndim != 3 or not 0 <= self.blank < prediction.shape[2]:
            self.refuse(
                f"scores (samples, frames, classes) with a class {self.blank} for the blank",
                prediction.shape,
                "pass the logits of a batch, blank included",
            )
        if not isinstance(target, (tuple, list)) or len(target) != 3:
            self.refuse(
                "a target (labels, label_lengths, score_lengths)",
                f"a {type(target).__name__}",
                "pass the three as a tuple",
            )
        samples, frames, classes = prediction.shape
        labels, label_lengths, score_lengths = (
            real(self, what, x)
            for what, x in zip(("labels", "label lengths", "score lengths"), target, strict=True)
        )
        if labels.ndim != 2 or len(labels) != samples:
            self.refuse(
                f"labels ({samples}, longest), one row for each sample",
                labels.shape,
                "pad the rows to one length, with any integer",
            )
        self._check_lengths("label lengths", label_lengths, samples, labels.shape[1])
        self._check_lengths("score lengths", score_lengths, samples, frames)
        if labels.dtype.kind not in "iu" and labels.size:
            self.refuse("integer labels", f"{labels.dtype}", "use labels.astype(np.int64)")
        counted = np.arange(labels.shape[1]) < label_lengths[:, np.newaxis]
        labels = np.where(counted, labels, self.blank).astype(np.intp)
        wrong = (labels < 0) | (labels >= classes) | ((labels == self.blank) & counted)
        if wrong.any():
            n, s = np.argwhere(wrong)[0]
            self.refuse(
                f"labels in 0..{classes - 1} other than the blank {self.blank}",
                f"{labels[n, s]} at index {s} of sample {n}",
                "check the labels and their lengths, or give the last layer more outputs",
            )
        return labels, label_lengths.astype(np.intp), score_lengths.astype(np.intp)

    def _check_lengths(self, what: str, lengths: np.ndarray, samples: int, longest: int) -> None:
        if lengths.shape != (samples,) or (lengths.dtype.kind not in "iu" and samples):
            self.refuse(
                f"{what} ({samples},) of integers",
                f"{lengths.dtype} of shape {lengths.shape}",
                "pass one length for each sample",
            )
        wrong = (lengths < 0) | (lengths > longest)
        if wrong.any():
            n = int(np.argmax(wrong))
            self.refuse(
                f"{what} in 0..{longest}", f"{lengths[n]} of sample {n}", "count what is there"
            )

    def _refuse_impossible(self, n: int, paths: Paths) -> NoReturn:
        remedy = "shorten the labels, weight the sample by 0, or use reduction='none'"
        count, frames = int(paths.last[n]) // 2, int(paths.inside[:, n].sum())
        labels = paths.states[n, 1 : 2 * count : 2]
        needed = count + int((labels[1:] == labels[:-1]).sum())
        if needed > frames:
            self.refuse(
                f"at least {needed} frames for the {count} labels of sample {n}, one for each and "
                "one between equal neighbours",
                frames,
                remedy,
            )
        self.refuse(
            f"scores with which sample {n} can spell its labels", "an infinite loss", remedy
        )


def arrivals(
    emitted: np.ndarray, skips: np.ndarray, start: np.ndarray, inside: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """A of every frame, and A after the last one; see `CTCLoss`.

    Parameters
    ----------
    emitted : array (T, N, L)
        log p of each state's symbol.
    skips : array (N, L)
        0 where a state may be entered from two states before, else -inf.
    start : array (N, L)
        A_0.
    inside : bool array (T, N)
        Frames that are not inside leave A as it is.
    """
    before = np.empty_like(emitted)
    now = start.copy()
    padded = np.full((len(start), start.shape[1] + 2), -np.inf, start.dtype)
    here, one_before, two_before = padded[:, 2:], padded[:, 1:-1], padded[:, :-2]
    lowest = np.finfo(start.dtype).min  # a largest term of -inf would be subtracted from itself
    for t, emission in enumerate(emitted):
        before[t] = now
        np.add(now, emission, out=here)
        skipping = two_before + skips
        largest = np.maximum(np.maximum(here, one_before), np.maximum(skipping, lowest))
        total = np.exp(here - largest)
        total += np.exp(one_before - largest)
        total += np.exp(skipping - largest)
        np.log(total, out=total)
        total += largest
        np.copyto(now, total, where=inside[t][:, np.newaxis])
    return before, now
