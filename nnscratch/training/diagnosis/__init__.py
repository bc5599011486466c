"""What looks wrong with a training run, in sentences, and the numbers behind them."""

from nnscratch.training.diagnosis.diagnosis import Diagnosis, diagnose
from nnscratch.training.diagnosis.recorder import Recorder

__all__ = ["Diagnosis", "Recorder", "diagnose"]
