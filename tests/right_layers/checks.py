"""The checks, each by its number."""

import argparse
import collections
import time
import warnings
from dataclasses import dataclass

import numpy as np

from nnscratch.gradient_check import check_gradients
from nnscratch.gradient_check.draws import is_float
from tests.right_layers.layers import Squares, chosen
from tests.right_layers.places import PLACES, WAYS, double


@dataclass(frozen=True)
class Right:
    """One check of a right layer, by its number."""

    number: int

    def made(self):
        """(layer, inputs, words); None where the layer refuses such numbers."""
        rng = np.random.default_rng([20, self.number])
        build, inputs = chosen(rng.random())
        place, way = PLACES[rng.integers(len(PLACES))], WAYS[rng.integers(len(WAYS))]
        given = inputs(rng)
        layer = build(rng)
        moved = tuple(place(rng, x) if is_float(x) else x for x in given)
        loss = hasattr(layer, "reduction") or isinstance(layer, Squares)
        if loss:  # targets may have to be shares
            moved, way = (moved[0], *given[1:]), double
        words = f"{self.number}: {type(layer).__name__} {place.__name__} {way.__name__}"
        try:
            with np.errstate(all="ignore"):  # what overflows there is the check's own to tell
                y = layer.forward(*moved)
        except ValueError:
            return None
        if isinstance(y, tuple):
            way = double
        rng = np.random.default_rng([21, self.number])
        return way(build(rng), rng), moved, words

    def report(self):
        """(report, words); (None, "") where there is nothing to check."""
        made = self.made()
        if made is None:
            return None, ""
        layer, inputs, words = made
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return check_gradients(layer, *inputs, rng=self.number), words


@dataclass
class Checks:
    """What many checks found."""

    count: int
    alarms: list
    undecidable: collections.Counter
    passed: int


def checks(count, start=0, say=None):
    """`count` checks of right layers, those that a layer refuses not counted."""
    found = Checks(0, [], collections.Counter(), 0)
    number = start
    while found.count < count:
        report, words = Right(number).report()
        number += 1
        if report is None:
            continue
        found.count += 1
        if not report.ok:
            found.alarms.append(f"{words}: {report}")
            if say:
                say(found.alarms[-1])
        codes = {f.code for f in report.findings if f.verdict == "undecidable"}
        found.undecidable.update(codes)
        found.passed += all(f.verdict == "pass" for f in report.findings)
        if say and found.count % 1000 == 0:
            say(f"{found.count} checks, {len(found.alarms)} alarms")
    return found


def main(arguments=None):
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--checks", type=int, default=10_000)
    options.add_argument("--start", type=int, default=0, help="number of the first check")
    options = options.parse_args(arguments)
    begun = time.process_time()
    found = checks(options.checks, options.start, say=lambda words: print(words, flush=True))
    undecidable = ", ".join(f"{code} {n}" for code, n in found.undecidable.most_common())
    print(f"{found.count} checks of right layers, from number {options.start}")
    print(f"false alarms {len(found.alarms)} (goal 0)")
    print(f"everything passed in {found.passed}; with something undecidable: {undecidable or 0}")
    print(f"{time.process_time() - begun:.0f} s")
    return 1 if found.alarms else 0
