"""The weights of recurrent cells and layers, and what both ask of their inputs."""

from __future__ import annotations

from operator import index
from typing import Any

import numpy as np

from nnscratch.initializers import glorot_uniform
from nnscratch.layers.base import Grads, Layer, floating
from nnscratch.layers.wider import summed
from nnscratch.layers.written import written


class Recurrence(Layer):
    """What a cell and its layer share: sizes, weights and checks; not a layer by itself.

    Attributes
    ----------
    gates : int
        Of the class: how many blocks of `hidden_features` rows W_x, W_h and the biases have.
    state_parts : int
        Of the class: how many blocks of `hidden_features` numbers a state has; h is the first.
    drawn_from : numpy.random.Generator
        What drew the weights, from which a second direction draws its own.
    """

    gates = 1
    state_parts = 1

    def draw(self, in_features: int, hidden_features: int, bias: bool, rng: Any) -> None:
        """Set the sizes, and draw the weights, each gate's on its own."""
        self.in_features, self.hidden_features = index(in_features), index(hidden_features)
        if self.in_features < 1 or self.hidden_features < 1:
            raise ValueError(
                f"{type(self).__name__} expected sizes of at least 1, received {in_features} and "
                f"{hidden_features}"
            )
        self.bias = bool(bias)
        self.drawn_from = np.random.default_rng(rng)
        self.redraw(self.drawn_from)

    def redraw(self, rng: np.random.Generator) -> None:
        """Draw the weights: W_x as Glorot and Bengio, W_h orthogonal; a forget gate begins open.

        An orthogonal W_h keeps the length of what passes through it, so that neither the state
        nor its gradient grows or fades at first, however long the sequence (Saxe et al., 2014).
        """
        hidden = self.hidden_features
        blocks = [glorot_uniform((hidden, self.in_features), rng) for _ in range(self.gates)]
        squares = [_orthogonal(hidden, rng) for _ in range(self.gates)]
        # (in, out) in memory behind the shape (out, in), as in `Linear`
        params = {
            name: np.asfortranarray(np.concatenate(parts))
            for name, parts in (("W_x", blocks), ("W_h", squares))
        }
        if self.bias:
            params["b_x"] = self.first_bias()
            params["b_h"] = np.zeros(self.gates * hidden, np.float32)
        self.params = params

    def first_bias(self) -> np.ndarray:
        """b_x before training."""
        return np.zeros(self.gates * self.hidden_features, np.float32)

    @property
    def state_features(self) -> int:
        return self.state_parts * self.hidden_features

    def checked(self, x: Any, axes: tuple[int, ...], expected: str) -> np.ndarray:
        """x in the dtype of the weights, with so many axes and as many features as they take."""
        x = floating(x, self.dtype)
        if x.ndim not in axes or x.shape[-1] != self.in_features:
            remedy = "one sequence is a batch of one, x[np.newaxis]"
            if x.ndim in axes:
                remedy = f"make it {written(self, in_features=x.shape[-1])}"
            self.refuse(f"{expected} with {self.in_features} features", x, remedy)
        return x

    def checked_state(self, state: Any, before: tuple[int, ...]) -> np.ndarray:
        """The state in the dtype of the weights; zeros for None. `before` are its other axes."""
        shape = (*before, self.state_features)
        if state is None:
            return np.zeros(shape, self.dtype)
        state = floating(state, self.dtype)
        if state.shape != shape:
            parts = "" if self.state_parts == 1 else ", h before c in one array"
            self.refuse(f"a state {shape}{parts}", state, "leave it out to begin with zeros")
        return state

    def __repr__(self) -> str:
        return written(self)


class Cell(Recurrence):
    """What the cells share: two linear maps, whose gradients are those of `Linear`."""

    def inputs(self, x: Any, state: Any) -> tuple[np.ndarray, np.ndarray]:
        x = self.checked(x, (1, 2), f"({self.in_features},) or (batch, {self.in_features}),")
        return x, self.checked_state(state, x.shape[:-1])

    def from_x(self, x: np.ndarray) -> np.ndarray:
        """W_x x + b_x."""
        a = x @ self.params["W_x"].T
        return a + self.params["b_x"] if self.bias else a

    def from_h(self, h: np.ndarray) -> np.ndarray:
        """W_h h + b_h."""
        a = h @ self.params["W_h"].T
        return a + self.params["b_h"] if self.bias else a

    def gradients(self, da_x: np.ndarray, da_h: np.ndarray, x: np.ndarray, h: np.ndarray) -> Grads:
        """Those of the two maps, from the gradients by their outputs."""
        if self._params.frozen:
            return {}
        grads = {}
        for name, da, taken in (("x", da_x, x), ("h", da_h, h)):
            rows = da.reshape(-1, da.shape[-1])
            grads[f"W_{name}"] = rows.T @ taken.reshape(-1, taken.shape[-1])
            if self.bias:
                grads[f"b_{name}"] = summed(rows, 0)
        return {name: grads[name] for name in self.params}


def _orthogonal(size: int, rng: np.random.Generator) -> np.ndarray:
    """A square matrix with QᵀQ = 1, drawn evenly from all of them."""
    Q, R = np.linalg.qr(rng.normal(size=(size, size)))
    return (Q * np.sign(np.diag(R))).astype(np.float32)
