"""What comes of damaged files: outcomes, the slowest answer, the memory."""

from __future__ import annotations

import resource
import tempfile
import time
import warnings
from collections import Counter
from itertools import chain, islice
from pathlib import Path

import numpy as np

from tests.damaged_files.damage import bombs, damaged
from tests.damaged_files.kinds import Kind, kinds


def outcome(kind: Kind, path: Path) -> str:
    """ "read", the kind of the refusal, or what is wrong with it behind an exclamation mark."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            kind.read(path)
    except (ValueError, OSError) as error:
        shown = all(letter.isprintable() or letter == "\n" for letter in str(error))
        return type(error).__name__ if shown else f"! control characters: {error!r:.150}"
    except BaseException as error:
        return f"! {type(error).__name__}: {error!s:.150}"
    return "read"


def study(kind: Kind, inputs: int, folder: Path, seed: int = 0) -> tuple[Counter[str], float]:
    """(outcomes, processor seconds of the slowest answer)."""
    path, rng, counts, slowest = (
        folder / kind.name,
        np.random.default_rng(seed),
        Counter[str](),
        0.0,
    )
    kind.write(path)
    whole = path.read_bytes()
    for content in islice(chain(bombs(kind.name, whole), damaged(whole, kind.name, rng)), inputs):
        path.write_bytes(content)
        start = time.process_time()
        counts[outcome(kind, path)] += 1
        slowest = max(slowest, time.process_time() - start)
    return counts, slowest


def line(number: int, inputs: int) -> tuple[str, Counter[str]]:
    """The line of a kind, for which this process is there alone; its outcomes."""
    kind = list(kinds())[number]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, kind.name)
        kind.write(path)
        kind.read(path)
        before = peak()
        counts, slowest = study(kind, inputs, Path(folder))
        grown = peak() - before
    wrong = sum(n for what, n in counts.items() if what.startswith("!"))
    refused = counts.total() - counts["read"] - wrong
    told = f"{kind.name:24}{counts.total():7}{counts['read']:7}{refused:9}{wrong:7}"
    return f"{told}{slowest:7.2f} s{grown:+7.0f} MB", counts


def peak() -> float:
    """The largest memory of this process so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
