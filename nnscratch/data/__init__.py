"""Files -> arrays -> splits -> minibatches: where the data's path begins."""

from nnscratch.data.augment import Cutout, Mixup, ShiftAndFlip
from nnscratch.data.characters import Text, text
from nnscratch.data.datasets import Dataset, load_dataset
from nnscratch.data.files import fetch_dataset
from nnscratch.data.idx import load_idx
from nnscratch.data.images import Images
from nnscratch.data.minibatches import minibatches
from nnscratch.data.points import moons, spirals
from nnscratch.data.resample import Crop, Rotate
from nnscratch.data.sequences import addition, reversals, sines
from nnscratch.data.splits import stratified_split

__all__ = [
    "Crop",
    "Cutout",
    "Dataset",
    "Images",
    "Mixup",
    "Rotate",
    "ShiftAndFlip",
    "Text",
    "addition",
    "fetch_dataset",
    "load_dataset",
    "load_idx",
    "minibatches",
    "moons",
    "reversals",
    "sines",
    "spirals",
    "stratified_split",
    "text",
]
