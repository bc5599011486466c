"""Whether a run came to nothing, and the likely cause."""

from __future__ import annotations

import math

import numpy as np

from nnscratch.commands.run_folder import Results
from nnscratch.commands.training_run import Run, build_model
from nnscratch.data import minibatches
from nnscratch.files import printable
from nnscratch.training.diagnosis.recorder import norm, weights_of_layers
from nnscratch.training.diagnosis.symptoms import VANISHED
from nnscratch.training.history import History

CONSTANT = 0.02  # of the loss, by which the last three epochs differ at most
MOST_DROPPED = 0.7
DECAYED = 0.1  # of the norm that the weights began with
SOME = 256  # samples whose gradients are looked at


def failure_of(run: Run, results: Results, history: History) -> str:
    """What is to be said of a run that ended no better than guessing; "" of all others."""
    counts = np.bincount(run.data.y_test)
    share, samples = counts.max() / counts.sum(), counts.sum()
    if results.test_accuracy > share + 2 * math.sqrt(share * (1 - share) / samples):
        return ""
    name = printable(run.data.class_names[int(counts.argmax())])
    guess = f"no better than guessing: to say {name} always is right for {share:.4f}"
    last = history["train_loss"][-3:]
    if len(last) == 3 and np.ptp(last) < CONSTANT * max(last):
        guess = f"the loss became constant, {last[-1]:.4f}; {guess}"
    return f"{guess}. {_cause(run, history)}"


def _cause(run: Run, history: History) -> str:
    """The likely one, with what to change."""
    losses, rate = history["train_loss"], run.config.learning_rate
    if cause := _of_settings(run):
        return cause
    fell = 2 * history["train_accuracy"][-1] < max(history["train_accuracy"])
    if fell or max(losses) > 2 * math.log(len(run.data.class_names)):  # twice a mere guess's
        return (
            "The steps were most likely too large: "
            f"lower --learning-rate ({rate:g} now) or add --clip-norm 1"
        )
    if _reaches_first_layer(run) < VANISHED:
        return (
            "The gradients vanish on the way back to the first layer: take fewer layers, relu or "
            "gelu between them, weights that suit them, less --dropout, or BatchNorm"
        )
    clip = run.config.clip_norm
    clipped = "" if clip is None else f", --clip-norm ({clip:g} now)"
    return (
        "The steps were most likely too small or too few: "
        f"raise --learning-rate ({rate:g} now){clipped} or --epochs"
    )


def _of_settings(run: Run) -> str:
    """What a setting explains by itself, "" where none does."""
    config, classes = run.config, len(run.data.class_names)
    dropout, decay = config.dropout or 0, config.weight_decay
    narrowest = min(config.hidden or (classes,))
    if dropout > MOST_DROPPED:
        return f"Little is left of what is dropped: lower --dropout ({dropout:g} now)"
    if 2**narrowest < classes:  # it cannot tell the classes apart by which units are on
        return f"A layer of {narrowest} is narrow for {classes} classes: widen --hidden"
    untrained = build_model(config, np.random.default_rng(config.seed))
    before, after = (norm(list(model.params.values())) for model in (untrained, run.model))
    if decay and after < DECAYED * before:
        return f"The weights have decayed to nearly 0: lower --weight-decay ({decay:g} now)"
    return ""


def _reaches_first_layer(run: Run) -> float:
    """The gradient of the first layer's weights, as a share of the largest layer's."""
    x, y = next(iter(minibatches(run.data.x_train, run.data.y_train, SOME)))
    run.loss.forward(run.model.forward(x), y)
    _, grads = run.model.backward(run.loss.backward())
    norms = [norm([grads[name] for name in names]) for names in weights_of_layers(run.model)[1]]
    return norms[0] / max(norms) if any(norms) else math.inf
