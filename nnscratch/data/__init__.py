"""Files -> arrays -> splits -> minibatches: where the data's path begins."""

from nnscratch.data.datasets import Dataset, load_dataset
from nnscratch.data.idx import load_idx
from nnscratch.data.minibatches import minibatches
from nnscratch.data.splits import stratified_split

__all__ = ["Dataset", "load_dataset", "load_idx", "minibatches", "stratified_split"]
