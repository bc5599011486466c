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
    """Its function, the package that it needs, and the kinds of nets that it takes."""

    make: Callable
    package: str
    kinds: tuple[str, ...] = ("vectors", "images")

    def takes(self, net):
        return net.kind in self.kinds


ALL = ("vectors", "images", "sequences")


CONTESTANTS = {
    "nnscratch": Contestant(ours.nnscratch, "nnscratch", ALL),
    "nnscratch, workers=2": Contestant(ours.nnscratch_workers, "threadpoolctl", ALL),
    "its products alone": Contestant(products.products, "numpy"),
    "torch": Contestant(torch.eager, "torch", ALL),
    "torch, fused optimizer": Contestant(torch.fused, "torch", ALL),
    "torch, channels_last": Contestant(torch.channels_last, "torch", ("images",)),
    "torch.compile": Contestant(torch.compiled, "torch", ALL),
    "jax.jit": Contestant(jax.jit, "jax", ALL),
    "tinygrad": Contestant(tinygrad.jit, "tinygrad"),
    "scikit-learn": Contestant(sklearn.mlp_classifier, "sklearn", ("vectors",)),
    "plain NumPy": Contestant(textbook.textbook, "numpy"),
}
OURS = ("nnscratch", "nnscratch, workers=2")
# those whose ratios have targets, and the fastest ways of others
MAIN = (*OURS, "torch", "torch, fused optimizer", "jax.jit", "scikit-learn")
