"""Training: from a model, a loss and an optimizer to a trained model and its history."""

from nnscratch.training.early_stopping import EarlyStopping
from nnscratch.training.evaluation import evaluate
from nnscratch.training.trainer import Trainer

__all__ = ["EarlyStopping", "Trainer", "evaluate"]
