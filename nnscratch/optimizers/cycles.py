"""Schedules that rise before they fall, once or again and again."""

from __future__ import annotations

from nnscratch.kinds import checks_kinds
from nnscratch.optimizers.base import Optimizer
from nnscratch.optimizers.schedules import Schedule, cosine, count, positive

__all__ = ["CosineRestarts", "OneCycle", "WarmupCosine"]


class WarmupCosine(Schedule):
    """A straight rise to the base rate in `warmup` steps, then half a cosine down to 0.

    Parameters
    ----------
    optimizer : Optimizer
    warmup : int >= 0
    steps : int > warmup
        All of them, the warm-up included.

    Notes
    -----
    rate(t) = base · (t + 1) / warmup for t < warmup, so that the first step moves already; then
    base · (1 + cos(π (t - warmup) / (steps - warmup))) / 2.

    References
    ----------
    Goyal et al., Accurate, large minibatch SGD (2017), section 2.2, for the warm-up.

    Examples
    --------
    >>> import nnscratch as nn
    >>> schedule = WarmupCosine(nn.SGD(nn.Bias(1), 8.0), warmup=2, steps=6)
    >>> [round(schedule.rate(step), 3) for step in range(7)]
    [4.0, 8.0, 8.0, 6.828, 4.0, 1.172, 0.0]
    """

    @checks_kinds
    def __init__(self, optimizer: Optimizer, warmup: int, steps: int) -> None:
        self.steps = self.planned = count("steps", steps)
        self.warmup = warmup
        if not 0 <= warmup < steps or warmup % 1:
            raise ValueError(
                f"0 <= warmup < steps is needed, whole numbers, received {warmup} and {steps}"
            )
        super().__init__(optimizer)

    def rate(self, step: int) -> float:
        if step < self.warmup:
            return self.base * (step + 1) / self.warmup
        share = (step - self.warmup) / (self.steps - self.warmup)
        return cosine(self.base, 0.0, min(share, 1.0))


class OneCycle(Schedule):
    """One rise to a peak and one fall, both along half a cosine.

    Parameters
    ----------
    optimizer : Optimizer
        Its rate is where the rise begins.
    steps : int >= 1
        All of them; the rate stays where it is after.
    peak : float > 0

    Notes
    -----
    The rise takes 0.3 of the steps, the fall the rest, down to the first rate / 10⁴. As torch
    counts, the peak is at step 0.3 · steps - 1 and the end at step steps - 1.

    References
    ----------
    Smith and Topin, Super-convergence (2018), section 3.

    Examples
    --------
    >>> import nnscratch as nn
    >>> schedule = OneCycle(nn.SGD(nn.Bias(1), 8.0), steps=10, peak=80.0)
    >>> [round(schedule.rate(step), 1) for step in range(10)]
    [8.0, 44.0, 80.0, 76.0, 64.9, 48.9, 31.1, 15.1, 4.0, 0.0]
    """

    @checks_kinds
    def __init__(self, optimizer: Optimizer, steps: int, peak: float) -> None:
        self.steps = self.planned = count("steps", steps)
        self.peak = positive("peak", peak)
        super().__init__(optimizer)

    def rate(self, step: int) -> float:
        top, last = 0.3 * self.steps - 1, self.steps - 1
        if step <= top:
            return cosine(self.base, self.peak, step / top)
        share = (step - top) / (last - top) if last > top else 1.0
        return cosine(self.peak, self.base / 1e4, min(share, 1.0))


class CosineRestarts(Schedule):
    """Half a cosine from the base rate to 0, again and again.

    Parameters
    ----------
    optimizer : Optimizer
    period : int >= 1
        Steps of the first fall.
    factor : int >= 1
        How many times longer each fall is than the one before.

    References
    ----------
    Loshchilov and Hutter, SGDR: stochastic gradient descent with warm restarts (2017).

    Examples
    --------
    >>> import nnscratch as nn
    >>> schedule = CosineRestarts(nn.SGD(nn.Bias(1), 8.0), period=2, factor=2)
    >>> [round(schedule.rate(step), 2) for step in range(7)]
    [8.0, 4.0, 8.0, 6.83, 4.0, 1.17, 8.0]
    """

    @checks_kinds
    def __init__(self, optimizer: Optimizer, period: int, factor: int = 1) -> None:
        self.period, self.factor = count("period", period), count("factor", factor)
        super().__init__(optimizer)

    def rate(self, step: int) -> float:
        period = self.period
        while step >= period:
            if self.factor == 1:
                step %= period
                break
            step -= period
            period *= self.factor
        return cosine(self.base, 0.0, step / period)
