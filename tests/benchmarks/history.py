"""A line for each run of the benchmarks: on what, when, and the ratios; to be compared later."""

import json
from pathlib import Path

from tests.benchmarks.contestants import OURS
from tests.benchmarks.table import ratio

HISTORY = Path(__file__).with_name("history.jsonl")


def append(file, about, results):
    """Add a line to the history.

    Parameters
    ----------
    file : path
    about : dict
        On what the run was measured: date, processor, versions, kernels.
    results : {case: {"contestants": figures, "share of other processes": share}}
        Figures as `table.show` takes them.
    """
    line = {**about, "ratios": {name: ratios(of["contestants"]) for name, of in results.items()}}
    line["disturbance"] = {name: of["share of other processes"] for name, of in results.items()}
    with file.open("a") as lines:
        lines.write(json.dumps(line) + "\n")


def ratios(figures):
    """{contestant: [of each of ours / it, the median over the rounds, None where not measured]}."""
    measured = {name: of["steps"] for name, of in figures.items() if not isinstance(of, str)}
    return {
        name: [
            round(ratio(measured[mine], steps)[0], 3) if mine in measured else None for mine in OURS
        ]
        for name, steps in measured.items()
    }
