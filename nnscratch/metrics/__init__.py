"""Metrics: what one wants to know of predictions, beside the loss that was trained on.

Values are those of scikit-learn's functions of the same name; `accuracy` and `top_k_accuracy` are
its accuracy_score and top_k_accuracy_score, and `precision_recall_f1` gives the first three of
precision_recall_fscore_support. Nothing is counted silently: NaN is refused.
"""

from typing import TYPE_CHECKING

from nnscratch.metrics.classification import *
from nnscratch.metrics.regression import *

if not TYPE_CHECKING:  # which follows the stars by itself
    __all__ = [name for name, thing in globals().items() if callable(thing)]
