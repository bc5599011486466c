"""Every gradient of an object in one mode: values, what is written to, what calls leave behind."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nnscratch.gradient_check import probes
from nnscratch.gradient_check.choosing import absent, dx_before_update
from nnscratch.gradient_check.draws import Draw, further_draws, is_float
from nnscratch.gradient_check.examination import Examination
from nnscratch.gradient_check.left_behind import MISSING
from nnscratch.gradient_check.mistakes.causes import explain
from nnscratch.gradient_check.mistakes.context import Context
from nnscratch.gradient_check.names import is_buffer
from nnscratch.gradient_check.report import Finding
from nnscratch.gradient_check.subject import Subject
from nnscratch.gradient_check.updates import adaptive_step

__all__ = ["Notes", "judge"]

VERDICTS = ("pass", "undecidable", "fail")


class Notes:
    """What was found so far: one finding for each array, and what makes the check weaker."""

    def __init__(self) -> None:
        self.findings: dict[str, Finding] = {}
        self.warnings: list[str] = []

    def add(self, name: str, verdict: str, code: str = "", message: str = "") -> None:
        """Keep the gravest finding of an array, and of equal ones the first."""
        known = self.findings.get(name)
        if known is None or VERDICTS.index(verdict) > VERDICTS.index(known.verdict):
            self.findings[name] = Finding(name, verdict, code, message)

    def warn(self, words: str) -> None:
        """Say it once."""
        if words not in self.warnings:
            self.warnings.append(words)

    def sort(self, names: Sequence[str]) -> None:
        """Put the findings in this order."""
        order = {name: i for i, name in enumerate(names)}
        found = sorted(self.findings.items(), key=lambda item: order.get(item[0], 0))
        self.findings = dict(found)


def judge(
    notes: Notes, subject: Subject, draw: Draw, rng: np.random.Generator, mode: str = ""
) -> None:
    """Mutation, values, history, large numbers: the first that fails is told."""
    for name, got in draw.got.items():
        if not is_float(_array(draw, name)):
            _no_gradient(notes, draw, name, got)
    settings = _settings(draw)
    names = [n for n in draw.got if is_float(_array(draw, n)) and n not in settings]
    names = [n for n in names if not _not_compared(notes, subject, n, draw)]
    written = list(probes.written_to(draw))
    for name, code, what in written:
        notes.add(name, "fail", code, mode + explain(code, Context(name).name, what))
    if draw.subject.manner.trained:
        for name, gradient in dx_before_update(subject, draw).items():
            if not probes.alike(draw.got[name], gradient):
                words = explain("updated_too_early", name)
                notes.add(name, "fail", "updated_too_early", mode + words)
    examined = Examination([draw, *further_draws(subject, draw, rng)], rng)
    every = [(name, examined.finding(name)) for name in names]
    if examined.drowned:  # then nothing that y tells can convict
        every = [(name, examined.undecided_if_unnamed(name, found)) for name, found in every]
    for name, found in every:
        notes.add(name, found.verdict, found.code, found.message and mode + found.message)
    if not written and not subject.manner.stateful:
        _calls(notes, subject, draw, rng, mode)  # what is written to differs in the next call
    _large(notes, subject, draw, mode)
    for name in names:
        if getattr(draw.got[name], "dtype", None) == np.float16:
            notes.warn(f"{Context(name).name} is float16, of which three digits are compared")
    if examined.coarse:
        notes.warn("the object computes in float32 or coarser, so only coarse mistakes show")


def _array(draw: Draw, name: str) -> Any:
    known = name in draw.params or name.startswith("dx")
    return draw.array(name) if known else None


def _settings(draw: Draw) -> set[str]:
    """Plain numbers among arrays, such as a rate of dropout, that get no gradient."""
    names = [name for name in draw.got if name.startswith("dx") and name not in draw.params]
    arrays = any(np.ndim(draw.array(name)) for name in names)
    none = {name for name in names if draw.got[name] is None or draw.got[name] is MISSING}
    return {name for name in none if arrays and np.ndim(draw.array(name)) == 0}


def _no_gradient(notes: Notes, draw: Draw, name: str, got: Any) -> None:
    """Integers and settings, which have none, and what is no gradient of anything."""
    if name not in draw.params and not name.startswith("dx"):
        words = f"backward returned more than the gradients: {name}"
        notes.add(name, "undecidable", "not_compared", words)
    elif got is None or got is MISSING or (probes.is_number(got) and not np.any(got)):
        if isinstance(draw.array(name), np.ndarray):  # settings are not mentioned
            notes.add(name, "pass")
    elif _of_shape(got, draw.array(name)):
        notes.add(name, "fail", "type", "integers have no gradient: return None")


def _of_shape(got: Any, array: Any) -> bool:
    return probes.is_number(got) and np.asarray(got).shape == np.shape(array)


def _not_compared(notes: Notes, subject: Subject, name: str, draw: Draw) -> bool:
    """Whether a parameter's gradient is nowhere, and that need not be a mistake."""
    why = absent(subject, name, draw)
    step = adaptive_step(subject, draw, name) if name in subject.manner.trained else None
    if why and step:
        notes.add(name, *step)
    elif why:
        words = explain("not_compared", Context(name).name, why)
        if name in draw.params and is_buffer(subject.manner.places[name].last):
            words = f"{name} is a statistic by its name, and has no gradient: {why}"
        notes.add(name, "undecidable", "not_compared", words)
    return bool(why)


def _calls(notes: Notes, subject: Subject, draw: Draw, rng: np.random.Generator, mode: str) -> None:
    """What a second backward and a second forward give."""
    for probe in (probes.second_backward(draw), probes.history(subject, draw.inputs, rng)):
        for name, code, what in probe:
            message = explain(code, Context(name).name, what) + (f" ({what})" if what else "")
            notes.add(name, "fail", code, mode + message)


def _large(notes: Notes, subject: Subject, draw: Draw, mode: str) -> None:
    """Numbers a thousand times as large."""
    if not draw.got or not is_float(draw.inputs[0]):
        return
    place = probes.large_inputs(subject, draw.inputs)
    if place is None:
        return
    message = f"at 1000 x, {explain('non_finite', place)}"
    source = subject.object
    inner = getattr(source, "layers", ()) or hasattr(source, "steps")
    if place == "y":  # log 0 of a loss is no mistake of its gradient
        words = "y is NaN or infinite where the true value is finite"
        notes.warn(f"at 1000 x, {words}: subtract the maximum before exp, and write log-softmax")
    elif inner:
        notes.warn(message)
    else:
        notes.add(next(iter(draw.got)), "fail", "non_finite", mode + message)
