"""A model given as text, `--model "Sequential(...)"`: the code that `print(model)` shows.

The text is parsed and never executed (`nnscratch.builder`); here it meets the data.
"""

from __future__ import annotations

import argparse

import numpy as np

from nnscratch.builder import ALLOWED, PASSED, build
from nnscratch.commands.choices import MODELS, is_text
from nnscratch.commands.options import nearest
from nnscratch.data.sources import Source
from nnscratch.layers import Layer, Linear, Softmax
from nnscratch.layers.normalization.normalize import passed_unfitted


def MODEL(text: str) -> str:
    """An argparse type: the name of a network, or a text that builds one.

    Examples
    --------
    >>> MODEL("mlp"), MODEL(" Sequential(Flatten(), Linear(64, 10)) ")
    ('mlp', 'Sequential(Flatten(), Linear(64, 10))')
    >>> MODEL("Sequential(Flatten(), Dense(10))")
    Traceback (most recent call last):
    argparse.ArgumentTypeError: the text of a model, line 1: no layer is called 'Dense'; here it is
    nn.Linear(in_features, out_features), with the activation as a layer behind it
    """
    text = text.strip()
    if text in MODELS:
        return text
    if not is_text(text):
        there = f"there is {', '.join(sorted(MODELS))}{nearest(text, sorted(MODELS))}"
        own = "the code of one of your own, such as 'Sequential(Flatten(), Linear(64, 10))'"
        raise argparse.ArgumentTypeError(f"unknown model {text!r}; {there}, or {own}")
    try:
        build(text)
    except ValueError as error:
        text = str(error).removesuffix(ALLOWED).removesuffix(PASSED)
        raise argparse.ArgumentTypeError(text) from None
    return text


def build_own(text: str, source: Source, rng: np.random.Generator) -> Layer:
    """The model that a text describes, which has been tried on the shape of the data.

    Raises
    ------
    ValueError
        The text builds no model, one that does not take the samples, or one that does not give a
        score for each class.

    Examples
    --------
    >>> from nnscratch.data.catalogue import source_of
    >>> rng, digits = np.random.default_rng(0), source_of("digits")
    >>> build_own("Sequential(Flatten(), Linear(64, 12))", digits, rng)
    Traceback (most recent call last):
    ValueError: --model gives 12 scores for a sample, and digits has 10 classes; end it with
    Linear(64, 10)
    """
    model = build(text, rng=rng)
    samples = np.zeros((2, *source.shape), np.float32)
    try:
        # of a model before its training, of which nothing is fitted to the data
        with np.errstate(all="ignore"), passed_unfitted(model):
            y = model.eval().forward_pass(samples)[0]
    except (ValueError, RuntimeError, IndexError, TypeError) as error:
        raise ValueError(
            f"--model does not take the samples of {source.name}, {source.shape} each: {error}"
        ) from None
    _check_scores(model, y, source)
    return model.train()


def _check_scores(model: Layer, y: object, source: Source) -> None:
    """Whether there is a score for each class, and no softmax that the loss would take again."""
    last, classes = (model.layers or [model])[-1], len(source.class_names)
    if not isinstance(y, np.ndarray):
        raise ValueError(f"--model has several outputs; {source.name} needs one, {classes} scores")
    shape = y.shape[1:]
    if shape != (classes,):
        gives = f"{shape[0]} scores" if len(shape) == 1 else f"numbers of the shape {shape}"
        flatten = "" if len(shape) == 1 else "Flatten(), "
        if isinstance(last, Linear) and not flatten:
            remedy = f"end it with Linear({last.in_features}, {classes})"
        else:
            remedy = f"put {flatten}Linear({int(np.prod(shape))}, {classes}) behind it"
        raise ValueError(
            f"--model gives {gives} for a sample, and {source.name} has {classes} classes; {remedy}"
        )
    if isinstance(last, Softmax):
        raise ValueError(f"--model ends with {last}; leave it out: the loss takes scores before it")
