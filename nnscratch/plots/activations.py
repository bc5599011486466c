"""Activation functions beside their derivatives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nnscratch.kinds import checks_kinds
from nnscratch.layers import ELU, GELU, Layer, LeakyReLU, ReLU, Sigmoid, SiLU, Softplus, Tanh
from nnscratch.plots.colours import COLOURS
from nnscratch.plots.panels import open_panel, panels

if TYPE_CHECKING:
    from matplotlib.figure import Figure

POINTS = 1601  # odd, so that 0 is one of them
PER_LINE = 4
PANEL_INCHES = (2.4, 2.2)


@checks_kinds
def plot_activations(*layers: Layer, reach: float = 4.0, axes: Any = None) -> Figure:
    """Draw element-wise layers with their derivatives, one panel each.

    Parameters
    ----------
    *layers : Layer
        Each maps every number by itself. Sigmoid, Tanh, ReLU, LeakyReLU, ELU, GELU, SiLU and
        Softplus unless given.
    reach : float
        The inputs are those from -reach to reach.
    axes : Axes, or sequence of Axes, optional
        Where to draw, one for each panel; a figure of its own unless given.

    Returns
    -------
    matplotlib.figure.Figure

    Notes
    -----
    The function is the layer's forward pass, the derivative what its backward pass makes of
    dy = 1: for an element-wise y_i = g(x_i) that is g'(x_i) ([Recitation], rule 6). Where the
    derivative jumps, its line is broken, and a dot stands at what the layer takes it to be at 0.

    Raises
    ------
    ValueError
        An argument is not a layer, or does not keep the shape of its input; reach is not a
        positive number.

    References
    ----------
    [Slides] "Sigmoid Forward" to "ReLU Derivative".

    Examples
    --------
    >>> import nnscratch as nn
    >>> figure = plot_activations(nn.Tanh(), nn.LeakyReLU(0.1))
    >>> [axes.get_title() for axes in figure.axes]
    ['Tanh()', 'LeakyReLU(0.1)']
    """
    if not 0 < reach < np.inf:
        raise ValueError(f"plot_activations expected a positive reach, received {reach}")
    layers = layers or (
        *(Sigmoid(), Tanh(), ReLU(), LeakyReLU(0.1)),
        *(ELU(), GELU(), SiLU(), Softplus()),
    )
    x = np.linspace(-reach, reach, POINTS)
    drawn = [_function_and_derivative(layer, x) for layer in layers]

    columns = min(len(layers), PER_LINE)
    rows = -(-len(layers) // columns)
    size = PANEL_INCHES[0] * max(columns, 2), PANEL_INCHES[1] * rows
    sheet = panels("plot_activations", len(layers), columns, *size, axes)
    for axes, layer, (y, dx) in zip(sheet.places, layers, drawn, strict=True):
        open_panel(axes, "x", "")
        axes.axhline(0, color="0.6", linewidth=0.8)
        axes.axvline(0, color="0.6", linewidth=0.8)
        jumps = _jumps(dx)
        unbroken = dx.copy()
        unbroken[1:][jumps] = np.nan
        lines = axes.plot(x, y, color=COLOURS[0], linewidth=2, label="g(x)")
        lines += axes.plot(
            x, unbroken, color=COLOURS[1], linewidth=2, linestyle=(0, (4, 1.5)), label="g′(x)"
        )
        middle = POINTS // 2
        if jumps[middle - 1 : middle + 1].any():
            axes.plot([0], [dx[middle]], color=COLOURS[1], marker="o", markersize=5, zorder=3)
        axes.set_title(str(layer), fontsize=10, parse_math=False)
        axes.set_xlim(-reach, reach)
        axes.locator_params(nbins=5)
    sheet.legend(lines)
    return sheet.figure


def _function_and_derivative(layer: Layer, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if not isinstance(layer, Layer):
        what = layer.__name__ if isinstance(layer, type) else type(layer).__name__
        raise ValueError(f"plot_activations expected layers such as nn.Tanh(), received {what}")
    y, cache = layer.forward_pass(x)
    if y.shape != x.shape:
        raise ValueError(
            f"plot_activations expected {layer} to map each number by itself, "
            f"received {y.shape} from {x.shape}"
        )
    dx, _ = layer.backprop(np.ones_like(y), cache)
    return y, dx


def _jumps(curve: np.ndarray) -> np.ndarray:
    """Between which neighbours the curve jumps: by far more than a line of this height climbs."""
    return np.abs(np.diff(curve)) > 0.2 * max(np.ptp(curve), 1e-12)
