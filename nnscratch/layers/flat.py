"""All parameters of a model as one flat vector of views.

    before   W1 [....]   b1 [.]   W2 [...]          three arrays, three places in memory
    after    [ W1 .... | b1 . | W2 ... ]            one vector; params["0.W"] is a view of it

An optimizer then takes its step on one long vector instead of a list of arrays, and a layer
that updates `params["0.W"]` in place updates the vector. Gradients and the state of an
optimizer are laid out the same way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from nnscratch.kinds import received
from nnscratch.layers.base import Layer

Allocate = Callable[[int, Any], np.ndarray]


class FlatArrays(dict[str, np.ndarray]):
    """Named arrays as views of one vector per dtype.

    Parameters
    ----------
    like : mapping of str to array
        The names, shapes, dtypes and memory orders to lay out.
    values : mapping of str to array, optional
        What they hold at first; zeros unless given.
    allocate : function (size, dtype) -> 1-D array of zeros
        Where the vectors lie; `np.zeros` unless processes are to share them.
    half : dtype
        What takes the place of float16: float32 for sums that must not overflow, or lose what is
        small.

    Attributes
    ----------
    vectors : dict of dtype to 1-D array
        The memory, under the dtypes of `like`; equal keys and lengths for everything laid out
        like the same arrays.

    Examples
    --------
    >>> arrays = FlatArrays({"W": np.ones((2, 3)), "b": np.ones(2)})
    >>> arrays["b"][:] = 5
    >>> arrays.vectors
    {dtype('float64'): array([0., 0., 0., 0., 0., 0., 5., 5.])}
    """

    def __init__(
        self,
        like: Mapping[str, np.ndarray],
        values: Mapping[str, np.ndarray] | None = None,
        allocate: Allocate = np.zeros,
        half: Any = np.float16,
    ) -> None:
        super().__init__()
        sizes: dict[np.dtype, int] = {}
        for array in like.values():
            sizes[array.dtype] = sizes.get(array.dtype, 0) + array.size
        self.vectors = {
            dtype: allocate(size, np.dtype(half) if dtype == np.float16 else dtype)
            for dtype, size in sizes.items()
        }
        start = dict.fromkeys(sizes, 0)
        for name, array in like.items():
            stop = start[array.dtype] + array.size
            self[name] = _shaped_like(array, self.vectors[array.dtype][start[array.dtype] : stop])
            start[array.dtype] = stop
            if values is not None:
                self[name][...] = values[name]


class Parameters(FlatArrays):
    """The parameters of a model, moved into flat vectors, with the model's arrays their views.

    Use `flatten(model)`, which makes one per model and keeps it there.
    """

    def __init__(self, model: Layer, allocate: Allocate = np.zeros) -> None:
        super().__init__(model.params, model.params, allocate)
        for name, view in self.items():
            model.params.rebind(name, view)

    def attached(self, model: Layer) -> bool:
        """Whether the model still holds these views; astype or another model may take over."""
        params = model.params
        return params.keys() == self.keys() and all(params[n] is view for n, view in self.items())


def flatten(model: Layer, allocate: Allocate | None = None) -> Parameters:
    """The model's parameters as views of one vector per dtype; the model's arrays become them.

    Called again, it returns the same object as long as the model holds its views. Otherwise,
    after `astype` or when a larger model that contains this one was flattened, the arrays are
    moved again, with the values they have now; and always into vectors of an `allocate`.

    Examples
    --------
    >>> import nnscratch as nn
    >>> model = nn.Sequential(nn.Linear(3, 2), nn.Bias(2))
    >>> flat = flatten(model)
    >>> flat.vectors[np.dtype("float32")][:] = 7
    >>> model.params["1.b"]
    array([7., 7.], dtype=float32)
    >>> flatten(model) is flat
    True
    """
    if not isinstance(model, Layer):
        raise ValueError(f"flatten expected a layer, received {received(model)}")
    known: Parameters | None = vars(model).get("_flat")
    if known is None or allocate is not None or not known.attached(model):
        known = vars(model)["_flat"] = Parameters(model, allocate or np.zeros)
    return known


def clip_norm(grads: Mapping[str, np.ndarray], largest: float) -> tuple[dict[str, Any], float]:
    """(gradients whose common norm is at most `largest`, the norm before).

    The norm is that of all gradients together, √ Σ g², so that clipping changes the length of
    the step and not its direction. Nothing is written; without need the same arrays come back, and
    where the norm is infinite or NaN, which no share of them would mend.

    Parameters
    ----------
    grads : mapping of str to array
    largest : float > 0

    References
    ----------
    Pascanu et al., On the difficulty of training recurrent neural networks (2013),
    section 3.2.

    Examples
    --------
    >>> clip_norm({"W": np.array([[3.0, 0.0]]), "b": np.array([4.0])}, 1.0)
    ({'W': array([[0.6, 0. ]]), 'b': array([0.8])}, 5.0)
    """
    if not isinstance(grads, Mapping):
        raise ValueError(f"clip_norm expected gradients by name, received {received(grads)}")
    try:
        largest = float(largest)  # a NumPy float64 would widen float32 gradients
    except (TypeError, ValueError):
        raise ValueError(
            f"clip_norm expected largest as a number, received {received(largest)}"
        ) from None
    if not largest > 0:
        raise ValueError(f"the largest norm is positive, received {largest}")
    try:
        norm = _norm(list(getattr(grads, "vectors", grads).values()))
    except AttributeError:  # something there is no array
        raise ValueError(f"clip_norm expected arrays by name, received {received(grads)}") from None
    if not largest < norm < np.inf:
        return dict(grads), norm
    return {name: _times(grad, largest / norm) for name, grad in grads.items()}, norm


def _times(grad: np.ndarray, share: float) -> np.ndarray:
    """A share of a gradient; of float16 in float32, since the share may be too small for it."""
    if grad.dtype != np.float16:
        return grad * share
    return (grad.astype(np.float32) * share).astype(grad.dtype)


def _norm(arrays: list[np.ndarray]) -> float:
    """The norm of all numbers together; infinite or NaN only if one of them is."""
    halves = (a.astype(np.float32) if a.dtype == np.float16 else a for a in arrays)
    squares = sum(float(np.vdot(a, a)) for a in halves)
    if 1e-30 < squares < np.inf:
        return float(np.sqrt(squares))
    top = max((float(np.abs(a).max(initial=0)) for a in arrays), default=0.0)
    if not 0 < top < np.inf:
        return top
    shares = (np.square(np.divide(a, top, dtype=np.float64)) for a in arrays)
    return top * float(np.sqrt(sum(float(np.sum(share)) for share in shares)))


def share_of(vector: np.ndarray, part: int, parts: int) -> np.ndarray:
    """The view of one of so many parts of a vector, about equally long."""
    return vector[len(vector) * part // parts : len(vector) * (part + 1) // parts]


def _shaped_like(array: np.ndarray, vector: np.ndarray) -> np.ndarray:
    """A view of the vector with the array's shape and its order of axes in memory."""
    axes = sorted(range(array.ndim), key=lambda i: -abs(array.strides[i]))
    return vector.reshape([array.shape[i] for i in axes]).transpose(np.argsort(axes))
