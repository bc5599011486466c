"""Print a line for each kind of file, and the sum."""

from __future__ import annotations

import multiprocessing
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor

from tests.damaged_files.kinds import kinds
from tests.damaged_files.study import line


def main() -> None:
    total, count = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000, len(list(kinds()))
    every: Counter[str] = Counter()
    print(
        f"{'file':24}{'inputs':>7}{'read':>7}{'refused':>9}{'wrong':>7}{'slowest':>9}{'memory':>10}"
    )
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn, max_tasks_per_child=1) as pool:
        for told, counts in pool.map(line, range(count), [total // count] * count):
            print(told, flush=True)
            for what, n in counts.items():
                if what.startswith("!"):
                    print(f"    {n} {what}")
            every += counts
    print(f"{every.total()} inputs: " + ", ".join(f"{n} {what}" for what, n in every.items()))


if __name__ == "__main__":
    main()
