"""The mistake of the README's Softmax as a picture: the Jacobian it uses beside the one it has."""

import re
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

import nnscratch as nn
from nnscratch.plots.colours import WRONG, colour_map

README = Path(__file__).resolve().parents[1] / "README.md"


def readme_softmax() -> type:
    """The class as the README prints it."""
    text = README.read_text("utf-8")
    block = re.search(r"```python\n(class Softmax:.*?)\nprint", text, re.DOTALL)
    if block is None:
        raise SystemExit("the README shows no class Softmax any more: draw what it shows instead")
    names = {"np": np}
    exec(block[1], names)
    return names["Softmax"]


def draw(path: Path) -> None:
    layer, x = readme_softmax()(), np.random.default_rng(0).normal(size=(5, 4))
    [finding] = nn.check_gradients(layer, x).findings
    right = nn.numerical_jacobian(layer.forward, x[0])
    layer.forward(x[0])
    used = np.array([layer.backward(dy) for dy in np.eye(len(right))])
    figure = Figure(figsize=(8, 3.5), dpi=130, layout="constrained")
    figure.suptitle(f"check_gradients says: {finding.code}")
    titles = "∂y/∂x as backward has it", "∂y/∂x as forward has it"
    for axes, title, matrix in zip(figure.subplots(1, 2), titles, (used, right), strict=True):
        top = 1.5 * np.abs(right).max()
        axes.imshow(matrix, cmap=colour_map("RdBu_r"), vmin=-top, vmax=top)
        for (i, j), value in np.ndenumerate(matrix):
            axes.text(j, i, f"{value:.3f}", ha="center", va="center")
            if abs(value - right[i, j]) > 1e-6:
                frame = Rectangle((j - 0.45, i - 0.45), 0.9, 0.9, fill=False, edgecolor=WRONG)
                frame.set_linewidth(1.6)
                axes.add_patch(frame)
        axes.set_title(title, fontsize=11)
        axes.set_xticks(range(4), [f"x{i}" for i in "₀₁₂₃"])
        axes.set_yticks(range(4), [f"y{i}" for i in "₀₁₂₃"])
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
    figure.savefig(path)
