"""The tally over all public classes and functions, and what is not refused by name."""

from __future__ import annotations

import os
from collections import Counter

import matplotlib

from tests.misuse.calls import FOLDER, every_call
from tests.misuse.tally import is_wrong, outcome
from tests.misuse.wrong import WRONG


def main() -> None:
    matplotlib.use("Agg")
    os.chdir(FOLDER)
    counts: Counter[str] = Counter()
    for called in every_call():
        for argument in called.arguments:
            for what, maker in WRONG.items():
                if not is_wrong(argument, what):
                    continue
                kind, said = outcome(called, argument, maker)
                counts[kind] += 1
                if kind in ("unnamed", "crash"):
                    print(f"{kind}: {called.name} {argument}={what}: {said[:120]!r}")
    print(f"{sum(counts.values())} calls: {dict(counts)}")


if __name__ == "__main__":
    main()
