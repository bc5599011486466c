"""Adam and its relatives: steps scaled by running moments of the gradient."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from nnscratch import compiled
from nnscratch.kinds import checks_kinds
from nnscratch.layers.base import Layer
from nnscratch.optimizers.base import Optimizer
from nnscratch.optimizers.groups import Groups, asked_for

__all__ = ["Adam", "AdamW", "NAdam"]


class Adam(Optimizer):
    """Steps scaled by running moments of the gradient, with L2 decay.

    Parameters
    ----------
    model : Layer
    learning_rate : float
    beta1, beta2 : float in [0, 1)
        How long the mean m and the mean square v remember.
    epsilon : float
    weight_decay : float
        Added to the gradient, weight_decay · w; see `AdamW` for the decoupled form.
    amsgrad : bool
        Divide by the largest mean square so far, so that no weight's rate grows again.
    groups : dict, optional
        As for `Optimizer`.

    Notes
    -----
    m ← beta1 · m + (1 - beta1) · g

    v ← beta2 · v + (1 - beta2) · g²

    w ← w - learning_rate · m̂ / (√v̂ + epsilon), with m̂ = m / (1 - beta1ᵗ) and
    v̂ = v / (1 - beta2ᵗ) at step t, which undo that both began at 0.

    What is kept are the sums M = m / (1 - beta1) and V = v / (1 - beta2), which need no other
    factor in a step: M ← beta1 · M + g and V ← beta2 · V + g². Then m̂ = M / n₁ with
    n₁ = (1 - beta1ᵗ) / (1 - beta1), and likewise v̂ = V / n₂. `state` has m and v themselves.

    References
    ----------
    Kingma and Ba, Adam: a method for stochastic optimization (2015), algorithm 1; Reddi et al.,
    On the convergence of Adam and beyond (2018), algorithm 2, for amsgrad, with v̂ as torch.

    Examples
    --------
    >>> import nnscratch as nn
    >>> model = nn.Bias(2)
    >>> Adam(model, learning_rate=0.1).step({"b": np.array([1.0, -2.0])})
    >>> model.params["b"]
    array([-0.1,  0.1], dtype=float32)
    """

    beta1: float
    beta2: float
    epsilon: float
    weight_decay: float
    amsgrad: bool

    @checks_kinds
    def __init__(
        self,
        model: Layer,
        learning_rate: float = 1e-3,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        weight_decay: float = 0.0,
        *,
        amsgrad: bool = False,
        groups: Groups | None = None,
    ) -> None:
        largest = amsgrad or asked_for(groups, "amsgrad")
        self.state_names = ("m_sum", "v_sum") + ("largest_v_sum",) * largest
        super().__init__(
            model,
            groups,
            learning_rate=learning_rate,
            beta1=beta1,
            beta2=beta2,
            epsilon=epsilon,
            weight_decay=weight_decay,
            amsgrad=amsgrad,
        )

    @property
    def state(self) -> dict[str, Mapping[str, np.ndarray]]:
        return {
            name.removesuffix("_sum"): {
                key: array * (1 - (self.beta1 if name == "m_sum" else self.beta2))
                for key, array in sums.items()
            }
            for name, sums in self.slots.items()
        }

    def update(self, w: np.ndarray, g: np.ndarray, *state: np.ndarray) -> None:
        self._move(w, g, state, decay=self.weight_decay)

    def _move(
        self,
        w: np.ndarray,
        g: np.ndarray,
        state: tuple[np.ndarray, ...],
        decay: float = 0.0,
        shrink: float = 1.0,
    ) -> None:
        M, V = state[:2]
        n1 = (1 - self.beta1**self.steps) / (1 - self.beta1)
        n2 = (1 - self.beta2**self.steps) / (1 - self.beta2)
        # (M / n1) / (√(V / n2) + ε) = √n2 / n1 · M / (√V + √n2 ε), to save passes
        rate, floor = self.learning_rate * math.sqrt(n2) / n1, math.sqrt(n2) * self.epsilon
        top = state[2] if self.amsgrad else None
        if compiled.adam(g, w, M, V, top, self.beta1, self.beta2, floor, rate, decay, shrink):
            return
        if decay:
            g = g + decay * w
        if shrink != 1:
            w *= shrink
        M *= self.beta1
        M += g
        V *= self.beta2
        V += g * g
        if top is not None:
            V = np.maximum(top, V, out=top)
        root = np.sqrt(V)
        root += floor
        step = M / root
        step *= rate
        w -= step


class AdamW(Adam):
    """Adam with decoupled decay: weights shrink by themselves, not through the gradient.

    Parameters are those of `Adam`.

    Notes
    -----
    w ← w - learning_rate · weight_decay · w, then Adam's step.

    References
    ----------
    Loshchilov and Hutter, Decoupled weight decay regularization (2019), algorithm 2.

    Examples
    --------
    Where the gradient is 0 a weight shrinks all the same, here by 0.1 · 0.5 of itself:

    >>> import nnscratch as nn
    >>> model = nn.Bias(2)
    >>> model.params["b"] = [1.0, -2.0]
    >>> AdamW(model, learning_rate=0.1, weight_decay=0.5).step({"b": np.zeros(2)})
    >>> print(model.params["b"])
    [ 0.95 -1.9 ]
    """

    @checks_kinds
    def __init__(
        self,
        model: Layer,
        learning_rate: float = 1e-3,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        weight_decay: float = 1e-2,
        *,
        amsgrad: bool = False,
        groups: Groups | None = None,
    ) -> None:
        super().__init__(
            model,
            learning_rate,
            beta1,
            beta2,
            epsilon,
            weight_decay,
            amsgrad=amsgrad,
            groups=groups,
        )

    def update(self, w: np.ndarray, g: np.ndarray, *state: np.ndarray) -> None:
        self._move(w, g, state, shrink=1 - self.learning_rate * self.weight_decay)


class NAdam(Optimizer):
    """Adam that looks ahead, as Nesterov's momentum does: the newest gradient counts once more.

    Parameters
    ----------
    model : Layer
    learning_rate, beta1, beta2, epsilon, weight_decay : float
        As for `Adam`.
    momentum_decay : float
        How fast the momentum's schedule approaches beta1.
    groups : dict, optional
        As for `Optimizer`.

    Notes
    -----
    μ_t = beta1 · (1 - 0.96^(t · momentum_decay) / 2), and Π_t = μ_1 · ... · μ_t

    m ← beta1 · m + (1 - beta1) · g and v ← beta2 · v + (1 - beta2) · g²

    w ← w - learning_rate · ((1 - μ_t) / (1 - Π_t) · g + μ_{t+1} / (1 - Π_{t+1}) · m)
    / (√(v / (1 - beta2ᵗ)) + epsilon)

    References
    ----------
    Dozat, Incorporating Nesterov momentum into Adam (2016), with torch's schedule.

    Examples
    --------
    The first step is longer than Adam's, which would be 0.1 whatever the gradient:

    >>> import nnscratch as nn
    >>> model = nn.Bias(2)
    >>> NAdam(model, learning_rate=0.1).step({"b": np.array([1.0, -2.0])})
    >>> print(model.params["b"].round(4))
    [-0.1056  0.1056]
    """

    state_names = ("m", "v")
    beta1: float
    beta2: float
    epsilon: float
    weight_decay: float
    momentum_decay: float
    _product: tuple[int, float, float] = (0, 1.0, 0.0)  # (t, Π_t, the beta1 that it is for)

    @checks_kinds
    def __init__(
        self,
        model: Layer,
        learning_rate: float = 2e-3,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        weight_decay: float = 0.0,
        momentum_decay: float = 4e-3,
        *,
        groups: Groups | None = None,
    ) -> None:
        super().__init__(
            model,
            groups,
            learning_rate=learning_rate,
            beta1=beta1,
            beta2=beta2,
            epsilon=epsilon,
            weight_decay=weight_decay,
            momentum_decay=momentum_decay,
        )

    def update(self, w: np.ndarray, g: np.ndarray, *state: np.ndarray) -> None:
        m, v = state
        if self.weight_decay:
            g = g + self.weight_decay * w
        m *= self.beta1
        m += (1 - self.beta1) * g
        v *= self.beta2
        v += (1 - self.beta2) * g * g
        now, ahead, product = self._mu(self.steps), self._mu(self.steps + 1), self._product_of_mu()
        step = (1 - now) / (1 - product) * g
        step += ahead / (1 - product * ahead) * m
        step /= np.sqrt(v / (1 - self.beta2**self.steps)) + self.epsilon
        w -= self.learning_rate * step

    def _mu(self, t: int) -> float:
        return self.beta1 * (1 - 0.5 * 0.96 ** (t * self.momentum_decay))

    def _product_of_mu(self) -> float:
        """Π_t for this step, from that of the step before."""
        t, product, beta1 = self._product
        if t > self.steps or beta1 != self.beta1:
            t, product = 0, 1.0
        for i in range(t + 1, self.steps + 1):
            product *= self._mu(i)
            if not product:  # and so are all that come after it
                break
        self._product = self.steps, product, self.beta1
        return product
