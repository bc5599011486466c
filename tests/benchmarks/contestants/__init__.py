"""The contestants, one file per family. None imports its framework before it is called.

Each is a function (case, x, y, weights) -> train, and train(samples, epochs) trains on the first
so many samples of x, minibatch by minibatch in the orders of `nets.orders`, and returns the mean
loss of the last epoch. Called again, it goes on with the weights that it has.
"""

from collections.abc import Callable
from dataclasses import dataclass

from tests.benchmarks.contestants import (
    jax,
    ours,
    products,
    sklearn,
    textbook,
    tinygrad,
    torch,
)


@dataclass(frozen=True)
class Contestant:
    """Its function, the package that it needs, and whether it takes MLPs and images."""

    make: Callable
    package: str
    mlps: bool = True
    images: bool = True

    def takes(self, net):
        return self.images if net.images else self.mlps


CONTESTANTS = {
    "nnscratch": Contestant(ours.nnscratch, "nnscratch"),
    "nnscratch, workers=2": Contestant(ours.nnscratch_workers, "threadpoolctl"),
    "its products alone": Contestant(products.products, "numpy"),
    "torch": Contestant(torch.eager, "torch"),
    "torch, fused optimizer": Contestant(torch.fused, "torch"),
    "torch, channels_last": Contestant(torch.channels_last, "torch", mlps=False),
    "torch.compile": Contestant(torch.compiled, "torch"),
    "jax.jit": Contestant(jax.jit, "jax"),
    "tinygrad": Contestant(tinygrad.jit, "tinygrad"),
    "scikit-learn": Contestant(sklearn.mlp_classifier, "sklearn", images=False),
    "plain NumPy": Contestant(textbook.textbook, "numpy"),
}
OURS = ("nnscratch", "nnscratch, workers=2")
# those whose ratios have targets, and the fastest ways of others
MAIN = (*OURS, "torch", "torch, fused optimizer", "jax.jit", "scikit-learn")
